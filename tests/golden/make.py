"""Write the golden model files of the current format: ``python tests/golden/make.py``.

A golden file is never changed once a release has shipped it: every later version must load it and give the same
answers.  Run this only to add files; it refuses to overwrite any.  ``--overwrite`` is for a format that nobody
has used yet.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from bvar import (
    BooleanClassifier,
    BooleanConvClassifier,
    BooleanRegressor,
    ImageEncoder,
    LogicGateClassifier,
    LogicGateConvClassifier,
    ThermometerEncoder,
    kernels,
    model_file,
)
from bvar.augmentation import (
    AugmentedClassifier,
    Cutout,
    Flip,
    LearnedAugmentation,
    Mixup,
    Noise,
    Rotation,
    Scale,
    Shear,
    Shift,
)
from bvar.encoding import OneHotBits, TableEncoder
from bvar.layers import (
    BooleanConv2d,
    BooleanLinear,
    GlobalMean,
    JoinChannels,
    MaxPool2d,
    SignedConv2d,
    SignedSum,
    SumPool2d,
    Threshold,
    Upsample2d,
)
from bvar.mollify import (
    CosineSchedule,
    LinearSchedule,
    MollifiedClassifier,
    Mollifier,
    SigmoidSchedule,
    ThresholdAnnealing,
)
from bvar.multikernel import BooleanEncoder, BooleanTransformer, Encoder, Transformer
from bvar.networks import (
    BooleanOptimizer,
    CrossEntropy,
    Network,
    PerPixel,
    SquaredError,
    boolean_mlp,
    front_network,
    residual_block,
)
from bvar.real import (
    Attention,
    BatchNorm,
    Embedding,
    FixedPoint,
    LayerNorm,
    NGramEmbedding,
    PositionSum,
    RealConv2d,
    RealCrossEntropy,
    RealJoinChannels,
    RealLinear,
    RealScale,
    Residual,
    edsr_small,
)
from bvar.training import CheckpointFile, Interrupted, RandomFlip, RandomRotation, RandomShift

HERE = Path(__file__).parent
RANDOM = np.random.RandomState(0)
X = RANDOM.randint(-8, 8, (60, 3)) / 4.0
X[RANDOM.rand(60, 3) < 0.1] = np.nan
SUM = np.nansum(X, axis=1)
QUICK = {"hidden_layer_sizes": (16,), "encoder": ThermometerEncoder(3), "max_iter": 4, "random_state": 0}


def numbers():
    """Two integer classes."""
    return BooleanClassifier(**QUICK).fit(X, np.where(SUM > 0, 7, -1)), X


def text():
    """Classes and features with names; odd parameters."""
    frame = pd.DataFrame(X, columns=["länge", "x y", "z"])
    y = np.array(["low", "middle", "très haut"])[np.digitize(SUM, [-1.0, 1.0])]
    model = BooleanClassifier(
        **{**QUICK, "hidden_layer_sizes": [8, 5]}, class_weight={"low": 0.5, "middle": 1.0, "très haut": 2.0}
    )
    return model.fit(frame, y), frame


def labels():
    """A matrix of labels."""
    return BooleanClassifier(**QUICK).fit(X, np.column_stack([SUM > 0, np.nan_to_num(X[:, 0]) > 0]).astype(int)), X


def targets():
    """Two numbers to predict, with what further training needs."""
    y = np.column_stack([SUM, SUM**2])
    return BooleanRegressor(**QUICK).fit(X, y).partial_fit(X, y), X


def network():
    """A network alone, with biases, another gate and what further training needs."""
    model = boolean_mlp([70, 9, 4, 3], gate="and", bias=True, loss=CrossEntropy(4), random_state=0)
    bits = np.where(RANDOM.rand(40, 70) < 0.1, 0, RANDOM.choice([-1, 1], (40, 70))).astype(np.int8)
    for _ in range(3):
        model.apply(model.votes(kernels.pack(bits), np.arange(40) % 3))
    return model, bits


def table():
    """Columns of numbers, text and Booleans, rare categories among them; early stopping."""
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    frame["job"] = np.array(["cook", "smith", "pilot", "poet", None], object)[
        RANDOM.randint(0, 5, 60) % 4 + (SUM > 4)
    ]
    frame["married"] = RANDOM.rand(60) < 0.5
    encoder = TableEncoder(3, categorical=["c"], max_categories=3)
    model = BooleanClassifier(**{**QUICK, "encoder": encoder, "early_stopping": True, "n_iter_no_change": 2})
    return model.fit(frame, SUM > 0), frame


def monotone():
    """Two classes told apart by one score, which rises with a feature and falls with another."""
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    encoder = TableEncoder(4)
    model = BooleanClassifier(
        **{**QUICK, "hidden_layer_sizes": (9, 6), "encoder": encoder, "monotonic_cst": {"a": 1, "c": -1}}
    )
    return model.fit(frame, np.where(SUM > 0, "yes", "no")), frame


def categories():
    """Categories alone, a regression of one target."""
    model = BooleanRegressor(**{**QUICK, "encoder": OneHotBits(min_frequency=3)})
    cells = np.where(np.isnan(X), None, np.round(X))
    return model.fit(cells, SUM), cells


def gates():
    """A network of gates of three wires, with what further training needs."""
    model = LogicGateClassifier((20, 9), fan_in=3, encoder=ThermometerEncoder(3), max_iter=4, random_state=0)
    y = np.digitize(SUM, [-1.0, 1.0])
    return model.fit(X, y).partial_fit(X, y), X


def wires():
    """Gates whose wires are learnt, with what further training needs."""
    model = LogicGateClassifier(
        (20, 9), wiring="learnt", candidates=4, encoder=ThermometerEncoder(3), max_iter=4, random_state=0
    )
    y = np.digitize(SUM, [-1.0, 1.0])
    return model.fit(X, y).partial_fit(X, y), X


def mollified(schedule):
    """Degraded samples with a schedule."""
    model = BooleanClassifier(**QUICK, mollifier=Mollifier("xn", schedule=schedule))
    return model.fit(X, np.where(SUM > 0, 7, -1)), X


def augmented():
    """Small images that are moved, mirrored and turned."""
    changes = [RandomShift(1, "edge"), RandomFlip(), RandomRotation(5.0)]
    changes = [change.set_params(image_shape=(2, 3)) for change in changes]
    x = np.nan_to_num(np.hstack([X, -X]))
    return BooleanClassifier(**QUICK, augment=changes).fit(x, np.where(SUM > 0, 7, -1)), x


def trained_ends(layers, loss, x):
    """Train a little, and round real weights so that their sums are exact in any order."""
    model = Network(layers, loss, BooleanOptimizer(n_steps=9))
    for _ in range(3):
        model.step(x, np.arange(40) % 2)
    for p in () if model.real is None else model.real.parameters:
        if p.name.startswith("real"):
            p.values[:] = np.rint(8 * p.values) / 8
    return model


def real():
    """A network with a normalised layer and a real last one, with what further training needs."""
    bits = RANDOM.choice([-1, 0, 1], (40, 20)).astype(np.int8)
    layers = [BooleanLinear(20, 9, random_state=0), BatchNorm(9, 20), Threshold(9, BatchNorm.FAN_IN, 2)]
    layers += [RealLinear(9, 2, random_state=1)]
    return trained_ends(layers, RealCrossEntropy(), kernels.pack(bits)), bits


def signed():
    """A network on int8 numbers with a real layer inside."""
    x = RANDOM.randint(-5, 6, (40, 6)).astype(np.int8)
    first = SignedSum(6, 5, rms=3, random_state=0)
    layers = [first, Threshold(5, first.sum_variance, 4), RealLinear(5, 4, bias=False, random_state=1)]
    layers += [FixedPoint(), Threshold(4, FixedPoint.FAN_IN, 2), BooleanLinear(4, 2, random_state=2)]
    return trained_ends(layers, CrossEntropy(4), x), x


def annealed():
    """Thresholds whose noise is narrowed."""
    model = BooleanClassifier(**QUICK, callbacks=ThresholdAnnealing(final_width=0.5))
    return model.fit(X, np.where(SUM > 0, 7, -1)), X


def images():
    """A convolutional classifier of images of two channels."""
    x = RANDOM.randint(0, 256, (40, 4, 6, 2)).astype(np.uint8)
    model = BooleanConvClassifier(
        (5, "M"), (6,), encoder=ImageEncoder(2, n_channels=2), max_iter=2, random_state=0
    )
    return model.fit(x, x.mean(axis=(1, 2, 3)) > 127), x.reshape(40, -1)


def gate_images():
    """Convolutions of gates on images, and an or-pool."""
    x = np.random.RandomState(1).randint(0, 256, (40, 4, 6)).astype(np.uint8)
    model = LogicGateConvClassifier(
        (5, "M"),
        (12, 6),
        fan_in=3,
        head_fan_in=3,
        head_wiring="random",
        skip=False,
        damping=2,
        max_iter=2,
        random_state=0,
    )
    return model.fit(x, x.mean(axis=(1, 2)) > 127), x.reshape(40, -1)


def residual():
    """Windows of every kind and a residual sum, between Boolean ends."""
    bits = RANDOM.choice([-1, 0, 1], (40, 60)).astype(np.int8)
    first = BooleanConv2d((5, 4, 3), 4, (2, 3), "and", stride=(1, 2), padding=(1, 0), bias=True, random_state=0)
    layers = [first, Threshold(first.n_outputs, 18, 9, "and", n_terms=first.n_terms())]
    layers += [
        *residual_block(first.out_shape, 3, fan_out=2, random_state=1),
        BooleanLinear(18, 2, random_state=2),
    ]
    return trained_ends(layers, CrossEntropy(18), kernels.pack(bits)), bits


def numbers_of_images(convolution, dtype):
    """A first layer on numbers."""
    x = RANDOM.randint(-5, 6, (40, 12)).astype(dtype)
    first = convolution((3, 4), 2, (2, 3), padding=(0, 1), random_state=0)
    ends = [FixedPoint()] if dtype == np.float32 else []
    pool, n_pooled = (MaxPool2d(first.out_shape), 4) if ends else (SumPool2d(first.out_shape), 1)
    layers = [first, *ends, pool, Threshold(4, 4096, 2, pool=n_pooled), BooleanLinear(4, 2, random_state=1)]
    return trained_ends(layers, CrossEntropy(4), x), x


def tiny():
    """The network of which the reference has a dump: two inputs, one output, the weights T and F."""
    layer = BooleanLinear(2, 1, name="w")
    layer.weight.bits = kernels.pack(np.array([[True, False]]))
    every = np.array([[a, b] for a in (-1, 0, 1) for b in (-1, 0, 1)], np.int8)
    return Network([layer], SquaredError(2), BooleanOptimizer(10.0)), every


def learnt():
    """Small images that are changed by what is learnt from losses, in every way."""
    steps = [Rotation(5.0), Shift(0.2), Scale(), Shear(), Noise(0.1), Flip(), Cutout(1, 0.2)]
    x = np.nan_to_num(np.hstack([X, -X]))
    augment = LearnedAugmentation(steps, prior=0.3, image_shape=(2, 3))
    return BooleanClassifier(**QUICK, augment=augment).fit(x, np.where(SUM > 0, 7, -1)), x


def normal():
    """A network of floats that has learnt to mix, with normal weights; probabilities depend on the machine."""
    model = AugmentedClassifier(
        LearnedAugmentation(Mixup()), hidden_layer_sizes=(3,), last_layer="normal", max_iter=5, random_state=0
    )
    x = np.nan_to_num(X)
    return model.fit(x, np.where(SUM > 0, 7, -1)), x


def floats():
    """A mollified network of floats; its probabilities have digits that depend on the machine."""
    model = MollifiedClassifier((5,), max_iter=30, batch_size=8, random_state=0)
    return model.fit(np.nan_to_num(X), np.where(SUM > 0, "up", "down")), np.nan_to_num(X)


def front():
    """Gates in front of sums whose thresholds are learnt, with what further training needs."""
    random = np.random.RandomState(1)  # of its own: the others stay what they are, whatever is written anew
    bits = random.choice([-1, 0, 1], (40, 20)).astype(np.int8)
    model = front_network([20, 9, 3], gates=12, fan_in=3, n_steps=9, random_state=0)
    for _ in range(6):
        model.step(kernels.pack(bits), np.arange(40) % 5 // 2)
    return model, bits


def passages():
    """Attention between bits, and residual sums, that have begun to tell classes of texts apart."""
    random = np.random.RandomState(2)  # of its own
    x, y = random.randint(0, 3, (12, 4)), np.arange(12) % 2
    looking = [LayerNorm(4), FixedPoint(), Threshold(4, FixedPoint.FAN_IN, 12)]
    looking += [BooleanLinear(4, 12, random_state=0), Threshold(12, 4, 2), Attention(4, 4, 2)]
    scaled = [FixedPoint(), RealScale(4, FixedPoint.FAN_IN, start=0.5)]
    layers = [Embedding(3, 4, 4, random_state=1)]
    layers += [Residual(part, n_positions=4, loudness=2.5) for part in (looking, scaled)]
    layers += [PositionSum(4), RealLinear(4, 2, random_state=2)]
    model = Network(layers, RealCrossEntropy(), BooleanOptimizer(100.0))
    for _ in range(3):
        model.step(x, y)
    return model, x


def ngrams():
    """Rows of hashed pairs and triples of tokens that have begun to tell classes of texts apart."""
    random = np.random.RandomState(4)  # of its own
    x, y = random.randint(0, 3, (12, 4)), np.arange(12) % 2
    layers = [NGramEmbedding(3, 4, 4, max_ngram=3, n_buckets=8, random_state=1), PositionSum(4)]
    model = Network([*layers, RealLinear(4, 2, random_state=2)], RealCrossEntropy(), BooleanOptimizer(100.0))
    for _ in range(3):
        model.step(x, y)
    return model, x


def doubling():
    """A network that makes images twice as large, pixels of sums shuffled to places."""
    random = np.random.RandomState(3)  # of its own
    model = edsr_small((2, 2, 1), n_filters=2, n_blocks=1, random_state=0)
    x = random.standard_normal((12, 4)).astype(np.float32)
    for _ in range(3):
        model.step(x, np.repeat(x, 4, axis=1))
    return model, x


def dense():
    """A network that says of each pixel what it is, by its own bits and by means over the image."""
    random = np.random.RandomState(4)  # of its own
    weigh = SignedSum(2, 2, random_state=0, name="weigh")
    norm = BatchNorm(2, weigh.sum_variance)
    mean = [GlobalMean((2, 2, 2), 1, 2), weigh, norm, Threshold(2, BatchNorm.FAN_IN, 8), Upsample2d((1, 1, 2), 2)]
    own = [Threshold(8, FixedPoint.FAN_IN, 2)]
    mixed = [BooleanConv2d((2, 2, 4), 2, 1, random_state=1), Threshold(8, 4, 2)]
    layers = [RealConv2d((2, 2, 1), 2, 1, random_state=2, name="first"), FixedPoint()]
    layers += [RealJoinChannels([own, mean], 4), JoinChannels([mixed], 4)]
    layers += [RealConv2d((2, 2, 2), 2, 1, random_state=3, name="last")]
    model = Network(layers, PerPixel(RealCrossEntropy(), 2), BooleanOptimizer(10.0))
    x = random.standard_normal((12, 4)).astype(np.float32)
    for _ in range(3):
        model.step(x, (x > 0).astype(int))
    return model, x


def stopped():
    """A fit that was stopped behind its second epoch: what early stopping kept, and strengths on their way."""
    x, path = np.nan_to_num(np.hstack([X, -X])), Path(tempfile.mkdtemp(), "stopped.bvar")
    model = BooleanClassifier(
        (2,),
        max_iter=4,
        encoder=ThermometerEncoder(1),
        random_state=0,
        augment=LearnedAugmentation([Shift(0.2)], image_shape=(2, 3)),
        early_stopping=True,
        callbacks=[CheckpointFile(path), lambda model: model.n_iter_ == 2],
    )
    model.fit(x, np.where(SUM > 0, 7, -1))
    found = model_file.load(path)
    shutil.rmtree(path.parent)
    return found, x


def transformer():
    """A decoder of three characters."""
    return Transformer.random("ab ", width=4, hidden=4, n_blocks=1, n_heads=2, random_state=0), np.zeros((0, 0))


def student():
    """The same, of two kernels a map."""
    return BooleanTransformer.from_teacher(transformer()[0], 2), np.zeros((0, 0))


def encoder():
    """An encoder of sentences of three tokens."""
    sizes = {"width": 4, "hidden": 4, "n_blocks": 1, "n_heads": 2, "n_positions": 3}
    return Encoder.random(3, random_state=0, **sizes), np.zeros((0, 0))


def encoding_student():
    """The same, of two kernels a map."""
    return BooleanEncoder.from_teacher(encoder()[0], 2), np.zeros((0, 0))


MODELS = {
    "tiny": tiny,
    "table": table,
    "categories": categories,
    "numbers": numbers,
    "text": text,
    "labels": labels,
    "targets": targets,
    "network": network,
    "gates": gates,
    "sigmoid": lambda: mollified(SigmoidSchedule()),
    "cosine": lambda: mollified(CosineSchedule()),
    "augmented": augmented,
    "real": real,
    "signed": signed,
    "linear": lambda: mollified(LinearSchedule()),
    "annealed": annealed,
    "images": images,
    "residual": residual,
    "realconv": lambda: numbers_of_images(RealConv2d, np.float32),
    "signedconv": lambda: numbers_of_images(SignedConv2d, np.int8),
    "floats": floats,
    "learnt": learnt,
    "normal": normal,
    "front": front,
    "transformer": transformer,
    "student": student,
    "gateimages": gate_images,
    "encoder": encoder,
    "encoding_student": encoding_student,
    # written when accumulators had become integers; those above hold float32
    "integer-targets": targets,
    "integer-network": network,
    "integer-gates": gates,
    "integer-real": real,
    "integer-front": front,
    "monotone": monotone,
    "wires": wires,
    "passages": passages,
    "ngrams": ngrams,
    "doubling": doubling,
    "dense": dense,
    "stopped": stopped,
}
WITH_STATE = ("targets", "network", "gates", "real", "front", "wires")


def plain(value, name):
    """Write a float in hexadecimal, a score as an integer."""
    if not isinstance(value, float):
        return value
    return int(value) if name == "decision_function" else value.hex()


def answers(model, x):
    """What the model says, in JSON: integers and text as they are, floats in hexadecimal."""
    if isinstance(model, Transformer | Encoder):
        return {name: [v.hex() for v in model.weight(name).ravel().tolist()] for name in model.map_names}
    if isinstance(model, Interrupted):
        then = model.checkpoint
        return {"n_iter": then.n_iter, "fingerprint": then.network.fingerprint(), "kept": then.kept.score}
    if not hasattr(model, "predict"):
        takes_numbers = isinstance(model.layers[0], SignedSum | SignedConv2d | RealConv2d | Embedding)
        taken = x if takes_numbers else kernels.pack(x)
        return {"scores": model.scores(taken).tolist(), "fingerprint": model.fingerprint()}
    exact = hasattr(model, "network_")
    result = {"fingerprint": model.network_.fingerprint()} if exact else {}
    for name in ("predict", "decision_function", "predict_proba") if exact else ("predict",):
        if hasattr(model, name):
            values = getattr(model, name)(x)
            result[name] = {
                "shape": list(values.shape),
                "values": [plain(v, name) for v in values.ravel().tolist()],
            }
    return result


def main():
    for name, make in MODELS.items():
        path = HERE / f"format1-{name}.bvar"
        if path.exists() and "--overwrite" not in sys.argv:
            print(f"{path.name} stays")
            continue
        model, x = make()
        rows = x[:12]
        model_file.save(model, path, training_state=name.removeprefix("integer-") in WITH_STATE)
        cells = [[None if v != v or v is None else v for v in row] for row in np.asarray(rows).tolist()]
        columns = getattr(rows, "columns", None)
        about = {
            "what": make.__doc__ or mollified.__doc__,
            "columns": None if columns is None else columns.tolist(),
            "X": cells,
            "answers": answers(model, rows),
        }
        text = json.dumps(about, indent=1, ensure_ascii=False)
        path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
        print(f"{path.name} written, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
