"""Targets: laws of functions with known moments, and exact posteriors."""

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, ExpSineSquared, Matern

from bvar.bayes import (
    ArcSine,
    CategoricalLikelihood,
    Draws,
    FunctionalNetwork,
    FunctionalPrior,
    GaussianLikelihood,
    GaussianPrior,
    GaussianProcess,
    HierarchicalProcess,
    LogNormalProcess,
    Posterior,
    SparseProcess,
    tune,
)
from bvar.bayes.likelihoods import BernoulliLikelihood
from bvar.bayes.sparse_gp_autoencoder import PartlyObserved
from bvar.bayes.tuning import Repeated

POINTS = np.random.default_rng(0).uniform(-1, 1, (5, 2))
KERNELS = [
    RBF(0.5),
    Matern(0.7, nu=0.5),
    Matern(0.7, nu=1.5),
    lambda A, B: ExpSineSquared(1.0, 2.0)(A[:, :1], B[:, :1]),  # in the plane it is no kernel
    ArcSine(2),
]


def moments(values):
    return values.mean(axis=0), np.cov(values.T, bias=True)


@pytest.mark.parametrize(
    "process",
    [
        *(GaussianProcess(kernel) for kernel in KERNELS),
        LogNormalProcess(GaussianProcess(ConstantKernel(0.2) * RBF(0.5))),
        Repeated(GaussianProcess(RBF(0.5)), 2),
        Draws(np.random.default_rng(1).standard_normal((7, 3))),
    ],
)
def test_draws_have_the_moments_of_the_process(process):
    marginal = process.at(POINTS)
    values = marginal.draw(40_000, np.random.default_rng(2))
    mean, covariance = marginal.moments()
    seen_mean, seen = moments(values)
    sd = np.sqrt(np.diag(covariance))
    assert (abs(seen_mean - mean) < 4.5 * sd / 200).all()
    assert abs(seen - covariance).max() < 0.05 * sd.max() ** 2  # 4.5 * sqrt(2) / 200, and heavier tails


def test_a_posterior_is_that_of_scikit_learn():
    random = np.random.default_rng(0)
    X, y = random.standard_normal((20, 2)), random.standard_normal(20)
    rival = GaussianProcessRegressor(RBF(0.5), alpha=0.1, optimizer=None).fit(X, y)
    mean, covariance = GaussianProcess(RBF(0.5), jitter=0.0).posterior(X, y, POINTS, noise=0.1)
    wanted, cov = rival.predict(POINTS, return_cov=True)
    assert abs(mean - wanted).max() < 1e-10  # both solve a system of condition 200
    assert abs(covariance - cov).max() < 1e-10


def test_the_arc_sine_kernel_iterates_as_it_should():
    X = np.array([[1.0, 0.0], [0.5, np.sqrt(0.75)]])  # correlation 1/2
    wanted = [1 / 3, 0.216346896, 0.138828430, 0.088667312]
    assert [abs(ArcSine(depth)(X)[0, 1] - k) < 1e-6 for depth, k in enumerate(wanted, 1)] == [True] * 4


def test_the_arc_sine_kernel_is_one_of_scikit_learn():
    model = GaussianProcessRegressor(ConstantKernel() * ArcSine() + RBF(), optimizer=None)
    X = np.random.default_rng(0).standard_normal((15, 2))
    assert model.fit(X, X[:, 0]).predict(X).shape == (15,)


def test_hyper_parameters_of_a_mixture_are_drawn_once_or_for_each_draw():
    """One point: the variance is log-normal, so that draws of one call have one scale or many."""
    X = np.zeros((1, 2))
    random = np.random.default_rng(0)
    shared = [HierarchicalProcess(2).at(X).draw(500, random).std() for _ in range(200)]
    assert np.std(np.log(shared)) > 0.3  # half of a standard normal logarithm of the variance, 0.5
    apart = HierarchicalProcess(2, shared=False).at(X).draw(2000, random)
    assert (apart**4).mean() / (apart**2).mean() ** 2 > 4  # heavy tails: 3 e in the limit
    with pytest.raises(TypeError, match="the moments of a HierarchicalProcess are not known"):
        HierarchicalProcess(2).at(X).moments()


