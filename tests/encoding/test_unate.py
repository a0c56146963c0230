"""Questions that are asked the way that raises a score."""

import numpy as np
import pytest

from bvar.circuit import Circuit, to_c
from bvar.encoding import TableEncoder, UnateEncoder

X = np.array([[30, 2, 1, "a", True], [41, 5, 2, "b", False], [52, 8, None, "c", None]], dtype=object)


def test_bits_say_what_they_are_called():
    encoder = UnateEncoder(monotonic_cst=[1, -1, 0, 0, 0]).fit(X)
    names = encoder.get_feature_names_out(["up", "down", "both", "text", "flag"]).tolist()
    assert names == [
        *("up>=35.5", "up>=46.5", "down<3.5", "down<6.5", "both>=1.5", "both<1.5"),
        *("text=a", "text=b", "text=c", "flag", "flag=False"),
    ]
    assert encoder.meaning(3) == "x1 < 6.5"
    assert encoder.meaning(10) == "x4 is false"
    assert encoder.bit_columns().tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 3, 4, 4]
    assert encoder.transform(X).tolist() == [
        [-1, -1, 1, 1, -1, 1, 1, -1, -1, 1, -1],
        [1, -1, -1, 1, 1, -1, -1, 1, -1, -1, 1],
        [1, 1, -1, -1, 0, 0, -1, -1, 1, 0, 0],
    ]


def test_a_rising_number_is_asked_as_by_a_table_encoder():
    numbers = np.random.RandomState(0).rand(300, 4)
    numbers[::7, 2] = np.nan
    plain, rising = TableEncoder().fit(numbers), UnateEncoder(monotonic_cst=[1] * 4).fit(numbers)
    assert (plain.transform(numbers) == rising.transform(numbers)).all()
    falling = UnateEncoder(monotonic_cst=[-1] * 4).fit(numbers)
    assert (plain.transform(numbers) == -falling.transform(numbers)).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32])
@pytest.mark.parametrize("n_rows", [1, 700])
def test_the_way_of_reading_a_table_does_not_matter(dtype, n_rows):
    numbers = np.random.RandomState(0).randint(0, 200, (n_rows, 3)).astype(dtype)
    encoder = UnateEncoder(monotonic_cst=[1, -1, 0]).fit(np.arange(600).reshape(200, 3) % 199)
    assert (encoder.transform(numbers) == encoder.transform(numbers.astype(object))).all()


def test_counts_of_parts_give_the_same_questions():
    numbers = np.random.RandomState(0).rand(90, 2)
    encoder = UnateEncoder(monotonic_cst=[1, -1])
    counts = encoder.count(numbers[:40], n_rows=90) + encoder.count(numbers[40:], first_row=40, n_rows=90)
    from_counts, whole = UnateEncoder(monotonic_cst=[1, -1]).fit_counts(counts), encoder.fit(numbers)
    assert (from_counts.transform(numbers) == whole.transform(numbers)).all()


def test_a_circuit_says_that_it_cannot_ask_whether_a_number_is_less():
    encoder = UnateEncoder(monotonic_cst=[1, -1]).fit([[0, 0], [1, 1]])
    with pytest.raises(TypeError, match="encoder must ask no number whether it is less"):
        to_c(Circuit(2, [(0b0110, (0, 1))], outputs=[2]), "parity", encoder)
