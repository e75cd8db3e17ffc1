"""Sorting checks: do effects go with what the unit was given — its intake, its size, its boarders?

The characteristic joins the model as a column of the units. If its coefficient is not 0, part of what looks like effect
goes with it: the model has not made the units comparable, or the characteristic truly matters; data of one year cannot
tell which. Source: Raudenbush & Willms (1995), JEBS 20 (type A and B effects); Castellano, Rabe-Hesketh & Skrondal (2014).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jiaoheng.methods.effects_errors import EffectsDataError
from jiaoheng.methods.effects_model import FloatArray
from jiaoheng.methods.mixed.group_sums import GroupSums, with_constant
from jiaoheng.methods.mixed.nested import NestedFit, fit_nested

PROBE = "\u241f"  # name of the probing column inside the model


@dataclass(frozen=True, slots=True)
class SortingCheck:
    """By how much (outcome's unit) effects differ per standard deviation of the characteristic among units."""

    name: str
    slope: float
    se: float
    low: float
    high: float
    p: float
    df: float | None
    explained: float  # share of the variance between the units that goes with it

    @property
    def found(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low > 0 or self.high < 0


def sorting_check(sums: GroupSums, nested: NestedFit, level: str, name: str, values: FloatArray) -> SortingCheck | None:
    """Check a characteristic (cells,) that is constant within the units of `level`; None where it does not vary.

    nested: the fit without it.
    """
    mean, spread = float(np.average(values, weights=sums.n)), float(np.std(np.unique(values)))
    if spread <= 1e-9 * max(abs(mean), 1.0):
        return None
    unit_values = _by_unit(nested, level, values)
    spread = float(unit_values.std())
    if spread == 0:
        return None
    try:
        probed = fit_nested(with_constant(sums, PROBE, (values - mean) / spread), reml=nested.reml)
    except EffectsDataError:
        return None
    effect = next((one for one in probed.fit.fixed if one.name == PROBE), None)
    if effect is None:
        return None  # it is a sum of columns that the model has already
    half = _quantile(effect.df) * effect.se
    before = next(v.value for v in nested.fit.components if v.level == level and not v.other)
    after = next((v.value for v in probed.fit.components if v.level == level and not v.other), before)
    explained = 1 - after / before if before > 0 else 0.0
    return SortingCheck(
        name, effect.estimate, effect.se, effect.estimate - half, effect.estimate + half, effect.p, effect.df, explained
    )


def _by_unit(nested: NestedFit, level: str, values: FloatArray) -> FloatArray:
    own = next(one for one in nested.design.levels if one.name == level)
    return values[own.first_cell]


def _quantile(df: float | None) -> float:
    from scipy.special import ndtri, stdtrit

    return float(ndtri(0.975) if df is None else stdtrit(df, 0.975))
