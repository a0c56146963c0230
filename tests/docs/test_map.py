"""The map and the list of rooms show the house as it is."""

import ast
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs/_ext"))

import house  # noqa: E402

FOLDERS = {path.parent.name for path in (ROOT / "bvar").glob("*/__init__.py")}
MAP = (ROOT / "docs/develop/map.md").read_text(encoding="utf-8")
WALK = re.search(r"^```\{house\}\n(.*?)^```", MAP, re.M | re.S)[1].split()
SVG = "{http://www.w3.org/2000/svg}"


def listed(text, above, below):
    """Folders of the tree drawn in a page between two lines."""
    return re.findall(r"^  (\w+)/ ", text.partition(f"\n{above}\n")[2].partition(f"\n{below}\n")[0], re.M)


def test_contributing_lists_every_room_in_the_order_of_the_layers():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert listed(text, "bvar/", "tests/") == [name for name in house.rooms(ROOT) if name in FOLDERS]


def test_every_room_and_loose_module_is_in_the_import_contract():
    loose = {path.stem for path in (ROOT / "bvar").glob("*.py")} - {"__init__", "_version"}
    assert set(house.rooms(ROOT)) == FOLDERS | loose


def test_what_is_drawn_against_the_layers_is_what_the_contract_excuses():
    names = house.rooms(ROOT)
    upwards = {(a, b) for a, b, _ in house.imports(ROOT) if names.index(a) > names.index(b)}
    excused = [edge.split(" -> ") for edge in house.contract(ROOT).get("ignore_imports", [])]
    assert upwards == {(a.split(".")[1], b.split(".")[1]) for a, b in excused}


def test_the_drawing_has_a_row_for_each_room_and_a_mark_for_each_import():
    drawing = ElementTree.fromstring(house.draw(ROOT, WALK))
    names = [text.text for text in drawing.iter(f"{SVG}text") if "transform" not in text.attrib]
    assert names[::2] == house.rooms(ROOT)
    marks = list(drawing.iter(f"{SVG}circle"))
    assert len(marks) == len(house.imports(ROOT))
    assert sum("walk" in mark.get("class") for mark in marks) >= len(WALK) - 1


def test_a_walk_through_a_wall_is_refused():
    with pytest.raises(
        ValueError, match="the walk goes from bits to estimators, but bits does not import estimators"
    ):
        house.draw(ROOT, ["estimators", "bits", "estimators"])


IMPORTS = """
from __future__ import annotations
import os, bvar.b.deep
from bvar import c
from . import near
from ..d import thing
def later():
    from bvar.e import it
    from bvar.c import again
"""


def test_all_ways_to_import_are_seen(tmp_path):
    """The negative twin: a package made for the purpose, with every kind of import statement."""
    (tmp_path / "bvar/a").mkdir(parents=True)
    for room in "bcde":
        (tmp_path / f"bvar/{room}.py").touch()
    (tmp_path / "bvar/a/code.py").write_text(IMPORTS, encoding="utf-8")
    (tmp_path / "bvar/a/near.py").write_text("import bvar.e\n", encoding="utf-8")
    layers = ["bvar.a", "bvar.b | bvar.c", "bvar.d", "bvar.e"]
    (tmp_path / "pyproject.toml").write_text(
        f"[[tool.importlinter.contracts]]\nlayers = {layers}\n", encoding="utf-8"
    )
    assert house.rooms(tmp_path) == list("abcde")
    at_once = {("a", room, True): 1 for room in "bcde"}
    assert house.imports(tmp_path) == at_once | {("a", "e", False): 1}
    assert house.size(tmp_path, "a") == "2 files, 10 lines"


def test_what_is_called_slow_exists():
    from conftest import SLOW

    for name in SLOW:
        path, _, test = name.partition("::")
        assert (ROOT / path).exists(), name
        assert not test or f"\ndef {test}" in (ROOT / path).read_text(encoding="utf-8"), name


def stops():
    """Rows of the tables of the walk: a file, and a name that it defines."""
    return re.findall(r"^\| `(bvar/[\w/]+\.py)` \| `([\w.]+)` \|", MAP, re.M)


def defines(path, name):
    body = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
    for part in name.split("."):
        found = [node for node in body if getattr(node, "name", None) == part]
        if not found:
            return False
        body = getattr(found[0], "body", [])
    return True


def test_every_stop_of_the_walk_is_where_the_map_says():
    assert len(stops()) > 12
    assert [stop for stop in stops() if not defines(*stop)] == []
    assert not defines("bvar/networks/network.py", "Network.leap")


def test_the_walk_goes_through_the_rooms_that_are_framed():
    way = [path.split("/")[1] for path, _ in stops()]
    down = way[: way.index("backends") + 1]
    assert [room for i, room in enumerate(down) if room not in down[:i]] == WALK[:-1]
