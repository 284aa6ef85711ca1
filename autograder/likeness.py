"""How alike the submissions of a class are, pair by pair, and which pairs are unusual in it.

Counted are tokens that a submission's writer chose: those that no known code explains. A token
that only two submissions share counts one; the more others have it too, the less it counts, and
nothing where a large part of the class has it. A pair is unusual when it shares far more than
either of the two shares with the rest of the class, and never for less than a few lines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from autograder.fingerprints import LENGTH, Code, Known

FEWEST = 40  # tokens, three or four lines: less is chance in a class of any kind
COMMON = 0.25  # what more than this share of the class has written is no evidence
COMMON_FEWEST = 4  # nor is a passage common that this many share: they may be one group
STRANGERS = 5  # as if so many more had written otherwise; lets a class of two be compared
MOST = 300  # pairs that are kept: nobody reads more
USUAL_FEWEST = 10  # submissions without which nobody can say what is usual
SPREADS = 6.0  # standard deviations above what either shares with the rest
SPREAD_LEAST = 8.0  # tokens: in a class that shares nothing, one line is not yet far out
GROUP = 3  # each one's closest, left out of the rest: they may be one group


@dataclass
class Paper:
    """One submission.

    Attributes:
        student: whose.
        cells: code of each solution cell, by its name.
        own: by cell, the tokens that no known code explains.
        values: for each of its fingerprints, the share of own tokens in it.
    """

    student: str
    cells: dict[str, Code]
    own: dict[str, set[int]] = field(default_factory=dict)
    values: dict[int, float] = field(default_factory=dict)

    def weigh(self, known: Known) -> None:
        """Set apart what is the writer's own."""
        for name, code in self.cells.items():
            own = self.own[name] = known.own(code)
            for value, starts in code.prints.items():
                if value not in known.prints:
                    at = starts[0]
                    share = len(own.intersection(range(at, at + LENGTH))) / LENGTH
                    self.values[value] = max(share, self.values.get(value, 0.0))

    def marked(self, name: str, prints: set[int]) -> set[int]:
        """The tokens of a cell that are the writer's own and belong to one of ``prints``."""
        code = self.cells.get(name)
        return code.covered(prints & code.prints.keys()) & self.own[name] if code else set()

    @property
    def size(self) -> int:
        """How many tokens are the writer's own."""
        return sum(map(len, self.own.values()))


@dataclass(frozen=True)
class Pair:
    """Two submissions that are unusually alike.

    Attributes:
        left, right: the two.
        tokens: how much they share, in tokens; what others share too counts less.
        marks: by cell, the tokens of left and of right that the other has too; no cell without.
        names: names and comments of their own choice that nobody else in the class has.
    """

    left: Paper
    right: Paper
    tokens: float
    marks: dict[str, tuple[set[int], set[int]]]
    names: tuple[str, ...]

    @property
    def share(self) -> float:
        """What part of its own code each has in common with the other; the larger of the two."""
        return max(
            sum(len(both[side]) for both in self.marks.values()) / (paper.size or 1)
            for side, paper in enumerate((self.left, self.right))
        )


@dataclass
class Likeness:
    """What comparing a class gave.

    Attributes:
        closest: for each submission, the tokens it shares with the one closest to it.
        pairs: the unusual ones, the most alike first; at most ``MOST``.
        found: how many are unusual.
    """

    closest: list[float]
    pairs: list[Pair]
    found: int


def compare(papers: Sequence[Paper], known: Known) -> Likeness:
    """Compare every two submissions of a class."""
    for paper in papers:
        paper.weigh(known)
    alike, weights = _alike(papers)
    closest = [float(value) for value in alike.max(axis=1, initial=0.0)]
    names = Counter(name for paper in papers for name in _names(paper))
    found = np.argwhere(np.triu(unusual(alike), 1)).tolist()
    found.sort(key=lambda both: -alike[both[0], both[1]])
    pairs = [
        _pair(papers[i], papers[j], float(alike[i, j]), weights, names, known)
        for i, j in found[:MOST]
    ]
    return Likeness(closest, pairs, len(found))


def unusual(alike: np.ndarray) -> np.ndarray:
    """Which pairs stand out; booleans of the same shape.

    Args:
        alike: tokens that each two share, shape (n, n), symmetric, zero on the diagonal.
    """
    enough = alike >= FEWEST
    if len(alike) < USUAL_FEWEST:
        return enough
    # Ascending, the diagonal's zero first, the closest last.
    rest = np.sort(alike, axis=1)[:, 1:-GROUP]
    spread = np.hypot(rest.std(axis=1), SPREAD_LEAST)
    high = rest.mean(axis=1) + SPREADS * spread
    return enough & (alike >= np.maximum.outer(high, high))


def _alike(papers: Sequence[Paper]) -> tuple[np.ndarray, dict[int, float]]:
    """Tokens that each two share, shape (n, n), zero on the diagonal; each print's weight."""
    number: dict[int, int] = {}
    rows, columns, values = [], [], []
    for row, paper in enumerate(papers):
        for value, share in paper.values.items():
            rows.append(row)
            columns.append(number.setdefault(value, len(number)))
            values.append(share)
    shape = (len(papers), len(number))
    held = sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape)
    count = np.asarray(held.sum(axis=0)).ravel()
    everyone = len(papers) + STRANGERS
    weight = np.log(everyone / count) / np.log(everyone / 2)
    weight[count > max(COMMON_FEWEST, COMMON * len(papers))] = 0
    weight = np.clip(weight, 0, 1)
    own = sparse.csr_matrix((values, (rows, columns)), shape)
    alike = (own @ sparse.diags(weight) @ held.T).toarray()
    np.fill_diagonal(alike, 0)
    return np.minimum(alike, alike.T), dict(zip(number, weight.tolist(), strict=True))


def _names(paper: Paper) -> set[str]:
    return {name for code in paper.cells.values() for name in code.names}


def _pair(
    left: Paper,
    right: Paper,
    tokens: float,
    weights: dict[int, float],
    names: Counter[str],
    known: Known,
) -> Pair:
    both = left.values.keys() & right.values.keys()
    prints = {value for value in both if weights[value] > 0}
    cells = dict.fromkeys([*left.cells, *right.cells])
    marks = {name: (left.marked(name, prints), right.marked(name, prints)) for name in cells}
    alone = (_names(left) & _names(right)) - known.names
    return Pair(
        left,
        right,
        tokens,
        {name: sides for name, sides in marks.items() if any(sides)},
        tuple(sorted(name for name in alone if names[name] == 2)),
    )
