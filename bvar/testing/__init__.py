"""The conformance kit: prove a port of Boolean variation, in any language.

Whoever writes a port needs three things of this folder: ``subjects/protocol.py``, what a port is asked;
``oracle/definitions.py``, what the answers mean, one bit at a time; and ``vectors/``, questions with answers in
JSON.  The rest asks: ``kit`` runs vectors and laws and reports, ``make`` wrote the vectors and draws the inputs of
laws.

A port is right when it passes levels 0 to 6, and level 6 is a whole training run with an equal fingerprint.  What
it is compared with is one plain-Python oracle: through vectors, which are JSON files, and through laws, for which
Hypothesis draws inputs and shrinks those that fail.  How to write a port is on ``docs/howto/write-a-port.md``; the
functions and formats are on ``docs/reference/conformance.md``.
"""

from bvar.testing.kit.laws import LAWS
from bvar.testing.kit.report import Expectations, Finding, Report
from bvar.testing.kit.runner import check_backend, check_port, load_vectors, write_vectors
from bvar.testing.subjects.process import Port, PortError
from bvar.testing.subjects.protocol import FUNCTIONS, LEVELS, Subject, Unsupported

__all__ = [
    "FUNCTIONS",
    "LAWS",
    "LEVELS",
    "Expectations",
    "Finding",
    "Port",
    "PortError",
    "Report",
    "Subject",
    "Unsupported",
    "check_backend",
    "check_port",
    "load_vectors",
    "write_vectors",
]
