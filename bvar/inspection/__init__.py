"""What a fitted model looks at, and how good what it makes is.

How important its features are, why it decides a case as it does, and how near its images are to the right ones.

The third value 0 of M says "not known", and every network of bits answers with values that are not known.  So a
feature is taken away by hiding it; nothing is drawn at random, and nothing is trained again
(``docs/howto/read-a-model.md``).
"""

from bvar.inspection.displays import (
    ExplanationDisplay,
    FlipRateDisplay,
    ImportanceDisplay,
    LearningCurveDisplay,
)
from bvar.inspection.explanation import Explanation, explain
from bvar.inspection.images import class_iou, peak_signal_to_noise, structural_similarity
from bvar.inspection.importance import importance

__all__ = [
    "Explanation",
    "ExplanationDisplay",
    "FlipRateDisplay",
    "ImportanceDisplay",
    "LearningCurveDisplay",
    "class_iou",
    "explain",
    "importance",
    "peak_signal_to_noise",
    "structural_similarity",
]
