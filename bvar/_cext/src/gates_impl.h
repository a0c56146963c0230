/* gates_impl.h - layers of gates: the loops that all instruction sets share; included by kernels_impl.h.
 *
 * Bits lie unit by unit ("planes"): row u holds what unit u answered to samples 0, 1, 2, ...  So 64 samples are one
 * word, a vector is several words, and a gate is the same few operations on all of them, whatever its table is.
 *
 * 1. Forward: a tree of choices.  f = x_last ? f_1 : f_0 and so on down to constants, masks of ones or zeros that
 *    are made once per gate.  Two inputs take three ternary operations and no branch: as much as the two loads
 *    and the store take anyway.
 *
 * 2. Votes on tables: each sample votes on the one entry that it addressed.
 *
 * 3. Votes on wires are gathered: a unit asks each gate that reads it.  Where the gate rises with the unit its
 *    signal counts, where it falls it counts against; sums are int32 and clipped once, so no order matters.
 *
 * 4. Votes on candidates: what the gate would lose or gain with the other bit on a wire is written down once, and
 *    added up where a candidate has the other bit.
 *
 * 5. Counts: a counter for each bit position of a word, kept in planes (the first holds all lowest bits, ...), so one
 *    addition counts 64 samples a word.  Eight rows at a time go through a tree of full adders.
 *
 * Expected from the ISA file: a type `plane` of PLANE_WORDS words, with plane_load and plane_store of the first n
 * words, plane_all (a word in all places), plane_leaf (c ^ (d & x)), plane_choose (x ? a : b), plane_sum (a ^ b ^ c),
 * plane_carry (two or more of a, b, c), plane_and, plane_xor; and level_word.  Where it does better than the plain C
 * below: BVAR_OWN_GATE_VOTES with votes_of_gate, BVAR_OWN_SIGNED with add_signed, and BVAR_OWN_FEW with add_few, the
 * sum of at most two wires, kept within +-32767, BVAR_OWN_TOTAL with total_where, and BVAR_OWN_COUNTERS with
 * read_counters.
 *
 * Longer than 400 lines because all five share the plane and are compiled together for each instruction set. */

enum {
    MAX_COUNT_PLANES = 32, /* counts below 2^32 */
    COUNT_WORDS = 64       /* words of a row that are counted together: 16 KiB of counters */
};

/* All entries whose address has bit i clear. */
static const uint64_t without_wire[MAX_FAN_IN] = {
    UINT64_C(0x5555555555555555), UINT64_C(0x3333333333333333), UINT64_C(0x0f0f0f0f0f0f0f0f),
    UINT64_C(0x00ff00ff00ff00ff), UINT64_C(0x0000ffff0000ffff), UINT64_C(0x00000000ffffffff)};

/* ------------------------------------------------------------------------------------------------- layout */

static int64_t pack_levels(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    const bvar_levels_job *a = job;
    const ptrdiff_t n_words = ceil_div(a->n_bits, 64), n_full = a->n_bits / 64;
    for (ptrdiff_t r = begin; r < end; ++r) {
        const uint8_t *values = a->values + r * a->n_bits;
        uint64_t *words = a->words + r * n_words;
        for (ptrdiff_t k = 0; k < n_full; ++k) /* a constant, so that nothing is masked */
            words[k] = level_word(values + 64 * k, a->thresholds + 64 * k, 64);
        if (n_full < n_words)
            words[n_full] = level_word(values + 64 * n_full, a->thresholds + 64 * n_full, (int)(a->n_bits % 64));
    }
    return 0;
}

/* ------------------------------------------------------------------------------------------------- wires */

/* The sign of v, or of limit - 1 - v, tells that v is outside; sixteen at a time, which compilers vectorise. */
static int all_below(const int32_t *numbers, ptrdiff_t n, int32_t limit) {
    const uint32_t last = (uint32_t)(limit - 1);
    const ptrdiff_t whole = n / 16 * 16;
    uint32_t outside[16] = {0};
    for (ptrdiff_t i = 0; i < whole; i += 16)
        for (int k = 0; k < 16; ++k)
            outside[k] |= (uint32_t)numbers[i + k] | (last - (uint32_t)numbers[i + k]);
    for (ptrdiff_t i = whole; i < n; ++i)
        outside[0] |= (uint32_t)numbers[i] | (last - (uint32_t)numbers[i]);
    for (int k = 1; k < 16; ++k)
        outside[0] |= outside[k];
    return outside[0] >> 31 == 0;
}

