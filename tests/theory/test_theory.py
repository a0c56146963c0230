"""Error feedback is the optimizer's rule, the bound holds where it is proved, flips stay within their budget."""

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bvar import kernels
from bvar.layers import Parameter
from bvar.networks import BooleanOptimizer, boolean_mlp, conv_network, gate_network
from bvar.networks.losses import SIGNAL_MAX
from bvar.theory import ErrorFeedback, Logistic, Quadratic, SmoothLayer, flip_budget, follow, sent, watch

SEEDS = st.integers(0, 2**31)


def signs(random, *shape):
    return np.where(random.random_sample(shape) < 0.5, 1.0, -1.0)


# ------------------------------------------------------------------------------------------- error feedback


@given(SEEDS)
def test_error_feedback_with_signs_is_the_rule_of_the_optimizer(seed):
    """Weight for weight, with votes of quarters of the bar and beta held at 1, so that both are exact."""
    random = np.random.RandomState(seed)
    parameter = Parameter("w", kernels.pack(random.rand(3, 70) < 0.5))
    rule = ErrorFeedback(kernels.unpack_ternary(parameter.bits), eta=0.25)
    optimizer = BooleanOptimizer(0.25 * SIGNAL_MAX, clip=inf)
    for _ in range(10):
        q = random.randint(-5, 6, size=(3, 70)).astype(np.int32)
        if optimizer.beta:
            optimizer.beta = [1.0]
        n = optimizer.step([parameter], [q], n_samples=1)[0]
        assert rule.step(q).flipped.sum() == n
        assert (rule.w == kernels.unpack_ternary(parameter.bits)).all()


def test_what_adapts_has_the_beta_of_the_optimizer():
    random = np.random.RandomState(0)
    parameter = Parameter("w", kernels.pack(random.rand(1, 64) < 0.5))
    rule = ErrorFeedback(kernels.unpack_ternary(parameter.bits), eta=0.5, adapts=True)
    optimizer = BooleanOptimizer(0.5 * SIGNAL_MAX, clip=inf)
    for _ in range(10):
        q = random.randint(-3, 4, size=(1, 64)).astype(np.int32)
        optimizer.step([parameter], [q], n_samples=1)
        rule.step(q)
        assert rule.beta == optimizer.beta[0]
        assert (rule.w == kernels.unpack_ternary(parameter.bits)).all()


@given(SEEDS)
def test_what_is_sent_and_what_is_remembered_add_up(seed):
    random = np.random.RandomState(seed)
    rule = ErrorFeedback(signs(random, 50), eta=0.3, random=random)
    for _ in range(20):
        w, gradient = rule.w, random.randn(50)
        m = rule.e + 0.3 * gradient
        done = rule.step(gradient)
        delta = sent(m, w)
        np.testing.assert_array_equal(rule.e, m - delta)
        np.testing.assert_array_equal(rule.w - (w - delta), done.rounding)
        assert ((delta == 0) | (delta * w >= 1)).all()


def test_random_rounding_is_unbiased():
    """Mean of what rounding adds, over 20,000 weights that are sent alike: five standard errors."""
    n = 20000
    rule = ErrorFeedback(np.ones(n), eta=1.0, random=np.random.RandomState(0))
    rounding = rule.step(np.full(n, 1.4)).rounding
    assert abs(rounding.mean()) < 5 * np.sqrt((1 - 0.4**2) / n)
    certain = ErrorFeedback(np.ones(4), eta=1.0).step(np.full(4, 1.4)).rounding
    assert certain == pytest.approx(-0.6)


def test_at_the_bar_a_weight_flips():
    assert ErrorFeedback([1.0], eta=1.0).step([1.0]).flipped.all()
    assert not ErrorFeedback([1.0], eta=1.0).step([np.nextafter(1.0, 0.0)]).flipped.any()


# ------------------------------------------------------------------------------------------------- losses


def losses():
    random = np.random.RandomState(3)
    X, v = signs(random, 40, 12), random.randn(5) / 2
    y = signs(random, 40)
    return {
        "quadratic": Quadratic(random.rand(12), random.randn(7, 12)),
        "logistic": Logistic(X, y, scale=0.4),
        "layer": SmoothLayer(X, y, v),
    }


@pytest.mark.parametrize("name", losses())
def test_gradients_are_those_of_finite_differences(name):
    """Central differences at 1e-5: off by 1e-10 times a third derivative below 10, and 1e-11 of rounding."""
    problem, random = losses()[name], np.random.RandomState(4)
    w, h = random.randn(*problem.shape), 1e-5
    gradient = problem.gradient(w)
    for index in np.ndindex(problem.shape):
        step = np.zeros(problem.shape)
        step[index] = h
        slope = (problem.value(w + step) - problem.value(w - step)) / (2 * h)
        assert slope == pytest.approx(gradient[index], abs=1e-9)