@pytest.mark.parametrize(
    ("likelihood", "y"),
    [
        (GaussianLikelihood(0.3), np.arange(8.0).reshape(4, 2)),
        (CategoricalLikelihood(), np.array([0, 1, 1, 0])),
        (BernoulliLikelihood(), np.linspace(0, 1, 8).reshape(4, 2)),
    ],
)
def test_gradients_of_likelihoods_are_derivatives(likelihood, y):
    from differences import assert_gradient

    F = np.random.default_rng(0).standard_normal((3, 4, 2))
    assert_gradient(likelihood.gradient(F, y), lambda: float(likelihood.loss(F, y).sum()), F)


@pytest.mark.parametrize("distance", ["energy", "sliced", "moments", "distributional", "wasserstein"])
def test_every_distance_tunes(distance):
    from bvar.bayes import DistributionalSliced, LipschitzPotential, energy

    made = {
        "distributional": DistributionalSliced(50, n_inner=3),
        "wasserstein": LipschitzPotential(30, n_first=100),
    }
    prior = GaussianPrior(FunctionalNetwork([1, 20, 1]), std=1.0)
    points = np.linspace(-2, 2, 10)[:, None]
    target = GaussianProcess(ConstantKernel(9.0) * RBF(1.0))
    random = np.random.default_rng(0)

    def judged():
        F, _ = prior.evaluate(prior.draw(500, random), points)
        return energy(F[..., 0], target.at(points).draw(500, random))[0]

    before = judged()
    history = tune(prior, target, points, random, distance=made.get(distance, distance), n_iter=60)
    assert len(history) == 60
    assert judged() < before / 3


def test_values_or_functions_are_compared():
    """A bag of numbers can be matched by values, whatever the number of points."""
    prior = GaussianPrior(FunctionalNetwork([1, 10, 1]), std=1.0)
    bag = Draws(3 * np.random.default_rng(0).standard_normal((1000, 1)))
    points = np.linspace(-1, 1, 5)[:, None]
    random = np.random.default_rng(1)
    tune(prior, bag, points, random, rows="values", n_iter=150)
    F, _ = prior.evaluate(prior.draw(4000, random), points)
    assert abs(F.std() / 3 - 1) < 0.15


def test_bad_arguments_are_named():
    prior = GaussianPrior(FunctionalNetwork([1, 2, 1]))
    with pytest.raises(ValueError, match="distance must be one of 'energy', 'sliced'"):
        tune(prior, GaussianProcess(RBF()), POINTS[:, :1], np.random.default_rng(0), distance="far")
    with pytest.raises(ValueError, match=r"realizations must be a finite array of shape \(n_realizations, n\)"):
        Draws([1.0, 2.0])
    for wrong in ([[1j]], [["a"]], [[None]]):
        with pytest.raises(TypeError, match="realizations must be an array of real numbers, got dtype"):
            Draws(wrong)
    with pytest.raises(ValueError, match="realizations must be finite"):
        Draws([[np.nan]])


@pytest.mark.parametrize(("n_inputs", "n_columns"), [(3, 1), (1, 3), (2, 3)])
def test_a_process_of_some_inputs_is_asked_at_points_of_as_many(n_inputs, n_columns):
    process = HierarchicalProcess(n_inputs)
    with pytest.raises(ValueError, match=rf"X must have {n_inputs} column\(s\), .*, got shape \(4, {n_columns}\)"):
        process.at(np.zeros((4, n_columns)))
    with pytest.raises(ValueError, match=r"X must have .*, got shape \(4,\)"):
        process.at(np.zeros(4))
    for wrong, error in ((0, ValueError), (2.5, TypeError), ("a", TypeError)):
        with pytest.raises(error, match="n_inputs must be an integer >= 1"):
            HierarchicalProcess(wrong)


