"""Read the tokenizer of a model from the files beside its weights.

``tokenizer.json`` says all; in its place may stand ``vocab.json`` with ``merges.txt``, the pairs of bytes of
GPT-2 and OPT, or ``vocab.txt``, the pieces of words of BERT.  What asks for something else than the two classes
do is refused.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bvar.multikernel.byte_pairs import PATTERNS, BytePairs
from bvar.multikernel.word_pieces import WordPieces

__all__ = ["load_tokenizer"]


def load_tokenizer(folder: str | os.PathLike[str]) -> BytePairs | WordPieces:
    """Read a tokenizer.

    Parameters
    ----------
    folder : str or path-like
        With ``tokenizer.json``, or ``vocab.json`` and ``merges.txt``, or ``vocab.txt``; and perhaps
        ``tokenizer_config.json``.

    Returns
    -------
    BytePairs or WordPieces
        With ``encode`` and ``decode``.

    Raises
    ------
    ValueError
        If a file is damaged, or the tokenizer is of another kind.
    OSError
        If a file cannot be read.

    See Also
    --------
    load_pretrained : Reads the model.
    """
    folder = Path(folder)
    whole, settings = folder / "tokenizer.json", folder / "tokenizer_config.json"
    options = read_object(settings) if settings.exists() else {}
    if whole.exists():
        return _of_file(read_object(whole), whole)
    if (folder / "vocab.json").exists():
        return _of_pairs(folder, options)
    # nothing but a line feed parts tokens: they may hold what Unicode calls the end of a line
    words = (folder / "vocab.txt").read_text(encoding="utf-8").removesuffix("\n").split("\n")
    return WordPieces(
        {word: i for i, word in enumerate(words)}, is_lower=_truth(options.get("do_lower_case", True), settings)
    )


def read_object(path: Path) -> Mapping[str, Any]:
    """Read a file that must be one JSON object."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: must be JSON: {str(error)[:80]}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path}: must be a JSON object")
    return found


def _of_pairs(folder: Path, options: Mapping[str, Any]) -> BytePairs:
    path = folder / "merges.txt"
    lines = path.read_text(encoding="utf-8").split("\n")
    pairs = [line for line in lines if line.strip() and not line.startswith("#version")]
    begin = options.get("bos_token", "</s>")
    begin = begin.get("content") if isinstance(begin, dict) else begin
    if not isinstance(begin, str):
        raise ValueError(f"{folder}: bos_token must be text, got {type(begin).__name__}")
    first = (begin,) if _truth(options.get("add_bos_token", False), folder) else ()
    vocabulary = _vocabulary(read_object(folder / "vocab.json"), folder / "vocab.json")
    return BytePairs(vocabulary, _pairs(pairs, path), first=first, special=first)


def _of_file(file: Mapping[str, Any], path: Path) -> BytePairs | WordPieces:
    model = _object(file.get("model"), f"{path}: model")
    vocabulary = _vocabulary(model.get("vocab"), path)
    if model.get("type") == "WordPiece":
        return _word_pieces(file, model, vocabulary, path)
    if model.get("type") != "BPE":
        raise ValueError(f"{path}: model must be BPE or WordPiece, got {str(model.get('type'))[:40]!r}")
    added = file.get("added_tokens")
    if not isinstance(added, list | None):
        raise ValueError(f"{path}: added_tokens must be a list")
    entries = [_object(entry, f"{path}: added_tokens") for entry in added or ()]
    extra = _vocabulary({str(entry.get("content")): entry.get("id") for entry in entries}, path)
    first, last = _around(file.get("post_processor"), path)
    return BytePairs(
        vocabulary | extra,
        _pairs(model.get("merges"), path),
        split=_split(file, model, path),
        first=first,
        last=last,
        special=extra,
        whole_words=_truth(model.get("ignore_merges", False), path),
    )


