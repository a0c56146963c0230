"""Mutants of model files that know the structure: ``python tests/model_file/fuzz.py 5000 [SEED]``.

Golden files are taken apart, changed in one to three places, and sealed with a right checksum.  Each mutant is
refused with a `ModelFileError`, or loads and answers like a valid model; within a second, and 64 MiB and ten times
its size.
"""

import contextlib
import copy
import hashlib
import json
import struct
import sys
import tempfile
import time
import tracemalloc
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from bvar import kernels, model_file
from bvar.layers import Layer, SignedConv2d, SignedSum
from bvar.model_file import ModelFileError, _container, _kinds
from bvar.multikernel import Encoder, Transformer
from bvar.networks import Network

GOLDEN = sorted((Path(__file__).parents[1] / "golden").glob("format1-*.bvar"))
SECONDS, MOST, EACH = 1.0, 2**26, 10
HOSTILE = [
    *(None, True, False, "", "x", "xnor", "auto", [], {}, [[]], 0, 1, -1, 2, 3, 7, 16, 64, 255, 1000),
    *(2**k for k in (15, 16, 20, 28, 30, 31, 32, 40, 48, 53)),
    *({"float": text} for text in ("nan", "inf", "-inf", "0x0.0p+0", "0x1.0p+1023", "-0x1.8p+0", "0x1.0p-1074")),
    *({"int": "9" * 30}, {"int": "-1" + "0" * 999}, {"tuple": []}, {"tuple": [1, 2]}, {"dict": [[1, 2]]}),
    *({"objects": {"items": [], "shape": [0, 2**40]}}, {"rows": ["a", "b"]}, {"array": "x"}, {"text": "x"}),
    *({"bits": {"known": None, "n_bits": 2**40, "words": "x"}}, {"object": {"fields": {}, "kind": "Network"}}),
]  # fmt: skip


def places(value, way=()):
    """Every path into a JSON value but the root."""
    for key in range(len(value)) if isinstance(value, list) else value if isinstance(value, dict) else ():
        yield (*way, key)
        yield from places(value[key], (*way, key))


def spot(content, way):
    """The container that holds the last step of a path."""
    for key in way[:-1]:
        content = content[key]
    return content


