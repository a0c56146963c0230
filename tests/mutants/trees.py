"""Mistakes with convolutions of gates: their trees, their windows, and the pools of bits."""

from mutants.mutant import Mutant

TREES = {
    "gates above the leaves read the same as the first": Mutant(
        "range(g * fan_in, (g + 1) * fan_in) for g in range(n_gates)",
        "range(fan_in) for g in range(n_gates)",
        "tree_values",
    ),
    "gates above the leaves read far ones": Mutant(
        "range(g * fan_in, (g + 1) * fan_in) for g in range(n_gates)",
        "range(g, n_gates * fan_in, n_gates) for g in range(n_gates)",
        "tree_values",
    ),
    "answers tree by tree": Mutant(
        "sum(bits << place * n_filters for place, bits in enumerate(image))",
        "sum((bits >> f & 1) << f * n_places + p for p, bits in enumerate(image) for f in range(n_filters))",
        "tree_values",
    ),
    "trees see T outside of the image": Mutant(
        "rows = [[bits for image in images for bits, _ in window.patches(image, -1)]]",
        "full = (1 << window.n_taps * window.channels) - 1\n"
        "    rows = [[b | full & ~k for image in images for b, k in window.patches(image, 0)]]",
        "tree_values",
    ),
    "only the first image is seen": Mutant(
        "for image in images for bits, _ in window.patches(image, -1)",
        "for image in images for bits, _ in window.patches(images[0], -1)",
        "tree_values",
    ),
    "a pool of bits says whether all are T": Mutant(
        "any(bits >> i & 1 for i in square) << at", "all(bits >> i & 1 for i in square) << at", "or_pool"
    ),
    "a pool of bits looks at the first row of a square": Mutant(
        "any(bits >> i & 1 for i in square) << at", "any(bits >> i & 1 for i in square[:size]) << at", "or_pool"
    ),
    "votes on tables from the root on": Mutant(
        "votes.insert(0, votes_by_looks(z, x, wires, n_places))",
        "votes.append(votes_by_looks(z, x, wires, n_places))",
        "tree_table_votes",
    ),
    "votes are not divided by looks": Mutant(
        "(128 * gain[a] + n * n) // (2 * n * n) if n else 0", "64 * gain[a]", "tree_table_votes"
    ),
    "votes are divided by looks once": Mutant(
        "(128 * gain[a] + n * n) // (2 * n * n) if n else 0",
        "(128 * gain[a] + n) // (2 * n) if n else 0",
        "tree_table_votes",
    ),
    "votes are divided by the looks of all samples": Mutant(
        "for signals, places in zip(by_place(z, n_places), by_place(x, n_places)):",
        "n_places = len(z)\n    for signals, places in [(z, x)]:",
        "tree_table_votes",
    ),
    "votes over looks are rounded down": Mutant(
        "(128 * gain[a] + n * n) // (2 * n * n) if n else 0",
        "64 * gain[a] // (n * n) if n else 0",
        "tree_table_votes",
    ),
    "all levels get the signals of the root": Mutant(
        "        z = votes_on_units(z, x, wires, tables, n_units)\n    return votes, z",
        "        below = votes_on_units(z, x, wires, tables, n_units)\n"
        "        z = [[v for v in row for _ in wires[0]] for row in z] if len(votes) < len(trees) else below\n"
        "    return votes, z",
        "tree_table_votes",
    ),
    "signals of trees are taken tree by tree": Mutant(
        "[at for row in z for at in by_place(row, widths[-1])]",
        "[row[p :: len(row) // widths[-1]] for row in z for p in range(len(row) // widths[-1])]",
        "tree_table_votes",
    ),
    "sums over windows are not cut": Mutant(
        "cut(add_to_pixels(image, window)) for image", "add_to_pixels(image, window) for image", "tree_pixel_votes"
    ),
    "sums over windows of sixteen bits": Mutant(
        "cut(add_to_pixels(image, window)) for image",
        "[wrap(v, 16) for v in add_to_pixels(image, window)] for image",
        "tree_pixel_votes",
    ),
    "pixels of a square that are F get the signal where one is T": Mutant(
        "signal if n_true == bits >> i & 1 else 0", "signal if n_true <= 1 else 0", "or_pool_back"
    ),
    "only pixels that are T get the signal": Mutant(
        "signal if n_true == bits >> i & 1 else 0", "signal if n_true == 1 == bits >> i & 1 else 0", "or_pool_back"
    ),
    "the first pixel that is T wins the square": Mutant(
        "signal if n_true == bits >> i & 1 else 0",
        "signal if not n_true or i == min((j for j in square if bits >> j & 1), default=i) else 0",
        "or_pool_back",
    ),
    "trees are not damped": Mutant('table.unit = 64 * layer["damping"]', "table.unit = 64", "train"),
    "votes of trees are taken for whole ones": Mutant(
        'table.unit = 64 * layer["damping"]', 'table.unit = layer["damping"]', "train"
    ),
    "places of trees are divided by as well": Mutant(
        'table.unit = 64 * layer["damping"]',
        'table.unit = 64 * layer["damping"] * sqrt(len(self.window.places))',
        "train",
    ),
    "tables of trees are clipped": Mutant(
        "Parameter(rows, is_clipped=False)", "Parameter(rows, is_clipped=True)", "train"
    ),
    "a pool of bits sends signals to every pixel": Mutant(
        "return [to_the_only(row, bits, self.image_shape, self.size) for row, bits in zip(z, self.x)]",
        "return [to_the_only(row, 0, self.image_shape, self.size) for row, bits in zip(z, self.x)]",
        "train",
    ),
}
