"""Density estimators: gradients by finite differences, inverses, total mass, seeds, scikit-learn's contract."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

from bvar.mollify import (
    LinearSchedule,
    MAFDensity,
    RealNVPDensity,
    Schedule,
    SigmoidSchedule,
    VAEDensity,
    noise,
)
from bvar.mollify.density.flow_layers import (
    AffineCoupling,
    FlowBatchNorm,
    MaskedAutoregression,
    Reverse,
    made_masks,
)
from bvar.mollify.density.models import Flow, VariationalAutoencoder
from bvar.mollify.density.network import MLP, Adam, Parameter, orthogonal

FLOWS = [RealNVPDensity, MAFDensity]
ALL = [*FLOWS, VAEDensity]


def moons(n=300, seed=0):
    """Two arcs in the plane, off centre and of unequal scale."""
    random = np.random.RandomState(seed)
    angle, arc = np.pi * random.rand(n), random.randint(2, size=n)
    x = np.c_[np.cos(angle) * (1 - 2 * arc) + arc, (np.sin(angle) - 0.3) * (1 - 2 * arc)]
    return (x + 0.15 * random.randn(n, 2)) * [1, 20] + [5, -100]


def quick(kind, **parameters):
    return kind((16,), **{"max_iter": 15, "batch_size": 50, "random_state": 0, **parameters})


# ------------------------------------------------------------------------------------------- gradients


GRADIENT = 1e-6
"""Central differences of step h = 1e-5 err by h^2 / 6 third derivatives
and by 2^-53 / h times the value: 1e-8 for derivatives of 600 and values of 1000, which are more than there are."""


def slopes(function, array, h=1e-5):
    """Central differences of a number with respect to each entry of an array, which is left as it was."""
    answer = np.empty(array.shape)
    for i in np.ndindex(array.shape):
        before = array[i]
        array[i] = before + h
        up = function()
        array[i] = before - h
        answer[i] = (up - function()) / (2 * h)
        array[i] = before
    return answer


def disturbed(thing, seed=7):
    """Move parameters off their start, where biases are zero and hide errors."""
    random = np.random.RandomState(seed)
    for p in thing.parameters:
        p.value += 0.3 * random.randn(*p.value.shape) * (p.value != 0 if p.value.ndim == 2 else 1)
    return thing


def random():
    return np.random.RandomState(3)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("masked", [False, True])
def test_gradients_of_a_network(activation, masked):
    masks = made_masks(2, [5, 4]) if masked else None
    net = disturbed(MLP([2, 5, 4, 4], activation, random(), masks))
    x, weights = np.random.RandomState(1).randn(6, 2), np.random.RandomState(2).randn(6, 4)

    def value():
        return (weights * net.forward(x)[0]).sum()

    dx = net.backward(weights, net.forward(x)[1])
    gradients = [p.gradient.copy() for p in net.parameters]
    assert abs(dx - slopes(value, x)).max() < GRADIENT
    for p, gradient, mask in zip(
        net.parameters, gradients, [m for k in (masks or [1] * 3) for m in (k, 1)], strict=True
    ):
        assert abs(gradient - slopes(value, p.value) * mask).max() < GRADIENT


LAYERS = {
    "coupling": lambda d: AffineCoupling(d, 0, [6, 5], random()),
    "other coupling": lambda d: AffineCoupling(d, 1, [6], random()),
    "made": lambda d: MaskedAutoregression(d, [7, 6], "tanh", random()),
    "made relu": lambda d: MaskedAutoregression(d, [7], "relu", random()),
    "batch norm": FlowBatchNorm,
    "reverse": lambda d: Reverse(),
}


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_of_a_layer(name):
    """Of a loss with a weight of its own for each output and each log-determinant."""
    layer = disturbed(LAYERS[name](4))
    x = np.random.RandomState(1).randn(6, 4) * [1, 2, 3, 4]
    d, e = np.random.RandomState(2).randn(6, 4), np.random.RandomState(4).randn(6)

    def value():
        y, log_det, _ = layer.forward(x, True)
        return (d * y).sum() + (e * log_det).sum()

    dx = layer.backward(d, e, layer.forward(x, True)[2])
    gradients = [p.gradient.copy() for p in layer.parameters]
    assert abs(dx - slopes(value, x)).max() < GRADIENT
    for p, gradient in zip(layer.parameters, gradients, strict=True):
        there = p.value != 0 if p.value.ndim == 2 else 1  # masked weights stay zero
        assert abs(gradient - slopes(value, p.value) * there).max() < GRADIENT


def flow(d=3):
    layers = []
    for i in range(2):
        layers += [AffineCoupling(d, i, [5], random()), FlowBatchNorm(d)]
        layers += [MaskedAutoregression(d, [6], "tanh", random()), FlowBatchNorm(d), Reverse()]
    return Flow(layers, d)


@pytest.mark.parametrize("make", [flow, lambda: VariationalAutoencoder(3, 2, [6, 5], "tanh", 4, random())])
def test_gradients_of_a_model(make):
    model = disturbed(make())
    x = np.random.RandomState(1).randn(8, 3)

    def value():
        return model.loss(x, np.random.RandomState(5))

    value()
    gradients = [p.gradient.copy() for p in model.parameters]
    for p, gradient in zip(model.parameters, gradients, strict=True):
        there = p.value != 0 if p.value.ndim == 2 else 1
        assert abs(gradient - slopes(value, p.value) * there).max() < GRADIENT


def test_the_loss_of_a_flow_is_minus_its_mean_log_density():
    """Once the statistics are those of the batch, training and evaluation are the same function."""
    model, x = disturbed(flow()), np.random.RandomState(1).randn(50, 3)
    model.calibrate(x)
    # the same sums of some hundred numbers below 100 in another order: 100 * 100 * 2^-53 = 1e-12 at most
    assert model.loss(x, None) == pytest.approx(-model.log_density(x).mean(), rel=0, abs=1e-12)


def test_the_loss_of_an_autoencoder_is_in_the_mean_its_bound_with_one_draw():
    """Loss: exact KL. Bound: sampled KL. The means of many draws agree within five standard errors."""
    x, random = np.random.RandomState(1).randn(1, 3), np.random.RandomState(2)
    model = disturbed(VariationalAutoencoder(3, 2, [6], "tanh", 1, random))
    losses = np.array([model.loss(x, random) for _ in range(4000)])
    bounds = []
    for _ in range(4000):
        model.draws = random.standard_normal((1, 2))
        bounds.append(model.log_density(x)[0])
    error = np.sqrt((losses.var() + np.var(bounds)) / 4000)
    assert abs(losses.mean() + np.mean(bounds)) < 5 * error


# --------------------------------------------------------------------------------------------- layers


@pytest.mark.parametrize("d", [1, 2, 3, 6])
@pytest.mark.parametrize("name", LAYERS)
def test_inverse_undoes_forward(name, d):
    layer, x = disturbed(LAYERS[name](d)), np.random.RandomState(1).randn(9, d)
    if name == "batch norm":
        layer.calibrate(3 * x + 1)
    y, log_det, _ = layer.forward(x, False)
    # scales are exp(s) of some units: d features in turn, each passing errors of 2^-53 on, enlarged by 1e4 at most
    np.testing.assert_allclose(layer.inverse(y), x, rtol=0, atol=1e-11)
    assert log_det.shape == (9,)


@pytest.mark.parametrize("name", LAYERS)
def test_log_determinants_are_those_of_the_jacobian(name):
    layer, x = disturbed(LAYERS[name](4)), np.random.RandomState(1).randn(1, 4)
    if name == "batch norm":
        layer.calibrate(np.random.RandomState(2).randn(9, 4) * [1, 2, 3, 4])
    jacobian = [slopes(lambda i=i: layer.forward(x, False)[0][0, i], x)[0] for i in range(4)]
    # each entry of the Jacobian is off by 1e-10 or so (see GRADIENT), relative to diagonal entries above 1e-3
    assert layer.forward(x, False)[1][0] == pytest.approx(np.linalg.slogdet(jacobian)[1], rel=0, abs=1e-7)


@pytest.mark.parametrize("hidden", [[3], [4, 5], [9, 9, 9]])
def test_an_autoregression_sees_earlier_features_only(hidden):
    """... and, if it is wide enough, all of them."""
    net = MaskedAutoregression(4, hidden, "tanh", random()).network
    x = np.random.RandomState(0).randn(1, 4)
    seen = np.array([slopes(lambda i=i: net.forward(x)[0][0, i], x)[0] != 0 for i in range(8)])
    assert np.array_equal(seen, np.tile(np.tri(4, k=-1, dtype=bool), (2, 1)))


def test_training_leaves_masked_weights_at_zero():
    model = quick(MAFDensity).fit(moons()).model_
    for layer in model.layers:
        for linear in layer.network.layers if isinstance(layer, MaskedAutoregression) else ():
            assert not linear.weight.value[~linear.mask].any()
            assert linear.weight.value[linear.mask].all()


def test_orthogonal_matrices_are():
    for shape in ((3, 8), (8, 3), (5, 5)):
        w = orthogonal(*shape, random())
        small = w @ w.T if shape[0] < shape[1] else w.T @ w
        assert w.shape == shape
        assert abs(small - np.eye(min(shape))).max() < 1e-14  # some 8 * 8 roundings of numbers of at most 1
    assert orthogonal(0, 4, random()).shape == (0, 4)


def test_last_layers_are_not_near_zero():
    """Near-identity couplings are a trap for mollified training: a last layer must start at full size."""
    for model in (RealNVPDensity(), MAFDensity()):
        layer = model._make_model(6, random()).layers[0]
        for net in [layer.network] if isinstance(model, MAFDensity) else [layer.scale, layer.shift]:
            # an orthogonal matrix has norm 1, and one of which masks take a part about as much
            assert np.linalg.norm(net.layers[-1].weight.value, ord=2) > 0.5


def test_adam_is_adam():
    """Against the textbook, parameter by parameter."""
    a, b = Parameter(np.array([[1.0, -2.0]])), Parameter(np.array([3.0]))
    adam, theta, m, v = Adam([a, b], 0.1), np.array([1.0, -2.0, 3.0]), np.zeros(3), np.zeros(3)
    for t in range(1, 6):
        g = theta**3 - t
        a.gradient[:], b.gradient[:] = g[:2], g[2]
        adam.step()
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        theta = theta - 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        # five steps of ten operations, but cubes of theta pass errors on: 50 * 2^-53 * 27^2 = 4e-12 at most
        np.testing.assert_allclose(np.r_[a.value[0], b.value], theta, rtol=4e-12)


# ------------------------------------------------------------------------------------------ densities


@pytest.mark.parametrize("kind", FLOWS)
def test_a_density_integrates_to_one(kind):
    """The midpoint rule on a box; the tolerance is what the rule and the box can be wrong by.

    Halving the step changes the sum by more than what is left after it, as the rule is of second order and the
    density Lipschitz. What lies outside of the box is less than 12 / N in all but 1 of 10^5 cases if none of N
    samples does.
    """
    X, n = moons(), 20_000
    model = quick(kind, max_iter=30, mollify="sigmoid").fit(X)
    samples = model.sample(n, random_state=1)
    low, high = samples.min(axis=0), samples.max(axis=0)
    low, high = low - 0.5 * (high - low), high + 0.5 * (high - low)

    def mass(steps):
        axes = [np.linspace(a, b, 2 * steps + 1)[1::2] for a, b in zip(low, high, strict=True)]
        grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
        return np.exp(model.score_samples(grid)).sum() * np.prod((high - low) / steps)

    coarse, fine = mass(250), mass(500)
    assert abs(fine - 1) < abs(fine - coarse) + 12 / n
    assert abs(fine - coarse) < 0.01  # or the tolerance would be none


@pytest.mark.parametrize("kind", FLOWS)
def test_samples_have_the_density(kind):
    """The mean log density of samples is minus the entropy, which a grid of the same density gives too."""
    model = quick(kind, max_iter=30).fit(moons())
    scores = model.score_samples(model.sample(20_000, random_state=1))
    box = model.sample(20_000, random_state=2)
    low, high = box.min(axis=0) - np.ptp(box, axis=0) / 2, box.max(axis=0) + np.ptp(box, axis=0) / 2
    axes = [np.linspace(a, b, 801)[1::2] for a, b in zip(low, high, strict=True)]
    log_p = model.score_samples(np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2))
    p = np.exp(log_p) / np.exp(log_p).sum()
    # five standard errors, and 0.005 for the grid: half of what test_a_density_integrates_to_one allows
    assert abs(scores.mean() - (p * log_p).sum()) < 5 * scores.std() / np.sqrt(20_000) + 0.005


@pytest.mark.parametrize("kind", FLOWS)
def test_a_normal_density_is_learnt(kind):
    """Test data: within 0.1 nats of the truth, whatever units the features have.

    No error of rounding but of learning: p parameters fitted to n samples cost p / 2n nats in the mean, 0.1 for
    400 of them here. Log densities then differ with a standard deviation of sqrt(p / n) = 0.45, a mean of 0.36.
    """
    mix = np.array([[1.0, 0.5, 0], [0, 2.0, -1], [0, 0, 100.0]])
    X = np.random.RandomState(0).randn(3000, 3) @ mix + [0, 1000, 5]
    model = kind((16,), n_blocks=3, max_iter=30, random_state=0).fit(X[:2000])
    S = mix.T @ mix
    rest = X[2000:] - [0, 1000, 5]
    truth = -0.5 * (np.linalg.slogdet(2 * np.pi * S)[1] + (rest @ np.linalg.inv(S) * rest).sum(axis=1))
    assert abs(model.score_samples(X[2000:]) - truth).mean() < 0.3
    assert abs(model.score(X[2000:]) - truth.mean()) < 0.1


def test_the_bound_of_an_autoencoder_is_one():
    """It never beats the truth by more than errors of sampling, and more draws bring it closer."""
    random = np.random.RandomState(0)
    X = random.randn(3000, 1) @ np.ones((1, 4)) + random.randn(3000, 4) / 2
    S = np.ones((4, 4)) + np.eye(4) / 4
    truth = -0.5 * (np.linalg.slogdet(2 * np.pi * S)[1] + (X[2000:] @ np.linalg.inv(S) * X[2000:]).sum(axis=1))
    model = VAEDensity((16,), n_components=2, n_draws=1, max_iter=60, random_state=0).fit(X[:2000])
    scores = []
    for n_draws in (1, 300):
        model.model_.draws = np.random.RandomState(1).randn(n_draws, 2)
        scores.append(model.score(X[2000:]))
    # chance: KL is not negative in the mean over fresh data; over 1000 the sd of log p - log truth, below 0.15
    # where KL is below 0.01, leaves a standard error of 0.005, and four of them
    assert scores[0] < scores[1] < truth.mean() + 0.02
    assert scores[1] > truth.mean() - 0.3  # 1.8 nats are lost without latent variables
    samples = model.sample(20_000, random_state=0)
    # the covariance of 2000 training samples has standard errors of at most 1.25 sqrt(2 / 2000) = 0.04
    assert abs(np.cov(samples.T) - S).max() < 5 * 0.04


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_an_autoencoder_uses_its_latent_variables(seed):
    """Two clouds: if the noise of the decoder explained all by itself, a normal density would be left."""
    random = np.random.RandomState(seed)
    X = 0.5 * random.randn(1000, 2) + np.c_[np.zeros(1000), np.where(random.rand(1000) < 0.5, 2.0, -2.0)]
    normal = -0.5 * (np.linalg.slogdet(2 * np.pi * np.cov(X.T))[1] + 2)
    # the truth is 0.7 nats above a normal density: 0.2 is out of reach without latent variables
    assert VAEDensity(max_iter=60, random_state=seed).fit(X).score(X) > normal + 0.2


# ------------------------------------------------------------------------------------------- training


@pytest.mark.parametrize("kind", ALL)
def test_a_seed_is_a_model(kind):
    X = moons()
    one, two, other = (
        quick(kind, mollify="cosine", early_stopping=True, random_state=s).fit(X) for s in (1, 1, 2)
    )
    assert one.score_samples(X).tobytes() == two.score_samples(X).tobytes()
    assert one.sample(5, random_state=0).tobytes() == two.sample(5, random_state=0).tobytes()
    assert one.score(X) != other.score(X)


@pytest.mark.parametrize("kind", ALL)
def test_clone_and_pickle(kind):
    X = moons()
    model = quick(kind, mollify=SigmoidSchedule(-3, 3, 1)).fit(X)
    assert clone(model).get_params() == model.get_params()
    assert pickle.loads(pickle.dumps(model)).score_samples(X).tobytes() == model.score_samples(X).tobytes()


def test_training_sees_as_much_noise_as_the_schedule_says(monkeypatch):
    """The variance is kept, the correlation is alpha^2 of what it was, and after the phase data are clean."""
    random = np.random.RandomState(0)
    X = random.randn(4000, 1) + 0.2 * random.randn(4000, 2)
    seen = []
    loss = Flow.loss

    def spy(self, x, random):
        seen.append((x.std(), np.corrcoef(x.T)[0, 1]))
        return loss(self, x, random)

    monkeypatch.setattr(Flow, "loss", spy)
    model = RealNVPDensity(
        (4,), n_blocks=1, max_iter=10, batch_size=4000, mollify="linear", mollified_fraction=0.8
    )
    model.fit(X)
    stds, correlations = np.array(seen).T
    gamma = 1 - np.arange(8) / 8
    assert model.history_["noise_fraction"] == pytest.approx([*gamma, 0, 0], rel=1e-15)  # 1 - u, rounded
    # five standard errors of a standard deviation of 8000 numbers in correlated pairs, and of a correlation
    assert abs(stds - 1).max() < 5 / np.sqrt(2 * 4000)
    clean = np.corrcoef(X.T)[0, 1]
    assert abs(correlations[:8] - (1 - gamma) * clean).max() < 5 / np.sqrt(4000)
    assert correlations[8:] == pytest.approx([clean, clean], rel=0, abs=1e-12)  # sums of 4000 roundings of 2^-53


def split(X, seed=0):
    """Return the samples that early stopping trains on, and those it holds out."""
    return train_test_split(X, test_size=0.1, random_state=np.random.RandomState(seed).randint(2**31 - 1))


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("kind", FLOWS)
def test_batch_norm_is_calibrated_with_clean_data(kind, early_stopping):
    """Even if there was noise to the last epoch: each layer has the statistics of what reaches it."""
    X = moons()
    options = {"mollify": "linear", "mollified_fraction": 1.0, "early_stopping": early_stopping}
    model = quick(kind, max_iter=3, **options).fit(X)
    x = model.scaler_.transform(split(X)[0] if early_stopping else X)
    for layer in model.model_.layers:
        if isinstance(layer, FlowBatchNorm):
            # means of 300 numbers of some units, by the same formula but perhaps another order: 300 * 2^-53
            np.testing.assert_allclose(layer.mean, x.mean(axis=0), rtol=0, atol=1e-12)
            np.testing.assert_allclose(layer.v, x.var(axis=0) + 1e-5, rtol=1e-12)
        x = layer.forward(x, False)[0]


def test_early_stopping_keeps_the_best():
    X = moons(120)
    model = quick(RealNVPDensity, max_iter=200, early_stopping=True, learning_rate=1e-2).fit(X)
    scores = model.history_["validation_score"]
    assert model.n_iter_ == len(scores) < 200
    assert model.best_validation_score_ == max(scores) == scores[model.best_iter_ - 1]
    assert model.n_iter_ == model.best_iter_ + 10
    # the model kept is that of the best epoch: with the same seed, stop there
    again = quick(RealNVPDensity, max_iter=model.best_iter_, early_stopping=True, learning_rate=1e-2).fit(X)
    assert again.score_samples(X).tobytes() == model.score_samples(X).tobytes()


def test_a_fit_leaves_nothing_of_the_one_before():
    model = quick(RealNVPDensity, max_iter=2, early_stopping=True).fit(moons())
    model.set_params(early_stopping=False).fit(moons())
    assert not hasattr(model, "best_iter_")
    assert not hasattr(model, "best_validation_score_")
    assert model.history_["validation_score"] == []


def test_early_stopping_waits_for_the_noise_to_go():
    X = moons(120)
    options = {"max_iter": 100, "early_stopping": True, "learning_rate": 1e-2, "n_iter_no_change": 3}
    plain = quick(RealNVPDensity, **options).fit(X)
    noisy = quick(RealNVPDensity, **options, mollify="sigmoid", mollified_fraction=0.7).fit(X)
    assert plain.n_iter_ < 70 < noisy.n_iter_


def test_mollification_smooths_what_would_be_learnt_by_heart():
    """Thirty points, a large network, long training: noise to the end costs far less test likelihood."""
    X, test = moons(30), moons(1000, seed=1)
    options = {"max_iter": 600, "batch_size": 30, "learning_rate": 3e-3, "mollified_fraction": 1.0}
    plain = quick(RealNVPDensity, **options).fit(X)
    noisy = quick(RealNVPDensity, **options, mollify="sigmoid").fit(X)
    # a bound, not a tolerance: learning thirty points by heart costs several nats, and a nat is far from chance
    assert noisy.score(test) > plain.score(test) + 1
    assert noisy.score(X) < plain.score(X)


def test_batches_share_what_is_left_over(monkeypatch):
    """No batch is smaller than asked for, and the loss of an epoch is the mean over samples."""
    seen, loss = [], Flow.loss

    def spy(self, x, random):
        seen.append((len(x), loss(self, x, random)))
        return seen[-1][1]

    monkeypatch.setattr(Flow, "loss", spy)
    model = quick(RealNVPDensity, max_iter=1, batch_size=50).fit(moons(149))
    assert [n for n, _ in seen] == [75, 74]
    assert model.history_["loss"] == [(75 * seen[0][1] + 74 * seen[1][1]) / 149]
    seen.clear()
    quick(RealNVPDensity, max_iter=1, batch_size=500).fit(moons(149))
    assert [n for n, _ in seen] == [149]


@pytest.mark.parametrize("kind", ALL)
def test_the_validation_score_is_that_of_the_samples_held_out(kind):
    """... under the model that is kept, batch norms and all, in the units of the data."""
    X = moons()
    model = quick(kind, max_iter=4, early_stopping=True, mollify="sigmoid", mollified_fraction=1.0).fit(X)
    train, held_out = split(X)
    # the same function of the same numbers
    assert model.best_validation_score_ == model.score(held_out)
    # scikit-learn's mean is updated in another order: 270 roundings of 2^-53
    np.testing.assert_allclose(model.scaler_.mean_, train.mean(axis=0), rtol=1e-12)


def test_blocks_take_turns():
    """Each coupling moves what the one before let stay; each autoregression sees the order reversed."""
    layers = RealNVPDensity(n_blocks=4)._make_model(5, random()).layers
    assert [type(layer) for layer in layers] == [AffineCoupling, FlowBatchNorm] * 4
    for one, two in zip(layers[:-2:2], layers[2::2], strict=True):
        assert one.stay.tolist() == two.move.tolist()
        assert sorted([*one.stay, *one.move]) == list(range(5))
    layers = MAFDensity(n_blocks=3)._make_model(5, random()).layers
    assert [type(layer) for layer in layers] == [MaskedAutoregression, FlowBatchNorm, Reverse] * 3


def test_verbose_says_what_happens(capsys):
    quick(VAEDensity, max_iter=2, verbose=True, mollify="linear", early_stopping=True).fit(moons(50))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("epoch   1/2  loss ")
    assert "noise_fraction 1.0000  validation_score -" in lines[0]
    quick(VAEDensity, max_iter=2).fit(moons(50))
    assert not capsys.readouterr().out


# ---------------------------------------------------------------------------------------------- errors


class Forever(Schedule):
    """Noise that stays."""

    def _fraction(self, u):
        return np.full_like(u, 0.04)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    ("parameters", "error", "match"),
    [
        ({"mollify": Forever()}, ValueError, "mollify must be a schedule that ends"),
        ({"mollify": "triangle"}, ValueError, "mollify must be one of"),
        ({"mollified_fraction": 0}, ValueError, "mollified_fraction must be"),
        ({"mollified_fraction": 1.1}, ValueError, r"mollified_fraction must be in \(0, 1\]"),
        ({"max_iter": 0}, ValueError, "max_iter must be"),
        ({"batch_size": 1}, ValueError, "batch_size must be"),
        ({"learning_rate": 0.0}, ValueError, "learning_rate must be"),
        ({"n_iter_no_change": 0}, ValueError, "n_iter_no_change must be"),
        ({"validation_fraction": 1.0}, ValueError, "validation_fraction must be"),
        ({"hidden_layer_sizes": ()}, ValueError, "hidden_layer_sizes must name at least 1"),
        ({"hidden_layer_sizes": "64"}, TypeError, "hidden_layer_sizes must be"),
        ({"hidden_layer_sizes": (0,)}, ValueError, "each of hidden_layer_sizes must be"),
    ],
)
def test_wrong_parameters_are_refused(kind, parameters, error, match):
    with pytest.raises(error, match=match):
        quick(kind).set_params(**parameters).fit(moons(50))


@pytest.mark.parametrize(
    ("model", "match"),
    [
        (RealNVPDensity(n_blocks=0), "n_blocks must be"),
        (MAFDensity(n_blocks=0), "n_blocks must be"),
        (MAFDensity(activation="sine"), "activation must be one of"),
        (VAEDensity(activation="sine"), "activation must be one of"),
        (VAEDensity(n_components=0), "n_components must be"),
        (VAEDensity(n_draws=0), "n_draws must be"),
    ],
)
def test_wrong_parameters_of_one_kind_are_refused(model, match):
    with pytest.raises(ValueError, match=match):
        model.fit(moons(50))


@pytest.mark.parametrize("kind", ALL)
def test_data_that_are_no_numbers_are_refused(kind):
    X = moons(50)
    for wrong, match in ((np.nan, "NaN"), (np.inf, "infinity"), (1e200, "X must be within 1e\\+150")):
        broken = X.copy()
        broken[3, 1] = wrong
        with pytest.raises(ValueError, match=match):
            quick(kind).fit(broken)
        with pytest.raises(ValueError, match=match):
            quick(kind, max_iter=1).fit(X).score_samples(broken)
    with pytest.raises(ValueError, match="minimum of 2 is required"):
        quick(kind).fit(X[:1])
    with pytest.raises(ValueError, match="early_stopping cannot set validation_fraction aside"):
        quick(kind, early_stopping=True, validation_fraction=0.5).fit(X[:2])
    with pytest.raises(NotFittedError):
        quick(kind).sample()
    with pytest.raises(ValueError, match="n_samples must be"):
        quick(kind, max_iter=1).fit(X).sample(0)


@pytest.mark.parametrize("kind", ALL)
def test_a_model_survives_a_fit_that_fails(kind):
    X = moons(50)
    model = quick(kind, max_iter=3).fit(X)
    before = model.score_samples(X)
    model.set_params(learning_rate=1e250)
    with pytest.raises(FloatingPointError, match="training diverged in epoch"):
        model.fit(np.c_[X, X] * 7)
    assert model.n_features_in_ == 2
    assert np.array_equal(model.score_samples(X), before)


@pytest.mark.parametrize("kind", ALL)
def test_far_away_there_is_no_density_and_no_error(kind):
    for parameters in ({}, {"activation": "relu"}) if kind is not RealNVPDensity else ({},):
        model = quick(kind, **parameters).fit(moons())
        far = model.score_samples([[1e100, 1e100], [-1e100, 1e100], [1e100, 0]])
        assert (far < -1e6).all()


@pytest.mark.parametrize("kind", ALL)
def test_constant_features_and_small_data_do_no_harm(kind):
    X = np.c_[moons(5), np.full(5, 3.0)]
    model = quick(kind).fit(X)
    assert np.isfinite(model.score_samples(X)).all()
    assert np.isfinite(model.sample(10, random_state=0)).all()


# ---------------------------------------------------------------------------------------- scikit-learn


def test_models_are_tuned_in_a_grid():
    search = GridSearchCV(
        make_pipeline(StandardScaler(), quick(RealNVPDensity, max_iter=3)),
        {"realnvpdensity__mollify": [None, "sigmoid", LinearSchedule()], "realnvpdensity__n_blocks": [1, 2]},
        cv=2,
    )
    search.fit(moons(100))
    assert len(search.cv_results_["params"]) == 6
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


CHECKED = [RealNVPDensity((4,), n_blocks=1, max_iter=2), MAFDensity((4,), n_blocks=1, max_iter=2)]
CHECKED += [VAEDensity((4,), n_components=1, max_iter=2, n_draws=2)]


@parametrize_with_checks(CHECKED)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@pytest.mark.parametrize("estimator", CHECKED, ids=lambda e: type(e).__name__)
def test_scikit_learn_runs_as_many_checks_as_it_has(estimator):
    assert len(list(estimator_checks_generator(estimator))) >= 41


def test_noise_is_added_to_a_copy():
    X = moons(50)
    before = copy.deepcopy(X)
    quick(RealNVPDensity, max_iter=2, mollify="sigmoid").fit(X)
    noise(X, 0.5)
    assert np.array_equal(X, before)
