"""Fail if the built extension uses wide registers but in functions of the instruction sets that own them.

Baseline code that touches ymm or zmm would crash on older processors, long before any dispatch.  The symbol
table names the source file of every static function; that tells which functions may use what.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ALLOWED = {"isa_avx2.c": "ymm", "isa_avx512.c": "ymm zmm"}
FUNCTION = re.compile(r"^([0-9a-f]+) <(.+)>:$")
WIDE = re.compile(r"%([yz]mm)\d")


def objdump(*arguments: str) -> list[str]:
    return subprocess.run(["objdump", *arguments], capture_output=True, text=True, check=True).stdout.splitlines()


def files_of_functions(library: str) -> dict[int, str]:
    """Address of each local function to the name of its source file."""
    found, file = {}, ""
    for line in objdump("-t", library):
        fields = line.split()
        if " df *ABS*" in line:
            file = fields[-1] if len(fields) > 4 else ""
        elif " F .text" in line:
            found[int(fields[0], 16)] = file if " l " in line else ""
    return found


def offences(library: str) -> tuple[list[str], dict[str, int]]:
    """Functions that use what they may not, and how many functions use wide registers in each file."""
    files, bad, counts = files_of_functions(library), [], {}
    name = file = ""
    seen: set[str] = set()
    for line in [*objdump("-d", "--no-show-raw-insn", library), "0 <end>:"]:
        if match := FUNCTION.match(line):
            if seen:
                counts[file] = counts.get(file, 0) + 1
            if not seen <= set(ALLOWED.get(file, "").split()):
                bad.append(f"{name} of {file or 'unknown'} uses {', '.join(sorted(seen))}")
            name, file, seen = match[2], files.get(int(match[1], 16), ""), set()
        seen.update(WIDE.findall(line))
    return bad, counts


def main() -> None:
    """Check the extension that lies in the source tree."""
    libraries = sorted(Path("bvar/_cext").glob("_kernels*.so"))
    if not shutil.which("objdump") or not libraries:
        print("SKIPPED: no objdump, or no extension in bvar/_cext")
        return
    bad, counts = offences(str(libraries[0]))
    if bad:
        sys.exit("wide registers where they must not be:\n  " + "\n  ".join(bad))
    print(f"{libraries[0].name}: " + (", ".join(f"{n} functions of {f}" for f, n in counts.items()) or "none"))


if __name__ == "__main__":
    main()
