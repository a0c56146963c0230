"""The threshold in noise: limits, derivatives, and the weight of bvar.layers.Threshold as a density."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_digits

import bvar
from bvar import BooleanClassifier, BooleanRegressor, LogicGateClassifier, kernels
from bvar.calculus.gates import Gate
from bvar.layers import Add, BooleanLinear, Concatenate, Threshold
from bvar.layers.threshold import signal_scale, surrogate_width
from bvar.mollify import (
    CosineSchedule,
    LinearSchedule,
    Schedule,
    ThresholdAnnealing,
    mollified_threshold,
    mollified_variation,
)
from bvar.networks import boolean_mlp

NOISE = ["logistic", "gaussian", "uniform"]
S = np.linspace(-7, 7, 1401)


@given(st.floats(-50, 50), st.floats(0.01, 10), st.sampled_from(NOISE))
def test_it_tends_to_the_step_at_the_derived_rate(d, width, noise):
    """P(logistic > d) = 1 / (1 + exp(d/w)) <= exp(-d/w); Chernoff's bound with its factor 1/2; no tail."""
    z = abs(d) / width
    bound = {"logistic": np.exp(-z), "gaussian": np.exp(-z * z / 2) / 2, "uniform": float(z < 1) / 2}[noise]
    error = abs(mollified_threshold(3 + d, 3, width, noise) - (d >= 0))
    # rounding: 3 + d - 3 is off by 2^-48 at most, and the slope of the curve is at most 1 / (2 w)
    assert error <= bound * (d != 0) + 0.5 * (d == 0) + 2**-48 / width + 1e-15


@pytest.mark.parametrize("noise", NOISE)
def test_it_is_a_probability_of_samples(noise):
    random = np.random.RandomState(0)
    draw = {"logistic": random.logistic, "gaussian": random.normal}.get(noise)
    eps = draw(0, 1.5, 40000) if draw else random.uniform(-1.5, 1.5, 40000)
    for s in (-2.0, 0.0, 0.7, 4.0):
        # five standard errors of a share of 40,000
        assert abs((s + eps >= 1).mean() - mollified_threshold(s, 1, 1.5, noise)) < 5 * 0.5 / 200


@pytest.mark.parametrize("noise", NOISE)
def test_the_variation_is_derivative_and_difference(noise):
    # central differences err by h^2 / 6 third derivatives, of at most 0.1, and by 2^-53 / h: 2e-12 and 1e-11
    h = 1e-5
    low, high = (mollified_threshold(S + x, 0.503, 1.3, noise) for x in (-h, h))  # no kink of the uniform on S
    assert abs((high - low) / (2 * h) - mollified_variation(S, 0.503, 1.3, noise)).max() < 1e-10
    change = mollified_threshold(S + 2 * h, 0.503, 1.3, noise) - mollified_threshold(S, 0.503, 1.3, noise)
    np.testing.assert_array_equal(mollified_variation(S, 0.503, 1.3, noise, step=2 * h), change)
    wide = np.linspace(-200, 200, 400001)
    density = mollified_variation(wide, 0, 1.3, noise)
    variance = {"logistic": np.pi**2 / 3, "gaussian": 1, "uniform": 1 / 3}[noise] * 1.3**2
    # Riemann sums of step 1e-3: exact to rounding for smooth densities; at the two edges of the box, of height
    # 1 / 2.6, each may miss half a step, and its square is three times its mean there
    assert density.sum() * 1e-3 == pytest.approx(1, abs=1e-3 / 2.6 + 1e-10)
    assert (wide**2 * density).sum() * 1e-3 == pytest.approx(variance, rel=3e-3 / 2.6 + 1e-6)


