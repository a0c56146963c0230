"""Cut text into words, and words into known pieces, as the tokenizer of BERT does.

A word is letters and figures without a gap; every sign is a word of its own.  From the left, the longest piece
that is known is taken, again and again; pieces inside a word are written with a mark before them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

import numpy as np

from bvar._describe import Described
from bvar._validation import check_integer
from bvar.multikernel.texts import names_of

__all__ = ["WordPieces"]

_MARK = "##"
_LONGEST = 100  # characters of a word that is looked at
_SIGNS = ((33, 47), (58, 64), (91, 96), (123, 126))  # of ASCII, whatever Unicode calls them
_IDEOGRAPHS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


class WordPieces(Described):
    """Text to numbers of tokens by pieces of words.

    Parameters
    ----------
    vocabulary : mapping of str to int
        The pieces and their numbers; ``[UNK]``, ``[CLS]`` and ``[SEP]`` are among them.
    is_lower : bool, default=True
        Whether text is written in lower case and without accents first.
    n_positions : int, optional
        Tokens of the longest text: what is more is cut off. Default: nothing is cut.

    Raises
    ------
    ValueError
        If one of the three is missing.

    See Also
    --------
    load_tokenizer : Reads one from a file.

    Examples
    --------
    >>> from bvar.multikernel import WordPieces
    >>> names = ["[UNK]", "[CLS]", "[SEP]", "a", "com", "##put", "##er", "!"]
    >>> WordPieces({name: i for i, name in enumerate(names)}).encode("A computer!")
    array([1, 3, 4, 5, 6, 7, 2])
    """

    def __init__(
        self, vocabulary: Mapping[str, int], *, is_lower: bool = True, n_positions: int | None = None
    ) -> None:
        missing = [name for name in ("[UNK]", "[CLS]", "[SEP]") if name not in vocabulary]
        if missing:
            raise ValueError(f"vocabulary must hold [UNK], [CLS] and [SEP], got none of {missing}")
        self.vocabulary = dict(vocabulary)
        self.is_lower = is_lower
        self.n_positions = None if n_positions is None else check_integer(n_positions, "n_positions", low=2)

    def encode(self, text: str) -> np.ndarray:
        """Turn a sentence into numbers of tokens, with the marks of its beginning and end.

        Parameters
        ----------
        text : str
            Any.

        Returns
        -------
        ndarray of int64, shape (n_positions,)
            The numbers.
        """
        ids = [self.vocabulary[piece] for word in self._words(text) for piece in self._pieces(word)]
        room = None if self.n_positions is None else self.n_positions - 2
        return np.array([self.vocabulary["[CLS]"], *ids[:room], self.vocabulary["[SEP]"]], np.int64)

    def decode(self, ids: np.ndarray) -> str:
        """Turn numbers of tokens into text: pieces joined, words apart, marks left out.

        Parameters
        ----------
        ids : array-like of int, shape (n_positions,)
            The numbers.

        Returns
        -------
        str
            Not always what was encoded: case, accents and gaps are lost.

        Raises
        ------
        TypeError, ValueError
            If there is no such token, or more texts than one.
        """
        pieces = names_of(ids, {number: name for name, number in self.vocabulary.items()})
        return " ".join(piece for piece in pieces if piece not in ("[CLS]", "[SEP]")).replace(f" {_MARK}", "")

    def _words(self, text: str) -> list[str]:
        kept = "".join(" " if c in "\t\n\r" else c for c in text if c in "\t\n\r" or not _is_control(c))
        if self.is_lower:
            split = unicodedata.normalize("NFD", kept)
            kept = "".join(c for c in split if unicodedata.category(c) != "Mn").lower()
        return "".join(f" {c} " if _stands_alone(c) else c for c in kept).split()

    def _pieces(self, word: str) -> list[str]:
        pieces, start = [], 0
        while start < len(word) <= _LONGEST:
            mark = _MARK if start else ""
            ends = range(len(word), start, -1)
            end = next((end for end in ends if mark + word[start:end] in self.vocabulary), 0)
            if not end:
                break
            pieces.append(mark + word[start:end])
            start = end
        return pieces if start == len(word) else ["[UNK]"]


def _is_control(character: str) -> bool:
    return character in "\x00\ufffd" or unicodedata.category(character)[0] == "C"


def _stands_alone(character: str) -> bool:
    code = ord(character)
    return unicodedata.category(character)[0] == "P" or any(
        low <= code <= high for low, high in _SIGNS + _IDEOGRAPHS
    )
