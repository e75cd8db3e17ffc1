"""Who is really different: verdicts against the rest of the county, and intervals of ranks.

A unit is compared with all *other* units together: compared with a county mean that contains itself, a large unit
could hardly ever differ. A verdict is given only where the interval of the difference excludes 0.

Rank intervals need no simulation and are the same on every run: a unit's rank lies between 1 + the number of units
significantly above it and m − the number significantly below it, its m − 1 two-sided comparisons held together by
Holm's step-down rule. Source: Mogstad, Romano, Shaikh & Wilhelm (2024), "Inference for Ranks", Review of Economic
Studies 91 (marginal confidence sets); Holm (1979), Scandinavian Journal of Statistics 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.special import stdtr, stdtrit

from jiaoheng.methods.histogram import IntArray, Mask, ScoreHistogram
from jiaoheng.methods.intervals import LEVEL, MIN_RANKED, ClusterSums, Interval, Spread, spread, wilson
from jiaoheng.methods.ratios import FloatArray, Ratio


class Standing(StrEnum):
    """Where a unit stands against the rest."""

    ABOVE = "高于"
    AS_EXPECTED = "相当"
    BELOW = "低于"
    NOT_JUDGED = "人数少，不作判断"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A unit's difference from the rest with its interval (both in the estimate's unit), and what it says."""

    standing: Standing
    difference: float | None
    interval: Interval | None


def shared_level(units: int, level: float = LEVEL) -> float:
    """The level for each of `units` verdicts so that all together hold with probability ≥ `level` (Bonferroni).

    At 95 % each, about one of twenty schools that differ in nothing is still named; 60 schools share 99.92 %.
    """
    return 1 - (1 - level) / max(units, 1)


def _judge(difference: float, low: float, high: float) -> Verdict:
    if np.isnan(low) or np.isnan(high):
        return Verdict(Standing.NOT_JUDGED, None if np.isnan(difference) else difference, None)
    standing = Standing.ABOVE if low > 0 else (Standing.BELOW if high < 0 else Standing.AS_EXPECTED)
    return Verdict(standing, difference, Interval(low, high))


def _welch(left: Spread, right: Spread) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Difference, its standard error and Welch–Satterthwaite degrees of freedom, unit by unit."""
    both = left.variance + right.variance
    with np.errstate(divide="ignore", invalid="ignore"):
        df = both**2 / (left.variance**2 / left.df + right.variance**2 / right.df)
    # no spread on either side: the difference is what it is, any number of degrees of freedom says the same
    df = np.where(both == 0, np.maximum(left.df, right.df), df)
    return left.mean - right.mean, np.sqrt(both), df


def verdicts_of(units: Spread, rest: Spread, level: float = LEVEL, least: int = MIN_RANKED) -> tuple[Verdict, ...]:
    """Verdict of every unit from its own spread and that of all others (Welch's t).

    Units with fewer than `least` pupils, and a county of one unit, are not judged.
    """
    difference, error, df = _welch(units, rest)
    half = stdtrit(df, (1 + level) / 2) * error
    small = (units.n < least) | (rest.n < least)
    nan = np.where(small, np.nan, 1.0)
    rows = zip(difference, (difference - half) * nan, (difference + half) * nan, strict=True)
    return tuple(_judge(float(d), float(low), float(high)) for d, low, high in rows)


def mean_verdicts(histogram: ScoreHistogram, level: float = LEVEL, least: int = MIN_RANKED) -> tuple[Verdict, ...]:
    """Verdicts on means with pupils as the sampled thing; all units of the histogram are the county."""
    return verdicts_of(spread(histogram), spread(histogram.rest()), level, least)


def clustered_verdicts(sums: ClusterSums, level: float = LEVEL, least: int = MIN_RANKED) -> tuple[Verdict, ...]:
    """Verdicts on means with classes as the sampled thing: wider, and fair where classes differ much in a school."""
    return verdicts_of(sums.spread(), (sums.whole() - sums).spread(), level, least)


def rate_verdicts(rate: Ratio, level: float = LEVEL, least: int = MIN_RANKED) -> tuple[Verdict, ...]:
    """Verdicts on a rate: Newcombe's interval of the difference of two shares (Newcombe 1998, method 10)."""
    if rate.scale != 1:
        raise ValueError("only a plain rate of counted pupils can be judged")
    total_num, total_den = int(rate.num.sum()), int(rate.den.sum())
    found: list[Verdict] = []
    for num, den in zip(rate.num.tolist(), rate.den.tolist(), strict=True):
        rest_num, rest_den = total_num - num, total_den - den
        own, other = wilson(num, den, level), wilson(rest_num, rest_den, level)
        if own is None or other is None:
            found.append(Verdict(Standing.NOT_JUDGED, None, None))
            continue
        p, q = num / den, rest_num / rest_den
        down = ((p - own.low) ** 2 + (other.high - q) ** 2) ** 0.5
        up = ((own.high - p) ** 2 + (q - other.low) ** 2) ** 0.5
        if den < least or rest_den < least:
            found.append(Verdict(Standing.NOT_JUDGED, p - q, None))
        else:
            found.append(_judge(p - q, p - q - down, p - q + up))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class RankInterval:
    """The ranks a unit may have among the `of` units that are ranked."""

    best: int
    worst: int
    of: int


def _holm(p_values: FloatArray, alpha: float) -> Mask:
    """Holm's step-down rule: which hypotheses are rejected."""
    order = np.argsort(p_values, kind="stable")
    limits = alpha / np.arange(p_values.size, 0, -1)
    failed = np.flatnonzero(p_values[order] > limits)
    rejected = np.zeros(p_values.size, np.bool_)
    rejected[order[: failed[0] if failed.size else p_values.size]] = True
    return rejected


def _pairwise_p(units: Spread, one: int, others: IntArray) -> FloatArray:
    """Two-sided p of one unit's mean against each of the others."""
    left = Spread(*(getattr(units, name)[[one]] for name in ("n", "mean", "variance", "df")))
    right = Spread(*(getattr(units, name)[others] for name in ("n", "mean", "variance", "df")))
    difference, error, df = _welch(left, right)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(error > 0, np.abs(difference) / error, np.where(difference == 0, 0.0, np.inf))
    p: FloatArray = 2 * stdtr(df, -t)
    return np.asarray(np.where(np.isinf(t), 0.0, p), np.float64)


def rank_intervals(units: Spread, level: float = LEVEL, least: int = MIN_RANKED) -> tuple[RankInterval | None, ...]:
    """The interval of each unit's rank by mean (1 is best); None for units too small to be ranked.

    Each interval holds its unit's true rank with probability ≥ `level`; small units take no part.
    """
    ranked = np.flatnonzero((units.n >= least) & ~np.isnan(units.variance))
    intervals: list[RankInterval | None] = [None] * int(units.n.size)
    for unit in ranked.tolist():
        others = ranked[ranked != unit]
        rejected = _holm(_pairwise_p(units, unit, others), 1 - level)
        above = int((rejected & (units.mean[others] > units.mean[unit])).sum())
        below = int((rejected & (units.mean[others] < units.mean[unit])).sum())
        intervals[unit] = RankInterval(1 + above, int(ranked.size) - below, int(ranked.size))
    return tuple(intervals)
