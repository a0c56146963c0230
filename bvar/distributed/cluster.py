"""A Dask cluster: partitions that stay where they are, and workers that answer for them.

What a worker computes is a function of its arguments, which the scheduler has: it can be computed again anywhere.
No wait is endless: where nobody is left to answer, that is said after a limit of the client's own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import replace
from typing import Any

import dask
import distributed
import numpy as np
from dask.utils import parse_timedelta
from distributed.comm import CommClosedError

from bvar import __version__
from bvar.distributed.coordinator import WorkersLost
from bvar.distributed.partitions import locate, stack, take
from bvar.distributed.rows import RowOrder
from bvar.distributed.shard import Shard, answer, forget
from bvar.distributed.wire import Answer, Question, packed, total

__all__ = ["Cluster", "DaskWorkers", "Partitions", "find_client"]

_MOST_TRIES = 3  # of a step whose workers are there and do not answer
_TOGETHER = 4  # answers added up by one task: more is less depth, and more for one worker to receive
_UNEVEN = 1.5  # how many times its share of the rows a worker may keep, where others would have too few


class Cluster:
    """A client, and how it is waited for.

    Parameters
    ----------
    client : distributed.Client or None
        The client; None is the one that there is.

    Raises
    ------
    TypeError, ValueError
        If it is no client, or there is none.
    RuntimeError
        If workers have another version of this package.
    WorkersLost
        If there are no workers for too long.
    """

    def __init__(self, client: distributed.Client | None) -> None:
        self.client = find_client(client)
        self.limit = parse_timedelta(dask.config.get("bvar.limit", "60s"))
        self._check_workers()

    def _check_workers(self) -> None:
        try:
            self.client.wait_for_workers(1, timeout=self.limit)
        except TimeoutError:
            raise WorkersLost(f"the cluster has had no workers for {self.limit:g} s") from None

        def version() -> str:  # inside, so that it travels by value to a worker that may not have the package
            try:
                import bvar
            except ImportError:
                return "none"
            return bvar.__version__

        found = self.client.run(version)
        others = [f"{address} has {there}" for address, there in sorted(found.items()) if there != __version__]
        if others:
            raise RuntimeError(f"workers must have bvar {__version__}, as the client has, but {'; '.join(others)}")

    def submit(self, what: Callable[..., Any], *args: Any, key: str, workers: list[str] | None = None) -> Any:
        """Let some worker compute; the key is what people see, and must be a new one."""
        return self.client.submit(
            what, *args, key=key, pure=False, workers=workers, allow_other_workers=workers is not None
        )

    def gather(self, futures: Sequence[Any], what: str, *, patience: float | None = None) -> list[Any]:
        """Wait for results, and bring them here; what is lost on the way is waited for once more."""
        while True:
            self.wait(futures, what, patience=patience)
            with suppress(TimeoutError):
                return [future.result(timeout=self.limit) for future in futures]

    def wait(self, futures: Sequence[Any], what: str, *, patience: float | None = None) -> None:
        """Wait for results; as long as there are workers, or for `patience` seconds without one more of them.

        Raises
        ------
        WorkersLost
            If there have been no workers for longer than the limit.
        TimeoutError
            If patience is over.
        Exception
            Whatever a worker has raised.
        """
        done, since, lonely = -1, time.monotonic(), None
        while not self._have_ended(futures, what):
            now = time.monotonic()
            finished = sum(future.done() for future in futures)
            if finished > done:
                done, since = finished, now
            lonely = None if self._has_workers(what) else lonely or now
            if lonely is not None and now - lonely > self.limit:
                raise WorkersLost(f"the cluster has had no workers for {self.limit:g} s, at {what}")
            if patience is not None and now - since > patience:
                raise TimeoutError

    def _have_ended(self, futures: Sequence[Any], what: str) -> bool:
        """Wait for a little while; raise what a worker has raised."""
        try:
            distributed.wait(futures, timeout=min(1.0, self.limit / 4))
        except TimeoutError:
            return False
        except CancelledError as error:  # so the client says when its scheduler has gone
            raise WorkersLost(f"the scheduler has gone, at {what}") from error
        for future in futures:
            if future.status == "error":
                future.result()
        return True

    def _has_workers(self, what: str) -> bool:
        try:
            return bool(self.client.nthreads())
        except (OSError, CommClosedError) as error:
            raise WorkersLost(f"the scheduler has gone, at {what}") from error


class Partitions:
    """The partitions of a table, on the cluster.

    Parameters
    ----------
    cluster : Cluster
        Where they are.
    futures : list of Future
        One for each that has rows.
    lengths : ndarray of int64
        Their numbers of rows.
    run : str
        Part of the names of tasks.
    """

    def __init__(self, cluster: Cluster, futures: list[Any], lengths: np.ndarray, run: str) -> None:
        self.cluster, self.futures, self.lengths, self.run = cluster, futures, lengths, run
        self._asked = 0

    @property
    def n_rows(self) -> int:
        """Number of all rows."""
        return int(self.lengths.sum())

    def rows(self, rows: np.ndarray) -> Any:
        """Bring some rows here, in their order."""
        found = list(locate(self.lengths, rows))
        futures = [self.submit(take, self.futures[i], local, name="rows") for i, local, _ in found]
        gathered = self.cluster.gather(futures, "rows")
        return take(stack(gathered), np.argsort(np.concatenate([at for *_, at in found]), kind="stable"))

    def submit(self, what: Callable[..., Any], *args: Any, name: str, workers: list[str] | None = None) -> Any:
        """Let some worker compute, under a name that people can read."""
        self._asked += 1
        return self.cluster.submit(what, *args, key=f"bvar-{name}-{self.run}-{self._asked}", workers=workers)

    def shards(self, encode: Callable[..., Any]) -> tuple[dict[str, Any], RowOrder]:
        """Let each worker join what it has, as bits.

        Parameters
        ----------
        encode : callable
            Takes a partition, the numbers of its first row and of the one behind its last, and an address; submits
            its encoding there.

        Returns
        -------
        shards : dict
            What each address has.
        order : RowOrder
            Which of them has which row.
        """
        ends = np.cumsum(self.lengths).tolist()
        homes = self._homes()
        pieces = [encode(*one) for one in zip(self.futures, [0, *ends[:-1]], ends, homes, strict=True)]
        shards = {}
        for address in sorted(set(homes)):
            mine = [piece for piece, home in zip(pieces, homes, strict=True) if home == address]
            shards[address] = self.submit(Shard.joined, mine, name="join", workers=[address])
        self.cluster.wait(list(shards.values()), "encoding")
        addresses = list(shards)
        return shards, RowOrder.of(self.lengths, np.array([addresses.index(home) for home in homes]))

    def _homes(self) -> list[str]:
        """Return the address at which each partition is to stay: where it is, unless others have too little."""
        known = self.cluster.client.who_has(self.futures)
        addresses = sorted(self.cluster.client.nthreads())
        most = _UNEVEN * self.n_rows / min(len(addresses), len(self.futures))
        loads = dict.fromkeys(addresses, 0)
        homes = []
        for future, length in zip(self.futures, self.lengths.tolist(), strict=True):
            here = [address for address in known.get(future.key, ()) if address in loads]
            least = min(addresses, key=loads.__getitem__)
            home = here[0] if here and loads[here[0]] + length <= most else least
            loads[home] += length
            homes.append(home)
        return homes


class DaskWorkers:
    """The workers of a cluster, for a coordinator.

    Parameters
    ----------
    cluster : Cluster
        Where they are.
    shards : dict
        What each address has, at first.
    order : RowOrder
        Which of them has which row.
    """

    def __init__(self, cluster: Cluster, shards: dict[str, Any], order: RowOrder) -> None:
        self.cluster, self.shards, self.order = cluster, list(shards.items()), order
        self._tries = 0

    def ask(self, questions: Mapping[int, Question], name: str) -> Answer:
        """Ask, under new names if nobody answers although there are workers."""
        for left in reversed(range(_MOST_TRIES)):
            self._tries += 1
            futures = self._submit(questions, f"{name}-{self._tries}")
            try:
                return total(self.cluster.gather(futures, name, patience=self.cluster.limit))
            except (TimeoutError, distributed.KilledWorker) as error:
                self.cluster.client.cancel(futures)
                if not left:
                    raise WorkersLost(f"workers are there, but do not answer, at {name}: {error}") from error
        raise AssertionError  # pragma: no cover - the last try returns or raises

    def _submit(self, questions: Mapping[int, Question], name: str) -> list[Any]:
        futures = []
        for number, question in questions.items():
            home, shard = self.shards[number]  # if home has died, others make the shard again
            key = f"bvar-{name}-{number}"
            futures.append(self.cluster.submit(answer, question, shard, number, key=key, workers=[home]))
        depth = 0
        while name.startswith("votes") and len(futures) > 1:  # only these get fewer when they are added
            depth += 1
            groups = [futures[i : i + _TOGETHER] for i in range(0, len(futures), _TOGETHER)]
            key = f"bvar-add{name.removeprefix('votes')}-{depth}"
            futures = [self.cluster.submit(added, *group, key=f"{key}-{i}") for i, group in enumerate(groups)]
        return futures

    def end(self, run: str) -> None:
        """Tell the workers; those that do not listen keep copies of few trainings anyway."""
        with suppress(OSError, CommClosedError, RuntimeError):
            self.cluster.client.run(forget, run, on_error="ignore")


def added(*answers: Answer) -> Answer:
    """Add answers up, on a worker, to be sent on."""
    value = total(answers)
    return value if value.value is None else replace(value, value=packed(value.value))


def find_client(client: Any) -> distributed.Client:
    """Return the client given, or the one that there is."""
    if client is None:
        try:
            client = distributed.get_client()
        except ValueError:
            raise ValueError(
                "client must be a dask.distributed.Client, or None where one has been made: there is none; "
                "Client() starts a cluster on this machine, Client('tcp://address:8786') finds one"
            ) from None
    if not isinstance(client, distributed.Client):
        raise TypeError(f"client must be None or a dask.distributed.Client, got {client!r}")
    if client.status != "running":
        raise ValueError(f"client must be connected to a cluster, but its status is {client.status!r}")
    if client.asynchronous:
        raise ValueError("client must not be asynchronous: fit waits for its results")
    return client
