"""What all encoders share: the contract of scikit-learn, blocks, names, missing values, kinds of tables."""

import json
import pickle
import tracemalloc

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks

from bvar import backends, kernels
from bvar.bits import BitMatrix
from bvar.encoding import OneHotBits, TableEncoder, ThermometerEncoder

ENCODERS = [
    ThermometerEncoder(),
    ThermometerEncoder(3, strategy="supervised"),
    OneHotBits(),
    OneHotBits(max_categories=2, min_frequency=2),
    TableEncoder(),
    TableEncoder(strategy="supervised"),
    TableEncoder(categorical=[0], max_categories=3),
]
each_encoder = pytest.mark.parametrize("encoder", ENCODERS, ids=str)
DTYPES = [np.bool_, np.int8, np.uint8, np.int32, np.int64, np.uint64, np.float16, np.float32, np.float64]


def small_table(n_rows=150, n_columns=3, low=0, high=4, seed=0):
    return np.random.default_rng(seed).integers(low, high, (n_rows, n_columns))


def fitted(encoder, X):
    return clone(encoder).fit(X, np.arange(X.shape[0]) % 3)


def assert_same_bits(one, other):
    assert one.shape == other.shape
    np.testing.assert_array_equal(one.words, other.words, strict=True)
    assert (one.known is None) == (other.known is None)
    if one.known is not None:
        np.testing.assert_array_equal(one.known, other.known, strict=True)


# ------------------------------------------------------------------------------- scikit-learn


@parametrize_with_checks(ENCODERS)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore")
@each_encoder
def test_the_contract_is_not_empty(encoder):
    """No check is expected to fail, and none is skipped but the one that needs a switch of SciPy."""
    results = check_estimator(clone(encoder), on_skip=None)
    assert not {r["check_name"] for r in results if r["status"] != "passed"} - {"check_array_api_input"}
    assert sum(r["status"] == "passed" for r in results) >= 40


@each_encoder
def test_copies_are_equal(encoder):
    X = small_table()
    one = fitted(encoder, X)
    assert clone(encoder).get_params() == one.get_params()
    other = pickle.loads(pickle.dumps(one))
    assert_same_bits(other.encode(X), one.encode(X))
    assert other.get_feature_names_out().tolist() == one.get_feature_names_out().tolist()


@each_encoder
def test_the_fitted_state_is_plain(encoder):
    """Lists of numbers and strings, so that any file format can hold it, and setting it makes the same encoder."""

    def plain(value):
        return value.tolist() if isinstance(value, np.ndarray) else value

    X = small_table()
    one = fitted(encoder, X)
    state = {k: [plain(v) for v in s] if isinstance(s, list) else plain(s) for k, s in vars(one).items()}
    state = json.loads(json.dumps(state))
    other = type(encoder)()
    for name, value in state.items():
        is_thresholds = name == "thresholds_"
        setattr(other, name, [np.array(v, np.float64) for v in value] if is_thresholds else value)
    assert_same_bits(other.encode(X), one.encode(X))
    assert other.get_feature_names_out().tolist() == one.get_feature_names_out().tolist()


def test_encoders_work_in_pipelines_and_set_output():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"age": [10.0, 20, 30], "job": ["cook", "smith", "cook"]})
    model = make_pipeline(TableEncoder(strategy="supervised"), DecisionTreeClassifier(random_state=0))
    assert model.fit(frame, [0, 1, 0]).predict(frame).tolist() == [0, 1, 0]
    out = TableEncoder().set_output(transform="pandas").fit_transform(frame)
    assert out.columns.tolist() == ["age>=15", "age>=25", "job=cook", "job=smith"]
    assert out.to_numpy().tolist() == [[-1, -1, 1, -1], [1, -1, -1, 1], [1, 1, 1, -1]]


# ------------------------------------------------------------------------------------- blocks


@each_encoder
@given(data=st.data())
def test_transform_is_encode_unpacked_and_blocks_do_not_show(encoder, data):
    n_rows = data.draw(st.sampled_from([1, 63, 64, 65, 128, 200]))
    X = small_table(n_rows, 3, seed=data.draw(st.integers(0, 99))).astype(float)
    one = fitted(encoder, X)
    X[np.random.default_rng(0).random(X.shape) < data.draw(st.sampled_from([0, 0.01, 0.5, 1]))] = np.nan
    whole = one.encode(X)
    np.testing.assert_array_equal(kernels.unpack_ternary(whole), one.transform(X), strict=True)
    assert whole.shape == (n_rows, one.n_bits_out_)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bvar.encoding.base._BLOCK", 1)
        assert_same_bits(one.encode(X), whole)
    for size in (1, 7, 64, 1000):
        parts = list(one.encode_blocks(X, size))
        assert max(map(len, parts)) == min(size, n_rows)
        assert_same_bits(BitMatrix.concatenate(parts), whole)


@each_encoder
def test_backends_agree(encoder, backend):
    X = small_table(200).astype(float)
    X[::7, 1] = np.nan
    one = fitted(encoder, X)
    bits = one.encode(X)
    with backends.use("numpy"):
        assert_same_bits(one.encode(X), bits)


