"""All score statistics of the units of one level in one paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

import numpy as np

from jiaoheng.exams.analysis.papers import Base, Paper
from jiaoheng.exams.analysis.roots import root
from jiaoheng.exams.units import Level, Units
from jiaoheng.methods.comparison import over_mean
from jiaoheng.methods.histogram import IntArray, ScoreHistogram
from jiaoheng.methods.intervals import MIN_RANKED, Interval, Spread, mean_intervals, spread
from jiaoheng.methods.moments import extremes, medians, variances
from jiaoheng.methods.ranks import competition_ranks
from jiaoheng.methods.rates import Cuts, ScoreRates, score_rates
from jiaoheng.methods.ratios import Ratio
from jiaoheng.methods.verdicts import RankInterval, Verdict, rank_intervals, verdicts_of

Values = Sequence[Fraction | None]


@dataclass(frozen=True)
class UnitScores:
    """Statistics of every unit of `level` in one paper; sequences run over the units.

    Only what is asked for is computed: classes need no pairwise rank intervals.
    """

    paper: Paper
    level: Level
    units: Units
    cuts: Cuts

    @cached_property
    def histogram(self) -> ScoreHistogram:
        """Counts by unit and score."""
        return self.paper.at(self.level, self.units)

    @cached_property
    def county(self) -> ScoreHistogram:
        """All pupils together."""
        return self.histogram.whole()

    @cached_property
    def n(self) -> IntArray:
        """Pupils counted (the N of means and rates unless a base replaces it)."""
        return self.histogram.n

    @cached_property
    def enrolled(self) -> IntArray:
        """应考人数."""
        return self.paper.counts_at(self.level, self.units)[0]

    @cached_property
    def sat(self) -> IntArray:
        """参考人数."""
        return self.paper.counts_at(self.level, self.units)[1]

    @cached_property
    def base(self) -> Ratio | None:
        """The denominator of means and rates where it is not the number counted (B3, B4)."""
        return self.paper.base_at(self.level, self.units)

    @cached_property
    def rates(self) -> ScoreRates:
        """Mean, score rate and the four rates."""
        return score_rates(self.histogram, self.paper.full, self.cuts, self.base)

    @cached_property
    def means(self) -> Values:
        """Mean in marks, exact."""
        return self.rates.mean.fractions()

    @cached_property
    def variances(self) -> Values:
        """Population variance, exact."""
        return variances(self.histogram)

    @cached_property
    def sds(self) -> Sequence[Fraction | float | None]:
        """Population standard deviation: exact where it is a fraction, else the nearest float."""
        return [None if variance is None else root(variance) for variance in self.variances]

    @cached_property
    def medians(self) -> Values:
        """Median in marks."""
        return medians(self.histogram)

    @cached_property
    def extremes(self) -> Sequence[tuple[Fraction, Fraction] | None]:
        """(lowest, highest) score."""
        return extremes(self.histogram)

    @cached_property
    def spread(self) -> Spread:
        """The printed means with their sampling variance.

        Under B3 and B4 a mean is Σx ÷ base; who sat and the base are taken as given, so mean and standard error of
        those counted are both multiplied by n ÷ base.
        """
        return over_base(spread(self.histogram), self.base)

    @cached_property
    def intervals(self) -> Sequence[Interval | None]:
        """95 % interval of every printed mean."""
        return mean_intervals(self.spread)

    @cached_property
    def verdicts(self) -> Sequence[Verdict]:
        """Above, as expected, below: the printed mean against that of all other units together."""
        rest = None
        if self.base is not None:
            rest = Ratio(self.base.num.sum() - self.base.num, self.base.den, self.base.scale)
        return verdicts_of(self.spread, over_base(spread(self.histogram.rest()), rest))

    @cached_property
    def rankable(self) -> tuple[bool, ...]:
        """Whether a unit has enough pupils to be ranked."""
        return tuple(bool(n >= MIN_RANKED) for n in self.n)

    @cached_property
    def ranks(self) -> Sequence[int | None]:
        """Competition rank of the mean among the units that can be ranked."""
        return competition_ranks([mean if ok else None for mean, ok in zip(self.means, self.rankable, strict=True)])

    @cached_property
    def rank_intervals(self) -> Sequence[RankInterval | None]:
        """Ranks that a unit may have when chance is allowed for."""
        return rank_intervals(self.spread)

    def over(self, of: Sequence[Fraction | None] | None = None) -> Values:
        """超均率 against the county's mean, or against `of` (one reference a unit)."""
        references = of if of is not None else [self.county_mean] * len(self.level)
        return tuple(over_mean(mean, one) for mean, one in zip(self.means, references, strict=True))

    @cached_property
    def whole(self) -> UnitScores:
        """The county with the denominator of this level: a class without a cohort (B4) has a county without one."""
        return self.like(self.units.county)

    def like(self, level: Level) -> UnitScores:
        """The units of another level with the denominator of this one."""
        paper = self.paper if self.base is not None else replace(self.paper, base=Base())
        return UnitScores(paper, level, self.units, self.cuts)

    @cached_property
    def county_mean(self) -> Fraction | None:
        """The mean that units of this level are compared with."""
        return self.whole.means[0]

    @cached_property
    def t_scores(self) -> Sequence[Fraction | float | None]:
        """T = 50 + 10 × (mean − county mean) ÷ county SD; 50 where nobody differs. Exact where the SD is a fraction."""
        county, variance = self.county_mean, variances(self.county)[0]
        if county is None or variance is None:
            return [None] * len(self.level)
        sd = root(variance)
        return [None if mean is None else _t(mean - county, sd) for mean in self.means]

    def order(self) -> list[int]:
        """Units from the highest mean down; those without data or too small to rank last, in natural order."""
        means = self.means
        ranked = [u for u in range(len(self.level)) if means[u] is not None and self.rankable[u]]
        ranked.sort(key=lambda u: (-(means[u] or 0), u))
        rest = [u for u in range(len(self.level)) if u not in set(ranked) and int(self.enrolled[u]) > 0]
        return ranked + rest


def over_base(units: Spread, base: Ratio | None) -> Spread:
    """The spread of Σx ÷ base from the spread of Σx ÷ n, both numbers taken as given."""
    if base is None:
        return units
    values = base.floats()
    factor = units.n / np.where(values > 0, values, np.nan)
    return Spread(units.n, units.mean * factor, units.variance * factor**2, units.df)


def _t(distance: Fraction, sd: Fraction | float) -> Fraction | float:
    if not sd:
        return Fraction(50)
    return 50 + 10 * distance / sd if isinstance(sd, Fraction) else 50 + 10 * float(distance) / sd
