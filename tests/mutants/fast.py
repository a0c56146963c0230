"""Mistakes that fast ports make, and mistakes in what is trained last: wide rows, narrow integers, planes.

Most of them survived an earlier kit in a port to Go by somebody who had only the pages.
"""

from mutants.mutant import Mutant

FAST = {
    # ------------------------------------------------------------------------------------------ gates and bits
    "units from 64 on are read from 0 on": Mutant(
        "(x >> unit & 1) << i", "(x >> unit % 64 & 1) << i", "table_values"
    ),
    "units from 128 on are read from 0 on": Mutant(
        "(x >> unit & 1) << i", "(x >> unit % 128 & 1) << i", "table_values"
    ),
    "gates from 64 on are those from 0 on": Mutant(
        "return sum((table >> address(x, w) & 1) << g for g, (w, table) in enumerate(zip(wires, tables)))",
        "return sum((tables[g % 64] >> address(x, wires[g % 64]) & 1) << g for g in range(len(wires)))",
        "table_values",
    ),
    "samples from 64 on are those from 0 on": Mutant(
        "[write_bits(look_up(row, wires, tables), len(wires)) for row in read_bits(x)]",
        "[write_bits(look_up(read_bits(x)[b % 64], wires, tables), len(wires)) for b in range(len(x))]",
        "table_values",
    ),
    "wires beyond the fifth are not read": Mutant(
        "<< i for i, unit in enumerate(wires))", "<< i for i, unit in enumerate(wires[:5]))", "table_values"
    ),
    "bit 126 of 127 is not negated": Mutant(
        "    full = (1 << n_bits) - 1\n    return",
        "    full = (1 << n_bits - (n_bits == 127)) - 1\n    return",
        "negate",
    ),
    "counts end with the last whole vector of 512 bits": Mutant(
        "return [bits.bit_count() for bits in read_bits(rows)]",
        "return [(read_row(row)[0] & (1 << (len(row) // 512 * 512 or len(row))) - 1).bit_count() for row in rows]",
        "count_rows",
    ),
    "counts in sixteen bits": Mutant(
        "return [bits.bit_count() for bits in", "return [wrap(bits.bit_count(), 16) for bits in", "count_rows"
    ),
    # -------------------------------------------------------------------------------------------- sums, tables
    "sums end with the last whole vector of 512 bits": Mutant(
        "(apply_gate(gate, w, x) & known).bit_count()",
        "(apply_gate(gate, w, x) & known & (1 << (known.bit_length() // 512 * 512 or 512)) - 1).bit_count()",
        "gate_sum",
    ),
    "sums in eight bits": Mutant(
        "return 2 * (apply_gate(gate, w, x) & known).bit_count() - known.bit_count()",
        "return wrap(2 * (apply_gate(gate, w, x) & known).bit_count() - known.bit_count(), 8)",
        "gate_sum",
    ),
    "sums in sixteen bits": Mutant(
        "return 2 * (apply_gate(gate, w, x) & known).bit_count() - known.bit_count()",
        "return wrap(2 * (apply_gate(gate, w, x) & known).bit_count() - known.bit_count(), 16)",
        "gate_sum",
    ),
    "counters of a byte in 32 lanes run over": Mutant(
        "(apply_gate(gate, w, x) & known).bit_count()",
        "((apply_gate(gate, w, x) & known).bit_count() % 8192)",
        "gate_sum",
    ),
    "thresholds in eight bits": Mutant(
        "return sum((v >= t) << j", "return sum((v >= wrap(t, 8)) << j", "gate_bits"
    ),
    "thresholds in sixteen bits": Mutant(
        "return sum((v >= t) << j", "return sum((v >= wrap(t, 16)) << j", "gate_bits"
    ),
    "groups in eight bits": Mutant(
        "return [2 * (bits >> c * size & mask).bit_count() - size for",
        "return [wrap(2 * (bits >> c * size & mask).bit_count() - size, 8) for",
        "group_sum",
    ),
    "groups in sixteen bits": Mutant(
        "return [2 * (bits >> c * size & mask).bit_count() - size for",
        "return [wrap(2 * (bits >> c * size & mask).bit_count() - size, 16) for",
        "group_sum",
    ),
    "sums that are pooled in sixteen bits": Mutant(
        "        values = [sums[i] for i in square]\n",
        "        values = [wrap(sums[i], 16) for i in square]\n",
        "max_pool",
    ),
    "product with the surrogate in float32": Mutant(
        "round_away(a * weight(v, t), 1 << shift)",
        "round_away(int(float32(a * weight(v, t))), 1 << shift)",
        "rescale",
    ),
    "distance from the threshold in sixteen bits": Mutant(
        "table[min(abs(v - t), len(table) - 1)]", "table[min(abs(wrap(v - t, 16)), len(table) - 1)]", "rescale"
    ),
    "at most 4096 entries": Mutant(
        "    while not table or table[-1]:\n",
        "    while not table or (table[-1] and len(table) < 4096):\n",
        "loss_table",
    ),
    "surrogate from the gate above": Mutant(
        "mean = Decimal(2 * gate.bit_count() - 4) / 4",
        "mean = Decimal(2 * next_gate.bit_count() - 4) / 4",
        "threshold_table",
    ),
    "shares with halves to even": Mutant(
        "[(2 * SIGNAL_MAX * v + total) // (2 * total) for v in weights]",
        "[round(Fraction(SIGNAL_MAX * v, total)) for v in weights]",
        "cross_entropy",
    ),
    "shares in 32 bits": Mutant(
        "[(2 * SIGNAL_MAX * v + total) // (2 * total) for v in weights]",
        "[wrap(2 * SIGNAL_MAX * v + total, 32) // wrap(2 * total, 32) for v in weights]",
        "cross_entropy",
    ),
    "differences of scores in 32 bits": Mutant(
        "table[min(max(row) - s, len(table) - 1)]",
        "table[min(wrap(max(row) - s, 32), len(table) - 1)]",
        "cross_entropy",
    ),
    "the best score is at least 0": Mutant(
        "table[min(max(row) - s, len(table) - 1)]", "table[min(max(0, *row) - s, len(table) - 1)]", "cross_entropy"
    ),
    "errors in 32 bits": Mutant(
        "round_away(SIGNAL_MAX * (s - t), scale)",
        "round_away(wrap(2 * SIGNAL_MAX * (s - t), 32), 2 * scale)",
        "squared_error",
    ),
    "errors in float32": Mutant(
        "round_away(SIGNAL_MAX * (s - t), scale)",
        "round_away(int(float32(SIGNAL_MAX * (s - t))), scale)",
        "squared_error",
    ),
    # ---------------------------------------------------------------------------------------------------- votes
    "votes on weights end with the last whole vector of 512 bits": Mutant(
        "        changes = factors(change, bits, known, n_inputs)\n",
        "        known &= (1 << (n_inputs // 512 * 512 or 512)) - 1\n"
        "        changes = factors(change, bits, known, n_inputs)\n",
        "weight_votes",
    ),
    "votes on inputs end with the last whole vector of 512 bits": Mutant(
        "change, full = variation_in_input(gate), (1 << n_inputs) - 1",
        "change, full = variation_in_input(gate), (1 << (n_inputs // 512 * 512 or n_inputs)) - 1",
        "input_votes",
    ),
    "votes on weights of samples beyond the 64th": Mutant(
        "    for signals, (bits, known) in zip(z, x):\n        changes",
        "    for signals, (bits, known) in zip(z[:64], x):\n        changes",
        "weight_votes",
    ),
    "votes on weights of samples beyond the 128th": Mutant(
        "    for signals, (bits, known) in zip(z, x):\n        changes",
        "    for signals, (bits, known) in zip(z[:128], x):\n        changes",
        "weight_votes",
    ),
    "votes on inputs in sixteen bits": Mutant(
        "return [[sum(s * row[i] for s, row in zip(signals, rows)) for i in",
        "return [[wrap(sum(s * row[i] for s, row in zip(signals, rows)), 16) for i in",
        "input_votes",
    ),
    "votes on filters in sixteen bits": Mutant(
        "    return votes_on_weights(gate, signals, patches, n_filters, window.n_taps * window.channels)\n",
        "    q = votes_on_weights(gate, signals, patches, n_filters, window.n_taps * window.channels)\n"
        "    return [[wrap(v, 16) for v in row] for row in q]\n",
        "conv_weight_votes",
    ),
    "votes on pixels in sixteen bits": Mutant(
        "image[start + c] += patch[tap * window.channels + c]\n",
        "image[start + c] = wrap(image[start + c] + patch[tap * window.channels + c], 16)\n",
        "pixel_votes",
    ),
    "votes on tables in sixteen bits": Mutant(
        "            row[address(bits, w)] += signal\n",
        "            row[address(bits, w)] = wrap(row[address(bits, w)] + signal, 16)\n",
        "table_votes",
    ),
    "votes on tables of samples beyond the 64th": Mutant(
        "    for signals, bits in zip(z, x):\n        for row, signal, w",
        "    for signals, bits in zip(z[:64], x):\n        for row, signal, w",
        "table_votes",
    ),
    "votes on wires of samples beyond the 64th": Mutant(
        "    for signals, bits in zip(z, x):\n        row = [0] * n_units\n",
        "    for b, (signals, bits) in enumerate(zip(z, x)):\n"
        "        signals = signals if b < 64 else [0] * len(signals)\n        row = [0] * n_units\n",
        "wire_votes",
    ),
    "votes on wires saturate at -32768": Mutant(
        "max(-GATE_SIGNAL_MAX, min(GATE_SIGNAL_MAX, v))", "max(-32768, min(GATE_SIGNAL_MAX, v))", "wire_votes"
    ),
    "signals on gates in eight bits": Mutant(
        "row[unit] += signal * (high - low)", "row[unit] += wrap(signal, 8) * (high - low)", "wire_votes"
    ),
    "signals of a pool without -128": Mutant(
        "        out[square[tap]] = signal\n", "        out[square[tap]] = max(signal, -127)\n", "pool_back"
    ),
    # ------------------------------------------------------------------------------------------- the optimizer
    "norms in 32 bits": Mutant(
        "return [sum(map(abs, row)) for row in q]",
        "return [wrap(sum(map(abs, row)), 32) for row in q]",
        "vote_norms",
    ),
    "clip times the quotient": Mutant(
        "bound // max(norm, 1)", "int(2**40 * (clip * (sqrt(len(q[0])) / max(norm, 1))))", "clipped_eta"
    ),
    "clip divided first": Mutant(
        "bound // max(norm, 1)", "int(2**40 * (clip / max(norm, 1) * sqrt(len(q[0]))))", "clipped_eta"
    ),
    "shares of the clip are rounded to nearest": Mutant(
        "bound // max(norm, 1)", "(2 * bound + max(norm, 1)) // (2 * max(norm, 1))", "clipped_eta"
    ),
    "silent neurons are not clipped": Mutant(
        "bound // max(norm, 1)", "(bound // norm if norm else eta)", "clipped_eta"
    ),
    "halves of eta go up": Mutant(
        "round(min(eta, 8.0) * 2**40)", "int(min(eta, 8.0) * 2**40 + 0.5)", "clipped_eta"
    ),
    "eta beyond eight bars": Mutant(
        "min(round(min(eta, 8.0) * 2**40), 2**43 - 1)", "round(min(eta, 1e9) * 2**40)", "clipped_eta"
    ),
    "all bits of a large eta count": Mutant("eta if eta < 2**25 else eta & -(2**13)", "eta", "flip"),
    "the last bits of a small eta do not count": Mutant(
        "eta if eta < 2**25 else eta & -(2**13)", "eta & -(2**13)", "flip"
    ),
    "accumulators down to -32768": Mutant(
        "m[i] = max(-32767, min(32767, total >> 28))", "m[i] = max(-32768, min(32767, total >> 28))", "flip"
    ),
    "a step beyond eight bars": Mutant("eta * max(-most, min(most, vote))", "eta * vote", "flip"),
    "products in 32 bits": Mutant(
        "eta * max(-most, min(most, vote))", "wrap(eta * max(-most, min(most, vote)), 32)", "flip"
    ),
    "the rest begins anew in each row": Mutant(
        "bits, flipped, dither = flip_row(", "bits, flipped, _ = flip_row(", "flip"
    ),
    "the rest does not walk with the steps": Mutant("0, 20251 * self.age % 2**15", "0, 0", "optimize"),
    "eta of the first neuron for all": Mutant(
        "flip_row(read_row(text)[0], row, votes, beta, rate, dither)",
        "flip_row(read_row(text)[0], row, votes, beta, eta[0], dither)",
        "flip",
    ),
    "eta times the reciprocal": Mutant(
        "eta / (SIGNAL_MAX * n_samples) / self.unit",
        "eta * (1 / (SIGNAL_MAX * n_samples)) / self.unit",
        "optimize",
    ),
    "a step without samples keeps its eta for the next": Mutant(
        "for q, n, rate in zip(votes, n_samples, eta):",
        "for q, n, rate in zip(votes, n_samples, [eta[sum(map(bool, n_samples[:t]))] for t in range(len(eta))]):",
        "optimize",
    ),
    "beta is rounded down": Mutant(
        "(2**15 * (n_weights - flips) + n_weights // 2) // n_weights",
        "2**15 * (n_weights - flips) // n_weights",
        "optimize",
    ),
    # ------------------------------------------------------------------------------------------------- training
    "divisions by samples and places put together": Mutant(
        "eta / (SIGNAL_MAX * n_samples) / self.unit",
        "eta / (SIGNAL_MAX * n_samples * self.unit)",
        "train",
    ),
    "places are the pixels of the image": Mutant(
        "super().__init__(layer, len(self.window.places))",
        "super().__init__(layer, self.window.height * self.window.width)",
        "train",
    ),
    "bias of a convolution without its places": Mutant(
        'None if layer["bias"] is None else Parameter([layer["bias"]], n_places)',
        'None if layer["bias"] is None else Parameter([layer["bias"]])',
        "train",
    ),
    "outside is nothing on the way up": Mutant(
        "        return [[s for at in self.sums(patches) for s in at] for patches in self.patches]\n",
        "        up = [list(self.window.patches(image, 0)) for image in x]\n"
        "        return [[s for at in self.sums(patches) for s in at] for patches in up]\n",
        "train",
    ),
    "outside is nothing on the way back": Mutant(
        "        return [[s for at in self.sums(patches) for s in at] for patches in self.patches]\n",
        "        s = [[s for at in self.sums(patches) for s in at] for patches in self.patches]\n"
        "        self.patches = [list(self.window.patches(image, 0)) for image in x]\n"
        "        return s\n",
        "train",
    ),
    "no bias where outside is F": Mutant(
        "        return [[s for at in self.sums(patches) for s in at] for patches in self.patches]\n",
        "        bias, self.bias = self.bias, self.bias if self.padding_value == 0 else None\n"
        "        s = [[s for at in self.sums(patches) for s in at] for patches in self.patches]\n"
        "        self.bias = bias\n"
        "        return s\n",
        "train",
    ),
    "a convolution sends no signal back": Mutant(
        "return votes_on_pixels(self.gate, z, self.weight.rows, self.window)",
        "return [[0] * self.window.n_values for _ in z]",
        "train",
    ),
    "a convolution sends signals back as xnor": Mutant(
        "return votes_on_pixels(self.gate, z, self.weight.rows, self.window)",
        "return votes_on_pixels(9, z, self.weight.rows, self.window)",
        "train",
    ),
    "a pool sends back an image without the rest": Mutant(
        "        return pool_back(z, self.winner, self.image_shape, self.size)\n",
        "        height, width, channels = self.image_shape\n"
        "        whole = [height // self.size * self.size, width // self.size * self.size, channels]\n"
        "        return pool_back(z, self.winner, whole, self.size)\n",
        "train",
    ),
    "the first layer is never centred": Mutant(
        'layers = read_layers(network["layers"], ',
        'layers = read_layers([{**network["layers"][0], "centered": False}, *network["layers"][1:]], ',
        "train",
    ),
    "only xnor and xor are centred": Mutant(
        "        if self.centered:", "        if self.centered and self.gate in (6, 9):", "train"
    ),
    "hidden units beyond the 64th are F": Mutant(
        "return [(threshold(row, self.tau), (1 << len(row)) - 1) for row in x]",
        "return [(threshold(row, self.tau) & 2**64 - 1, (1 << len(row)) - 1) for row in x]",
        "train",
    ),
    "hidden units beyond the 128th are F": Mutant(
        "return [(threshold(row, self.tau), (1 << len(row)) - 1) for row in x]",
        "return [(threshold(row, self.tau) & 2**128 - 1, (1 << len(row)) - 1) for row in x]",
        "train",
    ),
    "thresholds of more than 64 units send no signals": Mutant(
        "return rescale(z, self.s, self.tau, self.table, self.shift)",
        "z = [[v * (len(row) <= 64) for v in row] for row in z]\n"
        "        return rescale(z, self.s, self.tau, self.table, self.shift)",
        "train",
    ),
    "signals that reach a threshold in sixteen bits": Mutant(
        "return rescale(z, self.s, self.tau, self.table, self.shift)",
        "return rescale([[wrap(v, 16) for v in row] for row in z], self.s, self.tau, self.table, self.shift)",
        "train",
    ),
    "votes on a bias in sixteen bits": Mutant(
        "return [q, [[sum(column) for column in zip(*z)]]]",
        "return [q, [[wrap(sum(column), 16) for column in zip(*z)]]]",
        "train",
    ),
    "sums of signals in sixteen bits": Mutant(
        "center_votes(votes[0], [sum(column) for column in zip(*z)]",
        "center_votes(votes[0], [wrap(sum(column), 16) for column in zip(*z)]",
        "train",
    ),
    "gates other than or, xor, xnor vote as xnor": Mutant(
        "q = votes_on_weights(self.gate, z, x,",
        "q = votes_on_weights(self.gate if self.gate in (6, 7, 9) else 9, z, x,",
        "train",
    ),
    "gates other than or, xor, xnor send signals as xnor": Mutant(
        "return votes_on_inputs(self.gate, z, self.weight.rows, self.weight.n_bits)",
        "gate = self.gate if self.gate in (6, 7, 9) else 9\n"
        "        return votes_on_inputs(gate, z, self.weight.rows, self.weight.n_bits)",
        "train",
    ),
    "tables of more than four wires are cut": Mutant(
        'self.wires, self.table = layer["wires"], Parameter(layer["tables"])',
        'self.wires, self.table = layer["wires"], Parameter([t[:16].ljust(len(t), "0") for t in layer["tables"]])',
        "train",
    ),
    "beta of gates is at least a quarter": Mutant(
        "        self.x = [bits for bits, _ in x]\n",
        "        self.x = [bits for bits, _ in x]\n        self.table.beta = max(2**13, self.table.beta)\n",
        "train",
    ),
    "a bit behind rows of 63 and 127 is set": Mutant(
        "            flips += flipped\n        n_weights",
        "            flips += flipped\n"
        "            self.rows[j] |= (self.n_bits % 64 == 63) << self.n_bits\n        n_weights",
        "train",
    ),
    "a checkpoint that is named twice is given twice": Mutant(
        "            prints.append(fingerprint([p for layer in layers for p in layer.parameters]))\n",
        "            prints += [fingerprint([p for layer in layers for p in layer.parameters])]"
        " * checkpoints.count(step)\n",
        "train",
    ),
    "weights of samples do not share eta": Mutant(
        "n_samples, clip = sum(weights) / FULL_WEIGHT,", "n_samples, clip = len(batch),", "train"
    ),
    "weighed signals are rounded down": Mutant(
        "return [round_away(z * weight, FULL_WEIGHT) for z in signals]",
        "return [z * weight // FULL_WEIGHT for z in signals]",
        "train",
    ),
    "only the first branch sends a signal down": Mutant(
        "return add_up([branch[0].backward(descend(branch, z)[0]) for branch in self.branches])",
        "return add_up([branch[0].backward(descend(branch, z)[0]) for branch in self.branches[:1]])",
        "train",
    ),
    "branches share a signal": Mutant(
        "return [q for branch in self.branches for q in descend(branch, z)[1]]",
        "return [q for branch in self.branches for q in descend(branch, [[v // 2 for v in r] for r in z])[1]]",
        "train",
    ),
}