def _word_pieces(
    file: Mapping[str, Any], model: Mapping[str, Any], vocabulary: dict[str, int], path: Path
) -> WordPieces:
    normalizer = _object(file.get("normalizer"), f"{path}: normalizer")
    is_lower = _truth(normalizer.get("lowercase", True), path)
    legal = normalizer.get("type") == "BertNormalizer" and normalizer.get("strip_accents") in (None, is_lower)
    legal = legal and _type(file.get("pre_tokenizer")) == "BertPreTokenizer"
    if not legal or model.get("continuing_subword_prefix", "##") != "##":
        raise ValueError(f"{path}: pieces of words must be cut as by BERT, with its normalizer and the mark ##")
    cut = file.get("truncation")
    n_positions = None if cut is None else _object(cut, f"{path}: truncation").get("max_length")
    return WordPieces(vocabulary, is_lower=is_lower, n_positions=n_positions)


def _split(file: Mapping[str, Any], model: Mapping[str, Any], path: Path) -> str:
    """Return the name of how a text is split."""
    steps, before = [*_steps(file.get("pre_tokenizer"))], [*_steps(file.get("normalizer"))]
    kinds = [step.get("type") for step in steps]
    if not before and kinds == ["ByteLevel"] and steps[0].get("use_regex", True) is True:
        if steps[0].get("add_prefix_space", False) is False:
            return "gpt2"
    elif not before and kinds == ["Split", "ByteLevel"] and steps[1].get("use_regex") is False:
        known = {pattern: name for name, pattern in PATTERNS.items()}
        pattern = steps[0].get("pattern")
        pattern = str(pattern.get("Regex")) if isinstance(pattern, dict) else ""
        if pattern in known and steps[0].get("behavior") == "Isolated" and not steps[0].get("invert", False):
            return known[pattern]
    elif before == _BARS and not steps and model.get("byte_fallback") is True:
        return "bars"
    raise ValueError(f"{path}: text must be split as by GPT-2, Llama or Llama 3, by bytes or with bars for gaps")


_BARS = [
    {"type": "Prepend", "prepend": "\u2581"},
    {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"},
]


def _steps(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the steps of a sequence of processors, or the one that stands alone."""
    if isinstance(value, dict):
        inner = next((value[name] for name in _LISTS if isinstance(value.get(name), list)), None)
        yield from (step for step in inner if isinstance(step, dict)) if inner is not None else (value,)


_LISTS = ("normalizers", "pretokenizers", "processors")


def _around(value: Any, path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the tokens before and behind a text."""
    sides: tuple[list[str], list[str]] = ([], [])
    for step in _steps(value):
        if _type(step) not in ("ByteLevel", "TemplateProcessing"):
            raise ValueError(f"{path}: post_processor must be a template, got {str(_type(step))[:40]!r}")
        side = 0
        for part in step.get("single", ()):
            if isinstance(part, dict) and "Sequence" in part:
                side = 1
            else:
                token = _object(_object(part, f"{path}: single").get("SpecialToken"), f"{path}: single").get("id")
                sides[side].append(str(token))
    return tuple(sides[0]), tuple(sides[1])


def _pairs(merges: Any, path: Path) -> list[tuple[str, str]]:
    if not isinstance(merges, list):
        raise ValueError(f"{path}: merges must be a list of pairs")
    pairs = [pair.split(" ") if isinstance(pair, str) else pair for pair in merges]
    if not all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) and part for part in pair)
        for pair in pairs
    ):
        raise ValueError(f"{path}: merges must be pairs of pieces")
    return [(first, second) for first, second in pairs]


def _vocabulary(value: Any, path: Path) -> dict[str, int]:
    table = _object(value, f"{path}: vocab")
    if not all(type(number) is int and 0 <= number < 2**31 for number in table.values()):
        raise ValueError(f"{path}: vocab must give a number to each token")
    return dict(table)


def _object(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be a JSON object, got {type(value).__name__}")
    return value


def _truth(value: Any, path: Path) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{path}: a setting must be true or false, got {str(value)[:40]!r}")
    return value


def _type(value: Any) -> Any:
    return value.get("type") if isinstance(value, dict) else None
