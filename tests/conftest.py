"""Shared by all tests: Hypothesis profiles, the `backend` fixture, deliberate faults."""

import os

os.environ.setdefault(
    "OPENBLAS_NUM_THREADS", "1"
)  # before NumPy loads: threads of BLAS only quarrel in small products

import pytest
from hypothesis import HealthCheck, Phase, settings

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


# what takes a second of processor time and more, by the beginning of its name: too long for every few lines of a
# change, so `make test-fast` leaves it out
SLOW = (
    "tests/backends/test_backends.py",
    "tests/backends/test_twins.py::test_one_training_has_one_fingerprint",
    "tests/backends/test_twins.py::test_strategies_reach_the_seams",
    "tests/backends/test_twins.py::test_threads_share_large_work",
    "tests/circuit/test_circuit_c.py",
    "tests/circuit/test_circuit_simplify.py",
    "tests/circuit/test_circuit_verilog.py",
    "tests/cli/test_command_line.py",
    "tests/cli/test_demo.py",
    "tests/docs/test_docs.py::test_examples_of_a_page_run",
    "tests/docs/test_train_vgg_small.py",
    "tests/docs/test_tutorials.py::test_a_tutorial_runs",
    "tests/docs/test_tutorials.py::test_the_landing_page_runs",
    "tests/encoding/test_encoding.py::test_frames_equal_arrays",
    "tests/encoding/test_encoding.py::test_transform_is_encode_unpacked_and_blocks_do_not_show",
    "tests/estimators/test_defaults.py",
    "tests/estimators/test_estimator_options.py",
    "tests/estimators/test_estimators.py::test_scikit_learn_contract",
    "tests/estimators/test_logic_gate_classifier.py",
    "tests/estimators/test_mollified_bits.py",
    "tests/layers/test_gate_layer.py::test_one_fingerprint_on_every_backend",
    "tests/model_file/test_model_file.py::test_any_change",
    "tests/mollify/test_mollify_density.py",
    "tests/networks/test_conv_network.py",
    "tests/networks/test_gate_recovery.py",
    "tests/networks/test_network.py::test_three_hundred_steps_end_in_one_model",
    "tests/test_faults.py",
    "tests/test_version.py::test_importing_looks_for_a_namesake",
    "tests/testing",
)


def pytest_collection_modifyitems(items):
    for item in items:
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
