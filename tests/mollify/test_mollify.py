"""Schedules, noise and blur: tables of known values, limits, matrix forms, and errors that say what is wrong."""

import copy
import pickle

import numpy as np
import pytest

from bvar.mollify import (
    CosineSchedule,
    LinearSchedule,
    Schedule,
    SigmoidSchedule,
    blur,
    blur_scale,
    noise,
    noise_at_time,
    progress,
)
from bvar.mollify.schedules import as_schedule

U = np.arange(11) / 10
SCHEDULES = [
    SigmoidSchedule(),
    CosineSchedule(),
    LinearSchedule(),
    SigmoidSchedule(-3, 3, 1),
    CosineSchedule(tau=3),
]

# u = 0, .1, ..., 1 for the sigmoid (0, 3, 0.7): computed apart from this package, and rounded to the digits shown,
# hence tolerances of half a unit of the last digit, and a little for the rounding of floats
GAMMA = [1, 0.7830, 0.5846, 0.4173, 0.2858, 0.1880, 0.1181, 0.0696, 0.0367, 0.0146, 0]
ALPHA = [0, 0.466, 0.645, 0.763, 0.845, 0.901, 0.939, 0.965, 0.981, 0.993, 1]
SIGMA = [1, 0.885, 0.765, 0.646, 0.535, 0.434, 0.344, 0.264, 0.191, 0.121, 0]
LOG_SNR = [-np.inf, -1.28, -0.34, 0.33, 0.92, 1.46, 2.01, 2.59, 3.27, 4.21, 20.7]
SYMMETRIC = [0.9605, 0.8957, 0.7967, 0.6609, 0.5, 0.3391, 0.2033, 0.1043, 0.0395]


# --------------------------------------------------------------------------------------------- schedules


def test_the_sigmoid_schedule_is_that_of_the_table():
    schedule = SigmoidSchedule()
    assert abs(schedule.gamma(U) - GAMMA).max() <= 0.5001e-4
    assert abs(schedule.alpha(U) - ALPHA).max() <= 0.5001e-3
    assert abs(schedule.sigma(U) - SIGMA).max() <= 0.5001e-3
    assert schedule.log_snr(0.0) == -np.inf
    assert abs(schedule.log_snr(U[1:10]) - LOG_SNR[1:10]).max() <= 0.5001e-2
    assert abs(schedule.log_snr(1.0) - LOG_SNR[10]) <= 0.5001e-1


def test_the_symmetric_sigmoid_is_that_of_the_table():
    assert abs(SigmoidSchedule(-3, 3, 1).gamma(U[1:10]) - SYMMETRIC).max() <= 0.5001e-4


def test_cosine_and_linear_are_their_formulas():
    # a few roundings of 2^-53 of numbers of at most 1; the linear one has no other than that of 1 - u
    assert abs(CosineSchedule().gamma(U[:10]) - np.cos(np.pi * U[:10] / 2) ** 2).max() < 1e-15
    assert (LinearSchedule().gamma(U[:10]) == 1 - U[:10]).all()


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_noise_falls_from_one_to_nothing(schedule):
    gamma = schedule.gamma(np.linspace(0, 1, 1001))
    assert gamma[0] == 1
    assert gamma[-1] == 1e-9
    assert (np.diff(gamma)[gamma[1:] > 1e-9] < 0).all()
    assert (np.diff(gamma) <= 0).all()
    assert schedule.ends_clean()


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_data_and_noise_share_the_variance(schedule):
    u = np.linspace(0, 1, 100)
    assert (
        abs(schedule.alpha(u) ** 2 + schedule.sigma(u) ** 2 - 1).max() < 1e-15
    )  # two roots and squares: 4 * 2^-53
    with np.errstate(divide="ignore"):
        snr = 2 * (np.log(schedule.alpha(u)) - np.log(schedule.sigma(u)))
    # alpha is rounded by 2^-53, a share 2^-53 / alpha^2 of log alpha where alpha is small, and it is above 1e-2
    np.testing.assert_allclose(schedule.log_snr(u), snr, rtol=0, atol=1e-11)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_schedules_are_values(schedule):
    assert copy.deepcopy(schedule) == pickle.loads(pickle.dumps(schedule)) == schedule
    assert np.ndim(schedule.gamma(0.3)) == 0
    assert schedule.gamma(U.reshape(1, 11, 1)).shape == (1, 11, 1)


@pytest.mark.parametrize("u", [-0.01, 1.01, np.nan, [0.5, 2]])
def test_progress_outside_of_the_unit_interval_is_refused(u):
    with pytest.raises(ValueError, match=r"u must be in \[0, 1\]"):
        SigmoidSchedule().gamma(u)


@pytest.mark.parametrize("wrong", [0.5j, np.array([0.5 + 0j]), ["0.5"], "a", None])
def test_what_are_no_real_numbers_is_named(wrong):
    x = np.ones((1, 4))
    for call, name in (
        (lambda: LinearSchedule().gamma(wrong), "u"),
        (lambda: noise(x, wrong), "gamma"),
        (lambda: noise_at_time(x, wrong), "t"),
        (lambda: blur(x, wrong), "t"),
        (lambda: blur_scale(wrong, 4), "t"),
    ):
        with pytest.raises(TypeError, match=f"^{name} must be an array of real numbers, got dtype "):
            call()