/* ------------------------------------------------------------------------------------------------ forward */

/* Choose among 2^fan_in constants; `entry[j]` and `change[j]` belong to addresses 2 j and 2 j + 1. */
BVAR_INLINE plane choose(const plane *entry, const plane *change, const plane *x, int fan_in) {
    plane v[1 << (MAX_FAN_IN - 1)];
    int k = 0;
    do /* compilers do not know that there is a wire */
        v[k] = plane_leaf(entry[k], change[k], x[0]);
    while (++k < 1 << (fan_in - 1));
    for (int i = 1; i < fan_in; ++i)
        for (int j = 0; j < 1 << (fan_in - 1 - i); ++j)
            v[j] = plane_choose(x[i], v[2 * j + 1], v[2 * j]);
    return v[0];
}

#define ONES_IF(bit) (UINT64_C(0) - ((bit) & 1))
#define TREE_OF(t) {ONES_IF(t), ONES_IF((t) ^ (t) >> 1), ONES_IF((t) >> 2), ONES_IF((t) >> 2 ^ (t) >> 3)}

/* Entry and change, twice, of all tables of two inputs: to broadcast from memory is cheaper than to compute. */
static const uint64_t tree_of_two[16][4] = {
    TREE_OF(0u), TREE_OF(1u), TREE_OF(2u),  TREE_OF(3u),  TREE_OF(4u),  TREE_OF(5u),  TREE_OF(6u),  TREE_OF(7u),
    TREE_OF(8u), TREE_OF(9u), TREE_OF(10u), TREE_OF(11u), TREE_OF(12u), TREE_OF(13u), TREE_OF(14u), TREE_OF(15u)};

/* The constants of a table, for `choose`. */
BVAR_INLINE void lay_tree(uint64_t table, int fan_in, plane *entry, plane *change) {
    if (fan_in == 2) {
        const uint64_t *tree = tree_of_two[table & 15];
        entry[0] = plane_all(tree[0]), change[0] = plane_all(tree[1]);
        entry[1] = plane_all(tree[2]), change[1] = plane_all(tree[3]);
        return;
    }
    int j = 0;
    do { /* compilers do not know that there is a wire */
        const uint64_t low = table >> 2 * j & 1, high = table >> (2 * j + 1) & 1;
        entry[j] = plane_all(UINT64_C(0) - low);
        change[j] = plane_all(UINT64_C(0) - (low ^ high));
    } while (++j < 1 << (fan_in - 1));
}

BVAR_INLINE void value_of_gate(const bvar_table_values_job *a, ptrdiff_t g, int fan_in) {
    const ptrdiff_t n_words = ceil_div(a->n_samples, 64);
    const int32_t *wires = a->wires + g * fan_in;
    plane entry[1 << (MAX_FAN_IN - 1)], change[1 << (MAX_FAN_IN - 1)], x[MAX_FAN_IN];
    uint64_t *out = a->out + g * n_words;
    lay_tree(a->tables[g], fan_in, entry, change);
    ptrdiff_t k = 0;
    for (; k + PLANE_WORDS <= n_words; k += PLANE_WORDS) {
        for (int i = 0; i < fan_in; ++i)
            x[i] = plane_load(a->x + wires[i] * n_words + k, PLANE_WORDS);
        plane_store(out + k, PLANE_WORDS, choose(entry, change, x, fan_in));
    }
    if (k < n_words) {
        const int n = (int)(n_words - k);
        for (int i = 0; i < fan_in; ++i)
            x[i] = plane_load(a->x + wires[i] * n_words + k, n);
        plane_store(out + k, n, choose(entry, change, x, fan_in));
    }
    if (a->n_samples % 64)
        out[n_words - 1] &= legal_bits(a->n_samples, 64 * (n_words - 1));
}

