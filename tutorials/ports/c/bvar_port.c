/* A port of Boolean variation in C99, without libraries: a template, in the order of the levels.
 *
 *     cc -std=c99 -O2 -o bvar_port bvar_port.c -lm
 *
 * Everything but step sizes, a few doubles in each step, is an integer of at most 62 bits.
 */

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIGNAL_MAX = 127, GATE_SIGNAL_MAX = 32767, FULL_WEIGHT = 65536 };

/* ------------------------------------------------------------------------------------------- memory and errors
 * Everything that one request needs comes from one piece of memory, which is empty again for the next request. */

static jmp_buf on_error;
static const char *error_text;

static void fail(const char *text) {
    error_text = text;
    longjmp(on_error, 1);
}

static unsigned char *memory;
static size_t memory_used;
static const size_t memory_size = (size_t)1 << 28;

static void *take(size_t n_items, size_t item_size) {
    size_t start = (memory_used + 15) & ~(size_t)15, size = n_items * item_size;
    if (size > memory_size - start) fail("the request needs too much memory");
    memory_used = start + size;
    return memset(memory + start, 0, size);
}

/* -------------------------------------------------------------------------------------------------------- JSON
 * Strings of the protocol have no escapes, and its numbers are integers. */

typedef enum { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_LIST, JSON_OBJECT } Kind;

typedef struct Json {
    Kind kind;
    int64_t number;
    const char *text; /* of a string; not ended by zero */
    const char *name; /* of a member of an object */
    size_t name_length, length;
    struct Json *first, *next; /* members of lists and objects */
} Json;

static const char *cursor;

static void skip_space(void) {
    while (*cursor == ' ' || *cursor == '\n' || *cursor == '\r' || *cursor == '\t') cursor++;
}

static void read_string(const char **text, size_t *length) {
    const char *start = ++cursor;
    while (*cursor && *cursor != '"') {
        if (*cursor == '\\') fail("strings with escapes are not read");
        cursor++;
    }
    if (!*cursor) fail("a string does not end");
    *text = start;
    *length = (size_t)(cursor++ - start);
}

static Json *read_json(void);

static void read_members(Json *parent, char end) {
    Json **last = &parent->first;
    cursor++;
    for (skip_space(); *cursor != end; skip_space()) {
        const char *name = NULL;
        size_t length = 0;
        if (parent->length && *cursor++ != ',') fail("a comma is missing");
        skip_space();
        if (end == '}') {
            read_string(&name, &length);
            skip_space();
            if (*cursor++ != ':') fail("a colon is missing");
        }
        *last = read_json();
        (*last)->name = name;
        (*last)->name_length = length;
        last = &(*last)->next;
        parent->length++;
    }
    cursor++;
}

static Json *read_json(void) {
    Json *value = take(1, sizeof *value);
    skip_space();
    if (*cursor == '{' || *cursor == '[') {
        value->kind = *cursor == '{' ? JSON_OBJECT : JSON_LIST;
        read_members(value, *cursor == '{' ? '}' : ']');
    } else if (*cursor == '"') {
        value->kind = JSON_STRING;
        read_string(&value->text, &value->length);
    } else if (*cursor == '-' || (*cursor >= '0' && *cursor <= '9')) {
        char *end;
        value->kind = JSON_NUMBER;
        value->number = strtoll(cursor, &end, 10);
        cursor = end;
    } else if (!strncmp(cursor, "null", 4)) {
        cursor += 4;
    } else if (!strncmp(cursor, "true", 4)) {
        value->kind = JSON_TRUE;
        cursor += 4;
    } else if (!strncmp(cursor, "false", 5)) {
        value->kind = JSON_FALSE;
        cursor += 5;
    } else {
        fail("this is no JSON");
    }
    return value;
}

static const Json *find_if_there(const Json *object, const char *name) {
    for (const Json *m = object->first; m; m = m->next)
        if (m->name && m->name_length == strlen(name) && !memcmp(m->name, name, m->name_length)) return m;
    return NULL;
}

static const Json *find(const Json *object, const char *name) {
    const Json *found = find_if_there(object, name);
    if (!found) fail("an argument is missing");
    return found;
}

static int64_t find_int(const Json *object, const char *name) {
    return find(object, name)->number;
}

static int is_text(const Json *value, const char *text) {
    return value->length == strlen(text) && !memcmp(value->text, text, value->length);
}

/* Output: one line is put together and written at once. */
static char *line_out;
static size_t out_used, out_size;

static void put(const char *format, ...) {
    for (;;) {
        va_list arguments;
        va_start(arguments, format);
        int n = vsnprintf(line_out + out_used, out_size - out_used, format, arguments);
        va_end(arguments);
        if (out_used + (size_t)n < out_size) {
            out_used += (size_t)n;
            return;
        }
        out_size = 2 * out_size + (size_t)n;
        line_out = realloc(line_out, out_size);
        if (!line_out) abort();
    }
}

static void put_comma(size_t i) {
    if (i) put(",");
}

/* ---------------------------------------------------------------------------------------------- rows of numbers */

typedef struct {
    size_t rows, columns;
    int64_t *at;
} Matrix;

static Matrix new_matrix(size_t rows, size_t columns) {
    return (Matrix){rows, columns, take(rows * columns, sizeof(int64_t))};
}

static int64_t *row_of(Matrix m, size_t r) {
    return m.at + r * m.columns;
}

static Matrix read_ints(const Json *list) {
    Matrix m = new_matrix(1, list->length);
    size_t i = 0;
    for (const Json *v = list->first; v; v = v->next) m.at[i++] = v->number;
    return m;
}

static Matrix read_matrix(const Json *list) {
    Matrix m = new_matrix(list->length, list->first ? list->first->length : 0);
    size_t i = 0;
    for (const Json *row = list->first; row; row = row->next)
        for (const Json *v = row->first; v; v = v->next) m.at[i++] = v->number;
    return m;
}

static Matrix find_ints(const Json *a, const char *name) {
    return read_ints(find(a, name));
}

static Matrix find_matrix(const Json *a, const char *name) {
    return read_matrix(find(a, name));
}

static void put_ints(const int64_t *v, size_t n) {
    put("[");
    for (size_t i = 0; i < n; i++) {
        put_comma(i);
        put("%lld", (long long)v[i]);
    }
    put("]");
}

static void put_matrix(Matrix m) {
    put("[");
    for (size_t r = 0; r < m.rows; r++) {
        put_comma(r);
        put_ints(row_of(m, r), m.columns);
    }
    put("]");
}

static int64_t floor_divide(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

/* ------------------------------------------------------------------------------------------------- rows of bits
 * Bit i of a row is bit i % 64 of word i / 64; the second plane says which values are known.  Both are zero beyond
 * the row, always. */

typedef struct {
    size_t rows, bits, words;
    uint64_t *value, *known;
} Bits;

static Bits new_bits(size_t rows, size_t bits) {
    size_t words = (bits + 63) / 64;
    return (Bits){rows, bits, words, take(rows * words, 8), take(rows * words, 8)};
}

static uint64_t legal(size_t bits, size_t word) {
    size_t left = bits - 64 * word;
    return left >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << left) - 1;
}

static int get(const uint64_t *plane, size_t i) {
    return plane[i / 64] >> (i % 64) & 1;
}

static void set(uint64_t *plane, size_t i) {
    plane[i / 64] |= (uint64_t)1 << (i % 64);
}

static uint64_t *value_of(Bits b, size_t r) {
    return b.value + r * b.words;
}

static uint64_t *known_of(Bits b, size_t r) {
    return b.known + r * b.words;
}

static void all_known(Bits b) {
    for (size_t r = 0; r < b.rows; r++)
        for (size_t k = 0; k < b.words; k++) known_of(b, r)[k] = legal(b.bits, k);
}

static void read_row(Bits b, size_t r, const Json *text) {
    if (text->length != b.bits) fail("rows must have one length");
    for (size_t i = 0; i < b.bits; i++) {
        if (text->text[i] == '1') set(value_of(b, r), i);
        if (text->text[i] != 'u') set(known_of(b, r), i);
    }
}

static Bits read_bits(const Json *rows) {
    Bits b = new_bits(rows->length, rows->first ? rows->first->length : 0);
    size_t r = 0;
    for (const Json *row = rows->first; row; row = row->next) read_row(b, r++, row);
    return b;
}

static Bits find_bits(const Json *a, const char *name) {
    return read_bits(find(a, name));
}

static void put_bits(Bits b) {
    put("[");
    for (size_t r = 0; r < b.rows; r++) {
        put_comma(r);
        put("\"");
        for (size_t i = 0; i < b.bits; i++) put("%d", get(value_of(b, r), i));
        put("\"");
    }
    put("]");
}

static void put_plane(const uint64_t *plane, size_t rows, size_t words) {
    put("[");
    for (size_t r = 0; r < rows; r++) {
        put_comma(r);
        put("[");
        for (size_t k = 0; k < words; k++) {
            put_comma(k);
            put("\"%016llx\"", (unsigned long long)plane[r * words + k]);
        }
        put("]");
    }
    put("]");
}

/* Words from outside may have anything beyond the row. */
static Bits read_words(const Json *rows, size_t n_bits) {
    Bits b = new_bits(rows->length, n_bits);
    size_t r = 0;
    for (const Json *row = rows->first; row; row = row->next, r++) {
        size_t k = 0;
        for (const Json *word = row->first; word; word = word->next, k++)
            value_of(b, r)[k] = strtoull(word->text, NULL, 16) & legal(n_bits, k);
    }
    return b;
}

static int count(uint64_t x) {
    x -= x >> 1 & 0x5555555555555555u;
    x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (int)(x * 0x0101010101010101u >> 56);
}