@pytest.mark.parametrize(("name", "fan_in", "fan_out"), [("xnor", 12, 2), ("xnor", 784, 10), ("and", 40, 8)])
def test_the_weight_of_bold_is_a_logistic_density(name, fan_in, fan_out):
    below, above = Gate.of(name), Gate.of("xnor")
    layer = Threshold(1, fan_in, fan_out, gate=name)
    alpha, scale = float(surrogate_width(fan_in, below)), float(signal_scale(fan_out, above))
    d = np.arange(len(layer.curve))
    weight = 2 / alpha * mollified_variation(d, 0, 1 / (2 * alpha))
    np.testing.assert_allclose(
        weight, 1 - np.tanh(alpha * d) ** 2, rtol=0, atol=1e-15
    )  # nine roundings of at most 2^-53
    # the table is rounded to halves of 2^-20
    assert abs(layer.curve / 2**Threshold.SHIFT - scale * weight).max() <= 0.5001 * 2**-Threshold.SHIFT
    variance = float(fan_in * (1 - below.mean**2))
    assert np.pi**2 / (12 * alpha**2) == pytest.approx(variance, rel=1e-14)  # a few roundings
    both = np.concatenate([layer.curve[:0:-1], layer.curve]).astype(float)
    place = np.arange(len(both)) - len(layer.curve) + 1
    # each entry is off by 1/2 at most, which moves the second moment by at most the sum of d^2 / 2 over the table;
    # those left out behind it, from 1/2 on falling like exp(-2 alpha d), add less than half of that here
    error = 1.5 * (place**2 / 2).sum() / (place**2 * both).sum()
    assert error < 3e-4
    assert (place**2 * both).sum() / both.sum() == pytest.approx(variance, rel=error)


@pytest.mark.parametrize("function", [mollified_threshold, mollified_variation])
def test_bad_arguments_are_named(function):
    with pytest.raises(ValueError, match="width must be a finite number > 0"):
        function(0, 0, 0)
    with pytest.raises(ValueError, match="noise must be one of 'logistic', 'gaussian', 'uniform', got 'pink'"):
        function(0, 0, 1, "pink")
    with pytest.raises(ValueError, match="step must be a finite number > 0"):
        mollified_variation(0, 0, 1, step=-1)
    assert np.shape(function(np.zeros((3, 1)), np.zeros(4), 1)) == (3, 4)


@pytest.mark.parametrize("wrong", [1j, ["a"], np.array([1 + 0j])])
def test_sums_and_thresholds_are_real(wrong):
    for function in (mollified_threshold, mollified_variation, lambda *a: mollified_variation(*a, step=2)):
        with pytest.raises(TypeError, match=r"^s must be an array of real numbers"):
            function(wrong, 0, 1.0)
        with pytest.raises(TypeError, match=r"^tau must be an array of real numbers"):
            function(0, wrong, 1.0)


# ----------------------------------------------------------------------------------------------- annealing

X, Y = load_digits(return_X_y=True)
GOLDEN = "b6c8f1738adb9c4b8b215490d227660098e15837be28f0b528b346218439cf71"


def annealed_fingerprint(n_parts, annealing):
    """Train for four epochs of three steps, each on n_parts parts of a batch."""
    random = np.random.RandomState(0)
    x, y = kernels.pack(random.rand(300, 70) < 0.5), random.randint(3, size=300)
    network = boolean_mlp([70, 33, 65, 3], n_steps=12, random_state=5)
    for epoch in range(4):
        annealing.apply(network, epoch / 4)
        for rows in np.split(random.permutation(300), 3):
            parts = np.array_split(rows, n_parts)
            network.apply(sum(network.votes(x[part], y[part]) for part in parts))
    return network.fingerprint()


@pytest.mark.parametrize("n_parts", [1, 2, 7, 100])
def test_annealing_gives_one_model_on_every_backend_and_batch_split(backend, n_parts):
    """Golden: the linear schedule is arithmetic alone, so the number holds on every machine."""
    found = annealed_fingerprint(n_parts, ThresholdAnnealing())
    assert found == GOLDEN
    assert found != annealed_fingerprint(1, ThresholdAnnealing(final_width=1))


def test_the_width_follows_the_schedule_after_each_epoch():
    annealing, seen = ThresholdAnnealing(CosineSchedule(), final_width=0.1), []

    def spy(model):
        seen.append(model.network_.layers[1].curve.tolist())

    BooleanClassifier((16, 8), max_iter=4, callbacks=[annealing, spy], random_state=0).fit(X, Y)
    n_bits = BooleanClassifier((16,), max_iter=1, random_state=0).fit(X, Y).network_.layers[0].n_inputs
    widths = [0.1 + 0.9 * np.cos(np.pi * u / 2) ** 2 for u in (0.25, 0.5, 0.75)]
    # a few roundings of 2^-53 each
    assert [annealing.width(u) for u in (0.25, 0.5, 0.75)] == pytest.approx(widths, rel=1e-14)
    wanted = [Threshold(16, n_bits, 8, width=annealing.width(u)).curve.tolist() for u in (0.25, 0.5, 0.75, 1)]
    assert seen == wanted
    assert annealing.width(0) == 1
    assert annealing.width(1) == pytest.approx(0.1, abs=1e-9)  # the least noise fraction of a schedule


