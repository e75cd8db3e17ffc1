"""One score, three rates (一分三率) and their kin, with any denominator base.

Source: standards §1.2. A threshold is full mark × share and is not rounded: 70 × 0.85 = 59.5, so score ≥ 59.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from jiaoheng.methods.histogram import AnyInt, Mask, ScoreHistogram
from jiaoheng.methods.moments import mean, over_base
from jiaoheng.methods.ratios import Ratio


@dataclass(frozen=True, slots=True)
class Cuts:
    """Shares of the full mark: excellent ≥, good ≥, pass ≥, low <."""

    excellent: Fraction
    good: Fraction
    passing: Fraction
    low: Fraction

    def __post_init__(self) -> None:
        shares = (self.low, self.passing, self.good, self.excellent)
        if any(not 0 <= share <= 1 for share in shares):
            raise ValueError(f"等级线应在 0 到 1 之间，现为 {self._words()}。请在考试设置的“等级线”中改正")
        if not self.low <= self.passing <= self.good <= self.excellent:
            raise ValueError(f"等级线应依次为 低分 ≤ 及格 ≤ 良好 ≤ 优秀，现为 {self._words()}。请在考试设置中改正")

    def _words(self) -> str:
        named = (("低分", self.low), ("及格", self.passing), ("良好", self.good), ("优秀", self.excellent))
        return "、".join(f"{name} {float(share):g}" for name, share in named)


@dataclass(frozen=True, slots=True)
class ScoreRates:
    """Mean (marks), score rate 得分率 (share), and the four rates of each unit, each with numerator and base."""

    mean: Ratio
    score_rate: Ratio
    excellent: Ratio
    good: Ratio
    passing: Ratio
    low: Ratio


def rate_at_least(histogram: ScoreHistogram, mark: Fraction, base: Ratio | None = None) -> Ratio:
    """#(score ≥ mark) ÷ N; N from the histogram or `base`."""
    return over_base(histogram.at_least(mark), histogram.n, Fraction(1), base)


def rate_below(histogram: ScoreHistogram, mark: Fraction, base: Ratio | None = None) -> Ratio:
    """#(score < mark) ÷ N; N from the histogram or `base`."""
    return over_base(histogram.below(mark), histogram.n, Fraction(1), base)


def score_rates(histogram: ScoreHistogram, full: Fraction, cuts: Cuts, base: Ratio | None = None) -> ScoreRates:
    """Mean, score rate and rates of every unit for a subject of `full` marks.

    With `base` (B3, B4) a rate may exceed 100 % where more pupils sat than the discounted base holds; it is not capped.
    Raises ValueError where the full mark is not positive.
    """
    if full <= 0:
        raise ValueError(f"满分必须大于 0，现为 {float(full):g}。请在考试设置中填写该科满分")
    average = mean(histogram, base)
    return ScoreRates(
        mean=average,
        score_rate=average.times(1 / full),
        excellent=rate_at_least(histogram, full * cuts.excellent, base),
        good=rate_at_least(histogram, full * cuts.good, base),
        passing=rate_at_least(histogram, full * cuts.passing, base),
        low=rate_below(histogram, full * cuts.low, base),
    )


def relative_cut(county: ScoreHistogram, share: Fraction) -> Fraction | None:
    """A relative line: the score of the county's pupil at the top `share` (excellent line = top 20 %).

    It is the highest score that at least `share` of all pupils reach; None where nobody counts. Source: §1.2 〔S16〕.
    """
    counts = county.counts.sum(axis=0)
    n = int(counts.sum())
    if n == 0:
        return None
    reached = counts[::-1].cumsum()[::-1]
    needed = -(-n * share.numerator // share.denominator)
    bins = np.flatnonzero(reached >= max(needed, 1))
    return county.step * (county.low + int(bins[-1]))


@dataclass(frozen=True, slots=True)
class SubjectReach:
    """One subject for all-subject rates: scores in steps, who counts, and the mark to reach in marks."""

    values: AnyInt
    counted: Mask
    step: Fraction
    mark: Fraction


def all_subject_rate(subjects: Sequence[SubjectReach], units: AnyInt, n_units: int, base: Ratio | None = None) -> Ratio:
    """全科及格率 (or 全科优秀率): pupils who reach every subject's mark ÷ N.

    Without `base`, N are the pupils who count in every subject. Source: standards §1.2.
    """
    if not subjects:
        raise ValueError("全科及格率至少要有一门学科")
    counted = np.logical_and.reduce([subject.counted for subject in subjects])
    reached = counted.copy()
    for subject in subjects:
        # an integer of steps reaches a mark exactly when it reaches the mark's ceiling
        steps = subject.mark / subject.step
        reached &= subject.values >= -(-steps.numerator // steps.denominator)
    num = np.bincount(units[reached], minlength=n_units).astype(np.int64)
    den = np.bincount(units[counted], minlength=n_units).astype(np.int64)
    return over_base(num, den, Fraction(1), base)
