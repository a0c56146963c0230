"""Draw the rooms of the package from its own imports: the directive ``house``, used on docs/develop/map.md.

Rooms are rows, in the order of the layers in pyproject.toml. A dot in the row of a room, under another's name,
says that the first imports the second; the more files do, the larger it is. An import inside a function, made when
it is called, is a ring. Rooms import from those below them, so all dots lie on one side of the diagonal.
"""

import ast
import tomllib
from collections import Counter
from itertools import pairwise
from pathlib import Path

STEP, LEFT, TOP = 24, 132, 96  # pixels: of a row and a column, and for the names of rooms beside and above


def contract(root):
    """The import contract of pyproject.toml, which lint-imports enforces."""
    tools = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    return tools["importlinter"]["contracts"][0]


def rooms(root):
    """Names of rooms without ``bvar.``, from the top layer to the lowest."""
    return [name.strip().removeprefix("bvar.") for layer in contract(root)["layers"] for name in layer.split("|")]


def named(node, package):
    """Dotted names that an import statement may mean; ``from a import b`` may mean a.b."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        above = package[: len(package) + 1 - node.level] if node.level else []
        return [".".join([*above, *filter(None, [node.module]), alias.name]) for alias in node.names]
    return []


def imports_of(path, package):
    """Rooms that a file imports, each with whether it does so at once, and not only in a function."""
    tree, found = ast.parse(path.read_text(encoding="utf-8")), {}
    inside = {id(n) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for n in ast.walk(f)}
    for node in ast.walk(tree):
        for target in named(node, package):
            if target.startswith("bvar."):
                room = target.split(".")[1]
                found[room] = found.get(room, False) or id(node) not in inside
    return found


def imports(root):
    """Count files by (room, room that it imports, whether at once)."""
    names, count = rooms(root), Counter()
    for path in (root / "bvar").rglob("*.py"):
        package = path.relative_to(root).with_suffix("").parts
        found = imports_of(path, list(package[:-1])) if package[1] in names else {}
        count.update((package[1], to, now) for to, now in found.items() if to in names and to != package[1])
    return count


def size(root, room):
    """Say how many files and lines a room has."""
    home = root / "bvar" / room
    files = list(home.rglob("*.py")) if home.is_dir() else [home.with_suffix(".py")]
    n_lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files)
    return f"{len(files)} file{'s' * (len(files) > 1)}, {n_lines} lines"


def draw(root, walk=()):
    """Return the drawing as SVG, coloured by docs/_static/bvar.css; rooms of the walk, in its order, stand out."""
    names, found = rooms(root), imports(root)
    for a, b in pairwise(walk):
        if not (found[a, b, True] or found[a, b, False]):
            raise ValueError(f"the walk goes from {a} to {b}, but {a} does not import {b}")
    width, height = LEFT + STEP * len(names) + 130, TOP + STEP * len(names) + 8
    middle = {name: STEP * i + STEP / 2 for i, name in enumerate(names)}
    parts = [f'<svg class="house" viewBox="0 0 {width} {height}" role="img" xmlns="http://www.w3.org/2000/svg">']
    parts.append(f"<title>Which of the {len(names)} rooms of bvar imports which</title>")
    for name in names:
        x, y, walked = LEFT + middle[name], TOP + middle[name], " walk" * (name in walk)
        parts += [
            f'<path class="line" d="M{LEFT} {y}H{LEFT + STEP * len(names)}M{x} {TOP}V{y}"/>',
            f'<rect class="room{walked}" x="1" y="{y - 10}" width="{LEFT - 10}" height="20" rx="4"/>',
            f'<text x="10" y="{y + 4}">{name}</text>',
            f'<text transform="translate({x + 4} {TOP - 6}) rotate(-55)">{name}</text>',
            f'<rect class="self" x="{x - 5}" y="{y - 5}" width="10" height="10" rx="2"/>',
            f'<text class="size" x="{width - 4}" y="{y + 4}">{size(root, name)}</text>',
        ]
    steps = set(pairwise(walk))
    for (room, to, now), n_files in sorted(found.items()):
        style = ("dot" if now else "ring") + " walk" * ((room, to) in steps)
        place = f'cx="{LEFT + middle[to]}" cy="{TOP + middle[room]}" r="{min(3 + n_files**0.5, 9):.1f}"'
        said = f"{room} imports {to}, {n_files} time{'s' * (n_files > 1)}{'' if now else ', when it is called'}"
        parts.append(f'<circle class="{style}" {place}><title>{said}</title></circle>')
    return "\n".join([*parts, "</svg>"])


def setup(app):
    """Register the directive; its content is the walk, a room a line."""
    from docutils import nodes
    from sphinx.util.docutils import SphinxDirective

    class House(SphinxDirective):
        has_content = True

        def run(self):
            root = Path(app.srcdir).parent
            for path in [root / "pyproject.toml", *(root / "bvar").rglob("*.py")]:
                self.env.note_dependency(path)  # a build draws anew what the code has changed
            return [nodes.raw("", draw(root, [line.strip() for line in self.content]), format="html")]

    app.add_directive("house", House)
    return {"parallel_read_safe": True}
