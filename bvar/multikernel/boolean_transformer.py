r"""A transformer whose maps are sums of Boolean kernels (``docs/explanation/multi-kernel.md``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bvar._validation import check_integer
from bvar.bits.random import RandomSource, RandomWords
from bvar.multikernel.decompose import MAX_KERNELS, decompose
from bvar.multikernel.linear import MultiKernelLinear
from bvar.multikernel.passes import forward
from bvar.multikernel.texts import check_ids
from bvar.multikernel.transformer import Transformer

__all__ = ["BooleanTransformer"]


class BooleanTransformer(Transformer):
    """A decoder with Boolean kernels for maps; all else is as in :class:`Transformer`.

    Parameters
    ----------
    weights : mapping of str to ndarray
        What stays real: ``embed``, ``head``, gains, and maps that are not in `maps`; kept as float32.
    maps : mapping of str to MultiKernelLinear
        The layers, by the names of maps; at least one.
    **options : object
        ``n_heads``, ``rotary_base``, ``epsilon`` and ``tokens`` of :class:`Transformer`.

    Attributes
    ----------
    maps : dict of str to MultiKernelLinear
        The layers.

    Raises
    ------
    TypeError, ValueError
        If something is missing, too much, or of another shape than the rest asks for.

    See Also
    --------
    distil : Trains one.

    Examples
    --------
    >>> from bvar import multikernel
    >>> teacher = multikernel.Transformer.random("abc ", width=16, hidden=32, n_blocks=1, random_state=0)
    >>> student = multikernel.BooleanTransformer.from_teacher(teacher, 2)
    >>> len(student.maps), student.n_bits_per_weight
    (7, 5.4)
    """

    def __init__(
        self, weights: Mapping[str, np.ndarray], maps: Mapping[str, MultiKernelLinear], **options: Any
    ) -> None:
        if not maps or not all(isinstance(layer, MultiKernelLinear) for layer in maps.values()):
            raise TypeError("maps must be one or more MultiKernelLinear, by name")
        if set(maps) & set(weights):
            raise ValueError(
                f"weights must not hold what maps do, got both of {sorted(set(maps) & set(weights))[:5]}"
            )
        self.maps = dict(maps)
        super().__init__(weights, **options)
        self.weights = {name: array.astype(np.float32, copy=False) for name, array in self.weights.items()}

    @classmethod
    def from_teacher(
        cls, teacher: Transformer, n_kernels: int | Mapping[str, int] = 2, *, n_rounds: int = 15
    ) -> BooleanTransformer:
        """Decompose the maps of a transformer.

        Parameters
        ----------
        teacher : Transformer
            Whose weights are taken; it stays as it is.
        n_kernels : int or mapping of str to int, default=2
            Number of kernels of every map, or of some: the others stay real. As :func:`allocate` gives.
        n_rounds : int, default=15
            Rounds of refinement, as for :func:`decompose`.

        Returns
        -------
        BooleanTransformer
            Not trained yet.

        Raises
        ------
        TypeError, ValueError
            If an argument has the wrong type, is out of range, or names no map.
        """
        if not isinstance(teacher, Transformer):
            raise TypeError(f"teacher must be a Transformer, got {type(teacher).__name__}")
        counts = _counts(n_kernels, teacher.map_names)
        maps = {
            name: MultiKernelLinear(decompose(teacher.weight(name), n, n_rounds=n_rounds))
            for name, n in counts.items()
        }
        rest = {name: array for name, array in teacher.weights.items() if name not in maps}
        return cls(rest, maps, **teacher.options)

    @property
    def n_bits_per_weight(self) -> float:
        """Bits of kernels and of scales, at 16 each, over the weights of maps with kernels."""
        bits = sum(layer.kernels.n_bits_per_weight * np.prod(layer.shape) for layer in self.maps.values())
        return float(bits / sum(np.prod(layer.shape) for layer in self.maps.values()))

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: layer.shape for name, layer in self.maps.items()}

    def logits(self, ids: np.ndarray, *, integers: bool = False) -> np.ndarray:
        """Score each token as the next one, at each position.

        Parameters
        ----------
        ids : array-like of int, shape (n_positions,) or (n_texts, n_positions)
            Numbers of tokens.
        integers : bool, default=False
            Whether maps add integers, as :meth:`MultiKernelLinear.infer` does; all else stays float.

        Returns
        -------
        ndarray of float, shape (n_texts, n_positions, n_tokens)
            The logits.
        """
        product = self._integer_product if integers else self._product
        return forward(self, check_ids(ids, self.n_tokens), product)[0]

    def generate(
        self,
        ids: np.ndarray,
        n_tokens: int,
        *,
        temperature: float = 1.0,
        context: int = 128,
        random_state: RandomSource = None,
        integers: bool = False,
    ) -> np.ndarray:
        """Continue a text, token by token; keys and values of what came before are kept.

        Parameters
        ----------
        ids : array-like of int, shape (n,)
            The beginning: one or more tokens.
        n_tokens : int
            How many to add.
        temperature : float, default=1
            What logits are divided by before a token is drawn; 0 takes the likeliest.
        context : int, default=128
            Positions that attention looks back on.
        random_state : None, int, RandomState or RandomWords, default=None
            Where the draws come from.
        integers : bool, default=False
            Whether maps multiply by the bits themselves, which is faster where they are wide: hundreds of outputs.

        Returns
        -------
        ndarray of int64, shape (n_tokens,)
            What follows.
        """
        product = self._integer_product if integers else self._product
        return self._generate(ids, n_tokens, temperature, context, RandomWords.of(random_state), product)

    def _integer_product(self, name: str, x: np.ndarray) -> np.ndarray:
        if name not in self.maps:
            return self._product(name, x)
        rows = x.reshape(-1, x.shape[-1])
        return self.maps[name].infer(rows).reshape(*x.shape[:-1], -1)

    def weight(self, name: str) -> np.ndarray:
        """Return the matrix of a map, composed of its kernels if it has some."""
        return self.maps[name].weight if name in self.maps else self.weights[name]


def _counts(n_kernels: int | Mapping[str, int], names: tuple[str, ...]) -> dict[str, int]:
    if not isinstance(n_kernels, Mapping):
        n_kernels = dict.fromkeys(names, n_kernels)
    strange = sorted(set(n_kernels) - set(names))
    if strange or not n_kernels:
        raise ValueError(f"n_kernels must name maps of the teacher, such as {names[0]!r}, got {strange[:5]}")
    return {name: check_integer(n, "n_kernels", low=1, high=MAX_KERNELS) for name, n in n_kernels.items()}
