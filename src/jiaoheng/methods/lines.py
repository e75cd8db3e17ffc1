"""Lines of the total 划线, effective scores 有效分, and who reaches them: 上线, 命中率, 贡献率, 错位率.

Source: standards §1.7. Each track (物理类, 历史类) is judged by its own line and the counts are added; two lines are
never averaged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from jiaoheng.methods.histogram import AnyInt, IntArray, Mask, ScoreHistogram
from jiaoheng.methods.numbers import half_up
from jiaoheng.methods.ratios import Ratio


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the total in marks; how many places were planned (None: given as a score) and how many reach it."""

    mark: Fraction
    planned: int | None
    reached: int

    @property
    def beyond_plan(self) -> int:
        """Pupils over the plan, all in by ties with the last place."""
        return 0 if self.planned is None else max(self.reached - self.planned, 0)


def line_by_score(histogram: ScoreHistogram, mark: Fraction) -> Line:
    """A given line; `histogram` holds the track's pupils (any units)."""
    return Line(mark, None, int(histogram.at_least(mark).sum()))


def line_by_places(histogram: ScoreHistogram, places: int) -> Line | None:
    """The line is the score of the `places`-th pupil; equal scores all reach it, so more than planned may.

    Where fewer pupils sat than places exist, the lowest score is the line. None where nobody counts.
    """
    if places < 1:
        raise ValueError(f"计划人数应不小于 1，现为 {places}。请在考试设置的“划线”中改正")
    counts = histogram.counts.sum(axis=0)
    n = int(counts.sum())
    if n == 0:
        return None
    reached = counts[::-1].cumsum()[::-1]
    cut = int(np.flatnonzero(reached >= min(places, n))[-1])
    return Line(histogram.step * (histogram.low + cut), places, int(reached[cut]))


@dataclass(frozen=True, slots=True)
class Marks:
    """Scores of one subject or of the total for the same pupils: steps, who counts, marks per step."""

    values: AnyInt
    counted: Mask
    step: Fraction

    def reaches(self, mark: Fraction) -> Mask:
        """Who counts and has at least `mark` marks (not rounded)."""
        reached: Mask = self.counted & (self.values >= math.ceil(mark / self.step))
        return reached

    def sum_of(self, pupils: Mask) -> Fraction:
        """Σ scores of these pupils in marks."""
        return self.step * int(self.values[pupils].astype(np.int64).sum())


def effective_by_ratio(subject: Marks, total: Marks, line: Fraction) -> Fraction | None:
    """A 比例法: subject mean × L ÷ total mean of those with total ≥ L, rounded half up to a whole mark.

    Both means are over those of them who count in the subject, so an elective is scaled by its own takers.
    L = 480 with (500: 110, 120) and (480: 105, 115) gives 105 and 115. None where nobody reaches the line.
    """
    group = total.reaches(line) & subject.counted
    whole = total.sum_of(group)
    return None if whole == 0 else Fraction(half_up(subject.sum_of(group) * line / whole))


def effective_by_rank(subject: Marks, total: Marks, line: Fraction) -> Fraction | None:
    """B 名次法: the subject's K-th score, K = takers of the subject whose total reaches L; ties are all in."""
    takers = subject.counted & total.counted
    places = int((total.reaches(line) & takers).sum())
    if places == 0:
        return None
    values = subject.values[takers]
    return subject.step * int(np.partition(values, values.size - places)[values.size - places])


def effective_by_band(subject: Marks, total: Marks, line: Fraction, band: Fraction) -> Fraction | None:
    """C 临界带法: the subject's mean over pupils with L − δ ≤ total ≤ L + δ, exact; None where there are none."""
    if band < 0:
        raise ValueError(f"临界带宽不能是负数，现为 {float(band):g}")
    above = total.values > math.floor((line + band) / total.step)
    group = total.reaches(line - band) & ~above & subject.counted
    n = int(group.sum())
    return None if n == 0 else subject.sum_of(group) / n


@dataclass(frozen=True, slots=True)
class Reach:
    """Pupils per unit by subject line and total line; counts add over tracks and units.

    `n` counts in both; `single` a = #(subject ≥ its line), `double` b = #(both), `total` c = #(total ≥ L).
    """

    n: IntArray
    single: IntArray
    double: IntArray
    total: IntArray

    def __add__(self, other: Reach) -> Reach:
        """Add unit by unit: another track, judged by its own lines."""
        return Reach(self.n + other.n, self.single + other.single, self.double + other.double, self.total + other.total)

    @property
    def total_only(self) -> IntArray:
        """总上单不上: c − b."""
        return self.total - self.double

    @property
    def single_only(self) -> IntArray:
        """单上总不上: a − b."""
        return self.single - self.double

    @property
    def neither(self) -> IntArray:
        """双不上."""
        return self.n - self.single - self.total + self.double

    @property
    def hit(self) -> Ratio:
        """命中率 b ÷ a; no data where a is 0."""
        return Ratio(self.double, self.single)

    @property
    def contribution(self) -> Ratio:
        """贡献率 b ÷ c; no data where c is 0."""
        return Ratio(self.double, self.total)

    @property
    def mismatch(self) -> Ratio:
        """错位率 (c − b) ÷ c; no data where c is 0."""
        return Ratio(self.total_only, self.total)

    def merge(self, parents: AnyInt, n_parents: int) -> Reach:
        """Roll up: `parents[u]` is the parent of unit u."""
        merged: list[IntArray] = []
        for counts in (self.n, self.single, self.double, self.total):
            summed = np.zeros(n_parents, np.int64)
            np.add.at(summed, parents, counts)
            merged.append(summed)
        return Reach(*merged)


def reach(subject: Marks, subject_line: Fraction, total: Marks, line: Fraction, units: AnyInt, n_units: int) -> Reach:
    """Single, double and total reach of one subject, over pupils of one track who count in it and in the total.

    Who did not choose the subject is in neither b nor c, or it would look like a subject that failed its takers.
    """
    takers = subject.counted & total.counted
    single = subject.reaches(subject_line) & takers
    whole = total.reaches(line) & takers

    def count(pupils: Mask) -> IntArray:
        return np.bincount(units[pupils], minlength=n_units).astype(np.int64)

    return Reach(count(takers), count(single), count(single & whole), count(whole))


def total_reach(total: Marks, line: Fraction, units: AnyInt, n_units: int) -> Ratio:
    """上线率 of every unit: #(total ≥ L) ÷ pupils with a total."""
    num = np.bincount(units[total.reaches(line)], minlength=n_units).astype(np.int64)
    return Ratio(num, np.bincount(units[total.counted], minlength=n_units).astype(np.int64))


def multi_reach(subjects: list[Mask], units: AnyInt, n_units: int) -> IntArray:
    """How many subject lines pupils reach: counts (units, 0 … number of subjects); masks from `Marks.reaches`."""
    reached = np.sum(subjects, axis=0, dtype=np.int64)
    width = len(subjects) + 1
    counts = np.bincount(units.astype(np.int64) * width + reached, minlength=n_units * width)
    return counts.reshape(n_units, width).astype(np.int64)
