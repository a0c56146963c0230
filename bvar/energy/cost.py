"""What a network costs: a row for each layer, way and place, in the unit of a platform.

Ways are the forward pass, the two passes back and the update of the weights; places are the memories and the
logic.  The model is derived, and its limits are stated, in ``docs/explanation/energy.md``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from bvar._validation import check_integer
from bvar.energy.loops import Loops, loops_of
from bvar.energy.platform import ASCEND, Platform, logic_operations
from bvar.energy.tiling import Operands, best_tiles
from bvar.energy.traffic import moves
from bvar.energy.widths import BOOLEAN, FLOAT, Widths
from bvar.layers import Layer, Product

__all__ = ["LOGIC", "WAYS", "Cost", "Row", "cost"]

WAYS = ("forward", "backward", "votes", "update")
"""Ways that data go: up, down to the inputs, down to the weights, and into the weights."""

LOGIC = "logic"
"""The place that is no memory."""


class Row(NamedTuple):
    """An entry of a table of costs.

    Parameters
    ----------
    layer, way, place : str
        What it is of: a way of :data:`WAYS`, a memory of the platform or :data:`LOGIC`.
    energy : float
        In the unit of the platform.
    amount : int
        Bits that are read and written, or operations of logic.
    """

    layer: str
    way: str
    place: str
    energy: float
    amount: int


@dataclass(frozen=True)
class Cost:
    """What a network costs for one batch.

    Parameters
    ----------
    platform : Platform
        Where.
    rows : sequence of Row
        Layer by layer, way by way, place by place.

    Examples
    --------
    >>> from bvar.energy import ASCEND, FLOAT, cost
    >>> from bvar.networks import boolean_mlp
    >>> network = boolean_mlp([784, 256, 10], random_state=0)
    >>> bits, floats = cost(network, 100), cost(network, 100, widths=FLOAT)
    >>> bits.inference < floats.inference / 3, bits.training < floats.training / 2
    (True, True)
    >>> sorted(bits.by("way"))
    ['backward', 'forward', 'update', 'votes']
    """

    platform: Platform
    rows: Sequence[Row]

    @property
    def inference(self) -> float:
        """Energy of the forward pass."""
        return sum(row.energy for row in self.rows if row.way == "forward")

    @property
    def training(self) -> float:
        """Energy of a step of training: all ways."""
        return sum(row.energy for row in self.rows)

    def by(self, *columns: str) -> dict[Any, float]:
        """Add up the energy of rows that agree in some columns.

        Parameters
        ----------
        *columns : {'layer', 'way', 'place'}
            The columns.

        Returns
        -------
        dict
            Energy by value of the column, or by tuple of values of several, in the order of the rows.

        Raises
        ------
        ValueError
            If there is no such column, or none is given.
        """
        if not columns or any(column not in Row._fields[:3] for column in columns):
            raise ValueError(f"columns must be some of {', '.join(Row._fields[:3])}, got {columns!r}")
        sums: dict[Any, float] = {}
        for row in self.rows:
            key = tuple(getattr(row, column) for column in columns)
            sums[key] = sums.get(key, 0.0) + row.energy
        return sums if len(columns) > 1 else {key: energy for (key,), energy in sums.items()}

    def __str__(self) -> str:
        """Make a table: a line for each layer and way, a column for each place."""
        places = [memory.name for memory in self.platform.memories] + [LOGIC]
        cells = self.by("layer", "way", "place")
        head = f"{'layer':<12} {'way':<9}" + "".join(f"{place:>11}" for place in [*places, "all"])
        lines = [
            _line(layer, way, [cells[layer, way, place] for place in places])
            for layer, way in self.by("layer", "way")
        ]
        lines.append(_line("all", "", list(self.by("place").values())))
        return "\n".join([f"{self.platform.name}, in {self.platform.unit}", head, *lines])


def cost(network: Any, batch: int = 1, platform: Platform = ASCEND, *, widths: Widths = BOOLEAN) -> Cost:
    """Count what a network costs for one batch: in inference, and in a step of training.

    Parameters
    ----------
    network : Network or sequence of Layer
        Layers that multiply are counted: linear layers and convolutions, of bits, of numbers, or real; real ones
        at the width of floats.
    batch : int, default=1
        Number of samples.
    platform : Platform, default=ASCEND
        Prices and memories.
    widths : Widths, default=BOOLEAN
        Bits of the numbers of Boolean layers: with FLOAT it is the float network of the same shape.

    Returns
    -------
    Cost
        A table, by layer, way and place; layers of one name are numbered.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, no layer multiplies, or a memory cannot hold a number of each kind.

    See Also
    --------
    bvar.plotting.plot_energy : A picture of it.

    Notes
    -----
    Tiles are the cheapest of all that fit the memories and divide the layer; nothing is kept near from one way or
    one layer to the next. Thresholds, pools and normalisation are not counted.

    Examples
    --------
    >>> from bvar.energy import V100, cost
    >>> from bvar.networks import boolean_mlp
    >>> print(cost(boolean_mlp([64, 32, 10], random_state=0), 10, V100))
    V100, in MAC
    layer        way             DRAM         L2         L1         L0      logic        all
    linear1      forward     3.76e+04   1.01e+03        336   8.08e+04   1.74e+03   1.21e+05
    linear1      votes       8.59e+05    1.2e+03        400   7.39e+04   1.93e+03   9.37e+05
    linear1      update  ...
    """
    layers = check_layers(getattr(network, "layers", network), "network")
    batch = check_integer(batch, "batch", low=1)
    if not isinstance(platform, Platform):
        raise TypeError(f"platform must be a bvar.energy.Platform, such as ASCEND, got {platform!r}")
    if not isinstance(widths, Widths):
        raise TypeError(f"widths must be a bvar.energy.Widths, such as FLOAT, got {widths!r}")
    products = _told_apart(products_of(layers))
    if not products:
        raise ValueError("network must have a layer that multiplies: linear, a convolution or real; it has none")
    rows: list[Row] = []
    for product in products:
        is_heard = product is not products[0] or not layers[0].products()  # below the first layer nobody listens
        numbers = FLOAT if product.is_real else widths
        for way, loops in _ways(product, batch, is_heard):
            rows += _pass_rows(product, way, loops, _operands(numbers, product)[way], platform)
        rows += _update_rows(product, numbers, platform)
    return Cost(platform, tuple(rows))


def products_of(layers: Sequence[Layer]) -> list[Product]:
    """Collect what layers multiply, from the first to the last."""
    return [product for layer in layers for product in layer.products()]


def check_layers(layers: Any, name: str) -> Sequence[Layer]:
    """Return layers after checking that they are some."""
    if not isinstance(layers, Sequence) or not all(isinstance(layer, Layer) for layer in layers):
        raise TypeError(f"{name} must be a network, or a sequence of layers of bvar.layers, got {layers!r}")
    return layers


def _told_apart(products: list[Product]) -> list[Product]:
    """Give products of one name, which layers have that nobody has named, numbers: each is a row of its own."""
    times, seen = Counter(product.name for product in products), Counter[str]()
    found = []
    for product in products:
        seen[product.name] += 1
        number = f" ({seen[product.name]})" if times[product.name] > 1 else ""
        found.append(product._replace(name=product.name + number))
    return found


def _ways(product: Product, batch: int, is_heard: bool) -> Iterator[tuple[str, Loops]]:
    """Give the loops of each way; of the way back, where somebody listens below."""
    loops = loops_of(product, batch)
    return ((way, loops[way]) for way in WAYS[:3] if is_heard or way != "backward")


def _operands(widths: Widths, product: Product) -> Mapping[str, Operands]:
    inputs = max(widths.inputs, product.input_bits)
    return {
        "forward": Operands(inputs, widths.weights, widths.sums, widths.outputs),
        "backward": Operands(widths.signals, widths.weights, widths.votes, widths.votes),
        "votes": Operands(inputs, widths.signals, widths.votes, widths.votes),
    }


def _pass_rows(product: Product, way: str, loops: Loops, operands: Operands, platform: Platform) -> Iterator[Row]:
    """Charge each memory for what goes in and out, and the logic for multiply-adds."""
    tiles = best_tiles(loops, operands, platform)
    for memory, moved in zip(platform.memories, moves(loops, tiles), strict=True):
        streamed, held = moved.streamed * operands.streamed, moved.held * operands.held
        made = moved.partial * operands.partial + moved.final * operands.final
        energy = sum(price * bits for price, bits in zip(memory.prices, (streamed, held, made), strict=True))
        yield Row(product.name, way, memory.name, energy, streamed + held + made)
    n = loops.n_products * logic_operations(operands.streamed, operands.held, operands.partial)
    yield Row(product.name, way, LOGIC, platform.logic * n, n)


def _update_rows(product: Product, widths: Widths, platform: Platform) -> Iterator[Row]:
    """Charge the update: state and votes pass every memory once, state both ways, and a multiply-add is made."""
    n_weights = product.window.patch_size * product.n_outputs
    bits = n_weights * (2 * widths.state + widths.votes)
    for memory in platform.memories:
        yield Row(product.name, "update", memory.name, memory.prices[1] * bits, bits)
    n = n_weights * logic_operations(widths.votes, widths.votes, widths.votes)
    yield Row(product.name, "update", LOGIC, platform.logic * n, n)


def _line(layer: str, way: str, energies: list[float]) -> str:
    return f"{layer:<12} {way:<9}" + "".join(f"{energy:>11.3g}" for energy in [*energies, sum(energies)])
