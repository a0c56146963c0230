"""Mollified training: begin with noisy data, and take the noise away.

* :class:`SigmoidSchedule`, :class:`CosineSchedule` and :class:`LinearSchedule` say how much noise there is when;
* :func:`noise`, :func:`noise_at_time` and :func:`blur` degrade data;
* :class:`RealNVPDensity`, :class:`MAFDensity` and :class:`VAEDensity` learn densities, with
  such training or without.
"""

from bvar.mollify.blurring import blur, blur_scale
from bvar.mollify.density import MAFDensity, RealNVPDensity, VAEDensity
from bvar.mollify.noising import noise, noise_at_time
from bvar.mollify.schedules import (
    CosineSchedule,
    LinearSchedule,
    Schedule,
    SigmoidSchedule,
    progress,
)

__all__ = [
    "CosineSchedule",
    "LinearSchedule",
    "MAFDensity",
    "RealNVPDensity",
    "Schedule",
    "SigmoidSchedule",
    "VAEDensity",
    "blur",
    "blur_scale",
    "noise",
    "noise_at_time",
    "progress",
]
