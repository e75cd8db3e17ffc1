"""Shares of variance that the model explains.

Snijders & Bosker (1994, Sociological Methods & Research 22): pupil level 1 − (σ² + Στ²) ÷ the same of the empty model;
unit level 1 − (σ²/n + Στ²) ÷ the same of the empty model with n the harmonic mean of unit sizes. They may be negative
where a prior is sorted against the effects. Nakagawa & Schielzeth (2013, Methods in Ecology and Evolution 4) with
Johnson's (2014) mean random variance: marginal = fixed part, conditional = fixed part and units.
"""

from __future__ import annotations

import numpy as np

from jiaoheng.methods.mixed.columns import chosen
from jiaoheng.methods.mixed.design import Design, build_design
from jiaoheng.methods.mixed.nested import NestedFit, level_variance
from jiaoheng.methods.mixed.search import search

PUPIL, UNIT, MARGINAL, CONDITIONAL = "学生层", "单位层", "边际", "条件"


def r_squared(nested: NestedFit) -> dict[str, float]:
    """The four shares; the empty model is fitted from the same sums."""
    design, found = nested.design, nested.found
    scale = 1 / design.transform[-1, -1] ** 2
    variances = [level_variance(design, at, found.factors) for at in range(len(design.levels))]
    sigma2, tau2 = found.point.variance * scale, found.point.variance * scale * sum(variances)
    empty = build_design(chosen(design.sums, ()))
    null = search(empty, reml=nested.reml)
    null_scale = null.point.variance / empty.transform[-1, -1] ** 2
    null_tau2 = null_scale * sum(level_variance(empty, at, null.factors) for at in range(len(empty.levels)))
    n = _harmonic(design)
    fixed = _fixed_variance(nested) * scale
    whole = fixed + sigma2 + tau2
    return {
        PUPIL: 1 - (sigma2 + tau2) / (null_scale + null_tau2),
        UNIT: 1 - (sigma2 / n + tau2) / (null_scale / n + null_tau2),
        MARGINAL: fixed / whole,
        CONDITIONAL: (fixed + tau2) / whole,
    }


def _harmonic(design: Design) -> float:
    sizes = design.levels[-1].n
    return float(sizes.size / (1 / sizes).sum())


def _fixed_variance(nested: NestedFit) -> float:
    """Variance of Xβ among the pupils, in standard units of the outcome."""
    p = nested.design.predictors
    spread = nested.design.total[1:p, 1:p] / nested.design.total[0, 0]
    beta = nested.found.point.beta[1:]
    return float(np.clip(beta @ spread @ beta, 0, None))
