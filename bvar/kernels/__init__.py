"""The hot operations: check the arguments, allocate the result, let the backend in force do the work.

``layout`` changes the layout of bits, ``forward`` sums gates over inputs, ``backward`` collects votes, ``numbers``
does both for inputs that are numbers, ``rows`` the first for one row at a time, ``tables`` for layers of gates,
``candidates`` for wires that are learnt, ``images`` for convolutions; ``votes`` centres and adds votes, ``update``
flips weights by them; ``memory`` is where large results come from.  All take and give
:class:`bvar.bits.BitMatrix` and plain arrays; all are exact, and equal on every backend.

Who ports them reads ``bvar/backends/definition.py``, which says in NumPy what each operation means.
"""

from bvar.kernels.backward import (
    MAX_TERMS,
    input_sums,
    input_votes,
    rescale,
    scale_signals,
    signal_sums,
    weight_votes,
)
from bvar.kernels.candidates import MAX_CANDIDATES, Candidates, candidate_votes
from bvar.kernels.forward import MAX_BITS, PreparedSum, PreparedWeights, gate_bits, gate_sum, prepare
from bvar.kernels.images import MAX_POOL, gather_patches, pixel_votes, pool_back, pool_max
from bvar.kernels.layout import (
    count_rows,
    pack,
    pack_levels,
    pack_threshold,
    transpose,
    unpack,
    unpack_ternary,
)
from bvar.kernels.numbers import number_votes, signed_sum
from bvar.kernels.rows import MAX_ROW, PreparedRows, prepare_rows, quantize_rows, row_sums
from bvar.kernels.tables import (
    MAX_FAN_IN,
    MAX_SAMPLES,
    MAX_SIGNAL,
    Wiring,
    count_groups,
    table_values,
    table_votes,
    values_beside,
    wire_votes,
)
from bvar.kernels.update import BAR, clipped_eta, dither, eta_units, flip, vote_and_flip
from bvar.kernels.votes import add_votes, center_votes, vote_norms

__all__ = [
    "BAR",
    "Candidates",
    "MAX_BITS",
    "MAX_CANDIDATES",
    "MAX_FAN_IN",
    "MAX_POOL",
    "MAX_ROW",
    "MAX_SAMPLES",
    "MAX_SIGNAL",
    "MAX_TERMS",
    "PreparedRows",
    "PreparedSum",
    "PreparedWeights",
    "Wiring",
    "add_votes",
    "candidate_votes",
    "center_votes",
    "clipped_eta",
    "count_groups",
    "count_rows",
    "dither",
    "eta_units",
    "flip",
    "gather_patches",
    "gate_bits",
    "gate_sum",
    "input_sums",
    "input_votes",
    "number_votes",
    "pack",
    "pack_levels",
    "pack_threshold",
    "pixel_votes",
    "pool_back",
    "pool_max",
    "prepare",
    "prepare_rows",
    "quantize_rows",
    "rescale",
    "row_sums",
    "scale_signals",
    "signal_sums",
    "signed_sum",
    "table_values",
    "table_votes",
    "transpose",
    "unpack",
    "unpack_ternary",
    "values_beside",
    "vote_and_flip",
    "vote_norms",
    "weight_votes",
    "wire_votes",
]
