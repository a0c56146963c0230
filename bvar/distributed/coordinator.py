"""The crew that asks others: it sends what has moved, adds up what comes back, and lets the network take the step.

It alone has the accumulators, so no death loses more than time, and it does not know how its workers are reached:
processes of this machine and a Dask cluster are two kinds of the same thing.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from bvar import __version__
from bvar._describe import Described
from bvar._validation import check_choice
from bvar.distributed.rows import NumberedBatch, NumberedData, RowOrder, State
from bvar.distributed.wire import Answer, Question, Scores, Way, What, bytes_of_step, frame, total, whole
from bvar.networks.network import Network
from bvar.networks.signals import Signals
from bvar.networks.votes import Votes

__all__ = ["Coordinator", "Workers", "WorkersLost"]


class WorkersLost(RuntimeError):
    """Nobody is left to answer, or nobody has for too long."""


class Workers(Protocol):
    """Who has the samples, in shards, and answers for them.

    Notes
    -----
    An answer is ``bvar.distributed.shard.answer`` of a question, a shard and its number. It may be computed
    anywhere, more than once, and added up in any order. A worker that dies is to be replaced, or its shards are to
    be answered for by others; if that cannot be, `WorkersLost` is raised.
    """

    order: RowOrder
    """Which shard has which row."""

    def ask(self, questions: Mapping[int, Question], name: str) -> Answer:
        """Ask some shards, and add up what they say.

        Parameters
        ----------
        questions : mapping of int to Question
            What each of them is asked.
        name : str
            What is being done, for people.

        Returns
        -------
        Answer
            The sum: ``bvar.distributed.wire.total`` of the answers.
        """
        ...

    def end(self, run: str) -> None:
        """Let the workers forget a training; one that does not hear it does no harm.

        Parameters
        ----------
        run : str
            Which training.
        """
        ...


class Coordinator(Described):
    """A crew for :class:`bvar.training.Trainer`, made of workers.

    Parameters
    ----------
    workers : Workers
        Who has the samples.
    data : NumberedData
        The samples, as numbers of rows.
    way : {'auto', 'votes', 'signals'}, default='auto'
        What workers send; 'auto' is what takes fewer bytes, see :func:`bvar.distributed.bytes_of_step`.
    backend : str, optional
        Which backend computes at the workers. Default: the one in force there.
    n_threads : int, default=1
        Threads that it may use.

    Attributes
    ----------
    way_ : {'votes', 'signals'}
        What is sent for the network of the last step.
    bytes_of_step_ : dict of int
        What each way would take.

    Raises
    ------
    ValueError
        In a step, if the network has real weights, or workers had another network than they should.
    """

    way_: Way
    bytes_of_step_: dict[Way, int]

    def __init__(
        self,
        workers: Workers,
        data: NumberedData,
        *,
        way: str = "auto",
        backend: str | None = None,
        n_threads: int = 1,
    ) -> None:
        self.workers = workers
        self.data = data
        self.way = check_choice(way, "way", ("auto", "votes", "signals"))
        self.backend, self.n_threads = backend, n_threads
        self._network: Network | None = None
        self._run = ""

    def step(self, network: Network, batch: NumberedBatch) -> tuple[Votes, Sequence[int]]:
        """Ask for votes or signals of a batch, and let the network take the step.

        Parameters
        ----------
        network : Network
            The network, as the last step left it.
        batch : NumberedBatch
            One of the batches of `data`.

        Returns
        -------
        seen : Votes
            What the samples were like before the step.
        flips : sequence of int
            Number of elements of each parameter that moved.
        """
        if batch.is_first and self._is_another():
            self.close()  # a callback has changed it, of which no message tells
        self._follow(network)
        value = self._ask(self.way_, batch.rows, turns=batch.turns, noise=batch.noise, checks=batch.is_first)
        if isinstance(value, Signals):
            seen, flips = value.seen, network.apply_signals(value)
        else:
            assert isinstance(value, Votes)  # noqa: S101 - narrows the type
            seen, flips = replace(value, tensors=(), marginals=()), network.apply(value)
        self._news = next(self._stream)
        return seen, flips

    def scores(self, network: Network, rows: np.ndarray) -> np.ndarray:
        """Compute scores where the samples are.

        Parameters
        ----------
        network : Network
            The network, at any state.
        rows : ndarray of int64
            Numbers of rows.

        Returns
        -------
        ndarray of int32, shape (n_rows, n_outputs)
            Their scores, in the order of `rows`.
        """
        self._follow(network)
        value = self._ask("scores", rows)
        assert isinstance(value, Scores)  # noqa: S101 - narrows the type
        out = np.empty_like(value.scores)
        out[value.places] = value.scores
        return out

    def close(self) -> None:
        """Let the workers forget the network."""
        if self._run:
            self.workers.end(self._run)
        self._network, self._run = None, ""

    def _follow(self, network: Network) -> None:
        """Begin to tell what moves in a network, if it is another one than before."""
        if network is self._network:
            return
        if network.real is not None:
            raise ValueError(
                "network must be of bits alone for a crew of many: sums of real weights depend on who adds first"
            )
        self.close()
        self._network, self._run = network, uuid.uuid4().hex
        self._stream = network.flips(fingerprints=False)
        self._news, self._frame = b"", frame(network)
        self.bytes_of_step_ = bytes_of_step(network, self.data.batch_size)
        ways = [way for way in self.bytes_of_step_ if self.way in ("auto", way)]
        self.way_ = min(ways, key=self.bytes_of_step_.__getitem__, default="votes")  # by which all networks can

    def _is_another(self) -> bool:
        """Say whether somebody else than a step has changed the network."""
        if self._network is None:
            return False
        return not self._stream.is_up_to_date() or frame(self._network) != self._frame

    def _ask(
        self,
        what: What,
        rows: np.ndarray,
        *,
        noise: State | None = None,
        turns: State | None = None,
        checks: bool = False,
    ) -> object:
        """Ask the shards that have these rows, and again with the whole network those that are behind."""
        assert self._network is not None  # noqa: S101 - narrows the type
        version = self._stream.version
        name = f"{what}-{self._run[:8]}-{version}"
        question = Question(
            what=what,
            run=self._run,
            version=version,
            news=self._news,
            is_whole=False,
            rows=rows,
            places=rows[:0],
            n_rows=len(rows),
            flip_noise=self.data.flip_noise,
            noise=noise,
            turns=turns,
            n_turns=len(self.data),
            wants_fingerprint=checks,
            backend=self.backend,
            n_threads=self.n_threads,
            bvar=__version__,
        )
        questions = {}
        for shard, local, at in self.workers.order.deal(rows):
            places = at if noise is not None or what == "scores" else at[:0]  # else nobody looks at them
            here, among = local.astype(np.uint32), places.astype(np.uint32)
            questions[shard] = replace(question, rows=here, places=among)
        heard = self.workers.ask(questions, name) if version else Answer(behind=tuple(questions))
        while heard.behind:
            news = whole(self._network)
            again = {shard: replace(questions[shard], news=news, is_whole=True) for shard in heard.behind}
            heard = total([replace(heard, behind=()), self.workers.ask(again, name)])
        self._compare(heard.fingerprints)
        assert heard.value is not None  # noqa: S101 - at least one shard has a row
        return heard.value

    def _compare(self, fingerprints: Sequence[tuple[str, str]]) -> None:
        """Find a worker whose copy of the network is not what it should be: a bad memory, say."""
        assert self._network is not None  # noqa: S101 - narrows the type
        if not fingerprints:
            return
        mine = self._network.fingerprint()
        wrong = sorted({who for who, fingerprint in fingerprints if fingerprint != mine})
        if wrong:
            raise ValueError(
                f"workers must have the network of step {self._stream.version}, but these have another, and their "
                f"memory is not to be trusted: {'; '.join(wrong)}"
            )