/* ------------------------------------------------------------------------------------------------------- floats
 * They travel as their own bits. */

static double bits_to_double(const Json *text) {
    uint64_t bits = strtoull(text->text, NULL, 16);
    double x;
    memcpy(&x, &bits, 8);
    return x;
}

/* ------------------------------------------------------------------------------- level 0: logic and variation */

static int sign_of(char c) {
    return c == '1' ? 1 : c == '0' ? -1 : 0;
}

static int sign(int64_t x) {
    return (x > 0) - (x < 0);
}

static int gate_value(int gate, int a, int b) {
    if (!a || !b) return 0;
    return gate >> (3 - 2 * (a > 0) - (b > 0)) & 1 ? 1 : -1;
}

static void put_logic(int value) {
    put("%c", "0u1"[value + 1]);
}

static void connective(const Json *a) {
    const Json *left = find(a, "a"), *right = find(a, "b");
    int gate = (int)find_int(a, "gate");
    put("\"");
    for (size_t i = 0; i < left->length; i++)
        put_logic(gate_value(gate, sign_of(left->text[i]), sign_of(right->text[i])));
    put("\"");
}

static void project(const Json *a) {
    Matrix x = find_ints(a, "x");
    put("\"");
    for (size_t i = 0; i < x.columns; i++) put_logic(sign(x.at[i]));
    put("\"");
}

static void mixed(const Json *a) {
    const Json *logic = find(a, "a");
    Matrix x = find_ints(a, "x");
    int gate = (int)find_int(a, "gate");
    for (size_t i = 0; i < x.columns; i++)
        x.at[i] = gate_value(gate, sign_of(logic->text[i]), sign(x.at[i])) * (x.at[i] < 0 ? -x.at[i] : x.at[i]);
    put_ints(x.at, x.columns);
}

static void delta(const Json *a) {
    const Json *before = find(a, "a"), *after = find(a, "b");
    put("\"");
    for (size_t i = 0; i < before->length; i++) put_logic(after->text[i] - before->text[i]);
    put("\"");
}

static void variations(const Json *a) {
    const Json *table = find(a, "table");
    int64_t n = find_int(a, "n_inputs");
    put("[");
    for (int64_t i = 0; i < n; i++) {
        put_comma((size_t)i);
        put("\"");
        for (size_t point = 0; point < table->length; point++) {
            size_t bit = (size_t)1 << i;
            put_logic(table->text[point | bit] - table->text[point & ~bit]);
        }
        put("\"");
    }
    put("]");
}

/* -------------------------------------------------------------------------------------------- level 1: gates */

static void gate_table(const Json *a) {
    int gate = (int)find_int(a, "gate");
    put("\"%d%d%d%d\"", gate >> 3 & 1, gate >> 2 & 1, gate >> 1 & 1, gate & 1);
}

static int variation_in_weight(int gate, int x) {
    return (gate_value(gate, 1, x) - gate_value(gate, -1, x)) / 2;
}

static int variation_in_input(int gate, int w) {
    return (gate_value(gate, w, 1) - gate_value(gate, w, -1)) / 2;
}

static void gate_variations(const Json *a) {
    int gate = (int)find_int(a, "gate");
    put("[\"");
    put_logic(variation_in_weight(gate, -1));
    put_logic(variation_in_weight(gate, 1));
    put("\",\"");
    put_logic(variation_in_input(gate, -1));
    put_logic(variation_in_input(gate, 1));
    put("\"]");
}

/* The entry that gate g looks at; its first wire is the least significant bit. */
static size_t address(const uint64_t *x, Matrix wires, size_t g) {
    size_t at = 0;
    for (size_t i = 0; i < wires.columns; i++) at |= (size_t)get(x, (size_t)row_of(wires, g)[i]) << i;
    return at;
}

static Bits look_up(Bits x, Matrix wires, Bits tables) {
    Bits out = new_bits(x.rows, wires.rows);
    all_known(out);
    for (size_t b = 0; b < x.rows; b++)
        for (size_t g = 0; g < wires.rows; g++)
            if (get(value_of(tables, g), address(value_of(x, b), wires, g))) set(value_of(out, b), g);
    return out;
}

static void table_values(const Json *a) {
    put_bits(look_up(find_bits(a, "x"), find_matrix(a, "wires"), find_bits(a, "tables")));
}

/* --------------------------------------------------------------------------------------------- level 2: bits */

static void pack(const Json *a) {
    Bits b = find_bits(a, "rows");
    put("[");
    put_plane(b.value, b.rows, b.words);
    put(",");
    put_plane(b.known, b.rows, b.words);
    put("]");
}

static void unpack(const Json *a) {
    put_bits(read_words(find(a, "words"), (size_t)find_int(a, "n_bits")));
}

static void negate(const Json *a) {
    Bits b = read_words(find(a, "words"), (size_t)find_int(a, "n_bits"));
    for (size_t r = 0; r < b.rows; r++)
        for (size_t k = 0; k < b.words; k++) value_of(b, r)[k] ^= legal(b.bits, k);
    put_plane(b.value, b.rows, b.words);
}

static void transpose(const Json *a) {
    Bits b = find_bits(a, "rows"), out = new_bits((size_t)find_int(a, "n_bits"), b.rows);
    for (size_t r = 0; r < b.rows; r++)
        for (size_t i = 0; i < b.bits; i++)
            if (get(value_of(b, r), i)) set(value_of(out, i), r);
    put_bits(out);
}

static void count_rows(const Json *a) {
    Bits b = find_bits(a, "rows");
    Matrix counts = new_matrix(1, b.rows);
    for (size_t r = 0; r < b.rows; r++)
        for (size_t k = 0; k < b.words; k++) counts.at[r] += count(value_of(b, r)[k]);
    put_ints(counts.at, b.rows);
}

/* ---------------------------------------------------------------------------------- level 3: sums and tables */

static uint64_t apply_gate(int gate, uint64_t w, uint64_t x) {
    return (gate & 8 ? ~w & ~x : 0) | (gate & 4 ? ~w & x : 0) | (gate & 2 ? w & ~x : 0) | (gate & 1 ? w & x : 0);
}

/* T counts +1 and F counts -1: twice the T among the known, less their number. */
static Matrix sums_of(int gate, Bits x, Bits w) {
    Matrix s = new_matrix(x.rows, w.rows);
    if (x.rows && x.bits != w.bits) fail("x and w must have rows of one length");
    for (size_t b = 0; b < x.rows; b++)
        for (size_t j = 0; j < w.rows; j++)
            for (size_t k = 0; k < w.words; k++) {
                uint64_t known = known_of(x, b)[k];
                uint64_t true_ones = apply_gate(gate, value_of(w, j)[k], value_of(x, b)[k]) & known;
                row_of(s, b)[j] += 2 * count(true_ones) - count(known);
            }
    return s;
}

static void gate_sum(const Json *a) {
    put_matrix(sums_of((int)find_int(a, "gate"), find_bits(a, "x"), find_bits(a, "w")));
}

static Bits compare(Matrix s, Matrix tau) { /* a tie is T */
    Bits out = new_bits(s.rows, s.columns);
    all_known(out);
    for (size_t b = 0; b < s.rows; b++)
        for (size_t j = 0; j < s.columns; j++)
            if (row_of(s, b)[j] >= tau.at[j]) set(value_of(out, b), j);
    return out;
}

static void gate_bits(const Json *a) {
    Matrix s = sums_of((int)find_int(a, "gate"), find_bits(a, "x"), find_bits(a, "w"));
    put_bits(compare(s, find_ints(a, "tau")));
}

typedef struct {
    int64_t height, width, channels;
    int64_t taps[2], stride[2], padding[2], gap[2], places[2];
} Window;

static Window read_window(const Json *a) {
    Matrix shape = find_ints(a, "image_shape");
    Window w = {.height = shape.at[0], .width = shape.at[1], .channels = shape.at[2]};
    for (int axis = 0; axis < 2; axis++) {
        w.taps[axis] = find_ints(a, "size").at[axis];
        w.stride[axis] = find_ints(a, "stride").at[axis];
        w.padding[axis] = find_ints(a, "padding").at[axis];
        w.gap[axis] = find_ints(a, "dilation").at[axis];
        w.places[axis] =
            (shape.at[axis] + 2 * w.padding[axis] - (w.taps[axis] - 1) * w.gap[axis] - 1) / w.stride[axis] + 1;
    }
    return w;
}

static size_t n_places(Window w) {
    return (size_t)(w.places[0] * w.places[1]);
}

static size_t n_taps(Window w) {
    return (size_t)(w.taps[0] * w.taps[1]);
}

static size_t patch_size(Window w) {
    return n_taps(w) * (size_t)w.channels;
}

/* The first value of the pixel that a tap sees at a place, or -1 outside of the image. */
static int64_t pixel(Window w, size_t place, size_t tap) {
    int64_t i = (int64_t)place / w.places[1], j = (int64_t)place % w.places[1];
    int64_t y = i * w.stride[0] - w.padding[0] + (int64_t)tap / w.taps[1] * w.gap[0];
    int64_t x = j * w.stride[1] - w.padding[1] + (int64_t)tap % w.taps[1] * w.gap[1];
    return y < 0 || y >= w.height || x < 0 || x >= w.width ? -1 : (y * w.width + x) * w.channels;
}

/* What each place of each image sees, one row each: missing outside, or F if that is the padding. */
static Bits patches_of(Bits images, Window w, int64_t padding_value) {
    Bits out = new_bits(images.rows * n_places(w), patch_size(w));
    for (size_t r = 0; r < out.rows; r++)
        for (size_t tap = 0; tap < n_taps(w); tap++) {
            int64_t start = pixel(w, r % n_places(w), tap);
            const uint64_t *value = value_of(images, r / n_places(w)), *known = known_of(images, r / n_places(w));
            for (size_t c = 0; c < (size_t)w.channels; c++) {
                size_t i = tap * (size_t)w.channels + c, from = (size_t)start + c;
                if (start >= 0 && get(value, from)) set(value_of(out, r), i);
                if (start >= 0 ? get(known, from) : padding_value == -1) set(known_of(out, r), i);
            }
        }
    return out;
}

