"""Training where the samples are: the same model, bit for bit, by however many workers, whoever of them dies.

``rows`` says which rows of whom a batch has and what chance holds for them, ``wire`` what travels, ``shard`` what
a worker does, ``coordinator`` how a crew of workers takes a step. They know no framework: ``processes`` reaches
workers through the standard library; ``cluster``, ``tables``, ``encoders``, ``fitting`` and ``estimators`` reach
those of a Dask cluster, and need the extra `dask`. The page is ``docs/howto/train-on-a-cluster.md``.
"""

from typing import TYPE_CHECKING, Any

from bvar._extras import missing
from bvar.distributed.coordinator import Coordinator, Workers, WorkersLost
from bvar.distributed.processes import Processes, in_processes
from bvar.distributed.wire import bytes_of_step
from bvar.networks.flips import follow

if TYPE_CHECKING:
    from bvar.distributed.estimators import (
        DaskBooleanClassifier,
        DaskBooleanConvClassifier,
        DaskBooleanRegressor,
        DaskLogicGateClassifier,
    )

__all__ = [
    "Coordinator",
    "DaskBooleanClassifier",
    "DaskBooleanConvClassifier",
    "DaskBooleanRegressor",
    "DaskLogicGateClassifier",
    "Processes",
    "Workers",
    "WorkersLost",
    "bytes_of_step",
    "follow",
    "in_processes",
]


def __getattr__(name: str) -> Any:
    """Import what needs Dask when it is asked for: the rest does without."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from bvar.distributed import estimators
    except ModuleNotFoundError as error:
        raise missing("dask", f"estimators on a cluster, as {name},") from error
    return getattr(estimators, name)
