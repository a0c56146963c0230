"""What a fitted model looks at: how important its features are, and why it decides a case as it does.

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
from bvar.inspection.importance import importance

__all__ = [
    "Explanation",
    "ExplanationDisplay",
    "FlipRateDisplay",
    "ImportanceDisplay",
    "LearningCurveDisplay",
    "explain",
    "importance",
]
