"""High and low groups of pupils by total score: discrimination D, and the curve of an item over score groups.

`ItemByTotal` (item sums by total score) adds up; from it come D with shared ties and the curves. The field's rule
breaks ties at the border by exam number, and that needs the pupils in order: `high_low_groups`.

Source: standards §1.5 (27 %: totals descending, ties stable by exam number, g = max(1, half up(0.27 N))).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from jiaoheng.methods.numbers import half_up

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ItemByTotal:
    """For every total score: pupils, and by item the pupils who have it and the sum of their scores, in steps.

    Row r is the total `low + r` steps. Summaries of the same items add.
    """

    low: int
    pupils: IntArray  # (totals,)
    count: IntArray  # (totals, items)
    sum: IntArray  # (totals, items)

    def __add__(self, other: ItemByTotal) -> ItemByTotal:
        """The same items over more pupils. Raises ValueError where the items differ in number."""
        if self.count.shape[1] != other.count.shape[1]:
            raise ValueError(f"{self.count.shape[1]} and {other.count.shape[1]} items do not add")
        low = min(self.low, other.low)
        rows = max(self.low + len(self.pupils), other.low + len(other.pupils)) - low
        out = ItemByTotal(
            low,
            np.zeros(rows, dtype=np.int64),
            np.zeros((rows, self.count.shape[1]), dtype=np.int64),
            np.zeros((rows, self.count.shape[1]), dtype=np.int64),
        )
        for part in (self, other):
            here = slice(part.low - low, part.low - low + len(part.pupils))
            out.pupils[here] += part.pupils
            out.count[here] += part.count
            out.sum[here] += part.sum
        return out


def item_by_total(values: npt.ArrayLike, totals: npt.ArrayLike) -> ItemByTotal:
    """Item sums by total score.

    values: (pupils, items) in steps, −1 where an item has no score; totals: each pupil's total in steps, negative for
    pupils who are left out.
    """
    scores = np.asarray(values)
    total = np.asarray(totals, dtype=np.int64)
    kept = total >= 0
    if not kept.all():
        scores, total = scores[kept], total[kept]
    low = int(total.min()) if len(total) else 0
    bins = total - low
    rows = int(bins.max()) + 1 if len(total) else 1
    pupils = np.bincount(bins, minlength=rows).astype(np.int64)
    count = np.zeros((rows, scores.shape[1]), dtype=np.int64)
    sums = np.zeros_like(count)
    for item in range(scores.shape[1]):
        x = scores[:, item]
        here = x >= 0
        whole = bool(here.all())
        at, marks = (bins, x) if whole else (bins[here], x[here])
        count[:, item] = pupils if whole else np.bincount(at, minlength=rows)
        sums[:, item] = np.bincount(at, weights=marks, minlength=rows)  # exact: sums stay below 2⁵³
    return ItemByTotal(low, pupils, count, sums)


def group_size(n: int, share: Fraction) -> int:
    """g = max(1, half up(share × n)); 0 for nobody. Source: standards §1.5."""
    return max(1, int(half_up(share * n))) if n else 0


def high_low_groups(
    totals: npt.ArrayLike, share: Fraction, number: npt.ArrayLike | None = None
) -> tuple[IntArray, IntArray]:
    """Positions of the high and of the low group: totals descending, equal totals by exam number, first g and last g.

    totals: in steps, negative for pupils who are left out; number: the rank of each pupil's exam number, or the number
    itself (None: the order given). In very small groups (n < 2g) the two overlap.
    """
    total = np.asarray(totals, dtype=np.int64)
    key = np.arange(len(total)) if number is None else np.asarray(number)
    order = np.lexsort((np.arange(len(total)), key, -total))
    order = order[total[order] >= 0]
    g = group_size(len(order), share)
    return order[:g], order[len(order) - g :]


def discrimination(
    values: npt.ArrayLike, full: npt.ArrayLike, groups: tuple[IntArray, IntArray]
) -> tuple[Fraction | None, ...]:
    """D = (mean of the high group − mean of the low group) ÷ full mark, by item.

    values: (pupils, items) in steps, −1 where an item has no score (such a pupil counts in the group but not in that
    item's mean); None where a group has nobody with the item.
    """
    scores = np.asarray(values)
    sums, counts = [], []
    for group in groups:
        rows = scores[group]
        here = rows >= 0
        counts.append(here.sum(axis=0))
        sums.append(np.where(here, rows, 0).sum(axis=0, dtype=np.int64))
    marks = np.asarray(full, dtype=np.int64)
    return tuple(
        _difference(
            Fraction(int(sums[0][item])), int(counts[0][item]), Fraction(int(sums[1][item])), int(counts[1][item]), best
        )
        for item, best in enumerate(marks.tolist())
    )


def shared_discrimination(summary: ItemByTotal, full: npt.ArrayLike, share: Fraction) -> tuple[Fraction | None, ...]:
    """D from the summary that adds up: pupils tied at the border share the group's last places evenly.

    The group holds every better total, and of the border's pupils the fraction that fills it up to g; so the result
    depends on no order. It equals the rule by exam number where no total is tied at the border.
    """
    g = group_size(int(summary.pupils.sum()), share)
    high = _weights(summary.pupils[::-1], g)[::-1]
    low = _weights(summary.pupils, g)
    out: list[Fraction | None] = []
    for item, best in enumerate(np.asarray(full, dtype=np.int64).tolist()):
        sums, counts = summary.sum[:, item].tolist(), summary.count[:, item].tolist()
        masses = [
            (
                sum((part * one for part, one in zip(weights, sums, strict=True) if part), Fraction(0)),
                sum((part * one for part, one in zip(weights, counts, strict=True) if part), Fraction(0)),
            )
            for weights in (high, low)
        ]
        out.append(_difference(masses[0][0], masses[0][1], masses[1][0], masses[1][1], best))
    return tuple(out)


def _weights(pupils: IntArray, g: int) -> list[Fraction]:
    """Which fraction of the pupils of each total belongs to the first g pupils."""
    left = g
    weights: list[Fraction] = []
    for n in pupils.tolist():
        taken = min(left, n)
        weights.append(Fraction(taken, n) if n else Fraction(0))
        left -= taken
    return weights


def _difference(
    high: Fraction, in_high: int | Fraction, low: Fraction, in_low: int | Fraction, full: int
) -> Fraction | None:
    if not in_high or not in_low or full <= 0:
        return None
    return (high / in_high - low / in_low) / full


@dataclass(frozen=True, slots=True)
class ItemCurves:
    """Score rate of every item in groups of equal size by total score, lowest group first.

    `rates[g][i]` is None where nobody of the group has the item.
    """

    pupils: tuple[int, ...]
    low: tuple[int | None, ...]  # lowest and highest total of the group, in steps
    high: tuple[int | None, ...]
    rates: tuple[tuple[Fraction | None, ...], ...]


def item_curves(summary: ItemByTotal, full: npt.ArrayLike, groups: int) -> ItemCurves:
    """The item's score rate by group of total score.

    A total belongs to the group in which the middle of its pupils falls (below + half of the same, by n); equal totals
    are never parted, so groups may differ a little in size and may be empty where many are tied.
    """
    n = int(summary.pupils.sum())
    middle = 2 * np.cumsum(summary.pupils) - summary.pupils  # twice (below + half of the same)
    place = np.minimum(groups * middle // max(2 * n, 1), groups - 1)
    best = np.asarray(full, dtype=np.int64)
    pupils, low, high, rates = [], [], [], []
    for group in range(groups):
        rows = np.flatnonzero((place == group) & (summary.pupils > 0))
        pupils.append(int(summary.pupils[rows].sum()))
        low.append(summary.low + int(rows[0]) if len(rows) else None)
        high.append(summary.low + int(rows[-1]) if len(rows) else None)
        earned, possible = summary.sum[rows].sum(axis=0), summary.count[rows].sum(axis=0) * best
        rates.append(tuple(Fraction(int(a), int(b)) if b else None for a, b in zip(earned, possible, strict=True)))
    return ItemCurves(tuple(pupils), tuple(low), tuple(high), tuple(rates))
