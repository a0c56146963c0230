r"""A transformer whose maps are sums of Boolean kernels (``docs/explanation/multi-kernel.md``)."""

from __future__ import annotations

import numpy as np

from bvar.bits.random import RandomSource, RandomWords
from bvar.multikernel.boolean_stack import BooleanStack
from bvar.multikernel.texts import check_ids
from bvar.multikernel.transformer import Transformer

__all__ = ["BooleanTransformer"]


class BooleanTransformer(BooleanStack, Transformer):
    """A decoder with Boolean kernels for maps; all else is as in :class:`Transformer`.

    Parameters
    ----------
    weights : mapping of str to ndarray
        What stays real: ``embed``, ``head``, gains, and maps that are not in `maps`; kept as float32.
    maps : mapping of str to MultiKernelLinear
        The layers, by the names of maps; at least one.
    **options : object
        ``n_heads``, ``rotary_base``, ``epsilon``, ``tokens`` and ``design`` of :class:`Transformer`.

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
    bvar.real.boolean_transformer : A network whose maps multiply bits by bits, trained by votes without a teacher.

    Examples
    --------
    >>> from bvar import multikernel
    >>> teacher = multikernel.Transformer.random("abc ", width=16, hidden=32, n_blocks=1, random_state=0)
    >>> student = multikernel.BooleanTransformer.from_teacher(teacher, 2)
    >>> len(student.maps), student.n_bits_per_weight
    (7, 5.4)
    """

    teacher_type = Transformer

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
        return self._forward(check_ids(ids, self.n_tokens), self._chosen_product(integers))[0]

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
            Positions that attention looks back on, its own among them, in the beginning as in what follows.
        random_state : None, int, RandomState or RandomWords, default=None
            Where the draws come from.
        integers : bool, default=False
            Whether maps multiply by the bits themselves, which is faster where they are wide: hundreds of outputs.

        Returns
        -------
        ndarray of int64, shape (n_tokens,)
            What follows.

        Raises
        ------
        TypeError, ValueError
            If `ids` are no numbers of tokens or more texts than one, or a number is out of range.
        """
        product = self._chosen_product(integers)
        return self._generate(ids, n_tokens, temperature, context, RandomWords.of(random_state), product)
