"""All score statistics of the units of one level in one paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from jiaoheng.exams.analysis.papers import Paper
from jiaoheng.exams.units import Level, Units
from jiaoheng.methods.comparison import over_mean
from jiaoheng.methods.histogram import IntArray, ScoreHistogram
from jiaoheng.methods.intervals import MIN_RANKED, Interval, Spread, mean_intervals, spread
from jiaoheng.methods.moments import extremes, medians, sds, variances
from jiaoheng.methods.ranks import competition_ranks
from jiaoheng.methods.rates import Cuts, ScoreRates, score_rates
from jiaoheng.methods.standard_scores import Standard, reference
from jiaoheng.methods.verdicts import RankInterval, Verdict, mean_verdicts, rank_intervals

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
    def rates(self) -> ScoreRates:
        """Mean, score rate and the four rates."""
        return score_rates(self.histogram, self.paper.full, self.cuts, self.paper.base_at(self.level, self.units))

    @cached_property
    def means(self) -> Values:
        """Mean in marks, exact."""
        return self.rates.mean.fractions()

    @cached_property
    def variances(self) -> Values:
        """Population variance, exact."""
        return variances(self.histogram)

    @cached_property
    def sds(self) -> Sequence[float | None]:
        """Population standard deviation as the nearest float."""
        return sds(self.histogram)

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
        """Means with their sampling variance."""
        return spread(self.histogram)

    @cached_property
    def intervals(self) -> Sequence[Interval | None]:
        """95 % interval of every mean; none where a base other than the number counted is the denominator."""
        if self.paper.base_at(self.level, self.units) is not None:
            return [None] * len(self.level)
        return mean_intervals(self.spread)

    @cached_property
    def verdicts(self) -> Sequence[Verdict]:
        """Above, as expected, below: against all other units together."""
        return mean_verdicts(self.histogram)

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
        county = score_rates(
            self.county, self.paper.full, self.cuts, self.paper.base_at(self.units.county, self.units)
        ).mean.fraction(0)
        references = of if of is not None else [county] * len(self.level)
        return tuple(over_mean(mean, one) for mean, one in zip(self.means, references, strict=True))

    @cached_property
    def standards(self) -> Sequence[Standard | None]:
        """Where the unit's mean stands in the county's distribution of pupils (T = 50 + 10 Z)."""
        whole = reference(self.histogram)
        return [None if whole is None or mean is None else whole.standard(mean) for mean in self.means]

    def order(self) -> list[int]:
        """Units from the highest mean down; those without data or too small to rank last, in natural order."""
        means = self.means
        ranked = [u for u in range(len(self.level)) if means[u] is not None and self.rankable[u]]
        ranked.sort(key=lambda u: (-(means[u] or 0), u))
        rest = [u for u in range(len(self.level)) if u not in set(ranked) and int(self.enrolled[u]) > 0]
        return ranked + rest


def present(level: Level, scores: UnitScores) -> list[int]:
    """Units that have anybody enrolled in this paper, in natural order."""
    return [int(u) for u in np.flatnonzero(scores.enrolled > 0)]
