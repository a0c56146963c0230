"""Cut text into tokens by merging pairs, as the tokenizers of OPT and Llama do.

Text is first a row of small pieces: its bytes, each written as a character that can be seen, or its characters
with a bar for a gap.  The pair of neighbours that stands first in a list is merged wherever it occurs, again
and again.
"""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from bvar._describe import Described
from bvar._validation import check_choice
from bvar.multikernel.texts import names_of

__all__ = ["PATTERNS", "BytePairs"]

_BAR = "\u2581"
_NEVER = 2**62  # rank of a pair that is not merged

PATTERNS = {
    "gpt2": r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    "llama3": (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
        r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
}
"""How files write the words of GPT-2 and OPT, and those of Llama since its third version."""

_WORDS = {
    name: re.compile(
        pattern.replace(r"s\p{L}\p{N}]", "sa-zA-Z0-9]")
        .replace(r"n\p{L}\p{N}]", "na-zA-Z0-9]")
        .replace(r"\p{L}", "[a-zA-Z]")
        .replace(r"\p{N}", "[0-9]"),
        re.ASCII,
    )
    for name, pattern in PATTERNS.items()
}  # the same of texts that _plain has written in ASCII


class BytePairs(Described):
    r"""Text to numbers of tokens by merged pairs.

    Parameters
    ----------
    vocabulary : mapping of str to int
        The tokens and their numbers.
    merges : sequence of tuple of str
        The pairs that are merged, the most urgent first.
    split : {'gpt2', 'llama3', 'bars'}, default='gpt2'
        With the first two, pieces are bytes, and no merge crosses the words of GPT-2 or of Llama 3. With the third
        they are characters, with a bar for each gap and one in front; what is not in the vocabulary is written in
        bytes, ``<0x0A>``.
    first, last : tuple of str, default=()
        Tokens before and behind every text.
    special : collection of str, default=()
        Tokens that are found in a text as they are.
    whole_words : bool, default=False
        Whether a word that is a token is not merged from its pieces.

    Raises
    ------
    ValueError
        If tokens are not in the vocabulary, or `split` is none of the three.

    See Also
    --------
    load_tokenizer : Reads one from files.

    Examples
    --------
    >>> from bvar.multikernel import BytePairs
    >>> names = ["t", "h", "e", "\u0120", "th", "the", "\u0120the"]  # \u0120 is what a gap is written as
    >>> pairs = BytePairs({name: i for i, name in enumerate(names)}, [("t", "h"), ("th", "e"), ("\u0120", "the")])
    >>> pairs.encode("the the")
    array([5, 6])
    """

    def __init__(
        self,
        vocabulary: Mapping[str, int],
        merges: Sequence[tuple[str, str]],
        *,
        split: str = "gpt2",
        first: Sequence[str] = (),
        last: Sequence[str] = (),
        special: Collection[str] = (),
        whole_words: bool = False,
    ) -> None:
        self.split = check_choice(split, "split", (*PATTERNS, "bars"))
        self.vocabulary, self.whole_words = dict(vocabulary), whole_words
        self.ranks = {pair: rank for rank, pair in reversed([*enumerate(merges)])}
        self.first, self.last, self.special = tuple(first), tuple(last), frozenset(special)
        missing = sorted({*self.first, *self.last, *self.special} - set(vocabulary))
        missing += sorted({a + b for a, b in self.ranks} - set(vocabulary))
        if missing:
            raise ValueError(
                f"vocabulary must hold special tokens and what pairs become, got none of {missing[:5]}"
            )
        self._names = {number: name for name, number in self.vocabulary.items()}
        self._cut = re.compile("|".join(map(re.escape, sorted(self.special, key=len, reverse=True))) or r"(?!)")

    def encode(self, text: str) -> np.ndarray:
        """Turn text into numbers of tokens.

        Parameters
        ----------
        text : str
            Any.

        Returns
        -------
        ndarray of int64, shape (n,)
            The numbers.

        Raises
        ------
        ValueError
            If the text cannot be written in the tokens that there are.
        """
        tokens, start = [*self.first], 0
        for match in self._cut.finditer(text):
            tokens += [*self._tokens(text[start : match.start()]), match[0]]
            start = match.end()
        tokens += [*self._tokens(text[start:]), *self.last]
        strange = sorted(set(tokens) - set(self.vocabulary))
        if strange:
            raise ValueError(f"text must be of the tokens that there are, got pieces {strange[:5]}")
        return np.array([self.vocabulary[token] for token in tokens], np.int64)

    def decode(self, ids: np.ndarray) -> str:
        """Turn numbers of tokens into text, without what stands before and behind it.

        Parameters
        ----------
        ids : array-like of int, shape (n,)
            The numbers.

        Returns
        -------
        str
            The text; bytes that are no UTF-8 become question marks.

        Raises
        ------
        TypeError, ValueError
            If there is no such token, or more texts than one.
        """
        tokens = [name for name in names_of(ids, self._names) if name not in self.special]
        if self.split != "bars":
            return b"".join(map(_bytes_of, tokens)).decode("utf-8", "replace")
        data = b"".join(
            bytes([int(token[3:5], 16)]) if re.fullmatch("<0x[0-9A-F]{2}>", token) else token.encode()
            for token in tokens
        )
        return data.decode("utf-8", "replace").replace(_BAR, " ").removeprefix(" ")

    def _tokens(self, text: str) -> list[str]:
        if self.split == "bars":
            pieces = list(_BAR + text.replace(" ", _BAR)) if text else []
            return [part for piece in self._merged(tuple(pieces)) for part in self._known(piece)]
        words = [text[slice(*match.span())] for match in _WORDS[self.split].finditer(_plain(text))]
        written = ["".join(_alphabet()[value] for value in word.encode("utf-8")) for word in words]
        return [
            token
            for word in written
            for token in ([word] if self.whole_words and word in self.vocabulary else self._merged(tuple(word)))
        ]

    def _merged(self, pieces: tuple[str, ...]) -> list[str]:
        parts = list(pieces)
        while len(parts) > 1:
            pairs = set(itertools.pairwise(parts))
            best = min(pairs, key=lambda pair: self.ranks.get(pair, _NEVER))
            if best not in self.ranks:
                break
            parts = _merge(parts, best)
        return parts

    def _known(self, piece: str) -> list[str]:
        return [piece] if piece in self.vocabulary else [f"<0x{value:02X}>" for value in piece.encode("utf-8")]


def _merge(parts: list[str], pair: tuple[str, str]) -> list[str]:
    merged, i = [], 0
    while i < len(parts):
        is_pair = parts[i : i + 2] == [*pair]
        merged.append(pair[0] + pair[1] if is_pair else parts[i])
        i += 1 + is_pair
    return merged


def _plain(text: str) -> str:
    """Write each character as one of ASCII of its kind: a letter, a figure, a gap, or something else."""
    return "".join(c if c < "\x80" else _PLAIN.get(_kind(c), "\x01") for c in text)


_PLAIN = {"L": "a", "N": "0", "gap": "\t"}


def _kind(character: str) -> str:
    return "gap" if character.isspace() else unicodedata.category(character)[0]


def _bytes_of(token: str) -> bytes:
    """Return the bytes that a token is written for; one that is not written in them stands for itself."""
    values = _values()
    return bytes(values[c] for c in token) if values.keys() >= set(token) else token.encode("utf-8")


@functools.cache
def _values() -> dict[str, int]:
    """Return the byte of each character of the alphabet."""
    return {character: value for value, character in _alphabet().items()}


@functools.cache
def _alphabet() -> dict[int, str]:
    """Return a character that can be seen for each byte: itself in Latin-1, or one from 256 on."""
    seen = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [value for value in range(256) if value not in seen]
    return {value: chr(value) for value in seen} | {value: chr(256 + i) for i, value in enumerate(hidden)}
