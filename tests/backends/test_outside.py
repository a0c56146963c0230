"""A backend from outside is as good as one of the package: used by name, trained, saved, loaded, proved."""

import re
from pathlib import Path

import numpy as np
import pytest
from plain import Plain

from bvar import BooleanClassifier, LogicGateClassifier, backends, load
from bvar.backends import BackendUnavailable, protocol
from bvar.backends.compiled import CompiledBackend
from bvar.estimators import BooleanConvClassifier
from bvar.testing import check_backend

ROOT = Path(__file__).parents[2]
R = np.random.RandomState(0)
X = R.rand(120, 9) - 0.5
Y = (X[:, 0] * X[:, 1] > 0).astype(int)

MODELS = {
    "layers": lambda: BooleanClassifier(20, max_iter=3, random_state=0),
    "gates": lambda: LogicGateClassifier([40, 40], max_iter=3, random_state=0),
    "images": lambda: BooleanConvClassifier(image_shape=(3, 3), conv_layers=[8], max_iter=2, random_state=0),
}


@pytest.fixture
def plain():
    backends.register(Plain())
    yield "plain"
    backends.unregister("plain")


@pytest.mark.parametrize("model", MODELS)
def test_a_model_trained_by_it_is_the_same_and_can_be_saved_and_loaded(model, plain, tmp_path):
    want = MODELS[model]().set_params(backend="numpy").fit(X, Y)
    got = MODELS[model]().set_params(backend=plain).fit(X, Y)
    assert got.backend_ == "plain"
    assert got.network_.fingerprint() == want.network_.fingerprint()
    got.save(tmp_path / "model.bvar")
    again = load(tmp_path / "model.bvar")
    assert again.backend == "plain"
    np.testing.assert_array_equal(again.predict_proba(X), want.predict_proba(X))


def test_the_kit_proves_it(plain):
    report = check_backend(plain, examples=5)
    assert report.ok, str(report)


def test_it_is_found_by_name_and_by_auto_and_shown(plain, capsys):
    before = backends.current()
    assert backends.available()[-1] == plain
    assert backends.get("auto").name == plain
    assert backends.current() == before  # what is in force does not change
    backends.show()
    assert re.search(r"^    plain +runs$", capsys.readouterr().out, re.M)


def test_it_leaves_nothing_behind():
    before = backends.available()
    backends.register(Plain())
    backends.unregister("plain")
    assert backends.available() == before
    with pytest.raises(BackendUnavailable, match="'plain' is not available \\(no backend has this name\\)"):
        backends.use("plain")


def test_one_that_cannot_run_says_why():
    backends.register_missing("plain", "this machine has no patience")
    with pytest.raises(BackendUnavailable, match="'plain' is not available \\(this machine has no patience\\)"):
        backends.use("plain")
    backends.register(Plain())  # it can after all
    assert "plain" not in protocol.missing()
    backends.unregister("plain")
    assert "plain" not in backends.available()


def test_an_incomplete_one_is_refused():
    class Partial(Plain):
        vote_norms = None
        flip = None

    before = backends.available()
    with pytest.raises(TypeError, match=r"every part of Backend, got .*Partial.* without vote_norms, flip$"):
        backends.register(Partial())
    with pytest.raises(TypeError, match=r"without with_threads, pack, .*, name$"):
        backends.register(object())
    assert backends.available() == before


@pytest.mark.parametrize("name", ["numpy", "auto", "c"])
def test_a_taken_name_is_refused(name):
    backend = Plain()
    backend.name = name
    with pytest.raises(ValueError, match=f"backend must have a name that is not taken, got '{name}'"):
        backends.register(backend)
    assert backends.get("numpy").name == "numpy"
    assert not isinstance(backends.get("numpy"), Plain)


def test_the_page_lists_the_places_of_an_operation():
    """What names every operation is a place to edit; those that need memory have one more."""
    operations = [name for name in protocol.KERNELS if name not in vars(CompiledBackend)]
    folders = ("bvar/backends", "bvar/_cext", "tests/backends/test_twins.py")
    files = [f for folder in folders for f in [ROOT / folder, *(ROOT / folder).rglob("*")] if f.is_file()]
    texts = {
        f.relative_to(ROOT).as_posix(): f.read_text("utf-8")
        for f in files
        if f.suffix in (".py", ".pyx", ".h", ".c")
    }
    texts.pop("bvar/_cext/_kernels.c", None)  # made from the .pyx
    places = {name for name, text in texts.items() if all(re.search(rf"\b{op}\b", text) for op in operations)}
    page = (ROOT / "docs/develop/add-a-kernel.md").read_text("utf-8")
    section = page[page.index("## Six places") : page.index("## A function of its own")]
    assert places == set(re.findall(r"^\d\. \*\*`([^`]+)`\*\*", section, re.M))
