"""Mollified training: begin with noisy data, and take the noise away.

* :class:`SigmoidSchedule`, :class:`CosineSchedule` and :class:`LinearSchedule` say how much noise there is when;
* :func:`noise`, :func:`noise_at_time` and :func:`blur` degrade data;
* :class:`RealNVPDensity`, :class:`MAFDensity` and :class:`VAEDensity` learn densities, with
  such training or without;
* :class:`Mollifier` degrades samples at random and says how much to soften their labels, by
  :func:`noise_smoothing`, :func:`blur_smoothing` and :func:`soft_targets`;
* :class:`MollifiedClassifier` is a small real-valued network that trains on them;
* :func:`corrupted_scores` tests on corrupted images, most of them in ways not met in training;
* :func:`mollified_threshold` is a threshold in noise, and :class:`ThresholdAnnealing` takes that noise away.
"""

from bvar.mollify.annealing import ThresholdAnnealing
from bvar.mollify.blurring import blur, blur_scale
from bvar.mollify.calibration import attainable_accuracy, expected_calibration_error
from bvar.mollify.classifier import MollifiedClassifier
from bvar.mollify.corruptions import CORRUPTIONS, CorruptedScores, corrupt, corrupted_scores
from bvar.mollify.density import MAFDensity, RealNVPDensity, VAEDensity
from bvar.mollify.labels import blur_smoothing, confidence_matched_schedule, noise_smoothing, soft_targets
from bvar.mollify.mollifier import Mollifier, standard_moments, standardize
from bvar.mollify.noising import noise, noise_at_time
from bvar.mollify.schedules import (
    CosineSchedule,
    LinearSchedule,
    Schedule,
    SigmoidSchedule,
    progress,
)
from bvar.mollify.threshold import mollified_threshold, mollified_variation

__all__ = [
    "CORRUPTIONS",
    "CorruptedScores",
    "CosineSchedule",
    "LinearSchedule",
    "MAFDensity",
    "MollifiedClassifier",
    "Mollifier",
    "RealNVPDensity",
    "Schedule",
    "SigmoidSchedule",
    "ThresholdAnnealing",
    "VAEDensity",
    "attainable_accuracy",
    "blur",
    "blur_scale",
    "blur_smoothing",
    "confidence_matched_schedule",
    "corrupt",
    "corrupted_scores",
    "expected_calibration_error",
    "mollified_threshold",
    "mollified_variation",
    "noise",
    "noise_at_time",
    "noise_smoothing",
    "progress",
    "soft_targets",
    "standard_moments",
    "standardize",
]
