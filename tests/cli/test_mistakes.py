"""Bad command lines and bad files: exit code 2, one line that says where and what is accepted, nothing written."""

import os

import pytest

HEAD = "age,job,pay,rich\n"
GOOD = HEAD + "".join(
    f"{20 + i},{('cook', 'smith')[i % 2]},{i * 1.5},{('no', 'yes')[i % 3 == 0]}\n" for i in range(40)
)
WIDE = ";".join(["age", "job", "pay", "rich"]) + "\n" + "20;cook;1,5;no\n20;cook;1,5;yes\n" * 20
TRAIN = ("train", "FILE", "--target", "rich", "-o", "OUT", "--hidden", "8", "--max-iter", "1")
NUMBER = ("train", "FILE", "--target", "pay", "-o", "OUT", "--hidden", "8", "--max-iter", "1")
PREDICT = ("predict", "MODEL", "FILE", "-o", "OUT")


def with_line(number, text):
    lines = GOOD.splitlines(keepends=True)
    lines[number - 1] = text + "\n"
    return "".join(lines)


# text of the file, arguments, and what the line must name
MISTAKES = {
    # a file that is no table
    "too few cells": (with_line(7, "1,cook,2"), TRAIN, ("FILE, line 7", "3 cells", "4 columns")),
    "too many cells": (with_line(7, "1,cook,2,5,no"), TRAIN, ("FILE, line 7", "5 cells", "4 columns")),
    "quote left open": (with_line(41, '41,"cook,2,no'), TRAIN, ("FILE, line 41",)),
    "name twice": (GOOD.replace("pay", "age", 1), TRAIN, ("FILE, line 1", "'age'")),
    "no rows": (HEAD, TRAIN, ("FILE", "no rows")),
    "not UTF-8": (GOOD.encode().replace(b"cook,3.0", b"c\xf6\xf6k,3.0"), TRAIN, ("FILE, line 4", "UTF-8")),
    "not UTF-8 in a line": (
        with_line(9, "1,\udcff,2,no").encode(errors="surrogateescape"),
        TRAIN,
        ("FILE, line 9",),
    ),
    "semicolons": (WIDE, TRAIN, ("FILE", "no column 'rich'", "--delimiter ';'")),
    "tabs": (WIDE.replace(";", "\t"), TRAIN, ("FILE", "no column 'rich'", "--delimiter tab")),
    "decimal commas": (WIDE, (*TRAIN, "--delimiter", ";"), ("FILE, line 2", "'pay'", "1500 or 3.5", "'1,5'")),
    # cells that do not fit
    "unit": (
        with_line(5, "22,cook,7 kg,no"),
        TRAIN,
        ("FILE, line 5", "'pay'", "1500 or 3.5", "'7 kg'", "--ignore pay"),
    ),
    "thousands": (with_line(5, '22,cook,"1,500",no'), TRAIN, ("FILE, line 5", "'pay'", "1500 or 3.5", "'1,500'")),
    "infinity": (with_line(5, "22,cook,inf,no"), TRAIN, ("FILE, line 5", "'pay'", "finite", "'inf'")),
    "category said to be numeric": (GOOD, (*TRAIN, "--numeric", "job"), ("FILE, line 2", "'job'", "'cook'")),
    "id twice": (GOOD, (*TRAIN, "--id", "job"), ("FILE, line 4", "'job'", "'cook' as in line 2", "--ignore job")),
    # targets
    "target empty": (with_line(5, "22,cook,3,"), TRAIN, ("FILE, line 5", "'rich' is empty")),
    "target NA": (with_line(5, "22,cook,NA,no"), NUMBER, ("FILE, line 5", "'pay' is 'NA'")),
    "target below": (
        with_line(5, "22,cook,<0.1,no"),
        NUMBER,
        ("FILE, line 5", "'pay'", "finite numbers", "'<0.1'"),
    ),
    "target of text": (GOOD, (*TRAIN, "--task", "regress"), ("FILE, line 2", "'rich'", "finite numbers", "'yes'")),
    "target of one class": (GOOD.replace("yes", "no"), TRAIN, ("FILE", "'rich'", "two classes", "'no'")),
    "target unknown": (
        GOOD,
        ("train", "FILE", "--target", "Rich", "-o", "OUT"),
        ("FILE", "'Rich'", "age, job, pay, rich"),
    ),
    "target alone": ("rich\nno\nyes\n", TRAIN, ("FILE", "no column but the target")),
    "nothing to learn from": (
        "name,rich\n" + "a,no\nb,yes\nc,no\n",
        TRAIN,
        ("FILE", "name: text that hardly repeats"),
    ),
    # options
    "column unknown": (GOOD, (*TRAIN, "--ignore", "wage"), ("FILE", "--ignore", "'wage'", "age, job, pay, rich")),
    "column in two options": (
        GOOD,
        (*TRAIN, "--ignore", "age", "--numeric", "age"),
        ("--ignore", "--numeric", "'age'"),
    ),
    "target to ignore": (GOOD, (*TRAIN, "--ignore", "rich"), ("--ignore", "'rich'", "target")),
    "gates regress": (GOOD, (*NUMBER, "--model", "gates"), ("--model", "boolean", "gates")),
    "text is no image": (GOOD, (*TRAIN, "--model", "conv"), ("FILE", "--model conv", "'job'")),
    "three columns are no image": (
        GOOD,
        (*TRAIN, "--model", "conv", "--ignore", "job"),
        ("--model conv", "square", "2"),
    ),
    "image too small": (
        "a,b,c,d,rich\n" + "1,2,3,4,no\n1,5,3,7,yes\n" * 20,
        (*TRAIN, "--model", "conv"),
        ("--model conv", "4 x 4", "4 columns"),
    ),
    "cell without end": (GOOD + f"1,{'x' * 200000},2,no\n", TRAIN, ("FILE, line 42", "131072 characters")),
    "no class counts": (GOOD, (*TRAIN, "--class-weight", "no=0", "yes=0"), ("--class-weight", "greater than 0")),
    "class unknown": (GOOD, (*TRAIN, "--class-weight", "maybe=2"), ("--class-weight", "no, yes", "'maybe=2'")),
    "weight is no number": (
        GOOD,
        (*TRAIN, "--class-weight", "no=much"),
        ("--class-weight", "'no'", ">= 0", "'much'"),
    ),
    "weight below 0": (GOOD, (*TRAIN, "--class-weight", "no=-1"), ("--class-weight", "'no'", ">= 0", "'-1'")),
    "weights for numbers": (GOOD, (*NUMBER, "--class-weight", "balanced"), ("--class-weight", "classes")),
    "delimiter of two": (GOOD, (*TRAIN, "--delimiter", ";;"), ("--delimiter", "one character", "';;'")),
    "delimiter is a letter": (GOOD, (*TRAIN, "--delimiter", "a"), ("--delimiter", "one character", "'a'")),
    "no units": (GOOD, (*TRAIN, "--hidden", "0"), ("--hidden", "an integer in [1,", "'0'")),
    "half an epoch": (GOOD, (*TRAIN, "--max-iter", "0.5"), ("--max-iter", "an integer in [1,", "'0.5'")),
    "seed too large": (GOOD, (*TRAIN, "--seed", str(2**32)), ("--seed", "[0, 4294967295]", "'4294967296'")),
    "all held out": (GOOD, (*TRAIN, "--test-size", "1"), ("--test-size", "[0, 1)", "'1'")),
    "too few to hold out": (HEAD + "1,a,2.5,no\n2,a,3.5,no\n", NUMBER, ("FILE", "--test-size", "0.2 of 2")),
    "unknown model": (GOOD, (*TRAIN, "--model", "forest"), ("--model", "boolean", "gates", "conv", "'forest'")),
    "unknown backend": (GOOD, (*TRAIN, "--backend", "abacus"), ("'abacus'", "numpy")),
    "unknown option": (GOOD, (*TRAIN, "--speed", "9"), ("--speed",)),
    "output over the data": (GOOD, ("train", "FILE", "--target", "rich", "-o", "FILE"), ("--output", "FILE")),
    # predictions
    "column missing": (GOOD.replace("pay", "wage"), PREDICT, ("FILE", "no column 'pay'", "age, job, wage, rich")),
    "odd cell": (with_line(5, "22,cook,7 kg,no"), PREDICT, ("FILE, line 5", "'pay'", "1500 or 3.5", "'7 kg'")),
    "infinite cell": (with_line(5, "22,cook,1e999,no"), PREDICT, ("FILE, line 5", "'pay'", "numbers", "'1e999'")),
    "other delimiter": (WIDE, PREDICT, ("FILE", "no column 'age'", "--delimiter ';'")),
    "id unknown": (GOOD, (*PREDICT, "--id", "name"), ("FILE", "--id", "'name'", "age, job, pay, rich")),
    "model is a table": (GOOD, ("predict", "FILE", "FILE", "-o", "OUT"), ("FILE", "not a bvar model file")),
    "predictions over the model": (GOOD, ("predict", "MODEL", "FILE", "-o", "MODEL"), ("--output", "m.bvar")),
    "info of a table": (GOOD, ("info", "FILE"), ("FILE", "not a bvar model file")),
    "picture of no kind": (GOOD, ("demo", "--plot", "OUT"), ("--plot", ".png", "out")),
    "picture in no folder": (GOOD, ("demo", "--plot", os.path.join("no", "x.png")), ("--plot", "x.png")),
    # commands
    "unknown command": (GOOD, ("learn", "FILE"), ("'train'", "'predict'", "'learn'")),
    "no arguments": (GOOD, ("train",), ("data", "--target", "--output")),
}

