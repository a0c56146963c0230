"""What the options of ``train``, ``predict`` and ``info`` do."""

import numpy as np
import pytest

from bvar import load

RANDOM = np.random.RandomState(1)
SIZE = RANDOM.randint(0, 100, 120)
WARD = RANDOM.randint(1, 4, 120)
ILL = np.where((SIZE > 50) ^ (WARD == 2), "yes", "no")
QUICK = ("--hidden", 16, "--max-iter", 3)


def table(separator=",", names=("", "patient", "size", "ward", "ill")):
    rows = [separator.join(names)]
    rows += [f"{i}{separator}p{i}{separator}{SIZE[i]}{separator}{WARD[i]}{separator}{ILL[i]}" for i in range(120)]
    return "\n".join(rows) + "\n"


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "ill.csv"
    path.write_text(table())
    return path


def trained(run, data, *options, target="ill"):
    model = data.parent / "m.bvar"
    code, output, errors = run("train", data, "--target", target, "-o", model, *QUICK, *options)
    assert (code, errors) == (0, "")
    return load(model), output


def test_an_index_is_not_learnt_silently(run, data):
    """Sorted by the target, it would give the target away."""
    model, output = trained(run, data)
    assert model.feature_names_in_.tolist() == ["size", "ward"]
    assert "  (column 1)                left out  it has no name" in output


def test_columns_are_what_the_options_say(run, data):
    model, output = trained(run, data, "--categorical", "ward", "--id", "patient")
    assert model.encoder_.kinds_ == ["number", "category"]
    assert model.encoder_.categories_[1] == [1, 2, 3]
    assert "it names the rows, as --id says" in output
    model, output = trained(run, data, "--ignore", "ward", "patient")
    assert model.feature_names_in_.tolist() == ["size"]
    assert output.count("as --ignore says") == 2


def test_numbers_that_are_categories_are_read_again(run, data, tmp_path):
    """1, 1.0 and 01 are one category, NA is none, and 9 is a new one."""
    trained(run, data, "--categorical", "ward")
    wards = ["1", "1.0", "01", "", "NA", "9"]
    (tmp_path / "new.csv").write_text("size,ward\n" + "".join(f"60,{ward}\n" for ward in wards))
    code, output, _ = run("predict", tmp_path / "m.bvar", tmp_path / "new.csv", "--proba")
    answers = output.splitlines()[1:]
    assert code == 0
    assert answers[0] == answers[1] == answers[2]
    assert answers[3] == answers[4]


@pytest.mark.parametrize(("separator", "option"), [(";", ";"), ("\t", "tab"), ("\t", "\\t"), ("|", "|")])
def test_the_delimiter_goes_for_both_files(run, data, separator, option):
    model, _ = trained(run, data)
    expected = model.network_.fingerprint()
    data.write_text(table(separator))
    assert trained(run, data, "--delimiter", option)[0].network_.fingerprint() == expected
    command = ("predict", data.parent / "m.bvar", data, "--delimiter", option, "--id", "patient", "ward")
    lines = run(*command)[1].splitlines()
    assert lines[0] == separator.join(["patient", "ward", "prediction"])
    assert lines[7].split(separator)[:2] == ["p6", str(WARD[6])]


def test_ids_and_probabilities_stand_beside_predictions(run, data):
    trained(run, data)
    lines = run("predict", data.parent / "m.bvar", data, "--id", "patient", "--proba")[1].splitlines()
    assert lines[0] == "patient,prediction,probability:no,probability:yes"
    assert [line.split(",")[0] for line in lines[1:]] == [f"p{i}" for i in range(120)]


def test_gates_and_convolutions_are_trained(run, data, tmp_path):
    model, _ = trained(run, data, "--model", "gates")
    assert type(model).__name__ == "LogicGateClassifier"
    assert list(model.layer_sizes) == [16]
    pixels = np.column_stack([RANDOM.randint(0, 9, (60, 16)), np.arange(60) % 2])
    path = tmp_path / "images.csv"
    names = [*(f"pixel{i}" for i in range(16)), "ill"]
    path.write_text("\n".join([",".join(names), *(",".join(map(str, row)) for row in pixels)]) + "\n")
    model, _ = trained(run, path, "--model", "conv")
    assert model.image_shape_ == (4, 4, 1)
    assert run("predict", tmp_path / "m.bvar", path)[1].count("\n") == 61


