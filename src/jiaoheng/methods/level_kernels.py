"""Statistics and pupils' ranks of one column at one level: by a dense histogram, or by sorting each unit's pupils.

Both give the same integers. Dense is best where many pupils share a cell of unit × score (schools, the county),
sorting where cells are mostly empty (classes).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from jiaoheng.methods.grouping import Grouping
from jiaoheng.methods.histogram import AnyInt, IntArray, Mask, ScoreHistogram, check_size
from jiaoheng.methods.level_stats import LevelStats
from jiaoheng.methods.ranks import rank_table

Ranks = npt.NDArray[np.int32]
Cells = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Scores:
    """One column prepared for a pass: scores in steps, who counts (None: everybody), range of the counted, cuts."""

    values: AnyInt
    mask: Mask | None
    low: int
    high: int  # low − 1 where nobody counts
    step: Fraction
    cuts: Mapping[str, int]  # name → steps to reach

    @property
    def bins(self) -> int:
        """Number of scores between the lowest and the highest."""
        return self.high - self.low + 1


def prepare(values: AnyInt, mask: Mask | None, step: Fraction, cuts: Mapping[str, Fraction]) -> Scores:
    """Range of the counted scores and cuts in steps (a mark is reached by the next whole step above it)."""
    if mask is not None and bool(mask.all()):
        mask = None
    counted = values if mask is None else values[mask]
    low, high = (int(counted.min()), int(counted.max())) if counted.size else (0, -1)
    steps = {name: math.ceil(mark / step) for name, mark in cuts.items()}
    return Scores(values, mask, low, high, step, MappingProxyType(steps))


def dense_cells(scores: Scores, units: AnyInt | None) -> Cells:
    """The cell unit × bins + (score − lowest) of every pupil; `units` None where there is one unit only.

    Meaningless for pupils who do not count.
    """
    cells = scores.values.astype(np.intp)
    cells -= scores.low
    if units is not None:
        base = units.astype(np.intp)
        base *= scores.bins
        cells += base
    return cells


def dense_histogram(scores: Scores, cells: Cells, n_units: int) -> ScoreHistogram:
    """Count one column by unit and score."""
    if scores.bins <= 0:
        return ScoreHistogram(np.zeros((n_units, 0), np.int64), 0, scores.step)
    check_size(n_units, scores.low, scores.bins, scores.step)
    counted = cells if scores.mask is None else cells[scores.mask]
    counts = np.bincount(counted, minlength=n_units * scores.bins).reshape(n_units, scores.bins)
    return ScoreHistogram(counts.astype(np.int64, copy=False), scores.low, scores.step)


def dense_ranks(scores: Scores, histogram: ScoreHistogram, cells: Cells) -> Ranks:
    """Every pupil's rank by look-up in the cumulative counts of the histogram."""
    if scores.bins <= 0:
        return np.zeros(scores.values.size, np.int32)
    table = rank_table(histogram).astype(np.int32).ravel()
    if scores.mask is None:
        return table.take(cells)
    return np.where(scores.mask, table.take(cells, mode="clip"), np.int32(0))