/* One sample alone: its units are the low bits of words, and an address is quicker than a tree of planes. */
static void values_of_sample(const bvar_table_values_job *a, ptrdiff_t begin, ptrdiff_t end) {
    const int32_t *wires = a->wires + begin * a->fan_in;
    for (ptrdiff_t g = begin; g < end; ++g, wires += a->fan_in) {
        uint64_t address = 0;
        for (int i = 0; i < a->fan_in; ++i)
            address |= (a->x[wires[i]] & 1) << i;
        a->out[g] = a->tables[g] >> address & 1;
    }
}

static int64_t table_values(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    const bvar_table_values_job *a = job;
    if (a->n_samples == 1)
        values_of_sample(a, begin, end);
    else if (a->fan_in == 2) /* a constant, so that the tree is unrolled */
        for (ptrdiff_t g = begin; g < end; ++g)
            value_of_gate(a, g, 2);
    else
        for (ptrdiff_t g = begin; g < end; ++g)
            value_of_gate(a, g, a->fan_in);
    return 0;
}

/* -------------------------------------------------------------------------------------------------- votes */

#ifndef BVAR_OWN_GATE_VOTES
/* Eight addresses at a time, each a byte of a word. */
static void votes_of_gate(const bvar_table_votes_job *a, ptrdiff_t g) {
    const ptrdiff_t n_words = ceil_div(a->n_samples, 64);
    const int32_t *wires = a->wires + g * a->fan_in;
    const int16_t *z = a->z + g * a->n_samples;
    int32_t *out = a->out + (g << a->fan_in);
    memset(out, 0, sizeof *out << a->fan_in);
    for (ptrdiff_t s = 0; s < a->n_samples; s += 8) {
        uint64_t address = 0;
        for (int i = 0; i < a->fan_in; ++i)
            address |= bits_to_bytes(a->x[wires[i] * n_words + s / 64] >> s % 64) << i;
        for (ptrdiff_t j = s; j < at_most(s + 8, a->n_samples); ++j, address >>= 8)
            out[address & 63] += z[j];
    }
}
#endif

static int64_t table_votes(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    for (ptrdiff_t g = begin; g < end; ++g)
        votes_of_gate(job, g);
    return 0;
}

#ifndef BVAR_OWN_SIGNED
/* sum += z where `plus`, sum -= z where `minus`, for 64 samples, in a form that compilers vectorise. */
BVAR_INLINE void add_signed(int32_t *sum, const int16_t *z, uint64_t plus, uint64_t minus) {
    static const uint16_t place[16] = {1u << 0, 1u << 1, 1u << 2,  1u << 3,  1u << 4,  1u << 5,  1u << 6,  1u << 7,
                                       1u << 8, 1u << 9, 1u << 10, 1u << 11, 1u << 12, 1u << 13, 1u << 14, 1u << 15};
    for (int s = 0; s < 64; s += 16) {
        const uint16_t up = (uint16_t)(plus >> s), down = (uint16_t)(minus >> s);
        int16_t term[16];
        for (int i = 0; i < 16; ++i) {
            const int16_t raised = (int16_t) - ((up & place[i]) == place[i]);
            const int16_t lowered = (int16_t) - ((down & place[i]) == place[i]);
            term[i] = (int16_t)((z[s + i] & raised) - (z[s + i] & lowered));
        }
        for (int i = 0; i < 16; ++i)
            sum[s + i] += term[i];
    }
}
#endif

