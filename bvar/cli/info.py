"""``python -m bvar info``: what a model file holds."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bvar import model_file
from bvar.cli.command import Commands, counted, say, shown
from bvar.encoding import OneHotBits
from bvar.encoding.base import BitEncoder
from bvar.networks.network import Network

__all__ = ["add"]

_LISTED = 20  # columns or classes that are named


def add(commands: Commands) -> None:
    """Describe the command.

    Parameters
    ----------
    commands : Commands
        Where it belongs.
    """
    parser = commands.add_parser("info", help="say what a model file holds")
    parser.add_argument("model", type=Path, help="file that `train` or `save` wrote")
    parser.set_defaults(run=_info)


def _info(arguments: argparse.Namespace) -> None:
    model = model_file.load(arguments.model)
    say(f"{arguments.model}: {type(model).__name__}, {arguments.model.stat().st_size} bytes")
    encoder = model if isinstance(model, BitEncoder) else getattr(model, "encoder_", None)
    network = model if isinstance(model, Network) else getattr(model, "network_", None)
    for name, text in (*_answers(model), *_columns(encoder), *_training(model), *_weights(network)):
        say(f"{name:<9} {text}")
    if network is not None:
        say(network.summary())


def _answers(model: Any) -> Iterator[tuple[str, str]]:
    """Say what the model predicts."""
    if getattr(model, "multilabel_", False):
        names = f": {_listed(model.target_names_.tolist())}" if hasattr(model, "target_names_") else ""
        yield "predicts", f"{len(model.classes_)} labels, each 0 or 1{names}"
    elif hasattr(model, "classes_"):
        yield "predicts", f"{len(model.classes_)} classes: {_listed(model.classes_.tolist())}"
    elif hasattr(model, "target_mean_"):
        called: Any = getattr(model, "target_names_", [None] * len(model.target_mean_))
        for name, mean, std in zip(called, model.target_mean_, model.target_std_, strict=True):
            what = "a number" if name is None else f"a number, {shown(str(name))}"
            yield "predicts", f"{what}; those of the training had mean {mean:g} and standard deviation {std:g}"


def _columns(encoder: Any) -> Iterator[tuple[str, str]]:
    """Say what goes in."""
    if not isinstance(encoder, BitEncoder):
        return
    sizes = f"{counted(encoder.n_features_in_, 'column')} to {counted(encoder.n_bits_out_, 'bit')}"
    yield "encoder", f"{type(encoder).__name__}, {sizes}"
    types = ["category"] if isinstance(encoder, OneHotBits) else ["number"]
    types = getattr(encoder, "kinds_", types * encoder.n_features_in_)
    names = getattr(encoder, "feature_names_in_", None)
    if names is not None:
        pairs = [f"{shown(name)} ({what})" for name, what in zip(names, types, strict=True)]
        yield "columns", _listed(pairs)


def _training(model: Any) -> Iterator[tuple[str, str]]:
    if hasattr(model, "n_iter_"):
        where = f" on {model.backend_}" if hasattr(model, "backend_") else ""  # networks of floats have no backend
        yield "trained", f"{counted(model.n_iter_, 'epoch')}{where}, seed {model.random_state}"


def _weights(network: Network | None) -> Iterator[tuple[str, str]]:
    if network is not None:
        yield "weights", f"SHA-256 {network.fingerprint()}"


def _listed(items: list[Any]) -> str:
    more = f" and {len(items) - _LISTED} more" if len(items) > _LISTED else ""
    return ", ".join(shown(str(item)) for item in items[:_LISTED]) + more