def dense_stats(scores: Scores, histogram: ScoreHistogram) -> LevelStats:
    """All figures of a level from its histogram."""
    counts, n = histogram.counts, histogram.n
    from_low = counts.cumsum(axis=1)
    total = n[:, None]

    def at(order: IntArray) -> IntArray:
        found: IntArray = (from_low < order[:, None]).sum(axis=1) + histogram.low
        return np.where(n > 0, found, 0)

    reached = {}
    for name, cut in scores.cuts.items():
        first = min(max(cut - histogram.low, 0), histogram.n_bins)
        reached[name] = n - from_low[:, first - 1] if first else n
    seen = (from_low < total).sum(axis=1) + histogram.low if histogram.n_bins else n
    return LevelStats(
        n=n,
        sums=histogram.sums,
        squares=histogram.squares,
        twice_median=at((n + 1) // 2) + at(n // 2 + 1),
        lowest=at(np.ones_like(n)),
        highest=np.where(n > 0, seen, 0),
        reached=MappingProxyType(reached),
        step=scores.step,
    )


def sorted_level(scores: Scores, grouping: Grouping) -> tuple[LevelStats, Ranks]:
    """Figures and ranks of a level of many small units by one sort of each unit's pupils, best first.

    The sorted key holds the distance from the best score and the pupil's place in the unit, so the sort itself says
    who stands where; who does not count comes last in the unit.
    """
    if scores.bins <= 0 or not grouping.units.size:
        return _empty(scores, grouping.n_units), np.zeros(scores.values.size, np.int32)
    key, shift = _sorted_key(scores, grouping)
    behind = key >> shift  # distance from the best score
    first = np.empty(behind.size, np.bool_)  # first pupil of a run of equal scores within a unit
    np.not_equal(behind[1:], behind[:-1], out=first[1:])
    first[grouping.starts] = True
    ranks = _scatter_ranks(scores, grouping, key, shift, behind, first)
    stats = _row_stats(scores, grouping, behind)
    return stats, ranks


def _sorted_key(scores: Scores, grouping: Grouping) -> tuple[npt.NDArray[np.signedinteger], int]:
    shift = max(int(grouping.sizes.max()) - 1, 1).bit_length()
    largest = max((scores.bins + 1) << shift, abs(scores.low), abs(scores.high))
    width: type[np.signedinteger] = np.int32 if largest < 1 << 31 else np.int64
    key = scores.values.astype(width)
    np.subtract(scores.high, key, out=key)
    if scores.mask is not None:
        key[~scores.mask] = scores.bins
    key = key.take(grouping.order)
    key <<= shift
    key |= grouping.position
    for start, stop, size in grouping.blocks:
        key[start:stop].reshape(-1, size).sort(axis=1)
    return key, shift


def _scatter_ranks(
    scores: Scores,
    grouping: Grouping,
    key: npt.NDArray[np.signedinteger],
    shift: int,
    behind: npt.NDArray[np.signedinteger],
    first: Mask,
) -> Ranks:
    runs = np.flatnonzero(first)
    rank_of_run = runs.astype(np.int32) - grouping.begin.take(runs) + 1
    if scores.mask is not None:
        rank_of_run[behind[runs] == scores.bins] = 0
    run_of_place = np.cumsum(first, dtype=np.int32) - 1
    places = key & ((1 << shift) - 1)
    places += grouping.begin
    ranks = np.empty(behind.size, np.int32)
    ranks[grouping.order.take(places)] = rank_of_run.take(run_of_place)
    return ranks


def _row_stats(scores: Scores, grouping: Grouping, behind: npt.NDArray[np.signedinteger]) -> LevelStats:
    starts = grouping.starts
    counted = None if scores.mask is None else behind < scores.bins
    n = grouping.sizes if counted is None else np.add.reduceat(counted.astype(np.int64), starts)
    values = scores.high - behind.astype(_wide_enough(scores, grouping))
    if counted is not None:
        values *= counted
    some = n > 0

    def at(order: IntArray) -> IntArray:
        """The order-th best score of each row (0-based)."""
        return np.where(some, scores.high - behind[starts + np.where(some, order, 0)].astype(np.int64), 0)

    def spread_out(rows: IntArray) -> IntArray:
        units = np.zeros(grouping.n_units, np.int64)
        units[grouping.units] = rows
        return units

    reached = {}
    for name, cut in scores.cuts.items():
        has = behind <= scores.high - cut
        if counted is not None:
            has &= counted
        reached[name] = spread_out(np.add.reduceat(has.astype(np.int32), starts).astype(np.int64))
    return LevelStats(
        n=spread_out(n),
        sums=spread_out(np.add.reduceat(values, starts).astype(np.int64)),
        squares=spread_out(np.add.reduceat(values * values, starts).astype(np.int64)),
        twice_median=spread_out(at((n - 1) // 2) + at(n // 2)),
        lowest=spread_out(at(n - 1)),
        highest=spread_out(at(np.zeros_like(n))),
        reached=MappingProxyType(reached),
        step=scores.step,
    )


def _wide_enough(scores: Scores, grouping: Grouping) -> type[np.signedinteger]:
    """32 bits where no unit's Σx² can exceed them (half the memory traffic), else 64."""
    largest = max(abs(scores.low), abs(scores.high), scores.bins)
    return np.int32 if largest * largest * int(grouping.sizes.max()) < 1 << 31 else np.int64


def _empty(scores: Scores, n_units: int) -> LevelStats:
    zero = np.zeros(n_units, np.int64)
    reached = MappingProxyType(dict.fromkeys(scores.cuts, zero))
    return LevelStats(zero, zero, zero, zero, zero, zero, reached, scores.step)
