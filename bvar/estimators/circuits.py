"""What classifiers of gates share: they can be taken out as circuits and as chips."""

from __future__ import annotations

from typing import Any

from sklearn.utils.validation import check_is_fitted

from bvar.circuit import Chip, Circuit, chip_to_verilog, make_chip
from bvar.encoding import BitEncoder
from bvar.networks.network import Network

__all__ = ["HasCircuit"]


class HasCircuit:
    """A classifier whose network is made of gates, with a count at the end."""

    network_: Network
    encoder_: BitEncoder
    multilabel_: bool

    def circuit(self, *, simplify: bool = True) -> Circuit:
        """Take the trained network out as a circuit from encoded bits to scores.

        Parameters
        ----------
        simplify : bool, default=True
            Whether to leave out what has no influence on a score, and to share what is computed twice.

        Returns
        -------
        bvar.circuit.Circuit
            Its inputs are the bits of `encoder_` in their order, its scores those of `decision_function`.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        """
        check_is_fitted(self, "network_")
        circuit = Circuit.from_network(self.network_)
        return circuit.simplify() if simplify else circuit

    def chip(
        self,
        *,
        level: int = 2,
        width: int = 8,
        signed: bool = False,
        answer: str = "class",
        pipeline: int | None = None,
        lut_inputs: int | None = None,
    ) -> Chip:
        """Take the whole model out as a chip, from raw columns to the number of a class.

        Parameters
        ----------
        level : int, default=2
            How hard the circuit is made smaller, see :func:`bvar.circuit.simplify`.
        width : int, default=8
            Bits of each raw column, 1 to 32: columns are integers, as they should have been in `fit`.
        signed : bool, default=False
            Whether columns are in two's complement; else they are unsigned.
        answer : {'class', 'scores'}, default='class'
            Whether to answer with the number of the class in `classes_`, or with a count for each class.
        pipeline : int, optional
            Number of levels after which registers come. Default: no registers.
        lut_inputs : int, optional
            Fuse gates into tables of so many inputs: 6 for FPGAs. Default: leave gates as they are.

        Returns
        -------
        bvar.circuit.Chip
            Comparators for what `encoder_` asks, the gates, counters, and the choice of a class: see
            :func:`bvar.circuit.make_chip`.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        TypeError, ValueError
            If an argument is not as described, the encoder asks of text, or a class is to be chosen where the
            targets were labels.

        See Also
        --------
        to_verilog : The same as text.
        bvar.circuit.write_testbench : Write it with samples, and what checks it.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from bvar import LogicGateClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> X = (10 * X).astype(int)  # millimetres
        >>> model = LogicGateClassifier((60, 30), max_iter=5, random_state=0).fit(X, y)
        >>> chip = model.chip(width=7)
        >>> int((chip.evaluate(X) != model.predict(X)).sum())  # answers that differ
        0
        """
        circuit = self.circuit(simplify=False).simplify(level)
        if answer == "class" and self.multilabel_:
            raise ValueError("answer must be 'scores' for a model of labels, which chooses no class, got 'class'")
        return make_chip(
            circuit,
            self.encoder_,
            width=width,
            signed=signed,
            answer=answer,
            pipeline=pipeline,
            lut_inputs=lut_inputs,
        )

    def to_verilog(self, name: str = "chip", **options: Any) -> str:
        """Write the whole model as a Verilog module, from raw columns to the number of a class.

        Parameters
        ----------
        name : str, default='chip'
            Name of the module.
        **options
            What :meth:`chip` takes: `width`, `pipeline`, `lut_inputs` and others.

        Returns
        -------
        str
            Verilog-2001, see :func:`bvar.circuit.chip_to_verilog`.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        TypeError, ValueError
            As :meth:`chip`, or if `name` cannot be the name of a module.

        Examples
        --------
        >>> from bvar import LogicGateClassifier
        >>> X, y = [[0, 9], [3, 2], [5, 7], [8, 1]], [0, 1, 0, 1]
        >>> model = LogicGateClassifier((12, 12), max_iter=5, random_state=0).fit(X, y)
        >>> model.to_verilog("tiny", width=4).splitlines()[1]
        'module tiny #('
        """
        return chip_to_verilog(self.chip(**options), name)
