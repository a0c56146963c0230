"""The name and the version: texts, metadata and package agree, and a namesake in the same folder is found."""

import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
import warnings
from pathlib import Path

import pytest

import bvar
from bvar._version import warn_of_namesake

ROOT = Path(__file__).parents[1]
NAME = "boolean-variation"
TEXT = {".md", ".py", ".toml", ".pyx", ".c", ".h", ".sh", ".yml", ".cfg", ".txt", ".in", ".js", ".css", ".rst", ""}
MADE = {"build", "dist", "_build", "_tutorials", "generated", "__pycache__", "_kernels.c"}
STRANGER = re.compile(r"\bbvar\[[a-z]|pip\S* install(?: [^`\n]*)?[\"' ]bvar(?![\w./-])")


def texts():
    """Every text of the repository that a person wrote, by its path."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [f for f in folders if f not in MADE and (f == ".ci" or not f.startswith((".", "venv")))]
        for file in files:
            path = Path(folder, file)
            if path.suffix in TEXT and file not in MADE and not file.startswith(".coverage"):
                yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def test_no_text_sends_anybody_to_a_package_of_the_same_name():
    found = {path for path, text in texts() if STRANGER.search(text)}
    assert found == set()


@pytest.mark.parametrize("extra", ["", "[plot]"])
def test_the_search_for_the_old_name_can_find_it(extra):
    old = "bvar" + extra
    assert STRANGER.search(f"pip install {old}")
    assert STRANGER.search(f'pip install jupytext "{old}"')
    assert not STRANGER.search(f"pip install {NAME}{extra}")
    assert not STRANGER.search("pip install . # for bvar/ itself")
    assert {"README.md", ".ci/run", "Makefile", "bvar/plotting.py", "docs/conf.py"} <= {
        path for path, _ in texts()
    }


def test_the_build_reads_name_and_version_where_the_package_has_them():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["name"] == NAME
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "bvar._version.__version__"}
    extras = project["project"]["optional-dependencies"]
    own = {
        extra
        for needs in extras.values()
        for n in needs
        if n.startswith(NAME)
        for extra in n[:-1].split("[")[1].split(",")
    }
    assert own
    assert own <= set(extras), "an extra refers to one that does not exist"


def test_the_metadata_have_the_version_of_the_package():
    try:
        installed = importlib.metadata.version(NAME)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"{NAME} is not installed here, only on the path")
    assert installed == bvar.__version__


def test_a_namesake_in_the_same_folder_is_found_on_import(tmp_path):
    (tmp_path / "bvar").mkdir()
    (tmp_path / "bvar-0.3.5.dist-info").mkdir()
    with pytest.warns(
        UserWarning, match=r"bvar-0\.3\.5 .*shares the folder 'bvar'.*pip install boolean-variation"
    ):
        warn_of_namesake(str(tmp_path))


@pytest.mark.parametrize("name", ["boolean_variation-0.1.0.dist-info", "bvar_tools-1.0.dist-info", "bvar-data"])
def test_other_neighbours_are_no_namesakes(tmp_path, name):
    (tmp_path / name).mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_namesake(str(tmp_path))
        warn_of_namesake(str(tmp_path / "not a folder"))


def test_importing_looks_for_a_namesake(tmp_path):
    """In the order of an accident: the other project lies there, this one is installed over it and imported."""
    (tmp_path / "bvar").symlink_to(Path(bvar.__file__).parent)
    (tmp_path / "bvar-0.3.5.dist-info").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", "import bvar"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "<string>:1: UserWarning: another project, bvar-0.3.5 " in done.stderr
