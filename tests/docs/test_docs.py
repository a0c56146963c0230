"""The documentation is true: examples run, docstrings are complete, and every name and link leads somewhere."""

import ast
import doctest
import importlib
import inspect
import pkgutil
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

import bvar

ROOT = Path(__file__).parents[2]
MODULES = [m.name for m in pkgutil.walk_packages(bvar.__path__, "bvar.")]
MODULES = ["bvar", *(name for name in MODULES if not name.startswith(("bvar._cext", "bvar.__main__")))]
PUBLIC = [f"bvar.{m.name}" for m in pkgutil.iter_modules(bvar.__path__) if not m.name.startswith("_")]
PUBLIC = [name for name in PUBLIC if name not in ("bvar.calculus", "bvar.cli")]  # four pages; not for importing
PUBLIC += [f"bvar.calculus.{name}" for name in ("logic", "variation", "chain", "gates")]
PAGES = [
    page
    for folder in ("docs", "tutorials")
    for page in sorted((ROOT / folder).rglob("*.md"))
    if not {"_build", "_tutorials", "generated"} & set(page.relative_to(ROOT).parts)
]
PAGES += [ROOT / name for name in ("README.md", "CONTRIBUTING.md") if (ROOT / name).exists()]


def name_of(page):
    return page.relative_to(ROOT).as_posix()


@pytest.fixture
def agg():
    """Keep examples that draw away from any window."""
    matplotlib = pytest.importorskip("matplotlib")
    with matplotlib.rc_context({"backend": "agg"}):
        yield


# ------------------------------------------------------------------------------------------------ examples


def run(test, flags=doctest.NORMALIZE_WHITESPACE):
    report = []
    failures, _ = doctest.DocTestRunner(optionflags=flags).run(test, out=report.append)
    assert not failures, "".join(report)


@pytest.mark.usefixtures("agg")
@pytest.mark.parametrize("name", MODULES)
def test_examples_of_a_module_run(name):
    """Every ``Examples`` section, under the backend in force."""
    module = importlib.import_module(name)
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, name):
        run(test, doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)


@pytest.mark.usefixtures("agg")
@pytest.mark.parametrize("page", [p for p in PAGES if "\n>>> " in p.read_text(encoding="utf-8")], ids=name_of)
def test_examples_of_a_page_run(page):
    """All ``>>>`` lines of a page, from top to bottom, in one namespace."""
    text = page.read_text(encoding="utf-8")
    blocks = re.sub(r"^```.*$", "", text, flags=re.M)  # a fence is no expected output
    run(doctest.DocTestParser().get_doctest(blocks, {}, page.name, str(page), 0))


# ---------------------------------------------------------------------------------------------- docstrings


def is_override(cls, member):
    """Whether a base class within bvar documents a member of the same name in more than one line."""
    bases = [base for base in cls.__mro__[1:] if base.__module__.startswith("bvar.") and member in vars(base)]
    return any("\n\n" in (getattr(base, member).__doc__ or "") for base in bases)


def public_objects():
    """Names of functions and classes in ``__all__`` of the public modules, and of the members a class defines.

    An override needs no more than its line: its contract is that of the base class, which is documented in full.
    """
    names = {}
    for module_name in PUBLIC:
        module = importlib.import_module(module_name)
        for name in module.__all__:
            value = getattr(module, name)
            if not (inspect.isroutine(value) or inspect.isclass(value)):
                continue
            names[f"{module_name}.{name}"] = value
            for member, what in vars(value).items() if inspect.isclass(value) else ():
                own = isinstance(what, property | classmethod | staticmethod) or inspect.isfunction(what)
                if own and not member.startswith("_") and not is_override(value, member):
                    names[f"{module_name}.{name}.{member}"] = what
    return dict(sorted(names.items()))


TOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
CHECKS = TOOLS["numpydoc_validation"]["checks"]
# one line a method, next to its signature; the public text is in bvar.kernels and docs/reference/conformance.md
PROTOCOL = ("bvar.backends.Backend", "bvar.testing.Subject")


def is_short_override(name):
    """Whether a method says in one line what it adds to the contract of a base class, which is documented."""
    owner, _, member = name.rpartition(".")
    cls, value = public_objects().get(owner), public_objects()[name]
    if not inspect.isclass(cls) or "\n" in (value.__doc__ or "\n"):
        return False
    return any("\n" in (getattr(vars(base).get(member), "__doc__", None) or "") for base in cls.__mro__[1:])


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("name", [n for n in public_objects() if not n.startswith(PROTOCOL)])
def test_docstring_is_complete(name):
    """The numpydoc checks that pyproject.toml asks for."""
    validate = pytest.importorskip("numpydoc.validate").validate
    excluded = set(CHECKS) - {"all"}
    excluded |= {"PR01", "RT01"} if is_short_override(name) else set()
    excluded |= {"PR01"} if getattr(public_objects()[name], "_is_protocol", False) else set()  # never constructed
    errors = [f"{code}: {text}" for code, text in validate(name)["errors"] if code not in excluded]
    assert not errors, "\n".join(errors)


def test_an_override_is_exempt_and_what_it_overrides_is_not():
    names = public_objects()
    assert "bvar.layers.Layer.votes" in names
    assert "bvar.layers.BooleanLinear.votes" not in names
    assert "bvar.layers.BooleanLinear.forward_bits" in names