/* Rows by place and rows by image are the same numbers in the same order. */
static Matrix with_rows(Matrix m, size_t rows, size_t columns) {
    return (Matrix){rows, columns, m.at};
}

static void conv_sum(const Json *a) {
    Window w = read_window(find(a, "window"));
    Bits images = find_bits(a, "images"), weights = find_bits(a, "weights");
    Matrix s = sums_of((int)find_int(a, "gate"), patches_of(images, w, find_int(a, "padding_value")), weights);
    put_matrix(with_rows(s, images.rows, n_places(w) * weights.rows));
}

typedef struct {
    size_t height, width, channels, side;
} Pool;

static Pool read_pool(const Json *a) {
    Matrix shape = find_ints(a, "image_shape");
    return (Pool){(size_t)shape.at[0], (size_t)shape.at[1], (size_t)shape.at[2], (size_t)find_int(a, "size")};
}

static size_t n_pooled(Pool p) {
    return p.height / p.side * (p.width / p.side) * p.channels;
}

/* Value `tap` of square number i. */
static size_t in_square(Pool p, size_t i, size_t tap) {
    size_t across = p.width / p.side, c = i % p.channels, square = i / p.channels;
    size_t y = square / across * p.side + tap / p.side, x = square % across * p.side + tap % p.side;
    return (y * p.width + x) * p.channels + c;
}

static Matrix pool(Matrix sums, Pool p, Matrix winner) {
    Matrix best = new_matrix(sums.rows, n_pooled(p));
    for (size_t b = 0; b < sums.rows; b++)
        for (size_t i = 0; i < best.columns; i++) {
            size_t won = 0;
            for (size_t tap = 1; tap < p.side * p.side; tap++) /* of equals the first wins */
                if (row_of(sums, b)[in_square(p, i, tap)] > row_of(sums, b)[in_square(p, i, won)]) won = tap;
            row_of(best, b)[i] = row_of(sums, b)[in_square(p, i, won)];
            row_of(winner, b)[i] = (int64_t)won;
        }
    return best;
}

static void max_pool(const Json *a) {
    Matrix sums = find_matrix(a, "sums");
    Pool p = read_pool(a);
    Matrix winner = new_matrix(sums.rows, n_pooled(p)), best = pool(sums, p, winner);
    put("{\"best\":");
    put_matrix(best);
    put(",\"winner\":");
    put_matrix(winner);
    put("}");
}

/* Trees of gates over a window: wires and tables of each level, from the leaves to the root. */
typedef struct {
    Window window;
    size_t n_levels, n_filters;
    Matrix *wires;
    Bits *tables;
} Trees;

/* Gates above the leaves read those below in turn. */
static Matrix in_turn(size_t n_gates, size_t fan_in) {
    Matrix wires = new_matrix(n_gates, fan_in);
    for (size_t i = 0; i < n_gates * fan_in; i++) wires.at[i] = (int64_t)i;
    return wires;
}

static Trees read_trees(const Json *a) {
    const Json *tables = find(a, "tables");
    size_t n = tables->length, level = 0;
    Trees t = {read_window(find(a, "window")), n, 0, take(n, sizeof(Matrix)), take(n, sizeof(Bits))};
    Matrix leaves = find_matrix(a, "wires");
    for (const Json *rows = tables->first; rows; rows = rows->next, level++) {
        t.tables[level] = read_bits(rows);
        t.n_filters = rows->length;
        t.wires[level] = level ? in_turn(rows->length, leaves.columns) : leaves;
    }
    return t;
}

/* What each level reads, at each place of each image, and at last what the roots answer; outside is F. */
static Bits *climb_trees(Trees t, Bits images) {
    Bits *rows = take(t.n_levels + 1, sizeof *rows);
    rows[0] = patches_of(images, t.window, -1);
    for (size_t level = 0; level < t.n_levels; level++)
        rows[level + 1] = look_up(rows[level], t.wires[level], t.tables[level]);
    return rows;
}

/* The answers of all places of an image as one row. */
static Bits side_by_side(Bits answers, size_t n_images, size_t places) {
    Bits out = new_bits(n_images, places * answers.bits);
    all_known(out);
    for (size_t r = 0; r < answers.rows; r++)
        for (size_t i = 0; i < answers.bits; i++)
            if (get(value_of(answers, r), i)) set(value_of(out, r / places), r % places * answers.bits + i);
    return out;
}

static void tree_values(const Json *a) {
    Trees t = read_trees(a);
    Bits images = find_bits(a, "images");
    put_bits(side_by_side(climb_trees(t, images)[t.n_levels], images.rows, n_places(t.window)));
}

static size_t n_true(const uint64_t *x, Pool p, size_t i) {
    size_t n = 0;
    for (size_t tap = 0; tap < p.side * p.side; tap++) n += (size_t)get(x, in_square(p, i, tap));
    return n;
}

static Bits any_of(Bits x, Pool p) {
    Bits out = new_bits(x.rows, n_pooled(p));
    all_known(out);
    for (size_t b = 0; b < x.rows; b++)
        for (size_t i = 0; i < out.bits; i++)
            if (n_true(value_of(x, b), p, i)) set(value_of(out, b), i);
    return out;
}

static void or_pool(const Json *a) {
    put_bits(any_of(find_bits(a, "x"), read_pool(a)));
}

static Matrix group_scores(Bits x, size_t n_groups) {
    Matrix s = new_matrix(x.rows, n_groups);
    for (size_t b = 0; b < x.rows; b++)
        for (size_t i = 0; i < x.bits; i++) row_of(s, b)[i / (x.bits / n_groups)] += get(value_of(x, b), i) ? 1 : -1;
    return s;
}

static void group_sum(const Json *a) {
    put_matrix(group_scores(find_bits(a, "x"), (size_t)find_int(a, "n_groups")));
}

/* Halves away from zero, kept within +-127. */
static int64_t round_away(int64_t numerator, int64_t denominator) {
    int64_t size = numerator < 0 ? -numerator : numerator;
    size = (2 * size + denominator) / (2 * denominator);
    if (size > SIGNAL_MAX) size = SIGNAL_MAX;
    return numerator < 0 ? -size : size;
}

static int64_t entry(Matrix table, int64_t distance) {
    return table.at[distance < (int64_t)table.columns ? distance : (int64_t)table.columns - 1];
}

static Matrix weighted(Matrix g, Matrix s, Matrix tau, Matrix table, int64_t shift) {
    Matrix z = new_matrix(g.rows, g.columns);
    for (size_t b = 0; b < g.rows; b++)
        for (size_t j = 0; j < g.columns; j++) {
            int64_t distance = row_of(s, b)[j] - tau.at[j];
            int64_t product = row_of(g, b)[j] * entry(table, distance < 0 ? -distance : distance);
            row_of(z, b)[j] = round_away(product, (int64_t)1 << shift);
        }
    return z;
}

static void rescale(const Json *a) {
    Matrix g = find_matrix(a, "g"), s = find_matrix(a, "s");
    put_matrix(weighted(g, s, find_ints(a, "tau"), find_ints(a, "table"), find_int(a, "shift")));
}

/* The tables need some twenty bits beyond the point, so long double is plenty; they are rounded once, halves to even. */
static void loss_table(const Json *a) {
    long double scale = (long double)bits_to_double(find(a, "temperature")) * sqrtl((long double)find_int(a, "fan_in"));
    long long value;
    size_t d = 0;
    put("[");
    do {
        value = llrintl(1048576.0L * expl(-(long double)d / scale));
        put_comma(d++);
        put("%lld", value);
    } while (value);
    put("]");
}

static void threshold_table(const Json *a) {
    int gate = (int)find_int(a, "gate"), next = (int)find_int(a, "next_gate");
    long double mean = (2 * count((uint64_t)gate) - 4) / 4.0L;
    long double share = (abs(variation_in_input(next, -1)) + abs(variation_in_input(next, 1))) / 2.0L;
    long double pi = 3.14159265358979323846264338327950288L;
    long double alpha = pi / (2 * sqrtl(3 * (long double)find_int(a, "fan_in") * (1 - mean * mean)));
    long double scale = sqrtl(2 / ((long double)find_int(a, "fan_out") * share));
    long long value;
    size_t d = 0;
    put("[");
    do {
        long double step = expl(-2 * alpha * (long double)d);
        value = llrintl(1048576.0L * scale * 4 * step / ((1 + step) * (1 + step)));
        put_comma(d++);
        put("%lld", value);
    } while (value);
    put("]");
}

static Matrix loss_signals(Matrix scores, Matrix y, Matrix table) {
    Matrix z = new_matrix(scores.rows, scores.columns);
    for (size_t b = 0; b < scores.rows; b++) {
        int64_t *s = row_of(scores, b), best = s[0], total = 0;
        for (size_t j = 1; j < scores.columns; j++) best = s[j] > best ? s[j] : best;
        for (size_t j = 0; j < scores.columns; j++) total += entry(table, best - s[j]);
        for (size_t j = 0; j < scores.columns; j++) {
            int64_t share = (2 * SIGNAL_MAX * entry(table, best - s[j]) + total) / (2 * total);
            row_of(z, b)[j] = share - (y.at[b] == (int64_t)j ? SIGNAL_MAX : 0);
        }
    }
    return z;
}