INTERNAL = (
    "Traceback",
    "x0",
    "train_size",
    "hidden_layer_sizes",
    "max_iter",
    "conv_layers",
    "sklearn",
    "argument ",
)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    from bvar.__main__ import main

    folder = tmp_path_factory.mktemp("model")
    (folder / "people.csv").write_text(GOOD)
    places = {"FILE": str(folder / "people.csv"), "OUT": str(folder / "m.bvar")}
    assert main([places.get(a, a) for a in TRAIN]) == 0
    return folder / "m.bvar"


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_that_says_where_and_what(tmp_path, run, model, name):
    text, arguments, named = MISTAKES[name]
    file = tmp_path / "people.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    places = {"FILE": file, "OUT": tmp_path / "out", "MODEL": model}
    before = model.read_bytes(), file.read_bytes()
    code, output, errors = run(*(places.get(a, a) for a in arguments))
    assert code == 2
    assert errors.startswith("bvar: error: ")
    assert errors.count("\n") == 1
    assert errors.endswith("\n")
    for part in named:
        assert part.replace("FILE", str(file)) in errors, errors
    assert not [word for word in INTERNAL if word in errors]
    assert "trained" not in output
    assert os.listdir(tmp_path) == ["people.csv"]
    assert (model.read_bytes(), file.read_bytes()) == before
