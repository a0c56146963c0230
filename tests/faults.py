"""Deliberate faults: each breaks the package in a way that a port or a change once did, or could.

tests/test_faults.py starts the named tests with one fault applied, and expects red.
"""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

import bvar.backends.definition as reference
from bvar import kernels, layers
from bvar.bits import BitMatrix
from bvar.calculus import chain, gates
from bvar.kernels import backward
from bvar.networks import network, optimizer, votes

Numpy = reference.NumpyBackend


class Fault(NamedTuple):
    apply: Callable[[], None]
    caught_by: str


def _wrap(owner, name, change):
    """Replace owner.name by change(original)."""
    setattr(owner, name, change(getattr(owner, name)))


def wrong_sign_in_or():
    right = gates.Gate.__dict__["variation_a"].func
    gates.Gate.variation_a = property(lambda self: (-1, 0) if self.name == "or" else right(self))


def lost_tail_bit():
    def change(pack):
        def lose(self, values, out):
            values = values.copy()
            if values.shape[1] % 64 == 1:
                values[:, -1] = False
            pack(self, values, out)

        return lose

    _wrap(Numpy, "pack", change)


def _flip_with(decide, reset=True, spill=False):
    def flip(self, words, m, q, beta, eta, dither):
        reference.accumulate(m, q, beta, eta, dither)
        signed = np.where(reference._unpack(words, m.shape[1]), m, -m)
        flipped = decide(signed)
        if reset:
            m[flipped] = 0
        mask = np.empty_like(words)
        self.pack(flipped, mask)
        if spill and m.shape[1] % 64 and len(mask):
            mask[:, -1] |= np.uint64(1 << 63)
        words ^= mask
        return int(flipped.sum())

    Numpy.flip = flip


def flip_without_a_bar():
    _flip_with(lambda signed: signed > 0)


def bar_excludes_equality():
    _flip_with(lambda signed: signed > 4096)


def missing_reset():
    _flip_with(lambda signed: signed >= 4096, reset=False)


def padding_flipped():
    _flip_with(lambda signed: signed >= 4096, spill=True)


def tie_at_the_threshold_is_false():
    def gate_bits(self, x, w, row, col, scale, out):
        s = np.empty((len(x), len(w)), np.int32)
        self.gate_sum(x, w, row, col, scale, s)
        self.pack(s > 0, out)

    Numpy.gate_bits = gate_bits


def off_by_one_in_the_popcount_identity():
    _wrap(reference, "xor_count", lambda right: lambda x, w: right(x, w) + 1)


def beta_not_updated():
    def change(step):
        def forget(self, *args, **kwargs):
            flips = step(self, *args, **kwargs)
            self.beta = [1.0] * len(self.beta)
            return flips

        return forget

    _wrap(optimizer.BooleanOptimizer, "step", change)


def clip_forgotten():
    kernels.clipped_eta = lambda q, eta, clip: np.full(len(q), kernels.eta_units(eta))


def rounding_begins_again():
    def change(start_schedule):
        def forget(self, *args):
            start_schedule(self, *args)
            self.age = 0

        return forget

    _wrap(optimizer.BooleanOptimizer, "start_schedule", change)


def parts_are_rounded_as_if_each_were_first():
    right = kernels.dither
    kernels.dither = lambda step, first=0: right(step)


def ballots_not_centred():
    _wrap(kernels, "vote_and_flip", lambda right: lambda *a, **k: right(*a, **{**k, "centered": False}))


def votes_of_xor_are_those_of_xnor():
    backward._GATES = dict.fromkeys(backward._GATES, "xnor")


