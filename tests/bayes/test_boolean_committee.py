"""Posterior sampling in logic: flips keep the posterior, and wide committees have the exact one as their limit."""

from itertools import product

import numpy as np
import pytest

from bvar import kernels
from bvar.bayes import BooleanCommittee, BooleanGPRegressor, NetworkKernel
from bvar.bayes.boolean_committee import Walk
from bvar.bayes.diagnostics import split_rhat
from bvar.encoding import ThermometerEncoder

X = np.array(list(product((0, 1), repeat=5)))
ONE_BIT = ThermometerEncoder(1)
SAME = {"noise": 0.1, "offset_spread": 0.0, "encoder": ONE_BIT}


@pytest.fixture(scope="module")
def observed():
    """Eight noisy values of a function drawn from the prior of networks of five bits."""
    random = np.random.RandomState(0)
    f = random.multivariate_normal(np.zeros(32), NetworkKernel(exact=True)((2 * X - 1).astype(np.int8)))
    rows = random.permutation(32)[:8]
    return X[rows], f[rows] + 0.1**0.5 * random.standard_normal(8)


def test_a_committee_of_width_25_has_the_exact_posterior(observed):
    mean, std = BooleanGPRegressor(exact=True, **SAME).fit(*observed).predict(X, return_std=True, with_noise=False)
    committee = BooleanCommittee(25, n_walks=400, n_draws=10, n_steps=6000, random_state=0, **SAME).fit(*observed)
    found, spread = committee.predict(X, return_std=True, with_noise=False)
    assert np.sqrt(((found - mean) ** 2).mean()) < 0.03
    assert 0.97 < spread.mean() / std.mean() < 1.03
    assert committee.rhat_ < 1.05


def test_a_committee_of_width_5_has_another_posterior(observed):
    """The limit is one of wide networks: what is the same at 25 is seen to differ at 5."""
    mean = BooleanGPRegressor(exact=True, **SAME).fit(*observed).predict(X)
    found = (
        BooleanCommittee(5, n_walks=100, n_draws=10, n_steps=6000, random_state=0, **SAME)
        .fit(*observed)
        .predict(X)
    )
    assert np.sqrt(((found - mean) ** 2).mean()) > 0.08


def test_flips_keep_the_posterior_of_a_network_small_enough_to_list():
    """Width 2 on two bits: 64 networks. 20,000 walks of 100 flips; shares lie within 4.5 errors of a binomial."""
    signs = np.array([[1, 1], [1, -1], [-1, -1]], np.int8)
    targets, noise = np.array([1.0, 0.2, -0.5]), 0.5
    bits = np.array(list(product((-1, 1), repeat=6)))
    hidden, output = bits[:, :4].reshape(64, 2, 2), bits[:, 4:]
    f = (np.where(hidden @ signs.T >= 0, 1, -1) * output[:, :, None]).sum(axis=1) / np.sqrt(2)
    weights = np.exp(-((f - targets) ** 2).sum(axis=1) / (2 * noise))
    expected = weights / weights.sum()
    n = 20_000
    walk = Walk(signs, targets, noise, [n, 2], np.random.RandomState(0))
    for _ in range(100):
        walk.step()
    which = np.hstack([walk.hidden.reshape(n, 4), walk.output]) > 0
    counts = np.bincount(which @ (2 ** np.arange(6)[::-1]), minlength=64)
    error = np.sqrt(expected * (1 - expected) / n)
    assert (abs(counts / n - expected) < 4.5 * error).all()
    assert expected.max() > 5 * expected.min()


def test_what_a_walk_remembers_is_what_its_bits_say():
    random = np.random.RandomState(0)
    signs = random.choice(np.array([-1, 0, 1], np.int8), (20, 7))
    targets = random.standard_normal(20)
    walk = Walk(signs, targets, 0.3, [5, 4], random)
    for _ in range(300):
        walk.step()
    sums = walk.hidden.astype(int) @ signs.T
    f = (np.where(sums >= 0, 1, -1) * walk.output[:, :, None]).sum(axis=1) / 2
    assert (walk.sums == sums).all()
    assert walk.rest == pytest.approx(f - targets, abs=1e-12)  # 300 additions of halves of roots
    assert 0 < walk.n_kept < 1500


def test_every_member_is_a_network_of_the_package(backend, observed):
    committee = BooleanCommittee(9, n_walks=3, n_steps=100, random_state=1, encoder=ONE_BIT).fit(*observed)
    signs = np.hstack([2 * X - 1, np.ones((32, 1), int)]).astype(np.int8)  # round(0.25 * 5) constant inputs
    answers = committee.sample_y(X, 12, random_state=2)
    order = np.random.RandomState(2).permutation(12)
    for column, number in enumerate(order):
        scores = committee.network(int(number)).scores(kernels.pack(signs))[:, 0] / 3
        expected = committee.target_mean_ + committee.target_std_ * scores
        assert answers[:, column] == pytest.approx(expected, abs=1e-12)


def test_mean_and_spread_are_those_of_the_answers(observed):
    committee = BooleanCommittee(9, n_walks=3, n_steps=100, random_state=1, **SAME).fit(*observed)
    answers = committee.sample_y(X, 12)
    mean, std = committee.predict(X, return_std=True, with_noise=False)
    assert mean == pytest.approx(answers.mean(axis=1), abs=1e-12)
    assert std == pytest.approx(answers.std(axis=1), abs=1e-12)
    with pytest.raises(ValueError, match=r"n_samples must be an integer in \[1, 12\]"):
        committee.sample_y(X, 13)


def test_answers_do_not_depend_on_how_many_are_given_together(observed, monkeypatch):
    committee = BooleanCommittee(9, n_walks=3, n_steps=100, random_state=1, **SAME).fit(*observed)
    answers = committee.sample_y(X, 12)
    monkeypatch.setattr("bvar.bayes.boolean_committee._TOGETHER", 5 * 9 * 12)
    assert (committee.sample_y(X, 12) == answers).all()


def test_one_seed_is_one_committee(observed):
    fits = [BooleanCommittee(n_walks=4, n_steps=200, random_state=s, **SAME).fit(*observed) for s in (0, 0, 1)]
    words = [fit.hidden_.words.tobytes() for fit in fits]
    assert words[0] == words[1] != words[2]


def test_split_rhat_is_near_1_for_equal_chains_and_large_for_others():
    random = np.random.RandomState(0)
    same = random.standard_normal((20, 50))
    assert abs(split_rhat(same) - 1) < 0.02
    assert split_rhat(same + 3 * random.standard_normal(50)) > 2
    assert split_rhat(same + np.linspace(0, 5, 20)[:, None]) > 1.2
    assert split_rhat(np.ones((4, 4))) == 1


@pytest.mark.parametrize(
    ("parameters", "error", "text"),
    [
        ({"width": 0}, ValueError, "width must be an integer >= 1"),
        ({"n_walks": 0}, ValueError, "n_walks must be an integer >= 1"),
        ({"n_draws": 3}, ValueError, "n_draws must be an integer >= 4"),
        ({"n_steps": 7}, ValueError, "n_steps must be an integer >= 8"),
        ({"noise": 0.0}, ValueError, "noise must be a finite number > 0"),
        ({"offset_spread": -1}, ValueError, "offset_spread must be a finite number >= 0 and <= 1"),
    ],
)
def test_bad_parameters_are_named(observed, parameters, error, text):
    with pytest.raises(error, match=text):
        BooleanCommittee(**parameters).fit(*observed)
