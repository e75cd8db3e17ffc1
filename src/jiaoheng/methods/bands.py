"""Score bands 分数段 and level distributions 等级 from a score histogram.

Source: standards §0 (bands are closed left and open right, the highest holds the full mark), §1.5, §1.9 (levels).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal

import numpy as np

from jiaoheng.methods.histogram import IntArray, ScoreHistogram
from jiaoheng.methods.numbers import text
from jiaoheng.methods.ratios import Ratio


@dataclass(frozen=True, slots=True)
class Bands:
    """Counts by unit and band, highest band first.

    `lows[b] ≤ score < highs[b]`; the first band includes the full mark and anything above it.
    """

    lows: tuple[Fraction, ...]
    highs: tuple[Fraction, ...]
    counts: IntArray  # (units, bands)

    @property
    def labels(self) -> tuple[str, ...]:
        """`[90,100]` for the first band, `[80,90)` for the others."""
        ends = "]" + ")" * (len(self.lows) - 1)
        pairs = zip(self.lows, self.highs, ends, strict=True)
        return tuple(f"[{_mark(low)},{_mark(high)}{end}" for low, high, end in pairs)

    @property
    def cumulative(self) -> IntArray:
        """Pupils in this band and all higher ones."""
        return self.counts.cumsum(axis=1)

    def share(self, band: int, cumulative: bool = False) -> Ratio:
        """Share of the unit's pupils in (or from the top down to) a band."""
        counts = self.cumulative if cumulative else self.counts
        return Ratio(counts[:, band], self.counts.sum(axis=1))


def band_edges(full: Fraction, width: Fraction, least: Fraction = Fraction(0)) -> tuple[Fraction, ...]:
    """Lower edges from the top down: full 100, width 10 → 90, 80 … 0; full 750, width 50 → 700 … 0.

    A full mark that is no multiple of the width gives a narrower first band (120, 50 → 100, 50, 0).
    """
    if width <= 0 or full <= least:
        raise ValueError(f"分数段宽度应大于 0，满分应大于 {_mark(least)}，现为 {_mark(width)} 和 {_mark(full)}")
    edges: list[Fraction] = []
    edge = least
    while edge < full:
        edges.append(edge)
        edge += width
    return tuple(reversed(edges))


def score_bands(histogram: ScoreHistogram, edges: Sequence[Fraction], full: Fraction) -> Bands:
    """Counts in the bands that begin at `edges` (strictly falling, in marks), the first up to and including `full`.

    Scores below the last edge fall in no band; end with 0 to hold everybody. Raises ValueError for edges out of order.
    """
    if not edges or any(low >= high for high, low in pairwise(edges)) or edges[0] > full:
        raise ValueError("分数段的下限应从高到低排列，且不超过满分")
    reached = np.stack([histogram.at_least(edge) for edge in edges], axis=1)
    counts = np.diff(reached, axis=1, prepend=0)
    return Bands(tuple(edges), (full, *edges[:-1]), counts)


@dataclass(frozen=True, slots=True)
class Levels:
    """等级 by unit: counts (units, levels), best level first, and the lowest score of each level in marks.

    A level nobody can have (its pupils all tie into a neighbour) has the cut None.
    """

    names: tuple[str, ...]
    counts: IntArray
    cuts: tuple[Fraction | None, ...]

    def share(self, level: int) -> Ratio:
        """Share of the unit's pupils in a level."""
        return Ratio(self.counts[:, level], self.counts.sum(axis=1))


def levels_by_score_rate(
    histogram: ScoreHistogram, full: Fraction, names: Sequence[str], rates: Sequence[Fraction]
) -> Levels:
    """Level i begins at rates[i] × full (not rounded). `rates` fall strictly; the last level takes all below.

    `rates` has one entry a level (the last then 0) or one fewer. Raises ValueError where they do not fit.
    """
    begins = tuple(rates) if len(rates) == len(names) else (*rates, Fraction(0))
    falling = all(high > low for high, low in pairwise(begins))
    if len(begins) != len(names) or not falling or begins[0] > 1:
        raise ValueError(f"等级 {'、'.join(names)} 应有从高到低的得分率界限，个数与等级相同或少一个")
    marks = tuple(rate * full for rate in begins)
    reached = np.stack([*(histogram.at_least(mark) for mark in marks[:-1]), histogram.n], axis=1)
    return Levels(tuple(names), np.diff(reached, axis=1, prepend=0), marks)


def levels_by_share(
    histogram: ScoreHistogram,
    names: Sequence[str],
    shares: Sequence[Fraction],
    ties: Literal["near", "up", "down"] = "near",
) -> Levels:
    """Levels by cumulative shares of the county's pupils (15 %, 50 %, 85 %, 98 %, 100 %), ties kept together.

    All units of the histogram are the county. Equal scores get the same level; where they straddle a cut they go to
    the nearer side (`near`, the higher at equal distance), all `up` or all `down`. Source: standards §2.1.
    """
    rising = all(low < high for low, high in pairwise(shares))
    if len(shares) != len(names) or not rising or not shares or shares[0] <= 0 or shares[-1] != 1:
        raise ValueError(f"等级 {'、'.join(names)} 的累计比例应逐级增大，最后一级为 100%，个数与等级相同")
    county = histogram.counts.sum(axis=0)
    n = int(county.sum())
    used = np.flatnonzero(county)[::-1]  # scored bins, highest first
    reached = county[used].cumsum()
    cuts: list[Fraction | None] = []
    stops: list[int] = []
    taken = 0  # scored bins already in a level
    for level, share in enumerate(shares):
        end = used.size if level == len(shares) - 1 else max(taken, _end(reached, n * share, ties))
        low_bin = int(used[end - 1]) if end > taken else None
        cuts.append(None if low_bin is None else histogram.step * (histogram.low + low_bin))
        stops.append(int(used[end - 1]) if end else histogram.n_bins)
        taken = end
    cumulated = np.stack([histogram.counts[:, stop:].sum(axis=1) for stop in stops], axis=1)
    return Levels(tuple(names), np.diff(cumulated, axis=1, prepend=0), tuple(cuts))


def _end(reached: IntArray, target: Fraction, ties: str) -> int:
    """How many scored bins, from the top, belong above a cut at `target` pupils."""
    inside = int((reached * target.denominator <= target.numerator).sum())
    if inside == reached.size or ties == "down":
        return inside
    before = int(reached[inside - 1]) if inside else 0
    if before == target:
        return inside
    if ties == "up":
        return inside + 1
    return inside + 1 if int(reached[inside]) - target <= target - before else inside


def _mark(value: Fraction) -> str:
    return text(value, 2).rstrip("0").rstrip(".")
