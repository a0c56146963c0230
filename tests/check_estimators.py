"""scikit-learn's checks over many settings of each estimator: ``python -m tests.check_estimators`` runs them all.

The suite runs one pair of setting and check in `EVERY`, each setting among them (``tests/estimators``).  What is
expected to fail is named here, each with its reason.
"""

from __future__ import annotations

import re
import sys
import time
import warnings
from functools import partial
from itertools import count

from sklearn.utils.estimator_checks import estimator_checks_generator

from bvar import (
    BooleanClassifier,
    BooleanConvClassifier,
    BooleanRegressor,
    LogicGateClassifier,
    LogicGateConvClassifier,
    TableEncoder,
    ThermometerEncoder,
)
from bvar.augmentation import LearnedAugmentation, Noise
from bvar.mollify import LinearSchedule, Mollifier, ThresholdAnnealing
from bvar.networks import CrossEntropy, SquaredError
from bvar.training import RandomFlip

EVERY = 45

BASE = {"random_state": 0, "batch_size": 50}  # with 'auto', tables so small make fits of four times the time


def print_nothing(model):
    """Look on."""


COMMON = [  # each in addition to what its estimator needs to learn the tables of the checks
    {},
    {"early_stopping": True},
    {"early_stopping": True, "validation_fraction": 0.3, "n_iter_no_change": 50},
    {"warm_start": True},
    {"warm_start": True, "early_stopping": True},
    {"n_threads": 2},
    {"n_threads": 3, "backend": "auto"},
    {"backend": "numpy"},
    {"encoder": ThermometerEncoder(16)},
    {"encoder": ThermometerEncoder(32, "uniform")},
    {"encoder": TableEncoder(24)},
    {"encoder": TableEncoder(24, max_categories=None)},
    {"eta": 5},
    {"eta": 20.0},
    {"flip_noise": 0},
    {"flip_noise": 0.0, "batch_size": 20},
    {"flip_noise": 1 / 64},
    {"flip_noise": "auto"},
    {"batch_size": 5},
    {"batch_size": 40},
    {"batch_size": "auto"},
    {"max_iter": 100},
    {"max_iter": 70, "batch_size": 15},
    {"callbacks": []},
    {"callbacks": [print_nothing]},
    {"callbacks": ThresholdAnnealing(final_width=0.5)},
    {"random_state": 1},
    {"random_state": 2, "early_stopping": True},
    {"random_state": 3, "warm_start": True, "n_threads": 2},
    {"random_state": 4, "batch_size": 25},
    {"verbose": 0},
]
CLASSES = [
    {"class_weight": "balanced"},
    {"class_weight": "balanced", "early_stopping": True},
    {"temperature": 0.7},
    {"temperature": 1.5},
    {"loss": CrossEntropy},
    {"loss": partial(CrossEntropy, temperature=1.5)},
    {"augment": ()},
    {"augment": LearnedAugmentation(Noise(0.02))},
    {"mollifier": Mollifier("x")},
    {"mollifier": Mollifier("xxxn", schedule=LinearSchedule())},
]
SIZES = [{"hidden_layer_sizes": sizes} for sizes in ((), 100, (200,), (64, 64), [96, 40])]
SETTINGS = {
    BooleanClassifier: [{"hidden_layer_sizes": (64,), **one} for one in [*COMMON, *CLASSES, *SIZES]],
    BooleanRegressor: [
        {"hidden_layer_sizes": (64,), **one} for one in [*COMMON, *SIZES, {"loss": SquaredError(32)}]
    ],
    LogicGateClassifier: [
        {"layer_sizes": (200, 200), **one}
        for one in [
            *(one for one in COMMON if not isinstance(one.get("callbacks"), ThresholdAnnealing)),
            *CLASSES,
            *({"layer_sizes": sizes} for sizes in (300, [150, 151])),
            *({"fan_in": k} for k in (3, 4, 6)),
        ]
    ],
    BooleanConvClassifier: [
        {
            "conv_layers": (16,),
            "hidden_layer_sizes": (64,),
            "image_shape": (1, -1),
            "temperature": 1.0,
            "max_iter": 40,
            **one,
        }
        for one in [
            *(one for one in COMMON if not isinstance(one.get("encoder"), ThermometerEncoder | TableEncoder)),
            *CLASSES,
            *({"conv_layers": layers} for layers in ((24,), [16, 16])),
            {"kernel_size": 1},
            {"augment": RandomFlip(0.0, image_shape=None)},
        ]
    ],
    LogicGateConvClassifier: [
        {"conv_layers": (128,), "layer_sizes": (400, 200), "image_shape": (1, -1), "max_iter": 50, **one}
        for one in [
            *(
                one
                for one in COMMON
                if not isinstance(one.get("encoder"), ThermometerEncoder | TableEncoder)
                and not isinstance(one.get("callbacks"), ThresholdAnnealing)
            ),
            *CLASSES,
            {"depth": 2},
            {"fan_in": 3},
            {"head_fan_in": 3},
            {"kernel_size": 1},
        ]
    ],
}

