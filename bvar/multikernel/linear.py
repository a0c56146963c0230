r"""A linear map with several Boolean kernels: forward, backward, votes (``docs/explanation/multi-kernel.md``).

.. math:: y = x W^\top, \quad W = \sum_k a_k b_k^\top \circ e(B_k); \qquad G = z^\top x, \qquad
          Q_{kji} = a_{kj} \, G_{ji} \, b_{ki}

W is composed once, and G is one product for all kernels: votes on their bits and the gradients of their scales
follow from it entry by entry, so that training costs no more for more kernels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bvar._validation import as_array, check_integer
from bvar.backends import current
from bvar.bits import BitMatrix
from bvar.kernels import PreparedRows, prepare_rows, quantize_rows, row_sums
from bvar.multikernel.decompose import Kernels, compose, signs_of

__all__ = ["MultiKernelLinear"]


class MultiKernelLinear:
    """Multiply rows by a matrix that is a sum of Boolean kernels.

    Parameters
    ----------
    kernels : Kernels
        Bits and scales; copied.

    Attributes
    ----------
    signs : tuple of BitMatrix, each of shape (n_outputs, n_inputs)
        The kernels.
    output_scales : ndarray of float32, shape (n_kernels, n_outputs)
        Factors of rows.
    input_scales : ndarray of float32, shape (n_kernels, n_inputs)
        Factors of columns.

    Raises
    ------
    TypeError
        If `kernels` are none.

    See Also
    --------
    BooleanTransformer : Has such layers for maps.
    RealVotes : Flips the bits.

    Notes
    -----
    Who changes bits or scales in place calls :meth:`changed`. Signals and votes are real numbers, not the integers
    of :mod:`bvar.layers`: reproducible on one machine, outside the promise of equal bits.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import multikernel
    >>> layer = multikernel.MultiKernelLinear(multikernel.decompose([[3.0, -1.0], [0.5, 2.0]], 2))
    >>> y, context = layer.forward(np.array([[1.0, 1.0]], np.float32))
    >>> y.round(5)
    array([[2. , 2.5]], dtype=float32)
    """

    def __init__(self, kernels: Kernels) -> None:
        if not isinstance(kernels, Kernels):
            raise TypeError(f"kernels must be Kernels, as decompose makes, got {type(kernels).__name__}")
        self.signs = tuple(bits.copy() for bits in kernels.signs)
        self.output_scales = kernels.output_scales.copy()
        self.input_scales = kernels.input_scales.copy()
        self._weight: np.ndarray | None = None
        self._rows: list[PreparedRows] = []

    def __repr__(self) -> str:
        """Tell how many kernels there are, and of what shape."""
        return f"<map of {self.n_kernels} kernels of shape {self.shape}>"

    @property
    def n_kernels(self) -> int:
        """Number of kernels, K."""
        return len(self.signs)

    @property
    def shape(self) -> tuple[int, int]:
        """The shape of the matrix, (n_outputs, n_inputs)."""
        return self.signs[0].shape

    @property
    def kernels(self) -> Kernels:
        """A copy of bits and scales."""
        signs = [bits.copy() for bits in self.signs]
        return Kernels(signs, self.output_scales.copy(), self.input_scales.copy())

    @property
    def weight(self) -> np.ndarray:
        """The matrix, composed when it is first asked for: float32, to be read only."""
        if self._weight is None:
            self._weight = compose(self.signs, self.output_scales, self.input_scales)
            self._weight.flags.writeable = False
        return self._weight

    def rows(self, places: np.ndarray) -> np.ndarray:
        """Compose some rows of the matrix, as an embedding needs them.

        Parameters
        ----------
        places : ndarray of int64, of any shape
            Numbers of rows.

        Returns
        -------
        ndarray of float32, of that shape and n_inputs
            ``weight[places]``, of which the rest is not composed.
        """
        flat = places.reshape(-1)
        signs = [BitMatrix(bits.words[flat], bits.n_bits) for bits in self.signs]
        return compose(signs, self.output_scales[:, flat], self.input_scales).reshape(*places.shape, -1)

    def changed(self) -> None:
        """Forget what was made of bits and scales, since they have changed."""
        self._weight, self._rows = None, []

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, Any]:
        """Multiply rows by the matrix.

        Parameters
        ----------
        x : ndarray of float, shape (n_rows, n_inputs)
            Inputs.

        Returns
        -------
        output : ndarray of float, shape (n_rows, n_outputs)
            ``x @ weight.T``.
        context : object
            For :meth:`backward` and :meth:`weight_gradient`.
        """
        return x @ self.weight.T, x

    def infer(self, x: np.ndarray) -> np.ndarray:
        r"""Multiply one row, or few, by the bits themselves: integers inside, for a token at a time.

        .. math:: y_j = \sum_k a_{kj} \, d_k \sum_i e(B_{kji}) \, q_{ki}, \qquad
                  q_k = \operatorname{round}(x \circ b_k / d_k)

        Parameters
        ----------
        x : ndarray of float32, shape (n_rows, n_inputs)
            Inputs, finite; rounded to some hundred steps for each kernel by :func:`bvar.kernels.quantize_rows`.

        Returns
        -------
        ndarray of float32, shape (n_rows, n_outputs)
            About ``x @ weight.T``. The inner sums are integers, and everything else is elementwise in the order
            of the kernels: equal on every backend.
        """
        if not self._rows or self._rows[0].backend != current():
            self._rows = [prepare_rows(bits) for bits in self.signs]
        out = np.zeros((len(x), self.shape[0]), np.float32)
        for rows, a, b in zip(self._rows, self.output_scales, self.input_scales, strict=True):
            q, step = quantize_rows(x, b)
            part = row_sums(q, rows).astype(np.float32)
            part *= step[:, None]
            part *= a
            out += part
        return out

    def backward(self, signal: np.ndarray, context: Any) -> np.ndarray:
        """Pass signals down to the inputs.

        Parameters
        ----------
        signal : ndarray of float, shape (n_rows, n_outputs)
            Gradient in the outputs.
        context : object
            What :meth:`forward` returned.

        Returns
        -------
        ndarray of float, shape (n_rows, n_inputs)
            ``signal @ weight``.
        """
        return signal @ self.weight

    def weight_gradient(self, signal: np.ndarray, context: Any) -> np.ndarray:
        """Compute the gradient in the composed matrix, the one product that serves all kernels.

        Parameters
        ----------
        signal : ndarray of float, shape (n_rows, n_outputs)
            Gradient in the outputs.
        context : object
            What :meth:`forward` returned.

        Returns
        -------
        ndarray of float, shape (n_outputs, n_inputs)
            ``signal.T @ x``.
        """
        return signal.T @ context

    def votes(self, gradient: np.ndarray, k: int) -> np.ndarray:
        """Compute the real votes on the bits of a kernel.

        Parameters
        ----------
        gradient : ndarray of float, shape (n_outputs, n_inputs)
            Of :meth:`weight_gradient`.
        k : int
            Number of the kernel, from 0.

        Returns
        -------
        ndarray of float, shape (n_outputs, n_inputs)
            Positive where the loss rises as the bit goes from F to T: by twice the vote, to first order.

        Raises
        ------
        TypeError, ValueError
            If there is no such kernel, or `gradient` has another shape than the matrix.
        """
        k = check_integer(k, "k", low=0, high=self.n_kernels - 1)
        return self._check_gradient(gradient) * self.input_scales[k] * self.output_scales[k][:, None]

    def gradients(self, gradient: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compute the gradients in the scales of all kernels.

        Parameters
        ----------
        gradient : ndarray of float, shape (n_outputs, n_inputs)
            Of :meth:`weight_gradient`.

        Returns
        -------
        output_scales : ndarray of float, shape (n_kernels, n_outputs)
            For each row of each kernel.
        input_scales : ndarray of float, shape (n_kernels, n_inputs)
            For each column of each kernel.

        Raises
        ------
        ValueError
            If `gradient` has another shape than the matrix.
        """
        gradient = self._check_gradient(gradient)
        in_outputs, in_inputs = np.empty_like(self.output_scales), np.empty_like(self.input_scales)
        for k, bits in enumerate(self.signs):
            signed = signs_of(bits)
            signed *= gradient
            np.einsum("ji,i->j", signed, self.input_scales[k], out=in_outputs[k], casting="same_kind")
            np.einsum("ji,j->i", signed, self.output_scales[k], out=in_inputs[k], casting="same_kind")
        return in_outputs, in_inputs

    def _check_gradient(self, gradient: np.ndarray) -> np.ndarray:
        gradient = as_array(gradient, "gradient")
        if gradient.shape != self.shape:
            raise ValueError(f"gradient must have shape {self.shape}, got {gradient.shape}")
        return gradient
