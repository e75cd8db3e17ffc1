"""The nested model of the settings, from one GROUP BY."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from jiaoheng.growth.preparing import Prepared
from jiaoheng.growth.settings import GrowthSettings, least_of
from jiaoheng.methods.judging.stability import year_means
from jiaoheng.methods.mixed.columns import unit_mean
from jiaoheng.methods.mixed.explained import r_squared
from jiaoheng.methods.mixed.group_sums import GroupSums, with_constant
from jiaoheng.methods.mixed.nested import NestedFit, fit_nested
from jiaoheng.methods.mixed.sums import group_sums
from jiaoheng.methods.mixed.totals import total_effects

MOST_ROWS = 300_000  # pupils up to whom the chapters that need every row are written without being asked for
SCHOOL_MEAN = "{prior}的{outer}平均"


def sums_of(settings: GrowthSettings, prepared: Prepared, groups: Sequence[str] | None = None) -> GroupSums:
    """The sums of the model's columns by the settings' groups (or others); with the means of units where asked for."""
    rows = prepared.counts.get("rows", 0)
    slopes = (settings.slope,) if settings.slope else ()
    sums = group_sums(
        prepared.table,
        outcome=settings.outcome,
        predictors=prepared.predictors,
        groups=groups or settings.groups,
        priors=settings.priors if len(settings.priors) > 1 else (),
        weight=settings.weight or None,
        # squares by unit are what the residual method needs; for very many pupils they would fill the memory
        slopes=None if rows <= MOST_ROWS or settings.method == "residual" else slopes,
    )
    if settings.school_means and sums.cells:
        outer = sums.levels[0]
        for prior in settings.priors:
            sums = with_constant(sums, SCHOOL_MEAN.format(prior=prior, outer=outer), unit_mean(sums, outer, prior))
    return sums


def fit_lmm(settings: GrowthSettings, prepared: Prepared, *, sums: GroupSums | None = None) -> NestedFit:
    """The fit, with R² and the effects of inner units together with the outer ones they lie in.

    With years, unit × year is a level of its own: the outermost effect is then the multi-year one.
    """
    if settings.year:
        groups = (settings.groups[0], settings.year, *settings.groups[1:])
        sums, _ = year_means(sums_of(settings, prepared, groups), settings.year)
    elif sums is None:
        sums = sums_of(settings, prepared)
    slopes = {settings.groups[0]: (settings.slope,)} if settings.slope else None
    least = least_of(settings)
    nested = fit_nested(sums, reml=settings.reml, slopes=slopes, least=least, reliability=settings.reliability or None)
    if settings.reliability:
        return nested
    inner = [
        total_effects(nested, level.name, least) for level in nested.design.levels[:-1] if level.name in settings.groups
    ]
    fit = replace(nested.fit, r2=r_squared(nested), effects=(*nested.fit.effects, *inner))
    return replace(nested, fit=fit)
