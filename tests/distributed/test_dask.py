"""A Dask cluster of two processes: the local model, bit for bit, whatever the chunks, the workers and who dies."""

import os
import pickle
import signal
import time

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits

from bvar import BooleanClassifier, BooleanConvClassifier, BooleanRegressor, LogicGateClassifier, load
from bvar.encoding import OneHotBits, TableEncoder, ThermometerEncoder

pytest.importorskip("distributed", reason="needs Dask: the extra `dask`, which the extra `test` includes")

import dask
import dask.array as da
import dask.dataframe as dd
import pandas as pd
import polars as pl
import scipy.sparse
from distributed import Client, LocalCluster

from bvar.distributed import (
    DaskBooleanClassifier,
    DaskBooleanConvClassifier,
    DaskBooleanRegressor,
    DaskLogicGateClassifier,
    WorkersLost,
)
from bvar.distributed.cluster import DaskWorkers
from bvar.inspection import explain, importance
from bvar.training import CheckpointFile
from bvar.training.data import rows_of

pytestmark = pytest.mark.filterwarnings("default")  # Dask's own

DIGITS = load_digits()
X, Y = DIGITS.data[:400], DIGITS.target[:400]
RAGGED = (1, 150, 0, 3, 246)
SMALL = {"hidden_layer_sizes": (32,), "max_iter": 2, "batch_size": 100, "random_state": 0}


@pytest.fixture(scope="module")
def cluster():
    # a worker whose new process is slow to come would be given up after 15 s, and never replaced
    patience = {"distributed.deploy.lost-worker-timeout": "1h", "distributed.worker.memory.terminate": False}
    with dask.config.set({**patience, "bvar.limit": "20s"}):
        cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50)
        yield cluster
        cluster.close(timeout=10)


@pytest.fixture(scope="module")
def client(cluster):
    with Client(cluster) as client:
        yield client


def with_workers(client, cluster, n):
    cluster.scale(n)
    deadline = time.monotonic() + 120
    while len(client.nthreads()) != n:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return client


def arrays(*values, chunks=RAGGED):
    return [None if v is None else da.from_array(v, chunks=(chunks, *(-1,) * (v.ndim - 1))) for v in values]


def assert_same(model, local):
    assert model.network_.fingerprint() == local.network_.fingerprint()
    assert model.history_ == local.history_
    assert model.n_iter_ == local.n_iter_


# ------------------------------------------------------------------------------------------- the same model


def missing(x):
    gaps = x.copy()
    gaps[np.random.RandomState(0).rand(*x.shape) < 0.1] = np.nan
    return gaps