def test_classes_weigh_what_the_option_says(run, data):
    assert trained(run, data)[0].class_weight is None
    assert trained(run, data, "--class-weight", "balanced")[0].class_weight == "balanced"
    assert trained(run, data, "--class-weight", "yes=2.5")[0].class_weight == {"no": 1.0, "yes": 2.5}
    weighted, _ = trained(run, data, "--class-weight", "1=2", target="ward")
    assert weighted.class_weight == {1: 2.0, 2: 1.0, 3: 1.0}


def test_a_wide_table_names_what_is_odd(run, tmp_path):
    path = tmp_path / "wide.csv"
    rows = [[*(str(v) for v in RANDOM.randint(0, 9, 30)), "" if i == 5 else "3", "ab"[i % 2]] for i in range(20)]
    path.write_text("\n".join(map(",".join, [[*(f"v{j}" for j in range(31)), "y"], *rows])) + "\n")
    _, output = trained(run, path, target="y")
    assert "and 10 more columns of numbers without a gap; --verbose names them" in output
    assert "1 missing, the first in line 7" in output
    assert "  v29 " not in output
    assert "  v29 " in trained(run, path, "--verbose", target="y")[1]


def test_info_says_what_a_file_holds(run, data):
    model, _ = trained(run, data, "--categorical", "ward")
    code, output, errors = run("info", data.parent / "m.bvar")
    assert (code, errors) == (0, "")
    assert "m.bvar: BooleanClassifier, " in output
    assert "predicts  2 classes: no, yes\n" in output
    assert "columns   size (number), ward (category)\n" in output
    assert f"weights   SHA-256 {model.network_.fingerprint()}\n" in output
    assert model.network_.summary() in output


def test_info_knows_every_model(run, tmp_path):
    from bvar import BooleanClassifier, BooleanRegressor, OneHotBits, ThermometerEncoder, model_file
    from bvar.augmentation import AugmentedClassifier
    from bvar.mollify import MollifiedClassifier
    from bvar.networks import boolean_mlp

    X = SIZE[:, None]
    epoch = {"max_iter": 1, "random_state": 0}
    quick = {"hidden_layer_sizes": 8, **epoch}
    for model, text in (
        (BooleanRegressor(**quick).fit(X, SIZE / 10), "a number; those of the training had mean"),
        (
            BooleanClassifier(**quick).fit(X, np.column_stack([SIZE > 30, SIZE > 60]).astype(int)),
            "2 labels, each 0 or 1",
        ),
        (boolean_mlp([2, 2], random_state=0), "linear1.weight"),
        (ThermometerEncoder().fit(X), "ThermometerEncoder, 1 column to 8 bits"),
        (OneHotBits().fit(X), "OneHotBits, 1 column to"),
        (MollifiedClassifier(4, **epoch).fit(X, SIZE > 40), "trained   1 epoch, seed 0\n"),
        (AugmentedClassifier(hidden_layer_sizes=4, **epoch).fit(X, SIZE > 40), "trained   1 epoch, seed 0\n"),
    ):
        model_file.save(model, tmp_path / "m")
        code, output, _ = run("info", tmp_path / "m")
        assert code == 0
        assert text in output


def test_the_largest_numbers_raise_no_warning(run, tmp_path):
    """A check of scikit-learn adds them up; what it is told of that is no concern of the user's."""
    path = tmp_path / "large.csv"
    path.write_text("a,ill\n" + "1e308,no\n-1e308,yes\n" * 20)
    _, output = trained(run, path)
    assert "40 numbers from -1e+308 to 1e+308" in output
    assert run("predict", tmp_path / "m.bvar", path)[1:] == ("prediction\n" + "no\nyes\n" * 20, "")


def test_rows_are_held_out_by_their_seed_alone(run, data):
    a, b = (trained(run, data, "--seed", 3)[1].split("accuracy")[1] for _ in range(2))
    assert a == b


def test_no_row_of_a_single_column_gets_lost(run, data, tmp_path):
    """A blank line may be a missing cell there: left out, all later predictions would be one row too high."""
    trained(run, data, "--ignore", "ward", "patient")
    (tmp_path / "gap.csv").write_text("size\n60\n\n20\n")
    code, output, errors = run("predict", tmp_path / "m.bvar", tmp_path / "gap.csv")
    assert (code, output) == (2, "")
    assert "gap.csv, line 3: a cell of a single column must be written, NA if missing" in errors
    (tmp_path / "gap.csv").write_text("size\n60\nNA\n20\n\n\n")
    assert run("predict", tmp_path / "m.bvar", tmp_path / "gap.csv")[1].count("\n") == 4
