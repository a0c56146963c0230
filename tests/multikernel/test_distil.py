"""Bits that votes train: one product for all kernels, the rule of flips, and what may not change."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bvar import backends, kernels, model_file
from bvar.bits import RandomWords
from bvar.multikernel import (
    BooleanTransformer,
    Distiller,
    MultiKernelLinear,
    RealVotes,
    Transformer,
    allocate,
    automatic_eta,
    decompose,
    distil,
    measure_rises,
    sizes,
)

TEXT = "to be or not to be, that is the question: " * 12
TOKENS = "".join(sorted(set(TEXT)))


@pytest.fixture(scope="module")
def teacher():
    """Two blocks that have learnt nothing: enough to be imitated."""
    return Transformer.random(TOKENS, width=16, hidden=32, n_blocks=2, n_heads=2, random_state=0)


def layer_of(n_kernels, shape=(6, 10), seed=0):
    return MultiKernelLinear(decompose(RandomWords(seed).uniform(*shape), n_kernels))


class Counted(np.ndarray):
    """Counts products of matrices."""

    count = 0

    def __matmul__(self, other):
        Counted.count += 1
        return np.asarray(self) @ np.asarray(other)


# ---------------------------------------------------------------------------------------------- the layer


@pytest.mark.parametrize("n_kernels", [1, 2, 5])
def test_the_number_of_kernels_does_not_multiply_the_products(n_kernels):
    layer, source = layer_of(n_kernels), RandomWords(1)
    x, z = (source.uniform(4, n).astype(np.float32).view(Counted) for n in (10, 6))
    Counted.count = 0
    _, context = layer.forward(x)
    layer.backward(z, context)
    gradient = layer.weight_gradient(z, context)
    for k in range(n_kernels):
        layer.votes(gradient, k)
    layer.gradients(gradient)
    assert Counted.count == 3


def test_a_flip_changes_the_loss_by_two_votes():
    """The loss is linear in each bit: the change is exact, but for rounding to float32."""
    layer, source = layer_of(3), RandomWords(1)
    x, z = (source.uniform(4, n).astype(np.float32) for n in (10, 6))
    gradient = layer.weight_gradient(z, layer.forward(x)[1])
    before = float(np.sum(z * layer.forward(x)[0]))
    for k, j, i in [(0, 0, 0), (1, 5, 9), (2, 3, 4)]:
        is_t = bool(kernels.unpack(layer.signs[k])[j, i])
        layer.signs[k].words[j, 0] ^= np.uint64(1 << i)
        layer.changed()
        change = float(np.sum(z * layer.forward(x)[0])) - before
        assert change == pytest.approx((-2 if is_t else 2) * layer.votes(gradient, k)[j, i], abs=1e-5)
        layer.signs[k].words[j, 0] ^= np.uint64(1 << i)
        layer.changed()


def test_gradients_of_scales_are_finite_differences():
    layer, source = layer_of(2), RandomWords(1)
    x, z = (source.uniform(4, n).astype(np.float32) for n in (10, 6))
    gradients = layer.gradients(layer.weight_gradient(z, layer.forward(x)[1]))
    for scales, found in zip((layer.output_scales, layer.input_scales), gradients, strict=True):
        for place in np.ndindex(scales.shape):
            kept, values = scales[place], []
            for step in (0.25, -0.25):  # the loss is linear in each scale: steps may be large
                scales[place] = kept + np.float32(step)
                layer.changed()
                values.append(float(np.sum(z * layer.forward(x)[0], dtype=np.float64)))
            scales[place] = kept
            assert found[place] == pytest.approx(2 * (values[0] - values[1]), abs=1e-4)


def test_a_layer_has_memory_of_its_own():
    kept = decompose(np.ones((2, 3)), 1)
    layer = MultiKernelLinear(kept)
    layer.signs[0].words[:] = 0
    layer.output_scales[:] = 5
    assert kernels.unpack(kept.signs[0]).all()
    assert layer.kernels.output_scales[0, 0] == 5
    with pytest.raises(TypeError, match="kernels must be Kernels"):
        MultiKernelLinear(np.ones((2, 3)))
    with pytest.raises(ValueError, match="k must be"):
        layer.votes(np.ones((2, 3)), 1)


@pytest.mark.parametrize("gradient", [1.0, np.ones(3), np.ones((1, 3)), np.ones((2, 1)), np.ones((3, 2))])
def test_a_gradient_of_another_shape_is_refused(gradient):
    layer = MultiKernelLinear(decompose(np.ones((2, 3)), 1))
    for call in (layer.gradients, lambda gradient: layer.votes(gradient, 0)):
        with pytest.raises(ValueError, match=r"gradient must have shape \(2, 3\), got"):
            call(gradient)


def test_integers_inside_are_near_the_matrix_and_equal_on_every_backend():
    """A step is 1/253 of the largest sum of four; a number is off by half of one, and errors add up like noise."""
    layer, x = layer_of(3, (40, 130)), RandomWords(4).uniform(2, 130).astype(np.float32)
    found = []
    for name in backends.available():
        with backends.use(name):
            found.append(layer.infer(x))
    assert all((y == found[0]).all() for y in found)
    wanted = layer.forward(x)[0]
    assert np.linalg.norm(found[0] - wanted) < 0.02 * np.linalg.norm(wanted)
    layer.output_scales *= 2
    layer.changed()
    assert (layer.infer(x) == 2 * found[0]).all()


# ------------------------------------------------------------------------------------------------ the rule


def plain_flips(bits, votes, eta, m, rows, columns, beta):
    """The rule, one bit at a time; `rows` and `columns` are the running mean squares of this step."""
    n_rows, n_bits = votes.shape
    mean = sum(rows) / n_rows
    flips = []
    for j in range(n_rows):
        for i in range(n_bits):
            unit = np.float32(np.sqrt(rows[j] / mean) * np.sqrt(columns[i])) if mean else np.float32(0)
            q = np.float32(votes[j, i] / unit) if unit else np.float32(0)
            value = np.float32(np.float32(beta) * np.float32(m[j, i])) + np.float32(np.float32(eta) * q)
            if value * (1 if bits[j, i] else -1) >= 1:
                flips.append((j, i))
                value = 0
            m[j, i] = value
    return flips


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 4), st.integers(1, 70), st.integers(0, 99), st.sampled_from([0.1, 0.9, 1.5]))
def test_real_votes_flip_as_the_rule_says(n_rows, n_bits, seed, eta):
    source = RandomWords(seed)
    bits = source.bits(n_rows, n_bits)
    rule, m, beta = RealVotes((n_rows, n_bits)), np.zeros((n_rows, n_bits), np.float16), 1.0
    rows = columns = None
    for _ in range(4):
        votes = (source.uniform(n_rows, n_bits) ** 3).astype(np.float32)
        squares = votes.astype(float) ** 2
        new = squares.mean(axis=1), squares.mean(axis=0)
        rows, columns = (
            new
            if rows is None
            else (old + 0.1 * (now - old) for old, now in zip((rows, columns), new, strict=True))
        )
        before = kernels.unpack(bits)
        expected = plain_flips(before, votes, eta, m, rows, columns, beta)
        assert rule.flip(bits, votes, eta) == len(expected)
        assert [tuple(place) for place in np.argwhere(kernels.unpack(bits) != before)] == expected
        assert (rule.accumulator == m).all()
        beta = 1 - len(expected) / votes.size
        assert rule.beta == beta


@pytest.mark.parametrize("factor", [2.0**-40, 2.0**-3, 2.0**40])
def test_the_unit_of_votes_does_not_matter(factor):
    one, other, source = RandomWords(0).bits(5, 70), RandomWords(0).bits(5, 70), RandomWords(1)
    rule, scaled = RealVotes((5, 70)), RealVotes((5, 70))
    for _ in range(6):
        votes = source.uniform(5, 70).astype(np.float32)
        assert rule.flip(one, votes, 0.5) == scaled.flip(other, votes * np.float32(factor), 0.5)
    assert (one.words == other.words).all()


def test_rows_and_columns_without_votes_never_flip():
    bits, rule = RandomWords(0).bits(4, 6), RealVotes((4, 6))
    before, votes = kernels.unpack(bits), np.ones((4, 6), np.float32)
    votes[1], votes[:, 2] = 0, 0
    rule.flip(bits, votes, 100.0)
    changed = kernels.unpack(bits) != before
    assert changed.any()
    assert not changed[1].any()
    assert not changed[:, 2].any()
    RealVotes((4, 6)).flip(bits, np.zeros((4, 6), np.float32), 1.0)  # no division by 0


def test_votes_that_are_no_numbers_change_nothing():
    bits, rule = RandomWords(0).bits(2, 3), RealVotes((2, 3))
    before = bits.words.copy()
    for votes, text in [
        (np.full((2, 3), np.nan, np.float32), "votes must be finite"),
        (np.ones((3, 2), np.float32), "must have shape"),
        (np.ones((2, 3)), "votes must be an array of float32"),
    ]:
        with pytest.raises((TypeError, ValueError), match=text):
            rule.flip(bits, votes, 1.0)
    assert (bits.words == before).all()
    assert not len(rule.row_squares)


def test_bits_that_cannot_be_changed_leave_the_rule_as_it_was():
    bits, rule = RandomWords(0).bits(2, 3), RealVotes((2, 3))
    bits.words.flags.writeable = False
    for wrong, eta, text in [
        (bits, 1.0, "bits must be writeable"),
        (np.ones((2, 3), bool), 1.0, "bits must be a BitMatrix, got ndarray"),
        (RandomWords(0).bits(2, 3), 1e300, "eta must be a finite number >= 0 and <= 65504"),
    ]:
        with pytest.raises((TypeError, ValueError), match=text):
            rule.flip(wrong, np.ones((2, 3), np.float32), eta)
    assert not rule.accumulator.any()
    assert not len(rule.row_squares)
    assert rule.beta == 1.0


def test_evidence_stays_finite_in_16_bits():
    bits, rule = kernels.pack(np.array([[True, False]])), RealVotes((1, 2))
    for _ in range(3):  # votes that keep both bits as they are, as loud as may be
        assert rule.flip(bits, np.array([[-1, 1]], np.float32), 65504.0) == 0
    assert rule.accumulator.tolist() == [[-65504.0, 65504.0]]
    for _ in range(2):
        rule.flip(bits, np.array([[1, -1]], np.float32), 65504.0)
    assert kernels.unpack(bits).tolist() == [[False, True]]


def test_noise_alone_flips_what_the_rule_for_eta_says():
    """Each bit walks with independent steps, and 0.7 % would pass the bar on one side in continuous time."""
    n, source = 100, RandomWords(0)
    bits, rule = source.bits(100, 1000), RealVotes((100, 1000))
    eta, n_flips = automatic_eta(n), 0
    for t in range(n):
        votes = source.uniform(100, 1000).astype(np.float32)
        n_flips += rule.flip(bits, votes, eta * (1 + np.cos(np.pi * t / n)) / 2)
    assert 0.001 < n_flips / 1e5 < 0.007  # steps are coarse: some that have passed and come back are not seen


# ------------------------------------------------------------------------------------------------- distil


def bits_of(student):
    return {name: [bits.words.copy() for bits in layer.signs] for name, layer in student.maps.items()}


def changed_kernels(before, student):
    return {
        k
        for name, layer in student.maps.items()
        for k, bits in enumerate(layer.signs)
        if (bits.words != before[name][k]).any()
    }


@pytest.mark.parametrize(("train", "expected"), [("none", set()), ("last", {2}), ("all", {0, 1, 2})])
def test_only_the_kernels_that_are_trained_flip(teacher, train, expected):
    student = BooleanTransformer.from_teacher(teacher, 3, n_rounds=2)
    before = bits_of(student)
    history = distil(student, teacher, teacher.encode(TEXT), 5, context=16, train=train, eta=0.5, random_state=0)
    assert changed_kernels(before, student) == expected
    assert (history.flips.sum() > 0) == bool(expected)


def test_distilling_brings_the_student_nearer_and_repeats(teacher):
    ids, scores = teacher.encode(TEXT), []
    for _ in range(2):
        student = BooleanTransformer.from_teacher(teacher, 1)
        history = distil(student, teacher, ids, 40, context=32, random_state=0)
        scores.append(history.loss)
    assert scores[0][-5:].mean() < 0.5 * scores[0][:5].mean()
    assert (scores[0] == scores[1]).all()


def test_hidden_streams_count_when_they_are_asked_for(teacher):
    ids = teacher.encode(TEXT)[None, :32]
    student = BooleanTransformer.from_teacher(teacher, 1)
    plain = Distiller(student, teacher, n_steps=1, train="none", rate=0.0).step(ids)[0]
    both = Distiller(student, teacher, n_steps=1, train="none", rate=0.0, hidden=2.0).step(ids)[0]
    wanted, found = (model.forward(ids)[1].streams for model in (teacher, student))
    share = np.mean([np.sum((x - y) ** 2) / np.sum(x**2) for x, y in zip(wanted, found, strict=True)])
    assert both == pytest.approx(plain + 2 * share, rel=1e-4)


def test_a_teacher_is_not_changed_and_a_perfect_student_stays(teacher):
    before = {name: array.copy() for name, array in teacher.weights.items()}
    student = BooleanTransformer.from_teacher(teacher, 1)
    distil(student, teacher, teacher.encode(TEXT), 3, context=16, random_state=0)
    assert all((teacher.weights[name] == array).all() for name, array in before.items())
    loss, _ = Distiller(student, student, n_steps=1).step(teacher.encode(TEXT)[None, :16])
    assert abs(loss) < 1e-6


def test_the_state_of_training_is_a_tenth_of_that_of_latent_weights():
    student = BooleanTransformer.from_teacher(
        Transformer.random(5, width=256, hidden=512, n_blocks=1, random_state=0), 2, n_rounds=0
    )
    latents = 2 * 3 * 4 * sum(sizes(student).values())  # two kernels: float32 and the two means of Adam
    assert Distiller(student, student, n_steps=1).n_bytes < latents / 9


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"train": "first"}, "train must be one of"),
        ({"eta": -1}, "eta must be"),
        ({"eta": "fast"}, "eta must be"),
        ({"n_steps": 0}, "n_steps must be"),
        ({"hidden": -1}, "hidden must be"),
        ({"rate": float("nan")}, "rate must be"),
        ({"ids": [0] * 16}, "ids must be more than 16"),
        ({"ids": [99] * 20}, "ids must be from 0"),
        ({"ids": [[0] * 20] * 2}, "ids must be one text"),
        ({"batch_size": 0}, "batch_size must be"),
    ],
)
def test_wrong_arguments_are_refused_before_training(teacher, arguments, text):
    student = BooleanTransformer.from_teacher(teacher, 1, n_rounds=0)
    before = bits_of(student)
    with pytest.raises((TypeError, ValueError), match=text):
        distil(student, teacher, **{"ids": teacher.encode(TEXT), "n_steps": 1, "context": 16, **arguments})
    assert changed_kernels(before, student) == set()


def test_student_and_teacher_must_fit_each_other(teacher):
    student = BooleanTransformer.from_teacher(teacher, 1, n_rounds=0)
    other = Transformer.random(3, width=16, hidden=16, n_blocks=1, random_state=0)
    narrow = Transformer.random(TOKENS, width=8, hidden=16, n_blocks=2, random_state=0)
    with pytest.raises(ValueError, match="teacher must have"):
        Distiller(student, other, n_steps=1)
    with pytest.raises(ValueError, match="blocks and the width"):
        Distiller(student, narrow, n_steps=1, hidden=1.0)
    assert Distiller(student, narrow, n_steps=1).step(teacher.encode("to be")[None])[0] > 0
    with pytest.raises(TypeError, match="student must be"):
        Distiller(teacher, teacher, n_steps=1)
    with pytest.raises(TypeError, match="teacher must be"):
        BooleanTransformer.from_teacher("teacher")


def test_training_that_leaves_the_finite_numbers_stops_before_anything_changes(teacher):
    student = BooleanTransformer.from_teacher(teacher, 1, n_rounds=0)
    student.weights["l1.norm2"][0] = np.nan
    before = bits_of(student)
    with pytest.raises(ValueError, match="gradients must be finite"):
        Distiller(student, teacher, n_steps=1, eta=1.0).step(teacher.encode("to be")[None])
    assert changed_kernels(before, student) == set()


def test_numbers_that_float32_has_not_make_no_student(teacher):
    weights = {name: array.astype(float) for name, array in teacher.weights.items()}
    weights["norm"][3] = -1e300
    double = Transformer(weights, **teacher.options)
    with pytest.raises(ValueError, match=r"weights must be within 3\.40282e\+38 of 0, .*, 'norm' is not"):
        BooleanTransformer.from_teacher(double, 1, n_rounds=0)


def test_a_student_is_float32_whatever_its_teacher_is(teacher):
    double = Transformer({name: array.astype(float) for name, array in teacher.weights.items()}, **teacher.options)
    student = BooleanTransformer.from_teacher(double, 1, n_rounds=0)
    assert {array.dtype for array in student.weights.values()} == {np.dtype(np.float32)}
    assert Distiller(student, double, n_steps=1, eta=1.0).step(double.encode("to be")[None])[1] > 0
    assert double.weights["norm"].dtype == np.float64


# ----------------------------------------------------------------------------------------- students, files


def test_maps_that_are_not_named_stay_real(teacher):
    student = BooleanTransformer.from_teacher(teacher, {"l1.up": 2})
    assert list(student.maps) == ["l1.up"]
    assert (student.weight("l0.q") == teacher.weight("l0.q")).all()
    with pytest.raises(ValueError, match="must not hold what maps do"):
        BooleanTransformer(teacher.weights, student.maps, **teacher.options)
    with pytest.raises(ValueError, match="n_kernels must name maps"):
        BooleanTransformer.from_teacher(teacher, {"l9.up": 2})
    with pytest.raises(ValueError, match="n_kernels must be"):
        BooleanTransformer.from_teacher(teacher, 0)


def test_a_student_is_saved_and_gives_the_same_logits(teacher, tmp_path):
    student = BooleanTransformer.from_teacher(teacher, {"l0.q": 1, "l1.down": 3})
    ids = teacher.encode("to be or not")
    model_file.save(student, tmp_path / "m")
    again = model_file.load(tmp_path / "m")
    assert type(again) is BooleanTransformer
    assert again.tokens == TOKENS
    assert (again.logits(ids) == student.logits(ids)).all()
    model_file.save(teacher, tmp_path / "t")
    assert (model_file.load(tmp_path / "t").logits(ids) == teacher.logits(ids)).all()


def test_a_student_writes_the_same_with_integers_inside(teacher):
    """Greedy, and from logits that are near: a token may differ where two are nearly as likely."""
    student = BooleanTransformer.from_teacher(teacher, {"l0.q": 2, "l1.up": 2, "l1.down": 2})
    ids = teacher.encode("to be or not")
    plain, whole = student.logits(ids), student.logits(ids, integers=True)
    assert (plain != whole).any()
    assert np.linalg.norm(plain - whole) < 0.05 * np.linalg.norm(plain)
    one, other = (student.generate(ids, 20, temperature=0, integers=integers) for integers in (False, True))
    assert np.mean(one == other) > 0.5


def test_a_student_with_scales_that_are_no_numbers_is_not_saved(teacher, tmp_path):
    student = BooleanTransformer.from_teacher(teacher, 1, n_rounds=0)
    student.maps["l0.q"].output_scales[0, 0] = np.nan
    with pytest.raises((TypeError, ValueError), match="finite"):
        model_file.save(student, tmp_path / "m")
    assert not (tmp_path / "m").exists()


# ---------------------------------------------------------------------------------------------- allocation


def test_the_worked_example_of_the_paper_comes_out():
    shares = {"1": 5, "2": 3, "3": 2}
    costs = {"1": (1.0, [0.60, 0.36, 0.22]), "2": (0.8, [0.50, 0.30, 0.18]), "3": (0.5, [0.40, 0.20, 0.10])}
    rises = {
        name: [h * e * np.log(10 / shares[name]) * 10 / shares[name] for e in errors]
        for name, (h, errors) in costs.items()
    }
    assert allocate(rises, shares, 2.0, low=1, high=3, per_weight=False) == {"1": 1, "2": 3, "3": 3}


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 50), st.lists(st.integers(0, 99), min_size=5, max_size=5)), min_size=1),
    st.fractions(1, 4, max_denominator=8),
)
def test_an_allocation_keeps_within_its_budget_and_spends_it(maps, budget):
    weights = {str(i): size for i, (size, _) in enumerate(maps)}
    rises = {str(i): sorted(costs, reverse=True) for i, (_, costs) in enumerate(maps)}
    counts = allocate(rises, weights, float(budget), high=5)
    spent, most = sum(counts[name] * weights[name] for name in weights), Fraction(budget) * sum(weights.values())
    assert spent <= most
    assert all(int(budget) <= n <= 5 for n in counts.values())
    assert all(counts[name] == 5 or weights[name] > most - spent for name in weights)


def test_a_whole_budget_is_the_same_number_for_all():
    rises = {"a": [9.0, 1.0, 0.0], "b": [1.0, 0.9, 0.8]}
    assert allocate(rises, {"a": 10, "b": 10}, 2) == {"a": 2, "b": 2}


def test_measured_rises_fall_with_kernels_and_name_every_map(teacher):
    rises = measure_rises(teacher, teacher.encode(TEXT)[:65], high=2, n_rounds=1, context=32)
    assert set(rises) == set(teacher.map_names) == set(sizes(teacher))
    assert all(cost[0] >= cost[1] for cost in rises.values())
    student = BooleanTransformer.from_teacher(teacher, {"l0.v": 1}, n_rounds=1)
    ids = teacher.encode(TEXT)[:65]
    rise = teacher.score(ids, context=32) - student.score(ids, context=32)
    assert rises["l0.v"][0] == pytest.approx(rise)


@pytest.mark.parametrize(
    ("rises", "weights", "budget", "text"),
    [
        ({"a": [1.0, 2.0]}, {"a": 1}, 1.5, "do not rise"),
        ({"a": [np.nan]}, {"a": 1}, 1.5, "finite"),
        ({"a": [1j]}, {"a": 1}, 1.5, "rises of 'a' must be an array of real numbers, got dtype complex128"),
        ({"a": ["x"]}, {"a": 1}, 1.5, "rises of 'a' must be an array of real numbers"),
        ({"a": [1.0]}, {"b": 1}, 1.5, "sizes must name"),
        ({"a": [1.0]}, {"a": 0}, 1.5, "sizes must be"),
        ({"a": [1.0]}, {"a": 1}, 0.5, "budget must be"),
        ({"a": [1.0]}, {"a": 1}, 2, "2 or more"),
        ({}, {}, 1, "one or more maps"),
    ],
)
def test_costs_and_budgets_that_make_no_sense_are_refused(rises, weights, budget, text):
    with pytest.raises((TypeError, ValueError), match=text):
        allocate(rises, weights, budget)