def test_an_override_says_in_a_line_what_it_adds():
    for module_name in PUBLIC:
        module = importlib.import_module(module_name)
        for cls in filter(inspect.isclass, (getattr(module, name) for name in module.__all__)):
            for member, what in vars(cls).items():
                if inspect.isfunction(what) and not member.startswith("_") and is_override(cls, member):
                    assert (what.__doc__ or "").strip(), f"{module_name}.{cls.__name__}.{member}"


def test_every_module_says_what_it_is():
    for name in MODULES:
        assert (importlib.import_module(name).__doc__ or "").strip(), name


def test_every_public_name_is_in_the_reference():
    """Modules are listed by hand, functions and classes follow from ``__all__``, constants are listed by hand."""
    text = (ROOT / "docs/reference/api.md").read_text(encoding="utf-8")
    for name in PUBLIC:
        assert re.search(rf"^   {re.escape(name)}$", text, re.M), f"{name} is not in docs/reference/api.md"
        module = importlib.import_module(name)
        for constant in module.__all__:
            value = getattr(module, constant)
            if not callable(value):
                assert f"{name}.{constant}" in text, f"{name}.{constant} is not in docs/reference/api.md"


def test_the_names_at_the_top_are_all_in_the_first_paragraph_of_the_reference():
    text = (ROOT / "docs/reference/api.md").read_text(encoding="utf-8").partition("\n## ")[0]
    assert set(re.findall(r"bvar\.(\w+)(?: <|`)", text)) == set(bvar.__all__)
    numbers = {11: "Eleven", 12: "Twelve", 13: "Thirteen", 14: "Fourteen", 15: "Fifteen"}
    assert f"{numbers[len(bvar.__all__)]} names" in text


def test_every_environment_variable_is_in_the_reference():
    text = (ROOT / "docs/reference/environment.md").read_text(encoding="utf-8")
    sources = [*(ROOT / "bvar").rglob("*.py"), *(ROOT / "tests").glob("*.py"), ROOT / "setup.py"]
    used = {v for s in sources for v in re.findall(r"\"(BVAR_[A-Z_]+)\"", s.read_text(encoding="utf-8"))}
    assert "BVAR_BACKEND" in used
    assert not {variable for variable in used if f"`{variable}`" not in text}


# ------------------------------------------------------------------------------------------ names and links


def literals(page):
    text = re.sub(r"^(`{3,}).*?^\1", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    return set(re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text))


def resolves(dotted):
    parts = dotted.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            value = importlib.import_module(".".join(parts[:cut]))
        except ImportError:
            continue
        try:
            for attribute in parts[cut:]:
                value = getattr(value, attribute)
        except AttributeError:
            return False
        return True
    return False


@cache
def names_of_tests():
    trees = (ast.parse(f.read_text(encoding="utf-8")) for f in (ROOT / "tests").rglob("test_*.py"))
    return {n.name for tree in trees for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_name_on_a_page_exists(page):
    """``bvar.x.y``, ``test_...`` and paths of files, wherever they stand as code."""
    tests, wrong = names_of_tests(), []
    for text in literals(page):
        target = text.split(" ")[-1].lstrip("~").strip("<>") if text.startswith("bvar.") and "<" in text else text
        if re.fullmatch(r"bvar(\.\w+)+", target) and not target.endswith(".md"):
            known = resolves(target)
        elif re.fullmatch(r"test_\w+", target):
            known = target in tests
        elif re.fullmatch(r"(bvar|docs|tests|tutorials)/[\w./-]+", target) and "_build" not in target:
            known = (ROOT / target).exists()
        else:
            continue
        wrong += [] if known else [text]
    assert not wrong, f"{name_of(page)} names what does not exist: {sorted(wrong)}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_relative_link_leads_somewhere(page):
    text = page.read_text(encoding="utf-8")
    wrong = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        if path and not (page.parent / path).exists():
            wrong.append(target)
        assert not anchor or path or anchor in text.lower().replace(" ", "-")
    assert not wrong, f"{name_of(page)} links to what does not exist: {wrong}"


def test_every_recipe_has_its_line_on_the_page_of_recipes():
    """The list on the left takes new pages by itself; groups are made by hand."""
    home = ROOT / "docs/howto"
    linked = re.findall(
        r"^\* \[[^]]+\]\(([\w-]+\.md)\): \w", (home / "index.md").read_text(encoding="utf-8"), re.M
    )
    assert sorted(linked) == sorted(p.name for p in home.glob("*.md") if p.name != "index.md")


@pytest.mark.parametrize("page", [p for p in PAGES if p.parent.name == "explanation"], ids=name_of)
def test_equations_that_are_cited_are_labelled(page):
    text = page.read_text(encoding="utf-8")
    assert set(re.findall(r"\{eq\}`([\w-]+)`", text)) <= set(re.findall(r"^:label: ([\w-]+)$", text, re.M))


def test_equations_that_docstrings_cite_stand_on_the_page_they_name():
    """A citation is ``:eq:`label` of ``docs/explanation/page.md```` in one sentence."""
    texts = [source.read_text(encoding="utf-8") for source in (ROOT / "bvar").rglob("*.py")]
    cited = [c for text in texts for c in re.findall(r":eq:`([\w-]+)` of ``(docs/[\w/-]+\.md)``", text)]
    assert cited
    assert not [c for c in cited if f":label: {c[0]}\n" not in (ROOT / c[1]).read_text(encoding="utf-8")]


def test_pages_named_by_docstrings_exist():
    sources = [*(ROOT / "bvar").rglob("*.py")]
    named = {page for s in sources for page in re.findall(r"docs/[\w/-]+\.md", s.read_text(encoding="utf-8"))}
    assert named
    assert not {page for page in named if not (ROOT / page).exists()}
