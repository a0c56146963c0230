"""The exact posterior of infinitely wide Boolean networks: formulas, draws, digits, scikit-learn's contract."""

from itertools import product
from math import comb

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr
from scipy.stats import multivariate_normal, norm
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

from bvar.bayes import BooleanCommittee, BooleanGPClassifier, BooleanGPRegressor, NetworkKernel, correlation
from bvar.bayes.boolean_gp import _shares_of_largest
from bvar.encoding import ThermometerEncoder

X = np.array(list(product((0, 1), repeat=5)))
SIGNS = (2 * X - 1).astype(np.int8)
ONE_BIT = ThermometerEncoder(1)
ROWS = np.random.RandomState(0).permutation(32)[:12]
Y = X @ [3.0, -2.0, 1.0, 0.5, 0.0] + X[:, 0] * X[:, 1]

ESTIMATORS = [
    BooleanGPRegressor(),
    BooleanGPRegressor(2, dead_zone=0.612, offset_spread=0),
    BooleanGPClassifier(),
    BooleanGPClassifier(3, dead_zone=0.3, noise=0.1),
    BooleanCommittee(n_walks=4, n_steps=2000, random_state=0),
]


@parametrize_with_checks(ESTIMATORS)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@pytest.mark.parametrize(("estimator", "n_checks"), list(zip(ESTIMATORS, (52, 52, 54, 54, 51), strict=True)))
def test_scikit_learn_runs_as_many_checks_as_it_has(estimator, n_checks):
    """A battery that silently shrinks is green too: so the checks are counted."""
    assert len(list(estimator_checks_generator(estimator, mark="skip"))) >= n_checks


# ------------------------------------------------------------------------------------------------ numbers


def dense(kernel, noise):
    """Mean and covariance of standard scores at all inputs, and the density of the targets, term by term."""
    mean, std = Y[ROWS].mean(), Y[ROWS].std()
    K = kernel(SIGNS)
    inverse = np.linalg.inv(K[np.ix_(ROWS, ROWS)] + noise * np.eye(len(ROWS)))
    across = K[:, ROWS]
    targets = (Y[ROWS] - mean) / std
    density = multivariate_normal.logpdf(targets, cov=np.linalg.inv(inverse))
    return mean + std * across @ inverse @ targets, std**2 * (K - across @ inverse @ across.T), density


@pytest.mark.parametrize("parameters", [{}, {"depth": 2, "dead_zone": 0.612}, {"exact": True, "offset_spread": 0}])
def test_the_posterior_is_that_of_the_formulas(parameters):
    """Matrices of twelve samples: roundings of 1e-16, times a condition below 1e4, stay far below 1e-9."""
    model = BooleanGPRegressor(noise=0.05, encoder=ONE_BIT, **parameters).fit(X[ROWS], Y[ROWS])
    full = {"offset_spread": 0.5, **parameters}
    mean, covariance, density = dense(NetworkKernel(**full), 0.05)
    found, std = model.predict(X, return_std=True, with_noise=False)
    assert found == pytest.approx(mean, abs=1e-9)
    assert std**2 == pytest.approx(np.diag(covariance), abs=1e-9)
    assert model.log_marginal_likelihood_ == pytest.approx(density, abs=1e-9)


def test_draws_of_functions_have_the_mean_and_covariance_of_the_posterior():
    model = BooleanGPRegressor(noise=0.05, encoder=ONE_BIT).fit(X[ROWS], Y[ROWS])
    mean, covariance, _ = dense(NetworkKernel(offset_spread=0.5), 0.05)
    n = 20_000
    draws = model.sample_y(X, n, random_state=0)
    assert draws.shape == (32, n)
    variances = np.diag(covariance)
    assert (abs(draws.mean(axis=1) - mean) < 4.5 * np.sqrt(variances / n)).all()
    # of a Gaussian, a product of two deviations has this variance; 1024 entries, so 4.5 errors
    error = np.sqrt((np.outer(variances, variances) + covariance**2) / n)
    assert (abs(np.cov(draws) - covariance) < 4.5 * error + 1e-9).all()
    assert (model.sample_y(X, 2) == model.sample_y(X, 2)).all()


