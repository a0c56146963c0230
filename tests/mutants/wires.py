"""Mistakes with wires that are learnt: the votes on their candidates, and how they move."""

from mutants.mutant import Mutant

_ASKING = "min((v, j) for j, v in enumerate(votes) if asking >> j & 1)[1]"

WIRES = {
    "votes on candidates of the first wire": Mutant(
        "other = at & ~(1 << i) | (bits >> unit & 1) << i",
        "other = at & ~1 | bits >> unit & 1",
        "candidate_votes",
    ),
    "wires that read one unit move together": Mutant(
        "                    other = at & ~(1 << i) | (bits >> unit & 1) << i\n",
        "                    other = address(bits, [unit if u == w[i] else u for u in w])\n",
        "candidate_votes",
    ),
    "a candidate is or-ed to what is read": Mutant(
        "other = at & ~(1 << i) | (bits >> unit & 1) << i",
        "other = at | (bits >> unit & 1) << i",
        "candidate_votes",
    ),
    "votes on candidates have the size of the change alone": Mutant(
        "(table >> other & 1) - (table >> at & 1)",
        "abs((table >> other & 1) - (table >> at & 1))",
        "candidate_votes",
    ),
    "votes for what is read, and not for the other": Mutant(
        "(table >> other & 1) - (table >> at & 1)", "(table >> at & 1) - (table >> other & 1)", "candidate_votes"
    ),
    "votes on candidates in sixteen bits": Mutant(
        "            votes.append(row)\n    return votes\n\n\ndef candidate_votes",
        "            votes.append([wrap(v, 16) for v in row])\n    return votes\n\n\ndef candidate_votes",
        "candidate_votes",
    ),
    "votes on candidates are cut": Mutant(
        "            votes.append(row)\n    return votes\n\n\ndef candidate_votes",
        "            votes.append(cut(row))\n    return votes\n\n\ndef candidate_votes",
        "candidate_votes",
    ),
    "candidates of units from 64 on are those from 0 on": Mutant(
        "(bits >> unit & 1) << i\n", "(bits >> unit % 64 & 1) << i\n", "candidate_votes"
    ),
    "samples from 64 on have no vote on candidates": Mutant(
        "            for signals, bits in zip(z, x):\n                at",
        "            for signals, bits in zip(z[:64], x):\n                at",
        "candidate_votes",
    ),
    "the first that asks is read": Mutant(_ASKING, "(asking & -asking).bit_length() - 1", "move_wires"),
    "of equals the last is read": Mutant(
        _ASKING, "min((v, -j, j) for j, v in enumerate(votes) if asking >> j & 1)[2]", "move_wires"
    ),
    "the loudest is read, whether it asks or not": Mutant(
        _ASKING, "min((v, j) for j, v in enumerate(votes))[1]", "move_wires"
    ),
    "loud is what has the largest size": Mutant(
        _ASKING, "min((-abs(v), j) for j, v in enumerate(votes) if asking >> j & 1)[1]", "move_wires"
    ),
    "only the candidate that is read begins anew": Mutant(
        "                self.m[wire] = [0] * len(votes)\n", "                pass\n", "move_wires"
    ),
    "all candidates that ask count as moves": Mutant(
        "                moved += 1\n        return moved\n\n    def step",
        "                moved += asking.bit_count()\n        return moved\n\n    def step",
        "move_wires",
    ),
    "each wire has the rest of the first": Mutant(
        "asking, _, rest = flip_row(0, self.m[wire], votes, self.beta, eta, rest)",
        "asking, _, _ = flip_row(0, self.m[wire], votes, self.beta, eta, rest)",
        "move_wires",
    ),
    "candidates are T": Mutant(
        "asking, _, rest = flip_row(0, self.m[wire], votes",
        "asking, _, rest = flip_row((1 << len(votes)) - 1, self.m[wire], votes",
        "move_wires",
    ),
    "candidates from 32 on cannot ask": Mutant(
        "            if asking:\n", "            if asking % 2**32:\n", "move_wires"
    ),
    "beta of wires counts wires": Mutant(
        "n = len(self.chosen) * self.n_candidates\n", "n = len(self.chosen)\n", "train"
    ),
    "old evidence on wires is never discounted": Mutant(
        "self.beta = (2**15 * (n - moved) + n // 2) // n", "self.beta = 2**15", "train"
    ),
    "wires have no rate": Mutant("(SIGNAL_MAX * n_samples) * self.rate)", "(SIGNAL_MAX * n_samples))", "train"),
    "wires count as words in the fingerprint": Mutant(
        "+ bytes(self.chosen)", '+ struct.pack(f"<{len(self.chosen)}Q", *self.chosen)', "train"
    ),
    "wires move and nobody reads them": Mutant(
        "            self.wires = [[units[next(chosen)] for units in gate] for gate in self.candidates]\n",
        "            pass\n",
        "train",
    ),
    "wires that moved do not count": Mutant(
        "        self.age += 1\n        return moved\n", "        self.age += 1\n        return 0\n", "train"
    ),
}
