"""Tutorials run as plain Python, and end in asserts of their claims.

All run on the best backend, and those that need a few seconds on the readable one as well: what they would show is
that the two agree, which tests/backends/test_twins.py and the fingerprints of every room say bit by bit.
"""

import ast
import os
import re
from pathlib import Path

import pytest

from bvar import backends

ROOT = Path(__file__).parents[2]
TUTORIALS = sorted((ROOT / "tutorials").glob("[0-9]*.md"))
CELL = re.compile(r"^```\{code-cell\}[^\n]*\n((?::[^\n]*\n)*)(.*?)^```$", re.M | re.S)


def cells(page):
    """Line number and source of each code cell."""
    text = page.read_text(encoding="utf-8")
    return [(text[: m.start(2)].count("\n"), m[2]) for m in CELL.finditer(text)]


def execute(page):
    """Run the cells in one namespace; errors point at the line of the page."""
    pytest.importorskip("matplotlib").use("agg")
    import matplotlib.pyplot as plt

    namespace = {"__name__": "__main__"}
    try:
        for line, source in cells(page):
            code = ast.increment_lineno(ast.parse(source, str(page)), line)
            exec(compile(code, str(page), "exec"), namespace)
    finally:
        plt.close("all")


def ends_in_an_assert(page):
    found = cells(page)
    return bool(found) and isinstance(ast.parse(found[-1][1]).body[-1], ast.Assert)


# half a minute of NumPy each, or a whole one; workers with backends of their own; a simulator
LONG = ("08", "11", "13", "14", "15", "17", "18")


@pytest.mark.skipif(os.environ.get("BVAR_CELLS_RUN") == "docs", reason="the docs are built beside, and run them")
@pytest.mark.parametrize("page", TUTORIALS, ids=lambda p: p.stem)
def test_a_tutorial_runs(page):
    execute(page)


@pytest.mark.parametrize("page", [p for p in TUTORIALS if not p.name.startswith(LONG)], ids=lambda p: p.stem)
def test_a_tutorial_runs_on_the_readable_backend(page):
    with backends.use("numpy"):
        execute(page)


def test_the_landing_page_runs():
    execute(ROOT / "docs/index.md")


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda p: p.stem)
def test_a_tutorial_asserts_what_it_claims(page):
    assert ends_in_an_assert(page)


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda p: p.stem)
def test_every_code_cell_is_closed_and_found(page):
    assert page.read_text(encoding="utf-8").count("\n```{code-cell}") == len(cells(page)) > 0


def without_alternative_text(page):
    """Cells that draw and do not say what one sees."""
    found = CELL.finditer(page.read_text(encoding="utf-8"))
    return [m[2] for m in found if "plt.subplots(" in m[2] and not re.search(r"alt: \"[^\"]{20,}\"", m[1])]


@pytest.mark.parametrize("page", [*TUTORIALS, ROOT / "docs/index.md"], ids=lambda p: p.stem)
def test_every_picture_has_an_alternative_text(page):
    assert not without_alternative_text(page)


def test_the_table_of_tutorials_is_complete():
    text = (ROOT / "tutorials/README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| \[.*\]\((.*)\)", text, re.M) == [page.name for page in TUTORIALS]


def test_a_page_without_a_final_assert_is_caught(tmp_path):
    """The negative twin: the check above can fail, and a false claim raises."""
    page = tmp_path / "page.md"
    page.write_text("```{code-cell} ipython3\nassert True\nx = 1\n```\n", encoding="utf-8")
    assert not ends_in_an_assert(page)
    page.write_text("```{code-cell} ipython3\n:tags: [hide-input]\n\nassert 1 > 2\n```\n", encoding="utf-8")
    assert ends_in_an_assert(page)
    with pytest.raises(AssertionError):
        execute(page)
    page.write_text("```{code-cell} ipython3\nfigure, ax = plt.subplots()\n```\n", encoding="utf-8")
    assert without_alternative_text(page)
