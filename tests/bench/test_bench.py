"""The runner of the benchmarks: it knows them all, and runs them."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.__main__ import BENCHES, HEAD, ROOT, write
from tests.bench.bayes import Results

FOLDER = Path(__file__).parent
MODULES = {path.stem for path in FOLDER.glob("[a-z]*.py") if '__name__ == "__main__"' in path.read_text()}


def test_every_benchmark_is_in_the_table():
    assert {bench.name for bench in BENCHES} == MODULES - {"test_bench"}


def test_every_page_that_a_benchmark_names_names_it():
    for bench in BENCHES:
        assert f"tests/bench/{bench.name}" in (ROOT / "docs" / bench.page).read_text().replace(".", "/"), (
            bench.name
        )


def test_a_section_that_is_run_again_replaces_itself_and_no_other(tmp_path):
    page = tmp_path / "measured.md"
    write(page, {"grid": "## grid\n\nold"})
    write(page, {"kernels": "## kernels\n\nfast"})
    write(page, {"grid": "## grid\n\nnew"})
    assert page.read_text() == f"{HEAD}\n## kernels\n\nfast\n\n## grid\n\nnew\n"


def test_rows_that_a_file_holds_are_not_computed_again(tmp_path):
    file = tmp_path / "rows.json"
    assert Results(file).row("one", lambda: {"value": 2.0})["value"] == 2.0
    again = Results(file).row("one", lambda: pytest.fail("computed twice"))
    assert again["value"] == 2.0
    assert again["seconds"] >= 0


def test_quick_runs_print_the_processor_and_a_ratio(tmp_path):
    command = [sys.executable, "-m", "tests.bench", "--quick", "--only", "threads", "recovery", "--page"]
    ran = subprocess.run(
        [*command, tmp_path / "page.md"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=300
    )
    page = (tmp_path / "page.md").read_text()
    assert all(part in page for part in ("NumPy", "$ python -m tests.bench.threads --rounds 1", " | median "))
    assert "recovery is left out: it has no quick run" in ran.stderr
    assert "recovery" not in page
