"""Standard scores, percentile ranks and normalised T from a score histogram.

Source: standards §1.4. Mean and SD are those of all who sat the same paper (population SD); SD = 0 gives Z = 0.
Square roots are irrational, so a standard score is kept as an exact pair and rounded half up without a float.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from statistics import NormalDist

import numpy as np

from jiaoheng.methods.histogram import IntArray, ScoreHistogram
from jiaoheng.methods.moments import mean, variances
from jiaoheng.methods.ratios import FloatArray, Ratio


@dataclass(frozen=True, slots=True)
class Standard:
    """The exact standard score: sign(deviation) × √square."""

    deviation: Fraction  # x − μ, in marks
    square: Fraction  # Z²

    def __float__(self) -> float:
        return math.copysign(float(self.square) ** 0.5, self.deviation) if self.square else 0.0

    def rounded(self, digits: int, shift: int = 0, scale: int = 1) -> Decimal:
        """shift + scale × Z rounded half away from zero: shift 50, scale 10 is T; 500 and 100 the college score."""
        if scale < 0:
            raise ValueError("the scale of a standard score is not negative")
        unit = 10**digits
        # 2·unit·(shift + scale·Z) lies in [floor, floor + 1); that decides on which side of the half it is
        root = 4 * unit * unit * scale * scale * self.square
        whole = math.isqrt(root.numerator // root.denominator)
        exact = root == whole * whole
        if self.deviation < 0:
            whole = -whole if exact else -whole - 1
        doubled = 2 * unit * shift + whole
        if doubled >= 0:
            return Decimal((doubled + 1) // 2).scaleb(-digits)
        mirrored = -doubled if exact else -doubled - 1  # floor of the size: half away from zero below zero
        return Decimal(-((mirrored + 1) // 2)).scaleb(-digits)


@dataclass(frozen=True, slots=True)
class Reference:
    """Mean (marks) and population variance (marks²) of the group that Z refers to."""

    mean: Fraction
    variance: Fraction

    def standard(self, value: Fraction) -> Standard:
        """Z of a score, or of a unit's mean, in marks; 0 where the group has no spread."""
        deviation = value - self.mean
        if self.variance == 0:
            return Standard(Fraction(0), Fraction(0))
        return Standard(deviation, deviation * deviation / self.variance)


def reference(histogram: ScoreHistogram) -> Reference | None:
    """Mean and variance over all units of the histogram; None where nobody counts."""
    whole = histogram.whole()
    average, variance = mean(whole).fraction(0), variances(whole)[0]
    return None if average is None or variance is None else Reference(average, variance)


def z_of_scores(histogram: ScoreHistogram) -> FloatArray:
    """Z of every bin against all units together, as floats: look pupils up by `value − low`.

    Each is one division of an exact integer by one square root, so the same on every run. Empty where nobody counts.
    """
    whole = histogram.whole()
    n, total, squares = int(whole.n[0]), int(whole.sums[0]), int(whole.squares[0])
    spread = n * squares - total * total
    if n == 0 or spread == 0:
        return np.zeros(histogram.n_bins, np.float64)
    root = math.sqrt(spread)
    return np.array([(n * int(score) - total) / root for score in histogram.scores], np.float64)


def t_of(z: float) -> float:
    """T = 50 + 10 Z, not cut off."""
    return 50 + 10 * z


def college_score(z: float) -> float:
    """500 + 100 Z, not cut off."""
    return 500 + 100 * z


def weighted_z(scores: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """Σ Z·w over subjects, summed exactly before rounding (math.fsum); fairer than a sum of raw marks."""
    return math.fsum(scores[name] * weight for name, weight in weights.items())


def percentile_ranks(histogram: ScoreHistogram) -> Ratio:
    """PR of every bin among all units: 100 × (below + ½·equal) ÷ N, exact ("mid" definition, §1.4).

    [60,70,70,80,90,100]: PR(70) = 33.33.
    """
    counts = histogram.counts.sum(axis=0)
    below: IntArray = counts.cumsum() - counts
    n = np.full(counts.size, 2 * int(counts.sum()), np.int64)
    return Ratio(2 * below + counts, n, Fraction(100))


def normalised_t(histogram: ScoreHistogram) -> FloatArray:
    """50 + 10·Φ⁻¹(PR) of every bin; NaN for bins nobody scored that lie outside all scores (PR 0 or 100)."""
    normal = NormalDist()
    values = [np.nan if pr is None else float(pr) / 100 for pr in percentile_ranks(histogram).fractions()]
    return np.array([50 + 10 * normal.inv_cdf(p) if 0 < p < 1 else np.nan for p in values], np.float64)
