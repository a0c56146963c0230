"""Turn tables into bits: the first layer of every model, fitted on the training data.

* :class:`ThermometerEncoder` asks "is it at least t?" of a number, for some thresholds t;
* :class:`OneHotBits` asks "is it this one?" of a category;
* :class:`TableEncoder` asks each column of a mixed table the questions that suit it;
* :class:`UnateEncoder` asks so that scores can be made to rise with a feature, or to fall;
* :class:`ImageEncoder` asks every pixel of an image the same.

A missing value answers none of its questions: it becomes the 0 of M, which adds nothing to a sum and gets no vote.
No question is asked that all training samples answer alike.
"""

from bvar.encoding.base import BitEncoder
from bvar.encoding.counts import TableCounts, sample_rows
from bvar.encoding.image import ImageEncoder
from bvar.encoding.one_hot import OneHotBits
from bvar.encoding.table import TableEncoder
from bvar.encoding.thermometer import ThermometerEncoder
from bvar.encoding.unate import UnateEncoder

__all__ = [
    "BitEncoder",
    "ImageEncoder",
    "OneHotBits",
    "TableCounts",
    "TableEncoder",
    "ThermometerEncoder",
    "UnateEncoder",
    "sample_rows",
]
