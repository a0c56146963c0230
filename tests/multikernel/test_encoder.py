"""A sentence encoder: its derivatives, sentences of any lengths, and bits that learn its points."""

import numpy as np
import pytest

from bvar import backends, kernels, model_file
from bvar.bits import RandomWords
from bvar.multikernel import (
    BooleanEncoder,
    BooleanTransformer,
    Distiller,
    Encoder,
    Transformer,
    distil_sentences,
)
from bvar.multikernel.designs import DESIGNS
from tests.multikernel.models import check_differences, made_of

TEXTS = [[1, 2, 3, 4, 5], [6, 0], [3, 3, 3, 1, 0], [5], [2, 6], [4, 0, 1, 2, 2]]


@pytest.fixture(scope="module")
def teacher():
    """Two blocks that have learnt nothing."""
    return Encoder.random(7, width=16, hidden=32, n_blocks=2, n_heads=2, n_positions=9, random_state=0)


def test_gradients_are_the_finite_differences_of_the_loss():
    """Every kind of weight, with signals on the points and on the stream behind the first block."""
    model, source, ids = made_of("bert", Encoder), RandomWords(5), np.array([TEXTS[0], TEXTS[2]])
    signal, on_streams = source.uniform(2, 8), {0: source.uniform(2, 5 * 8).reshape(2, 5, 8)}

    def loss():
        points, context = model.forward(ids)
        return np.sum(signal * points) + np.sum(on_streams[0] * context.streams[0])

    check_differences(model, loss, model.backward(signal, model.forward(ids)[1], on_streams))


def test_the_divergence_of_points_has_the_signal_that_it_says():
    model, source = made_of("bert", Encoder), RandomWords(2)
    wanted, points = source.uniform(3, 8), source.uniform(3, 8)
    loss, signal = model.divergence(wanted, points)
    assert loss == pytest.approx(1 - np.mean(np.sum(wanted * points, axis=1)))
    more = 0.5 * source.uniform(3, 8)
    # linear in the points
    assert model.divergence(wanted, points + more)[0] - loss == pytest.approx(np.sum(signal * more))


def test_sentences_of_other_lengths_change_nothing(teacher):
    together = teacher.embed(TEXTS)
    # eight float32 squares, a root and a quotient: some ten roundings of 2**-24 each
    assert abs(np.linalg.norm(together, axis=1) - 1).max() <= 10 * 2.0**-24
    for text, point in zip(TEXTS, together, strict=True):
        # rows of a float32 product may be summed in another order when there are more of them
        assert np.allclose(teacher.embed([text])[0], point, atol=1e-6)


def test_positions_look_both_ways(teacher):
    streams = [teacher.forward(ids)[1].streams[0][0] for ids in ([1, 2, 3], [1, 2, 4])]
    assert not np.allclose(streams[0][0], streams[1][0], atol=1e-4)


@pytest.mark.parametrize(
    ("texts", "text"),
    [
        ("abc", "texts must be a sequence"),
        (3, "texts must be a sequence"),
        ([], "texts must be one or more"),
        ([[[1, 2], [3, 4]]], "texts must be one or more"),
        ([[1], []], "ids must be"),
        ([[7]], "ids must be from 0 to 6"),
        ([[1.5]], "ids must be integers"),
        ([[1] * 10], "ids must end before position 9"),
    ],
)
def test_what_are_no_sentences_is_refused(teacher, texts, text):
    with pytest.raises((TypeError, ValueError), match=text):
        teacher.embed(texts)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda w: w.pop("norm.bias"), "difference in"),
        (lambda w: w.pop("positions"), "difference in"),
        (lambda w: w.update(head=w["embed"]), "difference in"),
        (lambda w: w.update({"l0.gate": w["l0.up"]}), "difference in"),
        (lambda w: w.update(positions=np.ones((9, 17))), "positions must have shape"),
        (lambda w: w.update({"l1.up.bias": np.ones(3)}), "l1.up.bias must have shape"),
        (lambda w: w.update({"l1.norm2.bias": np.ones(3)}), "l1.norm2.bias must have shape"),
    ],
)
def test_weights_that_make_no_encoder_are_refused(teacher, change, text):
    weights = dict(teacher.weights)
    change(weights)
    with pytest.raises(ValueError, match=text):
        Encoder(weights, n_heads=2)


def test_a_decoder_is_of_a_design_that_looks_back(teacher):
    with pytest.raises(ValueError, match="design must be"):
        Transformer(teacher.weights, n_heads=2, design="bert")


# ---------------------------------------------------------------------------------------------------- bits


def test_more_kernels_are_nearer(teacher):
    wanted = teacher.embed(TEXTS)
    cosines = [
        float(np.mean(np.sum(BooleanEncoder.from_teacher(teacher, n).embed(TEXTS) * wanted, axis=1)))
        for n in (1, 2, 4)
    ]
    assert cosines == sorted(cosines)
    assert cosines[-1] > 0.98


def test_integers_inside_are_equal_on_every_backend(teacher):
    student, found = BooleanEncoder.from_teacher(teacher, 2), []
    for name in backends.available():
        with backends.use(name):
            found.append(student.embed(TEXTS, integers=True))
    assert all((points == found[0]).all() for points in found)
    # a number is rounded to one of some hundred steps
    assert np.abs(found[0] - student.embed(TEXTS)).max() < 0.05