@pytest.mark.parametrize("encoder", [ThermometerEncoder(), TableEncoder()], ids=str)
def test_no_table_is_converted_as_a_whole(encoder, monkeypatch):
    """Encoding takes blocks; the memory of anything but the code does not grow with the rows."""
    monkeypatch.setattr("bvar.encoding.base._BLOCK", 2**14)
    X = small_table(100_000, 32, high=2).astype(bool)
    one = encoder.fit(X)
    tracemalloc.start()
    try:
        one.encode(X)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    code = len(X) * 8  # 32 bits in words of 64
    assert peak < code + 2**20 < X.nbytes


# --------------------------------------------------------------------------- missing values


@each_encoder
@given(st.integers(0, 2**32 - 1))
def test_zeros_of_m_are_exactly_where_values_are_missing(encoder, seed):
    X = small_table(60, seed=seed).astype(float)
    gaps = np.random.default_rng(seed).random(X.shape) < 0.3
    one = fitted(encoder, X)
    full = one.transform(X)
    X[gaps] = np.nan
    names = [name.split("=")[0].rstrip(">") for name in one.get_feature_names_out()]
    hidden = gaps[:, [int(name[1:]) for name in names]]
    np.testing.assert_array_equal(one.transform(X), np.where(hidden, 0, full))


@each_encoder
def test_complete_data_has_no_known_plane(encoder):
    assert fitted(encoder, small_table()).encode(small_table()).known is None


# --------------------------------------------------------------------------- kinds of tables


@each_encoder
@pytest.mark.parametrize("dtype", DTYPES, ids=lambda t: t.__name__)
@pytest.mark.parametrize("layout", ["C", "F", "read-only", "strided", "swapped", "list", "object"])
def test_dtype_and_layout_do_not_show(encoder, dtype, layout):
    plain = small_table(high=2 if dtype is np.bool_ else 4)
    one = fitted(encoder, plain)
    X = plain.astype(dtype)
    if layout == "F":
        X = np.asfortranarray(X)
    elif layout == "read-only":
        X.setflags(write=False)
    elif layout == "strided":
        X = np.repeat(X, 2, axis=1)[:, ::2]
    elif layout == "swapped":
        X = X.astype(X.dtype.newbyteorder())
    elif layout == "list":
        X = X.tolist()
    elif layout == "object":
        X = X.astype(object)
    assert_same_bits(one.encode(X), one.encode(plain))
    assert_same_bits(clone(encoder).fit(X, np.arange(len(plain)) % 3).encode(X), one.encode(plain))


@each_encoder
@pytest.mark.parametrize("kind", ["csr_matrix", "csc_matrix", "csr_array", "csc_array", "coo_array"])
def test_sparse_tables_equal_dense_ones(encoder, kind):
    dense = small_table(200).astype(float)
    dense[::9, 1] = np.nan
    sparse = getattr(scipy.sparse, kind)(dense)
    one = fitted(encoder, dense)
    assert_same_bits(fitted(encoder, sparse).encode(sparse), one.encode(dense))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bvar.encoding.base._BLOCK", 1)
        assert_same_bits(one.encode(sparse), one.encode(dense))


def test_what_a_sparse_matrix_does_not_store_is_zero():
    X = scipy.sparse.csr_array(np.array([[0.0, 5], [0, 0], [7, 0]]))
    assert [t.tolist() for t in ThermometerEncoder().fit(X).thresholds_] == [[3.5], [2.5]]
    assert OneHotBits().fit(X).categories_ == [[0, 7], [0, 5]]


@each_encoder
@pytest.mark.parametrize("library", ["pandas", "polars"])
@given(seed=st.integers(0, 2**32 - 1), gaps=st.sampled_from([0, 0.3]))
def test_frames_equal_arrays(encoder, library, seed, gaps):
    frames = pytest.importorskip(library)
    X = small_table(70, seed=seed).astype(float)
    X[np.random.default_rng(seed).random(X.shape) < gaps] = np.nan
    columns = {
        "a": X[:, 0],
        "b": X[:, 1].astype(np.float32),
        "c": X[:, 2] if gaps else X[:, 2].astype(np.int16),
    }
    frame = frames.DataFrame(columns)
    one, other = fitted(encoder, X), fitted(encoder, frame)
    assert_same_bits(other.encode(frame), one.encode(X))
    assert other.feature_names_in_.tolist() == ["a", "b", "c"]
    assert other.get_feature_names_out().tolist() == one.get_feature_names_out(["a", "b", "c"]).tolist()


@each_encoder
def test_the_index_of_a_frame_does_not_show(encoder):
    """Labels that look like positions, and labels that are not sorted."""
    pandas = pytest.importorskip("pandas")
    columns = {"a": small_table()[:, 0], "b": pandas.array(small_table()[:, 1], dtype="Int64")}
    frame = pandas.DataFrame(columns)
    shuffled = frame.set_axis(np.random.default_rng(0).permutation(len(frame)) * 0.5)
    one = fitted(encoder, frame)
    assert_same_bits(fitted(encoder, shuffled).encode(shuffled), one.encode(frame))


