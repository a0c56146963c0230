"""Who searches the site for a common word finds the page for it on the first screen, in a real browser."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/docs"))

import browser  # noqa: E402

FIRST_SCREEN = 5  # results of three lines each
WANTED = {
    "feature importance": "howto/read-a-model.html",
    "missing values": "howto/missing-values.html",
    "export": "howto/export-network.html",
    "GPU": "howto/install.html",
    "install": "howto/install.html",
    "dates": "howto/dates.html",
    "imbalanced": "howto/rare-classes.html",
}
CONF = """
extensions = ["myst_nb"]
nb_execution_mode = "off"
exclude_patterns = ["_build", "reference/generated"]
html_search_scorer = "_static/scorer.js"
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site of the pages that are written by hand: those of the reference that are made score less."""
    pytest.importorskip("myst_nb")
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    for path in (ROOT / "docs").rglob("*.md"):
        place = path.relative_to(ROOT / "docs")
        if not {"_build", "_tutorials", "generated"} & set(place.parts):
            (source / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, source / place)
    shutil.copytree(ROOT / "tutorials", source / "_tutorials", ignore=shutil.ignore_patterns("ports", "README.md"))
    (source / "_static").mkdir()
    shutil.copy(ROOT / "docs/_static/scorer.js", source / "_static")
    (source / "conf.py").write_text(CONF)
    command = [sys.executable, "-m", "sphinx", "-Q", "-b", "html", str(source), str(target)]
    subprocess.run(command, check=True, cwd=source)
    return target


@pytest.mark.skipif(not browser.find(), reason="there is no Chromium")
def test_common_words_find_their_page_on_the_first_screen(site, tmp_path):
    with browser.page(tmp_path / "profile") as page:
        for words, wanted in WANTED.items():
            page.call("Page.navigate", url=f"{(site / 'search.html').as_uri()}?q={words.replace(' ', '+')}")
            page.wait("document.querySelector('#search-results h2')?.textContent === 'Search Results'")
            links = "[...document.querySelectorAll('#search-results li a')].map((a) => a.getAttribute('href'))"
            found = [link.split("?")[0].split("#")[0] for link in page.evaluate(links)]
            assert wanted in found[:FIRST_SCREEN], (words, found[:10])
