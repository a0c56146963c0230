"""The script that trains VGG-Small: it can be stopped anywhere."""

import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]


def test_a_stopped_training_of_vgg_small_goes_on_to_the_same_weights(tmp_path):
    """The script on a few images, once in one go and once in three."""
    random = np.random.RandomState(0)
    x, y = random.randint(0, 256, (40, 32, 32, 3)).astype(np.uint8), np.arange(40) % 10
    np.savez(tmp_path / "images.npz", x_train=x, y_train=y, x_test=x[:10], y_test=y[:10])

    def train(state, steps):
        script = [sys.executable, str(ROOT / "tutorials/train_vgg_small.py")]
        options = {"data": "images.npz", "state": state, "steps": steps, "save": 9}
        options |= {"batch": 10, "epochs": 4, "eta": 1000}
        for name, value in options.items():
            script += [f"--{name}", str(value)]
        done = subprocess.run(script, cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()[-1]

    in_one_go = train("one.pickle", 16)
    assert in_one_go.startswith("fingerprint")
    assert train("none.pickle", 0) != in_one_go, "nothing flipped in so few steps"
    assert [train("parts.pickle", steps) for steps in (5, 6, 99)][-1] == in_one_go
