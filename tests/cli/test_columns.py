"""What cells, columns and targets are taken for: one test a rule, each with its opposite beside it."""

from pathlib import Path

import numpy as np
import pytest

from bvar.cli.cells import cell_type
from bvar.cli.columns import Column, report, values
from bvar.cli.command import CommandError
from bvar.cli.target import learn_target

CELLS = {
    "empty": [""],
    "missing": ["NA", "n/a", "nan", "NaN", "-nan", "NULL", "None", "?"],
    "number": ["0", "-1", "+1", "1.5", ".5", "1e3", "1E-3", "0.5", "00.5", "١٢"],
    "infinite": ["inf", "-Infinity", "1e400"],
    "code": ["00", "007", "00501"],
    "commas": ["1,500", "3,5", "-3,5", "1,500.25", "1.500,25", "1,500,000"],
    "date": [
        *("2024-01-31", "2024/1/31", "31.12.1999", "1/31/24", "31 Dec 2024", "Dec 31, 2024", "5-Jan-2024"),
        *("2024-01-31 12:30", "2024-01-31T12:30:05.25Z", "2024-01-31T12:30:05+01:00", "12:30", "1:05 pm"),
    ],
    "text": ["a", "7 kg", "1_000", "<0.1", "50%", "$5", "1.2.3.4", "true", "0x10", "march", "1-2", "-", ","],
}


@pytest.mark.parametrize(("expected", "cell"), [(t, cell) for t, cells in CELLS.items() for cell in cells])
def test_a_cell_is_what_its_spelling_says(expected, cell):
    assert cell_type(cell) == expected


def column(cells, name="a"):
    return Column(Path("d.csv"), name, 0, range(2, len(cells) + 2), cells)


def decided(cells, option=None, name="a"):
    found = report(column(cells, name), option)
    return found.taken_for, found.why


NUMBERS = ["1", "2.5", "3", "2.5"]
TEXTS = ["cook", "smith", "cook", "smith", "pilot"]


@pytest.mark.parametrize(
    ("cells", "taken_for", "why"),
    [
        (NUMBERS, "number", "4 numbers from 1 to 3"),
        ([*NUMBERS, "", "NA"], "number", "4 numbers from 1 to 3, 2 missing, the first in line 6"),
        ([*NUMBERS, "NA"], "number", "4 numbers from 1 to 3, 1 missing, the first is 'NA' in line 6"),
        (["4", "5", "6"], "number", "3 numbers from 4 to 6; they count the rows: --ignore a if that is all"),
        (["4", "5", "7"], "number", "3 numbers from 4 to 7"),
        (TEXTS, "category", "3 categories"),
        (["", *TEXTS], "category", "3 categories, 1 missing, the first in line 2"),
        (
            ["none", "none", *TEXTS],
            "category",
            "4 categories; a word for nothing is one of them, the first 'none' in line 2",
        ),
        (
            [*TEXTS, "7", "7"],
            "category",
            "4 categories; 2 cells like a number or date, the first '7' in line 7",
        ),
        (
            ["00501", "90210"] * 2,
            "category",
            "2 categories; text since some begin with a zero, the first '00501' in line 2",
        ),
        (["90210"] * 4, "number", "4 numbers from 90210 to 90210"),
        (["00501", "00502", "00503"], "left out", "text that hardly repeats, the first '00501' in line 2"),
        (["", "NA", "?"], "left out", "no cell has a value"),
        (["2024-01-31", "2024-01-31"], "left out", "dates, the first '2024-01-31' in line 2"),
        (["2024-01-31", "later"], "left out", "dates"),
        (
            ["x", "y", "z"],
            "left out",
            "text that hardly repeats, the first 'x' in line 2; --categorical a keeps it",
        ),
        (["x", "y", "z", "z", "z", "x"], "category", "3 categories"),
    ],
)
def test_a_column_is_taken_for_what_all_its_cells_say(cells, taken_for, why):
    found = decided(cells)
    assert found[0] == taken_for
    assert found[1] == why or (taken_for == "left out" and found[1].startswith(why))


@pytest.mark.parametrize("name", ["", "Unnamed: 0"])
def test_a_column_without_a_name_is_left_out(name):
    """An index that was saved with its table; learnt, it gives away how the rows were sorted."""
    assert decided(NUMBERS, name=name)[0] == "left out"
    assert decided(NUMBERS, name="Unnamed: x")[0] == "number"


@pytest.mark.parametrize("odd", ["7 kg", "3,5", "1,500", "<0.1", "inf", "2024-01-31", "007", "x", "1_000"])
def test_an_odd_cell_among_numbers_is_refused_with_its_line(odd):
    with pytest.raises(CommandError, match=r"^d\.csv, line 6: column 'a' must hold finite numbers") as caught:
        report(column([*NUMBERS, odd, "12"]))
    assert f"got {odd!r}" in str(caught.value)


def test_numbers_with_commas_alone_are_refused_too():
    """No one can tell whether 3,5 is three and a half or thirty-five."""
    with pytest.raises(CommandError, match="line 2"):
        report(column(["3,5", "4,5", "3,5"]))