/* Two tables of the other wires: this one is held at 0.  Says whether there is anything to add. */
BVAR_INLINE int follow_wire(const bvar_wire_votes_job *a, ptrdiff_t number, ptrdiff_t k, int words, wire *it,
                            int fan_in) {
    const ptrdiff_t n_words = ceil_div(a->n_samples, 64), g = number / fan_in;
    const int slot = (int)(number % fan_in);
    const uint64_t low = a->tables[g] & without_wire[slot];
    const uint64_t high = a->tables[g] >> (1 << slot) & without_wire[slot];
    const int32_t *wires = a->wires + g * fan_in;
    plane entry[2][1 << (MAX_FAN_IN - 1)], change[2][1 << (MAX_FAN_IN - 1)], x[MAX_FAN_IN];
    if (low == high) /* a gate that ignores this wire */
        return 0;
    it->z = a->z + g * a->n_samples + 64 * k;
    lay_tree(high & ~low, fan_in, entry[0], change[0]);
    lay_tree(low & ~high, fan_in, entry[1], change[1]);
    for (int w = 0; w < words; w += PLANE_WORDS) {
        const int n = (int)at_most(PLANE_WORDS, words - w);
        for (int i = 0; i < fan_in; ++i)
            x[i] = i == slot ? plane_all(0) : plane_load(a->x + wires[i] * n_words + k + w, n);
        plane_store(it->up + w, n, choose(entry[0], change[0], x, fan_in));
        plane_store(it->down + w, n, choose(entry[1], change[1], x, fan_in));
    }
    return 1;
}

/* Add its votes on the n samples of the block. */
static void add_wire(const wire *it, ptrdiff_t n, int32_t *sums) {
    for (ptrdiff_t s = 0; s < n; s += 64) {
        int16_t some[64] = {0};
        const int16_t *z = it->z + s;
        if (n - s < 64) /* what lies behind the row is not ours to read */
            z = memcpy(some, z, (size_t)(n - s) * sizeof *z);
        add_signed(sums + s, z, it->up[s / 64], it->down[s / 64]);
    }
}

BVAR_INLINE void clip_sums(const int32_t *sums, ptrdiff_t n, int16_t *out) {
    for (ptrdiff_t s = 0; s < n; ++s)
        out[s] = (int16_t)(sums[s] > 32767 ? 32767 : sums[s] < -32767 ? -32767 : sums[s]);
}

/* The votes on one unit, at n samples from word k. */
BVAR_INLINE void votes_on_unit(const bvar_wire_votes_job *a, ptrdiff_t u, ptrdiff_t k, ptrdiff_t n, int fan_in) {
    const int words = (int)ceil_div(n, 64);
    int16_t *out = a->out + u * a->n_samples + 64 * k;
    wire wires[2];
#ifdef BVAR_OWN_FEW
    if (a->starts[u + 1] - a->starts[u] <= 2) {
        int n_wires = 0;
        for (ptrdiff_t r = a->starts[u]; r < a->starts[u + 1]; ++r)
            n_wires += follow_wire(a, a->readers[r], k, words, wires + n_wires, fan_in);
        add_few(wires, n_wires, n, out);
        return;
    }
#endif
    BVAR_ALIGNED int32_t sums[64 * BLOCK_WORDS];
    memset(sums, 0, (size_t)words * 64 * sizeof *sums);
    for (ptrdiff_t r = a->starts[u]; r < a->starts[u + 1]; ++r)
        if (follow_wire(a, a->readers[r], k, words, wires, fan_in))
            add_wire(wires, n, sums);
    clip_sums(sums, n, out);
}

BVAR_INLINE int64_t votes_on_units(const bvar_wire_votes_job *a, ptrdiff_t begin, ptrdiff_t end, int fan_in) {
    for (ptrdiff_t u = begin; u < end; ++u)
        for (ptrdiff_t s = 0; s < a->n_samples; s += 64 * BLOCK_WORDS)
            votes_on_unit(a, u, s / 64, at_most(64 * BLOCK_WORDS, a->n_samples - s), fan_in);
    return 0;
}

static int64_t wire_votes(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    const bvar_wire_votes_job *a = job;
    return a->fan_in == 2 ? votes_on_units(a, begin, end, 2) : votes_on_units(a, begin, end, a->fan_in);
}

/* -------------------------------------------------------------------------------------------- candidates */

/* What a gate would do with the other bit on a wire: it rises or falls from what it is now. */
static void turn_wire(wire *it, const uint64_t *bits, int words) {
    for (int w = 0; w < words; ++w) {
        const uint64_t up = it->up[w], both = (up ^ it->down[w]) & bits[w];
        it->up[w] ^= both;
        it->down[w] ^= both;
    }
}