def test_several_targets_are_as_many_regressions():
    both = np.stack([Y, X[:, 2] - 3.0], axis=1)
    model = BooleanGPRegressor(encoder=ONE_BIT).fit(X[ROWS], both[ROWS])
    mean, std = model.predict(X, return_std=True)
    assert model.sample_y(X, 7).shape == (32, 2, 7)
    for column in (0, 1):
        one = clone(model).fit(X[ROWS], both[ROWS, column]).predict(X, return_std=True)
        assert mean[:, column] == pytest.approx(one[0], abs=1e-9)
        assert std[:, column] == pytest.approx(one[1], abs=1e-9)


def test_a_constant_target_is_predicted():
    assert BooleanGPRegressor(encoder=ONE_BIT).fit(X, np.full(32, 7.0)).predict(X).tolist() == [7.0] * 32


def parity(columns):
    return (-1.0) ** X[:, columns].sum(axis=1)


def test_a_network_without_offsets_does_not_believe_in_even_functions():
    even, odd = parity([0, 1]), parity([0, 1, 2])
    for exact in (False, True):
        blind = BooleanGPRegressor(noise=1e-3, offset_spread=0, exact=exact, encoder=ONE_BIT)
        assert abs(blind.fit(X, even).predict(X)).max() < 1e-9  # roundings, divided by the noise
        assert blind.fit(X, odd).score(X, odd) > 0.99
        seeing = clone(blind).set_params(offset_spread=0.5)
        assert seeing.fit(X, even).score(X, even) > 0.99


def test_the_evidence_prefers_the_depth_that_made_the_targets():
    """Targets drawn from the prior of depth 3 and of depth 1, at 300 digits: the margins are tens of nats."""
    pixels, _ = load_digits(return_X_y=True)
    samples, random = pixels[:300] >= 6, np.random.RandomState(0)
    signs = np.where(samples, 1, -1).astype(np.int8)
    for true, other in ((1, 3), (3, 1)):
        K = NetworkKernel(true, offset_spread=0.5)(signs) + 0.01 * np.eye(300)
        y = np.linalg.cholesky(K) @ random.standard_normal(300)
        models = (BooleanGPRegressor(depth, encoder=ONE_BIT).fit(samples, y) for depth in (true, other))
        right, wrong = (model.log_marginal_likelihood_ for model in models)
        assert right > wrong + 10


# ------------------------------------------------------------------------------------------------ classes


@pytest.fixture(scope="module")
def digits():
    pixels, y = load_digits(return_X_y=True)
    order = np.random.RandomState(0).permutation(len(y))
    return pixels[order], y[order]


@pytest.fixture(scope="module")
def fitted(digits):
    pixels, y = digits
    encoder = ThermometerEncoder(4, "uniform")
    return BooleanGPClassifier(offset_spread=0, encoder=encoder).fit(pixels[:1000], y[:1000])


def test_digits_are_read_as_well_as_the_page_says(fitted, digits):
    pixels, y = digits
    assert fitted.score(pixels[1000:], y[1000:]) >= 0.975


def test_defaults_read_digits(digits):
    pixels, y = digits
    assert BooleanGPClassifier().fit(pixels[:1000], y[:1000]).score(pixels[1000:], y[1000:]) >= 0.97


def test_probabilities_are_shares_of_draws(fitted, digits):
    """Of 4000 networks drawn from the posterior, the share that answers with a class, within four errors."""
    pixels = digits[0][1000:1150]
    probabilities = fitted.predict_proba(pixels)
    answers = fitted.sample_y(pixels, 4000, random_state=1)
    shares = (answers[:, :, None] == fitted.classes_).mean(axis=1)
    error = np.sqrt(probabilities * (1 - probabilities) / 4000)
    # 1500 shares; one in 4000 is what a rare class may have in excess
    assert (abs(shares - probabilities) < 4.5 * error + 1 / 2000).all()
    assert ((probabilities > 0.05) & (probabilities < 0.95)).any()


