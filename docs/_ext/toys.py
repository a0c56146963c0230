"""Small figures to click at: the directive ``toy``, whose argument is the name of one.

``gate`` is a truth table with its variation, ``neuron`` the accumulators of one neuron and the bar. Both are drawn
by docs/_static/toys.js; without scripts there is a sentence in their place.
"""

import json


def gate():
    """The names of the sixteen gates, which is all that the figure cannot compute."""
    from bvar.calculus.gates import GATES

    return {"names": [gate.name for gate in GATES]}


def neuron():
    """Votes of forty steps on 32 weights: noise, and a little evidence of the same sign in every step."""
    import numpy as np

    rng = np.random.RandomState(0)
    evidence = rng.choice([-20, 20], 32)
    votes = np.clip(np.round(evidence + 60 * rng.randn(40, 32)), -127, 127).astype(int)
    return {"weights": [int(rng.randint(2**16)) * 2**16 + int(rng.randint(2**16))], "votes": votes.tolist()}


TOYS = {"gate": gate, "neuron": neuron}


def figure(name, static):
    """The figure as HTML."""
    scripts = "".join(f'<script src="{static}/{file}"></script>' for file in ("live-network.js", "toys.js"))
    told = f"data-toy=\"{name}\" data-told='{json.dumps(TOYS[name]())}'"
    return f'<figure class="live toy" {told}>Here scripts draw a figure.</figure>{scripts}'


def setup(app):
    """Register the directive; an unknown name is an error of the build."""
    from docutils import nodes
    from sphinx.util.docutils import SphinxDirective

    class Toy(SphinxDirective):
        required_arguments = 1

        def run(self):
            up = "../" * self.env.docname.count("/")
            return [nodes.raw("", figure(self.arguments[0], up + "_static"), format="html")]

    app.add_directive("toy", Toy)
    return {"parallel_read_safe": True}
