"""Movement 进退步 of the same pupils between two exams, and pupils whose places swing 不稳定.

Source: standards §1.7, §1.8. Rank change is places gained (before − now); percentile and Z do not depend on how many
sat, so they are what units are compared by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
import numpy.typing as npt

from jiaoheng.methods.histogram import IntArray, Mask, ScoreHistogram
from jiaoheng.methods.ranks import pupil_ranks
from jiaoheng.methods.ratios import Ratio
from jiaoheng.methods.standard_scores import percentile_ranks, z_of_scores

FloatArray = npt.NDArray[np.float64]
Pool = Literal["all", "matched"]

TOO_FEW = "样本不足"


def align(now: Sequence[str | None], before: Sequence[str | None]) -> IntArray:
    """For each pupil of this exam the position in the earlier one; −1 where there is none or no id.

    Raises ValueError where an id occurs twice in either exam, because then nobody can say which is meant.
    """
    for name, ids in (("本次", now), ("前次", before)):
        seen: set[str] = set()
        for one in ids:
            if one is not None and one in seen:
                raise ValueError(f"{name}考试中学号 {one} 出现两次，无法对应到前后两次成绩。请先核对")
            if one is not None:
                seen.add(one)
    places = {one: place for place, one in enumerate(before) if one is not None}
    return np.array([-1 if one is None else places.get(one, -1) for one in now], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where each pupil stands in one exam: rank (0: none), percentile rank 0–100 and Z (NaN: none)."""

    rank: npt.NDArray[np.int32]
    percentile: FloatArray
    z: FloatArray


def standing(values: npt.ArrayLike, counted: npt.ArrayLike) -> Standing:
    """Rank (1 2 2 4), percentile rank and Z among the counted pupils; values in steps."""
    scores = np.asarray(values, dtype=np.int64)
    pool = np.asarray(counted, dtype=np.bool_)
    zeros = np.zeros(scores.shape, dtype=np.int64)
    histogram = ScoreHistogram.build(scores, zeros, 1, pool)
    percentile = np.full(scores.shape, np.nan)
    z = np.full(scores.shape, np.nan)
    if pool.any():
        bins = scores[pool] - histogram.low
        percentile[pool] = percentile_ranks(histogram).floats()[bins]
        z[pool] = z_of_scores(histogram)[bins]
    return Standing(pupil_ranks(histogram, scores, zeros, pool), percentile, z)


@dataclass(frozen=True, slots=True)
class Movement:
    """Two standings of the same pupils and their changes; NaN (rank change 0) for pupils who are not in both."""

    now_counted: Mask
    both: Mask
    before: Standing
    now: Standing
    rank_change: IntArray  # places gained
    percentile_change: FloatArray
    z_change: FloatArray


def movement(
    now: npt.ArrayLike,
    now_counted: npt.ArrayLike,
    before: npt.ArrayLike,
    before_counted: npt.ArrayLike,
    pool: Pool = "all",
) -> Movement:
    """Changes between two exams whose pupils stand in the same order.

    now, before: totals in steps (steps may differ); counted: pupils with a valid total in that exam.
    pool: `all`: each exam's standing is among all who sat it; `matched`: only among those who sat both.
    """
    here, there = np.asarray(now_counted, dtype=np.bool_), np.asarray(before_counted, dtype=np.bool_)
    both = here & there
    first = standing(before, both if pool == "matched" else there)
    last = standing(now, both if pool == "matched" else here)
    gained = np.where(both, first.rank.astype(np.int64) - last.rank.astype(np.int64), 0)
    return Movement(
        here,
        both,
        first,
        last,
        gained,
        np.where(both, last.percentile - first.percentile, np.nan),
        np.where(both, last.z - first.z, np.nan),
    )


@dataclass(frozen=True, slots=True)
class UnitMovement:
    """Movement of units: arrays by unit; means and half-widths are NaN where no pupil is matched."""

    pupils: IntArray  # with a total now
    matched: IntArray
    mean_z_change: FloatArray
    half_width: FloatArray  # of the 95 % interval of mean_z_change; NaN below two pupils
    mean_percentile_change: FloatArray
    forward: IntArray  # pupils at least `big` percentile points up
    back: IntArray
    enough: Mask

    @property
    def matched_rate(self) -> Ratio:
        """Matched ÷ pupils with a total now."""
        return Ratio(self.matched, self.pupils)

    def mark(self, unit: int) -> str:
        """`样本不足` where no conclusion may be drawn, else empty."""
        return "" if self.enough[unit] else TOO_FEW


def by_unit(
    moved: Movement, units: npt.ArrayLike, n_units: int, least: int, least_rate: Fraction, big: float = 10.0
) -> UnitMovement:
    """Movement by unit. A unit has enough where matched ≥ least and matched ÷ pupils ≥ least_rate.

    units: each pupil's unit now. The interval is mean ± 1.96·s/√n with s from n − 1 (sampling). Source: standards §1.8.
    """
    unit = np.asarray(units, dtype=np.int64)
    inside = unit[moved.both]
    matched = np.bincount(inside, minlength=n_units).astype(np.int64)
    pupils = np.bincount(unit[moved.now_counted], minlength=n_units).astype(np.int64)
    change, points = moved.z_change[moved.both], moved.percentile_change[moved.both]
    mean_z, mean_points = _means(inside, change, matched), _means(inside, points, matched)
    spread = np.bincount(inside, weights=(change - mean_z[inside]) ** 2, minlength=n_units)
    with np.errstate(divide="ignore", invalid="ignore"):
        half = np.where(matched > 1, 1.96 * np.sqrt(spread / (matched - 1) / matched), np.nan)
    enough = (matched >= least) & (matched > 0)
    enough &= matched * least_rate.denominator >= pupils * least_rate.numerator
    return UnitMovement(
        pupils,
        matched,
        mean_z,
        half,
        mean_points,
        np.bincount(inside[points >= big], minlength=n_units).astype(np.int64),
        np.bincount(inside[points <= -big], minlength=n_units).astype(np.int64),
        enough,
    )


def _means(inside: IntArray, values: FloatArray, n: IntArray) -> FloatArray:
    sums = np.bincount(inside, weights=values, minlength=len(n))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(n > 0, sums / n, np.nan)


def swings(percentiles: npt.ArrayLike, least: int = 2) -> FloatArray:
    """Best less worst percentile of each pupil over exams (or over the subjects of one exam).

    percentiles: (pupils, exams), NaN where the pupil was not in; NaN where fewer than `least` are there.
    """
    points = np.asarray(percentiles, dtype=np.float64)
    here = ~np.isnan(points)
    width = np.where(here, points, -np.inf).max(axis=1, initial=-np.inf)
    width = width - np.where(here, points, np.inf).min(axis=1, initial=np.inf)
    return np.where(here.sum(axis=1) >= max(least, 1), width, np.nan)


def unsteady(percentiles: npt.ArrayLike, points: float, least: int = 2) -> Mask:
    """Pupils whose swing reaches `points` percentile points (within 1e-9)."""
    wide: Mask = np.nan_to_num(swings(percentiles, least), nan=-np.inf) >= points - 1e-9
    return wide
