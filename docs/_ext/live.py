"""A network that learns in the reader's browser: the directive ``live``, used on the landing page.

Python makes all that the page needs while the site is built: digits as bits, the bits to begin with, the size of
each step, and the fingerprint of what came of them here. docs/_static/live-network.js repeats the training by the
rules of docs/explanation/optimizer.md, and the page shows both fingerprints. Batches need no generator of random
numbers on either side: the number of samples is a prime p, and epoch e takes sample i e mod p at place i.
"""

import base64
import json
from pathlib import Path

import numpy as np

HIDDEN, EPOCHS, BATCH = 256, 20, 48
CUTS = (2, 5, 9, 13)  # of brightness, from 0 to 16: a pixel is four bits
HELD_OUT = 500  # 1797 - 500 is a prime


def digits():
    """Bits and labels of the digits to learn from, and of those held out."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, y = load_digits(return_X_y=True)
    bits = np.hstack([pixels >= cut for cut in CUTS])
    return train_test_split(bits, y, test_size=HELD_OUT, random_state=0)


def batches(n_samples):
    """Rows of each step, epoch after epoch; what does not fill a batch waits for the next epoch."""
    order = np.arange(n_samples)
    for epoch in range(1, EPOCHS + 1):
        yield from np.split(order * epoch % n_samples, range(BATCH, n_samples, BATCH))[: n_samples // BATCH]


def network():
    """The network to begin with."""
    from bvar.networks import boolean_mlp

    n_samples = 1797 - HELD_OUT
    sizes = [64 * len(CUTS), HIDDEN, 10]
    return boolean_mlp(sizes, n_steps=EPOCHS * (n_samples // BATCH), random_state=0)


def train():
    """Train it, and return it with the number of held-out digits that it reads after each epoch."""
    from bvar import kernels

    X_train, X_test, y_train, y_test = digits()
    packed, learner, read = kernels.pack(X_test), network(), []
    for step, rows in enumerate(batches(len(y_train)), start=1):
        learner.step(kernels.pack(X_train[rows]), y_train[rows])
        if step % (len(y_train) // BATCH) == 0:
            read.append(int((learner.scores(packed).argmax(axis=1) == y_test).sum()))
    return learner, read


def lesson():
    """All that the page needs, ready for JSON: bits are words of 32, little-endian, in base64."""
    from bvar import kernels
    from bvar.networks.losses import SIGNAL_MAX

    def encode(matrix):
        return base64.b64encode(matrix.words.astype("<u8").tobytes()).decode()

    X_train, X_test, y_train, y_test = digits()
    start, steps = network(), len(y_train) // BATCH * EPOCHS
    etas = []
    for start.optimizer.step_count in range(steps):
        etas.append(start.optimizer.current_eta() / (SIGNAL_MAX * BATCH))
    learner, read = train()
    threshold = start.layers[1]
    return {
        "sizes": [64 * len(CUTS), HIDDEN, 10],
        "cuts": CUTS,
        "batch": BATCH,
        "epochs": EPOCHS,
        "learn": {"x": encode(kernels.pack(X_train)), "y": "".join(map(str, y_train))},
        "held": {"x": encode(kernels.pack(X_test)), "y": "".join(map(str, y_test))},
        "weights": [encode(parameter.bits) for parameter in start.parameters],
        "tau": threshold.tau.tolist(),
        "curve": threshold.curve.tolist(),
        "shift": threshold.SHIFT,
        "losses": start.loss.table.tolist(),
        "etas": etas,
        "clip": start.optimizer.clip,
        "read": read,
        "fingerprint": learner.fingerprint(),
    }


def figure(static="_static"):
    """The figure as HTML: what stands there without scripts, the lesson, and the scripts."""
    page = Path(__file__).with_name("live.html").read_text(encoding="utf-8")
    given = lesson()
    return page.format(
        static=static,
        lesson=json.dumps(given, separators=(",", ":")),
        fingerprint=given["fingerprint"],
        accuracy=f"{100 * given['read'][-1] / HELD_OUT:.1f}",
        n_weights=f"{HIDDEN * (64 * len(CUTS) + 10):,}",
    )


def setup(app):
    """Register the directive, which has neither arguments nor content."""
    from docutils import nodes
    from sphinx.util.docutils import SphinxDirective

    class Live(SphinxDirective):
        def run(self):
            for name in ("live.py", "live.html"):
                self.env.note_dependency(Path(__file__).with_name(name))
            return [nodes.raw("", figure(), format="html")]

    app.add_directive("live", Live)
    return {"parallel_read_safe": True}
