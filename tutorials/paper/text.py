"""Read Shakespeare with a transformer of bits: say the next character, or which of nine plays a passage is from.

    python tutorials/paper/text.py --data tinyshakespeare.npz --out runs                      (language model)
    python tutorials/paper/text.py --data tinyshakespeare.npz --out runs --task plays [--start runs/language.bvar]
    python tutorials/paper/text.py --data tinyshakespeare.npz --task ngrams                   (the baseline of plays)

With --committee several networks are trained one after another, and what they believe of a text is averaged.

The file holds the bytes of the text as `text`.  Each play is cut into 20 blocks; of ten in a row the fourth is for
validation and the eighth for the test, for both tasks: no passage leaks, nor was a model of language trained on one.
Epochs are measured on validation; `--record` measures the test when training is over.  The twin is the float
transformer of the same shape.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from common import (
    BooleanLearner,
    TorchLearner,
    believe_together,
    count_steps,
    fail,
    fingerprints,
    need_torch,
    parser,
    plot_folder,
    record,
    train,
)

from bvar import model_file
from bvar.networks import Network
from bvar.real import boolean_transformer, text_classifier

OPENINGS = {
    "Coriolanus": "First Citizen:\nBefore we proceed",
    "Richard III": "GLOUCESTER:\nNow is the winter",
    "Richard II": "KING RICHARD II:\nOld John of Gaunt",
    "Romeo and Juliet": "SAMPSON:\nGregory",
    "Henry VI, part 3": "WARWICK:\nI wonder how the king",
    "The Winter's Tale": "ARCHIDAMUS:\nIf you shall chance",
    "Measure for Measure": "DUKE VINCENTIO:\nEscalus.",
    "The Taming of the Shrew": "SLY:\nI'll pheeze",
    "The Tempest": "Master:\nBoatswain",
}
_BLOCKS = 20
_SPEAKER = re.compile(r"(^|\n\n)[^\n:]{2,40}:\n")
_KINDS = {3: "validation", 7: "test"}  # of ten blocks in a row; the others are for training
_TOGETHER = 64  # texts measured at a time


class Part(NamedTuple):
    """Pieces of plays without a gap: tokens, and the number of the play."""

    tokens: np.ndarray
    play: int


def load(arguments: Any) -> tuple[dict[str, list[Part]], int]:
    """Read the file; return the parts of training, validation and test, and the number of tokens."""
    if arguments.data is None:
        fail("--data must be a file of NumPy with the bytes of the text as `text`")
    with np.load(arguments.data) as z:
        text = z["text"].tobytes().decode("latin-1")
    characters = sorted(set(text))
    number = np.zeros(256, np.int64)
    number[[ord(c) for c in characters]] = np.arange(len(characters))
    parts: dict[str, list[Part]] = {"training": [], "validation": [], "test": []}
    for play, piece in enumerate(plays(text)):
        for kind, block in blocks(piece):
            if arguments.unnamed:
                block = _SPEAKER.sub(r"\1", block)
            parts[kind].append(Part(number[np.frombuffer(block.encode("latin-1"), np.uint8)], play))
    return parts, len(characters)


def plays(text: str) -> list[str]:
    """Cut the text where plays open; a text without those openings is cut in two."""
    starts = [text.find(opening) for opening in OPENINGS.values()]
    if -1 in starts:
        starts = [0, len(text) // 2]
    return [text[a:b] for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]


def blocks(play: str) -> list[tuple[str, str]]:
    """Cut a play into blocks, and join neighbours of one kind."""
    kinds = [_KINDS.get(i % 10, "training") for i in range(_BLOCKS)]
    edges = [i for i in range(1, _BLOCKS) if kinds[i] != kinds[i - 1]]
    return [
        (kinds[a], play[a * len(play) // _BLOCKS : b * len(play) // _BLOCKS])
        for a, b in zip([0, *edges], [*edges, _BLOCKS], strict=True)
    ]


class Passages:
    """Passages of a length: number i begins at a multiple of the step within its part, or a little later."""

    def __init__(self, parts: list[Part], length: int, step: int) -> None:
        self.length, self.step = length, step
        self.at = [(p, i) for p, part in enumerate(parts) for i in range(0, len(part.tokens) - length + 1, step)]
        self.parts = parts

    def __len__(self) -> int:
        return len(self.at)

    def take(self, rows: np.ndarray, random: np.random.RandomState | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return tokens and plays; with `random`, of passages that begin up to a step later."""
        shifts = np.zeros(len(rows), int) if random is None else random.randint(0, self.step, len(rows))
        tokens, classes = [], []
        for row, shift in zip(rows, shifts, strict=True):
            part, start = self.parts[self.at[row][0]], self.at[row][1]
            start = min(start + shift, len(part.tokens) - self.length)
            tokens.append(part.tokens[start : start + self.length])
            classes.append(part.play)
        return np.array(tokens), np.array(classes)


