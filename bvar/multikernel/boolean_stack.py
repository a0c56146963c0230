r"""Models whose maps are sums of Boolean kernels (``docs/explanation/multi-kernel.md``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np

from bvar._validation import check_integer
from bvar.multikernel.decompose import MAX_KERNELS, decompose
from bvar.multikernel.linear import MultiKernelLinear
from bvar.multikernel.passes import Product
from bvar.multikernel.stack import Stack
from bvar.multikernel.weights import in_float32

__all__ = ["BooleanStack"]


class BooleanStack(Stack):
    """Blocks with kernels for maps: stands before :class:`Transformer` or :class:`Encoder` among the bases."""

    teacher_type: ClassVar[type[Stack]]
    maps: dict[str, MultiKernelLinear]

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
        strange = sorted(set(maps) - {*self.map_names, "embed"})
        if strange:
            raise ValueError(f"maps must be named as those of blocks are, or embed, got {strange[:5]}")
        self.weights = {name: in_float32(array, name) for name, array in self.weights.items()}

    @classmethod
    def from_teacher(cls, teacher: Stack, n_kernels: int | Mapping[str, int] = 2, *, n_rounds: int = 15) -> Self:
        """Decompose the maps of a model.

        Parameters
        ----------
        teacher : Transformer or Encoder
            Whose weights are taken; it stays as it is.
        n_kernels : int or mapping of str to int, default=2
            Number of kernels of every map, or of some: the others stay real. As :func:`allocate` gives. The
            embedding may have kernels too if it is named, ``embed``; they are not trained.
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
        if not isinstance(teacher, cls.teacher_type):
            raise TypeError(
                f"teacher must be of the type {cls.teacher_type.__name__}, got {type(teacher).__name__}"
            )
        counts = _counts(n_kernels, teacher.map_names)
        maps = {
            name: MultiKernelLinear(decompose(teacher.weight(name), n, n_rounds=n_rounds))
            for name, n in counts.items()
        }
        rest = {name: array for name, array in teacher.weights.items() if name not in maps}
        return cls(rest, maps, **teacher.options)

    @property
    def trained_maps(self) -> dict[str, MultiKernelLinear]:
        """The maps that distillation trains: those of blocks."""
        return {name: layer for name, layer in self.maps.items() if name != "embed"}

    @property
    def n_bytes(self) -> int:
        """Size of the model: bits packed, and every real number in the bytes that it has here."""
        kernels = [layer.kernels for layer in self.maps.values()]
        bits = sum(part.words.nbytes for each in kernels for part in each.signs)
        scales = sum(each.output_scales.nbytes + each.input_scales.nbytes for each in kernels)
        return bits + scales + sum(array.nbytes for array in self.weights.values())

    @property
    def n_bits_per_weight(self) -> float:
        """Bits of kernels and of scales, at 16 each, over the weights of maps with kernels."""
        bits = sum(layer.kernels.n_bits_per_weight * np.prod(layer.shape) for layer in self.maps.values())
        return float(bits / sum(np.prod(layer.shape) for layer in self.maps.values()))

    def _chosen_product(self, integers: bool) -> Product:
        return self._integer_product if integers else self._product

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: layer.shape for name, layer in self.maps.items()}

    def _integer_product(self, name: str, x: np.ndarray) -> np.ndarray:
        if name not in self.maps:
            return self._product(name, x)
        rows = x.reshape(-1, x.shape[-1])
        return self.maps[name].infer(rows).reshape(*x.shape[:-1], -1)

    def rows(self, ids: np.ndarray) -> np.ndarray:
        """Return the rows of the embedding that belong to tokens, composed of its kernels if it has some."""
        return self.maps["embed"].rows(ids) if "embed" in self.maps else super().rows(ids)

    def weight(self, name: str) -> np.ndarray:
        """Return the matrix of a map, composed of its kernels if it has some."""
        return self.maps[name].weight if name in self.maps else self.weights[name]


def _counts(n_kernels: int | Mapping[str, int], names: tuple[str, ...]) -> dict[str, int]:
    if not isinstance(n_kernels, Mapping):
        n_kernels = dict.fromkeys(names, n_kernels)
    strange = sorted(set(n_kernels) - {*names, "embed"})
    if strange or not n_kernels:
        raise ValueError(f"n_kernels must name maps of the teacher, such as {names[0]!r}, got {strange[:5]}")
    return {name: check_integer(n, "n_kernels", low=1, high=MAX_KERNELS) for name, n in n_kernels.items()}
