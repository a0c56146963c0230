"""What a check returns is what code goes on with: a NumPy integer would keep its width, in which sums wrap."""

import ast
from pathlib import Path

import numpy as np
import pytest

import bvar
from bvar._validation import check_finite, check_integer
from bvar.layers import BooleanConv2d, GateConv2d, GateLayer, SignedConv2d, Threshold
from bvar.networks import CrossEntropy, residual_network
from bvar.real import BatchNorm, LayerNorm, RealConv2d, RealScale, boolean_transformer, edsr_small, segmenter

CHECKS = ("check_integer", "check_real")
FILES = sorted(Path(bvar.__file__).parent.rglob("*.py"))


def dropped(tree):
    """Names of which a checked copy is thrown away, or only compared, and which are used afterwards."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        for node in ast.walk(function):
            compared = ast.walk(node.test) if hasattr(node, "test") else ()
            for call in [node.value] if isinstance(node, ast.Expr) else compared:
                if not isinstance(call, ast.Call) or getattr(call.func, "id", "") not in CHECKS:
                    continue
                name = call.args[0]
                if isinstance(name, ast.Name) and any(
                    isinstance(later, ast.Name) and later.id == name.id and later.lineno > call.end_lineno + 1
                    for later in ast.walk(function)
                ):
                    yield f"{name.id} in line {call.lineno}"


def test_the_search_finds_what_is_thrown_away():
    assert list(dropped(ast.parse("def f(n):\n    check_integer(n, 'n', low=1)\n\n    return 3 * n"))) == [
        "n in line 2"
    ]
    compared = "def f(n):\n    if check_integer(n, 'n', low=1) > 9:\n        raise ValueError(n)\n    return 3 * n"
    assert list(dropped(ast.parse(compared))) == ["n in line 2"]
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


HUGE = {
    "GateLayer n_inputs": lambda n: GateLayer(n, 2),
    "GateLayer n_outputs": lambda n: GateLayer(2, n),
    "Threshold n_units": lambda n: Threshold(n, 2, 2),
    "Threshold fan_in": lambda n: Threshold(2, n, 2),
    "BatchNorm n_units": lambda n: BatchNorm(n),
    "BatchNorm fan_in": lambda n: BatchNorm(2, n),
    "LayerNorm n_units": lambda n: LayerNorm(n),
    "RealScale n_units": lambda n: RealScale(n, 2),
    "RealScale fan_in": lambda n: RealScale(2, n),
    "CrossEntropy fan_in": lambda n: CrossEntropy(n),
    "residual_network n_blocks": lambda n: residual_network((8, 8, 3), (8,), n_blocks=n),
    "edsr_small n_blocks": lambda n: edsr_small((4, 4, 3), n_blocks=n),
    "edsr_small n_filters": lambda n: edsr_small((4, 4, 3), n_filters=n),
    "segmenter n_filters": lambda n: segmenter((4, 4, 3), n_filters=n),
    "boolean_transformer n_blocks": lambda n: boolean_transformer(5, 8, n_blocks=n),
    "boolean_transformer width": lambda n: boolean_transformer(5, 8, width=n),
    "boolean_transformer hidden": lambda n: boolean_transformer(5, 8, hidden=n),
    "RealConv2d n_filters": lambda n: RealConv2d((4, 4, 1), n),
    "SignedConv2d n_filters": lambda n: SignedConv2d((4, 4, 1), n),
    "BooleanConv2d kernel_size": lambda n: BooleanConv2d((4, 4, 1), 2, n),
    "GateConv2d kernel_size": lambda n: GateConv2d((4, 4, 1), 2, n),
}


@pytest.mark.parametrize("n", [2**70, 10**400], ids=["2^70", "10^400"])
@pytest.mark.parametrize("what", HUGE)
def test_sizes_that_no_computer_has_are_refused_by_name(what, n):
    with pytest.raises(ValueError, match=f"^{what.split()[1]} must be"):
        HUGE[what](n)
