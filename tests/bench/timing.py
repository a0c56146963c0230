"""Time contenders against each other on a machine that is never quiet.

Rounds are interleaved, so that a change of clock or a neighbour hurts all alike; time is that of the thread on the
processor, not of the wall; what counts are ratios of medians.
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

ROUND_SECONDS = 0.004  # each contender repeats its call for about this long in a round


def race(contenders: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of one call of each contender."""
    repeats, times = {}, {name: [] for name in contenders}
    for name, call in contenders.items():
        call()
        repeats[name] = max(1, round(ROUND_SECONDS / max(_time(call, 1), 1e-7)))
    for _ in range(rounds):
        for name, call in contenders.items():
            times[name].append(_time(call, repeats[name]))
    return {name: statistics.median(t) for name, t in times.items()}


def _time(call: Callable[[], object], repeats: int) -> float:
    start = time.thread_time()
    for _ in range(repeats):
        call()
    return (time.thread_time() - start) / repeats


def describe() -> str:
    """The processor with its family and model, NumPy, and the kernels that its BLAS really uses."""
    blas = ", ".join(
        f"{b['internal_api']} {b['version']} with {b.get('architecture', '?')} kernels"
        for b in threadpool_info()
        if b["user_api"] == "blas"
    )
    return f"{_processor()}; NumPy {np.__version__}; {blas}; one thread"


def _processor() -> str:
    """What the system calls it; virtual machines hide the name, but not what decides about speed."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().split("\n\n")[0].splitlines() if info.exists() else []
    said = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    if "model name" not in said:
        return platform.processor() or platform.machine()
    return f"{said['model name']}, family {said.get('cpu family', '?')}, model {said.get('model', '?')}"


def one_thread() -> None:
    """Limit BLAS for the rest of the process."""
    threadpool_limits(1)


def show(title: str, seconds: dict[str, float], work: float) -> None:
    """Print a line: the first contender is the yardstick, `work` is in multiply-adds or elements."""
    base_name, base = next(iter(seconds.items()))
    parts = [f"{base_name} {base * 1e6:9.1f} us {work / base / 1e9:6.1f} G/s"]
    parts += [f"{name} x{base / t:.1f}" for name, t in list(seconds.items())[1:]]
    print(f"{title:<38} " + " | ".join(parts), flush=True)
