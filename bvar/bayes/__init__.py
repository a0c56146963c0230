"""Functions before weights: what networks believe before they learn, and what is left of it after.

* :func:`boolean_kernel` is the covariance of a random Boolean network, a fraction; :func:`boolean_kernels` are
  those of all distances, and :func:`parity_variances` says which functions such a network finds easy;
* :class:`NetworkKernel` is the same of deep networks, with a dead zone and with offsets, between samples;
  :func:`ternary_kernel` and :func:`correlation` are its one step and its iteration, :func:`memory` its slope at 0;
* :class:`BooleanGPRegressor` and :class:`BooleanGPClassifier` are the exact posterior of infinitely wide networks;
* :class:`BooleanCommittee` draws networks of finite width from the posterior, by flips of single bits.

The fractions are exact; the rest is float: seeded, but outside the promise of equal bits.
"""

from bvar.bayes.boolean_committee import BooleanCommittee
from bvar.bayes.boolean_gp import BooleanGPClassifier, BooleanGPRegressor
from bvar.bayes.boolean_kernel import boolean_kernel, boolean_kernels, parity_variances
from bvar.bayes.network_kernel import BEST_DEAD_ZONE, NetworkKernel, correlation, memory, ternary_kernel

__all__ = [
    "BEST_DEAD_ZONE",
    "BooleanCommittee",
    "BooleanGPClassifier",
    "BooleanGPRegressor",
    "NetworkKernel",
    "boolean_kernel",
    "boolean_kernels",
    "correlation",
    "memory",
    "parity_variances",
    "ternary_kernel",
]