def test_a_sparse_process_has_no_negative_noise():
    inducing = np.array([[0.0], [1.0]])
    with pytest.raises(ValueError, match=r"noise must be a finite number >= 0, got -5\.0"):
        SparseProcess(RBF(), inducing, noise=-5.0)
    with pytest.raises(ValueError, match="jitter must be a finite number >= 0"):
        SparseProcess(RBF(), inducing, jitter=np.nan)
    with pytest.raises(TypeError, match="kernel must be callable"):
        SparseProcess("rbf", inducing)
    with pytest.raises(ValueError, match=r"y must have a row for each of the 5 rows of X, got shape \(4,\)"):
        GaussianProcess(RBF()).posterior(POINTS, np.zeros(4), POINTS, noise=0.1)


@pytest.mark.parametrize("n", [1, 9, 11])
@pytest.mark.parametrize("distance", ["energy", "sliced", "moments", "distributional", "wasserstein"])
def test_a_target_at_another_number_of_points_is_refused(distance, n):
    bag = Draws(np.arange(2.0 * n).reshape(2, n))
    model = FunctionalPrior(bag, n_points=None, max_iter=1, n_draws=4, distance=distance)
    with pytest.raises(ValueError, match=r"target must have values at 10 point\(s\)|must have shapes \(10,\)"):
        model.fit(np.linspace(-1, 1, 10)[:, None])


@pytest.mark.parametrize(
    ("likelihood", "y"),
    [
        *(
            (likelihood, y)
            for likelihood in (GaussianLikelihood(0.3), BernoulliLikelihood(), PartlyObserved(0.3))
            for y in map(np.zeros, ((), (4,), (1, 2), (4, 1), (1, 4, 2), (3, 2, 4)))
        ),
        *((CategoricalLikelihood(), np.zeros(shape, int)) for shape in ((), (1,), (4, 1), (1, 4), (4, 3))),
    ],
)
def test_data_of_another_shape_than_the_values_are_refused(likelihood, y):
    F = np.zeros((3, 4, 2))
    for call in (likelihood.loss, likelihood.gradient):
        with pytest.raises(ValueError, match="y must have shape"):
            call(F, y)


@pytest.mark.parametrize(
    ("y", "error", "text"),
    [
        ([0, 1, -1, 0], ValueError, r"y must be in \[0, 1\], got some in \[-1, 1\]"),
        ([0, 1, 2, 0], ValueError, r"y must be in \[0, 1\], got some in \[0, 2\]"),
        ([0.0, 1.0, 0.0, 1.0], TypeError, "y must be integers, the numbers of classes, got dtype float64"),
    ],
)
def test_classes_that_there_are_not_are_refused(y, error, text):
    for call in (CategoricalLikelihood().loss, CategoricalLikelihood().gradient):
        with pytest.raises(error, match=text):
            call(np.zeros((3, 4, 2)), np.array(y))


def test_a_posterior_takes_data_of_the_shape_of_values():
    prior, X = GaussianPrior(FunctionalNetwork([1, 2, 1])), np.linspace(-1, 1, 4)[:, None]
    state = prior.draw(2, np.random.default_rng(0))
    flat = Posterior(prior, GaussianLikelihood(0.1), X, X[:, 0])
    for call in (flat.energy, flat.gradient(np.random.default_rng(0))):
        with pytest.raises(ValueError, match=r"y must have shape \(4, 1\) or \(2, 4, 1\) .*, got \(4,\)"):
            call(state)
    with pytest.raises(ValueError, match=r"y must have as many rows as X, got shapes \(3, 1\) and \(4, 1\)"):
        Posterior(prior, GaussianLikelihood(0.1), X, X[:3])