static void cross_entropy(const Json *a) {
    put_matrix(loss_signals(find_matrix(a, "scores"), find_ints(a, "y"), find_ints(a, "table")));
}

static void squared_error(const Json *a) {
    Matrix s = find_matrix(a, "scores"), y = find_matrix(a, "y");
    for (size_t i = 0; i < s.rows * s.columns; i++)
        s.at[i] = round_away(SIGNAL_MAX * (s.at[i] - y.at[i]), find_int(a, "scale"));
    put_matrix(s);
}

/* -------------------------------------------------------------------------------------------- level 4: votes */

static int value_at(Bits b, size_t r, size_t i) {
    return get(known_of(b, r), i) ? 2 * get(value_of(b, r), i) - 1 : 0;
}

static Matrix votes_on_weights(int gate, Matrix z, Bits x, size_t n_outputs, size_t n_inputs) {
    Matrix q = new_matrix(n_outputs, n_inputs);
    for (size_t b = 0; b < z.rows; b++)
        for (size_t i = 0; i < n_inputs; i++) {
            int change = variation_in_weight(gate, value_at(x, b, i));
            if (change)
                for (size_t j = 0; j < n_outputs; j++) row_of(q, j)[i] += change * row_of(z, b)[j];
        }
    return q;
}

static void weight_votes(const Json *a) {
    size_t n_outputs = (size_t)find_int(a, "n_outputs"), n_inputs = (size_t)find_int(a, "n_inputs");
    Matrix z = find_matrix(a, "z");
    put_matrix(votes_on_weights((int)find_int(a, "gate"), z, find_bits(a, "x"), n_outputs, n_inputs));
}

static Matrix votes_on_inputs(int gate, Matrix z, Bits w) {
    Matrix g = new_matrix(z.rows, w.bits);
    for (size_t j = 0; j < w.rows; j++)
        for (size_t i = 0; i < w.bits; i++) {
            int change = variation_in_input(gate, value_at(w, j, i));
            if (change)
                for (size_t b = 0; b < z.rows; b++) row_of(g, b)[i] += change * row_of(z, b)[j];
        }
    return g;
}

static void input_votes(const Json *a) {
    put_matrix(votes_on_inputs((int)find_int(a, "gate"), find_matrix(a, "z"), find_bits(a, "w")));
}

/* Both roundings with halves up, the mean in steps of 1 / 2**15. */
static void center(Matrix q, const int64_t *signals, const int64_t *inputs, int64_t n) {
    for (size_t i = 0; i < q.columns; i++) {
        int64_t mean = floor_divide(inputs[i] * 65536 + n, 2 * n);
        for (size_t j = 0; j < q.rows; j++) row_of(q, j)[i] -= floor_divide(signals[j] * mean + 16384, 32768);
    }
}

static void center_votes(const Json *a) {
    Matrix q = find_matrix(a, "q");
    center(q, find_ints(a, "signal_sums").at, find_ints(a, "input_sums").at, find_int(a, "n_samples"));
    put_matrix(q);
}

static void conv_weight_votes(const Json *a) {
    Window w = read_window(find(a, "window"));
    size_t n_filters = (size_t)find_int(a, "n_filters");
    Matrix z = find_matrix(a, "z");
    Bits patches = patches_of(find_bits(a, "images"), w, find_int(a, "padding_value"));
    z = with_rows(z, z.rows * n_places(w), n_filters);
    put_matrix(votes_on_weights((int)find_int(a, "gate"), z, patches, n_filters, patch_size(w)));
}

/* Votes on what each place sees go to the pixels that it is. */
static Matrix add_to_pixels(Matrix patches, Window w) {
    Matrix images = new_matrix(patches.rows / n_places(w), (size_t)(w.height * w.width * w.channels));
    for (size_t r = 0; r < patches.rows; r++)
        for (size_t tap = 0; tap < n_taps(w); tap++) {
            int64_t start = pixel(w, r % n_places(w), tap);
            for (int64_t c = 0; start >= 0 && c < w.channels; c++)
                row_of(images, r / n_places(w))[start + c] += row_of(patches, r)[(int64_t)tap * w.channels + c];
        }
    return images;
}

static Matrix votes_on_pixels(int gate, Matrix z, Bits weights, Window w) {
    Matrix by_place = with_rows(z, z.rows * n_places(w), weights.rows);
    return add_to_pixels(votes_on_inputs(gate, by_place, weights), w);
}

static void pixel_votes(const Json *a) {
    Matrix z = find_matrix(a, "z");
    Bits weights = find_bits(a, "weights");
    put_matrix(votes_on_pixels((int)find_int(a, "gate"), z, weights, read_window(find(a, "window"))));
}

static Matrix unpool(Matrix z, Matrix winner, Pool p) {
    Matrix out = new_matrix(z.rows, p.height * p.width * p.channels);
    for (size_t b = 0; b < z.rows; b++)
        for (size_t i = 0; i < z.columns; i++)
            row_of(out, b)[in_square(p, i, (size_t)row_of(winner, b)[i])] = row_of(z, b)[i];
    return out;
}

static void pool_back(const Json *a) {
    put_matrix(unpool(find_matrix(a, "z"), find_matrix(a, "winner"), read_pool(a)));
}

static Matrix votes_on_tables(Matrix z, Bits x, Matrix wires) {
    Matrix q = new_matrix(wires.rows, (size_t)1 << wires.columns);
    for (size_t b = 0; b < z.rows; b++)
        for (size_t g = 0; g < wires.rows; g++)
            row_of(q, g)[address(value_of(x, b), wires, g)] += row_of(z, b)[g];
    return q;
}

static void table_votes(const Json *a) {
    Matrix z = find_matrix(a, "z");
    put_matrix(votes_on_tables(z, find_bits(a, "x"), find_matrix(a, "wires")));
}

static void cut(Matrix votes) {
    for (size_t i = 0; i < votes.rows * votes.columns; i++) {
        if (votes.at[i] > GATE_SIGNAL_MAX) votes.at[i] = GATE_SIGNAL_MAX;
        if (votes.at[i] < -GATE_SIGNAL_MAX) votes.at[i] = -GATE_SIGNAL_MAX;
    }
}

static Matrix votes_on_units(Matrix z, Bits x, Matrix wires, Bits tables) {
    Matrix v = new_matrix(x.rows, x.bits);
    for (size_t b = 0; b < x.rows; b++) {
        for (size_t g = 0; g < wires.rows; g++) {
            size_t at = address(value_of(x, b), wires, g);
            const uint64_t *table = value_of(tables, g);
            for (size_t i = 0; i < wires.columns; i++) {
                size_t bit = (size_t)1 << i;
                row_of(v, b)[row_of(wires, g)[i]] += row_of(z, b)[g] * (get(table, at | bit) - get(table, at & ~bit));
            }
        }
    }
    cut(v); /* now that the sums are complete */
    return v;
}

static void wire_votes(const Json *a) {
    Matrix z = find_matrix(a, "z");
    put_matrix(votes_on_units(z, find_bits(a, "x"), find_matrix(a, "wires"), find_bits(a, "tables")));
}

/* What wires may read, as one row for each wire, gate by gate. */
static Matrix read_candidates(const Json *gates) {
    if (!gates->first) return new_matrix(0, 0);
    size_t fan_in = gates->first->length, r = 0;
    Matrix units = new_matrix(gates->length * fan_in, gates->first->first->length);
    for (const Json *gate = gates->first; gate; gate = gate->next) {
        memcpy(row_of(units, r), read_matrix(gate).at, fan_in * units.columns * sizeof *units.at);
        r += fan_in;
    }
    return units;
}

/* What the answers would change by if one wire alone read another unit. */
static Matrix votes_on_candidates(Matrix z, Bits x, Matrix wires, Bits tables, Matrix units) {
    Matrix q = new_matrix(units.rows, units.columns);
    for (size_t b = 0; b < z.rows; b++)
        for (size_t r = 0; r < units.rows; r++) {
            size_t g = r / wires.columns, bit = (size_t)1 << r % wires.columns;
            size_t at = address(value_of(x, b), wires, g);
            const uint64_t *table = value_of(tables, g);
            for (size_t j = 0; j < units.columns; j++) {
                int is_true = get(value_of(x, b), (size_t)row_of(units, r)[j]);
                int then = get(table, is_true ? at | bit : at & ~bit);
                row_of(q, r)[j] += row_of(z, b)[g] * (then - get(table, at));
            }
        }
    return q;
}

static void candidate_votes(const Json *a) {
    Matrix z = find_matrix(a, "z"), wires = find_matrix(a, "wires"), units = read_candidates(find(a, "candidates"));
    put_matrix(votes_on_candidates(z, find_bits(a, "x"), wires, find_bits(a, "tables"), units));
}

/* What each sample would gain by an entry, over the square of its looks, in units of 1/64, halves up. */
static Matrix votes_by_looks(Matrix z, Bits x, Matrix wires, size_t places) {
    Matrix votes = new_matrix(wires.rows, (size_t)1 << wires.columns), one = new_matrix(places, wires.rows);
    for (size_t i = 0; i < places * wires.rows; i++) one.at[i] = 1;
    for (size_t r = 0; r < z.rows; r += places) {
        Matrix signals = {places, z.columns, row_of(z, r)};
        Bits seen = {places, x.bits, x.words, value_of(x, r), known_of(x, r)};
        Matrix gains = votes_on_tables(signals, seen, wires), looks = votes_on_tables(one, seen, wires);
        for (size_t i = 0; i < votes.rows * votes.columns; i++) {
            int64_t square = looks.at[i] * looks.at[i];
            if (square) votes.at[i] += floor_divide(128 * gains.at[i] + square, 2 * square);
        }
    }
    return votes;
}

