"""Functions before weights: what networks believe before they learn, and what is left of it after.

In closed form, for networks of bits (``docs/explanation/boolean-beliefs.md``):

* :func:`boolean_kernel` is the covariance of a random Boolean network, a fraction; :func:`boolean_kernels` are
  those of all distances, and :func:`parity_variances` says which functions such a network finds easy;
* :class:`NetworkKernel` is the same of deep networks, with a dead zone and with offsets, between samples;
  :func:`ternary_kernel` and :func:`correlation` are its one step and its iteration, :func:`memory` its slope at 0;
* :class:`BooleanGPRegressor` and :class:`BooleanGPClassifier` are the exact posterior of infinitely wide networks;
* :class:`BooleanCommittee` draws networks of finite width from the posterior, by flips of single bits.

By sampling, for networks of numbers (``docs/explanation/functional-priors.md``):

* :class:`FunctionalPrior` tunes a prior; :class:`BayesianRegressor` and :class:`BayesianClassifier` predict by
  draws from the posterior, and say how sure they are;
* :class:`FunctionalNetwork` evaluates many draws at once, with gradients by hand; :class:`GaussianPrior`,
  :class:`HierarchicalPrior`, :class:`PlanarFlowPrior` and :class:`SpatialPrior` say what is drawn;
* :class:`GaussianProcess`, :class:`HierarchicalProcess`, :class:`LogNormalProcess` and :class:`Draws` are what a
  prior may be tuned to, by :func:`tune` and a :class:`Distance`;
* :class:`SpatialRegressor`, :class:`BayesianAutoencoder` and :class:`SparseGPAutoencoder` are models of fields, of
  images, and of images of which something is known beside, each with priors of its own;
* :class:`Posterior` and :class:`SGHMC` sample given data; :func:`split_rhat`, :func:`effective_sample_size` and
  :func:`stationary_variance` say what the draws are worth.

The fractions are exact; the rest is float: reproducible by seed on one machine, outside the promise of equal bits.
"""

from bvar.bayes.arc_sine import ArcSine
from bvar.bayes.autoencoder import BayesianAutoencoder
from bvar.bayes.autoencoder_prior import AutoencoderPrior, LogisticPrior
from bvar.bayes.boolean_committee import BooleanCommittee
from bvar.bayes.boolean_gp import BooleanGPClassifier, BooleanGPRegressor
from bvar.bayes.boolean_kernel import boolean_kernel, boolean_kernels, parity_variances
from bvar.bayes.classifier import BayesianClassifier
from bvar.bayes.diagnostics import effective_sample_size, split_rhat, stationary_variance
from bvar.bayes.distances import (
    Distance,
    Energy,
    GaussianMoments,
    SlicedWasserstein,
    energy,
    gaussian_w2,
    sliced_w2,
)
from bvar.bayes.distributional import DistributionalSliced
from bvar.bayes.embedded import EmbeddedPrior
from bvar.bayes.embedding import RBFEmbedding
from bvar.bayes.functional import FunctionalNetwork
from bvar.bayes.functional_prior import FunctionalPrior
from bvar.bayes.hierarchical import HierarchicalPrior
from bvar.bayes.likelihoods import BernoulliLikelihood, CategoricalLikelihood, GaussianLikelihood
from bvar.bayes.network_kernel import BEST_DEAD_ZONE, NetworkKernel, correlation, memory, ternary_kernel
from bvar.bayes.planar_flow import PlanarFlowPrior
from bvar.bayes.posterior import Posterior
from bvar.bayes.potential import LipschitzPotential
from bvar.bayes.priors import GaussianPrior, Prior
from bvar.bayes.processes import Draws, GaussianProcess, HierarchicalProcess, LogNormalProcess
from bvar.bayes.regressor import BayesianRegressor
from bvar.bayes.sampled import ChainReport
from bvar.bayes.sghmc import SGHMC
from bvar.bayes.sparse_gp_autoencoder import SparseGPAutoencoder
from bvar.bayes.sparse_process import LatentProcessPrior, SparseProcess
from bvar.bayes.spatial_prior import SpatialPrior
from bvar.bayes.spatial_regressor import SpatialRegressor
from bvar.bayes.tuning import tune
from bvar.bayes.varying_prior import VaryingPrior

__all__ = [
    "ArcSine",
    "AutoencoderPrior",
    "BEST_DEAD_ZONE",
    "BayesianAutoencoder",
    "BayesianClassifier",
    "BayesianRegressor",
    "BernoulliLikelihood",
    "BooleanCommittee",
    "BooleanGPClassifier",
    "BooleanGPRegressor",
    "CategoricalLikelihood",
    "ChainReport",
    "Distance",
    "DistributionalSliced",
    "Draws",
    "EmbeddedPrior",
    "Energy",
    "FunctionalNetwork",
    "FunctionalPrior",
    "GaussianLikelihood",
    "GaussianMoments",
    "GaussianPrior",
    "GaussianProcess",
    "HierarchicalPrior",
    "HierarchicalProcess",
    "LatentProcessPrior",
    "LipschitzPotential",
    "LogNormalProcess",
    "LogisticPrior",
    "NetworkKernel",
    "PlanarFlowPrior",
    "Posterior",
    "Prior",
    "RBFEmbedding",
    "SGHMC",
    "SlicedWasserstein",
    "SparseGPAutoencoder",
    "SparseProcess",
    "SpatialPrior",
    "SpatialRegressor",
    "VaryingPrior",
    "boolean_kernel",
    "boolean_kernels",
    "correlation",
    "effective_sample_size",
    "energy",
    "gaussian_w2",
    "memory",
    "parity_variances",
    "sliced_w2",
    "split_rhat",
    "stationary_variance",
    "ternary_kernel",
    "tune",
]
