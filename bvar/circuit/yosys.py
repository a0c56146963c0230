"""What a synthesiser makes of a chip, where it is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from bvar._validation import check_integer
from bvar.circuit.chip import Chip, check_chip
from bvar.circuit.export_verilog import chip_to_verilog
from bvar.circuit.truth import MAX_FAN_IN

__all__ = ["yosys_luts"]


def yosys_luts(chip: Chip, k: int = 6) -> int | None:
    """Count the look-up tables that Yosys finds for the Verilog of a chip.

    Parameters
    ----------
    chip : Chip
        What :func:`make_chip` returns.
    k : int, default=6
        Inputs of a table, 2 to 6.

    Returns
    -------
    int or None
        Number of tables after ``synth -lut k``; None if there is no ``yosys`` on the path.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.
    RuntimeError
        If Yosys refuses the module; its message is quoted.

    See Also
    --------
    map_to_luts : An estimate that needs no tool.

    Examples
    --------
    >>> import shutil
    >>> from bvar.circuit import Circuit, make_chip, yosys_luts
    >>> chip = make_chip(Circuit(2, [(0b1000, (0, 1))], outputs=[2]), answer="scores")
    >>> yosys_luts(chip) if shutil.which("yosys") else 1
    1
    """
    check_chip(chip)
    k = check_integer(k, "k", low=2, high=MAX_FAN_IN)
    if shutil.which("yosys") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "chip.v").write_text(chip_to_verilog(chip), encoding="ascii")
        command = ["yosys", "-p", f"read_verilog chip.v; synth -flatten -lut {k}; stat"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"yosys says: {done.stderr[:2000]}")
    return int((re.findall(r"\$lut\s+(\d+)", done.stdout) or ["0"])[-1])