def test_annealing_by_one_is_no_annealing():
    models = [
        kind((16,), max_iter=3, callbacks=callbacks, random_state=0).fit(X, Y).network_.fingerprint()
        for kind in (BooleanClassifier, BooleanRegressor)
        for callbacks in (None, ThresholdAnnealing(final_width=1), ThresholdAnnealing())
    ]
    assert models[0] == models[1] != models[2]
    assert models[3] == models[4] != models[5]


def test_thresholds_in_branches_are_narrowed_too():
    def unit(n):
        return [BooleanLinear(8, n, random_state=0), Threshold(n, 8, 8)]

    inner = [*unit(8), Concatenate(unit(8)), BooleanLinear(16, 2, random_state=0)]
    layers = [*unit(8), Add([inner, [BooleanLinear(8, 2, random_state=1)]])]
    ThresholdAnnealing(final_width=0.5).apply(SimpleNamespace(layers=layers), 1)
    found = [layers[1], inner[1], inner[2].layers[1]]
    assert [threshold.curve.tolist() for threshold in found] == [Threshold(8, 8, 8, width=0.5).curve.tolist()] * 3


def test_a_committee_is_annealed():
    """What a regressor without sizes may choose: all its thresholds lie in the branches of one sum."""
    annealing = ThresholdAnnealing(final_width=0.5)
    model = BooleanRegressor(max_iter=2, callbacks=annealing, random_state=0).fit(X[:300], Y[:300])
    assert model.plan_ == "committee"
    (total,) = model.network_.layers
    thresholds = [layer for branch in total.branches for layer in branch if isinstance(layer, Threshold)]
    curves = [threshold.curve.tolist() for threshold in thresholds]
    for threshold in thresholds:
        threshold.set_width(0.5)
    assert curves == [threshold.curve.tolist() for threshold in thresholds]
    assert len(curves) == 4


def test_files_keep_the_table_and_the_callback_and_say_what_they_do_not_keep(tmp_path):
    model = BooleanClassifier((16,), max_iter=2, callbacks=ThresholdAnnealing(final_width=0.5), random_state=0)
    model.fit(X, Y).save(tmp_path / "m.bvar")
    loaded = bvar.load(tmp_path / "m.bvar")
    assert loaded.callbacks == clone(loaded).callbacks == model.callbacks
    assert loaded.network_.layers[1].curve.tolist() == model.network_.layers[1].curve.tolist()
    assert clone(loaded).fit(X, Y).network_.fingerprint() == model.network_.fingerprint()
    with pytest.raises(ValueError, match="width of a layer that comes from a file cannot be set"):
        loaded.network_.layers[1].set_width(0.5)


class Forever(Schedule):
    """Noise that stays."""

    def _fraction(self, u):
        return np.full_like(u, 0.04)


def test_wrong_annealing_is_refused():
    with pytest.raises(TypeError, match="schedule must be a Schedule, got 'linear'"):
        ThresholdAnnealing("linear")
    with pytest.raises(ValueError, match=r"schedule must end at gamma\(1\) = 0"):
        ThresholdAnnealing(Forever())
    with pytest.raises(ValueError, match=r"final_width must be in \[0, 1\], got 1.5"):
        ThresholdAnnealing(LinearSchedule(), 1.5)
    with pytest.raises(ValueError, match="final_width must be a finite number >= 0"):
        ThresholdAnnealing(final_width=-1)
    with pytest.raises(ValueError, match=r"u must be in \[0, 1\]"):
        ThresholdAnnealing().width(2)
    with pytest.raises(ValueError, match="network must have thresholds"):
        LogicGateClassifier((20, 20), max_iter=1, callbacks=ThresholdAnnealing()).fit(X, Y)