def test_the_integral_of_shares_is_exact():
    """For two scores it is a normal probability; for five SciPy integrates.  Eighty nodes leave roundings."""
    for lead in (0.0, 0.5, 3.0):
        expected = [ndtr(lead / np.sqrt(2)), ndtr(-lead / np.sqrt(2))]
        assert _shares_of_largest(np.array([[lead, 0.0]]))[0] == pytest.approx(expected, abs=1e-13)
    scores = np.array([0.0, 0.5, 1.3, -2.0, 1.2])

    def density(z, c):
        return norm.pdf(z) * ndtr(z + scores[c] - np.delete(scores, c)).prod()

    expected = [quad(density, -10, 10, args=(c,), epsabs=1e-13)[0] for c in range(5)]
    assert _shares_of_largest(scores[None])[0] == pytest.approx(expected, abs=1e-12)


def test_the_answer_is_the_most_probable_class(fitted, digits):
    pixels = digits[0][1000:]
    answers = fitted.predict(pixels)
    assert (fitted.classes_[fitted.predict_proba(pixels).argmax(axis=1)] == answers).all()
    assert (fitted.classes_[fitted.decision_function(pixels).argmax(axis=1)] == answers).all()


def test_missing_values_leave_a_network_less_sure():
    model = BooleanGPRegressor(encoder=ONE_BIT).fit(X[ROWS], Y[ROWS])
    rows = X[ROWS].astype(float)
    gaps = np.where(np.arange(5) < 2, np.nan, rows)
    less, sure = (model.predict(Z, return_std=True, with_noise=False)[1] for Z in (gaps, rows))
    assert (less > 2 * sure).all()


@pytest.mark.parametrize(
    ("parameters", "error", "text"),
    [
        ({"depth": -1}, ValueError, "depth must be an integer >= 0"),
        ({"dead_zone": "wide"}, TypeError, "dead_zone must be a finite number >= 0"),
        ({"offset_spread": 1.5}, ValueError, "offset_spread must be a finite number >= 0 and <= 1"),
        ({"noise": 0}, ValueError, "noise must be a finite number > 0"),
        ({"encoder": "bits"}, TypeError, "encoder must be one of bvar.encoding, got 'bits'"),
    ],
)
@pytest.mark.parametrize("estimator", [BooleanGPRegressor, BooleanGPClassifier])
def test_bad_parameters_are_named_and_a_fitted_model_stays(estimator, parameters, error, text):
    y = X[:, 0]
    model = estimator().fit(X, y)
    before = model.predict(X)
    with pytest.raises(error, match=text):
        model.set_params(**parameters).fit(X, 1 - y)
    assert (model.predict(X) == before).all()


def test_bad_targets_are_named():
    with pytest.raises(ValueError, match="y must have at least two classes, got one class, 3"):
        BooleanGPClassifier().fit(X, np.full(32, 3))
    with pytest.raises(ValueError, match="BooleanGPRegressor requires y to be passed"):
        BooleanGPRegressor().fit(X, None)
    with pytest.raises(ValueError, match="y contains NaN"):
        BooleanGPRegressor().fit(X, np.where(Y > 0, Y, np.nan))


def test_the_share_of_each_degree_is_what_the_kernel_learns_first():
    """In the limit, degree s of the prior holds what the Taylor coefficient of the arc-sine says."""
    taylor = [2 / np.pi * comb(2 * k, k) / (4**k * (2 * k + 1)) for k in range(4)]
    assert taylor == pytest.approx([0.6366, 0.1061, 0.0477, 0.0284], abs=5e-5)
    rho = 0.1
    series = sum(c * rho ** (2 * k + 1) for k, c in enumerate(taylor))
    assert float(correlation(rho)) == pytest.approx(series, abs=1e-10)  # the next term is 0.02 * rho^9


@pytest.mark.parametrize("model", [BooleanGPRegressor(dead_zone=40.0), BooleanGPClassifier(dead_zone=40.0)])
def test_a_dead_zone_that_leaves_nothing_to_say_is_refused(model):
    with pytest.raises(ValueError, match="dead_zone must leave sums something to say"):
        model.fit(X, X[:, 0])
