"""The float island in files: real ends of a network, and what trains them (``docs/explanation/real-ends.md``)."""

from __future__ import annotations

from typing import Any

import numpy as np

from bvar.model_file._images import (
    MADE_OF_PART,
    load_branches,
    on_windows,
    save_branches,
    save_on_windows,
    window_of,
)
from bvar.model_file._kinds import of_type, register, require
from bvar.real import (
    Adam,
    BatchNorm,
    FixedPoint,
    RealConv2d,
    RealCrossEntropy,
    RealHuber,
    RealJoinChannels,
    RealLinear,
)


def finite_numbers(value: Any, name: str, dtype: type[np.generic], shape: tuple[int | None, ...]) -> np.ndarray:
    """Return finite numbers of a shape, in which None stands for any length but 0."""
    fits = isinstance(value, np.ndarray) and value.dtype == dtype and value.ndim == len(shape) and value.size
    fits = (
        fits and all(n in (None, m) for n, m in zip(shape, value.shape, strict=True)) and np.isfinite(value).all()
    )
    text = " x ".join("any" if n is None else str(n) for n in shape)
    require(fits and np.isfinite(value).all(), f"{name} must be finite numbers, {np.dtype(dtype)} of shape {text}")
    return value


def _load_linear(bias: Any, name: Any, weight: Any, n_positions: Any = 1) -> RealLinear:
    weight = finite_numbers(weight, "weight", np.float32, (None, None))
    is_there = bias is not None
    layer = RealLinear(
        1, 1, bias=is_there, n_positions=n_positions, random_state=0, name=of_type(name, str, "name")
    )
    layer.weight.values = weight
    if layer.bias is not None:
        layer.bias.values = finite_numbers(bias, "bias", np.float32, (len(weight),))
    return layer


register(
    RealLinear,
    save=lambda layer: {
        "bias": None if layer.bias is None else layer.bias.values,
        "name": layer.name,
        "weight": layer.weight.values,
        **(
            {} if layer.weight.n_places == 1 else {"n_positions": layer.weight.n_places}
        ),  # others stay as they were
    },
    load=_load_linear,
    made_again=("real_parameters",),
    takes=("bits", "numbers", "real sums"),
    gives="real sums",
)

register(
    RealConv2d,
    save=save_on_windows,
    load=lambda dilation, image_shape, linear, padding, size, stride: on_windows(
        RealConv2d, window_of(image_shape, size, stride, padding, dilation), linear, RealLinear
    ),
    made_again=MADE_OF_PART,
    takes=("bits", "numbers", "real sums"),
    gives="real sums",
)


def _save_norm(layer: BatchNorm) -> dict[str, Any]:
    return {
        "epsilon": layer.epsilon,
        "fan_in": layer.fan_in,
        "mean": layer.mean,
        "momentum": layer.momentum,
        "name": layer.name,
        "scale": layer.scale.values,
        "shift": layer.shift.values,
        "variance": layer.variance,
    }


def _load_norm(
    epsilon: Any, fan_in: Any, mean: Any, momentum: Any, name: Any, scale: Any, shift: Any, variance: Any
) -> BatchNorm:
    n_units = len(finite_numbers(mean, "mean", np.float64, (None,)))
    layer = BatchNorm(n_units, fan_in, momentum=momentum, epsilon=epsilon, name=of_type(name, str, "name"))
    layer.mean[:] = mean
    layer.variance[:] = finite_numbers(variance, "variance", np.float64, (n_units,))
    layer.scale.values[:] = finite_numbers(scale, "scale", np.float32, (n_units,))
    layer.shift.values[:] = finite_numbers(shift, "shift", np.float32, (n_units,))
    require(layer.variance.min() >= 0, "variance must not be negative")
    return layer


register(
    BatchNorm,
    save=_save_norm,
    load=_load_norm,
    made_again=("real_parameters", "statistics"),
    takes=("sums", "real sums"),
    gives="sums",
)

register(FixedPoint, takes="real sums", gives="sums")

register(
    RealJoinChannels,
    save=save_branches,
    load=lambda branches, n_places: load_branches(RealJoinChannels, branches, n_places),
    made_again=("parameters", "real_parameters", "rows_together", "statistics"),
    takes=("bits", "sums"),
    gives="bits",
)

register(RealCrossEntropy)

register(RealHuber)


def _load_adam(
    n_steps: Any, rate: Any, age: Any = 0, mean: Any = (), square: Any = (), step_count: Any = 0
) -> Adam:
    adam = Adam(rate, n_steps=n_steps)
    adam.age, adam.step_count, adam.mean, adam.square = age, step_count, list(mean), list(square)
    return adam


def _check_adam(adam: Adam) -> None:
    counts = (adam.step_count, adam.age)
    require(all(type(n) is int and n >= 0 for n in counts), "steps of adam must be integers, at least 0")
    for means in (adam.mean, adam.square):
        fits = all(isinstance(m, np.ndarray) and m.dtype.type in (np.float32, np.float64) for m in means)
        require(fits and all(np.isfinite(m).all() for m in means), "means of adam must be finite floats")
    require(all((v >= 0).all() for v in adam.square), "mean squares of adam must not be negative")


register(
    Adam,
    save=lambda adam: {
        "n_steps": adam.n_steps,
        "rate": adam.rate,
        **{name: getattr(adam, name) for name in ("age", "mean", "square", "step_count")},
    },
    load=_load_adam,
    check=_check_adam,
    training=("age", "mean", "square", "step_count"),
)
