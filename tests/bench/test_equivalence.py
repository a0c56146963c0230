"""What is exported is proved to be what was trained; a tool that is missing is named."""

import shutil
from types import SimpleNamespace

import pytest

from bvar.circuit import Circuit, make_chip
from tests.bench import equivalence
from tests.bench.hardware import ABC, image_data, image_model

MISSING = [name for name, found in (("berkeley-abc", ABC), ("yosys", shutil.which("yosys"))) if not found]
needs_both = pytest.mark.skipif(bool(MISSING), reason=f"nothing is proved, not installed: {', '.join(MISSING)}")


@needs_both
def test_all_exports_of_trained_digits_are_proved_equal(capsys):
    (X, _, y, _), shape, _, width = image_data(SimpleNamespace(quick=True))
    found = equivalence.show(image_model(X, y, shape), width, level=2)
    assert {what: same for what, (same, _) in found.items()} == {
        "simplified or not": True,
        "BLIF and AIGER as text, read back": True,
        "BLIF and binary AIGER": True,
        "the chip's gates and its Verilog": True,
    }
    assert "no answer" not in capsys.readouterr().out


@needs_both
def test_a_wrong_gate_is_no_equal_circuit():
    right, wrong = (Circuit(3, [(table, (0, 1)), (6, (2, 3))], [3, 4], 2) for table in (0b1000, 0b1001))
    found = equivalence.prove(right, wrong, make_chip(right))
    assert [same for same, _ in found.values()] == [False, True, True, True]


def test_without_abc_nothing_is_said_to_be_proved(monkeypatch, capsys):
    monkeypatch.setattr(equivalence, "ABC", None)
    monkeypatch.setattr(equivalence, "YOSYS", None)
    circuit = Circuit(3, [(8, (0, 1))], [3, 2], 2)
    chip = make_chip(circuit)
    model = SimpleNamespace(circuit=lambda simplify: circuit, chip=lambda level, width: chip)
    assert equivalence.show(model, 8, 2) == {}
    assert "ABC is not installed: nothing is proved" in capsys.readouterr().out
