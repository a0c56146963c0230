"""The script of the paper's task with text, on a toy text of two plays that each have words of their own."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tutorials" / "paper"))

import common
import text

from bvar import model_file
from bvar.real import NGramEmbedding

TOY = [
    "--length",
    "16",
    "--width",
    "16",
    "--blocks",
    "1",
    "--heads",
    "2",
    "--batch",
    "20",
    "--longest",
    "2",
    "--buckets",
    "50",
]


@pytest.fixture
def run(tmp_path, monkeypatch):
    random = np.random.RandomState(0)
    words = [random.choice(list(letters), (900, 3)) for letters in ("abc", "bcd")]
    pages = "".join("KING:\n" + " ".join(map("".join, play)) + "\n\n" for play in words)
    np.savez(tmp_path / "x.npz", text=np.frombuffer(pages.encode(), np.uint8))
    monkeypatch.setattr(common, "RESULTS", tmp_path / "results")

    def call(*options, out="out"):
        arguments = ["--data", str(tmp_path / "x.npz"), "--out", str(tmp_path / out), *TOY, *map(str, options)]
        monkeypatch.setattr(sys, "argv", ["text.py", *arguments])
        text.main()
        return tmp_path / out

    return call


def results(folder):
    return json.loads((folder.parent / "results" / "text.json").read_text())


def test_a_stopped_training_of_language_goes_on_to_the_same_weights(run, capsys):
    run()
    whole = capsys.readouterr().out.splitlines()[-1]
    for _ in range(40):
        folder = run("--minutes", "0", out="parts")
    assert capsys.readouterr().out.splitlines()[-1] == whole
    (line,) = common.read_curve(folder / "language.jsonl")
    assert 0 < line["loss"] < 3  # nats of one character, of seven there are
    assert 0 < line["bits"] < 5


def test_curves_of_a_task_become_a_figure(run):
    plt = pytest.importorskip("matplotlib.pyplot")
    folder = run("--epochs", "2")
    run("--figure", folder / "f.png")
    assert plt.imread(folder / "f.png").std() > 0.01
    with pytest.raises(SystemExit, match="--figure needs a folder"):
        run("--task", "plays", "--figure", folder / "f.png")


def test_first_steps_print_one_fingerprint(run, capsys):
    run("--fingerprints", "3")
    prints = [line.split("fingerprint ")[1] for line in capsys.readouterr().out.splitlines()]
    assert (len(prints), len(set(prints))) == (2, 1)


def test_plays_are_told_apart_on_the_body_of_a_language_model_and_by_ngrams(run):
    folder = run()
    run("--task", "plays", "--start", folder / "language.bvar", "--epochs", "6", "--record", "finetuned")
    run("--task", "plays", "--epochs", "6", "--record", "scratch")
    run("--task", "ngrams", "--record", "ngrams", "--unnamed")
    rows = results(folder)
    assert rows["ngrams"]["accuracy"] == 1
    assert rows["finetuned"]["accuracy"] > 0.8
    assert rows["scratch"]["fingerprint"] != rows["finetuned"]["fingerprint"]


def test_a_committee_says_the_mean_of_what_its_networks_believe(run):
    arguments = ["--task", "plays", "--epochs", "2", "--seed", "5", "--committee", "2"]
    folder = run(*arguments, "--minutes", "0", "--record", "too early")
    assert not (folder / "plays-6.state").exists()
    run(*arguments, "--record", "two")
    rows = results(folder)
    assert list(rows) == ["two"]
    row = rows["two"]
    networks = [model_file.load(folder / f"plays-{seed}.bvar") for seed in (5, 6)]
    assert row["fingerprint"] == " ".join(network.fingerprint() for network in networks)
    loaded, _ = text.load(SimpleNamespace(data=folder.parent / "x.npz", unnamed=False))
    for kind, start in {"test": "", "validation": "validation_"}.items():
        passages = text.Passages(loaded[kind], 16, 16)
        tokens, plays = passages.take(np.arange(len(passages)))
        powers = [np.exp(np.asarray(network.scores(tokens), float)) for network in networks]
        belief = np.mean([power / power.sum(axis=1, keepdims=True) for power in powers], axis=0)
        assert row[f"{start}accuracy"] == (belief.argmax(axis=1) == plays).mean()
        assert np.isclose(row[f"{start}bits"], -np.log2(belief[np.arange(len(plays)), plays]).mean())


@pytest.mark.parametrize(
    "options", [("--committee", 0), ("--committee", 2), ("--task", "plays", "--twin", "float", "--committee", 2)]
)
def test_what_is_no_committee_says_so(run, options):
    with pytest.raises(SystemExit, match="--committee must be at least 1, and more than 1 are for --task plays"):
        run(*options)


@pytest.mark.parametrize("options", [("--task", "language"), ("--task", "plays", "--twin", "float")])
def test_what_cannot_begin_with_a_language_model_says_so(run, options):
    with pytest.raises(SystemExit, match="--start is for --task plays, and not for a --twin"):
        run(*options, "--start", "language.bvar")


@pytest.mark.parametrize("task", ["language", "plays"])
def test_a_twin_trains_beside(run, task):
    pytest.importorskip("torch")
    folder = run("--task", task, "--twin", "float", "--record", task)
    assert 0 < results(folder)[task]["bits"] < 5


def test_no_passage_is_in_two_parts():
    kinds = text.blocks("".join(chr(40 + i) * 5 for i in range(20)))
    assert "".join(block for _, block in kinds) == "".join(chr(40 + i) * 5 for i in range(20))
    held_out = [block[0] for kind, block in kinds if kind != "training"]
    assert held_out == [chr(40 + i) for i in (3, 7, 13, 17)]
    parts = [text.Part(np.arange(40), 0), text.Part(np.arange(100, 133), 1)]
    passages = text.Passages(parts, length=8, step=8)
    tokens, plays = passages.take(np.arange(len(passages)), np.random.RandomState(0))
    assert (np.diff(tokens, axis=1) == 1).all()
    assert ((tokens[:, 0] >= 100) == plays).all()
    assert len(passages) == 9


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_tokens_are_misread_as_those_of_other_texts(share):
    texts = np.arange(40)[:, None] + np.zeros((1, 200), int)
    read = texts.copy()
    text.misread(read, share, np.random.RandomState(0))
    changed = (read != texts).mean()  # a text may be its own neighbour, once in 40
    assert abs(changed - share * 39 / 40) <= 6 * (share * (1 - share) / texts.size + share / 40**2) ** 0.5
    assert all(len(set(row) - {number}) <= 1 for number, row in enumerate(read.tolist()))


@pytest.mark.parametrize("max_ngram", [1, 3])
def test_the_longest_ngram_is_that_of_the_network(run, max_ngram):
    folder = run("--max-ngram", max_ngram)
    found = model_file.load(folder / "language.bvar").layers[0]
    assert getattr(found, "max_ngram", 1) == max_ngram


def test_the_twin_looks_up_the_ngrams_that_the_network_does():
    torch = pytest.importorskip("torch")
    from text_twin import Twin

    torch.manual_seed(0)
    ids = np.random.RandomState(0).randint(0, 5, (3, 8))
    twin = Twin(5, 8, 4, 0, 2, None, 3, 50)
    twin(torch.from_numpy(ids)).square().sum().backward()
    heard = torch.nonzero(twin.ngram.weight.grad.abs().sum(dim=1)).ravel().tolist()
    buckets = NGramEmbedding(5, 8, 4, 3, 50).buckets(ids)
    assert heard == sorted(set(buckets[buckets >= 0].tolist()))


def test_lines_that_say_who_speaks_are_left_out(tmp_path):
    piece = "KING:\nFie, my lord: come.\n\nFirst Citizen:\nYes."
    assert text._SPEAKER.sub(r"\1", piece) == "Fie, my lord: come.\n\nYes."