/* Votes on the tables of each level; those on what each place sees, cut, come back: each gate of a tree is read once. */
static Matrix descend_trees(Trees t, const Bits *rows, Matrix z, Matrix *votes) {
    z = with_rows(z, rows[0].rows, t.n_filters);
    for (size_t level = t.n_levels; level-- > 0;) {
        votes[level] = votes_by_looks(z, rows[level], t.wires[level], n_places(t.window));
        z = votes_on_units(z, rows[level], t.wires[level], t.tables[level]);
    }
    return z;
}

/* Sums over the windows that see a pixel, cut as well. */
static Matrix from_windows(Matrix patches, Window w) {
    Matrix images = add_to_pixels(patches, w);
    cut(images);
    return images;
}

static void tree_table_votes(const Json *a) {
    Trees t = read_trees(a);
    Matrix *votes = take(t.n_levels, sizeof *votes);
    descend_trees(t, climb_trees(t, find_bits(a, "images")), find_matrix(a, "z"), votes);
    put("[");
    for (size_t level = 0; level < t.n_levels; level++) {
        put_comma(level);
        put_matrix(votes[level]);
    }
    put("]");
}

static void tree_pixel_votes(const Json *a) {
    Trees t = read_trees(a);
    Matrix *votes = take(t.n_levels, sizeof *votes);
    const Bits *rows = climb_trees(t, find_bits(a, "images"));
    put_matrix(from_windows(descend_trees(t, rows, find_matrix(a, "z"), votes), t.window));
}

/* A signal goes to the pixels of its square all of whose others are F. */
static Matrix to_the_only(Matrix z, Bits x, Pool p) {
    Matrix out = new_matrix(z.rows, p.height * p.width * p.channels);
    for (size_t b = 0; b < z.rows; b++)
        for (size_t i = 0; i < z.columns; i++)
            for (size_t tap = 0; tap < p.side * p.side; tap++) {
                size_t at = in_square(p, i, tap);
                if (n_true(value_of(x, b), p, i) == (size_t)get(value_of(x, b), at)) row_of(out, b)[at] = row_of(z, b)[i];
            }
    return out;
}

static void or_pool_back(const Json *a) {
    Matrix z = find_matrix(a, "z");
    put_matrix(to_the_only(z, find_bits(a, "x"), read_pool(a)));
}

/* round(g * k / 2**20), halves away from zero, k = round(2**20 * sqrt(2 / fan_out)); the root is exact below 2**52. */
static Matrix scaled(Matrix g, int64_t fan_out) {
    Matrix z = new_matrix(g.rows, g.columns);
    int64_t k = ((int64_t)sqrt((double)(((int64_t)1 << 43) / fan_out)) + 1) / 2;
    for (size_t i = 0; i < g.rows * g.columns; i++) {
        int64_t size = ((g.at[i] < 0 ? -g.at[i] : g.at[i]) * k + (1 << 19)) >> 20;
        if (size > GATE_SIGNAL_MAX) size = GATE_SIGNAL_MAX;
        z.at[i] = g.at[i] < 0 ? -size : size;
    }
    return z;
}

static void scale_signals(const Json *a) {
    put_matrix(scaled(find_matrix(a, "g"), find_int(a, "fan_out")));
}

/* ------------------------------------------------------------------------------------ level 5: the optimizer */

static int64_t norm(const int64_t *q, size_t n) {
    int64_t total = 0;
    for (size_t i = 0; i < n; i++) total += q[i] < 0 ? -q[i] : q[i];
    return total;
}

static void vote_norms(const Json *a) {
    Matrix q = find_matrix(a, "q"), norms = new_matrix(1, q.rows);
    for (size_t r = 0; r < q.rows; r++) norms.at[r] = norm(row_of(q, r), q.columns);
    put_ints(norms.at, q.rows);
}

enum { BAR = 4096 }; /* evidence that flips a weight, in the units of accumulators */

static int64_t within(int64_t x, int64_t most) {
    return x > most ? most : x < -most ? -most : x;
}

/* x / 2^n, rounded down: what >> does with negative numbers is the compiler's business. */
static int64_t shifted(int64_t x, int n) {
    return x < 0 ? ~(~x >> n) : x >> n;
}

/* Units of 2^-40 of the bar, up to eight bars; nearbyint rounds halves to even. */
static int64_t units_of(double eta) {
    const int64_t units = (int64_t)nearbyint((eta < 8 ? eta : 8) * 0x1p40), most = ((int64_t)1 << 43) - 1;
    return units < most ? units : most;
}

static int64_t rate(const int64_t *q, size_t n, double eta, double clip) {
    const int64_t loud = norm(q, n), units = units_of(eta);
    const double bound = 0x1p40 * (clip * sqrt((double)n));
    if (isinf(clip)) return units;
    const int64_t share = (int64_t)(bound < 0x1p62 ? bound : 0x1p62) / (loud > 1 ? loud : 1);
    return share < units ? share : units;
}

static void clipped_eta(const Json *a) {
    Matrix q = find_matrix(a, "q"), rates = new_matrix(1, q.rows);
    double eta = bits_to_double(find(a, "eta")), clip = bits_to_double(find(a, "clip"));
    for (size_t r = 0; r < q.rows; r++) rates.at[r] = rate(row_of(q, r), q.columns, eta, clip);
    put_ints(rates.at, q.rows);
}

/* One row, whose first weight has this rest. */
static int64_t flip_row(uint64_t *bits, int64_t *m, const int64_t *q, size_t n, int64_t beta, int64_t eta, int64_t rest) {
    int64_t flips = 0;
    if (eta >= 1 << 25) eta -= eta % (1 << 13);
    const int64_t most = (((int64_t)1 << 43) - 1) / (eta > 1 ? eta : 1);
    for (size_t i = 0; i < n; i++) {
        const int64_t total = (beta * m[i] + rest) * (1 << 13) + eta * within(q[i], most);
        m[i] = within(shifted(total, 28), 32767);
        rest = (rest + 27893) % (1 << 15);
        if ((get(bits, i) ? m[i] : -m[i]) >= BAR) {
            bits[i / 64] ^= (uint64_t)1 << (i % 64);
            m[i] = 0;
            flips++;
        }
    }
    return flips;
}

/* The rest of the first weight of row r. */
static int64_t rest_of(int64_t dither, size_t r, size_t n) {
    return (int64_t)(((uint64_t)dither + 27893 * (uint64_t)(r * n)) % (1 << 15));
}

static void flip(const Json *a) {
    Bits w = find_bits(a, "w");
    Matrix m = find_matrix(a, "m"), q = find_matrix(a, "q"), eta = find_ints(a, "eta");
    int64_t flips = 0, beta = find_int(a, "beta"), dither = find_int(a, "dither");
    for (size_t r = 0; r < w.rows; r++)
        flips += flip_row(value_of(w, r), row_of(m, r), row_of(q, r), w.bits, beta, eta.at[r],
                          rest_of(dither, r, w.bits));
    put("{\"w\":");
    put_bits(w);
    put(",\"m\":");
    put_matrix(m);
    put(",\"flips\":%lld}", (long long)flips);
}

/* A tensor of weights, and what the optimizer remembers of it. */
typedef struct {
    Bits bits;
    Matrix m;
    int64_t beta, age;
    double unit; /* what votes are divided by: the root of the number of places, of trees 64 times the damping */
    int is_clipped;
} Parameter;

static Parameter new_parameter(Bits bits, size_t n_places) {
    return (Parameter){bits, new_matrix(bits.rows, bits.bits), 1 << 15, 0, sqrt((double)n_places), 1};
}

static int64_t step(Parameter *p, Matrix q, double eta, double clip, double n_samples) {
    double share = eta / (SIGNAL_MAX * n_samples) / p->unit;
    size_t n = p->bits.bits;
    int64_t flips = 0, n_weights = (int64_t)(p->bits.rows * n), dither = 20251 * p->age % (1 << 15);
    for (size_t r = 0; r < p->bits.rows; r++) {
        int64_t eta_of_row = rate(row_of(q, r), n, share, p->is_clipped ? clip : INFINITY);
        flips += flip_row(value_of(p->bits, r), row_of(p->m, r), row_of(q, r), n, p->beta, eta_of_row,
                          rest_of(dither, r, n));
    }
    p->beta = ((n_weights - flips) * (1 << 15) + n_weights / 2) / n_weights;
    p->age++;
    return flips;
}

static void optimize(const Json *a) {
    Parameter p = new_parameter(find_bits(a, "w"), 1);
    Matrix n_samples = find_ints(a, "n_samples");
    Matrix flips = new_matrix(1, n_samples.columns), beta = new_matrix(1, n_samples.columns);
    double clip = bits_to_double(find(a, "clip"));
    const Json *votes = find(a, "votes")->first, *eta = find(a, "eta")->first;
    for (size_t t = 0; votes; votes = votes->next, eta = eta->next, t++) {
        Matrix q = read_matrix(votes);
        if (n_samples.at[t]) flips.at[t] = step(&p, q, bits_to_double(eta), clip, (double)n_samples.at[t]);
        beta.at[t] = p.beta;
    }
    put("{\"w\":");
    put_bits(p.bits);
    put(",\"m\":");
    put_matrix(p.m);
    put(",\"flips\":");
    put_ints(flips.at, flips.columns);
    put(",\"beta\":");
    put_ints(beta.at, beta.columns);
    put("}");
}

/* Integers that are added to sums, and the parts of a step that wait. */
typedef struct {
    Matrix values, m;
    int64_t reach, n_terms;
} Offset;

static Offset new_offset(Matrix values, double rate, int64_t n_terms) {
    const double reach = 0x1p20 * (rate * sqrt((double)n_terms));
    return (Offset){values, new_matrix(1, values.columns), (int64_t)reach, n_terms};
}

