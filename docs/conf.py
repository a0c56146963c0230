"""Sphinx configuration; the build needs no network."""

import hashlib
import os
import re
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT), str(HERE / "_ext")]
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")

import bvar  # noqa: E402

project = "bvar"
author = "the bvar developers"
copyright = author
version = release = bvar.__version__

extensions = [
    "house",
    "live",
    "logo",
    "names",
    "results",
    "toys",
    "myst_nb",
    "sphinx_design",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",
    "numpydoc",
]
exclude_patterns = ["_build", "_templates", "**.ipynb_checkpoints"]
templates_path = ["_templates"]
default_role = "code"
nitpicky = True
nitpick_ignore_regex = [
    (r"py:.*", r"(matplotlib|numpy|pandas|polars|scipy|sklearn)\..*")
]  # no inventories: no network

# ------------------------------------------------------------------- tutorials are copied in, and run


def copy_tutorials() -> None:
    """Mirror ../tutorials into docs/_tutorials, with links to ../docs made relative to the new place."""
    target = HERE / "_tutorials"
    target.mkdir(exist_ok=True)
    (target / "paper").mkdir(exist_ok=True)
    home = ROOT / "tutorials"
    found = [*home.glob("[0-9]*.md"), *home.glob("paper/*.md")]
    pages = {page.relative_to(home).as_posix(): page.read_text(encoding="utf-8") for page in found}
    for old in target.rglob("*.md"):
        if old.relative_to(target).as_posix() not in pages:
            old.unlink()
    for name, text in pages.items():
        text = re.sub(r"\]\(((?:\.\./)+)docs/", r"](\1", text)
        if not (target / name).exists() or (target / name).read_text(encoding="utf-8") != text:
            (target / name).write_text(text, encoding="utf-8")  # or Sphinx would read the page again


def find_tutorials(app, docname, source):
    """Pages link to ../tutorials where they are in the repository; in the site they are copies."""
    source[0] = re.sub(r"\]\(((?:\.\./)*)\.\./tutorials/", r"](\1_tutorials/", source[0])


def say_what_runs(app, docname, source):
    """Name the page whose cells are about to run: a build that is silent for minutes looks dead."""
    if "```{code-cell}" in source[0] and app.config.nb_execution_mode != "off":
        print(f"docs: {docname} (its cells run, unless neither they nor bvar changed)", flush=True)


def cache_of_results() -> Path:
    """Results of cells are kept as long as nothing in the package changes; the folder is named by its sources."""
    sources = [p for p in (ROOT / "bvar").rglob("*") if p.suffix in (".py", ".pyx", ".c", ".h", ".json")]
    digest = hashlib.sha256()
    for path in sorted(p for p in sources if p.name != "_kernels.c"):
        digest.update(path.read_bytes())
    home = HERE / "_build" / "results"
    for old in home.glob("*"):
        if old.name != digest.hexdigest()[:16]:
            shutil.rmtree(old)
    return home / digest.hexdigest()[:16]


def make_profile() -> None:
    """Run kernels in a profile of their own: nobody's start-up files, and no remarks on how kernels talk."""
    profile = HERE / "_build" / "ipython" / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "ipython_kernel_config.py").write_text(
        "get_config().IPKernelApp.log_level = 40\n", encoding="utf-8"
    )
    os.environ["IPYTHONDIR"] = str(profile.parent)


copy_tutorials()
make_profile()
nb_execution_mode = "cache"
nb_execution_cache_path = str(cache_of_results())
nb_execution_raise_on_error = True
nb_execution_timeout = -1  # none: on a busy machine any limit is too short for somebody
nb_output_stderr = "remove"
nb_merge_streams = True
suppress_warnings = ["mystnb.mime_priority"]

# ------------------------------------------------------------------------------------ text and formulas

myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
myst_dmath_double_inline = True
mathjax3_config = {"tex": {"tags": "none"}}  # the copy that sphinx-mathjax-offline brings is MathJax 3
math_eqref_format = "({number})"
math_number_all = False

# ------------------------------------------------------------------------------------------- reference

autosummary_generate = True
autosummary_ignore_module_all = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
toc_object_entries_show_parents = "hide"


def mend(app, what, name, obj, options, lines):
    """Docstrings name pages by their path, which links here; an author's initial is no Roman numeral."""
    for i, line in enumerate(lines):
        line = re.sub(r"``docs/([\w/-]+)\.md``", r":doc:`/\1`", line)
        lines[i] = re.sub(r"^(\s*)V\. M\.", r"\1\\V. M.", line)


def skip(app, what, name, obj, would_skip, options):
    """Leave out what scikit-learn makes, and documents."""
    return True if re.fullmatch(r"set_output|set_\w+_request", name) else None


def setup(app):
    app.connect("source-read", find_tutorials)
    app.connect("source-read", say_what_runs)
    app.connect("autodoc-skip-member", skip)
    app.connect("autodoc-process-docstring", mend)


# ------------------------------------------------------------------------------------------------ look

html_theme = "pydata_sphinx_theme"
html_title = "bvar"
html_static_path = ["_static"]
html_css_files = ["bvar.css"]
html_js_files = ["bvar.js", "copy.js"]
html_search_scorer = str(HERE / "_static/scorer.js")
html_favicon = "_static/logo.svg"
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "bvar", "image_light": "_static/logo.svg", "image_dark": "_static/logo.svg", "alt_text": ""},
    "navbar_align": "left",
    "show_prev_next": True,
    "secondary_sidebar_items": {"**": ["page-toc"], "index": []},
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_toc_level": 2,
    "navigation_with_keys": False,
}
html_sidebars = {"index": [], "notation": []}
