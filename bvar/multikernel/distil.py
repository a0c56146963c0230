r"""Train the bits of a Boolean model to say what its teacher says (``docs/explanation/multi-kernel.md``).

.. math:: L = \frac{1}{N} \sum_n D(p_n, \hat p_n)
          + \frac{\gamma}{n_\text{blocks}} \sum_i \frac{\lVert x_i - \hat x_i \rVert^2}{\lVert x_i \rVert^2}

D compares what the two put out: two distributions of the next token by their divergence, two points of a
sentence by 1 less their cosine.  The last kernel of each map is trained by the flip rule on real votes, all
that is real by Adam.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from bvar._describe import Described
from bvar._fixed_point import half_cosine
from bvar._validation import check_choice, check_integer, check_real
from bvar.bits.random import RandomSource, RandomWords
from bvar.multikernel.boolean_encoder import BooleanEncoder
from bvar.multikernel.boolean_stack import BooleanStack
from bvar.multikernel.boolean_transformer import BooleanTransformer
from bvar.multikernel.decompose import MAX_KERNELS
from bvar.multikernel.encoder import Encoder
from bvar.multikernel.stack import Stack
from bvar.multikernel.texts import check_ids, check_text, check_texts, of_equal_length
from bvar.multikernel.transformer import Transformer
from bvar.multikernel.votes import LARGEST_ETA, RealVotes, automatic_eta
from bvar.real import Adam

__all__ = ["Distiller", "History", "distil", "distil_sentences"]


class History(NamedTuple):
    """What :func:`distil` has seen.

    Parameters
    ----------
    loss : ndarray of float64, shape (n_steps,)
        Before each step.
    flips : ndarray of int64, shape (n_steps,)
        Bits flipped in it.
    """

    loss: np.ndarray
    flips: np.ndarray


class Distiller(Described):
    """Trains a Boolean model step by step; :func:`distil` and :func:`distil_sentences` are loops over it.

    Parameters
    ----------
    student : BooleanTransformer or BooleanEncoder
        Trained in place.
    teacher : Transformer or Encoder
        Of the same tokens; of the same width if it is an encoder, or if `hidden` is not 0, and then of as many
        blocks.
    n_steps : int
        Length of the schedule: step size and rate fall to 0 over it along half a cosine wave.
    train : {'last', 'all', 'none'}, default='last'
        Which kernels of each map vote on their bits: the last alone, all of them, which can ruin a model, or none,
        which leaves the scales.
    eta : float or 'auto', default='auto'
        Step size of votes; :func:`automatic_eta` of `n_steps` stands right before the point where noise flips more
        than evidence.
    rate : float, default=0.002
        Rate of Adam.
    hidden : float, default=0
        Weight of the streams in the loss, gamma.

    Attributes
    ----------
    rules : dict
        A :class:`RealVotes` for each trained kernel, by the name of the map and the number of the kernel.
    step_count : int
        Steps taken.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, is out of range, or student and teacher do not fit each other.

    See Also
    --------
    distil : Which draws texts.
    """

    def __init__(
        self,
        student: BooleanStack,
        teacher: Stack,
        *,
        n_steps: int,
        train: str = "last",
        eta: float | str = "auto",
        rate: float = 2e-3,
        hidden: float = 0.0,
    ) -> None:
        if not isinstance(student, BooleanStack):
            raise TypeError(
                f"student must be a BooleanTransformer or a BooleanEncoder, got {type(student).__name__}"
            )
        if not isinstance(teacher, student.teacher_type):
            raise TypeError(
                f"teacher must be of the type {student.teacher_type.__name__}, got {type(teacher).__name__}"
            )
        check_choice(train, "train", ("last", "all", "none"))
        self.student, self.teacher = student, teacher
        self.n_steps = check_integer(n_steps, "n_steps", low=1)
        self.hidden = check_real(hidden, "hidden", low=0)
        self.eta = automatic_eta(n_steps) if eta == "auto" else check_real(eta, "eta", low=0, high=LARGEST_ETA)
        if teacher.n_tokens != student.n_tokens:
            raise ValueError(f"teacher must have {student.n_tokens} tokens as the student, got {teacher.n_tokens}")
        if isinstance(teacher, Encoder) and teacher.width != student.width:
            raise ValueError(f"teacher must have points of width {student.width}, got {teacher.width}")
        if self.hidden and (teacher.n_blocks, teacher.width) != (student.n_blocks, student.width):
            raise ValueError("teacher must have the blocks and the width of the student where hidden is not 0")
        first = {"last": -1, "all": 0, "none": MAX_KERNELS}[train]
        self.rules = {
            (name, k): RealVotes(layer.shape)
            for name, layer in student.trained_maps.items()
            for k in range(layer.n_kernels)[first:]
        }
        self.adam = Adam(rate, n_steps=self.n_steps)
        self.step_count = 0

    @property
    def n_bytes(self) -> int:
        """Memory of bits, of votes, and of scales with their Adam: what maps need while they are trained."""
        maps = self.student.trained_maps.values()
        bits = sum(part.words.nbytes for layer in maps for part in layer.signs)
        scales = sum(layer.output_scales.nbytes + layer.input_scales.nbytes for layer in maps)
        return bits + sum(rule.n_bytes for rule in self.rules.values()) + 3 * scales

    def step(self, ids: np.ndarray) -> tuple[float, int]:
        """Take one step on some texts.

        Parameters
        ----------
        ids : array-like of int, shape (n_texts, n_positions)
            Numbers of tokens.

        Returns
        -------
        loss : float
            Before the step.
        n_flips : int
            Bits flipped in it.

        Raises
        ------
        TypeError, ValueError
            If `ids` are no numbers of tokens, or training has left the finite numbers; nothing is changed then.
        """
        ids = check_ids(ids, self.student.n_tokens)
        wanted, seen = self.teacher.forward(ids)
        found, context = self.student.forward(ids)
        loss, signal = self.student.divergence(wanted, found)
        more, on_streams = self._compare_streams(seen.streams, context.streams)
        gradients = self.student.backward(signal, context, on_streams)
        wild = [name for name, gradient in gradients.items() if not np.isfinite(gradient).all()]
        if wild:
            raise ValueError(f"gradients must be finite, those in {wild[:3]} are not: try a lower rate or eta")
        n_flips = self._flip(gradients)
        self._move(gradients)
        self.step_count += 1
        return loss + more, n_flips

    def _compare_streams(
        self, wanted: list[np.ndarray], found: list[np.ndarray]
    ) -> tuple[float, dict[int, np.ndarray]]:
        loss, signals = 0.0, {}
        if self.hidden:
            for i, (x, y) in enumerate(zip(wanted, found, strict=True)):
                size = float(np.square(x, dtype=np.float64).sum()) or 1.0  # of a stream of zeros any error counts
                share = self.hidden / (len(wanted) * size)
                loss += share * float(np.square(y - x, dtype=np.float64).sum())
                signals[i] = np.float32(2 * share) * (y - x)
        return loss, signals

    def _flip(self, gradients: dict[str, np.ndarray]) -> int:
        eta, maps = self.eta * half_cosine(self.step_count, self.n_steps), self.student.maps
        return sum(
            rule.flip(maps[name].signs[k], maps[name].votes(gradients[name], k), eta)
            for (name, k), rule in self.rules.items()
        )

    def _move(self, gradients: dict[str, np.ndarray]) -> None:
        trained = self.student.trained
        parameters, steps = [self.student.weights[name] for name in trained], [gradients[name] for name in trained]
        for name, layer in self.student.trained_maps.items():
            parameters += [layer.output_scales, layer.input_scales]
            steps += layer.gradients(gradients[name])
            layer.changed()
        self.adam.step(parameters, steps)


def distil(
    student: BooleanTransformer,
    teacher: Transformer,
    ids: np.ndarray,
    n_steps: int,
    *,
    batch_size: int = 4,
    context: int = 128,
    random_state: RandomSource = None,
    train: str = "last",
    eta: float | str = "auto",
    rate: float = 2e-3,
    hidden: float = 0.0,
) -> History:
    """Train a Boolean transformer on what its teacher says of a text, in place.

    Parameters
    ----------
    student : BooleanTransformer
        Trained in place.
    teacher : Transformer
        Whose predictions it is to give.
    ids : array-like of int, shape (n,)
        A text as numbers of tokens, longer than `context`.
    n_steps : int
        Number of steps, at least 1.
    batch_size : int, default=4
        Texts of a step, cut anywhere.
    context : int, default=128
        Tokens of each.
    random_state : None, int, RandomState or RandomWords, default=None
        Where texts are cut.
    train : {'last', 'all', 'none'}, default='last'
        Which kernels flip, as for :class:`Distiller`.
    eta : float or 'auto', default='auto'
        Step size of votes.
    rate : float, default=0.002
        Rate of Adam, for all that is real.
    hidden : float, default=0
        Weight of the streams in the loss.

    Returns
    -------
    History
        Loss and flips of each step.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or is out of range; nothing is trained then.

    See Also
    --------
    Distiller : One step at a time.

    References
    ----------
    B.-H. Tran and V. M. Nguyen, "Highly Efficient and Effective LLMs with Multi-Boolean Architectures", ICLR 2026.

    Examples
    --------
    >>> from bvar import multikernel
    >>> teacher = multikernel.Transformer.random("ab", width=16, hidden=32, n_blocks=1, random_state=0)
    >>> student = multikernel.BooleanTransformer.from_teacher(teacher, 1)
    >>> history = multikernel.distil(student, teacher, teacher.encode("abba" * 20), 20, context=16, random_state=0)
    >>> bool(history.loss[-1] < history.loss[0])
    True
    """
    batch_size = check_integer(batch_size, "batch_size", low=1)
    context = check_integer(context, "context", low=1)
    text = check_text(ids, teacher.n_tokens if isinstance(teacher, Transformer) else None)
    if len(text) <= context:
        raise ValueError(f"ids must be more than {context}, the context, got {len(text)}")
    source = RandomWords.of(random_state)
    distiller = Distiller(student, teacher, n_steps=n_steps, train=train, eta=eta, rate=rate, hidden=hidden)

    def drawn() -> np.ndarray:
        starts = source.words.random_raw(batch_size) % np.uint64(len(text) - context)
        return text[starts.astype(np.int64)[:, None] + np.arange(context)]

    return _run(distiller, drawn)


def distil_sentences(
    student: BooleanEncoder,
    teacher: Encoder,
    texts: Sequence[np.ndarray],
    n_steps: int,
    *,
    batch_size: int = 32,
    random_state: RandomSource = None,
    train: str = "last",
    eta: float | str = "auto",
    rate: float = 1e-3,
    hidden: float = 1.0,
) -> History:
    """Train a Boolean encoder on the points that its teacher maps sentences to, in place.

    Parameters
    ----------
    student : BooleanEncoder
        Trained in place, all but its embedding.
    teacher : Encoder
        Whose points it is to give.
    texts : sequence of array-like of int, each of shape (n_positions,)
        Numbers of tokens of each sentence, of any lengths.
    n_steps : int
        Number of steps, at least 1.
    batch_size : int, default=32
        Most sentences of a step: one drawn from all, and others of its length.
    random_state : None, int, RandomState or RandomWords, default=None
        Which sentences are drawn.
    train : {'last', 'all', 'none'}, default='last'
        Which kernels flip, as for :class:`Distiller`.
    eta : float or 'auto', default='auto'
        Step size of votes.
    rate : float, default=0.001
        Rate of Adam, for all that is real.
    hidden : float, default=1
        Weight of the streams in the loss: a sentence has one point but many rows of a stream.

    Returns
    -------
    History
        Loss and flips of each step.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or is out of range; nothing is trained then.

    See Also
    --------
    Distiller : One step at a time.

    Examples
    --------
    >>> from bvar import multikernel
    >>> teacher = multikernel.Encoder.random(9, width=16, hidden=32, n_blocks=1, n_heads=2, random_state=0)
    >>> student = multikernel.BooleanEncoder.from_teacher(teacher, 1)
    >>> history = multikernel.distil_sentences(student, teacher, [[1, 2, 3], [4, 5]] * 9, 20, random_state=0)
    >>> bool(history.loss[-1] < history.loss[0])
    True
    """
    batch_size = check_integer(batch_size, "batch_size", low=1)
    distiller = Distiller(student, teacher, n_steps=n_steps, train=train, eta=eta, rate=rate, hidden=hidden)
    sentences, source = check_texts(texts, teacher.n_tokens), RandomWords.of(random_state)
    groups = {len(sentences[places[0]]): places for places in of_equal_length(sentences)}

    def drawn() -> np.ndarray:
        one = sentences[int(source.words.random_raw() % len(sentences))]
        places = groups[len(one)]
        return np.array([sentences[i] for i in places[source.permutation(len(places))[:batch_size]]])

    return _run(distiller, drawn)


def _run(distiller: Distiller, drawn: Callable[[], np.ndarray]) -> History:
    losses, flips = np.empty(distiller.n_steps), np.empty(distiller.n_steps, np.int64)
    for t in range(distiller.n_steps):
        losses[t], flips[t] = distiller.step(drawn())
    return History(losses, flips)
