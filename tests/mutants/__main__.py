"""Which mutants die by files alone, and which by laws alone: ``python tests/mutants [EXAMPLES]``.

The first table counts the planted mistakes of this folder.  The second changes the port itself: every comparison,
operator, constant and condition that a function of the protocol reaches, one at a time, and counts those that its
files find.  What survives is printed below, to be read: much of it is equivalent.
"""

import sys
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bvar.testing import FUNCTIONS
from mutants import MUTANTS
from mutants.changes import changes, first_vector_in_time
from mutants.mutant import first_law, first_vector, load, made


def planted(examples):
    rows, dead = defaultdict(list), []
    for name, mutant in MUTANTS.items():
        module, function = made(mutant), mutant.killed_by
        by = bool(first_vector(module, function)), bool(first_law(module, function, examples))
        rows[function].append(by)
        if not all(by):
            dead.append(f"- {name}: by {'files' if by[0] else 'laws' if by[1] else 'nothing'} alone")
    print("| function | mistakes | found by files alone | found by laws alone |\n|---|---|---|---|")
    for function in FUNCTIONS:
        found = rows[function]
        print(f"| `{function}` | {len(found)} | {sum(f for f, _ in found)} | {sum(law for _, law in found)} |")
    print(
        f"| all | {len(MUTANTS)} | {sum(f for r in rows.values() for f, _ in r)}"
        f" | {sum(law for r in rows.values() for _, law in r)} |"
    )
    print("\n" + "\n".join(dead) + "\n")


def systematic():
    found, alive = defaultdict(list), []
    for change in changes():
        killed = bool(first_vector_in_time(load(change.source), change.functions))
        found[change.functions[0]].append(killed)
        if not killed:
            alive.append(f"- `{change.functions[0]}`, line {change.line}: {change.what}")
    print("| function | changes | found by files alone |\n|---|---|---|")
    for function in FUNCTIONS:
        n, k = len(found[function]), sum(found[function])
        print(f"| `{function}` | {n} | {100 * k // n if n else 100} % |")
    total, killed = sum(map(len, found.values())), sum(map(sum, found.values()))
    print(f"| all | {total} | {100 * killed // total} % |\n\n" + "\n".join(alive))


if __name__ == "__main__":
    systematic()
    print()
    planted(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
