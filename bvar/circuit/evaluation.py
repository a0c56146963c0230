"""Evaluate a circuit on 64 samples per word: gates of one level and one fan-in are one NumPy operation."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

import numpy as np

from bvar import kernels
from bvar.bits import BitMatrix, n_words, tail_mask
from bvar.circuit.netlist import Netlist

__all__ = ["Step", "evaluate_planes", "evaluate_rows", "plan"]

_BLOCK = 2**22  # words of signals at a time, 32 MiB
_CHUNK = 2**18  # words of a temporary; these fit in a cache


class Step(NamedTuple):
    """Gates that are evaluated together."""

    gates: np.ndarray
    """Their signals, shape (n_gates,)."""
    masks: np.ndarray
    """Their tables, each bit as a word of zeros or ones, shape (n_gates, 2**fan_in)."""
    inputs: np.ndarray
    """The signals they read, shape (fan_in, n_gates)."""


def plan(circuit: Netlist) -> list[Step]:
    """Sort the gates of a circuit by level and fan-in."""

    def key(gate: int) -> tuple[int, int]:
        return circuit.levels[gate], len(circuit.gates[gate].inputs)

    order = groupby(sorted(range(circuit.n_gates), key=key), key)
    return [_step(circuit, list(gates), fan_in) for (_, fan_in), gates in order]


def _step(circuit: Netlist, gates: list[int], fan_in: int) -> Step:
    tables = np.array([circuit.gates[g].table for g in gates], np.uint64)
    bits = tables[:, None] >> np.arange(1 << fan_in, dtype=np.uint64) & np.uint64(1)
    inputs = np.array([circuit.gates[g].inputs for g in gates], np.intp).reshape(len(gates), fan_in)
    return Step(np.array(gates) + circuit.n_inputs, np.negative(bits), np.ascontiguousarray(inputs.T))


def evaluate_rows(circuit: Netlist, x: BitMatrix, steps: list[Step] | None = None) -> BitMatrix:
    """Turn samples, shape (n_samples, n_inputs), into planes of outputs, shape (n_outputs, n_samples)."""
    planes = kernels.transpose(BitMatrix.trusted(x.words, x.n_bits)).words  # missing bits are 0 there: F
    planes = planes.reshape(circuit.n_inputs, n_words(x.n_rows))
    planes = evaluate_planes(circuit, plan(circuit) if steps is None else steps, planes)
    if x.n_rows:
        planes[:, -1] &= tail_mask(x.n_rows)
    return BitMatrix.trusted(planes, x.n_rows)


def evaluate_planes(circuit: Netlist, steps: list[Step], planes: np.ndarray) -> np.ndarray:
    """Turn planes of inputs, shape (n_inputs, n_words), into planes of outputs, with anything in the padding."""
    outputs = np.array(circuit.outputs, np.intp)
    result = np.empty((len(outputs), planes.shape[1]), np.uint64)
    width = max(1, _BLOCK // (circuit.n_inputs + circuit.n_gates))
    for start in range(0, planes.shape[1], width):
        words = slice(start, start + width)
        signals = np.empty((circuit.n_inputs + circuit.n_gates, planes[:, words].shape[1]), np.uint64)
        signals[: circuit.n_inputs] = planes[:, words]
        for step in steps:
            for part in _parts(step, signals.shape[1]):
                signals[step.gates[part]] = _look_up(step.masks[part], signals[step.inputs[:, part]])
        result[:, words] = signals[outputs]
    return result


def _parts(step: Step, n_words: int) -> Iterator[slice]:
    size = max(1, _CHUNK // (step.masks.shape[1] * n_words))
    return (slice(start, start + size) for start in range(0, len(step.gates), size))


def _look_up(masks: np.ndarray, operands: np.ndarray) -> np.ndarray:
    """Let each operand in turn choose between the halves of what is left of the tables."""
    values = masks[:, :, None]
    for operand in operands:
        low, high = values[:, ::2], values[:, 1::2]
        values = low ^ (operand[:, None] & (low ^ high))
    return values[:, 0]
