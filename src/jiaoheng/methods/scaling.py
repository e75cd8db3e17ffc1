"""Scaled scores 赋分: from the raw scores of a pool of pupils to integer scaled scores and levels.

The whole rule is a function of the pool's raw-score histogram, so county and joint pools are sums of school histograms.

Levels (standards §2.1). With cumulative shares P_1 < P_2 < … of a pool of N, walk the raw scores from the best down.
A level first takes every score whose cumulative count stays within N·P. The next score, whose pupils go beyond N·P, is

* `near`: taken when the cumulative count with it is at least as near to N·P as without it (平距就高);
* `up`: always taken 就高, also where N·P is met exactly; a level holds at least its cumulative share while any is left;
* `down`: never taken 就低, so that a level holds at most its cumulative share.

The last level takes all that is left; a level may be empty. Equal raw scores always have the same level.

Scores. Within a level whose raw scores really run from Y1 to Y2 and whose scaled scores run from T1 to T2,
T = T1 + (Y − Y1)(T2 − T1)/(Y2 − Y1), rounded half up to an integer. One raw score only: the middle of T1 and T2 rounded
half up (or T2 where the rule says `high`). All arithmetic is in integers, in the subject's steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from jiaoheng.methods.scaling_rules import ScalingRule, Single, Ties

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class LevelRow:
    """What became of one level: pupils, their share, raw range in steps and scaled range; None where it is empty."""

    name: str
    n: int
    share: Fraction | None  # of the pool; None for an empty pool
    planned: Fraction  # share that the rule plans
    raw_low: int | None
    raw_high: int | None
    scaled_low: int | None
    scaled_high: int | None


@dataclass(frozen=True, slots=True)
class Conversion:
    """The conversion of one pool: scaled score and level of bin b (raw score `low + b` steps), −1 where nobody is."""

    rule: ScalingRule
    ties: Ties
    low: int
    scaled: IntArray
    level: IntArray  # index into rule.levels
    table: tuple[LevelRow, ...]
    n: int

    @property
    def few(self) -> bool:
        """Fewer pupils than the rule wants: the result is indicative only."""
        return self.n < self.rule.small_pool


@dataclass(frozen=True, slots=True)
class ScaledScores:
    """Scaled scores of a list of pupils, in its order.

    `values`: scaled score, `rule.outside` for pupils outside the pool; `levels`: index into the rule's levels, else −1;
    `in_pool`: who took part in the conversion.
    """

    values: npt.NDArray[np.int32]
    levels: npt.NDArray[np.int16]
    in_pool: BoolArray
    conversion: Conversion


def conversion_of(counts: npt.ArrayLike, low: int, rule: ScalingRule, ties: Ties | None = None) -> Conversion:
    """The conversion that a pool's raw-score histogram gives.

    counts[b]: pupils who scored `low + b` steps (one row of a ScoreHistogram). ties: None takes the rule's own.
    Raises ValueError for negative counts.
    """
    pupils = np.asarray(counts, dtype=np.int64)
    if pupils.ndim != 1 or (pupils < 0).any():
        raise ValueError("counts must be one row of non-negative numbers")
    chosen = ties or rule.ties
    bins = np.flatnonzero(pupils)[::-1]  # occurring scores, best first
    ends = _level_ends(np.cumsum(pupils[bins]), rule, chosen)
    scaled = np.full(len(pupils), -1, dtype=np.int64)
    level = np.full(len(pupils), -1, dtype=np.int64)
    n = int(pupils.sum())
    rows: list[LevelRow] = []
    start = 0
    for place, (band, end) in enumerate(zip(rule.levels, ends, strict=True)):
        held = bins[start:end]
        start = end
        if not len(held):
            rows.append(LevelRow(band.name, 0, Fraction(0) if n else None, band.share / 100, None, None, None, None))
            continue
        level[held] = place
        scaled[held] = _linear(held, band.low, band.high, rule.single)
        inside = int(pupils[held].sum())
        top, bottom = int(held[0]), int(held[-1])
        rows.append(
            LevelRow(
                name=band.name,
                n=inside,
                share=Fraction(inside, n),
                planned=band.share / 100,
                raw_low=low + bottom,
                raw_high=low + top,
                scaled_low=int(scaled[bottom]),
                scaled_high=int(scaled[top]),
            )
        )
    return Conversion(rule, chosen, low, scaled, level, tuple(rows), n)


def scale(values: npt.ArrayLike, in_pool: npt.ArrayLike, rule: ScalingRule, ties: Ties | None = None) -> ScaledScores:
    """Scaled scores of pupils whose raw scores are integers in the subject's steps.

    in_pool: True for pupils who took the subject and have a valid score, valid zeros included; absent, cheated and
    not-choosing pupils are False, are not counted and get `rule.outside`.
    """
    raw = np.asarray(values, dtype=np.int64)
    pool = np.asarray(in_pool, dtype=np.bool_)
    if raw.shape != pool.shape:
        raise ValueError("values and in_pool must have the same length")
    low = int(raw[pool].min()) if pool.any() else 0
    counts = np.bincount(raw[pool] - low) if pool.any() else np.zeros(1, dtype=np.int64)
    return apply_conversion(conversion_of(counts, low, rule, ties), raw, pool)


def apply_conversion(conversion: Conversion, values: npt.ArrayLike, in_pool: npt.ArrayLike) -> ScaledScores:
    """Scaled scores of pupils by the conversion of a pool that holds them (a school's pupils by the county's pool).

    Raises ValueError where a raw score does not occur in the pool, because then the pool was not theirs.
    """
    raw = np.asarray(values, dtype=np.int64)
    pool = np.asarray(in_pool, dtype=np.bool_)
    scaled = np.full(raw.shape, conversion.rule.outside, dtype=np.int32)
    levels = np.full(raw.shape, -1, dtype=np.int16)
    bins = raw[pool] - conversion.low
    if len(bins) and (bins.min() < 0 or bins.max() >= len(conversion.scaled) or (conversion.level[bins] < 0).any()):
        raise ValueError("a raw score does not occur in the pool of this conversion")
    scaled[pool] = conversion.scaled[bins]
    levels[pool] = conversion.level[bins]
    return ScaledScores(scaled, levels, pool, conversion)


def _level_ends(cumulative: IntArray, rule: ScalingRule, ties: Ties) -> list[int]:
    """How many of the occurring scores (best first) belong to each level or a better one."""
    total = int(cumulative[-1]) if len(cumulative) else 0
    ends: list[int] = []
    end = 0
    share = Fraction(0)
    for band in rule.levels[:-1]:
        share += band.share
        target = total * share / 100
        # scores up to here stay within the target; a better level may already have gone beyond it
        end = max(end, int(np.searchsorted(cumulative, int(target), side="right")))
        if end < len(cumulative) and _takes_next(cumulative, end, target, ties):
            end += 1
        ends.append(end)
    return [*ends, len(cumulative)]


def _takes_next(cumulative: IntArray, end: int, target: Fraction, ties: Ties) -> bool:
    if ties == "near":
        without = int(cumulative[end - 1]) if end else 0
        return int(cumulative[end]) - target <= target - without
    return ties == "up"


def _linear(held: IntArray, low: int, high: int, single: Single) -> IntArray:
    """Scaled scores of a level's raw scores (best first), half up in integers."""
    width = int(held[0] - held[-1])
    if width == 0:
        return np.array([high if single == "high" else (low + high + 1) // 2], dtype=np.int64)
    return np.asarray(low + (2 * (held - held[-1]) * (high - low) + width) // (2 * width), dtype=np.int64)