def misread(tokens: np.ndarray, share: float, random: np.random.RandomState) -> None:
    """Replace tokens, each with the probability `share`, by those of another text of the batch, in place."""
    wrong = random.rand(*tokens.shape) < share
    tokens[wrong] = tokens[random.permutation(len(tokens))][wrong]


class LanguageLearner(BooleanLearner):
    """A network that judges every position: losses are those of one of them."""

    def step(self, rows: np.ndarray, random: np.random.RandomState) -> float:
        return super().step(rows, random) / self.network.layers[0].n_inputs


def network(arguments: Any, n_tokens: int, n_classes: int, n_steps: int) -> Network:
    """Build the Boolean transformer, or put a head of classes on one."""
    eta = arguments.eta or (500.0 if arguments.task == "language" else 5.0)
    options = {"eta": eta, "rate": arguments.rate, "n_steps": n_steps, "random_state": arguments.seed}
    if arguments.start:
        body = model_file.load(arguments.start)
    else:
        shape = {"width": arguments.width, "n_blocks": arguments.blocks, "n_heads": arguments.heads}
        shape |= {"max_ngram": arguments.max_ngram, "n_buckets": arguments.buckets}
        body = boolean_transformer(n_tokens, arguments.length, **shape, **options)
    return body if arguments.task == "language" else text_classifier(body, n_classes, **options)


def learner(
    arguments: Any, parts: dict[str, list[Part]], n_tokens: int, kind: str = "validation"
) -> BooleanLearner | TorchLearner:
    """Put the network, its passages and its measure on held out ones together."""
    is_language = arguments.task == "language"
    length = arguments.length + is_language
    training = Passages(parts["training"], length, arguments.length)
    held_out = Passages(parts[kind], length, arguments.length)
    n_classes = 1 + max(part.play for part in parts["training"])

    def pairs(passages: Passages, rows: np.ndarray, random: Any = None) -> tuple[Any, Any]:
        tokens, classes = passages.take(rows, random)
        x, y = (tokens[:, :-1], tokens[:, 1:].ravel()) if is_language else (tokens, classes)
        return (x, y) if not arguments.twin else tuple(map(need_torch().from_numpy, (np.ascontiguousarray(x), y)))

    def measure(scores: Callable) -> dict[str, float]:
        bits, right, n = 0.0, 0, 0
        for start in range(0, len(held_out), _TOGETHER):
            x, y = pairs(held_out, np.arange(start, min(start + _TOGETHER, len(held_out))))
            s, y = np.asarray(scores(x), np.float64), np.asarray(y)
            s -= s.max(axis=1, keepdims=True)
            bits += float((np.log2(np.exp(s).sum(axis=1)) - s[np.arange(len(y)), y] / np.log(2)).sum())
            right, n = right + int((s.argmax(axis=1) == y).sum()), n + len(y)
        return {"bits": bits / n, "accuracy": right / n}

    def batch(rows: np.ndarray, random: np.random.RandomState) -> tuple[Any, Any]:
        x, y = pairs(training, rows, random)
        misread(np.asarray(x), arguments.noise, random)  # of a tensor, its memory
        return x, y

    n_steps = count_steps(arguments, len(training))
    if not arguments.twin:
        make = LanguageLearner if is_language else BooleanLearner
        built = network(arguments, n_tokens, n_classes, n_steps)
        return make(built, batch, measure, final_width=arguments.final_width, n_steps=n_steps)
    torch = need_torch()
    from text_twin import Twin

    torch.manual_seed(arguments.seed)
    shape = arguments.width, arguments.blocks, arguments.heads, None if is_language else n_classes
    module = Twin(n_tokens, arguments.length, *shape, arguments.max_ngram, arguments.buckets)
    loss = torch.nn.functional.cross_entropy
    return TorchLearner(module, batch, loss, measure, n_steps=n_steps, rate=arguments.rate)


