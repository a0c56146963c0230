"""What a check returns is what code goes on with: a NumPy integer would keep its width, in which sums wrap."""

import ast
from pathlib import Path

import numpy as np
import pytest

import bvar
from bvar._validation import check_finite, check_integer

CHECKS = ("check_integer", "check_real")
FILES = sorted(Path(bvar.__file__).parent.rglob("*.py"))


def dropped(tree):
    """Names of which a checked copy is thrown away, and which are used afterwards."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        for node in ast.walk(function):
            call = node.value if isinstance(node, ast.Expr) else None
            if not isinstance(call, ast.Call) or getattr(call.func, "id", "") not in (
                "check_integer",
                "check_real",
            ):
                continue
            name = call.args[0]
            if isinstance(name, ast.Name) and any(
                isinstance(later, ast.Name) and later.id == name.id and later.lineno > node.end_lineno
                for later in ast.walk(function)
            ):
                yield f"{name.id} in line {node.lineno}"


def test_the_search_finds_what_is_thrown_away():
    assert list(dropped(ast.parse("def f(n):\n    check_integer(n, 'n', low=1)\n    return 3 * n"))) == [
        "n in line 2"
    ]
    assert not list(dropped(ast.parse("def f(n):\n    n = check_integer(n, 'n', low=1)\n    return 3 * n")))


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(path.parts[-2:]))
def test_no_checked_number_is_thrown_away(path):
    assert list(dropped(ast.parse(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int16, np.int64])
def test_integers_of_any_width_become_plain_ones(kind):
    assert type(check_integer(kind(100), "n", low=1)) is int


@pytest.mark.parametrize("value", [[1, 2.5], np.array([True, False]), np.float16([0.5])])
def test_numbers_become_float64(value):
    found = check_finite(value, "x")
    assert found.dtype == np.float64
    assert (found == np.asarray(value)).all()


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (["a"], TypeError, "x must be an array of real numbers"),
        ([1j], TypeError, "x must be an array of real numbers"),
        ([None], TypeError, "x must be an array of real numbers"),
        ([np.nan], ValueError, "x must be finite"),
        ([[1], [1, 2]], ValueError, "x must be an array, got rows of different lengths"),
    ],
)
def test_what_is_no_number_is_named(value, error, words):
    with pytest.raises(error, match=words):
        check_finite(value, "x")