WEIGHTS = np.where(Y > 6, 1.0, 0.05) * np.linspace(0.5, 1, len(Y))
WEIGHTS[::50] = 0
CASES = {
    "signals": ({}, X, None, "signals"),
    "votes": ({"batch_size": 350}, X, None, "votes"),
    "noise": ({"flip_noise": 3 / 64}, X, None, "signals"),
    "weights": ({"flip_noise": 1 / 64}, X, WEIGHTS, "signals"),
    "missing": ({"flip_noise": 1 / 64}, missing(X), None, "signals"),
    "early stopping": ({"early_stopping": True, "n_iter_no_change": 1, "max_iter": 3}, X, None, "signals"),
    "chosen": ({"hidden_layer_sizes": "auto", "gates": 50, "max_iter": 1}, X[:, 20:44], None, "signals"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_model_and_its_history_are_the_local_ones(client, case):
    changes, x, weights, way = CASES[case]
    parameters = {**SMALL, **changes}
    local = BooleanClassifier(**parameters).fit(x, Y, weights)
    model = DaskBooleanClassifier(client=client, **parameters).fit(*arrays(x, Y, weights))
    assert_same(model, local)
    assert model.way_ == way
    for name in ("plan_", "held_out_losses_", "probability_temperature_", "best_validation_score_"):
        assert getattr(model, name, None) == getattr(local, name, None)


FRAME = pd.DataFrame(
    {
        "age": np.where(Y % 7 == 0, np.nan, X[:, 20] + Y),
        "job": np.array(["cook", "smith", "pilot", None], dtype=object)[Y % 4],
        "wed": Y % 3 == 0,
        "ink": X[:, 30].astype(np.uint8),
        "gone": np.full(len(Y), None, dtype=object),
    }
)


@pytest.mark.parametrize(
    ("encoder", "weights"),
    [
        (None, None),
        (TableEncoder(16, "supervised", categorical=["ink"]), None),
        (OneHotBits(max_categories=9), WEIGHTS),
    ],
    ids=["default", "supervised", "one hot"],
)
def test_a_frame_of_mixed_columns_is_learnt_as_if_it_were_whole(client, encoder, weights):
    """In three partitions, of which pandas keeps the index; early stopping shuffles the rows."""
    parameters = {**SMALL, "encoder": encoder, "early_stopping": True}
    local = BooleanClassifier(**parameters).fit(FRAME, Y, weights)
    x = dd.from_pandas(FRAME, npartitions=3, sort=False)
    y = dd.from_pandas(pd.Series(Y), npartitions=3, sort=False)
    cut = tuple(len(y.partitions[i]) for i in range(3))
    model = DaskBooleanClassifier(client=client, **parameters).fit(x, y, *arrays(weights, chunks=cut))
    assert_same(model, local)
    assert model.encoder_.get_feature_names_out().tolist() == local.encoder_.get_feature_names_out().tolist()
    answers = model.predict(x)
    assert isinstance(answers, dd.Series)
    assert (answers.compute() == local.predict(FRAME)).all()


TABLES = {
    "some rows": (TableEncoder(subsample=90), X, {"early_stopping": True}),
    "some rows of numbers": (ThermometerEncoder(5, subsample=90), X, {"early_stopping": True}),
    "constants": (None, np.where(np.arange(64) % 9, 3.0, X), {}),
    "nothing but constants": (None, np.where(np.arange(64) < 3, np.nan, np.full((400, 64), 3.0)), {}),
    "codes": (None, np.stack([X[:, 20], Y * 7 % 10, Y], axis=1), {}),
}


@pytest.mark.parametrize("table", TABLES)
def test_what_columns_have_to_do_with_each_other_is_what_it_is_locally(client, table):
    encoder, x, more = TABLES[table]
    parameters = {**SMALL, "encoder": encoder, "max_iter": 1, **more}
    local = BooleanClassifier(**parameters).fit(x, Y)
    model = DaskBooleanClassifier(client=client, **parameters).fit(*arrays(x, Y))
    assert_same(model, local)
    assert getattr(model.encoder_, "code_like_", None) == getattr(local.encoder_, "code_like_", None)
    assert [t.tolist() for t in model.encoder_.thresholds_] == [t.tolist() for t in local.encoder_.thresholds_]


def test_a_warm_start_goes_on_from_the_network_as_locally(client):
    local = BooleanClassifier(warm_start=True, **SMALL).fit(X, Y).fit(X, Y)
    model = DaskBooleanClassifier(client=client, warm_start=True, **SMALL)
    assert_same(model.fit(*arrays(X, Y)).fit(*arrays(X, Y)), local)


KINDS = {
    "arrays": X,
    "sparse": scipy.sparse.csr_matrix(X),
    "pandas": pd.DataFrame(X),
    "polars": pl.DataFrame({f"pixel {i}": X[:, i] for i in range(20, 30)}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_lists_of_delayed_pieces_of_any_kind_will_do(client, kind):
    parameters = {**SMALL, "encoder": ThermometerEncoder(3), "early_stopping": True}
    whole, parts = KINDS[kind], [slice(0, 170), slice(170, 400)]
    x, y = ([dask.delayed(rows_of(one, part)) for part in parts] for one in (whole, Y))
    local = BooleanClassifier(**parameters).fit(whole, Y)
    model = DaskBooleanClassifier(client=client, **parameters).fit(x, y)
    assert_same(model, local)
    answers = [found.compute() for found in model.predict(x)]
    assert (np.concatenate(answers) == local.predict(whole)).all()


OTHERS = {
    "regressor": (
        DaskBooleanRegressor,
        BooleanRegressor,
        {"early_stopping": True, **SMALL},
        X,
        X[:, :2] + Y[:, None],
    ),
    "gates": (
        DaskLogicGateClassifier,
        LogicGateClassifier,
        {"layer_sizes": (200, 100), "max_iter": 2, "batch_size": 100, "random_state": 0},
        X,
        Y,
    ),
    "images": (
        DaskBooleanConvClassifier,
        BooleanConvClassifier,
        {"conv_layers": (4, "M"), "flip_noise": 1 / 32, **SMALL},
        DIGITS.images[:400],
        Y,
    ),
    "labels": (
        DaskBooleanClassifier,
        BooleanClassifier,
        SMALL,
        X,
        np.stack([Y > 4, Y % 2 == 0], axis=1).astype(int),
    ),
}


@pytest.mark.parametrize("case", OTHERS)
def test_every_estimator_is_the_local_one(client, case):
    far, near, parameters, x, y = OTHERS[case]
    local = near(**parameters).fit(x, y)
    model = far(client=client, **parameters).fit(*arrays(x, y))
    assert_same(model, local)
    (lazy,) = arrays(x)
    assert (model.predict(lazy).compute() == local.predict(x)).all()
    assert model.score(*arrays(x, y)) == local.score(x, y)
    assert type(model.to_local()) is near


def test_callbacks_and_progress_are_those_of_the_local_fit(client, capsys):
    seen = {True: [], False: []}

    def look(model):
        seen["client" in model.get_params()].append((model.n_iter_, model.network_.fingerprint()))
        return model.n_iter_ == 2

    parameters = {**SMALL, "max_iter": 5, "callbacks": look, "verbose": 2}
    BooleanClassifier(**parameters).fit(X, Y)
    printed = capsys.readouterr().out
    DaskBooleanClassifier(client=client, **parameters).fit(*arrays(X, Y))
    assert seen[True] == seen[False]
    assert len(seen[True]) == 2
    assert capsys.readouterr().out == printed


def test_every_worker_holds_its_own_samples_as_bits_and_no_others(client, cluster):
    with_workers(client, cluster, 2)
    held, before = [], set(client.who_has())  # what other tests left, until nothing refers to it any more

    def look(model):
        end = time.monotonic() + 30  # a busy cluster lets go of things by and by
        while (found := kept(client, before)) != [1, 1] and time.monotonic() < end:
            time.sleep(0.05)
        held.append(found)

    x, y = arrays(X, Y, chunks=(100, 100, 100, 100))
    DaskBooleanClassifier(client=client, callbacks=look, **SMALL).fit(x, y)
    assert held == SMALL["max_iter"] * [[1, 1]]


def kept(client, before):
    """On how many workers each shard is, in order; then the keys of what is there and training does not need."""
    found = {str(key): homes for key, homes in client.who_has().items() if homes and key not in before}
    shards = [homes for key, homes in found.items() if key.startswith("bvar-join")]
    others = [key for key in found if key.startswith(("array", "('array", "bvar-check", "bvar-encode"))]
    return [*sorted(map(len, shards)), *others, *({"on one worker"} if len(set(shards)) < len(shards) else ())]


def test_answers_are_lazy_and_what_is_fitted_is_local(client, tmp_path):
    model = DaskBooleanClassifier(client=client, **SMALL).fit(*arrays(X, Y))
    local = BooleanClassifier(**SMALL).fit(X, Y)
    (lazy,) = arrays(X)
    for name in ("predict", "predict_proba", "decision_function"):
        answers = getattr(model, name)(lazy)
        assert isinstance(answers, da.Array)
        assert answers.dtype == getattr(local, name)(X).dtype
        assert (answers.compute() == getattr(local, name)(X)).all()
    assert (model.predict(X) == local.predict(X)).all()
    model.save(tmp_path / "model.bvar")
    assert type(load(tmp_path / "model.bvar")) is BooleanClassifier
    assert pickle.loads(pickle.dumps(model)).predict(X).tolist() == local.predict(X).tolist()
    assert clone(model).client is client
    assert "workers sent signals; bytes of a step: votes" in model.summary()


@pytest.mark.parametrize("n_workers", [1, 3])
def test_the_number_of_workers_does_not_show(n_workers):
    parameters = {**SMALL, "batch_size": 350, "flip_noise": 1 / 64}
    threads = {"processes": False, "n_workers": n_workers, "threads_per_worker": 1, "dashboard_address": ":0"}
    with Client(**threads) as client:
        model = DaskBooleanClassifier(client=client, **parameters).fit(*arrays(X, Y))
    assert_same(model, BooleanClassifier(**parameters).fit(X, Y))


# ------------------------------------------------------------------------------------------- what is wrong


def test_mistakes_are_told_before_anything_is_trained(client, monkeypatch):
    model = DaskBooleanClassifier(client=client, **SMALL)
    x, y = arrays(X, Y)
    for wrong, error, message in [
        ((X, y), TypeError, "X must be a Dask array, frame or series, or a list of delayed, got ndarray"),
        ((x, Y), TypeError, "y must be a Dask array"),
        ((x, None), ValueError, "requires y to be passed"),
        ((x, *arrays(Y, chunks=(200, 200))), ValueError, "y must have as many partitions as X, 5, got 2"),
        (
            (x, *arrays(Y, chunks=(1, 149, 1, 3, 246))),
            ValueError,
            "y must have the rows of X in each partition, but partition 1 of X has 150, and that of y 149",
        ),
        (arrays(np.where(X == 16, np.inf, X), Y), ValueError, "infinity"),
        (arrays(X, np.zeros(400, int)), ValueError, "y must have at least two classes"),
    ]:
        with pytest.raises(error, match=message):
            model.fit(*wrong)
        assert not hasattr(model, "network_")
    with pytest.raises(ValueError, match="augment must be None on a cluster, for samples are changed one after"):
        DaskBooleanClassifier(client=client, augment=object()).fit(x, y)
    with pytest.raises(ValueError, match="X_val and y_val must be None on a cluster"):
        DaskBooleanClassifier(client=client).fit(x, y, X_val=x, y_val=y)
    with pytest.raises(TypeError, match="X must be in memory for partial_fit"):
        model.partial_fit(x, Y, classes=np.unique(Y))
    with pytest.raises(TypeError, match=r"client must be None or a dask\.distributed\.Client, got 3"):
        DaskBooleanClassifier(client=3).fit(x, y)
    monkeypatch.setattr("bvar.distributed.cluster.__version__", "0.0")
    with pytest.raises(RuntimeError, match=r"workers must have bvar 0\.0, as the client has, but tcp://.* has "):
        model.fit(x, y)


def test_without_a_client_the_error_says_how_to_make_one(monkeypatch):
    def none():
        raise ValueError("no global client")

    monkeypatch.setattr("distributed.get_client", none)
    with pytest.raises(ValueError, match=r"client must be .*: there is none; Client\(\) starts a cluster"):
        DaskBooleanClassifier().fit(*arrays(X, Y))


# ------------------------------------------------------------------------------------------------- deaths


def killing(monkeypatch, client, at, which):
    """Send SIGKILL to workers in the middle of a step: when its questions have been asked."""
    submit, steps = DaskWorkers._submit, []

    def and_kill(self, questions, name):
        futures = submit(self, questions, name)
        if next(iter(questions.values())).what != "scores":
            steps.append(name)
        if len(steps) == at:
            pids = list(client.run(os.getpid).values())[which]
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
        return futures

    monkeypatch.setattr(DaskWorkers, "_submit", and_kill)
    return steps


@pytest.mark.parametrize("batch_size", [100, 350], ids=["signals", "votes"])
def test_a_worker_killed_in_the_middle_of_a_step_costs_time_and_not_the_model(
    client, cluster, monkeypatch, batch_size
):
    parameters = {**SMALL, "batch_size": batch_size, "flip_noise": 1 / 64}
    with_workers(client, cluster, 2)
    steps = killing(monkeypatch, client, 2, slice(1))
    model = DaskBooleanClassifier(client=client, **parameters).fit(*arrays(X, Y))
    assert len(steps) > 2
    assert_same(model, BooleanClassifier(**parameters).fit(X, Y))


def test_if_all_workers_are_killed_fit_says_so_and_goes_on_later_to_the_same_model(client, cluster, monkeypatch):
    with_workers(client, cluster, 2)
    parameters = {**SMALL, "max_iter": 3, "early_stopping": True, "flip_noise": 1 / 64}
    model = DaskBooleanClassifier(client=client, **parameters)
    for nanny in cluster.workers.values():
        nanny.close_gracefully()  # which starts no other worker when its own is gone
    with monkeypatch.context() as patch, dask.config.set({"bvar.limit": "1s"}):
        killing(patch, client, 7, slice(None))
        begun = time.monotonic()
        with pytest.raises(WorkersLost, match=r"the cluster has had no workers for 1 s, at signals-\w+-\d+"):
            model.fit(*arrays(X, Y))
        assert time.monotonic() - begun < 60
    assert not hasattr(model, "network_")
    assert model.checkpoint_.checkpoint.n_iter == 1
    with_workers(client, cluster, 0)
    with_workers(client, cluster, 2)
    with pytest.raises(ValueError, match=r"checkpoint_ must be of a fit .* differs in: parameters: `del"):
        model.set_params(eta=3.0).fit(*arrays(X, Y))
    model.set_params(eta=10.0).fit(*arrays(X, Y))
    assert_same(model, BooleanClassifier(**parameters).fit(X, Y))
    assert not hasattr(model, "checkpoint_")


def test_a_fit_that_is_stopped_goes_on_from_a_file_to_the_same_model(client, cluster, tmp_path):
    with_workers(client, cluster, 2)
    parameters, path = (
        {**SMALL, "max_iter": 3, "early_stopping": True, "flip_noise": 1 / 64},
        tmp_path / "fit.bvar",
    )

    def stop(model):
        return model.n_iter_ == 2

    stopped = DaskBooleanClassifier(client=client, callbacks=[CheckpointFile(path), stop], **parameters)
    assert stopped.fit(*arrays(X, Y)).n_iter_ == 2
    model = DaskBooleanClassifier(client=client, **parameters).fit(*arrays(X, Y), resume=path)
    assert_same(model, BooleanClassifier(**parameters).fit(X, Y))
    with pytest.raises(ValueError, match=r"resume must be of a fit .* differs in: parameters"):
        model.set_params(eta=3.0).fit(*arrays(X, Y), resume=path)


def test_what_a_model_of_the_cluster_looks_at_is_told_as_of_the_local_one(client, cluster):
    with_workers(client, cluster, 2)
    model = DaskBooleanClassifier(client=client, **SMALL).fit(*arrays(X, Y))
    local = BooleanClassifier(**SMALL).fit(X, Y)
    ours, theirs = explain(model, X[0]), explain(local, X[0])
    assert ours.feature_support.tolist() == theirs.feature_support.tolist()
    assert ours.bit_decides.tolist() == theirs.bit_decides.tolist()
    expected = importance(local, X, Y).importances.tolist()
    assert importance(model, X, Y).importances.tolist() == expected
    assert importance(model, *arrays(X, Y)).importances.tolist() == expected
    with pytest.raises(TypeError, match="X must be in memory for partial_fit and explanations"):
        explain(model, arrays(X, Y)[0][:1])
