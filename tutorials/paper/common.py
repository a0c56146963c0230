"""What the scripts of the paper's tasks share: arguments, a training that can be stopped, curves and results.

A script makes a *learner*, which takes steps on numbered samples, and hands it to `train`.  All that is random in a
step comes from its seed and its number, so a training that was stopped goes on to the same weights.  States are
pickles: open only your own.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import pickle
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn, Protocol

import numpy as np
import scipy.special

from bvar import backends
from bvar.bits import RandomWords
from bvar.mollify import ThresholdAnnealing
from bvar.networks import LOSS_ONE

RESULTS = Path(__file__).parent / "results"
_REPORT = 20  # seconds between two lines of progress
_ANNEALED = 50  # steps with thresholds of one width
# may change on the way
_FREE = "out data minutes save backend record figure fingerprints threads committee together".split()


class Learner(Protocol):
    """What `train` trains."""

    def step(self, rows: np.ndarray, random: np.random.RandomState) -> float:
        """Learn from the samples of these numbers, changed at random; return their mean loss."""

    def test(self) -> dict[str, float]:
        """Measure on samples that are held out."""

    def state(self) -> Any:
        """Give all that training goes on from, to be pickled."""

    def restore(self, state: Any) -> None:
        """Go on from there."""

    def fingerprint(self) -> str:
        """Hash the weights."""


class BooleanLearner:
    """A network of this package.

    `batch(rows, random)` makes inputs and targets, `measure(scores)` takes a function from inputs to scores and says
    how good they are; the loss of a step is that of the network, in nats.  With a `final_width` below 1 the noise of
    its thresholds narrows to that, along a line, over a training of `n_steps`.
    """

    def __init__(
        self, network: Any, batch: Callable, measure: Callable, *, n_steps: int, final_width: float = 1.0
    ) -> None:
        self.network, self.batch, self.measure = network, batch, measure
        self.annealing, self.n_steps = ThresholdAnnealing(final_width=final_width), n_steps

    def step(self, rows: np.ndarray, random: np.random.RandomState) -> float:
        done = self.network.optimizer.step_count
        if self.annealing.final_width < 1 and done % _ANNEALED == 0:
            self.annealing.apply(self.network, done / self.n_steps)
        x, y = self.batch(rows, random)
        seen, _ = self.network.step(x, y)
        return seen.loss / (LOSS_ONE * len(rows))

    def test(self) -> dict[str, float]:
        return self.measure(lambda x: self.network.scores(x))

    def state(self) -> Any:
        return self.network

    def restore(self, state: Any) -> None:
        self.network = state

    def fingerprint(self) -> str:
        return self.network.fingerprint()


class TorchLearner:
    """A PyTorch module, trained by Adam along half a cosine wave, or by another optimizer.

    `batch(rows, random)` makes tensors of inputs and targets, `loss(outputs, targets)` a tensor of one number, and
    `measure(scores)` takes a function from inputs to outputs; `after_step(module)` may change weights, of twins
    that are not float.  With `bfloat16` the products of a step, and what they make, are of that type; weights,
    their gradients and measures are of float32.
    """

    def __init__(
        self,
        module: Any,
        batch: Callable,
        loss: Callable,
        measure: Callable,
        *,
        n_steps: int,
        rate: float = 1e-3,
        optimizer: Any = None,
        after_step: Callable | None = None,
        bfloat16: bool = False,
    ) -> None:
        torch = need_torch()
        self.module, self.batch, self.loss, self.measure = module, batch, loss, measure
        self.optimizer = torch.optim.Adam(module.parameters(), rate) if optimizer is None else optimizer
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, n_steps)
        self.after_step, self.bfloat16 = after_step, bfloat16

    def step(self, rows: np.ndarray, random: np.random.RandomState) -> float:
        torch = need_torch()
        torch.manual_seed(random.randint(2**31))  # of what the module draws itself: dropout
        x, y = self.batch(rows, random)
        self.module.train()
        self.optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            loss = self.loss(self.module(x), y)
        loss.backward()
        self.optimizer.step()
        self.schedule.step()
        if self.after_step is not None:
            self.after_step(self.module)
        return float(loss.detach())

    def test(self) -> dict[str, float]:
        torch = need_torch()
        self.module.eval()
        with torch.no_grad():
            return self.measure(self.module)

    def state(self) -> Any:
        return [part.state_dict() for part in (self.module, self.optimizer, self.schedule)]

    def restore(self, state: Any) -> None:
        for part, kept in zip((self.module, self.optimizer, self.schedule), state, strict=True):
            part.load_state_dict(kept)

    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        for tensor in self.module.state_dict().values():
            digest.update(tensor.detach().numpy().tobytes())
        return digest.hexdigest()


def believe_together(networks: Sequence[Any], n_classes: int) -> Callable:
    """Make scores of several networks: the logarithm of the mean of their probabilities, place by place."""
    if len(networks) == 1:  # its own scores: a logarithm would round what hardly differs to what is equal
        return networks[0].scores

    def scores(x: Any) -> np.ndarray:
        made = [np.asarray(network.scores(x), np.float64) for network in networks]
        beliefs = [scipy.special.log_softmax(s.reshape(-1, n_classes), axis=1) for s in made]
        return scipy.special.logsumexp(beliefs, axis=0, b=1 / len(made)).reshape(made[0].shape)

    return scores


def need_torch() -> Any:
    """Import PyTorch, or say what it is needed for; one thread, so that processor time can be compared."""
    try:
        import torch
    except ImportError:
        fail("the twins need PyTorch (pip install torch); without --twin this script does not")
    torch.set_num_threads(1)
    return torch


def fail(why: str) -> NoReturn:
    """End the script with a message."""
    raise SystemExit(f"error: {why}")


def count_steps(arguments: argparse.Namespace, n_samples: int) -> int:
    """Count the steps of the schedule; an epoch leaves out what does not fill a batch."""
    if not 1 <= arguments.batch <= n_samples:
        fail(f"--batch must be from 1 to the {n_samples} samples to train on, got {arguments.batch}")
    if arguments.epochs < 1:
        fail(f"--epochs must be at least 1, got {arguments.epochs}")
    return arguments.epochs * (n_samples // arguments.batch)


def parser(description: str, *, twins: Sequence[str] = ("float",), **defaults: Any) -> argparse.ArgumentParser:
    """Make a parser of the arguments that all scripts have; `defaults` change theirs."""
    p = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", help="file or folder of samples")
    p.add_argument("--out", type=Path, help="folder of states and curves; the same command goes on from there")
    p.add_argument("--epochs", type=int, default=30, help="length of the schedule")
    p.add_argument("--batch", type=int, default=100, help="samples of a step")
    p.add_argument("--minutes", type=float, help="stop, to be continued, after so long")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument(
        "--final-width", type=float, default=1.0, help="width of the thresholds' noise at the end, from 1 on"
    )
    p.add_argument("--backend", choices=backends.available(), help="default: the fastest")
    p.add_argument("--threads", type=int, default=1, help="of Boolean kernels: more change no bit")
    p.add_argument("--twin", choices=twins, help="train this PyTorch network instead")
    p.add_argument("--save", type=int, default=200, help="steps between two writings of the state")
    p.add_argument("--fingerprints", type=int, metavar="STEPS", help="only take so many steps, on two backends")
    p.add_argument("--figure", type=Path, metavar="FILE", help="only draw what is in the folder --out")
    p.add_argument("--record", metavar="ROW", help="what the row of the results is called")
    p.set_defaults(**defaults)
    return p


def train(arguments: argparse.Namespace, name: str, learner: Learner, n_samples: int) -> list[dict[str, Any]]:
    """Train for `arguments.epochs`, or until time is up, and return the curve: a dict for each epoch.

    With a folder `out`, it goes on from `<name>.state` and writes the curve to `<name>.jsonl`.
    """
    state, curve_file = _files(arguments.out, name)
    asked = {key: value for key, value in vars(arguments).items() if key not in _FREE}
    begun = {"step": 0, "seconds": 0.0, "losses": [], "curve": [], "asked": asked}
    if state is not None and state.exists():
        begun, kept = pickle.loads(state.read_bytes())
        _refuse_another(begun.get("asked", asked), asked, state)
        learner.restore(kept)
    last = count_steps(arguments, n_samples)
    per_epoch = last // arguments.epochs
    clock, reported, before = time.monotonic(), time.monotonic(), begun["seconds"] - time.process_time()

    def save() -> None:
        begun["seconds"] = before + time.process_time()
        if state is not None:
            write(state, pickle.dumps((begun, learner.state())))
            write(curve_file, "".join(json.dumps(line) + "\n" for line in begun["curve"]).encode())

    with backends.use(arguments.backend, n_threads=arguments.threads):
        while begun["step"] < last:
            begun["losses"].append(take_step(learner, arguments, begun["step"], n_samples))
            begun["step"] += 1
            if begun["step"] % per_epoch == 0:
                _end_epoch(begun, learner, before + time.process_time())
            late = arguments.minutes is not None and time.monotonic() - clock > 60 * arguments.minutes
            if late or begun["step"] % arguments.save == 0 or begun["step"] % per_epoch == 0:
                save()
            if time.monotonic() - reported > _REPORT:
                reported = time.monotonic()
                losses = begun["losses"][-100:] or [begun["curve"][-1]["loss"]]
                _say(f"{name}: step {begun['step']} of {last}, loss {np.mean(losses):.4f}")
            if late and begun["step"] < last:
                _say(f"{name}: time is up at step {begun['step']} of {last}; the same command goes on")
                break
    _say(f"{name}: fingerprint {learner.fingerprint()} after {begun['step']} steps")
    return begun["curve"]


def _refuse_another(kept: dict[str, Any], asked: dict[str, Any], state: Path) -> None:
    for key in kept.keys() | asked.keys():
        if kept.get(key) != asked.get(key):
            fail(
                f"{state} is of a training with --{key} {kept.get(key)}, got {asked.get(key)}: take another --out"
            )


def _end_epoch(begun: dict[str, Any], learner: Learner, seconds: float) -> None:
    line = {"epoch": len(begun["curve"]) + 1, "step": begun["step"], "loss": float(np.mean(begun["losses"]))}
    line |= learner.test() | {"seconds": round(seconds, 1)}
    begun["curve"].append(line)
    begun["losses"] = []
    _say("  ".join(f"{k} {v:.4f}" if isinstance(v, float) else f"{k} {v}" for k, v in line.items()))


def rows_of_step(seed: int, step: int, n_samples: int, batch: int) -> np.ndarray:
    """Give the numbers of the samples of a step; an epoch leaves out what does not fill a batch."""
    epoch, i = divmod(step, n_samples // batch)
    return _order(seed, epoch, n_samples)[i * batch : (i + 1) * batch]


@lru_cache(maxsize=1)
def _order(seed: int, epoch: int, n_samples: int) -> np.ndarray:
    return RandomWords(np.random.RandomState([seed, epoch])).permutation(n_samples)


def take_step(learner: Learner, arguments: argparse.Namespace, step: int, n_samples: int) -> float:
    """Take the step of a number; return its loss."""
    rows = rows_of_step(arguments.seed, step, n_samples, arguments.batch)
    return learner.step(rows, np.random.RandomState([arguments.seed, step]))


def fingerprints(
    make: Callable[[], Learner], arguments: argparse.Namespace, n_samples: int, names: Sequence[str] | None = None
) -> set[str]:
    """Take the first `arguments.fingerprints` steps on two backends, and print what came out."""
    found = {}
    for name in names or dict.fromkeys(["numpy", backends.available()[-1]]):
        learner = make()
        with backends.use(name, n_threads=1):
            for step in range(arguments.fingerprints):
                take_step(learner, arguments, step, n_samples)
        found[name] = learner.fingerprint()
        _say(f"{name}: fingerprint {found[name]} after {arguments.fingerprints} steps")
    return set(found.values())


def record(task: str, row: str, values: dict[str, Any], folder: Path | None = None) -> None:
    """Write what was measured into the results of a task, from which its page makes its table."""
    path = (folder or RESULTS) / f"{task}.json"
    results = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    results[row] = results.get(row, {}) | values
    write(path, (json.dumps(results, indent=2) + "\n").encode())


def read_curve(path: Path) -> list[dict[str, Any]]:
    """Read the lines that `train` wrote."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def plot(curves: dict[str, list[dict[str, Any]]], value: str, path: Path, label: str | None = None) -> None:
    """Draw a value of each epoch for several trainings."""
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        fail("figures need matplotlib (pip install matplotlib)")
    figure, axes = plt.subplots(figsize=(6, 4))
    for name, curve in curves.items():
        axes.plot([line["epoch"] for line in curve], [line[value] for line in curve], label=name)
    axes.set_xlabel("epoch")
    axes.set_ylabel(label or value)
    axes.legend()
    figure.savefig(path, bbox_inches="tight")
    plt.close(figure)


def plot_folder(arguments: argparse.Namespace, value: str, label: str | None = None, names: str = "*") -> None:
    """Draw the curves of all trainings of these names in the folder `out` into the file `figure`."""
    paths = sorted(arguments.out.glob(f"{names}.jsonl")) if arguments.out else []
    if not paths:
        fail("--figure needs a folder --out in which something was trained")
    plot({path.stem: read_curve(path) for path in paths}, value, arguments.figure, label)


def write(path: Path, content: bytes) -> None:
    """Replace a file in one go: a crash leaves the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content)
    os.replace(part, path)


def _files(out: Path | None, name: str) -> tuple[Path | None, Path | None]:
    return (None, None) if out is None else (out / f"{name}.state", out / f"{name}.jsonl")


def _say(text: str) -> None:
    print(text, flush=True)
