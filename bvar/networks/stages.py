"""What stands behind a convolution: a threshold, and a normalisation before it where a recipe asks for one.

The median of a sum of fewer terms, at the border of an image, and of a pooled one are derived on
``docs/explanation/convolution.md``.
"""

from __future__ import annotations

from fractions import Fraction
from math import prod

import numpy as np

from bvar import kernels
from bvar.calculus.gates import Gate
from bvar.layers import BooleanConv2d, Layer, MaxPool2d, Threshold
from bvar.networks.ends import ConvStage, Norm

__all__ = ["activation", "boolean_stage"]


def boolean_stage(conv: BooleanConv2d) -> ConvStage:
    """Say what a threshold has to know of a Boolean convolution."""
    return ConvStage([conv], conv.out_shape, conv.window.patch_size, conv.gate, conv.n_terms())


def activation(
    stage: ConvStage,
    fan_out: int | Fraction,
    next_gate: Gate,
    *,
    pool: MaxPool2d | None = None,
    norm: Norm | None = None,
    name: str = "norm",
) -> list[Layer]:
    """Make the threshold behind a stage and its pool, and what normalises the sums for it."""
    if norm is None:
        return [_threshold(stage, pool, fan_out, next_gate)]
    if not (callable(norm) and hasattr(norm, "FAN_IN")):
        raise TypeError(f"norm must be None, or a class that normalises as bvar.real.BatchNorm does, got {norm!r}")
    n_units = prod(stage.out_shape if pool is None else pool.out_shape)
    return [
        norm(stage.out_shape[2], stage.fan_in, name=name),
        Threshold(n_units, norm.FAN_IN, fan_out, next_gate=next_gate),
    ]


def _threshold(stage: ConvStage, pool: MaxPool2d | None, fan_out: int | Fraction, next_gate: Gate) -> Threshold:
    n_terms, n_pooled = stage.n_terms, 1 if pool is None else pool.size**2
    if pool is not None and n_terms is not None:
        # of the sums in a square the one with the most terms stands for all
        n_terms = kernels.pool_max(n_terms[None].astype(np.int32), pool.image_shape, pool.size)[0][0]
    return Threshold(
        prod(stage.out_shape if pool is None else pool.out_shape),
        stage.fan_in,
        fan_out,
        stage.gate,
        next_gate,
        n_terms=n_terms,
        pool=n_pooled,
    )
