"""Names written as code become links: ``bvar.x.y`` to its page of the reference, ``test_...`` to its file.

Pages say names as literal text, as one reads them in an editor. Where a literal is the name of something that the
reference has, it gets a link there; a test gets the name of its file beside it, once in a row of a table.
"""

import ast
import re
from functools import cache
from itertools import pairwise
from pathlib import Path

from docutils import nodes

ROOT = Path(__file__).parents[2]


@cache
def tests():
    """File of each test, by name; a name that two files have is in none."""
    found = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found.setdefault(node.name, set()).add(path.relative_to(ROOT).as_posix())
    return {name: paths.pop() for name, paths in found.items() if len(paths) == 1}


def full_name(short, known):
    """Name in the reference of what a page calls so: as it stands, or where the top level took it from."""
    if short in known:
        return short
    import bvar

    found = getattr(bvar, short.removeprefix("bvar."), None)
    if isinstance(found, type):
        modules = found.__module__.split(".")
        public = ".".join(part for part in modules if not part.startswith("_"))
        for cut in range(public.count(".") + 1, 0, -1):
            name = ".".join([*public.split(".")[:cut], found.__name__])
            if name in known:
                return name
    return None


def link_names(app, doctree, docname):
    """Link literals that name something, but in headings, in links and in tables of the reference itself."""
    known = app.env.domains["py"].objects
    for literal in list(doctree.findall(nodes.literal)):
        text = literal.astext()
        if isinstance(literal.parent, nodes.reference | nodes.title):
            continue
        if re.fullmatch(r"bvar(\.\w+)+(\(\))?", text):
            name = full_name(text.removesuffix("()"), known)
            if name is not None and known[name].docname != docname:
                place = app.builder.get_relative_uri(docname, known[name].docname) + "#" + known[name].node_id
                literal.replace_self(nodes.reference("", "", literal.deepcopy(), refuri=place, internal=True))
        elif text in tests():
            literal["classes"].append("test")
            literal["test"] = tests()[text]


def name_files(app, doctree, docname):
    """Write the file of each test behind it; of tests in a row from one file, behind the last."""
    found = [literal for literal in doctree.findall(nodes.literal) if literal.get("test")]
    for literal, following in pairwise([*found, None]):
        is_last = (
            following is None or following.parent is not literal.parent or following["test"] != literal["test"]
        )
        if is_last:
            at = literal.parent.index(literal)
            literal.parent.insert(at + 1, nodes.inline("", f" ({literal['test']})", classes=["test-file"]))


def setup(app):
    """Link when all pages have been read, and the reference is known."""
    app.connect("doctree-resolved", link_names)
    app.connect("doctree-resolved", name_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
