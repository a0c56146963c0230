"""What an encoder asks of each feature, as comparisons with numbers: all that an export needs to know of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil
from typing import Any, NamedTuple

from sklearn.utils.validation import check_is_fitted

from bvar.encoding import BitEncoder, ImageEncoder, OneHotBits, TableEncoder, ThermometerEncoder, UnateEncoder

__all__ = ["IntegerQuestion", "Question", "on_bytes", "on_integers", "questions"]


class Question(NamedTuple):
    """One comparison; a bit is T if the answer to one of its questions is yes."""

    feature: int
    bit: int
    equal: bool
    """Whether the question is ``x == value``; else it is ``x >= value``, or ``x < value``."""
    value: float
    less: bool = False


class IntegerQuestion(NamedTuple):
    """The same for features that are integers from a certain range."""

    feature: int
    bit: int
    equal: bool
    value: int
    less: bool = False


def questions(encoder: BitEncoder) -> list[Question]:
    """List what a fitted encoder asks, feature by feature and bit by bit."""
    if not isinstance(encoder, ThermometerEncoder | OneHotBits | TableEncoder | ImageEncoder):
        raise TypeError(
            "encoder must be a ThermometerEncoder, OneHotBits, TableEncoder or ImageEncoder, or None, "
            f"got {type(encoder).__name__}; without one, an export takes the input bits"
        )
    check_is_fitted(encoder)
    asked: list[Question] = []
    bit = 0
    for feature in range(encoder.n_features_in_):
        for equal, less, values in _bits(encoder, feature):
            asked += [Question(feature, bit, equal, value, less) for value in values]
            bit += 1
    return asked


def _bits(encoder: BitEncoder, feature: int) -> Iterator[tuple[bool, bool, list[float]]]:
    """Give for each bit of a feature which comparison it is, equal or less, and the numbers."""
    if hasattr(encoder, "thresholds_"):
        which = feature % encoder.n_channels if isinstance(encoder, ImageEncoder) else feature
        direction = encoder.directions_[feature] if isinstance(encoder, UnateEncoder) else 1
        for less in [False] * (direction >= 0) + [True] * (direction <= 0):
            for threshold in encoder.thresholds_[which]:
                yield False, less, [float(threshold)]
    if hasattr(encoder, "categories_"):
        for category in encoder.categories_[feature]:
            yield True, False, _numbers([category], feature)
        if encoder.infrequent_categories_[feature]:
            yield True, False, _numbers(encoder.infrequent_categories_[feature], feature)


def _numbers(categories: Sequence[Any], feature: int) -> list[float]:
    for category in categories:
        if isinstance(category, str):
            raise ValueError(
                f"encoder has categories of text in feature {feature}, such as {category!r}, which an export "
                "cannot take: number the categories before fit (sklearn.preprocessing.OrdinalEncoder does), "
                "or leave encoder out and give it the input bits"
            )
        if not -(2**53) <= category <= 2**53:
            raise ValueError(f"encoder has the category {category} in feature {feature}, which is too large")
    return [float(category) for category in categories]


def on_bytes(asked: Sequence[Question]) -> list[IntegerQuestion]:
    """Restate questions for integers from 0 to 255."""
    return on_integers(asked, 0, 255)


def on_integers(asked: Sequence[Question], low: int, high: int) -> list[IntegerQuestion]:
    """Restate questions for integers of a range; those that are never answered with yes are left out."""
    restated = []
    for feature, bit, equal, value, less in asked:
        if less and value > high:  # always
            restated.append(IntegerQuestion(feature, bit, False, low))
        elif less and ceil(max(low, value)) > low:
            restated.append(IntegerQuestion(feature, bit, False, ceil(value), True))
        elif not less and value <= high:
            least = max(low, ceil(max(low, value)))
            if not equal or least == value:
                restated.append(IntegerQuestion(feature, bit, equal, least))
    return restated
