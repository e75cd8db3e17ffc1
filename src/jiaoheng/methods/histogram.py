"""The score histogram: the summary that adds up, and of which every exam statistic is a function.

Source: the count by (unit, subject, score) is the sufficient statistic of every mean, SD, rate, quantile, band,
rank, percentile, line and effective score; two histograms of one subject add.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
AnyInt = npt.NDArray[np.integer]
Mask = npt.NDArray[np.bool_]
LARGEST_TABLE = 1 << 27  # cells; 1 GiB of counts, over 100 times what a county's classes × totals need


@dataclass(frozen=True, slots=True)
class ScoreHistogram:
    """Counts of pupils by unit and score of one subject.

    `counts[u, b]` pupils of unit u scored `low + b` steps; a score is (low + b) × step marks.
    Histograms of the same subject add: classes into schools, schools into the county, imports into an exam.
    A subject nobody sat has zero bins.
    """

    counts: IntArray  # (units, bins)
    low: int  # score of bin 0, in steps
    step: Fraction  # marks per step

    def __post_init__(self) -> None:
        if self.counts.ndim != 2:
            raise ValueError(f"counts must be units × bins, not of {self.counts.ndim} dimensions")
        if self.step <= 0:
            raise ValueError(f"the step must be positive: {self.step}")

    @classmethod
    def build(
        cls,
        values: AnyInt,
        units: AnyInt,
        n_units: int,
        mask: Mask | None = None,
        step: Fraction = Fraction(1),
    ) -> ScoreHistogram:
        """Count pupils in one pass.

        `values`: scores in steps; `units`: unit number of each pupil, 0 ≤ unit < n_units; `mask`: pupils that count.
        Raises ValueError where lengths differ, a unit number is out of range, or the table would exceed 1 GiB.
        Memory is units × (highest − lowest + 1) cells; for 20,000 classes use `county_pass`, which sorts instead.
        """
        if values.shape != units.shape:
            raise ValueError(f"{values.size} scores but {units.size} unit numbers")
        if mask is not None:
            values, units = values[mask], units[mask]
        if values.size == 0:
            return cls(np.zeros((n_units, 0), np.int64), 0, step)
        _check_units(units, n_units)
        low = int(values.min())
        bins = int(values.max()) - low + 1
        check_size(n_units, low, bins, step)
        cells = units.astype(np.int64) * bins + (values.astype(np.int64) - low)
        counts = np.bincount(cells, minlength=n_units * bins).reshape(n_units, bins)
        return cls(counts.astype(np.int64, copy=False), low, step)

    @classmethod
    def from_pairs(
        cls, units: AnyInt, values: AnyInt, counts: AnyInt, n_units: int, step: Fraction = Fraction(1)
    ) -> ScoreHistogram:
        """From sparse rows (unit, score in steps, pupils), as one GROUP BY returns them; repeated rows add."""
        if not units.size == values.size == counts.size:
            raise ValueError("units, scores and counts must have the same length")
        if values.size == 0:
            return cls(np.zeros((n_units, 0), np.int64), 0, step)
        _check_units(units, n_units)
        low = int(values.min())
        bins = int(values.max()) - low + 1
        check_size(n_units, low, bins, step)
        dense = np.zeros((n_units, bins), np.int64)
        np.add.at(dense, (units, values.astype(np.int64) - low), counts)
        return cls(dense, low, step)

    def pairs(self) -> tuple[IntArray, IntArray, IntArray]:
        """The sparse rows (unit, score in steps, pupils), ordered by unit and score; `from_pairs` takes them back."""
        units, bins = np.nonzero(self.counts)
        return units, bins + self.low, self.counts[units, bins]

    @property
    def n(self) -> IntArray:
        """Pupils per unit."""
        return _total(self.counts)

    @property
    def n_units(self) -> int:
        """Number of units."""
        return int(self.counts.shape[0])

    @property
    def n_bins(self) -> int:
        """Number of bins."""
        return int(self.counts.shape[1])

    @property
    def scores(self) -> IntArray:
        """The score of each bin, in steps."""
        return np.arange(self.low, self.low + self.counts.shape[1], dtype=np.int64)

    @property
    def sums(self) -> IntArray:
        """Σx per unit, in steps."""
        return self.counts @ self.scores

    @property
    def squares(self) -> IntArray:
        """Σx² per unit, in steps²."""
        return self.counts @ (self.scores * self.scores)

    def bin_at_least(self, mark: Fraction) -> int:
        """The first bin whose score is ≥ `mark` marks (between 0 and the number of bins); the mark is not rounded."""
        return min(max(math.ceil(mark / self.step) - self.low, 0), self.n_bins)

    def at_least(self, mark: Fraction) -> IntArray:
        """Pupils per unit with score ≥ `mark` marks: 70 × 0.85 = 59.5 means ≥ 59.5, whatever the step."""
        return _total(self.counts[:, self.bin_at_least(mark) :])

    def below(self, mark: Fraction) -> IntArray:
        """Pupils per unit with score < `mark` marks."""
        return _total(self.counts[:, : self.bin_at_least(mark)])

    def aligned(self, low: int, bins: int) -> ScoreHistogram:
        """The same counts on the bins low … low + bins − 1. Raises ValueError where a counted score would be lost."""
        used = np.flatnonzero(self.counts.any(axis=0))
        wide = np.zeros((self.n_units, bins), np.int64)
        if used.size:
            first, last = int(used[0]), int(used[-1])
            start, stop = self.low + first - low, self.low + last + 1 - low
            if start < 0 or stop > bins:
                raise ValueError(f"scores {self.low + first} … {self.low + last} do not fit the asked bins")
            wide[:, start:stop] = self.counts[:, first : last + 1]
        return ScoreHistogram(wide, low, self.step)

    def __add__(self, other: ScoreHistogram) -> ScoreHistogram:
        """Add unit by unit (the same units on both sides). Refuses differing steps or numbers of units."""
        if self.step != other.step:
            raise ValueError(f"histograms of different steps do not add: {self.step} and {other.step}")
        if self.n_units != other.n_units:
            raise ValueError(f"histograms of different units do not add: {self.n_units} and {other.n_units}")
        if other.counts.shape[1] == 0:
            return self
        if self.counts.shape[1] == 0:
            return other
        low = min(self.low, other.low)
        bins = max(self.low + self.counts.shape[1], other.low + other.counts.shape[1]) - low
        return ScoreHistogram(self.aligned(low, bins).counts + other.aligned(low, bins).counts, low, self.step)

    def merge(self, parents: AnyInt, n_parents: int | None = None) -> ScoreHistogram:
        """Add units into their parents: `parents[u]` is the parent number of unit u (classes → schools → county)."""
        if parents.size != self.n_units:
            raise ValueError(f"{parents.size} parent numbers for {self.n_units} units")
        total = n_parents if n_parents is not None else (int(parents.max()) + 1 if parents.size else 0)
        _check_units(parents, total)
        merged = np.zeros((total, self.n_bins), np.int64)
        if parents.size and self.n_bins:
            order = np.argsort(parents, kind="stable")
            grouped = parents[order]
            starts = np.flatnonzero(np.diff(grouped, prepend=-1))
            merged[grouped[starts]] = np.add.reduceat(self.counts[order], starts, axis=0)
        return ScoreHistogram(merged, self.low, self.step)

    def whole(self) -> ScoreHistogram:
        """All units as one (the county)."""
        return ScoreHistogram(self.counts.sum(axis=0, keepdims=True), self.low, self.step)

    def select(self, units: AnyInt) -> ScoreHistogram:
        """The given units, in the given order."""
        return ScoreHistogram(self.counts[units], self.low, self.step)

    def rest(self) -> ScoreHistogram:
        """For each unit all the others together (the rest of the county)."""
        return ScoreHistogram(self.counts.sum(axis=0, keepdims=True) - self.counts, self.low, self.step)


def _check_units(units: AnyInt, n_units: int) -> None:
    if units.size and (int(units.min()) < 0 or int(units.max()) >= n_units):
        raise ValueError(f"unit numbers must lie between 0 and {n_units - 1}")


def check_size(n_units: int, low: int, bins: int, step: Fraction) -> None:
    """A step far too small (a stray 0.001) must say so and not take the machine's memory."""
    if n_units * bins > LARGEST_TABLE:
        first, last = float(low * step), float((low + bins - 1) * step)
        raise ValueError(
            f"成绩从 {first:g} 到 {last:g} 分、最小计分单位 {float(step):g} 分、{n_units} 个单位，计数表过大。"
            "请核对最小计分单位和异常的高分，在考试设置中改大最小计分单位"
        )


def _total(counts: IntArray) -> IntArray:
    summed: IntArray = counts.sum(axis=1)
    return summed