def ngrams(arguments: Any, parts: dict[str, list[Part]]) -> None:
    """Fit logistic regressions on counts of n-grams of characters; the best on validation is tested."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    def texts(kind: str, step: int) -> tuple[list[str], np.ndarray]:
        passages = Passages(parts[kind], arguments.length, step)
        tokens, classes = passages.take(np.arange(len(passages)))
        return ["".join(map(chr, 33 + row)) for row in tokens], classes

    (x, y), held_out = texts("training", arguments.length // 2), texts("validation", arguments.length)
    best: tuple[float, Any, Any, dict[str, Any]] | None = None
    begun = time.process_time()
    for longest in arguments.longest:
        counter = TfidfVectorizer(
            analyzer="char", lowercase=False, ngram_range=(1, longest), min_df=3, sublinear_tf=True
        )
        counts = counter.fit_transform(x)
        seen = counter.transform(held_out[0])
        for strength in arguments.strengths:
            model = LogisticRegression(C=strength, max_iter=300).fit(counts, y)
            accuracy = float(model.score(seen, held_out[1]))
            print(f"n up to {longest}, C {strength}: validation {accuracy:.4f}", flush=True)
            if best is None or accuracy > best[0]:
                best = accuracy, counter, model, {"longest": longest, "strength": strength}
    assert best is not None
    accuracy, counter, model, choice = best
    if arguments.record:
        x, y = texts("test", arguments.length)
        found = {
            "accuracy": float(model.score(counter.transform(x), y)),
            "validation_accuracy": accuracy,
            **choice,
        }
        seconds = round(time.process_time() - begun, 1)
        record("text", arguments.record, found | {"n_features": counts.shape[1], "seconds": seconds})


def count_samples(arguments: Any, parts: dict[str, list[Part]]) -> int:
    """Count the passages of an epoch."""
    length = arguments.length + (arguments.task == "language")
    return len(Passages(parts["training"], length, arguments.length))


def train_all(arguments: Any, parts: dict[str, list[Part]], n_tokens: int) -> tuple[list[Any], list[list[Any]]]:
    """Train the networks of the committee one after another; return those that time was enough for, and curves."""
    name = "-".join(filter(None, [arguments.task, arguments.twin, "finetuned" if arguments.start else None]))
    readers, curves, first = [], [], arguments.seed
    for member in range(arguments.committee):
        arguments.seed = first + member
        called = f"{name}-{arguments.seed}" if arguments.committee > 1 else name
        readers.append(learner(arguments, parts, n_tokens))
        curves.append(train(arguments, called, readers[-1], count_samples(arguments, parts)))
        if arguments.out and not arguments.twin:
            model_file.save(readers[-1].network, arguments.out / f"{called}.bvar")
        if len(curves[-1]) < arguments.epochs:
            break
    return readers, curves


def measured(readers: list[Any], judge: BooleanLearner | TorchLearner) -> dict[str, float]:
    """Measure a network on the passages of another learner, or the mean of what several networks believe."""
    if len(readers) == 1:
        judge.restore(readers[0].state())
        return judge.test()
    networks = [reader.network for reader in readers]
    return judge.measure(believe_together(networks, networks[0].layers[-1].n_outputs))


def main() -> None:
    """Train, report, keep the state."""
    p = parser(__doc__, epochs=1, batch=8)
    p.add_argument("--task", choices=["language", "plays", "ngrams"], default="language")
    p.add_argument("--start", help="file of a language model to begin with")
    p.add_argument("--unnamed", action="store_true", help="leave out the lines that say who speaks")
    p.add_argument("--length", type=int, default=128, help="characters of a passage")
    p.add_argument("--width", type=int, default=128, help="numbers of the stream")
    p.add_argument("--blocks", type=int, default=4)
    p.add_argument("--heads", type=int, default=8)
    p.add_argument("--max-ngram", type=int, default=5, help="longest n-gram with a row in the stream; 1: none")
    p.add_argument("--buckets", type=int, default=2**16, help="rows that n-grams share")
    p.add_argument("--committee", type=int, default=1, help="networks of plays, of seeds from --seed on")
    p.add_argument("--noise", type=float, default=0.0, help="share of characters read wrongly in training")
    p.add_argument("--eta", type=float, help="accumulation factor of bits; default: 500 for language, 5 for plays")
    p.add_argument("--rate", type=float, default=5e-3, help="rate of Adam, of what is real")
    p.add_argument("--longest", type=int, nargs="+", default=[3, 4, 5, 6, 7], help="n-grams of characters tried")
    p.add_argument(
        "--strengths", type=float, nargs="+", default=[1.0, 10.0, 100.0, 1000.0], help="values of C tried"
    )
    arguments = p.parse_args()
    if arguments.figure:
        plot_folder(arguments, "accuracy", "accuracy on validation", f"{arguments.task}*")
        return
    if arguments.start and (arguments.twin or arguments.task != "plays"):
        fail("--start is for --task plays, and not for a --twin: a language model goes on from its folder --out")
    if arguments.committee < 1 or (arguments.committee > 1 and (arguments.twin or arguments.task != "plays")):
        fail("--committee must be at least 1, and more than 1 are for --task plays, and not for a --twin")
    if arguments.start and arguments.final_width != 1:
        fail("--final-width needs thresholds that are new: a file, --start, keeps curves and not their formula")
    parts, n_tokens = load(arguments)
    if arguments.task == "ngrams":
        ngrams(arguments, parts)
        return
    if arguments.fingerprints:
        fingerprints(lambda: learner(arguments, parts, n_tokens), arguments, count_samples(arguments, parts))
        return
    readers, curves = train_all(arguments, parts, n_tokens)
    if arguments.record and all(curves) and len(curves) == arguments.committee:
        kinds = {"": "test", "validation_": "validation"}
        found = {
            start: measured(readers, learner(arguments, parts, n_tokens, kind)) for start, kind in kinds.items()
        }
        values: dict[str, Any] = {start + name: value for start, v in found.items() for name, value in v.items()}
        values |= {name: curves[0][-1][name] for name in ("step", "epoch")}
        values["seconds"] = round(sum(curve[-1]["seconds"] for curve in curves), 1)
        record("text", arguments.record, values | {"fingerprint": " ".join(r.fingerprint() for r in readers)})


if __name__ == "__main__":
    main()
