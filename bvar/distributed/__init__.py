"""Training where the samples are: the same model, bit for bit, by however many workers, whoever of them dies.

``rows`` says which rows of whom a batch has and what chance holds for them, ``wire`` what travels, ``shard`` what
a worker does, ``coordinator`` how a crew of workers takes a step. They know no framework: ``processes`` reaches
workers through the standard library. The page is ``docs/howto/train-on-a-cluster.md``.
"""

from bvar.distributed.coordinator import Coordinator, Workers, WorkersLost
from bvar.distributed.processes import Processes
from bvar.distributed.wire import bytes_of_step
from bvar.networks.flips import follow

__all__ = ["Coordinator", "Processes", "Workers", "WorkersLost", "bytes_of_step", "follow"]
