"""What classifiers of gates share: they can be taken out as circuits."""

from __future__ import annotations

from sklearn.utils.validation import check_is_fitted

from bvar.circuit import Circuit
from bvar.networks.network import Network

__all__ = ["HasCircuit"]


class HasCircuit:
    """A classifier whose network is made of gates, with a count at the end."""

    network_: Network

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
