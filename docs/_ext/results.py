"""Tables of what trainings of the paper's tasks measured, made of the files that their scripts wrote.

    ```{results} classification
    :columns: width epoch epochs accuracy seconds
    ```

Rows and their order are those of ``tutorials/paper/results/classification.json``.  A number in such a table was
measured, for nobody types it; a row without a value says that it was not run.
"""

import json
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive, directives

FOLDER = Path(__file__).parents[2] / "tutorials/paper/results"
MISSING = "not run yet"


def cells(results, columns):
    """Give the texts of the table, the head first."""
    yield ["", *columns]
    for name, values in results.items():
        known = [text(values.get(column)) for column in columns]
        yield [name, *known] if any(column in values for column in columns) else [name, MISSING, *known[1:]]


def text(value):
    """Write a value of a row: four digits of a number are more than its noise leaves."""
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


class Results(Directive):
    """The results of one task."""

    required_arguments = 1
    option_spec: ClassVar = {"columns": directives.unchanged_required}

    def run(self):
        path = FOLDER / f"{self.arguments[0]}.json"
        self.state.document.settings.record_dependencies.add(str(path))
        columns = self.options["columns"].split()
        head, *rows = cells(json.loads(path.read_text(encoding="utf-8")), columns)
        group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in head), cols=len(head))
        group += nodes.thead("", line(head))
        group += nodes.tbody("", *map(line, rows))
        return [nodes.table("", group)]


def line(texts):
    """Make a row of cells."""
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", text)) for text in texts))


def setup(app):
    app.add_directive("results", Results)
    return {"parallel_read_safe": True}
