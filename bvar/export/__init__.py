"""Trained networks as C or as ONNX.

C: sums and gates of a sample at a time, without Python and without a library.

``c_network`` puts the header together, ``c_layers`` says what each layer becomes, ``layers`` what C and ONNX
share, ``c_answers`` what is made of scores, and ``c_parts`` has the C itself; ``questions`` is what an encoder
asks, ``names`` what users may call things, ``c_text`` how constants are written: these three serve
:mod:`bvar.circuit` too, whose C does 64 samples at a time.

The how-to page is ``docs/howto/export-network.md``.
"""

from bvar.export.c_answers import Best, Positive, Scaled
from bvar.export.c_network import CSource, network_to_c
from bvar.export.onnx_network import network_to_onnx

__all__ = ["Best", "CSource", "Positive", "Scaled", "network_to_c", "network_to_onnx"]
