"""Break the kernels on purpose, one fault at a time, and see that the twin tests turn red for each.

    python tests/cext/mutate.py [part of a name ...]

Works on a copy of the tree.  Takes some ten seconds for each fault: for a night, not for every change.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FAULTS = [
    ("scalar: lost tail of a row", "isa_scalar.c", "widen(look_up_word(tables, w[o]), sums[o]);", "(void)0;"),
    (
        "scalar: wrong order of lanes",
        "isa_scalar.c",
        "sums[o][r % 2] >> 16 * (r / 2)",
        "sums[o][r / 4] >> 16 * (r % 4)",
    ),
    (
        "scalar: borrow kept",
        "isa_scalar.c",
        "sum = (sum - (uint64_t)(int64_t)lane) >> 16;",
        "sum >>= 16;",
    ),
    ("scalar: 16-bit lanes overflow", "isa_scalar.c", "65535 / 64 / 2 * 2", "65535 / 64 * 2"),
    ("avx2: 32 bytes in 8-bit sums", "isa_avx2.c", "MAX_BYTES = 31, ", "MAX_BYTES = 32, "),
    ("avx2: 16-bit sums overflow", "isa_avx2.c", "264 * MAX_BYTES", "265 * MAX_BYTES"),
    ("avx2: shift by 3", "isa_avx2.c", "_mm256_srli_epi16(bits, 4)", "_mm256_srli_epi16(bits, 3)"),
    (
        "avx2: lost last column",
        "isa_avx2.c",
        "memcpy(out, some, (size_t)n * sizeof some[0]);",
        "memcpy(out, some, (size_t)(n - 1) * sizeof some[0]);",
    ),
    (
        "avx512: first word twice",
        "isa_avx512.c",
        "for (ptrdiff_t k = 1; k < n_words; ++k)",
        "for (ptrdiff_t k = 0; k < n_words; ++k)",
    ),
    ("avx512: int16 comparison overflows", "isa_avx512.c", "a->n_words < 512 &&", "a->n_words < 1024 &&"),
    ("avx512: strict gate", "isa_avx512.c", "_mm512_cmple_epi16_mask(", "_mm512_cmplt_epi16_mask("),
    ("avx512: limits of one row for all", "isa_avx512.c", "row[i] != row[i - 1]", "0"),
    ("avx512: padding set", "isa_avx512.c", "^ invert) & mask;", "^ invert);"),
    ("avx512: 264 terms in int16", "isa_avx512.c", "VOTE_CHUNKS = 21, ", "VOTE_CHUNKS = 22, "),
    ("avx512: second block overwrites", "isa_avx512.c", "old = first ?", "old = 1 ?"),
    (
        "avx512: flip strictly above the bar",
        "isa_avx512.c",
        "_mm512_set1_epi32(-4096)",
        "_mm512_set1_epi32(-4097)",
    ),
    (
        "avx512: no reset",
        "isa_avx512.c",
        "_mm512_maskz_cvtsepi32_epi16(_knot_mask16(flips), v)",
        "_mm512_cvtsepi32_epi16(v)",
    ),
    (
        "avx512: accumulators down to -32768",
        "isa_avx512.c",
        "_mm512_set1_epi32(-32767)",
        "_mm512_set1_epi32(-32768)",
    ),
    (
        "avx512: the rest does not walk on",
        "isa_avx512.c",
        "rest_d = _mm512_add_epi32(rest_c, stride)",
        "rest_d = rest_c",
    ),
    ("windows: padding of a patch kept", "windows_impl.h", "patch[n_words - 1] = 0;", "(void)0;"),
    ("windows: last bytes lost", "windows_impl.h", "memcpy(to + n - 16, from + n - 16, 16);", "(void)0;"),
    (
        "windows: second word lost",
        "windows_impl.h",
        "if (shift + n > 64)\n        row[at / 64 + 1] |=",
        "if (0)\n        row[1] |=",
    ),
    ("windows: one place too many inside", "windows_impl.h", "room / w->stride_x + 1", "room / w->stride_x + 2"),
    (
        "windows: dilation taken for stride",
        "windows_impl.h",
        "start = o * stride - padding",
        "start = o * dilation - padding",
    ),
    (
        "windows: last channels not added",
        "windows_impl.h",
        "for (ptrdiff_t i = whole; i < n; ++i)",
        "for (ptrdiff_t i = n; i < n; ++i)",
    ),
    (
        "windows: image not cleared",
        "windows_impl.h",
        "memset(image, 0, (size_t)n_pixels * sizeof *image);",
        "(void)0;",
    ),
    ("windows: scratch shared", "windows_impl.h", "begin / a->grain * a->scratch_rows", "0 * a->scratch_rows"),
    ("pool: last of equals", "windows_impl.h", "-(value[k] > top[k])", "-(value[k] >= top[k])"),
    ("update: half rounded down", "update_impl.h", "a->shift) >> 1, last", "a->shift) >> 2, last"),
    ("update: eta of row 0 for all", "update_impl.h", "a->eta[r]", "a->eta[0]"),
    ("update: sums of signals of the last block", "update_impl.h", "total[j] -= out", "total[j] = -out"),
    (
        "update: votes of the second block lost",
        "update_impl.h",
        "b < blocks; ++b)\n                vote_rows",
        "b < 1; ++b)\n                vote_rows",
    ),
    ("update: rows of a tile share an eta", "update_impl.h", "q + j * n, total[i + j]", "q, total[i + j]"),
    ("update: no samples keep old votes", "update_impl.h", "if (!n_blocks)", "if (0)"),
    ("update: loud norms in int32", "update_impl.h", "if (most > INT32_MAX / (n / CENTER_BLOCK + 1))", "if (0)"),
    ("update: tail of a norm lost", "update_impl.h", "norm_of(q + whole, n - whole)", "0"),
    ("update: odd variations rounded down", "update_impl.h", "if (plus % 2)", "if (0)"),
    ("update: a sum that wrapped is not seen", "update_impl.h", "any |= wrapped[k];", "any |= wrapped[0];"),
    (
        "update: signals of gates from -32768",
        "update_impl.h",
        "p > -32767 ? p : -32767",
        "p > -32768 ? p : -32768",
    ),
    (
        "update: halves of signals of gates to even",
        "update_impl.h",
        "p < 0 ? -0.5 : 0.5",
        "p < 0 ? -0.499 : 0.499",
    ),
    (
        "shared: padding of a threshold set",
        "kernels_impl.h",
        "words[i / 64] = above(values + i, thresholds + i, (int)(n - i),",
        "words[i / 64] = above(values + i, thresholds + i, 64,",
    ),
    ("avx512: NaN is a number", "isa_avx512.c", "_CMP_ORD_Q", "_CMP_TRUE_UQ"),
    (
        "shared: a row of a panel lost",
        "kernels_impl.h",
        "at_most(PANEL_ROWS, a->n_rows - p * PANEL_ROWS)",
        "at_most(PANEL_ROWS - 1, a->n_rows - p * PANEL_ROWS)",
    ),
    ("gates: padding set", "gates_impl.h", "if (a->n_samples % 64)", "if (a->n_samples % 64 > 60)"),
    ("gates: tail of a row lost", "gates_impl.h", "if (k < n_words) {", "if (k + 1 < n_words) {"),
    (
        "gates: falls count as rises",
        "gates_impl.h",
        "lay_tree(low & ~high, fan_in",
        "lay_tree(high & ~low, fan_in",
    ),
    ("gates: held wire at 1", "gates_impl.h", "i == slot ? plane_all(0)", "i == slot ? plane_all(~UINT64_C(0))"),
    ("gates: clipped at -32768", "gates_impl.h", "< -32767 ? -32767", "< -32768 ? -32768"),
    ("gates: a reader too many", "gates_impl.h", "a->starts[u] <= 2", "a->starts[u] <= 3"),
    ("gates: carry lost", "gates_impl.h", "add_two(&twos, d, e)), 3, n_planes)", "add_two(&twos, d, e)), 3, 4)"),
    ("gates: last row not counted", "gates_impl.h", "i = r; i < rows; ++i", "i = r; i < rows - 1; ++i"),
    (
        "avx512: few wires clipped at -32768",
        "isa_avx512.c",
        "_mm512_max_epi16(sum, _mm512_set1_epi16(-32767))",
        "sum",
    ),
    (
        "avx512: second half of a word votes for the first",
        "isa_avx512.c",
        "(__mmask32)(who[j] >> 32)",
        "(__mmask32)who[j]",
    ),
    (
        "avx512: end of a curve from its beginning",
        "isa_avx512.c",
        "_mm512_set1_epi32(CURVE_HEAD)",
        "_mm512_set1_epi32(-1)",
    ),
    ("avx512: levels above", "isa_avx512.c", "_mm512_mask_cmpge_epu8_mask", "_mm512_mask_cmpgt_epu8_mask"),
    ("avx2: levels signed", "isa_avx2.c", "_mm256_max_epu8", "_mm256_max_epi8"),
    (
        "avx2: high half dropped",
        "isa_avx2.c",
        "_mm256_extracti128_si256(term, 1)",
        "_mm256_extracti128_si256(term, 0)",
    ),
    ("rows: 256 in a byte", "rows_impl.h", "LARGEST_GROUP = 255", "LARGEST_GROUP = 256"),
    ("rows: numbers beyond the last", "rows_impl.h", "4 * g + i < a->n_terms ?", "4 * g + i <= a->n_terms ?"),
    ("rows: a digit too large", "rows_impl.h", "((x + 32) & 63) - 32", "((x + 64) & 127) - 64"),
    ("rows: digits above forgotten", "rows_impl.h", "left |= rest;", "left = rest;"),
    ("rows: the first digit added", "rows_impl.h", "a->first ? sum :", "0 ? sum :"),
    ("rows: last output lost", "rows_impl.h", "a->n_out - p * ROW_OUTPUTS)", "a->n_out - p * ROW_OUTPUTS - 1)"),
    ("rows: half of 253 for all", "rows_impl.h", "253.0f / largest", "126.5f / largest"),
    ("rows: not finite unseen", "rows_impl.h", "finite &= size <= FLT_MAX;", "(void)0;"),
    ("avx2: 129 bytes in 16-bit sums", "rows_avx2.h", "BYTES_IN_16_BITS = 128", "BYTES_IN_16_BITS = 130"),
    ("avx512: tables in the wrong order", "rows_avx512.h", "((group) >> 1 & 3)", "((group) & 3)"),
    ("pool: last item lost", "pool.c", "if (begin >= w->n_items)", "if (begin >= w->n_items - 1)"),
]


def run(tree: Path, *command: str, **environment: str) -> bool:
    env = os.environ | {"PYTHONPATH": str(tree)} | environment
    return subprocess.run([sys.executable, *command], cwd=tree, capture_output=True, env=env).returncode == 0


def survives(tree: Path, file: str, old: str, new: str) -> bool:
    """Whether the tests stay green with this fault."""
    path = tree / "bvar/_cext/src" / file
    right = path.read_text()
    assert old in right, f"{file} has no {old!r} any more: mend the list of faults"
    path.write_text(right.replace(old, new))
    try:
        built = run(tree, "setup.py", "-q", "build_ext", "--inplace", BVAR_BUILD_EXT="require")
        assert built, f"the fault in {file} does not compile"
        return run(tree, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "tests/backends/test_twins.py")
    finally:
        path.write_text(right)


def main() -> None:
    """Try all faults, or those whose names contain an argument."""
    wanted = [f for f in FAULTS if not sys.argv[1:] or any(part in f[0] for part in sys.argv[1:])]
    with tempfile.TemporaryDirectory() as directory:
        tree = Path(directory) / "bvar"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".git", ".venv", "build", "*.so", "__pycache__"))
        green = [fault[0] for fault in wanted if survives(tree, *fault[1:])]
    print(f"{len(wanted) - len(green)} of {len(wanted)} faults found")
    if green:
        sys.exit("not found: " + "; ".join(green))


if __name__ == "__main__":
    main()