@pytest.mark.parametrize("name", losses())
def test_gradients_change_no_faster_than_the_constant_says(name):
    problem, random = losses()[name], np.random.RandomState(5)
    ratios = []
    for scale in (0.01, 0.1, 1.0, 10.0) * 25:
        a = random.randn(*problem.shape) * random.choice([0.1, 1.0, 3.0])
        b = a + scale * random.randn(*problem.shape)
        change = np.linalg.norm(problem.gradient(a) - problem.gradient(b))
        ratios.append(change / np.linalg.norm(a - b) / problem.lipschitz)
    assert max(ratios) <= 1 + 1e-9  # norms of a few dozen doubles
    assert max(ratios) > 0.05  # the constant is not merely large


@pytest.mark.parametrize("name", losses())
def test_estimates_are_unbiased_and_values_stay_above_the_least(name):
    problem, random = losses()[name], np.random.RandomState(6)
    w = random.randn(*problem.shape)
    each = [problem.gradient(w, np.array([k])) for k in range(problem.n_samples)]
    np.testing.assert_allclose(np.mean(each, axis=0), problem.gradient(w), atol=1e-12)  # sums of 40 doubles
    assert all(problem.value(scale * w) >= problem.least for scale in (0.0, 0.1, 1.0, 10.0))


# ------------------------------------------------------------------------------------------------ the bound


CASES = [
    ("quadratic", 0.3),
    ("quadratic", 0.03),
    ("logistic", 3.0),
    ("logistic", 0.3),
    ("layer", 30.0),
    ("layer", 3.0),
]


@pytest.mark.parametrize(("name", "eta"), CASES)
def test_the_bound_holds_along_trainings_with_random_rounding(name, eta):
    """Theorem (convergence), with the constant of 1 and with the measured lag, in the mean over ten trainings."""
    traces = [follow(losses()[name], eta=eta, n_steps=300, batch_size=5, random_state=seed) for seed in range(10)]
    left = np.mean([trace.left[-1] for trace in traces])
    sharp = np.mean([trace.bound(sharp=True).total[-1] for trace in traces])
    assert left <= sharp <= np.mean([trace.bound().total[-1] for trace in traces]) * (1 + 1e-12)
    assert sum(trace.flips.sum() for trace in traces) > 0


def test_half_of_the_rounding_term_is_too_little():
    """The printed constant, where gradients are exact and memory is as measured: d = 200, f = |w|^2 / 2."""
    trace = follow(Quadratic(np.ones(200), np.zeros((1, 200))), eta=0.01, n_steps=4000)
    bound = trace.bound()
    assert trace.left[-1] == 200
    assert bound.total[-1] - trace.printed_floor()[-1] < trace.left[-1] < bound.total[-1]


def test_memory_of_a_weight_that_is_right_grows_without_end():
    """What the lemma on memory excludes: gradients that agree with a weight are remembered and never sent."""
    problem = Quadratic(np.ones(1), np.array([[3.0]]))
    short, long = (follow(problem, eta=0.1, n_steps=n, rounds_at_random=False) for n in (200, 400))
    assert short.kept[-1] == 1
    assert long.bound().memory[-1] > 3.9 * short.bound().memory[-1]  # as the square of the number of steps


def test_beta_bounds_memory_where_flips_do_not_end():
    """Theorem (memory with beta): while a share rho of weights flips in each step, |e| <= eta G / rho."""
    problem = Quadratic(np.ones(10), np.array([[3.0] + [0.0] * 9]))  # the first weight is right, others never are
    adapting, keeping = (ErrorFeedback(np.ones(10), eta=1.5, adapts=adapts) for adapts in (True, False))
    for _ in range(200):
        for rule in (adapting, keeping):
            assert rule.step(problem.gradient(rule.w)).flipped.sum() == 9
        # the gradient of the first is -2; beta is a tenth, and what is kept adds up with a relative error of 1e-15
        assert abs(adapting.e[0]) <= 1.5 * 2 / 0.9 * (1 + 1e-12)
    assert keeping.e[0] == -1.5 * 2 * 200


# ----------------------------------------------------------------------------------------------- the budget


def batches(n_inputs, seed=0):
    random = np.random.RandomState(seed)
    X = random.rand(200, n_inputs) < 0.5
    y = X[:, 0].astype(int) + 2 * X[:, 1]
    return [(kernels.pack(X[start : start + 50]), y[start : start + 50]) for start in (0, 50, 100, 150)] * 5


