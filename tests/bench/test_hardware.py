"""The tables of the FPGA field, on made-up data of their form."""

import numpy as np
import pytest

from tests.bench import hardware
from tests.bench.fpga_data import JET_CLASSES, load_jets, load_nid, to_integers

ARFF = "% jets\n@relation jets\n{}@attribute class {{g,q,t,w,z}}\n\n@data\n{}"


def jets(n):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 5, n)
    X = rng.normal(size=(n, 16)) + y[:, None]
    return X, y, [f"{','.join(map(repr, row.tolist()))},{JET_CLASSES[c]}" for row, c in zip(X, y, strict=True)]


def test_jets_are_read_from_both_forms(tmp_path):
    X, y, lines = jets(50)
    names = [f"zlogz_{i}" for i in range(16)]
    attributes = "".join(f"@attribute {name} real\n" for name in names)
    (tmp_path / "jets.arff").write_text(ARFF.format(attributes, "\n".join(lines)))
    (tmp_path / "jets.csv").write_text("\n".join([",".join([*names, "class"]), *lines]))
    for name in ("jets.arff", "jets.csv"):
        got, classes = load_jets(tmp_path / name)
        np.testing.assert_array_equal(got, X)
        assert classes.tolist() == y.tolist()


def test_what_are_no_jets_is_refused(tmp_path):
    _, _, lines = jets(3)
    head = ",".join([*(f"c{i}" for i in range(16)), "class"])
    for text, message in (
        ("\n".join([head, lines[0][:-1] + "x"]), "must have the classes g, q, t, w, z, got"),
        ("a,b\n1,g", "must have 16 columns and a class, got 2"),
    ):
        (tmp_path / "bad.csv").write_text(text)
        with pytest.raises(ValueError, match=message):
            load_jets(tmp_path / "bad.csv")


def test_intrusions_are_read_from_both_forms(tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 2, (20, 593)), rng.integers(0, 2, 20)
    np.savetxt(tmp_path / "nid.csv", np.column_stack([X, y]), "%d", ",")
    np.savez(tmp_path / "nid.npz", X=X, y=y)
    for name in ("nid.csv", "nid.npz"):
        got, classes = load_nid(tmp_path / name)
        np.testing.assert_array_equal(got, X)
        assert classes.tolist() == y.tolist()
    np.savez(tmp_path / "bad.npz", X=X[:, 1:], y=y)
    with pytest.raises(ValueError, match="593 columns"):
        load_nid(tmp_path / "bad.npz")


def test_columns_become_integers_of_a_width():
    X = np.column_stack([np.linspace(-3, 5, 1000), np.full(1000, 7.0)])
    train, test = to_integers(X, np.array([[-99.0, 7.0], [99.0, 8.0]]), 6)
    assert train.min() == 0
    assert train.max() == 63
    assert test[:, 0].tolist() == [0, 63]
    assert set(train[:, 1].tolist()) == {0}


def test_the_script_runs_on_made_up_jets(tmp_path, capsys):
    _, _, lines = jets(400)
    head = ",".join([*(f"c{i}" for i in range(16)), "class"])
    (tmp_path / "jets.csv").write_text("\n".join([head, *lines]))
    hardware.main(
        ["--jets", str(tmp_path / "jets.csv"), "--layers", "40", "20", "--epochs", "3", "--simulate", "0"]
    )
    said = capsys.readouterr().out
    assert "jets: 400 rows" in said
    assert "the netlist differs on 0" in said
