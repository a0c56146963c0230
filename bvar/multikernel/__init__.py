"""Several Boolean kernels for one real matrix, and transformers of them (``docs/explanation/multi-kernel.md``).

``decompose`` writes a matrix as kernels, ``linear`` multiplies with them, ``votes`` flips their bits.
``transformer`` is a decoder in NumPy, ``encoder`` makes points of sentences; ``boolean_transformer`` and
``boolean_encoder`` are the same with kernels.  What they share is in ``stack`` and ``boolean_stack``;
``passes``, ``blocks`` and ``contexts`` compute, as ``designs`` say, and ``weights`` and ``texts`` are what
they take.  ``distil`` trains, ``allocate`` spends bits.  Models of others come by way of ``pretrained``,
``layouts`` and ``safetensors``, their tokenizers by way of ``tokenizers``, ``byte_pairs`` and
``word_pieces``.  Float, and so outside the promise of equal bits.
"""

from bvar.multikernel.allocate import allocate, measure_rises, sizes
from bvar.multikernel.boolean_encoder import BooleanEncoder
from bvar.multikernel.boolean_transformer import BooleanTransformer
from bvar.multikernel.byte_pairs import BytePairs
from bvar.multikernel.decompose import MAX_KERNELS, Kernels, decompose
from bvar.multikernel.distil import Distiller, History, distil, distil_sentences
from bvar.multikernel.encoder import Encoder
from bvar.multikernel.linear import MultiKernelLinear
from bvar.multikernel.pretrained import load_pretrained
from bvar.multikernel.safetensors import read_safetensors
from bvar.multikernel.texts import windows
from bvar.multikernel.tokenizers import load_tokenizer
from bvar.multikernel.transformer import Transformer
from bvar.multikernel.votes import RealVotes, automatic_eta
from bvar.multikernel.word_pieces import WordPieces

__all__ = [
    "MAX_KERNELS",
    "BooleanEncoder",
    "BooleanTransformer",
    "BytePairs",
    "Distiller",
    "Encoder",
    "History",
    "Kernels",
    "MultiKernelLinear",
    "RealVotes",
    "Transformer",
    "WordPieces",
    "allocate",
    "automatic_eta",
    "decompose",
    "distil",
    "distil_sentences",
    "load_pretrained",
    "load_tokenizer",
    "measure_rises",
    "read_safetensors",
    "sizes",
    "windows",
]
