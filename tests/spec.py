"""The oracle; it ships with the conformance kit, so that a port anywhere can be compared with it."""

from math import inf, sqrt

from bvar.testing.oracle.definitions import *  # noqa: F403
from bvar.testing.oracle.definitions import vote_norms


def flip(w, m, q, beta, eta, dither=0):
    """One step of the optimizer on rows of bits, in integers; returns new bits, new accumulators and the flips.

    Of beta the units are 2^-15, of eta, one for each row, 2^-40 of the bar, and of m 2^-12.
    """
    new_w, new_m, flips, rest = [], [], 0, dither
    for bits, old, votes, size in zip(w, m, q, eta, strict=True):
        size = size if size < 2**25 else size - size % 2**13
        most = (2**43 - 1) // max(size, 1)
        row_w, row_m = [], []
        for bit, kept, vote in zip(bits, old, votes, strict=True):
            total = 2**13 * (beta * kept + rest) + size * max(-most, min(most, vote))
            moved = max(-32767, min(32767, total // 2**28))
            flipped = (moved if bit else -moved) >= 4096
            flips += flipped
            row_w.append(int(bit) ^ flipped)
            row_m.append(0 if flipped else moved)
            rest = (rest + 27893) % 2**15
        new_w.append(row_w)
        new_m.append(row_m)
    return new_w, new_m, flips


def eta_units(eta):
    """A step size in units of 2^-40 of the bar, halves to even, up to eight bars."""
    return min(round(2**40 * min(eta, 8.0)), 2**43 - 1)


def clipped_eta(q, eta, clip):
    """Eta of each neuron, lowered where sum |eta q| would exceed clip * sqrt(n); in units of 2^-40 of the bar."""
    bounds = [2**62 if clip == inf else int(min(2**40 * (clip * sqrt(len(row))), 2**62)) for row in q]
    sizes = [bound // max(norm, 1) for bound, norm in zip(bounds, vote_norms(q), strict=True)]
    return [eta_units(eta) if clip == inf else min(eta_units(eta), size) for size in sizes]


def move_offsets(o, m, q, eta, rate, n_terms):
    """Move offsets by their votes; returns the new ones, new accumulators and how many are others than before.

    A vote counts up to 1, whole steps are taken, and what is left of a step waits in m, in units of 2^-24.
    """
    size, reach, new_o, new_m = min(eta_units(eta), 2**40), int(2**20 * (rate * sqrt(n_terms))), [], []
    for old, rest, vote in zip(o, m, q, strict=True):
        u = (max(-(2**40), min(2**40, size * vote)) + 2**15) // 2**16
        left = rest - (u * reach + 2**19) // 2**20
        whole = abs(left) // 2**24 * (1 if left > 0 else -1)
        new_o.append(max(-n_terms, min(n_terms, old + whole)))
        new_m.append(left - whole * 2**24)
    return new_o, new_m, sum(a != b for a, b in zip(o, new_o, strict=True))
