"""Several Boolean kernels for one real matrix, and transformers of them (``docs/explanation/multi-kernel.md``).

``decompose`` writes a matrix as kernels, ``linear`` multiplies with them, ``votes`` flips their bits;
``transformer`` is a decoder in NumPy, ``boolean_transformer`` the same with kernels, ``passes``, ``blocks`` and
``contexts`` are what both compute, ``weights`` and ``texts`` what they take; ``distil`` trains one and
``allocate`` spends bits; ``safetensors`` and ``llama`` read models of others.  Float, and so outside the promise
of equal bits.
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
