"""Hardware as a subject: a Boolean layer in Verilog, simulated by Icarus Verilog, behind the lines of the kit.

It has `gate_sum` and `gate_bits`, and leaves out the rest; the kit says what is missing, or is told by ``--expect``.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent


def memory(rows):
    """Rows for $readmemb, which wants the last bit first."""
    return "".join(row[::-1] + "\n" for row in rows)


def simulate(gate, x, w, tau):
    """Bits and sums of every sample."""
    if not x or not w:
        return [], [[] for _ in x]
    n = len(w[0])
    if n == 0:  # a wire of no width is no Verilog: one input that is always missing says the same
        x, w, n = ["u"] * len(x), ["0"] * len(w), 1
    with tempfile.TemporaryDirectory() as folder:
        files = {
            "x": memory(row.replace("u", "0") for row in x),
            "known": memory(row.replace("0", "1").replace("u", "0") for row in x),
            "w": memory(w),
            "tau": "".join(f"{t & 0xFFFFFFFF:08x}\n" for t in tau),
        }
        for name, text in files.items():
            (Path(folder) / name).write_text(text)
        sizes = {"N": n, "M": len(w), "B": len(x), "GATE": gate}
        options = [f"-Pbench.{name}={value}" for name, value in sizes.items()]
        sources = [HERE / "bench.v", HERE / "boolean_layer.v"]
        subprocess.run(["iverilog", "-o", "bench", *options, *sources], cwd=folder, check=True)
        run = subprocess.run(["vvp", "-n", "bench"], cwd=folder, check=True, capture_output=True, text=True)
    lines = [line.split() for line in run.stdout.splitlines()]
    return [bits[::-1] for bits, *_ in lines], [[int(s) for s in sums] for _, *sums in lines]


def gate_sum(gate, x, w):
    return simulate(gate, x, w, [0] * len(w))[1]


def gate_bits(gate, x, w, tau):
    return simulate(gate, x, w, tau)[0]


FUNCTIONS = {"gate_sum": gate_sum, "gate_bits": gate_bits}

for line in sys.stdin:
    request = json.loads(line)
    answer = {"id": request["id"], "error": "unsupported"}
    if request["function"] in FUNCTIONS:
        answer = {"id": request["id"], "result": FUNCTIONS[request["function"]](**request["arguments"])}
    print(json.dumps(answer), flush=True)
