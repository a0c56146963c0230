"""The figures to click at say what the package says, in a real browser."""

import shutil
import sys
from math import inf
from pathlib import Path

import numpy as np
import pytest

from bvar import kernels
from bvar.calculus.gates import GATES
from bvar.layers import Parameter
from bvar.networks import BooleanOptimizer

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "docs/_static"
sys.path[:0] = [str(ROOT / "docs/_ext"), str(ROOT / "tests/docs")]

import browser  # noqa: E402
import toys  # noqa: E402

pytestmark = pytest.mark.skipif(not browser.find(), reason="there is no Chromium")


@pytest.fixture
def open_figure(tmp_path):
    """Open a page that has one figure, and nothing else."""
    shutil.copytree(STATIC, tmp_path / "_static")
    with browser.page(tmp_path / "profile") as page:

        def go_to(name):
            (tmp_path / "index.html").write_text(f"<!doctype html><body>{toys.figure(name, '_static')}</body>")
            page.call("Page.navigate", url=(tmp_path / "index.html").as_uri())
            page.wait("document.readyState === 'complete' && !!document.querySelector('figure button')")
            return page

        yield go_to


def click(page, number):
    page.evaluate(f"document.querySelectorAll('figure button')[{number}].click()")


def test_the_truth_table_shows_the_variation_of_every_gate(open_figure):
    page = open_figure("gate")
    seen = {}
    for step in range(16):  # a Gray code: one entry changes at a time
        text = page.evaluate("document.querySelector('figure [role=status]').textContent")
        number = int(text.split()[1].rstrip(","))
        assert f'"{GATES[number].name}"' in text
        cells = "[...document.querySelectorAll('figure td:last-child')].map((cell) => cell.textContent).join('')"
        seen[number] = page.evaluate(cells)
        click(page, next(k for k in range(4) if ((step + 1) >> k) & 1) if step < 15 else 0)
    assert sorted(seen) == list(range(16))
    for number, found in seen.items():
        gate = GATES[number]
        changes = [*gate.variation_a, *gate.variation_b]
        assert found == "".join("F0T"[int(change) + 1] for change in changes)


def test_the_neuron_flips_the_weights_that_the_optimizer_flips(open_figure):
    page = open_figure("neuron")
    told = toys.neuron()
    bits = np.array([[told["weights"][0] >> i & 1 for i in range(32)]], bool)
    weight, optimizer = Parameter("w", kernels.pack(bits)), BooleanOptimizer(3.0, clip=inf)
    n_flips = 0
    for votes in told["votes"]:
        n_flips += optimizer.step([weight], [np.array([votes], np.int32)], 1)[0]
        click(page, 0)
    assert n_flips > 5
    assert page.evaluate("document.querySelector('figure').dataset.m") == ",".join(map(str, optimizer.m[0][0]))
    assert int(page.evaluate("document.querySelector('figure').dataset.weights")) == int(weight.bits.words[0, 0])
