"""The network that learns on the landing page is the one that Python trains: in Node, and in a real browser."""

import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "docs/_static"
sys.path[:0] = [str(ROOT / "docs/_ext"), str(ROOT / "tests/docs")]

import browser  # noqa: E402
import live  # noqa: E402

IN_NODE = """
const LiveNetwork = require(process.argv[1]);
const network = new LiveNetwork(JSON.parse(require("fs").readFileSync(0)));
const read = [];
while (!network.isDone) {
  network.step();
  if (network.stepCount % network.stepsInEpoch === 0) read.push(network.countRead());
}
console.log(JSON.stringify({ fingerprint: network.fingerprint(), read }));
"""


@cache
def lesson():
    return live.lesson()


def learn_in_node(given):
    command = ["node", "-e", IN_NODE, str(STATIC / "live-network.js")]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


needs_node = pytest.mark.skipif(not shutil.which("node"), reason="there is no Node")
needs_browser = pytest.mark.skipif(not browser.find(), reason="there is no Chromium")


@needs_node
def test_node_learns_the_network_that_python_learns():
    found = learn_in_node(lesson())
    assert found["fingerprint"] == lesson()["fingerprint"]
    assert found["read"] == lesson()["read"]


@needs_node
def test_another_step_size_makes_another_network():
    given = {**lesson(), "etas": [1.001 * eta for eta in lesson()["etas"]]}
    assert learn_in_node(given)["fingerprint"] != lesson()["fingerprint"]


def test_the_number_of_samples_is_a_prime_so_that_every_epoch_takes_each_once():
    n_samples = len(lesson()["learn"]["y"])
    assert all(n_samples % d for d in range(2, n_samples))
    batches = list(live.batches(n_samples))
    n_steps = n_samples // live.BATCH
    assert len(batches) == live.EPOCHS * n_steps
    for epoch in range(live.EPOCHS):
        rows = [row for batch in batches[epoch * n_steps : (epoch + 1) * n_steps] for row in batch]
        assert len(set(rows)) == len(rows) == n_steps * live.BATCH


def test_it_reads_most_digits_and_is_small():
    assert lesson()["read"][-1] >= 0.96 * live.HELD_OUT
    scripts = sum((STATIC / name).stat().st_size for name in ("live-network.js", "live.js"))
    assert len(live.figure()) + scripts < 300_000


def page_with_figure(folder):
    (folder / "_static").mkdir()
    for name in ("live-network.js", "live.js", "bvar.css"):
        shutil.copy(STATIC / name, folder / "_static" / name)
    head = '<head><meta charset="utf-8"><title>live</title><link rel="stylesheet" href="_static/bvar.css"></head>'
    (folder / "index.html").write_text(f'<!doctype html><html lang="en">{head}<body>{live.figure()}</body></html>')
    return (folder / "index.html").as_uri()


@needs_browser
def test_a_browser_learns_the_network_that_python_learns_and_reads_a_drawing(tmp_path):
    url = page_with_figure(tmp_path)
    text = "document.getElementById('live-{}').textContent"
    with browser.page(tmp_path / "profile") as page:
        page.call("Page.navigate", url=url)
        page.wait("!!document.getElementById('live-verdict')?.textContent")
        assert page.evaluate(text.format("here")) == lesson()["fingerprint"]
        assert page.evaluate(text.format("python")) == lesson()["fingerprint"]
        assert page.evaluate(text.format("verdict")).startswith("Equal")
        assert f"{100 * lesson()['read'][-1] / live.HELD_OUT:.1f} %" in page.evaluate(text.format("status"))
        page.evaluate("document.getElementById('live-clear').click()")
        assert page.evaluate(text.format("says")) == "Nothing drawn yet."
        draw_a_one_by_keyboard(page)
        assert page.evaluate(text.format("says")) == "Read as 1."


def draw_a_one_by_keyboard(page):
    keys = ["ArrowUp"] * 6 + [" "] + ["ArrowDown"] * 11 + [" "]
    for key in keys:
        event = f"new KeyboardEvent('keydown', {{key: '{key}', bubbles: true}})"
        page.evaluate(f"document.getElementById('live-draw').dispatchEvent({event})")


@needs_browser
def test_out_of_sight_nothing_is_trained(tmp_path):
    url = page_with_figure(tmp_path)
    with browser.page(tmp_path / "profile") as page:
        style = "document.addEventListener('DOMContentLoaded', () => document.body.style.paddingTop = '9000px')"
        page.call("Page.enable")
        page.call("Page.addScriptToEvaluateOnNewDocument", source=style)
        page.call("Page.navigate", url=url)
        page.wait("document.readyState === 'complete'")
        page.evaluate("new Promise((done) => setTimeout(done, 1000))")
        assert page.evaluate("document.getElementById('live-status').textContent") == "Epoch 0 of 20"
        page.evaluate("document.getElementById('live').scrollIntoView()")
        page.wait("!!document.getElementById('live-verdict').textContent")
