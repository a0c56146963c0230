"""Fits that are stopped and go on from a file, to the model of a fit that nobody stopped."""

import shutil
from functools import partial

import numpy as np
import pandas as pd
import pytest

from bvar import (
    BooleanClassifier,
    BooleanConvClassifier,
    BooleanRegressor,
    LogicGateClassifier,
    ThermometerEncoder,
    kernels,
)
from bvar.augmentation import LearnedAugmentation, Shift
from bvar.augmentation.changes import RandomShift
from bvar.estimators import LogicGateConvClassifier
from bvar.estimators.resuming import digest, written_parameters
from bvar.layers import BooleanLinear
from bvar.model_file import ModelFileError
from bvar.mollify import Mollifier
from bvar.networks import BooleanOptimizer, CrossEntropy, Network
from bvar.training import Checkpoint, CheckpointFile, Interrupted, TargetScore, TimeLimit, Trainer, TrainingData

RNG = np.random.RandomState(0)
X = RNG.rand(120, 36)
Y = (X[:, :6].sum(axis=1) > 3).astype(int) + (X[:, 6] > 0.5)
WEIGHTS = RNG.rand(120) + 0.01
FEW = 4  # epochs


class Killed(Exception):
    """What happens to a process."""


def killed_after(n_epochs):
    def callback(model):
        if model.n_iter_ == n_epochs:
            raise Killed

    return callback


MODELS = {
    "classifier": (BooleanClassifier((16,), max_iter=FEW, batch_size=20), {}),
    "several layers and noise": (BooleanClassifier((12, 8), flip_noise=1 / 8, max_iter=FEW), {}),
    "chosen by itself": (BooleanClassifier(), {}),
    "light samples": (BooleanClassifier((16,), max_iter=FEW), {"sample_weight": WEIGHTS**3}),
    "early stopping": (
        BooleanClassifier((16,), max_iter=8, early_stopping=True, n_iter_no_change=2, batch_size=20),
        {},
    ),
    "validation samples": (BooleanClassifier((16,), max_iter=FEW), {"X_val": X[:30], "y_val": Y[:30]}),
    "augmented": (
        BooleanConvClassifier(max_iter=FEW, augment=RandomShift(1)),
        {"shape": (-1, 6, 6)},
    ),
    "augmented as it learns": (
        BooleanClassifier((16,), max_iter=FEW, augment=LearnedAugmentation([Shift(0.2)], image_shape=(6, 6))),
        {},
    ),
    "mollified": (BooleanClassifier((16,), max_iter=FEW, mollifier=Mollifier("xn")), {}),
    "labels": (BooleanClassifier((16,), max_iter=FEW), {"y": np.column_stack([Y > 0, Y > 1]).astype(int)}),
    "regressor": (BooleanRegressor((16,), max_iter=FEW), {"y": X[:, 0] - X[:, 1]}),
    "regressor chosen by itself": (BooleanRegressor(max_iter=6, early_stopping=True), {"y": X[:, 0] - X[:, 1]}),
    "monotone": (BooleanRegressor(max_iter=FEW, monotonic_cst=[1] + [0] * 35), {"y": X[:, 0] - X[:, 1]}),
    "gates": (LogicGateClassifier((60,), max_iter=FEW), {}),
    "convolution": (BooleanConvClassifier(max_iter=FEW), {}),
    "convolution of gates": (LogicGateConvClassifier(max_iter=FEW), {}),
}


def of(name, **parameters):
    model, how = MODELS[name]
    model = type(model)(**{**model.get_params(deep=False), "random_state": 0, **parameters})
    how = {"y": Y, **how}
    samples = X.reshape(how.pop("shape", X.shape))
    return lambda **more: model.fit(samples, **how, **more)


def same(one, other):
    assert one.network_.fingerprint() == other.network_.fingerprint()
    assert one.history_ == other.history_
    assert one.n_iter_ == other.n_iter_
    learnt = vars(one).keys() - {"callbacks", "network_", "encoder_"}
    assert learnt == vars(other).keys() - {"callbacks", "network_", "encoder_"}
    if hasattr(one, "augmentation_"):
        assert one.augmentation_.location_.tolist() == other.augmentation_.location_.tolist()
        assert one.augmentation_.history_ == other.augmentation_.history_
    for name in ("best_validation_score_", "probability_temperature_", "plan_"):
        assert getattr(one, name, None) == getattr(other, name, None)


