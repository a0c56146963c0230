"""Transforms that can be learnt: what they do, their exact adjoints and their slopes."""

import numpy as np
import pytest

from bvar.augmentation import Cutout, Flip, Mixup, Noise, Rotation, Scale, Shear, Shift
from bvar.augmentation.resampling import Places, resample, resample_adjoint

SHAPE = (6, 5, 2)
N_FEATURES = 60
ALL = [Rotation(20.0), Shift(0.7), Scale(0.2), Shear(0.3), Noise(0.2), Mixup(0.4), Flip(0.4), Cutout(2, 0.6)]
SMOOTH = [t for t in ALL if not t.is_coin]


def case(transform, n=7, seed=0):
    random = np.random.RandomState(seed)
    X, Z = random.random_sample((n, N_FEATURES)), random.standard_normal((n, N_FEATURES))
    noise = transform.noise(n, SHAPE, N_FEATURES, random)
    return X, Z, transform.amounts(np.full(n, transform.start()), noise)


@pytest.mark.parametrize("transform", ALL, ids=repr)
def test_an_adjoint_is_the_transpose(transform):
    """<T x - T 0, z> = <x, T' z>: sums of some hundred products of numbers below 4, each rounded."""
    X, Z, amounts = case(transform)
    linear = transform.forward(X, amounts, SHAPE) - transform.forward(np.zeros_like(X), amounts, SHAPE)
    there = (linear * Z).sum()
    back = (X * transform.adjoint(X, amounts, SHAPE, Z)).sum()
    assert abs(there - back) < 7 * N_FEATURES * 4 * 8 * 2.0**-53 * 10
    assert abs(there) > 0.1


def test_the_adjoint_of_whole_pixels_is_the_transposed_matrix_exactly():
    """Places on pixels have weights 0 and 1, so that integers stay integers and == holds."""
    random = np.random.RandomState(0)
    rows, columns = random.randint(-2, 8, (2, 3, 6, 5)).astype(float)
    places = Places(rows, columns)
    eye = np.eye(30).reshape(30, 6, 5, 1)
    for i in range(3):
        one = Places(np.repeat(rows[i : i + 1], 30, 0), np.repeat(columns[i : i + 1], 30, 0))
        matrix = resample(eye, one).reshape(30, 30).T
        adjoint = resample_adjoint(eye, one).reshape(30, 30).T
        assert (adjoint == matrix.T).all()
        assert ((matrix == 0) | (matrix == 1)).all()
    images = random.randint(0, 99, (3, 6, 5, 1)).astype(float)
    y, x = rows[..., None].astype(int), columns[..., None].astype(int)
    inside = (y >= 0) & (y < 6) & (x >= 0) & (x < 5)
    expected = images[np.arange(3)[:, None, None, None], np.clip(y, 0, 5), np.clip(x, 0, 4), 0] * inside
    assert (resample(images, places) == expected).all()


@pytest.mark.parametrize("transform", SMOOTH, ids=repr)
def test_slopes_in_amounts_are_those_of_finite_differences(transform):
    """Central differences of step 1e-6 err by 1e-10 of rounding, and 1e-12 of curvature, between two pixels."""
    X, Z, amounts = case(transform)
    slopes = transform.slopes(X, amounts, SHAPE, Z)
    for place in np.ndindex(amounts.shape[0], min(3, amounts.shape[1])):
        sides = []
        for step in (1e-6, -1e-6):
            shifted = amounts.copy()
            shifted[place] += step
            sides.append((transform.forward(X, shifted, SHAPE) * Z).sum())
        assert abs((sides[0] - sides[1]) / 2e-6 - slopes[place]) < 1e-6
    assert abs(slopes).max() > 0.01


@pytest.mark.parametrize("transform", ALL, ids=repr)
def test_slopes_of_log_densities_have_mean_nothing_and_point_to_more(transform):
    """E g = 0 and E g |amount| > 0: five standard errors of 4000 draws."""
    random = np.random.RandomState(1)
    noise = transform.noise(4000, SHAPE, N_FEATURES, random)
    phi = np.full(4000, transform.start())
    slope, size = transform.log_density_slope(phi, noise), abs(transform.amounts(phi, noise)[:, 0])
    assert abs(slope.mean()) < 5 * slope.std() / np.sqrt(4000)
    assert (slope * size).mean() > 3 * (slope * size).std() / np.sqrt(4000)


