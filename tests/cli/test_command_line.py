"""Train and predict on the command line: CSV in, model and CSV out, and one line for every mistake."""

import csv
import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bvar
from bvar import backends, load
from bvar.cli import predict, train

RANDOM = np.random.RandomState(0)
AGE, PAY = RANDOM.randint(18, 80, 300), np.round(RANDOM.rand(300) * 1000, 2)
JOB = np.array(["cook", "smith, black", 'the "poet"', "pilöt", ""])[RANDOM.randint(0, 5, 300)]
RICH = np.where(PAY + 300 * (JOB == "pilöt") > 500, "yes", "no")
QUICK = ["--hidden", "32", "--max-iter", "8"]


def write(path, columns, names=None):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns if names is None else names)
        writer.writerows(zip(*columns.values(), strict=True))
    return str(path)


@pytest.fixture
def people(tmp_path):
    age = [str(a) if i % 10 else ("", "NA", "?", " nan ")[i // 10 % 4] for i, a in enumerate(AGE)]
    return write(tmp_path / "people.csv", {"age": age, "job": JOB, "pay": PAY, "rich": RICH})


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def refused(run, *arguments, text):
    code, _, errors = run(*arguments)
    assert code == 2
    assert errors.startswith("bvar: error: ")
    assert errors.count("\n") == 1
    assert text in errors, errors
    assert "Traceback" not in errors


def test_train_and_predict_a_class(tmp_path, run, people):
    model = tmp_path / "m.bvar"
    code, output, errors = run("train", people, "--target", "rich", "-o", model, *QUICK)
    assert (code, errors) == (0, "")
    lines = output.splitlines()
    assert "300 rows, 3 columns; classify 'rich', 2 classes" in lines[0]
    assert [line.split()[:2] for line in lines[1:5]] == [
        ["rich", "target"],
        ["age", "number"],
        ["job", "category"],
        ["pay", "number"],
    ]
    assert lines[5].startswith("trained on 240 rows in ")
    assert lines[6].startswith("accuracy on 60 rows held out: ")
    assert float(lines[6].split()[-1]) > 0.8
    assert lines[7] == f"{model} written, {model.stat().st_size} bytes"
    assert load(model).feature_names_in_.tolist() == ["age", "job", "pay"]
    assert load(model).encoder_.kinds_ == ["number", "category", "number"]
    out = tmp_path / "out.csv"
    code, output, errors = run("predict", model, people, "-o", out, "--proba")
    assert (code, output, errors) == (0, f"{out} written, 300 predictions\n", "")
    rows = read(out)
    assert rows[0] == ["prediction", "probability:no", "probability:yes"]
    assert np.mean([row[0] for row in rows[1:]] == RICH) > 0.8
    assert all(abs(float(row[1]) + float(row[2]) - 1) < 1e-12 for row in rows[1:])  # two divisions, one addition
    assert all((float(row[2]) > float(row[1])) == (row[0] == "yes") for row in rows[1:])


def test_train_and_predict_a_number(tmp_path, run):
    data = write(tmp_path / "d.csv", {"a": AGE, "b": PAY, "y": AGE + PAY / 10})
    code, output, _ = run("train", data, "--target", "y", "-o", tmp_path / "m", "--max-iter", 20, "--hidden", "64")
    assert code == 0
    assert "regress 'y', from" in output
    assert float(output.split("R2 on 60 rows held out:")[1].split()[0]) > 0.8
    code, output, _ = run("predict", tmp_path / "m", data)
    rows = output.splitlines()
    assert (code, rows[0], len(rows)) == (0, "prediction", 301)
    assert np.corrcoef([float(row) for row in rows[1:]], AGE + PAY / 10)[0, 1] > 0.9


def test_the_task_is_guessed_or_told(tmp_path, run):
    for column, task in (
        (AGE % 3, "classify"),
        (AGE % 3 + 0.5, "regress"),
        (np.arange(300) % 20, "classify"),
        (np.arange(300) % 21, "regress"),
        (AGE % 2 == 0, "classify"),
    ):
        data = write(tmp_path / "d.csv", {"a": AGE, "y": column})
        assert task in run("train", data, "--target", "y", "-o", tmp_path / "m", "--hidden", 8, "--max-iter", 1)[1]
    data = write(tmp_path / "d.csv", {"a": AGE, "y": AGE % 3})
    for task in ("regress", "classify"):
        options = ("--task", task, "--hidden", 8, "--max-iter", 1)
        assert f"{task} 'y'" in run("train", data, "--target", "y", "-o", tmp_path / "m", *options)[1]


@pytest.mark.parametrize(
    "labels", [["0", "1"], ["007", "7"], ["1.0", "2.0"], ["True", "False"], ["-1", "12345678901"]]
)
def test_labels_come_out_as_they_went_in(tmp_path, run, labels):
    data = write(tmp_path / "d.csv", {"a": AGE, "y": np.array(labels)[(AGE > 50).astype(int)]})
    assert run("train", data, "--target", "y", "-o", tmp_path / "m", "--task", "classify", *QUICK)[0] == 0
    rows = run("predict", tmp_path / "m", data)[1].splitlines()[1:]
    assert set(rows) == set(labels)


def test_a_seed_is_a_model(tmp_path, run, people):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        run("train", people, "--target", "rich", "-o", tmp_path / name, "--seed", seed, *QUICK)
    a, b, c = (load(tmp_path / name).network_.fingerprint() for name in "abc")
    assert a == b != c


def test_options_reach_the_model(tmp_path, run, people):
    options = ("--hidden", 12, 10, "--max-iter", 3, "--seed", 5, "--backend", "numpy", "--test-size", 0)
    code, output, _ = run("train", people, "--target", "rich", "-o", tmp_path / "m", *options)
    assert code == 0
    assert "held out" not in output
    assert "trained on 300 rows" in output
    model = load(tmp_path / "m")
    assert (list(model.hidden_layer_sizes), model.max_iter, model.random_state) == ([12, 10], 3, 5)
    assert (model.backend, model.backend_, model.n_iter_) == ("numpy", "numpy", 3)


def test_columns_are_found_by_name(tmp_path, run, people):
    run("train", people, "--target", "rich", "-o", tmp_path / "m", *QUICK)
    expected = run("predict", tmp_path / "m", people)[1]
    rows = read(people)[1:]
    other = write(
        tmp_path / "other.csv",
        dict(
            zip(
                ("pay", "new", "age", "job"),
                zip(*((r[2], "x", r[0], r[1]) for r in rows), strict=True),
                strict=True,
            )
        ),
    )
    assert run("predict", tmp_path / "m", other)[1] == expected
    assert run("predict", tmp_path / "m", other, "--backend", "numpy")[1] == expected


def test_blocks_of_rows_make_no_difference(tmp_path, run, people, monkeypatch):

    run("train", people, "--target", "rich", "-o", tmp_path / "m", *QUICK)
    expected = run("predict", tmp_path / "m", people, "--proba")[1]
    monkeypatch.setattr(predict, "_ROWS", 7)
    assert run("predict", tmp_path / "m", people, "--proba")[1] == expected


def test_new_categories_and_missing_values_are_predicted(tmp_path, run, people):
    run("train", people, "--target", "rich", "-o", tmp_path / "m", *QUICK)
    data = write(tmp_path / "d.csv", {"age": ["", "30"], "job": ["dentist", ""], "pay": ["NA", "1e3"]})
    rows = run("predict", tmp_path / "m", data)[1].splitlines()[1:]
    assert len(rows) == 2
    assert set(rows) <= {"yes", "no"}


def test_a_file_from_elsewhere_is_read(tmp_path, run, people):
    """A byte order mark, line ends of Windows, blank lines, spaces around cells, no last line end."""
    text = Path(people).read_text(encoding="utf-8")
    odd = "\ufeff" + text.replace("\n", "\r\n", 5).replace("\n", "\n\n", 7).rstrip()
    (tmp_path / "odd.csv").write_bytes(odd.replace("yes", " yes ").encode())
    for name in ("people.csv", "odd.csv"):
        assert run("train", tmp_path / name, "--target", "rich", "-o", tmp_path / f"{name}.bvar", *QUICK)[0] == 0
    a, b = (load(tmp_path / f"{name}.csv.bvar").network_.fingerprint() for name in ("people", "odd"))
    assert a == b
    assert load(tmp_path / "odd.csv.bvar").feature_names_in_.tolist() == ["age", "job", "pay"]


def test_an_underscore_makes_no_number(tmp_path, run):
    """Python reads 1_000, spreadsheets do not."""
    cells = ["1_000", *(str(i) for i in range(40))]
    data = write(tmp_path / "d.csv", {"a": cells, "y": ["no", "yes"] * 20 + ["no"]})
    out = ("-o", tmp_path / "m")
    refused(run, "train", data, "--target", "y", *out, text="line 2: column 'a' must hold finite numbers")
    refused(
        run, "train", data, "--target", "a", *out, "--task", "regress", text="line 2: the target 'a' must hold"
    )
    assert run("train", data, "--target", "y", *out, "--categorical", "a", *QUICK)[0] == 0
    assert load(tmp_path / "m").encoder_.kinds_ == ["category"]


def test_classes_are_held_out_in_proportion(tmp_path, run):
    y, arguments = np.array(["a"] * 40 + ["b"] * 10), Namespace(test_size=0.2, seed=0)
    for arguments.seed in range(10):
        kept, test = train._split(y, "classify", arguments)
        assert sorted([*kept, *test]) == list(range(50))
        assert sorted(y[test]) == ["a"] * 8 + ["b"] * 2
    y[-9:] = "a"  # one sample cannot be in both parts, and must be learnt
    for arguments.seed in range(10):
        kept, test = train._split(y, "classify", arguments)
        assert sorted([*kept, *test]) == list(range(50))
        assert "b" in y[kept]
        assert len(test) in (9, 10)


def test_models_made_in_python_predict_too(tmp_path, run):
    """Without names of columns, with Booleans, with categories that are numbers, of many outputs."""
    from bvar import BooleanClassifier, BooleanRegressor
    from bvar.encoding import OneHotBits, TableEncoder

    X = np.column_stack([AGE, PAY])
    data = write(tmp_path / "d.csv", {"u": AGE, "v": PAY})
    quick = {"hidden_layer_sizes": 8, "max_iter": 2, "random_state": 0}
    table = np.column_stack([(AGE > 40).astype(object), AGE % 5])
    flags = write(tmp_path / "flags.csv", {"u": np.where(AGE > 40, "true", "False"), "v": AGE % 5})
    many = np.column_stack([AGE > 40, PAY > 500]).astype(int)
    cases = (
        (BooleanClassifier(**quick), X, AGE > 50, data, "prediction"),
        (BooleanClassifier(**quick), X, many, data, "prediction:0,prediction:1"),
        (BooleanRegressor(**quick), X, X[:, :1] * [1, 2], data, "prediction:0,prediction:1"),
        (BooleanClassifier(**quick, encoder=TableEncoder(categorical=[1])), table, AGE > 50, flags, "prediction"),
        (BooleanClassifier(**quick, encoder=OneHotBits()), X, AGE > 50, data, "prediction"),
    )
    for model, x, y, path, header in cases:
        model.fit(x, y).save(tmp_path / "m")
        code, output, errors = run("predict", tmp_path / "m", path)
        assert (code, errors) == (0, "")
        lines = output.splitlines()
        assert lines[0] == header
        assert [line.split(",") for line in lines[1:]] == [
            [str(v) for v in row] for row in model.predict(x).reshape(300, -1).tolist()
        ]


# ----------------------------------------------------------------------------------------------- mistakes


def test_mistakes_in_names_of_files_and_columns(tmp_path, run, people):
    out = ("-o", tmp_path / "m")
    refused(run, "train", tmp_path / "no.csv", "--target", "y", *out, text="no.csv: No such file")
    refused(run, "train", tmp_path, "--target", "y", *out, text="Is a directory")
    refused(run, "train", people, "--target", "Rich", *out, text="no column 'Rich'; there are age, job, pay, rich")
    refused(run, "train", people, "--target", "rich", "-o", tmp_path / "no" / "m", text="no such directory")
    refused(run, "predict", tmp_path / "no.bvar", people, text="no.bvar: No such file")
    refused(run, "predict", people, people, text="not a bvar model file")
    run("train", people, "--target", "rich", *out, *QUICK)
    refused(run, "predict", tmp_path / "m", tmp_path / "no.csv", text="no.csv: No such file")
    data = write(tmp_path / "d.csv", {"age": AGE, "job": JOB})
    refused(run, "predict", tmp_path / "m", data, text="no column 'pay'; there are age, job")
    refused(run, "predict", tmp_path / "m", people, "-o", tmp_path / "no" / "out", text="no such directory")


BAD_CSV = {
    "empty": (b"", "empty file"),
    "blank": (b"\n\n", "empty file"),
    "no names": (b",,\n1,2,3\n", "no column names"),
    "names alone": (b"a,y\n", "no rows"),
    "too few cells": (b"a,y\n1,2\n3\n", "line 3: 1 cells, but the first line names 2 columns"),
    "too many cells": (b"a,y\n1,2,3\n", "line 2: 3 cells"),
    "ragged after a cell of two lines": (b'a,y\n"1\n2",3\n4\n', "line 4: 1 cells"),
    "name twice": (b"a,y,a\n1,2,3\n", "more than one column is called 'a'"),
    "target alone": (b"y\n1\n2\n", "no column but the target"),
    "target empty": (b"a,y\n1,2\n2,\n", "line 3: the target 'y' is empty"),
    "one class": (b"a,y\n" + b"1,no\n" * 9, "at least two classes"),
    "one row": (b"a,y\n1,2\n", ""),
    "open quote": (b'a,y\n"1,2\n3,4\n', "line 3: unexpected end of data"),
    "not text": (b"a,y\n1,\xff\xfe\n", "not a text file in UTF-8"),
    "nothing but missing": (b"a,y\n" + b",no\n,yes\n" * 9, ""),
    "infinity": (b"a,y\n" + b"1,no\ninf,yes\n" * 9, "must hold finite numbers"),
}


@pytest.mark.parametrize("name", BAD_CSV)
def test_mistakes_in_a_file(tmp_path, run, name):
    data, text = BAD_CSV[name]
    (tmp_path / "d.csv").write_bytes(data)
    refused(run, "train", tmp_path / "d.csv", "--target", "y", "-o", tmp_path / "m", text=text)
    assert not (tmp_path / "m").exists()


def test_mistakes_in_values_say_where(tmp_path, run, people):
    out = ("-o", tmp_path / "m")
    refused(
        run,
        "train",
        people,
        "--target",
        "rich",
        *out,
        "--task",
        "regress",
        text="line 2: the target 'rich' must",
    )
    run("train", people, "--target", "rich", *out, *QUICK)
    data = write(tmp_path / "d.csv", {"age": ["1", "x2"], "job": ["", ""], "pay": ["3", "4"]})
    refused(
        run,
        "predict",
        tmp_path / "m",
        data,
        text="line 3: column 'age' must hold finite numbers, written like",
    )
    data = write(tmp_path / "d.csv", {"age": [], "job": [], "pay": []})
    refused(run, "predict", tmp_path / "m", data, text="no rows")


def test_mistakes_in_options(tmp_path, run, people):
    base = ("train", people, "--target", "rich", "-o", tmp_path / "m")
    refused(run, *base, "--test-size", 1.5, text="--test-size must be a number in [0, 1), got '1.5'")
    refused(run, *base, "--test-size", "nan", text="--test-size")
    refused(run, *base, "--hidden", 0, text="--hidden must be an integer")
    refused(run, *base, "--max-iter", 0, text="--max-iter must be an integer")
    refused(run, *base, "--seed", -1, text="--seed")
    refused(run, *base, "--backend", "abacus", text="abacus")
    data = write(tmp_path / "d.csv", {"a": AGE, "y": PAY})
    run("train", data, "--target", "y", "-o", tmp_path / "m", "--hidden", 4, "--max-iter", 1)
    refused(run, "predict", tmp_path / "m", data, "--proba", text="no probabilities")
    refused(run, "predict", tmp_path / "m", data, "--backend", "abacus", text="abacus")


def test_only_models_that_predict_are_applied(tmp_path, run, people):
    from bvar import ThermometerEncoder, model_file
    from bvar.networks import boolean_mlp

    for other in (boolean_mlp([2, 2], random_state=0), ThermometerEncoder().fit(PAY[:, None])):
        model_file.save(other, tmp_path / "m")
        refused(run, "predict", tmp_path / "m", people, text=f": {type(other).__name__} makes no predictions")


def test_networks_of_floats_are_refused_as_they_have_no_encoder(tmp_path, run, people):
    from bvar import model_file
    from bvar.augmentation import AugmentedClassifier
    from bvar.mollify import MollifiedClassifier

    for model in (MollifiedClassifier(4, max_iter=1), AugmentedClassifier(hidden_layer_sizes=4, max_iter=1)):
        model_file.save(model.fit(PAY[:, None], PAY > 500), tmp_path / "m")
        for options in ((), ("--proba",), ("--backend", "numpy")):
            text = f"must hold a model with an encoder of columns, got {type(model).__name__}, which has none"
            refused(run, "predict", tmp_path / "m", people, *options, text=text)


def test_a_loss_without_probabilities_is_no_regression(tmp_path, run):
    from bvar import BooleanClassifier, model_file
    from bvar.networks import SquaredError

    model = BooleanClassifier(4, loss=SquaredError(4), max_iter=1, random_state=0)
    model_file.save(model.fit(PAY[:, None], np.column_stack([PAY > 500, PAY > 700]).astype(int)), tmp_path / "m")
    data = write(tmp_path / "d.csv", {"pay": PAY})
    text = "--proba: a classification by this loss has no probabilities"
    refused(run, "predict", tmp_path / "m", data, "--proba", text=text)


# ------------------------------------------------------------------------------------------ as a process


def process(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "bvar", *map(str, arguments)],
        **{"capture_output": True, "text": True, "timeout": 300, **options},
    )


def test_the_commands_run_as_a_process(tmp_path, people):
    """With warnings as errors, and without pandas."""
    (tmp_path / "pandas.py").write_text("raise ImportError('not here')")
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    model = tmp_path / "m.bvar"
    result = process("train", people, "--target", "rich", "-o", model, *QUICK, env=environment)
    assert (result.returncode, result.stderr) == (0, "")
    result = process("predict", model, people, env=environment | {"BVAR_BACKEND": backends.available()[0]})
    assert (result.returncode, result.stderr) == (0, "")
    assert len(result.stdout.splitlines()) == 301
    result = process("predict", people, people)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"bvar: error: {people}: not a bvar model file\n"


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
def test_a_reader_that_leaves_is_no_error(tmp_path, people, run):
    run("train", people, "--target", "rich", "-o", tmp_path / "m", *QUICK)
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as gone:
        result = process(
            "predict", tmp_path / "m", people, stdout=gone, capture_output=False, stderr=subprocess.PIPE
        )
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("command", ["train", "predict"])
def test_help_says_what_is_needed(command):
    result = process(command, "--help")
    assert result.returncode == 0
    assert "CSV file" in result.stdout
    result = process(command)
    assert result.returncode == 2
    assert "required" in result.stderr


def test_categories_that_are_large_integers_stay_apart(tmp_path, run):
    ids = [str(2**53 + i) for i in range(4)]
    column = np.array(ids)[np.arange(300) % 4]
    data = write(tmp_path / "d.csv", {"id": column, "y": np.where(column == ids[1], "yes", "no")})
    options = ("--categorical", "id", "-o", tmp_path / "m")
    assert "4 categories written as numbers" in run("train", data, "--target", "y", *options, *QUICK)[1]
    assert load(tmp_path / "m").encoder_.categories_[0] == [2**53 + i for i in range(4)]
    rows = run("predict", tmp_path / "m", data)[1].splitlines()[1:]
    assert rows == np.where(column == ids[1], "yes", "no").tolist()


def test_predictions_that_cannot_be_written_leave_the_old_ones(tmp_path, run, people, monkeypatch):
    run("train", people, "--target", "rich", "-o", tmp_path / "m", *QUICK)
    (tmp_path / "o.csv").write_text("old")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    refused(
        run, "predict", tmp_path / "m", people, "-o", tmp_path / "o.csv", text="o.csv: No space left on device"
    )
    assert (tmp_path / "o.csv").read_text() == "old"


@pytest.mark.parametrize("ids", [["age", "age"], ["prediction"]])
def test_no_two_columns_of_predictions_have_one_name(tmp_path, run, ids):
    data = write(tmp_path / "d.csv", {"age": AGE, "prediction": AGE, "y": AGE > 50})
    run("train", data, "--target", "y", "-o", tmp_path / "m", *QUICK)
    text = f"--id: the predictions would have more than one column called '{ids[0]}'"
    refused(run, "predict", tmp_path / "m", data, "--id", *ids, text=text)


def test_a_name_that_comes_twice_is_found_where_it_is(tmp_path, run):
    (tmp_path / "d.csv").write_text("\nx,x,y\n1,2,no\n")
    refused(run, "train", tmp_path / "d.csv", "--target", "y", "-o", tmp_path / "m", text="line 2: more than one")


def test_rows_are_found_where_they_begin(tmp_path, run):
    (tmp_path / "d.csv").write_text('x,c\n1,"p\nq"\n2,"p\nq",\n')
    refused(run, "train", tmp_path / "d.csv", "--target", "c", "-o", tmp_path / "m", text="line 4: 3 cells")


def test_a_folder_that_may_not_be_written_to_is_refused_before_training(tmp_path, run, people, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    text = "--output must be in a folder that may be written to"
    refused(run, "train", people, "--target", "rich", "-o", tmp_path / "m", text=text)


def test_a_terminal_that_cannot_show_a_name_stops_nothing(tmp_path):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    data = write(tmp_path / "d.csv", {"größe": AGE, "y": np.where(AGE > 50, "pilöt", "cook")})
    command = [sys.executable, "-m", "bvar", "train", data, "--target", "y", "-o", str(tmp_path / "m"), *QUICK]
    done = subprocess.run(command, env=environment, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    command = [sys.executable, "-m", "bvar", "predict", str(tmp_path / "m"), data]
    done = subprocess.run(command, env=environment, capture_output=True)
    assert "pilöt".encode() in done.stdout


def test_info_names_the_numbers_that_are_predicted(tmp_path, run):
    y = pd.DataFrame({"height": AGE / 2, "weight": PAY})
    bvar.BooleanRegressor((8,), max_iter=1, random_state=0).fit(np.c_[AGE, PAY], y).save(tmp_path / "m")
    output = run("info", tmp_path / "m")[1]
    assert "a number, height; those" in output
    assert "a number, weight; those" in output