@pytest.mark.parametrize("name", MODELS)
def test_a_fit_that_is_killed_after_any_epoch_goes_on_to_the_same_model(name, tmp_path):
    """What a killed fit has written is what a whole one writes on its way: so one fit writes them all."""
    path, written = tmp_path / "fit.bvar", []

    def keep(model):
        written.append(shutil.copy(path, tmp_path / f"{model.n_iter_}.bvar"))

    whole = of(name, callbacks=[CheckpointFile(path), keep])()
    same(of(name)(), whole)
    assert len(written) == whole.n_iter_
    for file in written:
        same(of(name)(resume=file), whole)


def test_a_fit_may_be_killed_again_and_again(tmp_path):
    name, path = "early stopping", tmp_path / "fit.bvar"
    whole, resume = of(name)(), None
    for n_epochs in range(1, whole.n_iter_):
        with pytest.raises(Killed):
            of(name, callbacks=[CheckpointFile(path), killed_after(n_epochs)])(resume=resume)
        resume = path
    same(of(name)(resume=path), whole)


def test_a_fit_goes_on_from_the_last_file_where_it_is_written_rarely(tmp_path):
    whole, path, epochs = of("classifier")(), tmp_path / "fit.bvar", []
    with pytest.raises(Killed):
        of("classifier", callbacks=[CheckpointFile(path, every=2), killed_after(3)])()
    model = of("classifier", callbacks=lambda model: epochs.append(model.n_iter_))(resume=path)
    same(model, whole)
    assert epochs == [3, 4]


def test_the_last_epoch_is_written_however_rarely_others_are(tmp_path):
    path = tmp_path / "fit.bvar"
    model = of("classifier", callbacks=CheckpointFile(path, every=3))()
    assert model.n_iter_ % 3
    assert Interrupted.read(path).checkpoint.n_iter == model.n_iter_


def test_nothing_is_trained_after_the_last_epoch(tmp_path):
    path, epochs = tmp_path / "fit.bvar", []
    whole = of("early stopping", callbacks=CheckpointFile(path, every=100))()
    of("early stopping", callbacks=CheckpointFile(path))()
    same(of("early stopping", callbacks=lambda model: epochs.append(model.n_iter_))(resume=path), whole)
    assert epochs == []


def test_a_fit_goes_on_without_the_seed_that_nobody_knew(tmp_path):
    path, whole = tmp_path / "fit.bvar", []
    model = BooleanClassifier((16,), max_iter=FEW, early_stopping=True, random_state=np.random.RandomState(3))

    def stop(model):
        whole.append(model.network_.fingerprint())
        return model.n_iter_ == 2

    model.set_params(callbacks=[CheckpointFile(path), stop]).fit(X, Y)
    for random_state in (None, np.random.RandomState(4)):
        again = BooleanClassifier((16,), max_iter=FEW, early_stopping=True, random_state=random_state)
        first = again.fit(X, Y, resume=path).network_.fingerprint()
    assert first == again.fit(X, Y, resume=path).network_.fingerprint()
    assert again.history_["loss"][:2] == model.history_["loss"]


def test_another_backend_may_go_on(tmp_path):
    path, whole = tmp_path / "fit.bvar", of("classifier")()
    with pytest.raises(Killed):
        of("classifier", callbacks=[CheckpointFile(path), killed_after(2)])()
    same(of("classifier", backend="numpy", n_threads=2, verbose=False)(resume=path), whole)


def test_a_warm_start_goes_on_from_the_model_that_it_began_with(tmp_path):
    path = tmp_path / "fit.bvar"
    warm = {"warm_start": True, "random_state": 0, "max_iter": 3}
    first, second, third = (BooleanClassifier((16,), **warm).fit(X, Y) for _ in range(3))
    first.fit(X, Y)
    with pytest.raises(Killed):
        second.set_params(callbacks=[CheckpointFile(path), killed_after(2)]).fit(X, Y)
    assert third.fit(X, Y, resume=path).network_.fingerprint() == first.network_.fingerprint()
    with pytest.raises(ValueError, match="differs in: network at the beginning"):
        third.fit(X, Y, resume=path)


