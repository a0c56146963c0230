"""What has moved in a network that is being trained, as bytes: all that a copy needs to stay equal.

A step flips a few of ten thousand bits, so the places are worth more than the bits: gaps between them, in base
128, are a fraction of a percent of the network (:doc:`/explanation/exactness` says why a copy needs no votes).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Self

import numpy as np

from bvar._describe import Described
from bvar.layers import Trainable

if TYPE_CHECKING:
    from bvar.networks.network import Network

__all__ = ["Flips", "follow"]

_HASH = 32  # bytes of a fingerprint


class Flips(Described):
    """A stream of what moves in a network: each `next` tells what has moved since the one before.

    Parameters
    ----------
    network : Network
        What is watched, while something else trains it.
    fingerprints : bool, default=True
        Whether each message ends with the fingerprint of the network, so that who follows can be sure.

    Attributes
    ----------
    version : int
        Number of messages so far.

    Raises
    ------
    ValueError
        If the network has real parameters.

    See Also
    --------
    follow : The other end.

    Notes
    -----
    A message is a byte, 1 if a fingerprint follows; its 32 bytes if so; then numbers in base 128: the version, and
    for each parameter of the network how many elements have moved, and the gaps from each of these to the next,
    counting from place -1, so that no gap is 0. Places count bits in the words of a tensor, padding included, or
    offsets. Of offsets there follows by how much each has moved, where k stands for 2k if it is not negative and
    for -2k - 1 if it is. In base 128 a number is its digits from the lowest up, each a byte, plus 128 in all but
    the last.

    Examples
    --------
    >>> import copy
    >>> from sklearn.datasets import load_digits
    >>> from bvar import ThermometerEncoder
    >>> from bvar.networks import Flips, boolean_mlp, follow
    >>> X, y = load_digits(return_X_y=True)
    >>> x = ThermometerEncoder(4).fit(X).encode(X)
    >>> network = boolean_mlp([x.n_bits, 128, 10], random_state=0)
    >>> reader, stream = copy.deepcopy(network), Flips(network)
    >>> for start in range(0, 300, 100):
    ...     report = network.step(x[start : start + 100], y[start : start + 100])
    ...     [(version, fingerprint)] = follow(reader, [next(stream)], version=stream.version - 1)
    >>> version, fingerprint == network.fingerprint()
    (3, True)
    """

    def __init__(self, network: Network, *, fingerprints: bool = True) -> None:
        if network.real is not None:
            raise ValueError("network must be of bits alone: what moves in real parameters is no flip")
        self.network = network
        self.fingerprints = fingerprints
        self.version = 0
        self._before = [_live(parameter).copy() for parameter in network.parameters]

    def __iter__(self) -> Self:
        """Return itself: the stream ends when the training does, and knows of no end."""
        return self

    def is_up_to_date(self) -> bool:
        """Say whether nothing has moved since the last message.

        Returns
        -------
        bool
            Whether the next one would say so.
        """
        pairs = zip(self._before, self.network.parameters, strict=True)
        return all(np.array_equal(before, _live(parameter)) for before, parameter in pairs)

    def __next__(self) -> bytes:
        """Return what has moved since the last message."""
        self.version += 1
        numbers = [np.array([self.version])]
        for before, parameter in zip(self._before, self.network.parameters, strict=True):
            numbers += _difference(before, _live(parameter))
        head = b"\1" + bytes.fromhex(self.network.fingerprint()) if self.fingerprints else b"\0"
        return head + _to_base_128(np.concatenate(numbers).astype(np.uint64))


def follow(network: Network, stream: Iterable[bytes], *, version: int = 0) -> Iterator[tuple[int, str]]:
    """Keep a copy of a network equal to one that is being trained elsewhere.

    Parameters
    ----------
    network : Network
        A copy of the network as it was at a version, changed in place.
    stream : iterable of bytes
        The messages of :class:`bvar.networks.Flips` from then on, in their order, however they came here.
    version : int, default=0
        The version that the copy is of.

    Yields
    ------
    version : int
        Number of the message that the copy has just followed.
    fingerprint : str
        Its fingerprint, which is that of the network that is trained.

    Raises
    ------
    ValueError
        If a message is of another version than the next, or of a network of another shape, and nothing is changed
        by it; or if the copy is not equal to the network afterwards.

    Examples
    --------
    >>> import copy
    >>> import numpy as np
    >>> from bvar import kernels
    >>> from bvar.networks import boolean_mlp, follow
    >>> X = np.random.RandomState(0).rand(64, 8) < 0.5
    >>> network = boolean_mlp([8, 64, 2], random_state=0)
    >>> reader, stream = copy.deepcopy(network), network.flips()
    >>> report = network.step(kernels.pack(X), X[:, 0].astype(int))
    >>> [(version, fingerprint)] = follow(reader, [next(stream)])
    >>> fingerprint == network.fingerprint()
    True
    """
    for message in stream:
        moved = catch_up(network, message, version)
        version, fingerprint = version + 1, network.fingerprint()
        if moved not in (None, fingerprint):
            raise ValueError(f"the copy differs at version {version} from the network that it follows")
        yield version, fingerprint


def catch_up(network: Network, message: bytes, version: int) -> str | None:
    """Bring a network of a version to the next; return the fingerprint that it should have, if that was told."""
    told = message[:1] == b"\1"
    numbers = _from_base_128(message[1 + _HASH * told :])
    if not len(numbers) or numbers[0] != version + 1:
        raise ValueError(
            f"the message must be of version {version + 1}, got {int(numbers[0]) if len(numbers) else 0}"
        )
    parameters = network.parameters
    moves = list(_moves(parameters, numbers[1:]))
    for parameter, (places, changes) in zip(parameters, moves, strict=True):
        _move(parameter, places, changes)
    return message[1 : 1 + _HASH].hex() if told else None


def _live(parameter: Trainable) -> np.ndarray:
    """Return the words of bits, or offsets: the array itself, in one dimension."""
    _, values = parameter.arrays()
    return values.reshape(-1)


def _difference(before: np.ndarray, now: np.ndarray) -> list[np.ndarray]:
    """Return the number of places, gaps and changes; and make `before` what is now."""
    moved = np.flatnonzero(before != now)
    changes = before[moved] ^ now[moved] if now.dtype == np.uint64 else now[moved].astype(np.int64) - before[moved]
    before[moved] = now[moved]
    if now.dtype != np.uint64:
        return [np.array([len(moved)]), _gaps(moved), np.where(changes < 0, -2 * changes - 1, 2 * changes)]
    bits = np.unpackbits(changes.astype("<u8").view(np.uint8), bitorder="little").reshape(-1, 64)
    word, bit = np.nonzero(bits)
    return [np.array([len(word)]), _gaps(64 * moved[word] + bit)]


def _gaps(places: np.ndarray) -> np.ndarray:
    return np.diff(places, prepend=-1)


def _moves(parameters: list[Trainable], numbers: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """Read places and changes of each parameter; refuse what does not fit."""
    wrong = ValueError("the message must be of a network of the same shape")
    for parameter in parameters:
        values = _live(parameter)
        is_bits = values.dtype == np.uint64
        n = int(numbers[0]) if len(numbers) else -1
        width = n * (1 if is_bits else 2)
        if n < 0 or len(numbers) <= width:
            raise wrong
        gaps, n_places = numbers[1 : 1 + n], values.size * (64 if is_bits else 1)
        if n and not 0 < gaps.min() <= gaps.max() <= n_places:
            raise wrong
        places = np.cumsum(gaps.astype(np.int64)) - 1
        if n and places[-1] >= n_places:
            raise wrong
        codes = numbers[1 + n : 1 + width].astype(np.int64)
        changes = None if is_bits else np.where(codes % 2, -(codes + 1) // 2, codes // 2)
        if not _fits(parameter, places, changes):
            raise wrong
        yield places, changes
        numbers = numbers[1 + width :]
    if len(numbers):
        raise wrong


def _fits(parameter: Trainable, places: np.ndarray, changes: np.ndarray | None) -> bool:
    """Say whether no place is padding, and no number leaves its range."""
    if changes is None:
        per_row = 64 * (_live(parameter).size // parameter.shape[0])
        return bool((places % per_row < parameter.shape[1]).all())
    low, high = parameter.value_range
    after = _live(parameter)[places] + changes
    return bool(((low <= after) & (after <= high)).all())


def _move(parameter: Trainable, places: np.ndarray, changes: np.ndarray | None) -> None:
    values = _live(parameter)
    if changes is None:
        np.bitwise_xor.at(values, places >> 6, np.uint64(1) << (places & 63).astype(np.uint64))
    else:
        values[places] += changes.astype(values.dtype)
    if len(places):
        parameter.refresh()


def _to_base_128(numbers: np.ndarray) -> bytes:
    """Write numbers, digits from the lowest up."""
    n_digits = np.ones(len(numbers), np.intp)
    for power in range(7, 64, 7):
        n_digits += numbers >= np.uint64(1 << power)
    starts = np.cumsum(n_digits) - n_digits
    out = np.empty(n_digits.sum(), np.uint8)
    for digit in range(n_digits.max(initial=0)):
        has = n_digits > digit
        values = (numbers[has] >> np.uint64(7 * digit)) & np.uint64(127)
        out[starts[has] + digit] = values + np.uint64(128) * (n_digits[has] > digit + 1)
    return out.tobytes()


def _from_base_128(message: bytes) -> np.ndarray:
    """Read numbers."""
    digits = np.frombuffer(message, np.uint8)
    ends = np.flatnonzero(digits < 128)
    if not len(ends):
        return np.zeros(0, np.uint64)
    starts = np.concatenate([[0], ends[:-1] + 1])
    place = np.arange(ends[-1] + 1) - np.repeat(starts, ends - starts + 1)
    values = (digits[: len(place)] & 127).astype(np.uint64) << (7 * place).astype(np.uint64)
    return np.add.reduceat(values, starts)
