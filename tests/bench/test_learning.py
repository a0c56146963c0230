"""The bench of learning itself: its splits, that it goes on where it stopped, and what it makes of results."""

import json

import numpy as np
import pandas as pd
import pytest

from tests.bench import learning, learning_models, learning_report
from tests.bench.learning_data import NUMBERS, OWN, SEEN, TABLES, Split, load, splits


@pytest.fixture
def folder(tmp_path):
    """Return small files in the form of the large ones."""
    rng = np.random.default_rng(0)
    monk = {
        f"monk1_{part}_{kind}": rng.integers(1, 4, (20, 6)[: 1 + (kind == "X")])
        for part in ("train", "test")
        for kind in "Xy"
    }
    xd6 = np.repeat(rng.permutation(64)[:30], 3)
    np.savez(tmp_path / "boolean_concepts.npz", xd6_X=xd6[:, None] >> np.arange(6) & 1, xd6_y=xd6 % 2, **monk)
    X = rng.integers(0, 3, (30, 2)).astype(float)
    X[0] = np.nan
    np.savez(
        tmp_path / "tables.npz", heart_X=X, heart_y=np.arange(30) % 2, heart_categorical=np.array([True, False])
    )
    np.savez(
        tmp_path / "adult.npz",
        **{f"{k}_{p}": np.ones((4, 2)[: 1 + (k == "X")]) for k in "Xy" for p in ("train", "test")},
    )
    np.savez(tmp_path / "abalone.npz", X=rng.random((40, 3)), y=rng.random(40))
    return tmp_path


def test_each_table_is_named_once_and_those_seen_are_among_them():
    assert len(set(TABLES)) == len(TABLES) == 46
    assert set(TABLES) > SEEN
    assert set(NUMBERS) | set(OWN) < set(TABLES)


def test_files_become_frames_whose_categories_are_declared(folder):
    ((X, y),) = load("heart", folder)
    assert [isinstance(dtype, pd.CategoricalDtype) for dtype in X.dtypes] == [True, False]
    assert X.isna().sum().tolist() == [1, 1]
    assert y.tolist() == [0, 1] * 15
    assert len(load("monk1", folder)) == len(load("adult", folder)) == 2
    assert all(isinstance(dtype, pd.CategoricalDtype) for X, _ in load("monk1", folder) for dtype in X.dtypes)


def test_rows_of_a_concept_are_in_one_part_of_a_split_alone(folder):
    parts = list(splits("xd6", folder))
    assert [seed for seed, _ in parts] == [0, 1, 2]
    for _, split in parts:
        rows = [set(map(tuple, X.to_numpy().tolist())) for X in (split.X_train, split.X_test)]
        assert not rows[0] & rows[1]
        assert sum(map(len, rows)) == len(split.X_train) + len(split.X_test) == 30


def test_a_split_that_is_given_is_kept(folder):
    (_, one), *_ = splits("monk1", folder)
    assert len(one.X_train) == len(one.X_test) == 20
    assert len(list(splits("abalone", folder, 2))) == 2


def test_a_run_goes_on_where_it_stopped(folder, tmp_path, monkeypatch, capsys):
    path, asked = tmp_path / "results.json", []

    def measure(name, seed, split, *, numbers):
        asked.append((name, seed))
        if len(asked) == 3:
            raise KeyboardInterrupt
        return None if numbers and name == "gates" else {"score": 0.5}

    monkeypatch.setattr(learning, "measure", measure)
    with pytest.raises(KeyboardInterrupt):
        learning.run(path, folder, ["xd6"], ["linear", "MLP"], None)
    learning.run(path, folder, ["xd6"], ["linear", "MLP"], None)
    assert asked == [("linear", 0), ("MLP", 0), *[("linear", 1)] * 2, ("MLP", 1), ("linear", 2), ("MLP", 2)]
    learning.run(path, folder, ["xd6"], ["linear", "MLP"], None)
    assert len(asked) == 7
    learning.run(path, folder, ["abalone"], ["gates"], 1)
    found = json.loads(path.read_text())
    assert found["xd6"]["MLP"] == {str(seed): {"score": 0.5} for seed in range(3)}
    assert "xd6, MLP, split 2: score 0.5" in capsys.readouterr().out


