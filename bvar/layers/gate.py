r"""Layers of gates: every neuron is a truth table, and what is trained is the table, and wires that may move.

A gate of fan-in k reads k units of the layer below and answers with one entry of its table, 2**k Boolean weights:

.. math:: a_{bg} = \sum_i x_{b, w_{gi}} 2^i , \qquad y_{bg} = t_{g, a_{bg}} .

Both are functions of bits to a bit, so the chain rule holds without condition (``bit-bit`` in
``docs/explanation/chain-rules.md``): the signal z on an output is passed on exactly, and no threshold has to be
got across.  Entry a gets the signals of the samples that looked at it.  Wire i gets z where the gate would rise
with it, -z where it would fall, 0 where nothing would change, and a unit gets the sum over the wires that read it.
The theorem is in ``docs/explanation/logic-gates.md``.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from bvar import kernels
from bvar._validation import LARGEST, as_array, check_array, check_integer
from bvar.bits import BitMatrix
from bvar.bits.random import RandomSource, RandomWords
from bvar.kernels import MAX_FAN_IN, MAX_SIGNAL, Candidates, Wiring
from bvar.kernels.memory import lines
from bvar.kernels.tables import check_n_samples
from bvar.layers.base import Layer
from bvar.layers.choice import Choice
from bvar.layers.parameter import Parameter, Trainable
from bvar.layers.wires import random_wires

__all__ = ["GateLayer", "GroupSum", "UnitMajor"]

PASS_THROUGH = 16
"""Of 64 gates, how many copy their first wire in the beginning, on average."""


class UnitMajor(BitMatrix):
    """Bits of samples that are held unit by unit; whoever wants them sample by sample gets them turned, once.

    Layers of gates pass these among themselves, and any other layer takes them for what they say they are: a
    BitMatrix of shape (n_samples, n_units).

    Parameters
    ----------
    units : BitMatrix of shape (n_units, n_samples)
        The transposed matrix, without missing values.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> from bvar.layers import UnitMajor
    >>> turned = UnitMajor(kernels.pack(np.array([[True, False], [True, True], [False, True]])))
    >>> turned.shape
    (2, 3)
    >>> turned.words
    array([[3],
           [6]], dtype=uint64)
    """

    units: BitMatrix

    def __init__(self, units: BitMatrix) -> None:
        if units.known is not None:
            raise ValueError("units must not have missing values")
        self.__dict__.update(units=units, n_bits=units.n_rows, known=None)

    @cached_property
    def words(self) -> np.ndarray:
        """The bits, sample by sample."""
        return kernels.transpose(self.units).words

    @property
    def n_rows(self) -> int:
        """Number of samples."""
        return self.units.n_bits


def units_of(x: BitMatrix) -> BitMatrix:
    """Return the bits of samples unit by unit; refuse missing values."""
    if isinstance(x, UnitMajor):
        return x.units
    if isinstance(x, BitMatrix) and x.known is not None:
        raise ValueError(
            "x has missing values, which a truth table has no entry for: replace them first, by F for instance"
        )
    return kernels.transpose(x)


class GateLayer(Layer):
    """Gates with truth tables that are learnt, and wires that are fixed or learnt.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Width of the layer below, and number of gates.
    fan_in : int, default=2
        Wires of each gate, 1 to 6; a table has 2**fan_in entries.
    wires : ndarray of int, shape (n_outputs, fan_in), optional
        Inputs that each gate reads; column i has weight 2**i in the address. Default: see
        :func:`bvar.layers.random_wires`.
    candidates : ndarray of int, shape (n_outputs, fan_in, n_candidates), optional
        Inputs among which each wire learns to choose, in place of `wires`; it begins with the first. See
        :class:`bvar.layers.Choice`.
    wire_rate : float, default=1.0
        Share of eta that votes on candidates count.
    pass_through : int, default=16
        Of 64 gates, how many copy their first wire in the beginning, on average; the other tables are fair coins.
    is_clipped : bool, default=True
        Whether the clip of the optimizer holds for the tables; their entries share no sum, so beside layers that
        need a clip it should not.
    random_state : None, int, RandomState or RandomWords, default=None
        Where wires and tables come from, in this order.
    name : str, default='gate'
        What the layer is called in tables.

    Attributes
    ----------
    table : Parameter
        Bits of shape (n_outputs, 2**fan_in).
    choice : Choice or None
        What learnt wires have chosen.

    Raises
    ------
    TypeError, ValueError
        If a number is out of range or the wires do not fit it.

    Notes
    -----
    Between layers of gates bits are held unit by unit (:class:`UnitMajor`) and signals are views of arrays that
    are stored unit by unit, so that nothing is transposed on the way.  Signals are int16.  The sum of votes on a
    unit is exact and then kept within +-32767: a rule for each sample by itself, so a batch may be split in any
    way.

    The tables are made of ``rare_bits(1, n_outputs, pass_through)``, T for a gate that copies, unless
    `pass_through` is 0 or 64, and then ``bits(n_outputs, 2**fan_in)``; see ``bvar.bits``.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> from bvar.layers import GateLayer
    >>> layer = GateLayer(3, 4, random_state=0)
    >>> y, context = layer.forward(kernels.pack(np.array([[True, False, True]])))
    >>> y.shape, layer.table.bits.shape
    ((1, 4), (4, 4))
    """

    # five vectors of 512 samples, none half empty: a gate is then 320 bytes, and what some 6000 of them hand to
    # the next layer stays in 2 MiB of cache
    rows_together = 2560

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        fan_in: int = 2,
        *,
        wires: np.ndarray | None = None,
        candidates: np.ndarray | None = None,
        wire_rate: float = 1.0,
        pass_through: int = PASS_THROUGH,
        is_clipped: bool = True,
        random_state: RandomSource = None,
        name: str = "gate",
    ) -> None:
        n_inputs = check_integer(n_inputs, "n_inputs", low=1, high=LARGEST)
        n_outputs = check_integer(n_outputs, "n_outputs", low=1, high=LARGEST)
        fan_in = check_integer(fan_in, "fan_in", low=1, high=MAX_FAN_IN)
        pass_through = check_integer(pass_through, "pass_through", low=0, high=64)
        source = RandomWords.of(random_state)
        self.name = name
        choice = None
        if candidates is not None:
            if wires is not None:
                raise ValueError("wires must be None where candidates are given, which they choose from")
            candidates = as_array(candidates, "candidates")
            if candidates.shape[:2] != (n_outputs, fan_in):
                raise ValueError(
                    f"candidates must have shape {(n_outputs, fan_in)} and one more, got {candidates.shape}"
                )
            choice = Choice(f"{name}.wires", Candidates(candidates, n_inputs), rate=wire_rate)
        elif wires is None:
            wires = random_wires(n_inputs, n_outputs, fan_in, source)
        elif (wires := as_array(wires, "wires")).shape != (n_outputs, fan_in):
            raise ValueError(f"wires must have shape {(n_outputs, fan_in)}, got {wires.shape}")
        tables = initial_tables(n_outputs, fan_in, pass_through, source)
        self.table = Parameter(f"{name}.table", tables, is_clipped=is_clipped)
        self.parameters: tuple[Trainable, ...] = (self.table,)
        self.choice: Choice | None = None
        self._wiring = None if wires is None else Wiring(wires, n_inputs)
        if choice is not None:
            self.choose(choice)

    def choose(self, choice: Choice) -> None:
        """Let wires be learnt from now on.

        Parameters
        ----------
        choice : Choice
            Of candidates for these gates and inputs.
        """
        self.choice, self._wiring = choice, None
        self.parameters = (self.table, choice)

    @property
    def wiring(self) -> Wiring:
        """The wires, and who reads each input."""
        wiring = self._wiring if self.choice is None else self.choice.wiring
        assert wiring is not None  # noqa: S101 - narrows the type
        return wiring

    @property
    def n_inputs(self) -> int:
        """Width of the layer below."""
        return self.wiring.n_units

    @property
    def n_outputs(self) -> int:
        """Number of gates."""
        return self.wiring.n_gates

    @property
    def fan_in(self) -> int:
        """Number of wires of each gate."""
        return self.wiring.fan_in

    @property
    def wires(self) -> np.ndarray:
        """Inputs that each gate reads, int32 of shape (n_outputs, fan_in); cannot be written to."""
        return self.wiring.wires

    def forward(self, x: BitMatrix) -> tuple[UnitMajor, BitMatrix]:
        """Look the gates up; the context is the inputs unit by unit, none of which may be missing."""
        units = units_of(x)
        return UnitMajor(kernels.table_values(units, self.wiring, self.table.bits)), units

    def check(self, context: BitMatrix) -> None:
        """Refuse more samples than tables can count votes of."""
        check_n_samples(context.n_bits)

    def backward(self, signal: np.ndarray, context: BitMatrix) -> np.ndarray:
        """Collect the votes on the inputs, int16; signals beyond +-32767 are taken for that."""
        return kernels.wire_votes(by_unit(signal), context, self.wiring, self.table.bits).T

    def votes(self, signal: np.ndarray, context: BitMatrix) -> tuple[np.ndarray, ...]:
        """Collect the votes on the tables, and on the candidates of wires."""
        z = by_unit(signal)
        on_tables = kernels.table_votes(z, context, self.wiring)
        if self.choice is None:
            return (on_tables,)
        return on_tables, kernels.candidate_votes(z, context, self.wiring, self.table.bits, self.choice.candidates)


class GroupSum(Layer):
    r"""Let blocks of neighbours vote: the score of a group is what its members add up to.

    .. math:: s_{bc} = \sum_{j = c m}^{(c + 1) m - 1} e(x_{bj}) , \qquad m = n_{\text{inputs}} / n_{\text{groups}}

    Parameters
    ----------
    n_inputs : int
        Width of the layer below.
    n_groups : int
        Number of scores; it must divide `n_inputs`.

    Raises
    ------
    TypeError, ValueError
        If a number is not positive, or groups cannot be of one size.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> from bvar.layers import GroupSum
    >>> s, _ = GroupSum(4, 2).forward(kernels.pack(np.array([[True, True, False, True]])))
    >>> s
    array([[2, 0]], dtype=int32)
    """

    def __init__(self, n_inputs: int, n_groups: int) -> None:
        self.n_inputs = check_integer(n_inputs, "n_inputs", low=1)
        self.n_outputs = check_integer(n_groups, "n_groups", low=1)
        if n_inputs % n_groups:
            raise ValueError(f"n_groups must divide n_inputs={n_inputs}, got {n_groups}")

    @property
    def group_size(self) -> int:
        """Number of members of each group."""
        return self.n_inputs // self.n_outputs

    def forward(self, x: BitMatrix) -> tuple[np.ndarray, None]:
        """Add up T minus F in each group; no member may be missing."""
        units = units_of(x)
        if units.n_rows != self.n_inputs:
            raise ValueError(f"x must have {self.n_inputs} bits a sample, got {units.n_rows}")
        counts = kernels.count_groups(units, self.n_outputs)
        return np.ascontiguousarray(2 * counts.T - np.int32(self.group_size)), None

    def backward(self, signal: np.ndarray, context: None) -> np.ndarray:
        """Give each member the signal of its group, int16: the members themselves do not matter."""
        votes = lines((self.n_inputs, len(signal)), np.int16)
        votes.reshape(self.n_outputs, self.group_size, len(signal))[...] = signal.T[:, None, :]
        return votes.T


def initial_tables(n_gates: int, fan_in: int, pass_through: int, source: RandomWords) -> BitMatrix:
    """Draw tables: some copy their first wire, the others are fair coins."""
    copies = np.full(n_gates, pass_through == 64)
    if 0 < pass_through < 64:
        copies = kernels.unpack(source.rare_bits(1, n_gates, pass_through))[0]
    tables = source.bits(n_gates, 1 << fan_in)
    first_wire = sum(1 << address for address in range(1, 1 << fan_in, 2))
    tables.words[copies] = np.uint64(first_wire)
    return tables


def conjunctions(n_gates: int, fan_in: int, literals: int, source: RandomWords) -> BitMatrix:
    """Draw tables that are T where some wires, 1 to `literals`, are as was drawn for each.

    Raw words: one for each gate, whose rest by `literals` says how many wires beyond one matter; then one for each
    wire, gate by gate. Those with the smallest words matter, and the lowest bit is what they should be.
    """
    n_literals = source.words.random_raw(n_gates) % np.uint64(literals) + np.uint64(1)
    words = source.words.random_raw(n_gates * fan_in).reshape(n_gates, 1, fan_in)
    matters = words.argsort(axis=2, kind="stable").argsort(axis=2) < n_literals[:, None, None]
    addresses = np.arange(1 << fan_in)[:, None] >> np.arange(fan_in) & 1
    return kernels.pack((~matters | (words & np.uint64(1) == addresses)).all(axis=2))


def by_unit(signal: np.ndarray) -> np.ndarray:
    """Signals as int16, unit by unit; as they are where a layer of gates made them."""
    signal = check_array(signal, "signal", dtype=(np.int8, np.int16, np.int32), ndim=2)
    if signal.dtype == np.int32 or (signal.dtype == np.int16 and signal.min(initial=0) < -MAX_SIGNAL):
        signal = np.minimum(np.maximum(signal, -MAX_SIGNAL), MAX_SIGNAL)
    return np.ascontiguousarray(signal.T, dtype=np.int16)


def of_tables(n_inputs: int, wires: np.ndarray, tables: np.ndarray) -> GateLayer:
    """Make a layer of tables that are known: uint64, one for each row of wires."""
    layer = GateLayer(n_inputs, *wires.shape, wires=wires, pass_through=64, random_state=0)
    layer.table.bits.words[:, 0] = tables
    return layer


def at_false(tables: np.ndarray, wire: int) -> np.ndarray:
    """Return tables, uint64, that answer as these do where a wire is F, whatever it is."""
    addresses = (address for address in range(64) if not address >> wire & 1)
    low = tables & np.uint64(sum(1 << address for address in addresses))
    return low | low << np.uint64(1 << wire)