#ifndef BVAR_OWN_TOTAL
/* The sum of the terms where a and b differ, in a form that compilers vectorise. */
BVAR_INLINE int32_t total_where(const int16_t *terms, const uint64_t *a, const uint64_t *b, int words) {
    static const uint16_t place[16] = {1u << 0, 1u << 1, 1u << 2,  1u << 3,  1u << 4,  1u << 5,  1u << 6,  1u << 7,
                                       1u << 8, 1u << 9, 1u << 10, 1u << 11, 1u << 12, 1u << 13, 1u << 14, 1u << 15};
    int32_t sum[16] = {0}, total = 0;
    for (int s = 0; s < 64 * words; s += 16) {
        const uint16_t differ = (uint16_t)((a[s / 64] ^ b[s / 64]) >> s % 64);
        int16_t term[16];
        for (int i = 0; i < 16; ++i)
            term[i] = (int16_t)(terms[s + i] & (int16_t) - ((differ & place[i]) == place[i]));
        for (int i = 0; i < 16; ++i)
            sum[i] += term[i];
    }
    for (int i = 0; i < 16; ++i)
        total += sum[i];
    return total;
}
#endif

/* Add the votes of the n samples from word k on all candidates of a wire. */
BVAR_INLINE void votes_of_block(const bvar_candidate_votes_job *a, ptrdiff_t number, ptrdiff_t k, ptrdiff_t n,
                                int fan_in) {
    const bvar_wire_votes_job gates = {a->z, a->x, a->wires, a->tables, NULL, NULL, NULL, a->n_samples, a->fan_in};
    const ptrdiff_t n_words = ceil_div(a->n_samples, 64);
    const uint64_t *x = a->x + k, *now = x + a->wires[number] * n_words;
    const int words = (int)ceil_div(n, 64);
    BVAR_ALIGNED int32_t sums[64 * BLOCK_WORDS];
    BVAR_ALIGNED int16_t terms[64 * BLOCK_WORDS];
    wire it;
    if (!follow_wire(&gates, number, k, words, &it, fan_in))
        return;
    turn_wire(&it, now, words);
    memset(sums, 0, (size_t)words * 64 * sizeof *sums);
    add_wire(&it, n, sums);
    clip_sums(sums, 64 * words, terms);
    for (ptrdiff_t j = number * a->n_candidates; j < (number + 1) * a->n_candidates; ++j)
        a->out[j] += total_where(terms, now, x + a->candidates[j] * n_words, words);
}

static int64_t candidate_votes(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    const bvar_candidate_votes_job *a = job;
    for (ptrdiff_t i = begin; i < end; ++i) {
        memset(a->out + i * a->n_candidates, 0, (size_t)a->n_candidates * sizeof *a->out);
        for (ptrdiff_t s = 0; s < a->n_samples; s += 64 * BLOCK_WORDS) {
            const ptrdiff_t n = at_most(64 * BLOCK_WORDS, a->n_samples - s);
            if (a->fan_in == 2) /* a constant, as everywhere */
                votes_of_block(a, i, s / 64, n, 2);
            else
                votes_of_block(a, i, s / 64, n, a->fan_in);
        }
    }
    return 0;
}

/* ------------------------------------------------------------------------------------------------- counts */

/* Two rows and a counter of their weight: the sum stays, the carry is returned. */
BVAR_INLINE plane add_two(plane *counter, plane a, plane b) {
    const plane carry = plane_carry(*counter, a, b);
    *counter = plane_sum(*counter, a, b);
    return carry;
}

/* Add one plane of weight 2^from. */
BVAR_INLINE void ripple(plane *counter, plane carry, int from, int n_planes) {
    for (int p = from; p < n_planes; ++p) {
        const plane next = plane_and(counter[p], carry);
        counter[p] = plane_xor(counter[p], carry);
        carry = next;
    }
}