def signals_scaled_by_their_part_of_the_batch():
    def change(backward):
        def rescaled(self, signal, context):
            below = backward(self, signal, context)
            peak = max(1, int(abs(below.astype(int)).max(initial=0)))
            return (below.astype(int) * 127 // peak).astype(np.int8)

        return rescaled

    _wrap(layers.Threshold, "backward", change)


def signals_truncated_instead_of_rounded():
    def rescale(self, g, s, tau, curve, shift, out):
        distance = np.minimum(np.abs(s.astype(np.int64) - tau), len(curve) - 1)
        weighted = g.astype(np.int64) * curve[distance]
        out[...] = np.clip(weighted >> shift, -127, 127)

    Numpy.rescale = rescale


def votes_centered_part_by_part():
    def change(votes):
        def centred(self, x, y, sample_weight=None):
            found = votes(self, x, y, sample_weight)
            return dataclasses.replace(found, tensors=found.centered(), marginals=(None,) * len(found.tensors))

        return centred

    _wrap(network.Network, "votes", change)


def missing_value_taken_for_false():
    right = BitMatrix.trusted.__func__
    BitMatrix.trusted = classmethod(lambda cls, words, n_bits, known=None: right(cls, words, n_bits))


def weights_laid_out_before_the_flip():
    def flip(self, m, votes, *, beta, eta, dither=0, rows=slice(None)):
        return kernels.flip(self.bits[rows], m, votes, beta=beta, eta=eta, dither=dither)

    layers.Parameter.flip = flip


def votes_overwrite_instead_of_adding():
    votes.Votes.__add__ = lambda self, other: other


def chain_rule_with_the_maximum():
    chain.min = max  # shadows the built-in inside the module
    chain.np = type("np", (), {**vars(np), "minimum": np.maximum})


def first_wire_most_significant():
    right = Numpy.table_values

    def reverse(self, x, wires, tables, n_samples, out):
        right(self, x, np.ascontiguousarray(wires[:, ::-1]), tables, n_samples, out)

    Numpy.table_values = reverse


def votes_on_the_entry_that_was_not_looked_at():
    def change(table_votes):
        def opposite(self, z, x, wires, out):
            table_votes(self, z, ~x, wires, out)

        return opposite

    _wrap(Numpy, "table_votes", change)


def falling_gates_count_for_the_wire():
    def change(wire_votes):
        def absolute(self, z, x, wires, tables, starts, readers, out):
            wire_votes(self, np.abs(z), x, wires, tables, starts, readers, out)

        return absolute

    _wrap(Numpy, "wire_votes", change)


def gates_answer_for_samples_that_are_not_there():
    def change(table_values):
        def unmasked(self, x, wires, tables, n_samples, out):
            table_values(self, x, wires, tables, 64 * x.shape[1], out)

        return unmasked

    _wrap(Numpy, "table_values", change)


def kernel_not_turned():
    """Votes on pixels by correlation where a convolution is due: right for symmetric kernels only."""

    def change(signed_pixels):
        def turned(self, z, words, window, out):
            signs = reference._unpack(words, window.patch_size).reshape(len(words), window.n_taps, -1)
            turned = np.empty_like(words)
            self.pack(np.ascontiguousarray(signs[:, ::-1]).reshape(len(words), -1), turned)
            signed_pixels(self, z, turned, window, out)

        return turned

    _wrap(Numpy, "signed_pixels", change)


def outside_hears_votes():
    layers.BooleanConv2d._signals_outside = lambda self, signal: np.zeros(
        (self.n_filters, self.window.n_taps), np.int32
    )


def outside_counts():
    _wrap(layers.conv, "_edges", lambda edges: lambda window: layers.conv._NO_EDGES)


def last_of_equals_wins():
    def change(pool_max):
        def last(self, sums, image_shape, size, winner, out):
            turned = np.ascontiguousarray(sums.reshape(-1, *image_shape)[:, ::-1, ::-1])
            pool_max(self, turned.reshape(sums.shape), image_shape, size, winner, out)
            shape = (len(out), image_shape[0] // size, image_shape[1] // size, image_shape[2])
            out[...] = out.reshape(shape)[:, ::-1, ::-1].reshape(out.shape)
            winner[...] = size * size - 1 - winner.reshape(shape)[:, ::-1, ::-1].reshape(out.shape)

        return last

    _wrap(Numpy, "pool_max", change)


FAULTS = {
    "kernel not turned": Fault(
        kernel_not_turned, "test_conv.py::test_votes_are_the_finite_change_of_signal_times_sum"
    ),
    "outside hears votes": Fault(outside_hears_votes, "test_conv.py::test_votes_exhaustively_on_a_small_shape"),
    "outside counts": Fault(outside_counts, "test_conv.py::test_what_the_padding_is_matters"),
    "last of equals wins": Fault(
        last_of_equals_wins, "test_conv.py::test_pool_equals_the_oracle_and_sends_signals_to_the_winner"
    ),
    "wrong sign in or": Fault(wrong_sign_in_or, "test_vectors.py::test_e3_the_three_input_neuron"),
    "lost tail bit": Fault(
        lost_tail_bit, "test_kernels.py::test_pack_has_the_documented_layout_and_unpack_inverts_it"
    ),
    "flip without a bar": Fault(flip_without_a_bar, "test_vectors.py::test_e5_the_optimizer"),
    "bar excludes equality": Fault(
        bar_excludes_equality, "test_kernels.py::test_flip_accumulates_gates_flips_and_resets"
    ),
    "missing reset": Fault(missing_reset, "test_vectors.py::test_e5_the_optimizer"),
    "padding flipped": Fault(padding_flipped, "test_kernels.py::test_flip_accumulates_gates_flips_and_resets"),
    "tie at the threshold": Fault(
        tie_at_the_threshold_is_false, "test_kernels.py::test_gate_bits_is_gate_sum_thresholded_and_a_tie_is_true"
    ),
    "off by one in the popcount identity": Fault(
        off_by_one_in_the_popcount_identity, "test_kernels.py::test_gate_sum_is_the_sum_of_gates"
    ),
    "beta not updated": Fault(beta_not_updated, "test_vectors.py::test_e5_the_optimizer"),
    "clip forgotten": Fault(
        clip_forgotten, "test_optim.py::test_a_neuron_flips_no_more_than_its_clipped_votes_allow"
    ),
    "rounding begins again": Fault(
        rounding_begins_again, "test_optim.py::test_a_schedule_that_begins_does_not_begin_the_rounding_again"
    ),
    "parts are rounded as if each were first": Fault(
        parts_are_rounded_as_if_each_were_first,
        "test_optim.py::test_votes_in_blocks_of_rows_are_rounded_as_the_whole",
    ),
    "ballots not centred": Fault(
        ballots_not_centred, "test_network.py::test_splitting_a_batch_does_not_change_the_model"
    ),
    "votes of xor are those of xnor": Fault(
        votes_of_xor_are_those_of_xnor, "test_kernels.py::test_weight_votes_sum_the_variations"
    ),
    "signals scaled by part": Fault(
        signals_scaled_by_their_part_of_the_batch,
        "test_network.py::test_splitting_a_batch_does_not_change_the_model",
    ),
    "votes centered by part": Fault(
        votes_centered_part_by_part, "test_network.py::test_splitting_a_batch_does_not_change_the_model"
    ),
    "signals truncated": Fault(
        signals_truncated_instead_of_rounded, "test_kernels.py::test_rescale_rounds_once_and_saturates"
    ),
    "missing value taken for false": Fault(
        missing_value_taken_for_false,
        "test_vectors.py::test_e7_padding_with_false_counts_and_padding_with_zero_does_not",
    ),
    "weights laid out before the flip": Fault(
        weights_laid_out_before_the_flip, "test_layers.py::test_a_flip_is_seen_by_the_next_forward_pass"
    ),
    "votes overwrite": Fault(
        votes_overwrite_instead_of_adding, "test_network.py::test_splitting_a_batch_does_not_change_the_model"
    ),
    "chain rule with the maximum": Fault(chain_rule_with_the_maximum, "test_chain.py"),
    "first wire most significant": Fault(
        first_wire_most_significant, "test_gate_layer.py::test_votes_are_finite_changes_for_all_sixteen_gates"
    ),
    "votes on the other entry": Fault(
        votes_on_the_entry_that_was_not_looked_at,
        "test_gate_layer.py::test_votes_are_finite_changes_for_all_sixteen_gates",
    ),
    "falling gates count for the wire": Fault(
        falling_gates_count_for_the_wire, "test_gate_layer.py::test_votes_are_finite_changes_for_all_sixteen_gates"
    ),
    "gates answer for nobody": Fault(
        gates_answer_for_samples_that_are_not_there, "test_gate_layer.py::test_padding_stays_zero"
    ),
}
