"""How an item's scores are spread: pupils by item and score, a summary that adds up.

Together with the item sums by total it gives every figure of an item, so a whole paper needs no second pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from jiaoheng.methods.crossproducts import ItemSums
from jiaoheng.methods.item_groups import ItemByTotal

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ItemDistribution:
    """counts[i, s]: pupils who scored s steps on item i. Distributions of the same items add."""

    counts: IntArray

    @property
    def n(self) -> IntArray:
        """Pupils with a score of each item."""
        pupils: IntArray = self.counts.sum(axis=1)
        return pupils

    def shares(self, item: int) -> tuple[Fraction, ...]:
        """Share of the item's pupils by score 0, 1, 2 … steps; empty where nobody has the item."""
        row = self.counts[item].tolist()
        n = sum(row)
        return tuple(Fraction(one, n) for one in row) if n else ()

    def __add__(self, other: ItemDistribution) -> ItemDistribution:
        """The same items over more pupils. Raises ValueError where the items differ in number."""
        if len(self.counts) != len(other.counts):
            raise ValueError(f"distributions of {len(self.counts)} and {len(other.counts)} items do not add")
        wide, narrow = sorted((self.counts, other.counts), key=lambda one: -one.shape[1])
        total = wide.copy()
        total[:, : narrow.shape[1]] += narrow
        return ItemDistribution(total)


def item_distribution(values: npt.ArrayLike, full: npt.ArrayLike) -> ItemDistribution:
    """Pupils by item and score.

    values: (pupils, items) in steps, −1 where an item has no score; full: full marks in steps (the bins reach the
    largest of them, or the highest score found).
    """
    scores = np.asarray(values)
    bins = 1 + max(int(np.asarray(full).max(initial=0)), int(scores.max(initial=0)))
    counts = np.zeros((scores.shape[1], bins), dtype=np.int64)
    for item in range(scores.shape[1]):
        counts[item] = np.bincount(scores[:, item] + 1, minlength=bins + 1)[1:]  # bin 0 holds the −1
    return ItemDistribution(counts)


def sums_of_whole(by_total: ItemByTotal, spread: ItemDistribution, full: npt.ArrayLike) -> ItemSums:
    """The item sums of one group of pupils from its two summaries; the same as `item_sums` over the pupils."""
    totals = by_total.low + np.arange(len(by_total.pupils), dtype=np.int64)
    marks = np.arange(spread.counts.shape[1], dtype=np.int64)
    items = np.arange(len(spread.counts))

    def row(values: IntArray) -> IntArray:
        return np.asarray(values, dtype=np.int64)[None, :]

    return ItemSums(
        pupils=np.array([by_total.pupils.sum()], dtype=np.int64),
        count=row(by_total.count.sum(axis=0)),
        sum=row(by_total.sum.sum(axis=0)),
        square=row(spread.counts @ (marks * marks)),
        zeros=row(spread.counts[:, 0]),
        fulls=row(spread.counts[items, np.asarray(full, dtype=np.int64)]),
        total=row(totals @ by_total.count),
        total_square=row((totals * totals) @ by_total.count),
        cross=row(totals @ by_total.sum),
    )