@pytest.mark.parametrize("train", ["last", "none"])
def test_distillation_brings_points_nearer(teacher, train):
    student = BooleanEncoder.from_teacher(teacher, 2)
    before = [[kernels.unpack(bits) for bits in layer.signs] for layer in student.maps.values()]
    wanted, embedding = teacher.embed(TEXTS), student.weights["embed"].copy()
    near = np.mean(np.sum(student.embed(TEXTS) * wanted, axis=1))
    history = distil_sentences(student, teacher, TEXTS, 60, batch_size=2, random_state=0, train=train)
    assert np.mean(np.sum(student.embed(TEXTS) * wanted, axis=1)) > near
    assert (history.flips.sum() > 0) == (train == "last")
    assert (student.weights["embed"] == embedding).all()
    after = [[kernels.unpack(bits) for bits in layer.signs] for layer in student.maps.values()]
    assert all((old[0] == new[0]).all() for old, new in zip(before, after, strict=True))
    assert any((old[1] != new[1]).any() for old, new in zip(before, after, strict=True)) == (train == "last")


def test_an_embedding_may_have_kernels_that_are_not_trained(teacher, tmp_path):
    student = BooleanEncoder.from_teacher(teacher, {"embed": 4, "l0.up": 2})
    layer = student.maps["embed"]
    ids = np.array([[1, 2], [6, 0]])
    assert (student.rows(ids) == layer.weight[ids]).all()
    assert (student.n_tokens, student.width) == (7, 16)
    near = np.sum(student.embed(TEXTS) * teacher.embed(TEXTS), axis=1)
    assert near.min() > 0.9
    kept = layer.kernels
    history = distil_sentences(student, teacher, TEXTS, 30, random_state=0)
    assert history.flips.sum() > 0
    assert (layer.output_scales == kept.output_scales).all()
    assert all((a.words == b.words).all() for a, b in zip(layer.signs, kept.signs, strict=True))
    model_file.save(student, tmp_path / "m")
    assert (model_file.load(tmp_path / "m").embed(TEXTS) == student.embed(TEXTS)).all()


def test_a_decoder_reads_rows_of_kernels_too():
    model = made_of("llama", Transformer)
    student = BooleanTransformer.from_teacher(model, {"embed": 8})
    # eight kernels leave little of a matrix of 7 rows
    assert np.abs(student.logits([1, 2, 3]) - model.logits([1, 2, 3])).max() < 0.05
    with pytest.raises(ValueError, match="maps must be named"):
        BooleanTransformer(
            {name: array for name, array in student.weights.items() if name != "head"},
            {**student.maps, "head": student.maps["embed"]},
            n_heads=2,
        )


def test_the_size_of_a_model_is_counted(teacher):
    """7 rows of 16 bits fill 7 words; scales and all that is real are float32."""
    student = BooleanEncoder.from_teacher(teacher, {"embed": 2})
    real = sum(array.size for name, array in teacher.weights.items() if name != "embed")
    assert student.n_bytes == 2 * 7 * 8 + 4 * 2 * (7 + 16) + 4 * real


def test_distillation_is_reproducible(teacher):
    points = []
    for _ in range(2):
        student = BooleanEncoder.from_teacher(teacher, 1)
        distil_sentences(student, teacher, TEXTS, 10, random_state=3)
        points.append(student.embed(TEXTS))
    assert (points[0] == points[1]).all()


def test_steps_take_sentences_of_one_length_as_often_as_there_are(teacher, monkeypatch):
    taken = []
    monkeypatch.setattr(Distiller, "step", lambda self, ids: (taken.append(ids), (0.0, 0))[1])
    distil_sentences(BooleanEncoder.from_teacher(teacher, 1), teacher, TEXTS, 3000, batch_size=2, random_state=0)
    counts = dict.fromkeys(map(tuple, TEXTS), 0)
    for ids in taken:
        rows = [*map(tuple, ids.tolist())]
        assert len({*rows}) == len(rows) <= 2
        for row in rows:
            counts[row] += 1
    lengths = np.bincount([ids.shape[1] for ids in taken], minlength=6)
    # a share of 3000 draws is off by less than five spreads, at most .046
    assert np.abs(lengths[[1, 2, 5]] / 3000 - np.array([1, 2, 3]) / 6).max() < 0.046
    assert np.ptp([counts[tuple(TEXTS[i])] for i in (0, 2, 5)]) < 0.2 * 1500


def test_students_and_teachers_that_do_not_fit_are_refused(teacher):
    student = BooleanEncoder.from_teacher(teacher, 1)
    decoder = Transformer.random(7, width=16, hidden=32, n_blocks=2, n_heads=2, random_state=0)
    narrow = Encoder.random(7, width=8, hidden=32, n_blocks=2, n_heads=2, random_state=0)
    with pytest.raises(TypeError, match="teacher must be of the type Encoder"):
        Distiller(student, decoder, n_steps=1)
    with pytest.raises(TypeError, match="teacher must be"):
        BooleanTransformer.from_teacher(teacher, 1)
    with pytest.raises(TypeError, match="student must be"):
        Distiller(teacher, teacher, n_steps=1)
    with pytest.raises(ValueError, match="teacher must have points of width 16"):
        Distiller(student, narrow, n_steps=1)


def test_an_encoder_is_saved_and_gives_the_same_points(teacher, tmp_path):
    for model in (teacher, BooleanEncoder.from_teacher(teacher, 2)):
        model_file.save(model, tmp_path / "m")
        again = model_file.load(tmp_path / "m")
        assert type(again) is type(model)
        assert (again.embed(TEXTS) == model.embed(TEXTS)).all()
        again.embed(TEXTS)


def test_a_decoder_of_another_design_is_saved_with_it(tmp_path):
    model = made_of("opt", Transformer)
    for kept in (model, BooleanTransformer.from_teacher(model, 2)):
        model_file.save(kept, tmp_path / "m")
        again = model_file.load(tmp_path / "m")
        assert again.design == "opt"
        assert (again.logits([1, 2, 3]) == kept.logits([1, 2, 3])).all()
    assert DESIGNS[again.design].unit == "relu"