def test_each_training_gets_a_clock_of_its_own(tmp_path):
    path = tmp_path / "fit.bvar"
    with pytest.raises(Killed):
        of("classifier", callbacks=[CheckpointFile(path), killed_after(2)])()
    assert of("classifier", callbacks=TimeLimit(1e6))(resume=path).n_iter_ == FEW


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda: of("classifier", max_iter=9), "differs in: parameters$"),
        (lambda: of("classifier", random_state=1), "differs in: parameters$"),
        (lambda: of("classifier", encoder=ThermometerEncoder(2)), "network at the beginning, parameters, samples"),
        (lambda: lambda **how: MODELS["classifier"][0].set_params(random_state=0).fit(X, 2 - Y, **how), "samples"),
        (
            lambda: lambda **how: MODELS["classifier"][0].set_params(random_state=0).fit(X, Y, WEIGHTS, **how),
            "differs in: samples$",
        ),
        (
            lambda: (
                lambda **how: MODELS["classifier"][0].set_params(random_state=0).fit(X, Y, X_val=X, y_val=Y, **how)
            ),
            "differs in: samples$",
        ),
    ],
)
def test_a_fit_of_something_else_is_refused_and_changes_nothing(change, text, tmp_path):
    path = tmp_path / "fit.bvar"
    of("classifier", callbacks=CheckpointFile(path))()
    with pytest.raises(ValueError, match=f"resume must be of a fit with the same parameters and samples.*{text}"):
        change()(resume=path)


def made(by):
    """Functions of one name; what they hold differs."""

    def double(x, random, *, n=by[0]):
        return x * by[1] + by[2](n)

    return double


def recursive(step):
    def down(x, random):
        return x if step > 8 else down(x + step, random)

    return down


FUNCTIONS = {
    "constants": (lambda: {"loss": lambda n: CrossEntropy(n)}, lambda: {"loss": lambda n: CrossEntropy(n + 1)}),
    "names": (lambda: {"loss": lambda n: n.real}, lambda: {"loss": lambda n: n.imag}),
    "defaults": (lambda: {"augment": [made((1, 2, abs))]}, lambda: {"augment": [made((3, 2, abs))]}),
    "closure": (lambda: {"augment": [made((1, 2, abs))]}, lambda: {"augment": [made((1, 3, abs))]}),
    "function in a closure": (
        lambda: {"augment": made((1, 2, lambda n: n + 1))},
        lambda: {"augment": made((1, 2, lambda n: n + 2))},
    ),
    "array in a closure": (
        lambda: {"augment": made((1, np.arange(5000) % 3, abs))},
        lambda: {"augment": made((1, np.arange(5000) % 4, abs))},
    ),
    "a function that holds on to itself": (
        lambda: {"augment": recursive(3)},
        lambda: {"augment": recursive(4)},
    ),
    "part of a function": (
        lambda: {"augment": partial(lambda x, random: x + 1)},
        lambda: {"augment": partial(lambda x, random: x + 2)},
    ),
    "loss": (lambda: {"loss": CrossEntropy(9)}, lambda: {"loss": CrossEntropy(10)}),
    "long array": (
        lambda: {"monotonic_cst": np.arange(5000) % 3},
        lambda: {"monotonic_cst": np.arange(5000) % 4},
    ),
}


