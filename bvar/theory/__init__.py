"""What is proved about the optimizer, as code that can be run: error feedback, a bound, the flip budget.

``error_feedback`` is the rule in the form that its convergence is proved for, ``problems`` are smooth losses of
which all is known that a proof asks for, ``bound`` sets the theorem beside a training, and ``budget`` counts the
flips of networks.  ``docs/explanation/convergence.md`` has the proofs, and says what they do not say.
"""

from bvar.theory.bound import Bound, Trace, follow, watch
from bvar.theory.budget import Budget, flip_budget
from bvar.theory.error_feedback import ErrorFeedback, Sent, sent
from bvar.theory.problems import Logistic, Problem, Quadratic, SmoothLayer

__all__ = [
    "Bound",
    "Budget",
    "ErrorFeedback",
    "Logistic",
    "Problem",
    "Quadratic",
    "Sent",
    "SmoothLayer",
    "Trace",
    "flip_budget",
    "follow",
    "sent",
    "watch",
]
