"""Networks that begin with convolutions of gates: skips, learnt wires behind them, and what they are saved as."""

import numpy as np
import pytest

from bvar import backends, kernels, model_file
from bvar.circuit import Circuit
from bvar.layers import GateLayer
from bvar.networks import gate_conv_network

SHAPE = (6, 6, 2)
FORMS = {
    "skip": {"skip": True},
    "learnt": {"head_wiring": "learnt", "head_candidates": 3},
    "all": {"skip": True, "head_wiring": "learnt", "literals": 3, "kernel_size": (5, 3)},
}


def made(conv_layers=(4, "M", 3), layer_sizes=(60, 40), **parameters):
    return gate_conv_network(SHAPE, conv_layers, layer_sizes, 2, random_state=0, **parameters)


def trained(network, n_steps=5):
    random = np.random.RandomState(1)
    for _ in range(n_steps):
        network.step(kernels.pack(random.rand(70, 72) < 0.4), random.randint(0, 2, 70))
    return network


X = kernels.pack(np.random.RandomState(2).rand(90, 72) < 0.4)


@pytest.mark.parametrize("form", FORMS)
def test_one_fingerprint_on_every_backend(backend, form):
    here = trained(made(**FORMS[form])).fingerprint()
    with backends.use("numpy"):
        assert trained(made(**FORMS[form])).fingerprint() == here


@pytest.mark.parametrize("form", FORMS)
def test_training_goes_on_from_a_file(tmp_path, form):
    network = trained(made(**FORMS[form]))
    model_file.save(network, tmp_path / "model.bvar", training_state=True)
    again = model_file.load(tmp_path / "model.bvar")
    assert (again.scores(X) == network.scores(X)).all()
    assert trained(again).fingerprint() == trained(network).fingerprint()


@pytest.mark.parametrize("form", FORMS)
def test_circuits_have_the_scores_of_the_network(form):
    network = trained(made(**FORMS[form]))
    circuit = Circuit.from_network(network)
    assert (circuit.evaluate(X) == network.scores(X)).all()
    assert (circuit.simplify().evaluate(X) == network.scores(X)).all()


def test_with_skips_gates_behind_the_trees_read_pixels_and_every_level():
    assert heads(made(skip=True))[0].n_inputs == 72 + 9 * 4 + 9 * 3
    assert heads(made())[0].n_inputs == 9 * 3


def heads(network):
    return [layer for layer in network.layers if isinstance(layer, GateLayer)]


def test_signals_of_a_skip_are_finite_changes():
    """A pixel is read by trees, and by what stands behind them: votes on it add up over both."""
    both, random = made(conv_layers=(3,), skip=True).layers[0], np.random.RandomState(3)
    bits = random.rand(1, 72) < 0.5
    z = random.randint(-50, 50, (1, both.n_outputs)).astype(np.int16)
    votes = both.backward(z, both.forward(kernels.pack(bits))[1])

    def total(image):
        answers = kernels.unpack(both.forward(kernels.pack(image))[0])
        return int((z.astype(int) * (2 * answers.astype(int) - 1)).sum())

    for pixel in range(72):
        flipped = bits.copy()
        flipped[0, pixel] ^= True
        assert total(flipped) - total(bits) == 2 * int(votes[0, pixel]) * (-1 if bits[0, pixel] else 1)


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"kernel_size": (3, 3, 3)}, "kernel_size must be one or one for each of 2 convolutions"),
        ({"kernel_size": (3, 4)}, "kernel_size must be odd"),
        ({"head_wiring": "grown"}, "head_wiring must be 'random' or 'learnt'"),
        ({"head_wiring": "learnt", "head_candidates": 65}, "head_candidates"),
        ({"literals": 7}, "literals"),
        ({"literals": 0}, "literals"),
    ],
)
def test_mistakes_are_named(parameters, match):
    with pytest.raises(ValueError, match=match):
        made(**parameters)