/* Add eight rows, `stride` words apart, to a counter. */
BVAR_INLINE void count_eight(const uint64_t *x, ptrdiff_t stride, int n, plane *counter, int n_planes) {
    plane ones = counter[0], twos = counter[1], fours = counter[2];
    const plane a = add_two(&ones, plane_load(x, n), plane_load(x + stride, n));
    const plane b = add_two(&ones, plane_load(x + 2 * stride, n), plane_load(x + 3 * stride, n));
    const plane c = add_two(&twos, a, b);
    const plane d = add_two(&ones, plane_load(x + 4 * stride, n), plane_load(x + 5 * stride, n));
    const plane e = add_two(&ones, plane_load(x + 6 * stride, n), plane_load(x + 7 * stride, n));
    ripple(counter, add_two(&fours, c, add_two(&twos, d, e)), 3, n_planes);
    counter[0] = ones, counter[1] = twos, counter[2] = fours;
}

/* Count the ones of `rows` rows in `words` words of each: eight rows at a time, all words of them, as they lie in
 * memory.  Counters have at least three planes. */
static void count_planes(const uint64_t *x, ptrdiff_t rows, ptrdiff_t stride, int words,
                         plane (*counters)[MAX_COUNT_PLANES], int n_planes) {
    for (int w = 0; w < words; w += PLANE_WORDS)
        for (int p = 0; p < n_planes; ++p)
            counters[w / PLANE_WORDS][p] = plane_all(0);
    for (ptrdiff_t r = 0; r < rows; r += 8)
        for (int w = 0; w < words; w += PLANE_WORDS) {
            const uint64_t *at = x + r * stride + w;
            plane *counter = counters[w / PLANE_WORDS];
            const int n = (int)at_most(PLANE_WORDS, words - w);
            if (r + 8 <= rows && n == PLANE_WORDS)
                count_eight(at, stride, PLANE_WORDS, counter, n_planes);
            else if (r + 8 <= rows)
                count_eight(at, stride, n, counter, n_planes);
            else
                for (ptrdiff_t i = r; i < rows; ++i, at += stride)
                    ripple(counter, plane_load(at, n), 0, n_planes);
        }
}

#ifndef BVAR_OWN_COUNTERS
/* Counters of 32 samples, whose bits lie in planes, to numbers. */
BVAR_INLINE void read_counters(const uint64_t *bits, ptrdiff_t stride, int shift, int n_planes, int32_t *count) {
    for (int s = 0; s < 32; ++s)
        count[s] = 0;
    for (int p = 0; p < n_planes; ++p) {
        const uint32_t half = (uint32_t)(bits[p * stride] >> shift);
        for (int s = 0; s < 32; ++s)
            count[s] |= (int32_t)((half >> s & 1) << p);
    }
}
#endif

/* Counters of `words` words, from sample s of n on. */
static void store_counts(plane (*counters)[MAX_COUNT_PLANES], int words, int n_planes, ptrdiff_t n, int32_t *out) {
    uint64_t bits[MAX_COUNT_PLANES * PLANE_WORDS];
    int32_t count[32];
    for (int w = 0; w < words; ++w) {
        if (w % PLANE_WORDS == 0)
            for (int p = 0; p < n_planes; ++p)
                plane_store(bits + p * PLANE_WORDS, PLANE_WORDS, counters[w / PLANE_WORDS][p]);
        for (ptrdiff_t s = 64 * w; s < at_most(64 * (w + 1), n); s += 32) {
            read_counters(bits + w % PLANE_WORDS, PLANE_WORDS, (int)(s % 64), n_planes, count);
            memcpy(out + s, count, (size_t)at_most(32, n - s) * sizeof *count);
        }
    }
}

static int64_t count_groups(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    const bvar_groups_job *a = job;
    const ptrdiff_t n_words = ceil_div(a->n_samples, 64);
    plane counters[COUNT_WORDS / PLANE_WORDS][MAX_COUNT_PLANES];
    int n_planes = 3;
    while (n_planes < 31 && a->n_rows >> n_planes)
        ++n_planes;
    for (ptrdiff_t k = begin; k < end; k += COUNT_WORDS)
        for (ptrdiff_t c = 0; c < a->n_groups; ++c) {
            const int words = (int)at_most(COUNT_WORDS, end - k);
            count_planes(a->x + c * a->n_rows * n_words + k, a->n_rows, n_words, words, counters, n_planes);
            store_counts(counters, words, n_planes, a->n_samples - 64 * k, a->out + c * a->n_samples + 64 * k);
        }
    return 0;
}
