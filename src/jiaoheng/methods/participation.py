"""Who counts in N and with which score: the denominator bases B1–B5 and the participation rate.

Source: standards §1.1. A base is chosen once per exam and frozen with its results.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from jiaoheng.methods.histogram import AnyInt, IntArray, Mask
from jiaoheng.methods.ratios import Ratio
from jiaoheng.methods.states import ScoreState

REMIND_BELOW = Fraction(95, 100)  # standards §1.1: a participation rate below 95 % is shown with B1 beside B2
NOBODY_EXPECTED = (ScoreState.EXEMPT, ScoreState.NOT_CHOSEN, ScoreState.LEFT, ScoreState.DEFERRED)


class Treatment(StrEnum):
    """What a pupil's state does: score counts, counts as zero marks, or is left out."""

    SCORE = "score"
    ZERO = "zero"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class CountingRule:
    """What each state does under a base. States not named are left out.

    UNRESOLVED and INVALID never count: they are questions and errors that the report names.
    """

    treatments: Mapping[ScoreState, Treatment] = field(
        default_factory=lambda: MappingProxyType({ScoreState.SCORED: Treatment.SCORE})
    )

    def treatment(self, state: ScoreState) -> Treatment:
        """What this state does."""
        return self.treatments.get(state, Treatment.OUT)


@dataclass(frozen=True, slots=True)
class Counted:
    """Scores with the base applied: `values` in steps (0 where a state counts as zero), who counts, who was zeroed."""

    values: npt.NDArray[np.int32]
    mask: Mask
    zeroed: Mask


def counting_rule(
    base: str, *, absent_zero: bool | None = None, cheated_zero: bool, blank_absent: bool
) -> CountingRule:
    """The rule of a base.

    B1 (also the numerators of B3, B4, B5): those who sat, the cheated with 0 where `cheated_zero`.
    B2: all who should have sat, absent pupils with 0 marks. `absent_zero` overrides what the base says of the absent;
    `blank_absent`: an empty cell counts as absent. Exempt, not chosen, deferred and left pupils never count.
    """
    if base not in ("B1", "B2", "B3", "B4", "B5"):
        raise ValueError(f"口径“{base}”不存在，可用 B1、B2、B3、B4、B5")
    zero_absent = base == "B2" if absent_zero is None else absent_zero
    rules = {ScoreState.SCORED: Treatment.SCORE}
    if cheated_zero:
        rules[ScoreState.CHEATED] = Treatment.ZERO
    if zero_absent:
        rules[ScoreState.ABSENT] = Treatment.ZERO
        if blank_absent:
            rules[ScoreState.MISSING] = Treatment.ZERO
    return CountingRule(MappingProxyType(rules))


def apply_rule(values: AnyInt, states: npt.NDArray[np.uint8], rule: CountingRule) -> Counted:
    """Scores and who counts, from scores in steps and their states."""
    if values.shape != states.shape:
        raise ValueError(f"{values.size} scores but {states.size} states")
    lookup = np.zeros(256, np.uint8)  # 0 out, 1 score, 2 zero
    for state in ScoreState:
        treatment = rule.treatment(state)
        lookup[state] = 1 if treatment is Treatment.SCORE else (2 if treatment is Treatment.ZERO else 0)
    kind = lookup[states]
    return Counted(np.where(kind == 1, values, 0).astype(np.int32), kind > 0, kind == 2)


def enrolled(states: npt.NDArray[np.uint8], units: AnyInt, n_units: int) -> IntArray:
    """应考人数 per unit: everybody but the exempt, not chosen, deferred and left."""
    expected = ~np.isin(states, NOBODY_EXPECTED)
    return np.bincount(units[expected], minlength=n_units).astype(np.int64)


def participation(states: npt.NDArray[np.uint8], units: AnyInt, n_units: int) -> Ratio:
    """参考率 = those who sat ÷ those who should have sat, per unit; cheated pupils sat. 0/0 is no data."""
    sat = np.isin(states, (ScoreState.SCORED, ScoreState.CHEATED))
    num = np.bincount(units[sat], minlength=n_units).astype(np.int64)
    return Ratio(num, enrolled(states, units, n_units))


def reminders(rate: Ratio, below: Fraction = REMIND_BELOW) -> tuple[int, ...]:
    """Units whose participation rate is below 95 %: show B1 and B2 side by side, absence must not flatter."""
    return tuple(unit for unit, value in enumerate(rate.fractions()) if value is not None and value < below)


def discounted_base(enrolment: IntArray, discount: Fraction = Fraction(3, 100)) -> Ratio:
    """B3: enrolment × (1 − 3 %), exact and not rounded; the numerator stays the sum over those who sat."""
    if not 0 <= discount < 1:
        raise ValueError(f"折扣应在 0 到 1 之间（3% 写 0.03），现为 {float(discount):g}")
    return Ratio(enrolment.astype(np.int64), np.ones(enrolment.size, np.int64), 1 - discount)


def cohort_base(pupils: Sequence[int | None]) -> Ratio:
    """B4: pupils of the starting grade + transferred in − out, per unit; None or 0 gives no data."""
    if any(count is not None and count < 0 for count in pupils):
        raise ValueError("起始年级人数＋转入−转出 不能小于 0，请核对各校的人数")
    counts = np.array([count or 0 for count in pupils], np.int64)
    return Ratio(counts, np.ones(counts.size, np.int64))


@dataclass(frozen=True, slots=True)
class Kept:
    """B5: who is kept, and per unit how many of N were kept and how many tie at the cut."""

    mask: Mask
    kept: IntArray
    ties_at_cut: IntArray  # pupils with the total of the last kept one of whom only some are kept; 0 where none is cut


def keep_top(
    totals: AnyInt,
    counted: Mask,
    units: AnyInt,
    n_units: int,
    keep: Fraction = Fraction(9, 10),
    tie_breakers: Sequence[AnyInt] = (),
) -> Kept:
    """B5 截尾参评: in each unit the floor(N × keep) highest by total (standards §1.1).

    Exactly floor(N × keep) are kept. Equal totals are ordered by `tie_breakers` (scores, higher first), then by row
    order; give every subject as tie breaker and the sums do not depend on row order. N are the counted pupils.
    """
    if not 0 < keep <= 1:
        raise ValueError(f"截尾保留比例应大于 0、不超过 1（90% 写 0.9），现为 {float(keep):g}")
    rows = np.flatnonzero(counted)
    keys = [-np.asarray(key, np.int64)[rows] for key in (*reversed(tie_breakers), totals)]
    order = rows[np.lexsort((*keys, units[rows]))]
    sizes = np.bincount(units[rows], minlength=n_units).astype(np.int64)
    starts = sizes.cumsum() - sizes
    kept = sizes * keep.numerator // keep.denominator
    position = np.arange(order.size) - np.repeat(starts, sizes)
    mask = np.zeros(counted.size, np.bool_)
    mask[order[position < np.repeat(kept, sizes)]] = True
    ties = np.zeros(n_units, np.int64)
    for unit in np.flatnonzero((kept > 0) & (kept < sizes)):
        group = totals[order[starts[unit] : starts[unit] + sizes[unit]]]
        last = group[kept[unit] - 1]
        if group[kept[unit]] == last:
            ties[unit] = int((group == last).sum())
    return Kept(mask, kept, ties)
