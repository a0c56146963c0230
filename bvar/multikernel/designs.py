"""In what transformers differ that are otherwise alike (``docs/explanation/multi-kernel.md``)."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["DESIGNS", "Design"]


class Design(NamedTuple):
    """What the blocks of a kind of transformer compute.

    Parameters
    ----------
    norm_first : bool
        Whether blocks normalise what they take, x + f(n(x)), or what they put out, n(x + f(x)).
    is_centred : bool
        Whether rows are centred before they are divided by their root mean square, and gains have biases.
    is_turned : bool
        Whether heads are turned by position, or a learnt row for each position is added to the embedding.
    unit : {'gated', 'relu', 'gelu'}
        The function of units; those that are gated take two numbers, s sigmoid(s) u.
    looks_back : bool
        Whether a position sees only those before it; if not, there is no head that says what comes next.
    """

    norm_first: bool
    is_centred: bool
    is_turned: bool
    unit: str
    looks_back: bool

    @property
    def maps(self) -> tuple[str, ...]:
        """The maps of a block, ``y = x @ W.T``, perhaps with a bias; in block i they are ``l{i}.q`` and so on."""
        return ("q", "k", "v", "o", *(("gate",) if self.unit == "gated" else ()), "up", "down")

    @property
    def others(self) -> tuple[str, ...]:
        """What a block has beside maps and their biases."""
        return ("norm1", "norm2", *(("norm1.bias", "norm2.bias") if self.is_centred else ()))

    @property
    def ends(self) -> tuple[str, ...]:
        """What there is before and behind the blocks."""
        head, positions = ("head",) * self.looks_back, ("positions",) * (not self.is_turned)
        return ("embed", *head, *positions, "norm", *(("norm.bias",) if self.is_centred else ()))


DESIGNS = {
    "llama": Design(norm_first=True, is_centred=False, is_turned=True, unit="gated", looks_back=True),
    "opt": Design(norm_first=True, is_centred=True, is_turned=False, unit="relu", looks_back=True),
    "bert": Design(norm_first=False, is_centred=True, is_turned=False, unit="gelu", looks_back=False),
}
"""The designs that there are, by the name of the model that has made each common."""