class Mutant:
    """A golden file, changed step by step."""

    def __init__(self, random, parents):
        self.random, self.parents = random, parents
        self.parent = random.randint(len(parents))
        content, arrays = parents[self.parent]
        self.content, self.arrays, self.raw = copy.deepcopy(content), dict(arrays), None

    def pick(self, values):
        values = list(values)
        return values[self.random.randint(len(values))]

    def change(self):
        ways = [self.replace, self.number, self.lose, self.double, self.swap, self.kind, self.graft]
        self.pick(ways + 5 * [self.array])()

    def replace(self):
        way = self.pick(places(self.content))
        spot(self.content, way)[way[-1]] = copy.deepcopy(self.pick(HOSTILE))

    def number(self):
        ways = [w for w in places(self.content) if type(spot(self.content, w)[w[-1]]) is int]
        if ways:
            way = self.pick(ways)
            n = spot(self.content, way)[way[-1]]
            new = self.pick([n + 1, n - 1, 2 * n, n // 2, -n, n * 2**20, n + 64])
            spot(self.content, way)[way[-1]] = max(-(2**53), min(2**53, new))

    def lose(self):
        way = self.pick(places(self.content))
        del spot(self.content, way)[way[-1]]

    def double(self):
        lists = [w for w in places(self.content) if isinstance(spot(self.content, w), list)]
        if lists:
            way = self.pick(lists)
            holder = spot(self.content, way)
            holder.insert(self.random.randint(len(holder) + 1), copy.deepcopy(holder[way[-1]]))

    def swap(self):
        (a, b) = (self.pick(places(self.content)) for _ in range(2))
        if a[: len(b)] != b and b[: len(a)] != a:
            one, two = spot(self.content, a), spot(self.content, b)
            one[a[-1]], two[b[-1]] = two[b[-1]], one[a[-1]]

    def kind(self):
        ways = [w for w in places(self.content) if w[-1] == "kind"]
        way = self.pick(ways)
        spot(self.content, way)[way[-1]] = self.pick(_kinds.KINDS)

    def graft(self):
        """Put a part of another file here, with the arrays that it names."""
        content, arrays = self.pick(self.parents)
        way, donor = self.pick(places(self.content)), self.pick(places(content))
        part = spot(content, donor)[donor[-1]]
        spot(self.content, way)[way[-1]] = copy.deepcopy(part)
        text = json.dumps(part)
        self.arrays |= {name: array for name, array in arrays.items() if json.dumps(name) in text}

    def array(self):
        name = self.pick(self.arrays)
        self.arrays[name] = self.changed(np.atleast_1d(self.arrays[name]))

    def changed(self, array):
        random, flat = self.random, array.reshape(-1)
        spots = random.randint(max(1, flat.size), size=2)
        way = random.randint(14)
        if way < 4 and flat.size:
            flat = flat.copy()
            raw = flat.view(np.uint8)
            if way == 0:
                raw[random.randint(raw.size)] ^= np.uint8(1 << random.randint(8))
            elif way == 1:
                raw[:] = random.choice([0, 255, 127, 128])
            elif way == 2:
                flat[spots[0]] = flat[spots[1]]
            else:
                raw[:] = random.randint(256, size=raw.size)
            if array.dtype == np.bool_:
                raw &= 1
            return flat.reshape(array.shape)
        shapes = [array[:-1], array[1:], array[::-1], array[:0], array[None], array.T, flat]
        others = [np.concatenate([array, array]), np.zeros((0, 2**40)), array.astype(self.pick(_container.DTYPES))]
        return (shapes + others)[way % 10]

    def bytes(self, path):
        """Return the file; arrays that nothing names any more mostly leave it, or nothing else would be seen."""
        if self.random.rand() < 0.7:
            text = json.dumps(self.content)
            self.arrays = {name: array for name, array in self.arrays.items() if json.dumps(name) in text}
        try:
            _container.write(path, self.content, self.arrays)
        except ValueError:  # beyond the limits: nobody could write it
            return None
        data = path.read_bytes()
        return self.resealed(bytearray(data)) if self.random.rand() < 0.15 else data

    def resealed(self, data):
        """Change bytes of the header, or of anything, and compute the checksum again."""
        header = struct.unpack("<8sIIQ", data[:24])[2]
        for _ in range(self.random.randint(1, 4)):
            end = 24 + header if self.random.rand() < 0.8 else len(data) - 32
            i = self.random.randint(8, end)
            data[i] = self.pick([data[i] ^ 1 << self.random.randint(8), ord(self.pick('"\\[]{},:0919e.-'))])
        data[-32:] = hashlib.sha256(data[:-32]).digest()
        return bytes(data)


def answers(model, about):
    """Ask a model that was loaded; raise AssertionError for what no valid model would say."""
    if isinstance(model, Network):
        return network_answers(model)
    if isinstance(model, Transformer | Encoder):
        with np.errstate(all="ignore"):  # scales of any size are legal
            found, _ = model.forward(np.zeros((1, 1), np.int64))
        assert found.shape == ((1, model.width) if isinstance(model, Encoder) else (1, 1, model.n_tokens))
        return [found]
    rows = pd.DataFrame(about["X"]).to_numpy() if about["columns"] is None else pd.DataFrame(about["X"])
    rows = rows.astype(float) if about["columns"] is None else rows
    if hasattr(model, "feature_names_in_"):
        rows = pd.DataFrame(rows)
        if rows.shape[1] == len(model.feature_names_in_):
            rows.columns = model.feature_names_in_
    try:
        if not hasattr(model, "predict"):
            bits = model.encode(rows)
            assert bits.n_bits == model.n_bits_out_
            return [bits.words]
        predicted = model.predict(rows)
    except (TypeError, ValueError) as error:
        if any(word in str(error) for word in ("column", "feature", "NaN", "image")):
            return []  # these rows are not for this model, and it says so
        raise
    assert len(predicted) == len(rows)
    if not hasattr(model, "predict_proba"):
        assert np.isfinite(predicted).all()
        return [predicted]
    probabilities = model.predict_proba(rows)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    if not getattr(model, "multilabel_", False):
        assert np.isin(predicted, model.classes_).all()
        assert np.abs(probabilities.sum(axis=1) - 1).max() < 1e-6
    return [predicted, probabilities]


def network_answers(network):
    first: Layer = network.layers[0]
    if first.n_inputs > 10**5:
        return []
    random = np.random.RandomState(0)
    if isinstance(first, SignedSum | SignedConv2d):
        x = random.randint(-127, 128, (3, first.n_inputs)).astype(np.int8)
    elif _kinds.kind_of(first).takes >= {"bits"}:
        x = kernels.pack(random.rand(3, first.n_inputs) < 0.5)
    else:
        x = random.rand(3, first.n_inputs).astype(np.float32)
    scores = network.scores(x)
    assert scores.shape == (3, network.layers[-1].n_outputs)
    assert scores.dtype in (np.float32, np.int32)
    return [scores]


def judge(path, about):
    """Load a mutant and ask it; return what became of it."""
    size = path.stat().st_size
    tracemalloc.start()
    started = time.process_time()
    try:
        model = model_file.load(path)
    except ModelFileError as error:
        model, text = None, str(error)
        assert text.startswith(f"{path}: ")
        assert "\n" not in text
        assert len(text) < len(str(path)) + 400
    finally:
        seconds, peak = time.process_time() - started, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert seconds < SECONDS, f"{seconds} s"
    assert peak < MOST + EACH * size, f"{peak} bytes for a file of {size}"
    if model is None:
        return "refused"
    said = answers(model, about)
    again = path.with_suffix(".again")
    model_file.save(model, again)
    for one, two in zip(said, answers(model_file.load(again), about), strict=True):
        assert one.dtype == two.dtype
        assert (one == two).all()
    return "answers" if said else "loads"


def run(n, seed, folder):
    """Try `n` mutants; return how many were refused, answered or only loaded."""
    parents = [_container.read(path) for path in GOLDEN]
    abouts = [json.loads(path.with_suffix(".json").read_text(encoding="utf-8")) for path in GOLDEN]
    counts, path = Counter(), Path(folder, "mutant.bvar")
    for number in range(n):
        mutant = Mutant(np.random.RandomState([seed, number]), parents)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for _ in range(mutant.random.randint(1, 4)):
                with contextlib.suppress(
                    IndexError, KeyError, TypeError, ValueError
                ):  # where nothing is left of it
                    mutant.change()
            data = mutant.bytes(path)
            if data is None:
                counts["not writable"] += 1
                continue
            path.write_bytes(data)
            try:
                counts[judge(path, abouts[mutant.parent])] += 1
            except BaseException as error:
                error.add_note(f"mutant {number} of seed {seed}, of {GOLDEN[mutant.parent].name}, in {path}")
                raise
    return counts


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        print(dict(run(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0, place)))
