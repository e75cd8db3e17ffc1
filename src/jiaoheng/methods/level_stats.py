"""Statistics of one column (subject or total) at one level of units, as integers that print exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from jiaoheng.methods.histogram import IntArray
from jiaoheng.methods.ratios import FloatArray, Ratio


@dataclass(frozen=True, slots=True)
class LevelStats:
    """Per unit: n, Σx, Σx² and twice the median (in steps), lowest and highest (0 where n is 0), and #(x ≥ cut).

    Scores are in steps of `step` marks; `cuts` are named marks and `reached[name]` the pupils who have at least them.
    """

    n: IntArray
    sums: IntArray
    squares: IntArray
    twice_median: IntArray
    lowest: IntArray
    highest: IntArray
    reached: Mapping[str, IntArray]
    step: Fraction

    def mean(self) -> Ratio:
        """Mean in marks."""
        return Ratio(self.sums, self.n, self.step)

    def rate(self, cut: str) -> Ratio:
        """Share of pupils with at least the named mark."""
        return Ratio(self.reached[cut], self.n)

    def rate_below(self, cut: str) -> Ratio:
        """Share of pupils under the named mark (low-score rate)."""
        return Ratio(self.n - self.reached[cut], self.n)

    def median(self, unit: int) -> Fraction | None:
        """The exact median in marks; None where nobody counts."""
        return self.step * Fraction(int(self.twice_median[unit]), 2) if self.n[unit] else None

    def variance(self, unit: int) -> Fraction | None:
        """The exact population variance in marks²; None where nobody counts."""
        n, total, squares = int(self.n[unit]), int(self.sums[unit]), int(self.squares[unit])
        return self.step**2 * Fraction(n * squares - total * total, n * n) if n else None

    def mean_floats(self) -> FloatArray:
        """Means of all units as floats; NaN where nobody counts. Print from `mean()`, which is exact."""
        return _divide(self.sums.astype(np.float64) * float(self.step), self.n)

    def median_floats(self) -> FloatArray:
        """Medians of all units as floats; NaN where nobody counts."""
        return _divide(self.twice_median.astype(np.float64) * (float(self.step) / 2), np.minimum(self.n, 1))

    def rate_floats(self, cut: str) -> FloatArray:
        """Shares of all units with at least the named mark; NaN where nobody counts."""
        return _divide(self.reached[cut].astype(np.float64), self.n)

    def rate_floats_below(self, cut: str) -> FloatArray:
        """Shares of all units under the named mark; NaN where nobody counts."""
        return _divide((self.n - self.reached[cut]).astype(np.float64), self.n)

    def sd_floats(self) -> FloatArray:
        """Population standard deviations of all units; from exact integers, so never negative or drifting."""
        if int(self.n.max(initial=0)) * int(self.squares.max(initial=0)) < 1 << 62:
            spread = (self.n * self.squares - self.sums * self.sums).astype(np.float64)
        else:  # beyond 64 bits: Python's integers
            rows = zip(self.n.tolist(), self.squares.tolist(), self.sums.tolist(), strict=True)
            spread = np.array([float(n * q - s * s) for n, q, s in rows], np.float64)
        return _divide(np.sqrt(spread) * float(self.step), self.n)


def _divide(num: FloatArray, den: IntArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(den > 0, num / den, np.nan)
