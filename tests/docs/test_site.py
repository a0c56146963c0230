"""What the site adds to its pages: links from names to the reference, files of tests, a logo."""

import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs/_ext"))

import logo  # noqa: E402
import names  # noqa: E402
import results  # noqa: E402

nodes = pytest.importorskip("docutils.nodes")

KNOWN = {
    name: SimpleNamespace(docname="reference/page", node_id=name)
    for name in ("bvar.kernels.flip", "bvar.estimators.BooleanClassifier")
}


def resolved(*literals):
    """A paragraph of literals, as the extension leaves it."""
    document = nodes.paragraph("", "", *(nodes.literal(text, text) for text in literals))
    builder = SimpleNamespace(get_relative_uri=lambda page, other: f"../{other}.html")
    env = SimpleNamespace(domains={"py": SimpleNamespace(objects=KNOWN)})
    app = SimpleNamespace(builder=builder, env=env)
    names.link_names(app, document, "explanation/page")
    names.name_files(app, document, "explanation/page")
    return document


def links(document):
    return [reference["refuri"] for reference in document.findall(nodes.reference)]


def test_a_name_of_the_reference_becomes_a_link():
    assert links(resolved("bvar.kernels.flip")) == ["../reference/page.html#bvar.kernels.flip"]
    assert links(resolved("bvar.kernels.flip()")) == ["../reference/page.html#bvar.kernels.flip"]


def test_a_name_of_the_top_level_leads_to_where_it_comes_from():
    assert links(resolved("bvar.BooleanClassifier")) == [
        "../reference/page.html#bvar.estimators.BooleanClassifier"
    ]


@pytest.mark.parametrize("text", ["bvar.kernels.unheard_of", "bvar", "flip", "a.bvar.kernels.flip"])
def test_what_is_no_name_of_the_reference_stays_as_it_is(text):
    assert links(resolved(text)) == []


def test_the_file_of_a_test_stands_behind_it_and_once_for_neighbours():
    first, second = [name for name, path in names.tests().items() if path == "tests/docs/test_site.py"][:2]
    assert resolved(first).astext() == f"{first} (tests/docs/test_site.py)"
    assert resolved(first, second).astext() == f"{first}{second} (tests/docs/test_site.py)"


def test_the_logo_in_the_repository_is_the_one_that_is_drawn():
    assert (ROOT / "docs/_static/logo.svg").read_text(encoding="utf-8") == logo.draw()


def test_the_logo_is_a_letter_of_bits_of_which_one_has_flipped():
    colours = [
        rect.get("fill") for rect in ElementTree.fromstring(logo.draw()).iter("{http://www.w3.org/2000/svg}rect")
    ]
    assert colours.count(logo.LIT) == 1
    assert colours.count(logo.ON) == sum(row.count("1") for row in logo.LETTER)
    y, x = logo.FLIPPED
    assert logo.LETTER[y][x] == "0"


def test_the_preview_has_the_size_that_other_sites_ask_for(tmp_path):
    plt = pytest.importorskip("matplotlib.image")
    logo.preview(tmp_path / "preview.png")
    assert plt.imread(tmp_path / "preview.png").shape[:2] == (630, 1200)


def described(baseurl):
    context = {"title": 'A page of "bits" &amp; <code>bvar</code>'}
    logo.describe(
        SimpleNamespace(config=SimpleNamespace(html_baseurl=baseurl)), "howto/x", "page.html", context, None
    )
    found = ElementTree.fromstring("<head>" + context["metatags"].replace('">', '"/>') + "</head>")
    return {tag.get("property", tag.get("name")): tag.get("content") for tag in found}


def test_a_page_of_a_site_with_an_address_names_itself_and_a_picture():
    tags = described("https://example.org/bvar/")
    assert tags["og:url"] == "https://example.org/bvar/howto/x.html"
    assert tags["og:image"] == "https://example.org/bvar/_static/preview.png"
    assert tags["og:title"] == 'A page of "bits" & bvar'
    assert tags["description"] == logo.DESCRIPTION


def test_without_an_address_there_is_no_picture():
    assert "og:image" not in described("")


def test_a_table_of_results_says_what_was_not_run():
    rows = list(results.cells({"ours": {"epoch": 3, "accuracy": 0.84321}, "twin": {}}, ["epoch", "accuracy"]))
    assert rows == [["", "epoch", "accuracy"], ["ours", "3", "0.8432"], ["twin", "not run yet", ""]]


def test_every_page_of_the_paper_has_the_results_that_it_names():
    for page in (ROOT / "tutorials/paper").glob("*.md"):
        for task in re.findall(r"```\{results\} (\w+)", page.read_text(encoding="utf-8")):
            assert json.loads((results.FOLDER / f"{task}.json").read_text(encoding="utf-8"))
