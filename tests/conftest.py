"""Shared by all tests: Hypothesis profiles, the `backend` fixture, deliberate faults."""

import os

# before NumPy and scikit-learn load: in small products their threads only quarrel, and where other processes want
# the cores as well, threads of OpenMP that wait for each other cost many times what they win
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, Phase, settings
from slow import SLOW

from bvar import backends

_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]}
settings.register_profile("dev", max_examples=50, **_COMMON)
settings.register_profile("ci", max_examples=100, derandomize=True, print_blob=True, **_COMMON)
# a deliberate fault is found and that is all: nobody wants its smallest example, or to meet it again
settings.register_profile(
    "fault", settings.get_profile("ci"), database=None, phases=[Phase.explicit, Phase.generate]
)
_CHOSEN = "ci" if os.environ.get("CI") else os.environ.get("BVAR_HYPOTHESIS", "dev")
settings.load_profile("fault" if os.environ.get("BVAR_TEST_FAULT") else _CHOSEN)


def pytest_collection_modifyitems(items):
    for item in items:
        if " at 0x" in item.nodeid:  # another in every process, so two could not share the suite
            raise pytest.UsageError(f"the name of a test holds an address: {item.nodeid}")
        if item.nodeid.startswith(SLOW):
            item.add_marker("slow")


def pytest_report_header():
    return f"bvar backends: {', '.join(backends.available())}; in force: {backends.current()}"


def pytest_configure(config):
    """Break the package on purpose when tests/test_faults.py asks for it."""
    fault = os.environ.get("BVAR_TEST_FAULT")
    if fault:
        from faults import FAULTS

        FAULTS[fault].apply()


@pytest.fixture(params=backends.available())
def backend(request):
    """Run the test under every backend of this machine."""
    with backends.use(request.param):
        yield request.param