@pytest.mark.parametrize("wrong", [np.ones((2, 2)) + 0j, [["a", "b"]], np.array([["1", "2"]]), [[1j, None]]])
def test_samples_that_are_no_real_numbers_are_named(wrong):
    for function in (noise, noise_at_time, blur):
        with pytest.raises(TypeError, match=r"^X must be an array of real numbers, got dtype "):
            function(wrong, 0.5)
    with pytest.raises(ValueError, match=r"^X must be an array, got rows of different lengths"):
        noise([[1.0], [1.0, 2.0]], 0.5)
    objects = np.array([[1, 2.5, True]], object)
    assert noise(objects, 0.0).tolist() == [[1.0, 2.5, 1.0]]


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: SigmoidSchedule(start=3), "end must be greater than start"),
        (lambda: SigmoidSchedule(tau=0), "tau must be"),
        (lambda: SigmoidSchedule(start=100, end=101), "tau is too small"),
        (lambda: SigmoidSchedule(end=np.inf), "end must be"),
        (lambda: CosineSchedule(end=1.5), "end must be at most 1"),
        (lambda: CosineSchedule(tau=1e-20), "tau is too small or too large: the curve is flat"),
        (lambda: CosineSchedule(start=0.5, tau=3000.0), "tau is too small or too large: the curve is flat"),
        (lambda: CosineSchedule(start=-0.5), "start must be"),
        (lambda: progress(-1, 3), "step must be"),
        (lambda: progress(1, 0), "n_steps must be"),
    ],
)
def test_wrong_schedules_are_refused(make, match):
    with pytest.raises(ValueError, match=match):
        make()


class Constant(Schedule):
    """Noise that stays."""

    def _fraction(self, u):
        return np.full_like(u, 0.04)


def test_a_density_wants_a_schedule_that_ends_clean():
    assert not Constant().ends_clean()
    with pytest.raises(ValueError, match=r"mollify must be a schedule that ends at gamma\(1\) = 0.*ends at 0.04"):
        as_schedule(Constant())


def test_names_stand_for_schedules():
    assert as_schedule(None) is None
    assert as_schedule("sigmoid") == SigmoidSchedule()
    assert as_schedule("cosine") == CosineSchedule()
    assert as_schedule("linear") == LinearSchedule()
    with pytest.raises(ValueError, match="mollify must be one of 'sigmoid'"):
        as_schedule("triangle")
    with pytest.raises(TypeError, match="mollify must be None"):
        as_schedule(0.5)


def test_progress_counts_steps():
    assert [progress(i, 2) for i in range(4)] == [0.0, 0.5, 1.0, 1.0]


# ------------------------------------------------------------------------------------------------- noise


def test_noise_has_the_moments_it_should():
    """Each mean and each variance within five of its standard errors."""
    n = 200_000
    x = np.full((n, 1), 2.0)
    for gamma in (0.1, 0.5, 0.9):
        noisy = noise(x, gamma, random_state=0)
        assert abs(noisy.mean() - np.sqrt(1 - gamma) * 2) < 5 * np.sqrt(gamma / n)
        assert abs(noisy.var() - gamma) < 5 * gamma * np.sqrt(2 / n)


def test_no_noise_changes_nothing():
    x = np.random.RandomState(0).randn(5, 3)
    assert np.array_equal(noise(x, 0.0), x)
    assert np.array_equal(noise_at_time(x, 0.0), x)
    mixed = noise(x, [0, 1, 0, 0.5, 0], random_state=1)
    assert np.array_equal(mixed[[0, 2, 4]], x[[0, 2, 4]])
    assert (mixed[[1, 3]] != x[[1, 3]]).all()


def test_all_noise_forgets_the_data():
    x = np.random.RandomState(0).randn(2, 5, 3)
    assert np.array_equal(noise(x[0], 1.0, random_state=1), noise(x[1], 1.0, random_state=1))


def test_time_is_the_noise_fraction_sine_squared():
    x, t = np.random.RandomState(0).randn(11, 3), U
    # numbers below 4, rounded a few times by 2^-53 of themselves
    a = noise_at_time(x, t, random_state=3)
    b = noise(x, np.sin(np.pi * t / 2) ** 2, random_state=3)
    assert abs(a - b).max() < 1e-14
    c = noise(x[:10], CosineSchedule().gamma(1 - t[1:]), random_state=3)
    assert abs(noise_at_time(x[:10], t[1:], random_state=3) - c).max() < 1e-14


def test_a_seed_fixes_the_noise_and_types_are_kept():
    x = np.ones((4, 2, 2), np.float32)
    assert noise(x, 0.5, 0).dtype == np.float32
    assert noise(x.astype(int), 0.5, 0).dtype == np.float64
    assert np.array_equal(noise(x, 0.5, 0), noise(x, 0.5, np.random.RandomState(0)))


