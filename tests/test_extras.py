"""What a user is told where a package is missing, beside what the distribution and the install page say."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

import bvar.distributed
from bvar._extras import PACKAGES, hint

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
FOR_DEVELOPERS = {"dev", "docs", "lint", "test"}


def test_each_extra_for_users_has_its_package_and_is_on_the_install_page():
    assert PACKAGES.keys() == EXTRAS.keys() - FOR_DEVELOPERS
    page = (ROOT / "docs/howto/install.md").read_text()
    for extra, package in PACKAGES.items():
        assert any(re.match(rf"{package}\b", requirement) for requirement in EXTRAS[extra])
        assert f'`pip install ".[{extra}]"`' in page
    assert hint("plot") == f'pip install "{PROJECT["name"]}[plot]"'
    assert f"`{hint('plot')}`" in page


def test_no_other_module_has_a_hint_of_its_own():
    for path in (ROOT / "bvar").rglob("*.py"):
        if path.name not in ("_extras.py", "_version.py"):
            assert "boolean-variation[" not in path.read_text(), path


def plots():
    from bvar import plotting

    plotting._axes(None)


def circuits():
    from bvar.circuit import drawing

    drawing._axes(None, {"a": (0.0, 0.0)})


def models():
    from bvar import BooleanClassifier

    BooleanClassifier((4,), max_iter=1).fit([[0], [1]] * 4, [0, 1] * 4).to_onnx()


def clusters():
    _ = bvar.distributed.DaskBooleanClassifier


@pytest.mark.parametrize(
    ("extra", "needs"), [("plot", plots), ("plot", circuits), ("onnx", models), ("dask", clusters)]
)
def test_what_needs_a_package_says_how_to_install_it(extra, needs, monkeypatch):
    for name in [*sys.modules]:
        if name.split(".")[0] in (PACKAGES[extra], "dask") or name.startswith("bvar.distributed."):
            monkeypatch.delitem(sys.modules, name)
    for name in ("estimators", "cluster"):  # what was imported before is an attribute of its package
        monkeypatch.delattr(bvar.distributed, name, raising=False)
    monkeypatch.setitem(sys.modules, PACKAGES[extra], None)
    with pytest.raises(ImportError, match=f"need {PACKAGES[extra]}: {re.escape(hint(extra))}$") as caught:
        needs()
    assert caught.value.name == PACKAGES[extra]


def test_the_demo_says_it_too(tmp_path):
    from bvar.cli import demo

    def without():
        raise ImportError("no matplotlib")

    assert demo._save(without, tmp_path / "here.png").endswith(f"({hint('plot')})")