NETWORKS = {
    "linear": lambda: boolean_mlp([16, 32, 4], random_state=0),
    "centred": lambda: boolean_mlp([16, 32, 24, 4], random_state=0),
    "offsets and bias": lambda: boolean_mlp([16, 32, 4], bias=True, offset_spread=0.5, random_state=0),
    "or": lambda: boolean_mlp([16, 32, 4], gate="or", eta=100.0, random_state=0),
    "no clip": lambda: boolean_mlp([16, 32, 4], clip=inf, eta=100.0, random_state=0),
    "convolution": lambda: conv_network((4, 4, 1), (8,), (), 4, random_state=0),
    "tables": lambda: gate_network([16, 40], 4, random_state=0),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_rows_flip_no_more_than_their_budget(name):
    """Theorem (flip budget), on every kind of network; a float32 sum of 20 steps is off by less than 1e-5."""
    budgets = flip_budget(NETWORKS[name](), batches(16))
    assert all(budget.spent <= 1 + 1e-5 for budget in budgets)
    assert max(budget.flips.sum() for budget in budgets) > 0


def test_budgets_count_the_flips_of_the_network():
    network = boolean_mlp([16, 32, 4], random_state=0)
    twin = boolean_mlp([16, 32, 4], random_state=0)
    budgets = flip_budget(network, batches(16))
    flips = np.sum([twin.step(x, y)[1] for x, y in batches(16)], axis=0)
    assert [budget.flips.sum() for budget in budgets] == flips.tolist()
    assert network.fingerprint() == twin.fingerprint()


def test_a_rule_that_flips_early_breaks_its_budget(monkeypatch):
    """The negative twin: with a bar that evidence need not reach, there are more flips than evidence pays for."""
    network = boolean_mlp([16, 32, 4], eta=0.1, random_state=0)
    move = Parameter.move
    monkeypatch.setattr(
        Parameter, "move", lambda self, m, votes, *, eta, **others: move(self, m, votes, eta=100 * eta, **others)
    )
    assert max(budget.spent for budget in flip_budget(network, batches(16))) > 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ErrorFeedback([1.0, 0.0], eta=1.0), r"w must hold \+1 and -1 only"),
        (lambda: ErrorFeedback([1.0], eta=0.0), "eta must be a finite number > 0"),
        (lambda: follow(losses()["logistic"], eta=1.0, n_steps=0), "n_steps must be an integer >= 1"),
        (lambda: ErrorFeedback([], eta=1.0), r"w must hold \+1 and -1 only, at least one"),
        (lambda: ErrorFeedback([1j], eta=1.0), "w must be an array of real numbers"),
        (lambda: follow(losses()["layer"], eta=1.0, n_steps=1, batch_size=0), "batch_size must be an integer"),
        (lambda: follow(losses()["layer"], eta=1.0, n_steps=1, batch_size=-1), "batch_size must be an integer"),
        (lambda: follow(losses()["layer"], eta=1.0, n_steps=1, batch_size=2.5), "batch_size must be an integer"),
        (lambda: follow(losses()["layer"], eta=1.0, n_steps=1, batch_size="a"), "batch_size must be an integer"),
        (lambda: Quadratic([np.nan], [[0.0]]), "curvature must be finite"),
        (lambda: Quadratic([-1.0], [[0.0]]), "curvature must be at least 0, got -1"),
        (lambda: Quadratic([1.0], [[0.0, 1.0]]), r"curvature must be a vector of 2 number\(s\), got shape \(1,\)"),
        (lambda: Quadratic([1.0], [0.0]), r"targets must be a matrix .*, got shape \(1,\)"),
        (lambda: Quadratic([1.0], np.ones((0, 1))), r"targets must be a matrix .*, got shape \(0, 1\)"),
        (lambda: Logistic([[1.0]], [np.inf]), "y must be finite"),
        (lambda: Logistic([[1.0]], [2.0]), r"y must hold \+1 and -1 only"),
        (lambda: Logistic([[1.0], [1.0]], [1.0]), r"y must be a vector of 2 number\(s\)"),
        (lambda: Logistic([[1.0]], [1.0], scale=np.nan), "scale must be a finite number"),
        (lambda: SmoothLayer([["a"]], [1.0], [1.0]), "X must be an array of real numbers"),
        (lambda: SmoothLayer([[1.0]], [1.0], [[1.0]]), "v must be a vector of at least one number"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()


@pytest.mark.parametrize(
    ("gradient", "message"),
    [
        (np.ones((3, 1)), r"must have the shape \(3,\) of w, got shape \(3, 1\)"),
        (1.0, r"must have the shape \(3,\) of w, got shape \(\)"),
        ([0.0, np.nan, 0.0], "must be finite"),
        ([1j, 0, 0], "must be an array of real numbers"),
    ],
)
def test_a_gradient_that_does_not_fit_leaves_the_rule_as_it_was(gradient, message):
    rule = ErrorFeedback([1.0, -1.0, 1.0], eta=0.5)
    rule.step([0.5, 0.0, 4.0])
    with pytest.raises((TypeError, ValueError), match="gradient " + message):
        rule.step(gradient)
    with pytest.raises((TypeError, ValueError), match="what estimate returns " + message):
        watch(Quadratic(np.ones(3), np.zeros((1, 3))), rule, lambda w: gradient, 1)
    with pytest.raises(ValueError, match=r"rule must have weights of the shape \(1,\) of problem, got \(3,\)"):
        watch(Quadratic([1.0], [[0.0]]), rule, lambda w: w, 1)
    assert rule.w.tolist() == [1.0, -1.0, -1.0]
    assert rule.e.tolist() == [0.25, 0.0, 0.0]


def test_a_network_that_has_been_trained_has_no_budget():
    network = boolean_mlp([16, 32, 4], random_state=0)
    network.step(*batches(16)[0])
    with pytest.raises(ValueError, match="network must not have been trained"):
        flip_budget(network, batches(16))
