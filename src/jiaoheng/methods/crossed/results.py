"""From the end of the search to what people read: coefficients, variances, effects with their uncertainty.

An effect û = ΓZ'Py has two standard deviations. `conditional_sd`, given the fixed part: σ√(diag ΛS⁻¹Λ), which is lme4's
condVar. `se`, with the fixed part estimated (Henderson 1975, Biometrics 31): the square root of
σ²(ΛS⁻¹Λ + ΛE(X'V⁻¹X)⁻¹E'Λ)'s diagonal. Reliability is 1 − conditional_sd² ÷ σ²_factor.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import ndtr

from jiaoheng.methods.crossed.design import Design
from jiaoheng.methods.crossed.likelihood import Likelihood, Point
from jiaoheng.methods.crossed.search import Found
from jiaoheng.methods.effects_model import (
    Effects,
    Fit,
    FixedEffect,
    FloatArray,
    VarianceComponent,
    Warned,
)

NORMAL = "正态近似"
INFORMATION = "正态近似（平均信息）"


def fit_of(of: Likelihood, found: Found, least: float, warnings: list[Warned]) -> Fit:
    """The shared result of a search."""
    design, point = of.design, found.point
    variance = point.rss / of.df
    covariance = _covariance(of, point, variance)
    beta = design.to_raw @ of.coefficients(point)
    beta[0] += design.y_mean
    components = [
        VarianceComponent(one.name, "(Intercept)", float(ratio * variance), boundary=found.bound[f])
        for f, (one, ratio) in enumerate(zip(design.factors, point.ratios, strict=True))
    ]
    components.append(VarianceComponent("Residual", "", variance))
    spread = _explained(of, point)
    total = spread + sum(one.value for one in components)
    random = sum(one.value for one in components[:-1])
    return Fit(
        method="crossed",
        criterion_name="REML" if of.reml else "ML",
        criterion=point.value,
        n=design.n,
        fixed=(*_fixed(design.names, beta, covariance), *_persistence(design, found)),
        components=tuple(components),
        effects=_effects(of, point, variance, least),
        warnings=(*warnings, *_said(design, found)),
        converged=found.converged,
        evaluations=found.evaluations,
        r2={"marginal": spread / total, "conditional": (spread + random) / total},
        icc={one.level: one.value / (random + variance) for one in components[:-1]},
        fixed_covariance=covariance,
    )


def _covariance(of: Likelihood, point: Point, variance: float) -> FloatArray:
    back = of.design.to_raw @ solve_triangular(point.root, np.eye(of.design.p), check_finite=False)
    made: FloatArray = variance * back @ back.T
    return made


def _explained(of: Likelihood, point: Point) -> float:
    """Variance of the fixed part over the rows (Nakagawa & Schielzeth 2013, Methods Ecol. Evol. 4)."""
    design = of.design
    return float(np.average((design.fixed[:, 1:-1] @ of.coefficients(point)[1:]) ** 2, weights=design.weights))


def _fixed(names: tuple[str, ...], beta: FloatArray, covariance: FloatArray) -> list[FixedEffect]:
    return [
        _tested(name, float(b), float(se), NORMAL)
        for name, b, se in zip(names, beta, np.sqrt(covariance.diagonal()), strict=True)
    ]


def _tested(name: str, estimate: float, se: float, df_name: str) -> FixedEffect:
    statistic = estimate / se if se > 0 else float("nan")
    return FixedEffect(name, estimate, se, statistic, None, df_name, float(2 * ndtr(-abs(statistic))))


def _persistence(design: Design, found: Found) -> list[FixedEffect]:
    """Estimated persistences stand beside the coefficients, with the information's standard error."""
    out, start = [], len(design.factors)
    for m, (one, value) in enumerate(zip(design.alphas, found.point.alpha, strict=True)):
        name = f"{design.factors[one.factor].name}·持续系数" + (f"（前 {one.lag} 年）" if one.lag else "")
        out.append(_tested(name, float(value), float(found.covariance[start + m, start + m] ** 0.5), INFORMATION))
    return out


def _effects(of: Likelihood, point: Point, variance: float, least: float) -> tuple[Effects, ...]:
    design = of.design
    point.system.invert()
    beta = of.coefficients(point)
    unfixed = solve_triangular(point.root, np.eye(design.p), check_finite=False)
    shift = point.scale[:, None] * point.solved
    where = np.arange(design.q)
    column_given = _spread(point)[of.where.position(where, where)]
    column_fixed = ((shift[:, :-1] @ unfixed) ** 2).sum(axis=1)
    column_value = shift[:, -1] - shift[:, :-1] @ beta
    out = []
    for f, one in enumerate(design.factors):
        mine = slice(int(design.offset[f]), int(design.offset[f + 1]))
        value, given, extra = column_value[mine], column_given[mine], column_fixed[mine]
        if f == design.eliminated:
            owned = _owner_effects(of, point, shift, np.append(-beta, 1.0), unfixed)
            for own, column in zip(owned, (value, given, extra), strict=True):
                own[design.explicit] = column
            value, given, extra = owned
        ratio = float(point.ratios[f])
        now = one.lag == 0
        out.append(
            Effects(
                level=one.name,
                units=[(level,) for level in one.levels],
                n=np.bincount(one.level[now], weights=one.share[now], minlength=len(one.levels)).astype(np.float64),
                estimate=value,
                se=np.sqrt(variance * (given + extra)),
                reliability=1 - given / ratio if ratio > 0 else np.zeros(len(value)),
                conditional_sd=np.sqrt(variance * given),
                least=least,
            )
        )
    return tuple(out)


def _spread(point: Point) -> FloatArray:
    if point.system.spread is None:
        raise RuntimeError("the system is inverted before it is read")
    return point.system.spread


def _owner_effects(
    of: Likelihood, point: Point, shift: FloatArray, mix: FloatArray, unfixed: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Values and relative variances of the eliminated factor: û = dZ₁'W(y − Xβ − Zû), variance d + d²cΛS⁻¹Λc'."""
    design, pair = of.design, of.owner_pairs
    pulled = point.d[:, None] * (of.owned - design.owner_links.matrix(point.owner_links) @ shift)
    products = pair.products(point.owner_links) * pair.twice * _spread(point)[pair.place]
    quadratic = np.bincount(pair.owner, weights=products, minlength=design.owners)
    fixed = ((pulled[:, :-1] @ unfixed) ** 2).sum(axis=1)
    return pulled @ mix, point.d + point.d**2 * quadratic, fixed


def _said(design: Design, found: Found) -> list[Warned]:
    out = [
        Warned("singular", f"“{one.name}”的方差估计为 0：数据看不出它们之间有差异，其作用一律为 0")
        for f, one in enumerate(design.factors)
        if found.bound[f]
    ]
    if not found.converged:
        out.append(
            Warned(
                "not-converged",
                f"算了 {found.evaluations} 次仍未收敛：结果不可用，请减少层次或协变量，或核对数据后再算",
            )
        )
    return out
