#!/usr/bin/env bash
# Checks of the C kernels that need no Python test runner: sanitizers, other processors, installs without a compiler.
# What a machine lacks is skipped, in so many words.  Takes about three minutes; PYTHON chooses the interpreter.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PYTHON:-python3}
cc=${CC:-cc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sources=(tests/cext/driver.c bvar/_cext/src/*.c)
flags=(-std=c11 -ffp-contract=off -fvisibility=hidden -Wall -Wextra -Werror -Ibvar/_cext/include -pthread)

say() { printf '== %s\n' "$*"; }
has() { command -v "$1" >/dev/null; }

say "driver, optimised"
"$cc" -O2 "${flags[@]}" "${sources[@]}" -o "$work/driver"
"$work/driver" 300

say "the pool of threads"
pool=(tests/cext/pool.c bvar/_cext/src/pool.c)
"$cc" -O2 "${flags[@]}" "${pool[@]}" -o "$work/pool"
"$work/pool"

say "driver under AddressSanitizer and UndefinedBehaviorSanitizer"
if echo 'int main(void){return 0;}' | "$cc" -fsanitize=address,undefined -xc - -o "$work/probe" 2>/dev/null; then
    "$cc" -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all "${flags[@]}" "${sources[@]}" -o "$work/sane"
    "$work/sane" 400 2
    say "driver and pool under ThreadSanitizer"
    "$cc" -O1 -g -fsanitize=thread "${flags[@]}" "${sources[@]}" -o "$work/threads"
    "$work/threads" 40 5
    "$cc" -O1 -g -fsanitize=thread "${flags[@]}" "${pool[@]}" -o "$work/pool"
    TSAN_OPTIONS="halt_on_error=1 die_after_fork=0" "$work/pool" 3 # a child has threads of its own
else
    say "SKIPPED: $cc has no sanitizers"
fi

say "hostile calls of the binding and of public functions under both"
libraries="$("$cc" -print-file-name=libasan.so) $("$cc" -print-file-name=libubsan.so)" # full paths, where there are any
if [[ "$libraries" == /*\ /* ]] && "$python" -c 'import Cython, numpy, setuptools' 2>/dev/null; then
    mkdir "$work/tree"
    cp -r bvar setup.py pyproject.toml README.md LICENSE "$work/tree"
    rm -f "$work"/tree/bvar/_cext/*.so
    sane="-O0 -g1 -fsanitize=address,undefined -fno-sanitize-recover=all"
    (cd "$work/tree" && CFLAGS="$sane" LDFLAGS="$sane" BVAR_BUILD_EXT=require "$python" setup.py -q build_ext --inplace) 2>"$work/log" ||
        { cat "$work/log"; exit 1; }
    PYTHONPATH="$work/tree" LD_PRELOAD="$libraries" ASAN_OPTIONS=detect_leaks=0 OPENBLAS_NUM_THREADS=1 \
        "$python" tests/backends/hostile.py 25
else
    say "SKIPPED: $cc has no shared sanitizers, or $python cannot build the extension"
fi

say "other x86 processors"
if has qemu-x86_64; then
    for cpu in Haswell Nehalem; do
        printf '%s ' "$cpu"
        qemu-x86_64 -cpu "$cpu" "$work/driver" 25 3 2>"$work/log" || { cat "$work/log"; exit 1; }
    done
else
    say "SKIPPED: no qemu-x86_64"
fi

say "64-bit Arm"
if has qemu-aarch64 && has aarch64-linux-gnu-gcc; then
    aarch64-linux-gnu-gcc -O2 -static "${flags[@]}" "${sources[@]}" -o "$work/arm"
    qemu-aarch64 "$work/arm" 60 4
else
    say "SKIPPED: no qemu-aarch64 or no aarch64-linux-gnu-gcc"
fi

say "wide registers only inside the functions of their instruction set"
"$python" tests/cext/wide_registers.py

say "an install without a compiler works, says so once, and can be refused"
"$python" tests/cext/install.py
