"""Mean, spread, quantiles, extremes and modes of a score histogram; all exact.

Source: standards §0 (population variance: all who sat are the population; N − 1 only for sampling inference).
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np

from jiaoheng.methods.histogram import IntArray, ScoreHistogram
from jiaoheng.methods.numbers import half_up_root
from jiaoheng.methods.ratios import Ratio


def mean(histogram: ScoreHistogram, base: Ratio | None = None) -> Ratio:
    """Σ scores ÷ N in marks, per unit.

    N is the number counted in the histogram, or `base` (who counts by B3 or B4; see `participation`): then the
    numerator stays the sum over those who sat and only the denominator changes.
    """
    return over_base(histogram.sums, histogram.n, histogram.step, base)


def over_base(num: IntArray, den: IntArray, scale: Fraction, base: Ratio | None) -> Ratio:
    """scale × num ÷ den, or ÷ `base` where one is given (base values are base.scale × base.num ÷ base.den)."""
    if base is None:
        return Ratio(num, den, scale)
    return Ratio(num * base.den, base.num, scale / base.scale)


def variances(histogram: ScoreHistogram) -> tuple[Fraction | None, ...]:
    """Population variance in marks² per unit: step² × (n·Σx² − (Σx)²) ÷ n²; None where nobody counts."""
    pairs = zip(histogram.n.tolist(), histogram.sums.tolist(), histogram.squares.tolist(), strict=True)
    square = histogram.step * histogram.step
    return tuple(None if n == 0 else square * Fraction(n * q - s * s, n * n) for n, s, q in pairs)


def skewness(histogram: ScoreHistogram) -> tuple[float | None, ...]:
    """Population moment skewness m₃ ÷ σ³ per unit; None where nobody counts or all scores are equal.

    Negative: the tail is on the side of low scores. Sums are exact integers; only the last root is a float.
    """
    cubes = (histogram.counts @ histogram.scores.astype(object) ** 3).tolist()
    found: list[float | None] = []
    for n, s, q, c in zip(
        histogram.n.tolist(), histogram.sums.tolist(), histogram.squares.tolist(), cubes, strict=True
    ):
        spread = n * q - s * s
        third = n * n * c - 3 * n * s * q + 2 * s**3
        found.append(None if spread <= 0 else float(third) / float(spread) ** 1.5)
    return tuple(found)


def sd_text(variance: Fraction | None, digits: int = 2) -> Decimal | None:
    """The standard deviation rounded half up from the exact variance; None stays None."""
    return None if variance is None else half_up_root(variance, digits)


def sds(histogram: ScoreHistogram) -> tuple[float | None, ...]:
    """Population standard deviation in marks as the nearest float; print with `sd_text` of `variances` instead."""
    return tuple(None if v is None else float(v) ** 0.5 for v in variances(histogram))


def _at_order(histogram: ScoreHistogram, order: IntArray) -> IntArray:
    """The score in steps of the order-th lowest pupil (1-based) of each unit; meaningless where order < 1."""
    below = histogram.counts.cumsum(axis=1) < order[:, None]
    scores: IntArray = histogram.low + below.sum(axis=1)
    return scores


def quantiles(histogram: ScoreHistogram, share: Fraction) -> tuple[Fraction | None, ...]:
    """The quantile at `share` (0–1) in marks per unit; None where nobody counts.

    Definition: the smallest score x with #(score ≤ x) ≥ share·n; where share·n is a whole number k with 0 < k < n,
    the middle of the k-th and (k+1)-th score (Hyndman & Fan 1996, type 2). For 1/2 it is the usual median.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"a quantile needs a share between 0 and 1, not {share}")
    n = histogram.n
    cut = n * share.numerator
    whole = cut // share.denominator
    exact = cut % share.denominator == 0
    first = np.clip(np.where(exact, whole, whole + 1), 1, np.maximum(n, 1))
    second = np.clip(whole + 1, 1, np.maximum(n, 1))
    twice = _at_order(histogram, first) + _at_order(histogram, second)
    half = histogram.step / 2
    return tuple(None if k == 0 else half * v for k, v in zip(n.tolist(), twice.tolist(), strict=True))


def medians(histogram: ScoreHistogram) -> tuple[Fraction | None, ...]:
    """The median in marks per unit (mean of the two middle scores for even n)."""
    return quantiles(histogram, Fraction(1, 2))


def extremes(histogram: ScoreHistogram) -> tuple[tuple[Fraction, Fraction] | None, ...]:
    """(lowest, highest) score in marks per unit; None where nobody counts."""
    found: list[tuple[Fraction, Fraction] | None] = []
    for row in histogram.counts:
        used = np.flatnonzero(row)
        if used.size == 0:
            found.append(None)
        else:
            low, high = histogram.low + int(used[0]), histogram.low + int(used[-1])
            found.append((histogram.step * low, histogram.step * high))
    return tuple(found)


def modes(histogram: ScoreHistogram) -> tuple[tuple[Fraction, ...], ...]:
    """The most frequent scores in marks per unit, lowest first; empty where nobody counts."""
    found: list[tuple[Fraction, ...]] = []
    for row in histogram.counts:
        top = int(row.max()) if row.size else 0
        bins = np.flatnonzero(row == top) if top else np.zeros(0, np.int64)
        found.append(tuple(histogram.step * (histogram.low + int(b)) for b in bins))
    return tuple(found)
