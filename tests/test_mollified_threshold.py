"""The threshold in noise: limits, derivatives, and the weight of bvar.layers.Threshold as a density."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bvar.gates import gate
from bvar.layers import Threshold
from bvar.layers.threshold import signal_scale, surrogate_width
from bvar.mollify import mollified_threshold, mollified_variation

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
        assert abs((s + eps >= 1).mean() - mollified_threshold(s, 1, 1.5, noise)) < 5 * 0.5 / 200


@pytest.mark.parametrize("noise", NOISE)
def test_the_variation_is_derivative_and_difference(noise):
    h = 1e-5
    low, high = (mollified_threshold(S + x, 0.503, 1.3, noise) for x in (-h, h))  # no kink of the uniform on S
    assert abs((high - low) / (2 * h) - mollified_variation(S, 0.503, 1.3, noise)).max() < 1e-8
    np.testing.assert_allclose(
        mollified_variation(S, 0.503, 1.3, noise, step=2 * h),
        np.r_[mollified_threshold(S + 2 * h, 0.503, 1.3, noise) - mollified_threshold(S, 0.503, 1.3, noise)],
    )
    wide = np.linspace(-200, 200, 400001)
    density = mollified_variation(wide, 0, 1.3, noise)
    variance = {"logistic": np.pi**2 / 3, "gaussian": 1, "uniform": 1 / 3}[noise] * 1.3**2
    assert density.sum() * 1e-3 == pytest.approx(1, abs=1e-3)
    assert (wide**2 * density).sum() * 1e-3 == pytest.approx(variance, rel=2e-3)


@pytest.mark.parametrize(("name", "fan_in", "fan_out"), [("xnor", 12, 2), ("xnor", 784, 10), ("and", 40, 8)])
def test_the_weight_of_bold_is_a_logistic_density(name, fan_in, fan_out):
    below, above = gate(name), gate("xnor")
    layer = Threshold(1, fan_in, fan_out, gate=name)
    alpha, scale = float(surrogate_width(fan_in, below)), float(signal_scale(fan_out, above))
    d = np.arange(len(layer.table))
    weight = 2 / alpha * mollified_variation(d, 0, 1 / (2 * alpha))
    np.testing.assert_allclose(weight, 1 - np.tanh(alpha * d) ** 2, atol=1e-15)
    # the table is rounded to halves of 2^-20
    assert abs(layer.table / 2**Threshold.SHIFT - scale * weight).max() <= 0.5001 * 2**-Threshold.SHIFT
    variance = float(fan_in * (1 - below.mean**2))
    assert np.pi**2 / (12 * alpha**2) == pytest.approx(variance)
    both = np.concatenate([layer.table[:0:-1], layer.table]).astype(float)
    place = np.arange(len(both)) - len(layer.table) + 1
    assert (place**2 * both).sum() / both.sum() == pytest.approx(variance, rel=0.01)


@pytest.mark.parametrize("function", [mollified_threshold, mollified_variation])
def test_bad_arguments_are_named(function):
    with pytest.raises(ValueError, match="width must be a finite number > 0"):
        function(0, 0, 0)
    with pytest.raises(ValueError, match="noise must be one of 'logistic', 'gaussian', 'uniform', got 'pink'"):
        function(0, 0, 1, "pink")
    with pytest.raises(ValueError, match="step must be a finite number > 0"):
        mollified_variation(0, 0, 1, step=-1)
    assert np.shape(function(np.zeros((3, 1)), np.zeros(4), 1)) == (3, 4)
