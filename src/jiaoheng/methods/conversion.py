"""Conversion 转化率 of a locked list between two exams, beside what regression to the mean alone would give.

A pupil at the very bottom of one exam is on average less far down in the next, without anybody's doing. With normal
scores z and w of the two exams and their correlation r, w given z is normal with mean r·z and variance 1 − r²; so a
pupil leaves the bottom (w > c) with probability 1 − Φ((c − r·z)/√(1 − r²)). The expected conversion of a unit is the
sum over its own listed pupils, so a school whose listed pupils lie deeper is expected to convert fewer.
Source: standards §1.7 (conversion and its denominator); the bivariate normal model for the expectation.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from jiaoheng.methods.histogram import IntArray, Mask
from jiaoheng.methods.movement import TOO_FEW, FloatArray, Movement
from jiaoheng.methods.pupil_lists import End
from jiaoheng.methods.ratios import Ratio

Denominator = Literal["locked", "present"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a locked list, by unit: struggling pupils succeed by leaving the group, top pupils by staying."""

    locked: IntArray
    left: IntArray  # transferred out, suspended, died: out of the denominator
    absent: IntArray  # still here but without a score at the end
    success: IntArray
    denominator: IntArray
    new: IntArray  # in the group at the end and not on the list: listed apart, never in the rate
    expected: FloatArray  # expected successes by regression to the mean; NaN where it cannot be known
    expected_sd: FloatArray

    @property
    def rate(self) -> Ratio:
        """Success ÷ denominator; no data where nobody is left on the list."""
        return Ratio(self.success, self.denominator)

    @property
    def expected_rate(self) -> FloatArray:
        """Expected successes ÷ denominator; NaN where there is none."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.denominator > 0, self.expected / self.denominator, np.nan)

    def excess(self, unit: int) -> tuple[float, float, float] | None:
        """Rate less expected rate with its 95 % interval (shares); None where there is no expectation.

        The interval is that of a count with each pupil's own chance: what luck alone does around the expectation.
        """
        base = int(self.denominator[unit])
        if base == 0 or np.isnan(self.expected[unit]):
            return None
        beyond = (float(self.success[unit]) - float(self.expected[unit])) / base
        half = (1.96 * float(self.expected_sd[unit]) + 0.5) / base
        return beyond, beyond - half, beyond + half

    def verdict(self, unit: int, least: int) -> str:
        """`高于预期`, `与预期相当`, `低于预期` (95 %), or `样本不足` with fewer than `least` in the denominator."""
        if int(self.denominator[unit]) < max(least, 1) or np.isnan(self.expected[unit]):
            return TOO_FEW
        # half a pupil of slack: the count is whole, the expectation is not
        beyond = float(self.success[unit]) - float(self.expected[unit])
        width = 1.96 * float(self.expected_sd[unit]) + 0.5
        return "高于预期" if beyond > width else "低于预期" if beyond < -width else "与预期相当"


def outcome(
    moved: Movement,
    locked: npt.ArrayLike,
    in_group_now: npt.ArrayLike,
    end: End,
    units: npt.ArrayLike,
    n_units: int,
    left: npt.ArrayLike | None = None,
    denominator: Denominator = "locked",
    improved: float | None = None,
    correlation: float | None = None,
) -> Outcome:
    """What became of the locked list of the earlier exam.

    moved: both exams' standings; locked: on the list; in_group_now: in the same group by this exam's own cut;
    end: `lowest` (struggling: success is to be out) or `highest` (top: success is to be in); units: each pupil's unit;
    left: pupils who left (None: nobody). denominator: `locked`: list − left, so an absent pupil is not converted;
    `present`: list with a score now. improved: percentile points that count as success too (struggling; None: no);
    then there is no expectation. correlation: of the two exams where it is known from elsewhere (a retest); None: theirs.
    """
    unit = np.asarray(units, dtype=np.int64)
    listed, inside = np.asarray(locked, dtype=np.bool_), np.asarray(in_group_now, dtype=np.bool_)
    gone = np.zeros(listed.shape, dtype=np.bool_) if left is None else np.asarray(left, dtype=np.bool_)
    here = moved.now_counted
    kept = listed & ~gone
    done = kept & here & (inside if end == "highest" else ~inside)
    if improved is not None and end == "lowest":
        done |= kept & here & (np.nan_to_num(moved.percentile_change, nan=-np.inf) >= improved - 1e-9)
    base = kept if denominator == "locked" else kept & here
    chance = expected_success(moved, inside, end, correlation)
    if improved is not None:
        chance[:] = np.nan  # the model tells who leaves the group, not who improves within it

    def count(mask: Mask) -> IntArray:
        return np.bincount(unit[mask], minlength=n_units).astype(np.int64)

    # who has no score now cannot succeed, and no chance is given to them
    mine = kept & here
    expected = np.bincount(unit[mine], weights=chance[mine], minlength=n_units).astype(np.float64)
    variance = np.bincount(unit[mine], weights=chance[mine] * (1 - chance[mine]), minlength=n_units)
    return Outcome(
        locked=count(listed),
        left=count(listed & gone),
        absent=count(kept & ~here),
        success=count(done),
        denominator=count(base),
        new=count(inside & here & ~listed),
        expected=expected,
        expected_sd=np.sqrt(variance),
    )


def normal_correlation(moved: Movement) -> float | None:
    """Correlation of the normal scores of both exams over the matched pupils; None below three or without spread."""
    first, last = (_normal(one.percentile[moved.both]) for one in (moved.before, moved.now))
    if len(first) < 3 or first.std() == 0 or last.std() == 0:
        return None
    return float(np.clip(np.corrcoef(first, last)[0, 1], -1, 1))


def expected_success(
    moved: Movement, in_group_now: npt.ArrayLike, end: End, correlation: float | None = None
) -> FloatArray:
    """Each pupil's chance to succeed by regression to the mean alone; NaN for pupils without both scores.

    The cut c is the normal quantile of the group's real share of this exam's pupils, ties included.
    """
    chance = np.full(moved.both.shape, np.nan)
    r = normal_correlation(moved) if correlation is None else correlation
    inside = np.asarray(in_group_now, dtype=np.bool_) & moved.now_counted
    n, in_group = int(moved.now_counted.sum()), int(inside.sum())
    if r is None or not 0 < in_group < n:
        return chance
    share = Fraction(in_group, n) if end == "lowest" else 1 - Fraction(in_group, n)
    # a correlation of ±1 leaves no spread; a tiny one keeps the limit and avoids 0 ÷ 0
    spread = np.sqrt(max(1 - r * r, 1e-12))
    z = _normal(moved.before.percentile[moved.both])
    chance[moved.both] = 1 - ndtr((ndtri(float(share)) - r * z) / spread)
    return chance


def _normal(percentile: FloatArray) -> FloatArray:
    """Normal scores of percentile ranks; the mid definition keeps them off 0 and 100."""
    scores: FloatArray = ndtri(percentile / 100)
    return scores