def test_the_slope_of_a_log_density_is_that_of_differences():
    """Of a normal amount: log density -log s - a^2 / 2 s^2, s = exp(phi), at a fixed; step 1e-6 errs by 1e-9."""
    noise, phi = np.array([[0.7], [-1.9]]), np.log(15.0)
    amounts = np.exp(phi) * noise

    def log_density(phi):
        return (-phi - amounts**2 / (2 * np.exp(2 * phi))).ravel()

    slope = (log_density(phi + 1e-6) - log_density(phi - 1e-6)) / 2e-6
    assert abs(slope - Rotation().log_density_slope(np.full(2, phi), noise)).max() < 1e-8


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_quarter_turns_are_exact_to_rounding(quarters):
    image = np.random.RandomState(0).random_sample((1, 7, 7))
    turned = Rotation().forward(image.reshape(1, 49), np.array([[90.0 * quarters]]), (7, 7, 1)).reshape(7, 7)
    # places are within 4 * 2**-52 of pixels, and a pixel takes that share of its four neighbours, below 1
    assert abs(turned - np.rot90(image[0], -quarters)).max() < 64 * 2.0**-52


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_image_that_shrinks_beyond_all_numbers_keeps_its_centre(dtype):
    X, amounts = np.ones((1, 9), dtype), np.array([[-800.0]], dtype)
    point = [0.0] * 4 + [1.0] + [0.0] * 4
    assert Scale().forward(X, amounts, (3, 3, 1)).tolist() == [point]
    assert Scale().adjoint(X, amounts, (3, 3, 1), X).tolist() == [point]
    assert Scale().slopes(X, amounts, (3, 3, 1), X).tolist() == [[0.0]]


@pytest.mark.parametrize("transform", [Rotation(), Shift(), Scale(), Shear()], ids=repr)
def test_amounts_that_are_no_numbers_are_refused(transform):
    X = np.ones((1, 9))
    amounts = np.full((1, transform.n_amounts), np.nan)
    text = f"amounts of {type(transform).__name__} must be finite, got NaN or infinity"
    with pytest.raises(ValueError, match=text):
        transform.forward(X, amounts, (3, 3, 1))
    with pytest.raises(ValueError, match=text):
        transform.slopes(X, amounts, (3, 3, 1), X)


def test_a_turn_without_end_is_refused():
    with pytest.raises(ValueError, match="amounts of Rotation must be finite, got NaN or infinity"):
        Rotation().forward(np.ones((1, 9)), np.array([[np.inf]]), (3, 3, 1))


def test_two_coins_are_tossed_as_often_as_they_say():
    transform = Flip(0.25)
    noise = transform.noise(4000, SHAPE, N_FEATURES, np.random.RandomState(0))
    tossed = transform.amounts(np.full(4000, transform.start()), noise)[:, 0]
    assert set(tossed) == {0.0, 1.0}
    assert abs(tossed.sum() - 1000) < 5 * np.sqrt(4000 * 0.25 * 0.75)


def test_a_cut_is_one_square_and_a_mirror_is_a_mirror():
    X = 1 + np.arange(2 * N_FEATURES, dtype=float).reshape(2, -1)
    cut = Cutout(2).forward(X, np.array([[1.0, 0.3, 0.9], [0.0, 0.3, 0.9]]), SHAPE).reshape(2, *SHAPE)
    gone = (cut[0] == 0).all(axis=2)
    assert gone.sum() == 4
    assert gone[np.ix_(*[np.flatnonzero(gone.any(axis=a)) for a in (1, 0)])].all()
    assert (cut[1].ravel() == X[1]).all()
    mirrored = Flip().forward(X, np.ones((2, 1)), SHAPE).reshape(2, *SHAPE)
    assert (mirrored == X.reshape(2, *SHAPE)[:, :, ::-1]).all()


@pytest.mark.parametrize(
    ("transform", "shape", "text"),
    [
        (Rotation(), None, r"transforms must be Noise or Mixup for samples that are no images, got Rotation\(\)"),
        (Flip(), None, "transforms must be Noise or Mixup"),
        (Rotation(0.0), SHAPE, "degrees must be a finite number > 0"),
        (Shift(-1.0), SHAPE, "pixels must be a finite number > 0"),
        (Noise(float("nan")), None, "deviation must be a finite number > 0"),
        (Flip(1.0), SHAPE, "probability must be between 0 and 1"),
        (Flip(0.0), SHAPE, "probability must be a finite number > 0"),
        (Cutout(9), SHAPE, r"side must be an integer in \[1, 5\]"),
    ],
)
def test_what_does_not_fit_is_named(transform, shape, text):
    with pytest.raises((TypeError, ValueError), match=text):
        transform.check(shape)