@pytest.mark.parametrize(("one", "other"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_parameters_of_one_repr_are_told_apart(one, other):
    first, again, another = (written_parameters(BooleanClassifier(**p())) for p in (one, one, other))
    assert first == again
    assert first != another


def test_a_loss_that_has_been_used_is_the_same():
    """It keeps logarithms that it has once needed."""
    loss = CrossEntropy(16)
    model = BooleanClassifier((16,), loss=loss, max_iter=1, early_stopping=True, random_state=0)
    before, held = written_parameters(model), set(vars(loss))
    model.fit(X, Y)
    assert set(vars(loss)) > held
    assert written_parameters(model) == before


def test_a_fit_with_another_function_is_refused(tmp_path):
    path = tmp_path / "fit.bvar"
    of("classifier", loss=lambda n: CrossEntropy(n), callbacks=CheckpointFile(path))()
    with pytest.raises(ValueError, match=r"differs in: parameters$"):
        of("classifier", loss=lambda n: CrossEntropy(n, 2.0))(resume=path)


def test_where_no_function_is_among_them_parameters_are_their_repr():
    """As in the files of the releases so far."""
    assert written_parameters(MODELS["mollified"][0]).endswith("'warm_start': False}")
    assert written_parameters(BooleanClassifier(loss=CrossEntropy)).endswith("'warm_start': False}")


def test_a_value_that_is_missing_is_no_value_that_is_false():
    """Their words are the same, what is known of them is not."""
    missing, false = (kernels.pack(np.array([[1, value]], np.int8)) for value in (0, -1))
    assert (missing.words == false.words).all()
    assert digest([missing]) != digest([false])


def test_what_is_no_checkpoint_is_refused(tmp_path):
    fit, path = of("classifier"), tmp_path / "fit.bvar"
    with pytest.raises(FileNotFoundError):
        fit(resume=path)
    with pytest.raises(TypeError, match="resume must be a str or path-like, got 3"):
        fit(resume=3)
    fit().save(path)
    with pytest.raises(ValueError, match="resume must be a file of a CheckpointFile in fit, got a BooleanClassif"):
        fit(resume=path)
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(ModelFileError):
        fit(resume=path)


def test_what_cannot_be_written_is_said_before_training(tmp_path):
    epochs = []
    with pytest.raises(OSError, match="nowhere"):
        of("classifier", callbacks=[CheckpointFile(tmp_path / "nowhere" / "fit.bvar"), epochs.append])()

    class Mine(BooleanLinear):
        pass

    network = Network([Mine(36, 2, random_state=0)], CrossEntropy(36), BooleanOptimizer(10))
    data = TrainingData(ThermometerEncoder(1).fit(X).encode(X), (Y > 0).astype(int))
    with pytest.raises(TypeError, match="Mine"):
        Trainer(network).run(data, callbacks=[CheckpointFile(tmp_path / "fit.bvar"), epochs.append])
    assert epochs == []
    with pytest.raises(ValueError, match="every must be an integer >= 1, got 0"):
        CheckpointFile(tmp_path / "fit.bvar", every=0)


def test_a_trainer_without_estimator_goes_on_too(tmp_path):
    from bvar import model_file
    from bvar.bits import RandomWords
    from bvar.networks import boolean_mlp

    path = tmp_path / "run.bvar"
    data = TrainingData(ThermometerEncoder(1).fit(X).encode(X), Y, flip_noise=1 / 8)

    def trainer():
        return Trainer(boolean_mlp([36, 8, 3], random_state=0))

    whole = trainer().run(data, 3, random_state=0)
    with pytest.raises(Killed):
        trainer().run(data, 3, callbacks=[CheckpointFile(path), killed_after(2)], random_state=0)
    later, source, checkpoint = trainer(), RandomWords(0), model_file.load(path)
    assert isinstance(checkpoint, Checkpoint)
    checkpoint.restore(later, source)
    later.run(data, 3, random_state=source, begin=checkpoint.n_iter)
    assert later.network_.fingerprint() == whole.network_.fingerprint()
    assert later.history_ == whole.history_


def test_a_frame_and_a_score_to_reach_are_no_obstacle(tmp_path):
    path, frame = tmp_path / "fit.bvar", pd.DataFrame(X).rename(columns="x{}".format)
    model = BooleanClassifier((16,), max_iter=FEW, callbacks=[CheckpointFile(path), TargetScore(2.0)])
    model.set_params(random_state=0).fit(frame, Y)
    assert model.fit(frame, Y, resume=path).history_ == of("classifier", batch_size="auto")().history_