/* Whole steps are taken at once, and the rest waits, in units of 2^-24. */
static int64_t move(Offset *offset, const int64_t *q, double eta) {
    const int64_t one = (int64_t)1 << 24, full = (int64_t)1 << 40, size = within(units_of(eta), full);
    const int64_t most = full / (size > 1 ? size : 1) + 1;
    int64_t moved = 0;
    for (size_t i = 0; i < offset->values.columns; i++) {
        const int64_t u = shifted(within(size * within(q[i], most), full) + (1 << 15), 16);
        const int64_t left = offset->m.at[i] - shifted(u * offset->reach + (1 << 19), 20);
        const int64_t before = offset->values.at[i], after = within(before + left / one, offset->n_terms);
        offset->m.at[i] = left % one;
        offset->values.at[i] = after;
        moved += after != before;
    }
    return moved;
}

static void move_offsets(const Json *a) {
    Offset offset = new_offset(find_ints(a, "o"), bits_to_double(find(a, "rate")), find_int(a, "n_terms"));
    offset.m = find_ints(a, "m");
    int64_t moved = move(&offset, find_ints(a, "q").at, bits_to_double(find(a, "eta")));
    put("{\"o\":");
    put_ints(offset.values.at, offset.values.columns);
    put(",\"m\":");
    put_ints(offset.m.at, offset.m.columns);
    put(",\"moved\":%lld}", (long long)moved);
}

/* Which candidate each wire reads, and what the optimizer remembers of all. */
typedef struct {
    Matrix chosen, units, m;
    int64_t beta, age;
    double rate;
} Choice;

/* Of the candidates that are 1 in `asking` the lowest vote, of equals the first. */
static size_t loudest(const uint64_t *asking, const int64_t *votes, size_t n) {
    size_t best = n;
    for (size_t j = 0; j < n; j++)
        if (get(asking, j) && (best == n || votes[j] < votes[best])) best = j;
    return best;
}

/* Candidates are F, and ask to be read by a flip; a wire that moves begins anew. */
static int64_t choose(Choice *choice, Matrix q, int64_t eta, int64_t dither) {
    int64_t moved = 0;
    for (size_t r = 0; r < q.rows; r++) {
        uint64_t asking[1] = {0}; /* a wire has at most 64 candidates */
        int64_t *m = row_of(choice->m, r);
        flip_row(asking, m, row_of(q, r), q.columns, choice->beta, eta, rest_of(dither, r, q.columns));
        if (!asking[0]) continue;
        choice->chosen.at[r] = (int64_t)loudest(asking, row_of(q, r), q.columns);
        memset(m, 0, q.columns * sizeof *m);
        moved++;
    }
    return moved;
}

static int64_t step_wires(Choice *choice, Matrix q, double eta, double n_samples) {
    int64_t n = (int64_t)(q.rows * q.columns), units = units_of(eta / (SIGNAL_MAX * n_samples) * choice->rate);
    int64_t moved = choose(choice, q, units, 20251 * choice->age % (1 << 15));
    choice->beta = ((n - moved) * (1 << 15) + n / 2) / n;
    choice->age++;
    return moved;
}

static void move_wires(const Json *a) {
    Choice choice = {.chosen = find_ints(a, "chosen"), .m = find_matrix(a, "m"), .beta = find_int(a, "beta")};
    int64_t moved = choose(&choice, find_matrix(a, "q"), find_int(a, "eta"), find_int(a, "dither"));
    put("{\"chosen\":");
    put_ints(choice.chosen.at, choice.chosen.columns);
    put(",\"m\":");
    put_matrix(choice.m);
    put(",\"moved\":%lld}", (long long)moved);
}

/* ---------------------------------------------------------------------------------------- level 6: training */

typedef enum {
    LINEAR, CONV, MAX_POOL, THRESHOLD, GATES, GATE_CONV, OR_POOL, GROUP_SUM, ADD, CONCATENATE, SIGNAL_SCALE
} LayerKind;

/* Between layers stand bits or sums; a layer keeps what it will need on the way back. */
typedef struct {
    Bits bits;
    Matrix sums;
} Value;

typedef struct Layer Layer;

typedef struct {
    Layer *layers;
    size_t n_layers;
} Stack;

struct Layer {
    LayerKind kind;
    int gate, centered, has_bias, has_offset, has_choice;
    Parameter weight, bias; /* of gates, the weight is the tables */
    Offset offset;
    Choice choice;
    Window window;
    Pool pool;
    Matrix tau, table, wires, winner;
    int64_t padding_value, shift, fan_out;
    size_t n_groups, n_branches;
    Stack *branches; /* one of a concatenation: its inner layers */
    Value input;
    Bits patches;
    Trees trees;
    Parameter *levels; /* the tables of trees */
    Bits *rows;
    Matrix *level_votes;
    Matrix votes, bias_votes, choice_votes, *received; /* what the first layer of each branch received */
};

static Bits row_as_bits(const Json *text) {
    Bits b = new_bits(1, text->length);
    read_row(b, 0, text);
    return b;
}

static void read_weights(Layer *layer, const Json *a, size_t places) {
    const Json *bias = find(a, "bias");
    layer->gate = (int)find_int(a, "gate");
    layer->weight = new_parameter(find_bits(a, "weight"), places);
    layer->has_bias = bias->kind == JSON_STRING;
    if (layer->has_bias) layer->bias = new_parameter(row_as_bits(bias), places);
}

static void read_offset(Layer *layer, const Json *a) {
    const Json *values = find_if_there(a, "offset");
    layer->has_offset = values && values->kind == JSON_LIST;
    if (layer->has_offset) {
        double rate = bits_to_double(find(a, "offset_rate"));
        layer->offset = new_offset(read_ints(values), rate, (int64_t)layer->weight.bits.bits);
    }
}

/* In the beginning each wire reads its first candidate. */
static void read_choice(Layer *layer, const Json *a) {
    const Json *candidates = find_if_there(a, "candidates");
    layer->has_choice = candidates != NULL;
    if (!candidates) return;
    Matrix units = read_candidates(candidates), m = new_matrix(units.rows, units.columns);
    double rate = bits_to_double(find(a, "wire_rate"));
    layer->choice = (Choice){new_matrix(1, units.rows), units, m, 1 << 15, 0, rate};
}

static void connect(Layer *layer) {
    const Choice *choice = &layer->choice;
    for (size_t r = 0; layer->has_choice && r < choice->units.rows; r++)
        layer->wires.at[r] = row_of(choice->units, r)[choice->chosen.at[r]];
}

static void read_levels(Layer *layer, const Json *a) {
    layer->trees = read_trees(a);
    layer->levels = take(layer->trees.n_levels, sizeof *layer->levels);
    layer->level_votes = take(layer->trees.n_levels, sizeof *layer->level_votes);
    for (size_t level = 0; level < layer->trees.n_levels; level++) {
        Parameter *p = layer->levels + level;
        *p = new_parameter(layer->trees.tables[level], 1); /* the same bits */
        p->unit = 64 * (double)find_int(a, "damping");
        p->is_clipped = 0;
    }
}

static Stack read_stack(const Json *list);

static void read_branches(Layer *layer, const Json *first, size_t n) {
    layer->n_branches = n;
    layer->branches = take(n, sizeof *layer->branches);
    layer->received = take(n, sizeof *layer->received);
    for (size_t k = 0; k < n; k++, first = first->next) layer->branches[k] = read_stack(first);
}

static Layer read_layer(const Json *a) {
    Layer layer = {.kind = LINEAR};
    const Json *type = find(a, "type");
    if (is_text(type, "linear")) {
        read_weights(&layer, a, 1);
        read_offset(&layer, a);
        layer.centered = find(a, "centered")->kind == JSON_TRUE;
    } else if (is_text(type, "conv")) {
        layer.kind = CONV;
        layer.window = read_window(find(a, "window"));
        layer.padding_value = find_int(a, "padding_value");
        read_weights(&layer, a, n_places(layer.window));
    } else if (is_text(type, "max_pool")) {
        layer.kind = MAX_POOL;
        layer.pool = read_pool(a);
    } else if (is_text(type, "threshold")) {
        layer.kind = THRESHOLD;
        layer.tau = find_ints(a, "tau");
        layer.table = find_ints(a, "table");
        layer.shift = find_int(a, "shift");
    } else if (is_text(type, "gate")) {
        layer.kind = GATES;
        layer.wires = find_matrix(a, "wires");
        layer.weight = new_parameter(find_bits(a, "tables"), 1);
        const Json *is_clipped = find_if_there(a, "is_clipped");
        layer.weight.is_clipped = !is_clipped || is_clipped->kind == JSON_TRUE;
        read_choice(&layer, a);
    } else if (is_text(type, "gate_conv")) {
        layer.kind = GATE_CONV;
        read_levels(&layer, a);
    } else if (is_text(type, "or_pool")) {
        layer.kind = OR_POOL;
        layer.pool = read_pool(a);
    } else if (is_text(type, "group_sum")) {
        layer.kind = GROUP_SUM;
        layer.n_groups = (size_t)find_int(a, "n_groups");
    } else if (is_text(type, "add")) {
        const Json *branches = find(a, "branches");
        layer.kind = ADD;
        read_branches(&layer, branches->first, branches->length);
    } else if (is_text(type, "concatenate")) {
        layer.kind = CONCATENATE;
        read_branches(&layer, find(a, "layers"), 1);
    } else if (is_text(type, "signal_scale")) {
        layer.kind = SIGNAL_SCALE;
        layer.fan_out = find_int(a, "fan_out");
    } else {
        fail("a layer has an unknown type");
    }
    return layer;
}

static Stack read_stack(const Json *list) {
    Stack stack = {take(list->length, sizeof(Layer)), list->length};
    size_t i = 0;
    for (const Json *layer = list->first; layer; layer = layer->next) stack.layers[i++] = read_layer(layer);
    return stack;
}

