"""Mistakes with thresholds that are learnt, and with gates in front of sums."""

from mutants.mutant import Mutant

OFFSETS = {
    "offsets follow their votes": Mutant(
        "self.m[i] - (u * self.reach + 2**19 >> 20)",
        "self.m[i] + (u * self.reach + 2**19 >> 20)",
        "move_offsets",
    ),
    "whole steps by floor": Mutant(
        "abs(left) // 2**24 * (1 if left > 0 else -1)", "left // 2**24", "move_offsets"
    ),
    "whole steps by rounding": Mutant(
        "abs(left) // 2**24 * (1 if left > 0 else -1)", "round(left / 2**24)", "move_offsets"
    ),
    "offsets leave the range of the sum": Mutant(
        "max(-self.n_terms, min(self.n_terms, self.values[i] + whole))", "self.values[i] + whole", "move_offsets"
    ),
    "what does not fit waits": Mutant(
        "left - whole * 2**24",
        "left - (max(-self.n_terms, min(self.n_terms, self.values[i] + whole)) - self.values[i]) * 2**24",
        "move_offsets",
    ),
    "a loud vote counts more than one": Mutant(
        "u = max(-(2**40), min(2**40, eta * vote)) + 2**15 >> 16", "u = eta * vote + 2**15 >> 16", "move_offsets"
    ),
    "the move of an offset is rounded down": Mutant(
        "u * self.reach + 2**19 >> 20", "u * self.reach >> 20", "move_offsets"
    ),
    "votes on offsets are rounded down": Mutant(
        "eta * vote)) + 2**15 >> 16", "eta * vote)) >> 16", "move_offsets"
    ),
    "the reach of an offset is rounded to nearest": Mutant(
        "int(2**20 * (read_float(rate) * sqrt(n_terms)))",
        "round(2**20 * (read_float(rate) * sqrt(n_terms)))",
        "move_offsets",
    ),
    "every offset with a vote has moved": Mutant(
        "moved += before != after", "moved += before != after or vote != 0", "move_offsets"
    ),
    "halves of scaled signals go to even": Mutant(
        "min(abs(v) * k + 2**19 >> 20, GATE_SIGNAL_MAX)",
        "min(round(Fraction(abs(v) * k, 2**20)), GATE_SIGNAL_MAX)",
        "scale_signals",
    ),
    "halves of scaled signals go up": Mutant(
        "return [[size if v >= 0 else -size for v, size in zip(*rows)] for rows in zip(g, sizes)]",
        "return [[max(-32767, min(32767, v * k + 2**19 >> 20)) for v in row] for row in g]",
        "scale_signals",
    ),
    "scaled signals beyond sixteen bits": Mutant(
        "min(abs(v) * k + 2**19 >> 20, GATE_SIGNAL_MAX)",
        "min(abs(v) * k + 2**19 >> 20, GATE_SIGNAL_MAX + 1)",
        "scale_signals",
    ),
    "the scale is rounded down": Mutant(
        "(isqrt(2**43 // fan_out) + 1) // 2", "isqrt(2**41 // fan_out)", "scale_signals"
    ),
    "the product with the scale in 32 bits": Mutant(
        "min(abs(v) * k + 2**19 >> 20, GATE_SIGNAL_MAX)",
        "min(abs(wrap(v * k, 32)) + 2**19 >> 20, GATE_SIGNAL_MAX)",
        "scale_signals",
    ),
    "the vote on an offset has the wrong sign": Mutant(
        "return [*votes, [sum(signals) for signals in zip(*z)]]",
        "return [*votes, [-sum(signals) for signals in zip(*z)]]",
        "train",
    ),
    "the vote on an offset is centred away": Mutant(
        "return [*votes, [sum(signals) for signals in zip(*z)]]",
        "return [*votes, [0 if self.centered else sum(signals) for signals in zip(*z)]]",
        "train",
    ),
    "offsets are taken off": Mutant(
        "return [[s + o for s, o in zip(row, self.offset.values)]",
        "return [[s - o for s, o in zip(row, self.offset.values)]",
        "train",
    ),
    "what waits of offsets is forgotten": Mutant(
        "        return self.move(q, eta / (SIGNAL_MAX * n_samples))\n",
        "        self.m = [0] * len(self.m)\n        return self.move(q, eta / (SIGNAL_MAX * n_samples))\n",
        "train",
    ),
    "eta of offsets is not shared": Mutant(
        "return self.move(q, eta / (SIGNAL_MAX * n_samples))", "return self.move(q, eta / SIGNAL_MAX)", "train"
    ),
    "offsets hashed with 64 bits": Mutant(
        'struct.pack(f"<Q{len(self.values)}i",', 'struct.pack(f"<Q{len(self.values)}q",', "train"
    ),
    "tables are clipped": Mutant('layer.get("is_clipped", True)', "True", "train"),
    "no tables are clipped": Mutant('layer.get("is_clipped", True)', "False", "train"),
    "inner layers see T for what is missing": Mutant(
        "climb(self.layers, [(bits, (1 << n) - 1) for bits, _ in x])",
        "climb(self.layers, [(bits | ~known & (1 << n) - 1, (1 << n) - 1) for bits, known in x])",
        "train",
    ),
    "inner sums see nothing for what is missing": Mutant(
        "climb(self.layers, [(bits, (1 << n) - 1) for bits, _ in x])", "climb(self.layers, x)", "train"
    ),
    "what is missing is F beside inner layers": Mutant(
        "(bits | more << n, known | all_ << n)", "(bits | more << n, (1 << n) - 1 | all_ << n)", "train"
    ),
    "inner layers stand in front": Mutant(
        "(bits | more << n, known | all_ << n)",
        "(more | bits << self.n_outputs - n, all_ | known << self.n_outputs - n)",
        "train",
    ),
    "an input hears only from inner layers": Mutant(
        "return add_up([[row[: self.n_inputs] for row in z], self.layers[0].backward(self.below(z)[0])])",
        "return self.layers[0].backward(self.below(z)[0])",
        "train",
    ),
    "an input hears nothing from inner layers": Mutant(
        "return add_up([[row[: self.n_inputs] for row in z], self.layers[0].backward(self.below(z)[0])])",
        "return [row[: self.n_inputs] for row in z]",
        "train",
    ),
    "signals are handed to gates as they are": Mutant(
        "        return scale_signals(z, self.fan_out)\n", "        return z\n", "train"
    ),
}
