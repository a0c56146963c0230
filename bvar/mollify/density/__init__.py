"""Densities by maximum likelihood, with noise on the data that is taken away during training.

:class:`RealNVPDensity` and :class:`MAFDensity` are normalising flows, :class:`VAEDensity` has latent variables.
They are NumPy throughout, with gradients derived by hand.
"""

from bvar.mollify.density.maf import MAFDensity
from bvar.mollify.density.realnvp import RealNVPDensity
from bvar.mollify.density.vae import VAEDensity

__all__ = ["MAFDensity", "RealNVPDensity", "VAEDensity"]
