"""CSV files row by row, with errors that say where."""

from __future__ import annotations

import csv
from argparse import ArgumentTypeError
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Self

from bvar.cli.command import CommandError, quoted, shown

__all__ = ["CsvFile", "delimiter"]

_SEPARATORS = {",": "','", ";": "';'", "\t": "tab", "|": "'|'"}  # that files have, and how --delimiter is told
_REASONS = {
    "unexpected end of data": "unexpected end of data, a quote must be closed",
    "field larger than field limit": f"a cell must have at most {csv.field_size_limit()} characters",
}


def delimiter(text: str) -> str:
    r"""Read the option ``--delimiter``.

    Parameters
    ----------
    text : str
        What the user wrote.

    Returns
    -------
    str
        One character.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is none that can separate cells.
    """
    character = "\t" if text in ("tab", "\\t") else text
    if len(character) != 1 or character.isalnum() or character in '"\r\n':
        raise ArgumentTypeError(f"must be one character that separates cells, such as ';', or tab, got {text!r}")
    return character


class CsvFile:
    """A file with a line of column names, read row by row; a context manager.

    A column may have no name, but no two the same one.
    """

    def __init__(self, path: Path, delimiter: str = ",") -> None:
        self.path = path
        self.delimiter = delimiter

    def __enter__(self) -> Self:
        """Open the file and read the names."""
        self._file = open(self.path, encoding="utf-8-sig", newline="")
        self._end = 0  # lines that have been read
        try:
            self._reader = csv.reader(self._file, delimiter=self.delimiter, strict=True)
            self.names = [name.strip() for name in next(filter(None, self._lines()), [])]
            if not any(self.names):
                raise CommandError(f"{self.path}: empty file, or no column names in the first line")
            twice = [name for name, count in Counter(filter(None, self.names)).items() if count > 1]
            if twice:
                raise CommandError(
                    f"{self.path}, line {self._line}: more than one column is called {quoted(twice[0])}"
                )
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._file.close()

    def find(self, name: str, option: str = "") -> int:
        """Return the place of a column; `option` is where the user named it."""
        if not name or name not in self.names:
            named = list(map(shown, filter(None, self.names)))
            listed = ", ".join(named[:50]) + (", ..." if len(named) > 50 else "")
            where = f"{self.path}: {option}: " if option else f"{self.path}: "
            raise CommandError(f"{where}no column {quoted(name)}; there are {listed}{self.hint()}")
        return self.names.index(name)

    def hint(self) -> str:
        """Return how an error goes on if another character seems to separate the cells."""
        text = self.delimiter.join(self.names)
        other = max(_SEPARATORS, key=text.count)
        if text.count(other) <= text.count(self.delimiter):
            return ""
        return f"; does {_SEPARATORS[other]} separate the cells? then give --delimiter {_SEPARATORS[other]}"

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield number of the line and cells of each row; blank lines are left out, unless they may be cells."""
        blank = 0
        for cells in self._lines():
            if not cells:
                blank = blank or self._line
                continue
            if blank and len(self.names) == 1:
                raise CommandError(
                    f"{self.path}, line {blank}: a cell of a single column must be written, NA if missing"
                )
            if len(cells) != len(self.names):
                raise CommandError(
                    f"{self.path}, line {self._line}: {len(cells)} cells, "
                    f"but the first line names {len(self.names)} columns{self.hint()}"
                )
            yield self._line, [cell.strip() for cell in cells]

    def blocks(self, size: int) -> Iterator[list[tuple[int, list[str]]]]:
        """Yield the rows, up to `size` at a time."""
        rows = self.rows()
        while block := list(islice(rows, size)):
            yield block

    def _lines(self) -> Iterator[list[str]]:
        """Yield the cells of each row; `_line` is where it begins, since a cell may have line breaks in it."""
        try:
            for cells in self._reader:
                self._line, self._end = self._end + 1, self._reader.line_num
                yield cells
        except csv.Error as error:
            reason = _REASONS.get(str(error).partition("(")[0].strip(), str(error))
            raise CommandError(f"{self.path}, line {self._reader.line_num}: {reason}") from None
        except UnicodeDecodeError:
            raise CommandError(f"{self.path}{self._undecodable()}: not a text file in UTF-8") from None

    def _undecodable(self) -> str:
        """Find the line that is not text, if the file can be read again."""
        if self.path.is_file():
            with open(self.path, "rb") as file:
                for number, line in enumerate(file, 1):
                    if line.decode("utf-8", "replace").encode() != line:
                        return f", line {number}"
        return ""
