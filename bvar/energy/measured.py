"""What this machine has to say: processor time, bytes that kernels must move, joules where it counts them.

The model of ``docs/explanation/energy.md`` is of other machines.  Beside it stand the time that a step takes here
and the bytes of its operands in the layouts of the kernels, each counted once; energy is read from the counters of
the processor, where the system offers these.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any, NamedTuple

import numpy as np

from bvar._validation import check_integer
from bvar.energy.cost import products_of
from bvar.layers import Product

__all__ = ["Measured", "joules", "measure"]

_COUNTERS = Path("/sys/class/powercap")


class Measured(NamedTuple):
    """What a batch took.

    Parameters
    ----------
    seconds : float
        Of processor time, the least of several runs.
    n_bytes : int
        Bytes of the operands of all kernels, each once; real layers are left out.
    joules : float or None
        Energy of the whole processor in that run; None where the machine does not tell.
    """

    seconds: float
    n_bytes: int
    joules: float | None


def measure(network: Any, x: Any, y: np.ndarray | None = None, *, n_runs: int = 3) -> Measured:
    """Run a network on a batch, and say what that took.

    Parameters
    ----------
    network : Network
        With `y` it takes steps, and changes.
    x : BitMatrix or ndarray
        Inputs, as the network takes them.
    y : ndarray of int, optional
        Targets, for steps of training. Default: inference.
    n_runs : int, default=3
        Number of runs, after one that is not counted.

    Returns
    -------
    Measured
        Of the fastest run.

    Raises
    ------
    TypeError, ValueError
        If `n_runs` is no positive integer, or the network does not take the batch.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> from bvar.energy import measure
    >>> from bvar.networks import boolean_mlp
    >>> measured = measure(boolean_mlp([64, 128, 10], random_state=0), kernels.pack(np.ones((100, 64), bool)))
    >>> measured.n_bytes
    9184
    """
    n_runs = check_integer(n_runs, "n_runs", low=1)
    run: Callable[[], Any] = (lambda: network.scores(x)) if y is None else (lambda: network.step(x, y))
    run()
    seconds, energy = min((_timed(run) for _ in range(n_runs)), key=lambda timed: timed[0])
    batch = x.n_rows if hasattr(x, "n_rows") else len(x)
    return Measured(seconds, kernel_bytes(products_of(network.layers), batch, trained=y is not None), energy)


def kernel_bytes(products: list[Product], batch: int, *, trained: bool = False) -> int:
    """Count the bytes of the operands of kernels: words of 64 bits, sums of 32, accumulators of 16, signals of 8.

    In inference a linear layer and its threshold are one kernel, and the sums are not stored.
    """
    counted = [product for product in products if not product.is_real]
    total = sum(sum(_operand_bytes(product, batch)) for product in counted)
    for product in counted:
        is_compared = not trained and product is not products[-1] and _is_linear(product)
        total += batch * _words(product.n_outputs) if is_compared else 4 * _n_sums(product, batch)
    if trained:
        total += sum(_vote_bytes(product, batch) for product in counted)
        total += sum(_backward_bytes(product, batch) for product in products[1:] if not product.is_real)
    return total


def joules() -> float | None:
    """Read the energy counters of the processor.

    Returns
    -------
    float or None
        Joules since some time in the past, of all packages together; None where the system offers no counter, or
        does not let everybody read it.

    Examples
    --------
    >>> from bvar.energy import joules
    >>> before = joules()
    >>> before is None or before >= 0
    True
    """
    counters = sorted(_COUNTERS.glob("intel-rapl:[0-9]*"))
    packages = [counter / "energy_uj" for counter in counters if counter.name.count(":") == 1]
    try:
        readings = [int(package.read_text()) for package in packages]
    except OSError:
        return None
    return sum(readings) / 1e6 if readings else None


def _timed(run: Callable[[], Any]) -> tuple[float, float | None]:
    energy, start = joules(), process_time()
    run()
    seconds, after = process_time() - start, joules()
    # a counter that has begun again from 0 says nothing
    spent = None if energy is None or after is None or after < energy else after - energy
    return seconds, spent


def _words(n_bits: int) -> int:
    return 8 * -(-n_bits // 64)


def _operand_bytes(product: Product, batch: int) -> tuple[int, int]:
    """Bytes of inputs, and of weights."""
    n_inputs = product.window.n_inputs
    inputs = _words(n_inputs) if product.input_bits == 1 else n_inputs * product.input_bits // 8
    return batch * inputs, product.n_outputs * _words(product.window.patch_size)


def _n_sums(product: Product, batch: int) -> int:
    return batch * product.window.n_places * product.n_outputs


def _is_linear(product: Product) -> bool:
    return product.window.n_places == 1 and product.input_bits == 1


def _backward_bytes(product: Product, batch: int) -> int:
    _, weights = _operand_bytes(product, batch)
    return _n_sums(product, batch) + weights + 4 * batch * product.window.n_inputs


def _vote_bytes(product: Product, batch: int) -> int:
    """Signals and inputs are read, accumulators and weights read and written; votes are never stored."""
    inputs, weights = _operand_bytes(product, batch)
    n_weights = product.n_outputs * product.window.patch_size
    return _n_sums(product, batch) + inputs + 2 * (weights + 2 * n_weights)