WEIGHTS = (
    "a weight multiplies signals of int8 and rounds them, so that weights of 1 to 4 are not as many copies; "
    "weights of 0 and equal ones are, in a step on all samples without noise on bits, and that has a test. "
    "To pass, weights would have to enter the votes, as int16 signals, and batches to be larger than the data: "
    "MLPClassifier passes with its default batches of 200 for 15 samples, and fails with batches of eight"
)


PARTIAL = [
    "check_estimators_partial_fit_n_features",
    "check_fit_score_takes_y",
    "check_n_features_in_after_fitting",
]
TWICE = ["check_classifiers_multilabel_representation_invariance", "check_supervised_y_2d"]
LABELS = [
    "check_classifiers_multilabel_output_format_decision_function",
    "check_classifiers_multilabel_output_format_predict",
    "check_classifiers_multilabel_output_format_predict_proba",
    "check_classifiers_multilabel_representation_invariance",
]


def expected_failures(estimator):
    """Name the checks that an estimator cannot pass, each with its reason."""
    failures = {
        "check_sample_weight_equivalence_on_dense_data": WEIGHTS,
        "check_sample_weight_equivalence_on_sparse_data": WEIGHTS,
    }
    if estimator.early_stopping:
        why = "partial_fit holds no samples out, and says so, as scikit-learn's own networks do"
        failures |= dict.fromkeys(PARTIAL, why)
    if estimator.warm_start:
        why = "the check fits twice and compares, and the second fit goes on from the first, as it was told"
        failures |= dict.fromkeys(TWICE, why)
    if getattr(estimator, "loss", None) is not None:
        failures |= dict.fromkeys(LABELS, "the loss that was chosen is one of classes, not of labels")
    mollifier = getattr(estimator, "mollifier", None)
    if mollifier is not None or getattr(estimator, "augment", None):
        failures |= dict.fromkeys(PARTIAL, "partial_fit sees a sample once, and refuses to change it")
    if mollifier is not None and mollifier.roles.strip("x"):
        failures |= dict.fromkeys(LABELS, "a mollifier softens classes, and refuses labels")
    return failures


def pairs(every=1):
    """Yield estimators and checks, all of them or one in `every`, counted through all settings."""
    number = count()
    for kind, settings in SETTINGS.items():
        for parameters in settings:
            estimator = kind(**{**BASE, **parameters})
            checks = estimator_checks_generator(
                estimator, mark="skip", expected_failed_checks=expected_failures(estimator)
            )
            for fresh, check in checks:
                if next(number) % every == 0:
                    yield fresh, check


def name_of(value):
    """Name a check, which may be a partial function, or a setting: the same in every process."""
    return getattr(value, "func", value).__name__ if callable(value) else re.sub(r" at 0x\w+", "", repr(value))


def main(every=1):
    """Run the checks, print what fails, and return how many do."""
    began, n_run, n_failed = time.process_time(), 0, 0
    warnings.simplefilter("ignore")
    for estimator, check in pairs(every):
        n_run += 1
        try:
            check(estimator)
        except Exception as error:
            if type(error).__name__ != "SkipTest":
                n_failed += 1
                print(f"{estimator!r} {name_of(check)}: {str(error)[:300]}", flush=True)
    seconds = time.process_time() - began
    print(f"{sum(map(len, SETTINGS.values()))} settings, {n_run} checks, {n_failed} failed, {seconds:.0f} s")
    return n_failed


if __name__ == "__main__":
    raise SystemExit(bool(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)))
