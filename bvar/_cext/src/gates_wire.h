/* gates_wire.h - what the loops of gates_impl.h hand to an ISA file that adds up wires by itself. */

enum {
    MAX_FAN_IN = 6, /* a table then has 64 entries, one word */
    BLOCK_WORDS = 8 /* words of samples whose sums are kept on the stack */
};

/* Where a gate rises with one of its wires, and where it falls, for up to BLOCK_WORDS words of samples. */
typedef struct {
    const int16_t *z;
    uint64_t up[BLOCK_WORDS], down[BLOCK_WORDS];
} wire;

