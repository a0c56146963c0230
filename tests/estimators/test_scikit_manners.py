"""What users of scikit-learn take for granted, for every estimator and encoder: clone, HTML, routing, files."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr

from bvar import (
    BooleanClassifier,
    BooleanConvClassifier,
    BooleanRegressor,
    LogicGateClassifier,
    LogicGateConvClassifier,
    TableEncoder,
    ThermometerEncoder,
)
from bvar.augmentation import AugmentedClassifier
from bvar.bayes import (
    BayesianAutoencoder,
    BayesianClassifier,
    BayesianRegressor,
    BooleanCommittee,
    BooleanGPClassifier,
    BooleanGPRegressor,
    FunctionalPrior,
    SparseGPAutoencoder,
    SpatialRegressor,
)
from bvar.encoding import ImageEncoder, OneHotBits, UnateEncoder
from bvar.mollify import MollifiedClassifier

RNG = np.random.RandomState(0)
X = RNG.rand(90, 16)
Y = (X[:, 0] + X[:, 1] > 1).astype(int)
HEAVY = np.where(Y == 1, 1.0, 0.01)  # nearly all that is heard is of one class

NETWORKS = [
    BooleanClassifier((8,), max_iter=3, random_state=0),
    BooleanConvClassifier((4,), 8, max_iter=2, random_state=0),
    BooleanRegressor((8,), max_iter=3, random_state=0),
    LogicGateClassifier((40,), max_iter=2, random_state=0),
    LogicGateConvClassifier(max_iter=2, random_state=0),
]
ENCODERS = [TableEncoder(), ThermometerEncoder(3), OneHotBits(), UnateEncoder(monotonic_cst=[1] + 15 * [0])]
OTHERS = [
    AugmentedClassifier(max_iter=2),
    BayesianAutoencoder(),
    BayesianClassifier(),
    BayesianRegressor(n_chains=2),
    BooleanCommittee(9),
    BooleanGPClassifier(noise=0.5),
    BooleanGPRegressor(depth=2),
    FunctionalPrior(margin=0.1),
    ImageEncoder(),
    MollifiedClassifier(roles="x"),
    SparseGPAutoencoder(),
    SpatialRegressor(),
]


def named(model):
    return type(model).__name__


@pytest.mark.parametrize("model", [*NETWORKS, *ENCODERS, *OTHERS], ids=named)
def test_a_clone_has_the_same_parameters_and_has_learnt_nothing(model):
    copy = clone(model)
    assert repr(copy) == repr(model)
    assert vars(copy).keys() == set(model.get_params(deep=False))
    for name, value in model.get_params(deep=False).items():
        assert getattr(copy, name) is value or repr(getattr(copy, name)) == repr(value)


@pytest.mark.parametrize("model", [*NETWORKS, *ENCODERS, *OTHERS], ids=named)
def test_a_notebook_shows_a_box_with_the_name(model):
    text = estimator_html_repr(model)
    assert text.startswith("<style>")
    assert type(model).__name__ in text
    assert "fitted" in estimator_html_repr(clone(model).fit(X, Y)) if model in NETWORKS else True


@pytest.mark.parametrize("model", NETWORKS, ids=named)
def test_weights_of_samples_are_routed_through_a_pipeline_and_a_search(model):
    with sklearn.config_context(enable_metadata_routing=True):
        asks = clone(model).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), asks)
        scaled = StandardScaler().fit_transform(X)
        weighted = clone(model).fit(scaled, Y, sample_weight=HEAVY).network_.fingerprint()
        pipeline.fit(X, Y, sample_weight=HEAVY)
        assert pipeline[-1].network_.fingerprint() == weighted
        assert clone(model).fit(scaled, Y).network_.fingerprint() != weighted
        name = f"{type(model).__name__.lower()}__max_iter"
        search = GridSearchCV(pipeline, {name: [model.max_iter]}, cv=2).fit(X, Y, sample_weight=HEAVY)
        assert search.best_estimator_[-1].network_.fingerprint() == weighted
        for keyword in ("X_val", "y_val", "resume"):  # what nobody has asked for is not routed
            with pytest.raises(ValueError, match=keyword):
                pipeline.fit(X, Y, **{keyword: X})


@pytest.mark.parametrize("encoder", ENCODERS, ids=named)
def test_an_encoder_gives_a_frame_if_it_is_to(encoder):
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(16)], index=range(100, 190))
    out = clone(encoder).set_output(transform="pandas").fit(frame, Y).transform(frame)
    assert isinstance(out, pd.DataFrame)
    assert out.index.tolist() == frame.index.tolist()
    plain = clone(encoder).fit(frame, Y)
    assert out.columns.tolist() == plain.get_feature_names_out().tolist()
    assert (out.to_numpy() == plain.transform(frame)).all()


@pytest.mark.parametrize("model", [*NETWORKS, *ENCODERS], ids=named)
def test_skops_keeps_it_without_pickle(model):
    skops = pytest.importorskip("skops.io", reason="needs skops")
    model = clone(model).fit(X, Y)
    data = skops.dumps(model)
    names = skops.get_untrusted_types(data=data)
    assert all(name.split(".")[0] in ("bvar", "decimal", "fractions") for name in names)
    again = skops.loads(data, trusted=names)
    answer = "predict" if hasattr(model, "predict") else "transform"
    assert (getattr(again, answer)(X) == getattr(model, answer)(X)).all()