# ------------------------------------------------------------------------------- refusals


@each_encoder
def test_columns_must_be_those_of_fit(encoder):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(small_table(), columns=["a", "b", "c"])
    one = fitted(encoder, frame)
    with pytest.warns(UserWarning, match="taken by their names: 'c', 'b' stood in other places"):
        moved = one.encode(frame[["a", "c", "b"]])
    assert np.array_equal(moved.words, one.encode(frame).words)
    with pytest.raises(ValueError, match="Feature names unseen at fit time:\n- d"):
        one.encode(frame.rename(columns={"b": "d"}))
    with (
        pytest.warns(UserWarning, match="does not have valid feature names"),
        pytest.raises(ValueError, match=r"X has 2 features, but \w+ is expecting 3 features"),
    ):
        one.encode(small_table()[:, :2])
    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        one.encode(frame.iloc[:0])
    with pytest.raises(ValueError, match=r"0 feature\(s\)"):
        clone(encoder).fit(frame[[]], np.arange(len(frame)))


@each_encoder
def test_an_encoder_must_be_fitted_first(encoder):
    for use in (encoder.encode, encoder.transform, lambda X: encoder.encode_blocks(X, 2)):
        with pytest.raises(NotFittedError, match=type(encoder).__name__):
            use(np.eye(2))
    with pytest.raises(NotFittedError, match=type(encoder).__name__):
        encoder.get_feature_names_out()
    with pytest.raises(NotFittedError, match=type(encoder).__name__):
        encoder.meaning(0)


@each_encoder
def test_blocks_need_a_size(encoder):
    with pytest.raises(ValueError, match="n_rows must be an integer >= 1, got 0"):
        fitted(encoder, small_table()).encode_blocks(small_table(), 0)


@each_encoder
def test_every_bit_has_a_meaning(encoder):
    one = fitted(encoder, small_table())
    meanings = [one.meaning(i) for i in range(one.n_bits_out_)]
    assert len(set(meanings)) == one.n_bits_out_ == len(set(one.get_feature_names_out()))
    assert one.meaning(np.int64(0)) == meanings[0]
    for bad in (-1, one.n_bits_out_):
        with pytest.raises(ValueError, match=rf"bit must be an integer in \[0, {one.n_bits_out_ - 1}\]"):
            one.meaning(bad)
    with pytest.raises(TypeError, match="bit must be an integer"):
        one.meaning("age")
    with pytest.raises(ValueError, match="input_features must have 3 names, got 1"):
        one.get_feature_names_out(["a"])


@pytest.mark.parametrize("encoder", [ThermometerEncoder(), TableEncoder()], ids=str)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, object])
def test_infinity_is_refused_by_name(encoder, dtype):
    X = small_table().astype(dtype)
    one = fitted(encoder, X)
    for value in (np.inf, -np.inf):
        X[3, 1] = value
        with pytest.raises(ValueError, match="column 'x1' contains infinity"):
            one.encode(X)
        with pytest.raises(ValueError, match="column 'x1' contains infinity"):
            fitted(encoder, X)


@each_encoder
def test_dates_and_complex_numbers_are_refused_by_name(encoder):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"n": [1, 2, 3], "when": pandas.to_datetime(["2001-01-01"] * 3)})
    with pytest.raises(TypeError, match="column 'when' has dtype datetime64"):
        fitted(encoder, frame)
    with pytest.raises(ValueError, match="Complex data not supported: column 'z'"):
        fitted(encoder, pandas.DataFrame({"n": [1, 2, 3], "z": [1j, 2, 3]}))
    with pytest.raises(TypeError, match=r"column 'x0' has dtype \|S1"):
        fitted(encoder, np.array([[b"a"], [b"b"]]))


# ------------------------------------------------------------------------------------------ one row at a time


@each_encoder
def test_what_was_learnt_anew_is_asked_at_once(encoder):
    """Widths and groups are kept beside an encoder, until something learnt is replaced."""
    few, many = small_table(high=4), small_table(high=9, seed=1)
    model = fitted(encoder, few)
    model.encode(few)
    other = fitted(encoder, many)
    model.fit(many, np.arange(len(many)) % 3)
    assert_same_bits(model.encode(many), other.encode(many))
    model = fitted(encoder, few)
    model.encode(few)
    for name, value in vars(other).items():
        setattr(model, name, value)
    assert_same_bits(model.encode(many), other.encode(many))
    assert_same_bits(pickle.loads(pickle.dumps(model)).encode(many), other.encode(many))


@each_encoder
@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.float64])
def test_a_row_alone_is_a_row_among_many(encoder, dtype):
    X = small_table(6000, high=200).astype(dtype)
    if dtype in (np.float32, np.float64):
        X[::7, 1] = np.nan
    model = fitted(encoder, X)
    every = model.encode(X)
    for i in range(20):
        one = model.encode(X[i : i + 1], check_input=False)
        np.testing.assert_array_equal(one.words[0], every.words[i])
        if one.known is not None:
            np.testing.assert_array_equal(one.known[0], every.known[i])
        else:
            assert every.known is None or (every.known[i] == every.known[1]).all()