def test_options_go_before_rules():
    assert decided(NUMBERS, "--categorical") == ("category", "3 categories written as numbers")
    assert decided(["00501", "7"], "--numeric") == ("number", "2 numbers from 7 to 501")
    assert decided(["x", "y", "z"], "--categorical") == ("category", "3 categories")
    assert decided(NUMBERS, "--ignore") == ("left out", "as --ignore says")
    assert decided(["p1", "p2"], "--id") == ("left out", "it names the rows, as --id says")
    assert decided(NUMBERS, "--numeric", name="") == ("number", "4 numbers from 1 to 3")
    with pytest.raises(CommandError, match="line 3: column 'a' must hold finite numbers"):
        report(column(["1", "x", "y"]), "--numeric")
    with pytest.raises(
        CommandError, match="line 4: --id column 'a' must differ from row to row, got 'p1' as in line 2"
    ):
        report(column(["p1", "p2", "p1"]), "--id")


def test_names_in_hints_can_be_pasted():
    assert decided(["x", "y", "z"], name="the name")[1].endswith("--categorical 'the name' keeps it")


def test_the_order_of_rows_decides_nothing():
    random = np.random.RandomState(0)
    for cells in ([*NUMBERS, "NA"], [*TEXTS, "7"], ["00501", "7", "7", "00501"], ["2024-01-31", "x"], ["x", "y"]):
        kinds = {decided(list(random.permutation(cells)))[0] for _ in range(20)}
        assert len(kinds) == 1


def test_values_are_numbers_or_categories():
    assert values(report(column(["1", "NA", "3.5"]))).tolist()[::2] == [1.0, 3.5]
    assert np.isnan(values(report(column(["1", "NA", "3.5"])))[1])
    assert values(report(column(["00501", "7", "", "7", "00501"]))).tolist() == ["00501", "7", None, "7", "00501"]
    assert values(report(column(["1", "1.0", "NA"]), "--categorical")).tolist() == [1.0, 1.0, None]


# ------------------------------------------------------------------------------------------------- targets


@pytest.mark.parametrize(
    ("cells", "y", "says"),
    [
        (["0", "0.0", "1", "1.0"], [0, 0, 1, 1], "2 classes: 0 2, 1 2"),
        (["0", "1", "1"], [0, 1, 1], "2 classes: 0 1, 1 2"),
        (["1.0", "2.0", "2.0"], ["1.0", "2.0", "2.0"], "2 classes: 1.0 1, 2.0 2"),
        (["-0", "0", "1"], [0, 0, 1], "2 classes: 0 2, 1 1"),
        (["007", "7", "7"], ["007", "7", "7"], "2 classes: 007 1, 7 2"),
        (["no", "yes", "no", "yes"], ["no", "yes", "no", "yes"], "2 classes: no 2, yes 2"),
        (
            ["none", "mild", "none", "mild"],
            ["none", "mild", "none", "mild"],
            "2 classes: mild 2, none 2; a word for nothing is one of them, the first 'none' in line 2",
        ),
        (["0.5", "1", "1.5"], [0.5, 1.0, 1.5], "3 numbers from 0.5 to 1.5"),
    ],
)
def test_a_target_is_read_as_it_is_written(cells, y, says):
    target = learn_target(column(cells))
    assert (target.y.tolist(), target.says) == (y, says)


def test_large_integers_stay_apart():
    """As floats these two are one."""
    assert learn_target(column(["9007199254740992", "9007199254740993"] * 2)).says.startswith("2 classes")


def test_fractions_are_classes_if_the_user_says_so():
    assert learn_target(column(["0.50", "0.5", "1.5"]), "classify").y.tolist() == ["0.5", "0.5", "1.5"]


@pytest.mark.parametrize("odd", ["NA", "<0.1", "1,500", "inf", "7 kg", "", "nan", "2024-01-31"])
def test_an_odd_cell_in_a_target_of_numbers_is_refused_with_its_line(odd):
    cells = [*map(str, range(30)), odd, *map(str, range(29))]
    with pytest.raises(CommandError, match=r"^d\.csv, line 32: the target 'a'"):
        learn_target(column(cells))


@pytest.mark.parametrize(
    ("cells", "text"),
    [
        (["1", "2", "x", "y"], "line 4: the target 'a' must hold finite numbers"),
        (["no", "yes", "NaN", "no"], "line 4: the target 'a' is 'NaN'"),
        (["1.5", "1.5"], "must hold at least two different numbers, got '1.5'"),
        (["no", "yes", "", "no"], "line 4: the target 'a' is empty"),
        (["x", "y", "z"], "line 2: the target 'a' must hold classes that repeat"),
        (["2024-01-31", "2024-02-01"], "line 2: the target 'a' must hold classes or numbers, no dates"),
        (["no", "no"], "must have at least two classes, got one, 'no'"),
        (["1e200", "1.5"], "line 2: the target 'a' must be within 1e[+]150 of 0, got '1e200'"),
    ],
)
def test_a_target_that_cannot_be_learnt_is_refused(cells, text):
    with pytest.raises(CommandError, match=text):
        learn_target(column(cells))


def test_a_column_that_may_be_either_is_classes_on_request():
    assert learn_target(column(["1", "2", "3+", "3+"]), "classify").says == "3 classes: 1 1, 2 1, 3+ 2"
    with pytest.raises(CommandError, match=r"to regress on, got '3[+]'"):
        learn_target(column(["1", "2", "3+", "3+"]), "regress")