def test_what_is_measured_of_a_model():
    X, y = load("iris", None)[0]
    split = Split(X[::2], X[1::2], y[::2], y[1::2])
    found = learning_models.measure("linear", 0, split, numbers=False)
    assert list(found) == list(learning_report.METRICS)
    assert found["score"] == pytest.approx(found["balanced"], abs=0.02)
    assert found["score"] > 0.9 > 0.5 > found["log_loss"]
    assert learning_models.measure("gates", 0, split, numbers=True) is None


def test_the_calibration_error_is_the_distance_of_confidence_and_accuracy():
    p = np.array([[0.9, 0.1]] * 10 + [[0.35, 0.65]] * 10)
    right = np.arange(20) % 10 < 8
    assert learning_models.calibration_error(p, right) == pytest.approx((0.1 + 0.15) / 2)


# ------------------------------------------------------------------------------------ reports

RESULTS = {
    "iris": {"Boolean": {"0": {"score": 0.9}, "1": {"score": 1.0}}, "MLP": {"0": {"score": 0.96}}},
    "pima": {"Boolean": {"0": {"score": 0.7}}, "MLP": {"0": {"score": 0.8}}},
    "diabetes": {"Boolean": {"0": {"score": 0.5, "ece": None}}, "MLP": {"0": {"score": 0.4, "ece": None}}},
    "wine": {"MLP": {"0": {"score": 1.0}}},
}


def test_tables_of_a_report_are_means_over_splits():
    lines = learning_report.markdown(RESULTS, ["Boolean", "MLP"], "score").splitlines()
    assert lines[2:] == [
        "| iris | 95.0 | 96.0 |",
        "| wine |  | 100.0 |",
        "| pima | 70.0 | 80.0 |",
        "| diabetes (seen) | 0.500 | 0.400 |",
    ]
    assert learning_report.measured(RESULTS, ["Boolean", "MLP"]) == ["iris", "pima", "diabetes"]
    ranks = learning_report.ranks(RESULTS, ["Boolean", "MLP"], ["iris", "pima", "diabetes"])
    assert ranks.tolist() == [[2, 1], [2, 1], [1, 2]]
    assert learning_report.losses(RESULTS, ["Boolean", "MLP"]) == "* Boolean: pima"


def test_the_critical_difference_is_that_of_the_literature():
    """Demsar (2006), section 3.2.2: four classifiers on fourteen tables."""
    assert learning_report.critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)


def test_models_that_chance_may_part_are_joined():
    assert learning_report.cliques([1.0, 1.5, 2.4, 2.5, 4.0], 1.1) == [(0, 1), (1, 3)]
    assert learning_report.cliques([1.0, 3.0], 1.1) == []
    assert learning_report.cliques([1.0, 1.0, 1.0], 1.1) == [(0, 2)]


def test_the_page_is_printed_from_a_file_alone(tmp_path, monkeypatch, capsys):
    row = dict.fromkeys(learning_report.METRICS, 0.5)
    scores = {"linear": (0.9, 0.8, 0.7), "MLP": (0.8, 0.9, 0.8), "forest": (0.7, 0.6, 0.9)}
    results = {
        table: {model: {"0": row | {"score": values[i]}} for model, values in scores.items()}
        for i, table in enumerate(("iris", "wine", "pima"))
    }
    path, picture = tmp_path / "results.json", tmp_path / "ranks.svg"
    learning.store(results, path)
    arguments = ["--results", str(path), "--picture", str(picture), "--report", "ece"]
    monkeypatch.setattr("sys.argv", ["learning", *arguments])
    learning.main()
    out = capsys.readouterr().out
    assert "| iris | 0.500 | 0.500 | 0.500 |" in out
    assert "| MLP | 1.67 | 1.67 | 50.0 | 0.500 | 0.500 | 1.5 | 0 | 0 | 0 |" in out
    assert "* forest: iris, wine\n" in out
    assert picture.read_text().startswith("<?xml")
