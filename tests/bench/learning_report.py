"""What the results of the bench of learning say: Markdown tables, mean ranks, a picture of critical differences.

Results are a mapping: table, model, seed, then what was measured. Ranks are of mean scores over seeds; only tables
on which all models were measured count, and the picture says which differences of mean ranks Nemenyi's test
would take for chance.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import friedmanchisquare, rankdata, studentized_range

from tests.bench.learning_data import NUMBERS, SEEN, TABLES

Results = dict[str, dict[str, dict[str, dict[str, float | None]]]]

METRICS = {
    "score": "accuracy, %, or R2",
    "balanced": "balanced accuracy, %",
    "log_loss": "log loss",
    "ece": "expected calibration error",
    "fit_s": "processor seconds of fit",
    "rows_per_s": "rows predicted a second",
    "bytes": "bytes of the model",
}
LEVEL = 0.05


def mean(results: Results, table: str, model: str, metric: str) -> float | None:
    """Return the mean over seeds, or None if nothing was measured."""
    values = [row.get(metric) for row in results.get(table, {}).get(model, {}).values()]
    return statistics.fmean(values) if values and None not in values else None


def measured(results: Results, models: Sequence[str], *, metric: str = "score") -> list[str]:
    """Return the tables on which every one of the models was measured, in the order of the bench."""
    return [t for t in TABLES if all(mean(results, t, m, metric) is not None for m in models)]


def markdown(results: Results, models: Sequence[str], metric: str) -> str:
    """Return a table of one metric: a line for each table, a column for each model."""
    lines = [f"| {METRICS[metric]} | {' | '.join(models)} |", "|---" * (len(models) + 1) + "|"]
    for table in TABLES:
        values = [mean(results, table, model, metric) for model in models]
        if any(value is not None for value in values):
            seen = " (seen)" if table in SEEN else ""
            lines.append(f"| {table}{seen} | {' | '.join(_shown(v, metric, table) for v in values)} |")
    return "\n".join(lines)


def _shown(value: float | None, metric: str, table: str = "") -> str:
    if value is None:
        return ""
    if metric in ("score", "balanced") and table not in NUMBERS:
        return f"{100 * value:.1f}"
    if metric in ("rows_per_s", "bytes"):
        return f"{value:,.0f}"
    return f"{value:.2f}" if metric == "fit_s" else f"{value:.3f}"


def ranks(results: Results, models: Sequence[str], tables: Sequence[str]) -> np.ndarray:
    """Return the rank of each model on each table, 1 the best; ties share."""
    return np.array([rankdata([-mean(results, t, m, "score") for m in models]) for t in tables])


def summary(results: Results, models: Sequence[str]) -> str:
    """Return one line for each model: ranks, means over tables, costs, and tables a point under the MLP."""
    tables = measured(results, models)
    unseen = [t for t in tables if t not in SEEN]
    of_classes = [t for t in tables if t not in NUMBERS]
    lines = [
        f"| {len(tables)} tables | mean rank | {len(unseen)} not seen | balanced accuracy, % | log loss | ECE "
        "| fit, s in all | rows a second | bytes | over a point under MLP |",
        "|---" * 10 + "|",
    ]
    for i, model in enumerate(models):
        rank = [f"{ranks(results, models, some)[:, i].mean():.2f}" if some else "" for some in (tables, unseen)]
        means = [
            _shown(_mean_over(results, of_classes, model, metric), metric)
            for metric in ("balanced", "log_loss", "ece")
        ]
        seconds = sum(mean(results, t, model, "fit_s") or 0 for t in tables)
        costs = [_shown(_typical(results, tables, model, metric), metric) for metric in ("rows_per_s", "bytes")]
        under = len(_under(results, tables, model, "MLP")) if "MLP" in models else ""
        lines.append(f"| {model} | {' | '.join([*rank, *means, f'{seconds:.1f}', *costs, str(under)])} |")
    return "\n".join(lines)


def _mean_over(results: Results, tables: Sequence[str], model: str, metric: str) -> float | None:
    values = [mean(results, t, model, metric) for t in tables]
    return statistics.fmean(values) if values and None not in values else None


def _typical(results: Results, tables: Sequence[str], model: str, metric: str) -> float | None:
    """Return the geometric mean of what spans powers of ten."""
    values = [mean(results, t, model, metric) for t in tables]
    return statistics.geometric_mean(values) if values else None


def _under(results: Results, tables: Sequence[str], model: str, other: str) -> list[str]:
    """Return the tables on which a model is more than a point, or R2 of 0.01, under another."""
    return [t for t in tables if mean(results, t, model, "score") < mean(results, t, other, "score") - 0.01]


def losses(results: Results, models: Sequence[str]) -> str:
    """Say for each model on which tables it is more than a point under the MLP."""
    if "MLP" not in models:
        return ""
    tables = measured(results, models)
    under = {model: _under(results, tables, model, "MLP") for model in models if model != "MLP"}
    lines = [f"* {model}: {', '.join(some) or 'none'}" for model, some in under.items()]
    return "\n".join(lines)


def critical_difference(n_models: int, n_tables: int) -> float:
    """Return the least difference of two mean ranks that Nemenyi's test does not take for chance."""
    q = studentized_range.ppf(1 - LEVEL, n_models, np.inf) / math.sqrt(2)
    return float(q * math.sqrt(n_models * (n_models + 1) / (6 * n_tables)))


def cliques(means: Sequence[float], least: float) -> list[tuple[int, int]]:
    """Return the longest runs of sorted mean ranks that lie within the critical difference."""
    runs = [(a, max(b for b in range(a, len(means)) if means[b] - means[a] < least)) for a in range(len(means))]
    return [run for run in runs if run[0] < run[1] and not _within(run, runs)]


def _within(run: tuple[int, int], runs: Sequence[tuple[int, int]]) -> bool:
    return any(other != run and other[0] <= run[0] and run[1] <= other[1] for other in runs)


def picture(results: Results, models: Sequence[str], path: Path) -> str:
    """Draw mean ranks on a line, a bar over those that chance may have made; return what the tests say."""
    from matplotlib.figure import Figure

    tables = measured(results, models)
    table = ranks(results, models, tables)
    order = np.argsort(table.mean(axis=0), kind="stable")
    means = table.mean(axis=0)[order]
    least = critical_difference(len(models), len(tables))
    figure = Figure(figsize=(7, 0.9 + 0.3 * len(models)))
    axes: Any = figure.add_subplot()
    for i, (value, j) in enumerate(zip(means, order, strict=True)):
        axes.plot([value, value], [0, -i - 1], color="0.4", linewidth=0.8)
        left = i < len(models) / 2  # lines of those behind lie on the right
        side = {"ha": "right"} if left else {"ha": "left"}
        axes.text(value + (-0.03 if left else 0.03), -i - 1, f"{models[j]} {value:.2f}", va="center", **side)
    for height, (a, b) in enumerate(cliques(means.tolist(), least)):
        axes.plot(means[[a, b]], [0.5 + 0.4 * height] * 2, color="black", linewidth=3, solid_capstyle="butt")
    axes.set(yticks=[], xlim=(1, len(models) + 0.5), xlabel="mean rank, 1 the best")
    axes.spines[["left", "right", "top"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path)
    chance = f"Friedman's test p = {friedmanchisquare(*table.T).pvalue:.2g}; " if len(models) > 2 else ""
    return (
        f"{len(models)} models on {len(tables)} tables: {chance}mean ranks closer than {least:.2f} "
        f"may differ by chance (Nemenyi, level {LEVEL})"
    )
