"""The residual method: one regression line for all, and each unit's mean distance from it.

Unit value = mean residual; its interval ±1.96·s/√n with s the unit's own residual SD; shrunken value = mean residual ×
n/(n + σ²/τ²). Pupils with other known priors than the commonest have their own line, as in the mixed model.
Source: standards §1.8 (3); τ² by the method of moments (Swamy & Arora 1972, for unequal sizes).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from scipy.special import stdtr

from jiaoheng.methods.effects_model import Effects, Fit, FixedEffect, FloatArray, VarianceComponent
from jiaoheng.methods.mixed.columns import units_of
from jiaoheng.methods.mixed.design import Design, build_design
from jiaoheng.methods.mixed.effects import paths
from jiaoheng.methods.mixed.group_sums import GroupSums
from jiaoheng.methods.mixed.inference import raw_coefficients, raw_covariance

SHRUNKEN = "shrunken"


def fit_residuals(sums: GroupSums, *, least: float | Mapping[str, float] = 0) -> Fit:
    """Ordinary least squares over all pupils; per level the mean residuals (intercept) and the shrunken ones.

    Raises EffectsDataError as `build_design`.
    """
    design = build_design(sums)
    p = design.predictors
    inner, side = design.total[:p, :p], design.total[:p, p]
    inverse = np.asarray(np.linalg.inv(inner), np.float64)
    beta = inverse @ side
    df = design.n - p
    variance = float(design.total[p, p] - side @ beta) / df
    scale = 1 / design.transform[p, p]
    raw, covariance = raw_coefficients(design, beta), raw_covariance(design, variance * inverse)
    contrast = np.append(-beta, 1.0) * scale
    effects: list[Effects] = []
    components: list[VarianceComponent] = []
    for level in reversed(design.levels):
        own = _level(design, level.name, contrast)
        count, mean, within = own
        tau2, sigma2 = _moments(count, mean, within)
        limit = least.get(level.name, 0) if isinstance(least, Mapping) else least
        effects += _both(design, level.name, count, mean, within, tau2, sigma2, limit)
        components.append(VarianceComponent(level.name, "(Intercept)", tau2, boundary=bool(tau2 == 0)))
    components.append(VarianceComponent("Residual", "", variance * scale * scale))
    tau = components[0].value
    return Fit(
        method="residual",
        criterion_name="OLS",
        criterion=variance * scale * scale * df,
        n=design.n,
        fixed=tuple(
            _tested(name, float(value), float(se), df)
            for name, value, se in zip(design.names[:-1], raw, np.sqrt(np.diag(covariance)), strict=True)
        ),
        components=tuple(components),
        effects=tuple(effects),
        warnings=design.warnings,
        r2={"OLS": 1 - variance * df / float(design.total[p, p])},
        icc={design.levels[-1].name: tau / (tau + variance * scale * scale)},
        fixed_covariance=covariance,
    )


def _tested(name: str, estimate: float, se: float, df: int) -> FixedEffect:
    t = estimate / se if se > 0 else float("nan")
    return FixedEffect(name, estimate, se, t, float(df), "n − p", 2 * float(stdtr(df, -abs(t))))


def _level(design: Design, level: str, contrast: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Pupils, mean residual and residual sum of squares about it of every unit, from the cells' sums."""
    sums = design.sums
    unit = units_of(sums, level)
    first, second, weight = np.zeros(sums.cells), np.zeros(sums.cells), np.zeros(sums.cells)
    for mask, matrix in design.maps.items():
        cells = np.flatnonzero(design.pattern == mask)
        own = contrast @ design.transform @ (matrix / np.sqrt(design.pattern_weight[mask]))
        first[cells] = sum(own[at] * sums.products[at, cells] for at in range(own.size))
        for i in range(own.size):
            for j in range(own.size):
                if own[i] and own[j]:
                    second[cells] += own[i] * own[j] * sums.product(i, j)[cells]
        weight[cells] = sums.products[0, cells]
    w, r, q = (np.bincount(unit, values) for values in (weight, first, second))
    n = np.bincount(unit, sums.n)
    mean = r / w
    # of weighted pupils: n stays the number of pupils, squares are in units of weight 1
    return n.astype(np.float64), mean, np.maximum(q - r * mean, 0.0)


def _moments(count: FloatArray, mean: FloatArray, within: FloatArray) -> tuple[float, float]:
    """τ² between units and σ² within, by moments; τ² is 0 where the means differ no more than chance."""
    n, units = count.sum(), count.size
    sigma2 = float(within.sum() / max(n - units, 1))
    middle = float((count * mean).sum() / n)
    between = float((count * (mean - middle) ** 2).sum())
    size = n - float((count**2).sum()) / n
    return max(0.0, (between - (units - 1) * sigma2) / size) if size > 0 else 0.0, sigma2


def _both(
    design: Design,
    level: str,
    count: FloatArray,
    mean: FloatArray,
    within: FloatArray,
    tau2: float,
    sigma2: float,
    least: float,
) -> list[Effects]:
    own = next(one for one in design.levels if one.name == level)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(within / (count - 1))
    se = np.where(count > 1, spread / np.sqrt(count), np.nan)
    reliability = count * tau2 / (count * tau2 + sigma2) if tau2 > 0 else np.zeros(count.size)
    plain = Effects(level, paths(design, own), count, mean, se, reliability, least=least)
    shrunken = replace(
        plain, estimate=mean * reliability, se=np.sqrt(tau2 * (1 - reliability)), term=SHRUNKEN, conditional_sd=None
    )
    return [plain, shrunken]
