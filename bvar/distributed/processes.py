"""Workers that are processes of this machine, through nothing but the standard library."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from typing import Any, Self

import numpy as np

from bvar import backends
from bvar._validation import check_integer, check_real
from bvar.bits import BitMatrix
from bvar.distributed.coordinator import Coordinator, WorkersLost
from bvar.distributed.rows import AllRows, NumberedData, RowOrder
from bvar.distributed.shard import Shard, answer, forget
from bvar.distributed.wire import Answer, Question, total
from bvar.training.crews import hiring
from bvar.training.data import TrainingData, needs_turns

__all__ = ["Processes", "in_processes"]

_MOST_DEATHS = 3  # of one process over one question: then it is the question that kills
_CONTEXT = multiprocessing.get_context("spawn")  # a fork would copy locks of threads that it does not copy


class Processes(Coordinator):
    """A crew of processes, each with a part of the samples.

    Parameters
    ----------
    data : TrainingData
        Samples in memory, of bits.
    n_processes : int, default=2
        Number of processes.
    way : {'auto', 'votes', 'signals'}, default='auto'
        What they send, see :class:`bvar.distributed.Coordinator`.
    n_threads : int, default=1
        Threads of each process.
    limit : float, default=60
        Seconds without an answer after which :class:`bvar.distributed.WorkersLost` is raised.

    Attributes
    ----------
    data : NumberedData
        What to train on: numbers of the same samples.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Notes
    -----
    A process that dies is started again and answers the same question. As everywhere with processes, a script must
    keep what it does behind ``if __name__ == "__main__":``.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from bvar import ThermometerEncoder
    >>> from bvar.distributed import Processes
    >>> from bvar.networks import boolean_mlp
    >>> from bvar.training import Trainer, TrainingData
    >>> X, y = load_digits(return_X_y=True)
    >>> x = ThermometerEncoder().fit(X).encode(X)
    >>> data = TrainingData(x, y, flip_noise=1 / 8)
    >>> alone = Trainer(boolean_mlp([x.n_bits, 64, 10], random_state=0)).run(data, 2, random_state=0)
    >>> with Processes(data, 2) as crew:
    ...     shared = Trainer(boolean_mlp([x.n_bits, 64, 10], random_state=0), crew=crew)
    ...     shared = shared.run(crew.data, 2, random_state=0)
    >>> shared.network_.fingerprint() == alone.network_.fingerprint(), shared.history_ == alone.history_
    (True, True)
    """

    def __init__(
        self, data: TrainingData, n_processes: int = 2, *, way: str = "auto", n_threads: int = 1, limit: float = 60
    ) -> None:
        n_processes = check_integer(n_processes, "n_processes", low=1)
        n_threads = check_integer(n_threads, "n_threads", low=1)
        limit = check_real(limit, "limit", low=0, strict=True)
        if not isinstance(data.x, BitMatrix):
            raise TypeError(f"data must have samples of bits for processes, got {type(data.x).__name__}")
        edges = len(data) * np.arange(n_processes + 1) // n_processes
        light = data.sample_weight is not None and needs_turns(data.sample_weight)
        shards = []
        for rows in map(slice, edges[:-1], edges[1:]):
            weights = None if data.sample_weight is None else data.sample_weight[rows]
            turns = np.arange(rows.start, rows.stop) if light else None
            shards.append(Shard(data.x[rows], data.y[rows], weights, turns))
        numbered = NumberedData(
            AllRows(len(data)), data.y, data.sample_weight, data.batch_size, data.flip_noise, data.x.n_bits
        )
        order = RowOrder.of(np.diff(edges), np.arange(n_processes))
        super().__init__(
            _Pool(shards, order, limit), numbered, way=way, backend=backends.current(), n_threads=n_threads
        )

    def __enter__(self) -> Self:
        """Return itself; processes start when they are asked something."""
        return self

    def __exit__(self, *error: object) -> None:
        """End the processes."""
        self.close()
        self.workers.stop()  # type: ignore[attr-defined]


@contextmanager
def in_processes(n_processes: int = 2, *, n_threads: int = 1, limit: float = 60) -> Iterator[None]:
    """Let processes of this machine take the steps of every `fit` in a block of code: the same models.

    Parameters
    ----------
    n_processes : int, default=2
        Number of processes; each has a part of the samples.
    n_threads : int, default=1
        Threads of each process.
    limit : float, default=60
        Seconds without an answer after which :class:`bvar.distributed.WorkersLost` is raised.

    Yields
    ------
    None
        The block, in this thread or task.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; in a `fit`, also if its samples are changed anew in each epoch.

    See Also
    --------
    Processes : The crew of one such `fit`, which has the rest of the notes.

    Notes
    -----
    `partial_fit`, and what is tried before a plan is chosen, stay in the process that calls them.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from bvar import BooleanClassifier
    >>> from bvar.distributed import in_processes
    >>> X, y = load_digits(return_X_y=True)
    >>> model = BooleanClassifier((64,), max_iter=2, random_state=0)
    >>> alone = model.fit(X, y).network_.fingerprint()
    >>> with in_processes(2):
    ...     shared = model.fit(X, y).network_.fingerprint()
    >>> shared == alone
    True
    """
    n_processes = check_integer(n_processes, "n_processes", low=1)
    n_threads = check_integer(n_threads, "n_threads", low=1)
    limit = check_real(limit, "limit", low=0, strict=True)

    @contextmanager
    def hire(data: Any) -> Iterator[tuple[Coordinator, NumberedData]]:
        if not isinstance(data, TrainingData):
            raise ValueError(
                "augment and mollifier must be None in processes, for samples are changed one after the other, "
                "from one stream of random numbers that has no parts"
            )
        with Processes(data, n_processes, n_threads=n_threads, limit=limit) as crew:
            yield crew, crew.data

    with hiring(hire):
        yield


class _Pool:
    """A process for each shard."""

    def __init__(self, shards: list[Shard], order: RowOrder, limit: float) -> None:
        self.shards, self.order, self.limit = shards, order, limit
        self._processes: dict[int, tuple[Any, Connection]] = {}

    def ask(self, questions: Mapping[int, Question], name: str) -> Answer:
        """Ask all at once, and add up as they answer."""
        for shard, question in questions.items():
            self._send(shard, ("answer", question))
        return total(self._answers(questions, name))

    def _answers(self, questions: Mapping[int, Question], name: str) -> Iterator[Answer]:
        """Listen to whoever answers first."""
        deaths = dict.fromkeys(questions, 0)
        waiting = set(questions)
        while waiting:
            pipes = {shard: self._processes[shard][1] for shard in waiting}
            ready = wait(list(pipes.values()), self.limit)
            if not ready:
                raise WorkersLost(f"no process has answered for {self.limit:g} s, at {name}")
            for shard in [shard for shard, pipe in pipes.items() if pipe in ready]:
                try:
                    value = pipes[shard].recv()
                except (EOFError, OSError):
                    deaths[shard] += 1
                    if deaths[shard] == _MOST_DEATHS:
                        raise WorkersLost(
                            f"the process of shard {shard} has died {_MOST_DEATHS} times, at {name}"
                        ) from None
                    self._end(shard)
                    self._send(shard, ("answer", questions[shard]))
                    continue
                if isinstance(value, Exception):
                    self.stop()  # others may still be about to answer, and nobody would listen
                    raise value
                waiting.remove(shard)
                yield value

    def end(self, run: str) -> None:
        """Tell those that are there."""
        for shard in list(self._processes):
            self._send(shard, ("forget", run))

    def stop(self) -> None:
        """End all processes."""
        for shard in list(self._processes):
            self._end(shard)

    def _send(self, shard: int, message: tuple[str, Any]) -> None:
        """Send to a process, after starting it if it is not there."""
        if shard not in self._processes:
            here, there = _CONTEXT.Pipe()
            process = _CONTEXT.Process(target=_serve, args=(there, shard), daemon=True)
            process.start()
            there.close()
            self._processes[shard] = process, here
            here.send(self.shards[shard])
        with suppress(OSError):  # who has died is noticed where the answer is read
            self._processes[shard][1].send(message)

    def _end(self, shard: int) -> None:
        process, pipe = self._processes.pop(shard)
        pipe.close()
        process.terminate()
        process.join()


def _serve(pipe: Connection, number: int) -> None:
    """Answer until nobody asks any more."""
    shard = pipe.recv()
    while True:
        try:
            what, value = pipe.recv()
        except EOFError:
            return
        if what == "forget":
            forget(value)
            continue
        try:
            pipe.send(answer(value, shard, number))
        except Exception as error:
            pipe.send(error)
