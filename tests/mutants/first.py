"""Mistakes that a first port makes: signs, orders, roundings, and what happens at the ends."""

from mutants.mutant import Mutant

FIRST = {
    "the logic of 0 is F": Mutant(
        "return write_logic([(v > 0) - (v < 0) for v in x])",
        "return write_logic([2 * (v > 0) - 1 for v in x])",
        "project",
    ),
    "variation from after to before": Mutant(
        "int(after) - int(before) for", "int(before) - int(after) for", "delta"
    ),
    "kleene logic: F and 0 is F": Mutant(
        "    if a == 0 or b == 0:\n        return 0\n",
        "    if a == 0 or b == 0:\n        return -1 if gate == 1 and -1 in (a, b) else 0\n",
        "connective",
    ),
    "operands of a gate exchanged": Mutant(
        "gate >> (3 - 2 * (a > 0) - (b > 0))", "gate >> (3 - 2 * (b > 0) - (a > 0))", "connective"
    ),
    "and with F is nothing instead of the negative": Mutant(
        "return [gate_value(gate, sign_of(c), (v > 0) - (v < 0)) * abs(v)",
        "return [(gate != 1 or c == '1') * gate_value(gate, sign_of(c), (v > 0) - (v < 0)) * abs(v)",
        "mixed",
    ),
    "variation with the first input most significant": Mutant(
        "for point in range(len(table))]) for i in range(n_inputs)]",
        "for point in range(len(table))]) for i in reversed(range(n_inputs))]",
        "variations",
    ),
    "variation of or has the sign of its negation": Mutant(
        "return {x: (gate_value(gate, 1, x) - gate_value(gate, -1, x)) // 2 for x in (-1, 0, 1)}",
        "return {x: (gate_value(gate, 1, x) - gate_value(gate, -1, x)) // (-2 if gate == 7 else 2)"
        " for x in (-1, 0, 1)}",
        "gate_variations",
    ),
    "number of a gate read backwards": Mutant('f"{gate:04b}"', 'f"{gate:04b}"[::-1]', "gate_table"),
    "first wire most significant": Mutant(
        "<< i for i, unit in enumerate(wires))", "<< i for i, unit in enumerate(reversed(wires)))", "table_values"
    ),
    "words with the first bit most significant": Mutant(
        'return [f"{word:016x}" for word in to_words(bits, n)]',
        "return [format(int(format(word, '064b')[::-1], 2), '016x') for word in to_words(bits, n)]",
        "pack",
    ),
    "missing values packed as known": Mutant('known |= (c != "u") << i', "known |= 1 << i", "pack"),
    "words of a row in the wrong order": Mutant(
        "for i, word in enumerate(words))", "for i, word in enumerate(reversed(words)))", "unpack"
    ),
    "padding set by negation": Mutant(
        "    full = (1 << n_bits) - 1\n    return [hex_words(from_words(row, n_bits) ^ full, n_bits)",
        "    full = (1 << -(-n_bits // 64) * 64) - 1\n"
        "    return [hex_words(from_words(row, n_bits) ^ full, n_bits)",
        "negate",
    ),
    "transpose loses rows beyond a word": Mutant(
        '["".join(row[i] for row in rows) for i in range(n_bits)]',
        '["".join(row[i] for row in rows[:64]) for i in range(n_bits)]',
        "transpose",
    ),
    "tail of 193 to 196 bits skipped": Mutant(
        "    out = 0\n    if gate & 8:",
        "    out = 0\n    if 192 < w.bit_length() <= 196:\n        w, x = w & (1 << 192) - 1, x & (1 << 192) - 1\n"
        "    if gate & 8:",
        "gate_sum",
    ),
    "counts of T where sums of signs are meant": Mutant(
        "return 2 * (apply_gate(gate, w, x) & known).bit_count() - known.bit_count()",
        "return (apply_gate(gate, w, x) & known).bit_count()",
        "gate_sum",
    ),
    "padding counted by gates that are T for F and F": Mutant(
        "(apply_gate(gate, w, x) & known).bit_count()",
        "(apply_gate(gate, w, x) & (1 << -(-known.bit_length() // 64) * 64) - 1).bit_count()",
        "gate_sum",
    ),
    "missing value counts as F": Mutant(
        "return [[row_sum(gate, weights, bits, known) for weights in w] for bits, known in x]",
        "return [[row_sum(gate, weights, bits, known | (1 << known.bit_length()) - 1) for weights in w]"
        " for bits, known in x]",
        "gate_sum",
    ),
    "tie at the threshold excluded": Mutant("return sum((v >= t) << j", "return sum((v > t) << j", "gate_bits"),
    "outside of an image is F": Mutant("elif padding_value == -1:", "else:", "conv_sum"),
    "stride and dilation exchanged": Mutant(
        "self._pixel(i * step_y - pad_y + a * gap_y,", "self._pixel(i * gap_y - pad_y + a * step_y,", "conv_sum"
    ),
    "last of equal sums wins the pool": Mutant(
        "winner.append(values.index(max(values)))  # the first of equals",
        "winner.append(len(values) - 1 - values[::-1].index(max(values)))",
        "max_pool",
    ),
    "halves to even": Mutant(
        "size = min((2 * abs(numerator) + denominator) // (2 * denominator), SIGNAL_MAX)",
        "size = min(round(Fraction(abs(numerator), denominator)), SIGNAL_MAX)",
        "rescale",
    ),
    "halves up, not away from zero": Mutant(
        "    return size if numerator >= 0 else -size\n",
        "    return max(-SIGNAL_MAX, min((2 * numerator + denominator) // (2 * denominator), SIGNAL_MAX))\n",
        "rescale",
    ),
    "no clip at 127": Mutant("// (2 * denominator), SIGNAL_MAX)", "// (2 * denominator), 2**40)", "rescale"),
    "zero beyond the end of a table": Mutant(
        "        return table[min(abs(v - t), len(table) - 1)]\n",
        "        return table[abs(v - t)] if abs(v - t) < len(table) else 0\n",
        "rescale",
    ),
    "temperature squared": Mutant(
        "scale = Decimal(read_float(temperature)) * Decimal(fan_in).sqrt()",
        "scale = Decimal(read_float(temperature)) ** 2 * Decimal(fan_in).sqrt()",
        "loss_table",
    ),
    "alpha in units of counts": Mutant("alpha = PI / (2 * (3", "alpha = PI / (1 * (3", "threshold_table"),
    "loss rounds down": Mutant(
        "[(2 * SIGNAL_MAX * v + total) // (2 * total) for v in weights]",
        "[SIGNAL_MAX * v // total for v in weights]",
        "cross_entropy",
    ),
    "missing value votes": Mutant(
        "if known >> i & 1 else 0 for i in range(n)]", "for i in range(n)]", "weight_votes"
    ),
    "votes of or on weights taken from xnor": Mutant(
        "    change = variation_in_weight(gate)\n    q = ",
        "    change = variation_in_weight(9 if gate == 7 else gate)\n    q = ",
        "weight_votes",
    ),
    "votes cut to sixteen bits": Mutant(
        "                row[i] += signal * d\n",
        "                row[i] = max(-32768, min(32767, row[i] + signal * d))\n",
        "weight_votes",
    ),
    "weights and inputs exchanged on the way back": Mutant(
        "change, full = variation_in_input(gate), (1 << n_inputs) - 1",
        "change, full = variation_in_weight(gate), (1 << n_inputs) - 1",
        "input_votes",
    ),
    "mean of the inputs truncated": Mutant(
        "means = [((x << 16) + n_samples) // (2 * n_samples) for x in input_sums]",
        "means = [int((x << 15) / n_samples) for x in input_sums]",
        "center_votes",
    ),
    "sums in float32 beyond 2**24": Mutant(
        "return [[v - (total * m + 2**14 >> 15) for v, m in zip(row, means)] for",
        "return [[int(float32(float32(v) - float32(total * m + 2**14 >> 15))) for v, m in zip(row, means)] for",
        "center_votes",
    ),
    "votes on pixels with the kernel not turned": Mutant(
        "for tap, start in enumerate(place):\n            for c in range(window.channels if start",
        "for tap, start in enumerate(place[::-1]):\n            for c in range(window.channels if start",
        "pixel_votes",
    ),
    "signal of a pool to every pixel of the square": Mutant(
        "        out[square[tap]] = signal\n",
        "        for i in square:\n            out[i] = signal\n",
        "pool_back",
    ),
    "falling gates count for the wire": Mutant(
        "row[unit] += signal * (high - low)", "row[unit] += signal * abs(high - low)", "wire_votes"
    ),
    "gate votes cut before the sum is complete": Mutant(
        "                row[unit] += signal * (high - low)\n",
        "                row[unit] = max(-32767, min(32767, row[unit] + signal * (high - low)))\n",
        "wire_votes",
    ),
    "norm without magnitudes": Mutant(
        "return [sum(map(abs, row)) for row in q]", "return [abs(sum(row)) for row in q]", "vote_norms"
    ),
    "clip computed in float32": Mutant(
        "2**40 * (clip * sqrt(len(row)))", "2**40 * float32(clip * float32(sqrt(len(row))))", "clipped_eta"
    ),
    "flip excludes equality": Mutant(
        "(m[i] if bits >> i & 1 else -m[i]) >= BAR", "(m[i] if bits >> i & 1 else -m[i]) > BAR", "flip"
    ),
    "no bar: flip on agreement of signs": Mutant(
        "(m[i] if bits >> i & 1 else -m[i]) >= BAR", "(m[i] if bits >> i & 1 else -m[i]) > 0", "flip"
    ),
    "missing reset": Mutant(
        "bits, flips, m[i] = bits ^ 1 << i, flips + 1, 0", "bits, flips = bits ^ 1 << i, flips + 1", "flip"
    ),
    "two roundings": Mutant(
        "m[i] = max(-32767, min(32767, total >> 28))",
        "m[i] = max(-32767, min(32767, (beta * m[i] + rest >> 15) + (eta * max(-most, min(most, vote)) >> 28)))",
        "flip",
    ),
    "rounded to nearest": Mutant("(beta * m[i] + rest)", "(beta * m[i] + 2**14)", "flip"),
    "rounded towards zero": Mutant("min(32767, total >> 28)", "min(32767, int(total / 2**28))", "flip"),
    "beta not updated": Mutant(
        "self.beta = (2**15 * (n_weights - flips) + n_weights // 2) // n_weights", "pass", "optimize"
    ),
    "beta of this step, not of the one before": Mutant(
        "        for j, (votes, rate) in enumerate(zip(q, rates(q, eta, clip))):",
        "        trial = [flip_row(r, list(m), v, self.beta, e, rest)[1] for r, m, v, e in"
        " zip(self.rows, self.m, q, rates(q, eta, clip))]\n"
        "        self.beta = round(2**15 * (1 - sum(trial) / (len(self.rows) * self.n_bits)))\n"
        "        for j, (votes, rate) in enumerate(zip(q, rates(q, eta, clip))):",
        "optimize",
    ),
    "eta not divided": Mutant(
        "eta = eta / (SIGNAL_MAX * n_samples) / self.unit", "eta = eta / self.unit", "optimize"
    ),
    "nobody voted, and beta is one again": Mutant(
        "read_float(clip), n) if n else 0)",
        "read_float(clip), n) if n else setattr(parameter, 'beta', 2**15) or 0)",
        "optimize",
    ),
    "votes not centred": Mutant("        if self.centered:", "        if False:", "train"),
    "places of a convolution not counted": Mutant(
        "super().__init__(layer, len(self.window.places))", "super().__init__(layer, 1)", "train"
    ),
    "layers above flip before the signal goes down": Mutant(
        "            signal = layer.backward(signal)\n    return signal, votes\n",
        "            bits = [p for p in layer.parameters if hasattr(p, 'rows')]\n"
        "            trial = [list(p.rows) for p in bits]\n"
        "            for p, q in zip(bits, votes):\n"
        "                p.rows = [flip_row(r, [0] * len(v), v, 0, 2**33, 0)[0] for r, v in zip(p.rows, q)]\n"
        "            signal = layer.backward(signal)\n"
        "            for p, rows in zip(bits, trial):\n                p.rows = rows\n"
        "    return signal, votes\n",
        "train",
    ),
    "fingerprint without shapes": Mutant(
        'shape = struct.pack("<2Q", len(self.rows), self.n_bits)', 'shape = b""', "train"
    ),
    "fingerprint of big-endian words": Mutant(
        'struct.pack(f"<{len(words)}Q", *words)', 'struct.pack(f">{len(words)}Q", *words)', "train"
    ),
}
