"""The oracle; it ships with the conformance kit, so that a port anywhere can be compared with it."""

from bvar.testing.oracle.definitions import *  # noqa: F403