static Matrix with_bias(const Layer *layer, Bits x) {
    Matrix s = sums_of(layer->gate, x, layer->weight.bits);
    for (size_t r = 0; layer->has_bias && r < s.rows; r++)
        for (size_t j = 0; j < s.columns; j++) row_of(s, r)[j] += value_at(layer->bias.bits, 0, j);
    return s;
}

static Matrix with_offset(const Layer *layer, Matrix s) {
    for (size_t r = 0; layer->has_offset && r < s.rows; r++)
        for (size_t j = 0; j < s.columns; j++) row_of(s, r)[j] += layer->offset.values.at[j];
    return s;
}

/* The same bits, F where one was missing. */
static Bits with_all_known(Bits b) {
    Bits out = new_bits(b.rows, b.bits);
    memcpy(out.value, b.value, 8 * b.rows * b.words);
    for (size_t r = 0; r < b.rows; r++)
        for (size_t i = 0; i < b.bits; i++) known_of(out, r)[i / 64] |= (uint64_t)1 << (i % 64);
    return out;
}

static Bits beside(Bits left, Bits right) {
    Bits out = new_bits(left.rows, left.bits + right.bits);
    for (size_t r = 0; r < out.rows; r++)
        for (size_t i = 0; i < out.bits; i++) {
            Bits from = i < left.bits ? left : right;
            size_t k = i < left.bits ? i : i - left.bits;
            value_of(out, r)[i / 64] |= (uint64_t)get(value_of(from, r), k) << (i % 64);
            known_of(out, r)[i / 64] |= (uint64_t)get(known_of(from, r), k) << (i % 64);
        }
    return out;
}

static Matrix columns_of(Matrix m, size_t first, size_t n) {
    Matrix out = new_matrix(m.rows, n);
    for (size_t r = 0; r < m.rows; r++) memcpy(row_of(out, r), row_of(m, r) + first, n * sizeof *m.at);
    return out;
}

static Matrix add_up(Matrix total, Matrix other) {
    for (size_t i = 0; i < total.rows * total.columns; i++) total.at[i] += other.at[i];
    return total;
}

static Value climb(Stack stack, Value value);

static Value forward(Layer *layer, Value x) {
    Value y = {0};
    layer->input = x;
    switch (layer->kind) {
    case LINEAR:
        y.sums = with_offset(layer, with_bias(layer, x.bits));
        break;
    case CONV:
        layer->patches = patches_of(x.bits, layer->window, layer->padding_value);
        y.sums = with_bias(layer, layer->patches);
        y.sums = with_rows(y.sums, x.bits.rows, n_places(layer->window) * y.sums.columns);
        break;
    case MAX_POOL:
        layer->winner = new_matrix(x.sums.rows, n_pooled(layer->pool));
        y.sums = pool(x.sums, layer->pool, layer->winner);
        break;
    case THRESHOLD:
        y.bits = compare(x.sums, layer->tau);
        break;
    case GATES:
        connect(layer);
        y.bits = look_up(x.bits, layer->wires, layer->weight.bits);
        break;
    case GATE_CONV:
        layer->rows = climb_trees(layer->trees, x.bits);
        y.bits = side_by_side(layer->rows[layer->trees.n_levels], x.bits.rows, n_places(layer->trees.window));
        break;
    case OR_POOL:
        y.bits = any_of(x.bits, layer->pool);
        break;
    case GROUP_SUM:
        y.sums = group_scores(x.bits, layer->n_groups);
        break;
    case ADD:
        y = climb(layer->branches[0], x);
        for (size_t k = 1; k < layer->n_branches; k++) add_up(y.sums, climb(layer->branches[k], x).sums);
        break;
    case CONCATENATE:
        y.bits = beside(x.bits, climb(layer->branches[0], (Value){.bits = with_all_known(x.bits)}).bits);
        break;
    case SIGNAL_SCALE:
        y = x;
        break;
    }
    return y;
}

static Value climb(Stack stack, Value value) {
    for (size_t i = 0; i < stack.n_layers; i++) value = forward(stack.layers + i, value);
    return value;
}

static Matrix to_members(Matrix z, size_t n_members) {
    Matrix out = new_matrix(z.rows, n_members);
    for (size_t b = 0; b < z.rows; b++)
        for (size_t i = 0; i < n_members; i++) row_of(out, b)[i] = row_of(z, b)[i / (n_members / z.columns)];
    return out;
}

static Matrix backward(const Layer *layer, Matrix z) {
    switch (layer->kind) {
    case LINEAR:
        return votes_on_inputs(layer->gate, z, layer->weight.bits);
    case CONV:
        return votes_on_pixels(layer->gate, z, layer->weight.bits, layer->window);
    case MAX_POOL:
        return unpool(z, layer->winner, layer->pool);
    case THRESHOLD:
        return weighted(z, layer->input.sums, layer->tau, layer->table, layer->shift);
    case GATES:
        return votes_on_units(z, layer->input.bits, layer->wires, layer->weight.bits);
    case GATE_CONV:
        z = descend_trees(layer->trees, layer->rows, z, take(layer->trees.n_levels, sizeof(Matrix)));
        return from_windows(z, layer->trees.window);
    case OR_POOL:
        return to_the_only(z, layer->input.bits, layer->pool);
    case GROUP_SUM:
        return to_members(z, layer->input.bits.bits);
    case ADD:
        z = backward(layer->branches[0].layers, layer->received[0]);
        for (size_t k = 1; k < layer->n_branches; k++)
            add_up(z, backward(layer->branches[k].layers, layer->received[k]));
        return z;
    case CONCATENATE:
        z = columns_of(z, 0, layer->input.bits.bits);
        return add_up(z, backward(layer->branches[0].layers, layer->received[0]));
    case SIGNAL_SCALE:
        return scaled(z, layer->fan_out);
    }
    return z;
}

static Matrix column_sums(Matrix z) {
    Matrix totals = new_matrix(1, z.columns);
    for (size_t b = 0; b < z.rows; b++)
        for (size_t j = 0; j < z.columns; j++) totals.at[j] += row_of(z, b)[j];
    return totals;
}

static void center_by_batch(const Layer *layer, Matrix q, Matrix totals, size_t n_samples) {
    Bits x = layer->input.bits;
    Matrix changes = new_matrix(1, q.columns);
    for (size_t b = 0; b < x.rows; b++)
        for (size_t i = 0; i < q.columns; i++) changes.at[i] += variation_in_weight(layer->gate, value_at(x, b, i));
    center(q, totals.at, changes.at, (int64_t)n_samples);
}

static int has_weights(const Layer *layer) {
    return layer->kind == LINEAR || layer->kind == CONV || layer->kind == GATES;
}

static Matrix descend(Stack stack, Matrix z);

/* Votes on the weight, and on what adds the same to every sample: those on bias and offset are equal; they stay with the layer until all are there. */
static void collect(Layer *layer, Matrix z) {
    Bits w = layer->weight.bits, x = layer->input.bits;
    if (layer->kind == CONCATENATE) z = columns_of(z, x.bits, z.columns - x.bits);
    for (size_t k = 0; k < layer->n_branches; k++) layer->received[k] = descend(layer->branches[k], z);
    if (layer->kind == GATES) layer->votes = votes_on_tables(z, x, layer->wires);
    if (layer->has_choice) layer->choice_votes = votes_on_candidates(z, x, layer->wires, w, layer->choice.units);
    if (layer->kind == GATE_CONV) descend_trees(layer->trees, layer->rows, z, layer->level_votes);
    if (layer->kind == CONV) {
        z = with_rows(z, layer->patches.rows, w.rows);
        x = layer->patches;
    }
    if (layer->kind == LINEAR || layer->kind == CONV) {
        layer->votes = votes_on_weights(layer->gate, z, x, w.rows, w.bits);
        layer->bias_votes = column_sums(z);
    }
    if (layer->centered) center_by_batch(layer, layer->votes, layer->bias_votes, z.rows);
}

/* Collect all votes of a stack; the signal that its first layer receives comes back. */
static Matrix descend(Stack stack, Matrix z) {
    for (size_t i = stack.n_layers; i-- > 0;) {
        collect(stack.layers + i, z);
        if (i) z = backward(stack.layers + i, z);
    }
    return z;
}

static int64_t step_all(Stack stack, double eta, double clip, double n_samples) {
    int64_t flips = 0;
    for (size_t i = 0; i < stack.n_layers; i++) {
        Layer *layer = stack.layers + i;
        if (has_weights(layer)) flips += step(&layer->weight, layer->votes, eta, clip, n_samples);
        if (layer->has_choice) flips += step_wires(&layer->choice, layer->choice_votes, eta, n_samples);
        for (size_t level = 0; level < layer->trees.n_levels; level++)
            flips += step(layer->levels + level, layer->level_votes[level], eta, clip, n_samples);
        if (layer->has_bias) flips += step(&layer->bias, layer->bias_votes, eta, clip, n_samples);
        if (layer->has_offset) flips += move(&layer->offset, layer->bias_votes.at, eta / (SIGNAL_MAX * n_samples));
        for (size_t k = 0; k < layer->n_branches; k++) flips += step_all(layer->branches[k], eta, clip, n_samples);
    }
    return flips;
}

typedef struct {
    Stack stack;
    Bits x;
    Matrix y, weights, loss_table;
    double clip;
} Network;

