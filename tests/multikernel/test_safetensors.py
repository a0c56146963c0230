"""Files of safetensors: what they hold comes out, and a lie in them is refused."""

import numpy as np
import pytest

from bvar.multikernel import read_safetensors
from tests.multikernel.folders import write_safetensors


def test_safetensors_are_read(tmp_path):
    numbers = np.arange(6, dtype=np.float32).reshape(2, 3) - 2.5
    arrays = {
        "a": ("F32", numbers),
        "b": ("F16", numbers.astype(np.float16)),
        "c": ("BF16", (numbers.view(np.uint32) >> 16).astype(np.uint16)),
        "d": ("I64", np.array(7, np.int64)),
        "e": ("F64", np.zeros((0, 2))),
    }
    found = read_safetensors(write_safetensors(tmp_path / "m", arrays))
    assert all((found[name] == numbers).all() for name in "abc")
    assert found["c"].dtype == np.float32
    assert found["d"].shape == ()
    assert found["e"].shape == (0, 2)


HOSTILE = {
    "a hole": lambda t: {**t, "a": {**t["a"], "data_offsets": [4, 28]}},
    "an overlap": lambda t: {**t, "b": t["a"]},
    "beyond the end": lambda t: {**t, "a": {**t["a"], "shape": [2**40, 3], "data_offsets": [0, 3 * 2**42]}},
    "a negative size": lambda t: {**t, "a": {**t["a"], "shape": [-2, -3]}},
    "a size that is no integer": lambda t: {**t, "a": {**t["a"], "shape": [2.0, 3]}},
    "a size that is a truth": lambda t: {**t, "a": {**t["a"], "shape": [6, True]}},
    "an unknown dtype": lambda t: {**t, "a": {**t["a"], "dtype": "F8_E4M3"}},
    "a dtype that is a list": lambda t: {**t, "a": {**t["a"], "dtype": ["F32"]}},
    "no offsets": lambda t: {**t, "a": {"dtype": "F32", "shape": [2, 3]}},
    "one offset": lambda t: {**t, "a": {**t["a"], "data_offsets": [0]}},
    "no table": lambda t: [t],
    "no entry": lambda t: {**t, "a": 3},
    "bytes left": lambda t: {"__metadata__": {}},
    "many dimensions": lambda t: {**t, "a": {**t["a"], "shape": [6] + [1] * 40}},
}


@pytest.mark.parametrize("header", HOSTILE.values(), ids=HOSTILE)
def test_hostile_safetensors_are_refused(tmp_path, header):
    path = write_safetensors(tmp_path / "m", {"a": ("F32", np.ones((2, 3), np.float32))}, header)
    with pytest.raises(ValueError, match="must"):
        read_safetensors(path)


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"1234567", (2**63).to_bytes(8, "little") + b"{}", (2).to_bytes(8, "little") + b"{"),
        (2).to_bytes(8, "little") + b"\xff\xff",
        (100_000).to_bytes(8, "little") + b"[" * 100_000,
        (55).to_bytes(8, "little") + b'{"a":1,"a":2}'.ljust(55),
    ],
)
def test_bytes_that_are_no_safetensors_are_refused(tmp_path, data):
    (tmp_path / "m").write_bytes(data)
    with pytest.raises(ValueError, match="must"):
        read_safetensors(tmp_path / "m")
