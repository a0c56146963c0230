"""Hypothesis strategies for the arguments of every function, aimed at seams: ends of words, ties, extremes.

Needs Hypothesis, so nothing imports it before a search begins.
"""

from bvar.testing.make.strategies.bits import BITS
from bvar.testing.make.strategies.logic import LOGIC
from bvar.testing.make.strategies.steps import STEPS
from bvar.testing.make.strategies.sums import SUMS
from bvar.testing.make.strategies.training import TRAINING
from bvar.testing.make.strategies.values import Strategy
from bvar.testing.make.strategies.votes import VOTES_BACK

__all__ = ["STRATEGIES"]

STRATEGIES: dict[str, Strategy] = LOGIC | BITS | SUMS | VOTES_BACK | STEPS | TRAINING
"""Arguments of every function of the protocol."""