@pytest.mark.parametrize("wrong", [-0.1, 1.1, np.nan, [0.1, 0.2], [[0.1]]])
def test_wrong_amounts_of_noise_are_refused(wrong):
    for function, name in ((noise, "gamma"), (noise_at_time, "t")):
        with pytest.raises(ValueError, match=f"^{name} must be"):
            function(np.ones((3, 2)), wrong)


# -------------------------------------------------------------------------------------------------- blur


def dct_matrix(n):
    """Orthonormal DCT-II, row by row from its definition."""
    i, k = np.arange(n)[:, None], np.arange(n)[None, :]
    matrix = np.sqrt(2 / n) * np.cos(np.pi * i * (k + 0.5) / n)
    matrix[0] /= np.sqrt(2)
    return matrix


def cooled(image, tau):
    """C_h^T ((C_h x C_w^T) * exp(-lambda tau)) C_w."""
    h, w = image.shape
    c, d = dct_matrix(h), dct_matrix(w)
    eigenvalues = (np.pi * np.arange(h) / h)[:, None] ** 2 + (np.pi * np.arange(w) / w)[None, :] ** 2
    return c.T @ ((c @ image @ d.T) * np.exp(-eigenvalues * tau)) @ d


def test_blur_scales_are_those_of_the_figure():
    printed = [0.3, 0.5, 0.9, 1.5, 2.6, 4.4, 7.5, 12.8, 21.9, 37.4, 64.0]
    assert blur_scale(U, 64).round(1).tolist() == printed


@pytest.mark.parametrize("shape", [(8, 8), (5, 9), (1, 4), (3, 1)])
def test_blurred_images_are_the_matrix_form(shape):
    x = np.random.RandomState(0).randn(4, *shape)
    t = np.array([0.1, 0.4, 0.7, 1.0])
    # four products with matrices of at most nine columns, of numbers below 10: some 40 * 10 * 2^-53 = 4e-14
    tau = blur_scale(t, max(shape)) ** 2 / 2
    expected = [cooled(image, time) for image, time in zip(x, tau, strict=True)]
    assert abs(blur(x, t) - expected).max() < 1e-13
    channels = blur(np.stack([x, 2 * x], axis=-1), t)
    assert abs(channels[..., 0] - expected).max() < 1e-13
    assert abs(channels[..., 1] - 2 * np.array(expected)).max() < 1e-13


def test_blurred_signals_are_the_matrix_form():
    x = np.random.RandomState(0).randn(3, 7)
    c = dct_matrix(7)
    kept = np.exp(-((np.pi * np.arange(7) / 7) ** 2) * blur_scale(0.6, 7) ** 2 / 2)
    # two products with seven columns, of numbers below 3: some 14 * 3 * 2^-53 = 5e-15
    assert abs(blur(x, 0.6) - x @ c.T * kept @ c).max() < 1e-14


@pytest.mark.parametrize("shape", [(6, 8), (6, 8, 8), (6, 4, 8, 3)])
def test_time_zero_changes_nothing_bit_for_bit(shape):
    x = np.random.RandomState(0).randn(*shape)
    x.flat[0] = -0.0
    assert blur(x, 0.0).tobytes() == x.tobytes()
    t = np.array([0, 0.5, 0, 1, 0, 1e-9])
    mixed = blur(x, t)
    assert mixed[t == 0].tobytes() == x[t == 0].tobytes()
    assert all((mixed[i] != x[i]).any() for i in (1, 3, 5))
    assert blur(x, 0.0) is not x


def test_the_mean_stays_and_at_the_end_nothing_else():
    """At t = 1 the slowest wave of a signal of length n has shrunk by exp(-pi^2 / 2) = 0.0072."""
    x = np.random.RandomState(0).randn(4, 8, 8)
    for t in (0.2, 0.6, 1.0):
        # the mean is one of the cosines: two transforms of numbers below 4, the mean of 64 roundings of each
        assert abs(blur(x, t).mean(axis=(1, 2)) - x.mean(axis=(1, 2))).max() < 1e-14
    spread = blur(x, 1.0).std(axis=(1, 2)) / x.std(axis=(1, 2))
    assert (spread < np.exp(-(np.pi**2) / 2)).all()


def test_blur_keeps_float32_and_refuses_what_is_no_image():
    assert blur(np.ones((2, 4, 4), np.float32), 0.5).dtype == np.float32
    assert blur(np.ones((0, 4, 4)), 0.5).shape == (0, 4, 4)
    with pytest.raises(ValueError, match="X must have shape"):
        blur(np.ones(4), 0.5)
    with pytest.raises(ValueError, match=r"^t must be"):
        blur(np.ones((2, 4)), 1.5)
    with pytest.raises(ValueError, match=r"^s_min must be"):
        blur(np.ones((2, 4)), 0.5, s_min=0)
    with pytest.raises(ValueError, match="single number"):
        noise(3.0, 0.5)
