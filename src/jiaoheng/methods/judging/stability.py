"""Several years at once: what of a unit's effect lasts, and what comes and goes with the year.

One model with the levels unit and unit × year (and a mean of its own for every year): the variance of what lasts τ², of
what changes ω². The correlation of a unit's true effects in two years is τ²/(τ² + ω²), without the noise of few pupils that
correlations of yearly estimates carry. The unit's effect of this model is the multi-year one.
Source: Leckie & Goldstein (2009), JRSS A 172, 835–851 (stability of school effects); McCaffrey et al. (2009).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jiaoheng.methods.effects_model import Effects
from jiaoheng.methods.mixed.group_sums import GroupSums, with_constant
from jiaoheng.methods.mixed.nested import NestedFit, fit_nested
from jiaoheng.methods.mixed.totals import total_effects


@dataclass(frozen=True, slots=True)
class Stability:
    """What the model of several years says. `share`: correlation of true effects between years; None: not to be told."""

    years: tuple[str, ...]
    lasting: float  # variance
    yearly: float
    share: float | None
    pooled: Effects  # of the units, over all years
    by_year: Effects  # of each unit in each year
    nested: NestedFit


def year_means(sums: GroupSums, year: str) -> tuple[GroupSums, tuple[str, ...]]:
    """The sums with a column of 0 and 1 for every year but the first; `year` is one of the levels."""
    keys = [str(key) for key in sums.keys[sums.levels.index(year)]]
    years = tuple(sorted(set(keys)))
    for one in years[1:]:
        values = np.array([float(key == one) for key in keys])
        sums = with_constant(sums, f"{year}={one}", values)
    return sums, years


def stability(sums: GroupSums, year: str, *, reml: bool = True, least: float = 0) -> Stability:
    """The model of several years from sums with the levels unit and year (outermost first).

    Raises EffectsDataError as `fit_nested`; ValueError where the second level is not the year.
    """
    if len(sums.levels) < 2 or sums.levels[1] != year:
        raise ValueError("the second level must be the year")
    outer = sums.levels[0]
    sums, years = year_means(sums, year)
    nested = fit_nested(sums, reml=reml, least=least)
    variance = {v.level: v.value for v in nested.fit.components if not v.other}
    lasting, yearly = variance.get(outer, 0.0), variance.get(year, 0.0)
    known = {level.name for level in nested.design.levels}
    told = {outer, year} <= known and lasting + yearly > 0
    return Stability(
        years=years,
        lasting=lasting,
        yearly=yearly,
        share=lasting / (lasting + yearly) if told else None,
        pooled=nested.fit.of(outer) if outer in known else nested.fit.effects[0],
        by_year=total_effects(nested, year if year in known else nested.design.levels[0].name, least),
        nested=nested,
    )