static int64_t train_step(Network *network, Matrix batch, double eta) {
    size_t n = batch.columns;
    Value value = {.bits = new_bits(n, network->x.bits)};
    Matrix y = new_matrix(1, n);
    int64_t weight = 0;
    for (size_t b = 0; b < n; b++) {
        size_t sample = (size_t)batch.at[b];
        memcpy(value_of(value.bits, b), value_of(network->x, sample), 8 * network->x.words);
        memcpy(known_of(value.bits, b), known_of(network->x, sample), 8 * network->x.words);
        y.at[b] = network->y.at[sample];
        weight += network->weights.at[sample];
    }
    if (weight == 0) return 0;
    Matrix signal = loss_signals(climb(network->stack, value).sums, y, network->loss_table);
    for (size_t b = 0; b < n; b++)
        for (size_t j = 0; j < signal.columns; j++) {
            int64_t *z = row_of(signal, b) + j;
            *z = round_away(*z * network->weights.at[batch.at[b]], FULL_WEIGHT);
        }
    descend(network->stack, signal); /* all votes are those of the weights before the step */
    return step_all(network->stack, eta, network->clip, (double)weight / FULL_WEIGHT);
}

/* SHA-256, as FIPS 180-4 has it. */
typedef struct {
    uint32_t state[8];
    unsigned char block[64];
    uint64_t length;
} Sha256;

static uint32_t turn(uint32_t x, int n) {
    return x >> n | x << (32 - n);
}

static const uint32_t *round_constants(void) {
    static uint32_t k[64]; /* the first 32 bits of the fractional parts of the cube roots of the first primes */
    int n = 0;
    for (int p = 2; k[63] == 0; p++) {
        int prime = 1;
        for (int d = 2; d * d <= p; d++) prime &= p % d != 0;
        if (prime) {
            double root = cbrt(p);
            k[n++] = (uint32_t)((root - floor(root)) * 4294967296.0);
        }
    }
    return k;
}

static void sha_block(Sha256 *sha) {
    const uint32_t *k = round_constants();
    uint32_t w[64], v[8];
    for (int i = 0; i < 16; i++) {
        const unsigned char *b = sha->block + 4 * i;
        w[i] = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    }
    for (int i = 16; i < 64; i++) {
        uint32_t a = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t b = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + a + w[i - 7] + b;
    }
    memcpy(v, sha->state, sizeof v);
    for (int i = 0; i < 64; i++) {
        uint32_t s1 = turn(v[4], 6) ^ turn(v[4], 11) ^ turn(v[4], 25), choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
        uint32_t s0 = turn(v[0], 2) ^ turn(v[0], 13) ^ turn(v[0], 22);
        uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
        uint32_t t1 = v[7] + s1 + choice + k[i] + w[i];
        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += t1;
        v[0] = t1 + s0 + majority;
    }
    for (int i = 0; i < 8; i++) sha->state[i] += v[i];
}

static void sha_byte(Sha256 *sha, unsigned char byte) {
    sha->block[sha->length++ % 64] = byte;
    if (sha->length % 64 == 0) sha_block(sha);
}

static void sha_word(Sha256 *sha, uint64_t word) { /* little-endian */
    for (int i = 0; i < 8; i++) sha_byte(sha, (unsigned char)(word >> 8 * i));
}

static void sha_end(Sha256 *sha) {
    uint64_t n_bits = 8 * sha->length;
    sha_byte(sha, 0x80);
    while (sha->length % 64 != 56) sha_byte(sha, 0);
    for (int i = 7; i >= 0; i--) sha_byte(sha, (unsigned char)(n_bits >> 8 * i));
}

static void sha_bits(Sha256 *sha, Bits b) {
    sha_word(sha, b.rows);
    sha_word(sha, b.bits);
    for (size_t i = 0; i < b.rows * b.words; i++) sha_word(sha, b.value[i]);
}

static void sha_ints(Sha256 *sha, Matrix values) {
    sha_word(sha, values.columns);
    for (size_t i = 0; i < values.columns; i++)
        for (int k = 0; k < 4; k++) sha_byte(sha, (unsigned char)((uint64_t)values.at[i] >> 8 * k));
}

static void sha_choice(Sha256 *sha, const Choice *choice) {
    sha_word(sha, choice->units.rows);
    sha_word(sha, choice->units.columns);
    for (size_t r = 0; r < choice->units.rows; r++) sha_byte(sha, (unsigned char)choice->chosen.at[r]);
}

static void sha_stack(Sha256 *sha, Stack stack) {
    for (size_t i = 0; i < stack.n_layers; i++) {
        const Layer *layer = stack.layers + i;
        if (has_weights(layer)) sha_bits(sha, layer->weight.bits);
        if (layer->has_choice) sha_choice(sha, &layer->choice);
        for (size_t level = 0; level < layer->trees.n_levels; level++) sha_bits(sha, layer->trees.tables[level]);
        if (layer->has_bias) sha_bits(sha, layer->bias.bits);
        if (layer->has_offset) sha_ints(sha, layer->offset.values);
        for (size_t k = 0; k < layer->n_branches; k++) sha_stack(sha, layer->branches[k]);
    }
}

static void put_fingerprint(const Network *network) {
    Sha256 sha = {{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19},
                  {0}, 0};
    sha_stack(&sha, network->stack);
    sha_end(&sha);
    put("\"");
    for (int i = 0; i < 8; i++) put("%08lx", (unsigned long)sha.state[i]);
    put("\"");
}

static void train(const Json *a) {
    const Json *given = find(a, "network"), *weights = find_if_there(given, "sample_weight");
    Network network = {
        .stack = read_stack(find(given, "layers")),
        .x = find_bits(given, "x"),
        .y = find_ints(given, "y"),
        .weights = weights ? read_ints(weights) : new_matrix(1, find(given, "y")->length),
        .loss_table = find_ints(given, "loss_table"),
        .clip = bits_to_double(find(given, "clip")),
    };
    size_t t = 0, n_prints = 0;
    for (size_t i = 0; !weights && i < network.weights.columns; i++) network.weights.at[i] = FULL_WEIGHT;
    Matrix checkpoints = find_ints(a, "checkpoints"), flips = new_matrix(1, find(a, "batches")->length);
    const Json *eta = find(a, "eta")->first;
    put("{\"fingerprints\":[");
    for (const Json *batch = find(a, "batches")->first; batch; batch = batch->next, eta = eta->next, t++) {
        size_t before = memory_used; /* what a step takes is free again after it */
        flips.at[t] = train_step(&network, read_ints(batch), bits_to_double(eta));
        memory_used = before;
        for (size_t c = 0; c < checkpoints.columns; c++)
            if (checkpoints.at[c] == (int64_t)t + 1) {
                put_comma(n_prints++);
                put_fingerprint(&network);
                break;
            }
    }
    put("],\"flips\":");
    put_ints(flips.at, flips.columns);
    put("}");
}

/* ----------------------------------------------------------------------------------------------- the protocol */

#define FUNCTION(name) {#name, name}

static const struct {
    const char *name;
    void (*answer)(const Json *arguments);
} functions[] = {
    FUNCTION(connective),   FUNCTION(project),         FUNCTION(mixed),             FUNCTION(delta),
    FUNCTION(variations),   FUNCTION(gate_table),      FUNCTION(gate_variations),   FUNCTION(table_values),
    FUNCTION(pack),         FUNCTION(unpack),          FUNCTION(negate),            FUNCTION(transpose),
    FUNCTION(count_rows),   FUNCTION(gate_sum),        FUNCTION(gate_bits),         FUNCTION(conv_sum),
    FUNCTION(max_pool),     FUNCTION(group_sum),       FUNCTION(rescale),           FUNCTION(loss_table),
    FUNCTION(threshold_table), FUNCTION(cross_entropy), FUNCTION(squared_error),    FUNCTION(weight_votes),
    FUNCTION(input_votes),  FUNCTION(center_votes),    FUNCTION(conv_weight_votes), FUNCTION(pixel_votes),
    FUNCTION(pool_back),    FUNCTION(table_votes),     FUNCTION(wire_votes),        FUNCTION(vote_norms),
    FUNCTION(clipped_eta),  FUNCTION(flip),            FUNCTION(optimize),          FUNCTION(train),
    FUNCTION(scale_signals), FUNCTION(move_offsets),   FUNCTION(tree_values),       FUNCTION(or_pool),
    FUNCTION(tree_table_votes), FUNCTION(tree_pixel_votes), FUNCTION(or_pool_back),
    FUNCTION(candidate_votes), FUNCTION(move_wires),
};

static void answer(const char *line) {
    volatile int64_t id = 0;
    memory_used = out_used = 0;
    if (setjmp(on_error)) { /* what was begun is dropped */
        out_used = 0;
        put("{\"id\":%lld,\"error\":\"%s\"}", (long long)id, error_text);
        return;
    }
    cursor = line;
    const Json *request = read_json(), *name = find(request, "function");
    id = find_int(request, "id");
    put("{\"id\":%lld,\"result\":", (long long)id);
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (is_text(name, functions[i].name)) {
            functions[i].answer(find(request, "arguments"));
            put("}");
            return;
        }
    fail("unsupported");
}

/* Read a line of any length; NULL at the end of the input. */
static char *read_line(char **buffer, size_t *size) {
    size_t used = 0;
    while (fgets(*buffer + used, (int)(*size - used), stdin)) {
        used += strlen(*buffer + used);
        if (used && (*buffer)[used - 1] == '\n') return *buffer;
        *size *= 2;
        *buffer = realloc(*buffer, *size);
        if (!*buffer) abort();
    }
    return used ? *buffer : NULL;
}

int main(void) {
    size_t size = 1 << 16;
    char *buffer = malloc(size);
    memory = malloc(memory_size);
    line_out = malloc(out_size = 1 << 16);
    if (!buffer || !memory || !line_out) return 1;
    while (read_line(&buffer, &size)) {
        answer(buffer);
        puts(line_out);
        fflush(stdout);
    }
    return 0;
}
