"""Fixed effects with standard errors and tests; variance components; shares of variance explained.

Degrees of freedom are Satterthwaite's: df = 2 (c'Vc)² ÷ (g'A g) with V the covariance of β̂, g the gradient of c'Vc by
the variance parameters (Λ, σ²) and A the inverse of half the Hessian of the restricted (or full) deviance. A variance on
the boundary is held at 0. Source: Satterthwaite (1946), Biometrics Bulletin 2; Kuznetsova, Brockhoff & Christensen
(2017), JSS 82(13).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.linalg
from scipy.special import ndtr, stdtr

from jiaoheng.methods.effects_model import FixedEffect, FloatArray, VarianceComponent
from jiaoheng.methods.mixed.design import Design
from jiaoheng.methods.mixed.effects import raw_terms
from jiaoheng.methods.mixed.likelihood import Point
from jiaoheng.methods.mixed.search import Found

SATTERTHWAITE, NORMAL = "Satterthwaite", "正态近似"


def coefficient_map(design: Design) -> FloatArray:
    """C with raw coefficients = C @ [standard coefficients, 1]: y = Σ raw·v from z_y = Σ β z."""
    p = design.predictors
    t = design.transform
    scale_y = 1 / t[p, p]
    turn = np.zeros((p, p + 1))
    # z_y = t_yy·y + t_y0 = β'T[v]; so y = (β'T v − t_y0)/t_yy
    turn[:, :p] = t[:p, :p].T * scale_y
    turn[0, p] = -t[p, 0] * scale_y
    # the columns were shifted before: v = raw − shift where the column is known
    return turn


def raw_coefficients(design: Design, beta: FloatArray) -> FloatArray:
    """Coefficients of the columns as they stand in the data, the intercept first."""
    turn = coefficient_map(design)
    own: FloatArray = _unshift(design) @ (turn[:, :-1] @ beta + turn[:, -1])
    own[0] += float(design.sums.shifts[-1])
    return own


def raw_covariance(design: Design, covariance: FloatArray) -> FloatArray:
    """Covariance of the raw coefficients from that of the standard ones."""
    turn = _unshift(design) @ coefficient_map(design)[:, :-1]
    return turn @ covariance @ turn.T


def _unshift(design: Design) -> FloatArray:
    """The coefficients of v + shift from those of v: intercepts take up the shifts of their pattern's slopes."""
    names, shifts = design.names[:-1], dict(zip(design.sums.columns, design.sums.shifts.tolist(), strict=True))
    turn = np.eye(len(names))
    for at, name in enumerate(names):
        base, _, label = name.partition("|")
        if at == 0 or base not in shifts or base == names[0]:
            continue
        home = names.index(f"{names[0]}|{label}") if label and f"{names[0]}|{label}" in names else 0
        turn[home, at] -= shifts[base]
    for at, name in enumerate(names):  # a prior that a pattern lacks has no slope there: take its shift back
        _, _, label = name.partition("|")
        if not label or not name.startswith(names[0]):
            continue
        for prior in design.sums.priors:
            if f"{prior}|{label}" not in names and prior in names:
                turn[at, names.index(prior)] += shifts[prior]
    return turn


def fixed_effects(
    design: Design, found: Found, *, reml: bool, satterthwaite: bool = True
) -> tuple[tuple[FixedEffect, ...], FloatArray]:
    """The coefficients of the raw columns, and their covariance."""
    point = found.point
    inverse = scipy.linalg.inv(point.inner)
    beta = raw_coefficients(design, point.beta)
    covariance = raw_covariance(design, point.variance * inverse)
    errors = np.sqrt(np.diag(covariance))
    degrees = _satterthwaite(design, found, inverse, reml=reml) if satterthwaite else np.full(beta.size, np.nan)
    made = [
        one_effect(name, *numbers)
        for name, *numbers in zip(design.names[:-1], beta.tolist(), errors.tolist(), degrees.tolist(), strict=True)
    ]
    return tuple(made), covariance


def one_effect(name: str, estimate: float, se: float, df: float) -> FixedEffect:
    """A coefficient with its two-sided test: t with `df`, normal where it is not finite."""
    statistic = estimate / se if se > 0 else float("nan")
    if np.isfinite(df) and df > 0:
        return FixedEffect(name, estimate, se, statistic, df, SATTERTHWAITE, 2 * float(stdtr(df, -abs(statistic))))
    return FixedEffect(name, estimate, se, statistic, None, NORMAL, 2 * float(ndtr(-abs(statistic))))


def _satterthwaite(design: Design, found: Found, inverse: FloatArray, *, reml: bool) -> FloatArray:
    """Degrees of freedom of each raw coefficient."""
    point, p = found.point, design.predictors
    df = design.n - p if reml else design.n
    gradients: list[FloatArray] = []  # of A⁻¹ by the entries of Λ
    for (_, squares), factor in zip(point.derivatives, found.factors, strict=True):
        q = len(factor)
        for row, column in zip(*np.tril_indices(q), strict=True):
            # ∂G = dΛ Λ' + Λ dΛ'; ∂A = −Σ M M' ∂G
            change = np.zeros((q, q))
            change[row] += factor[:, column]
            change[:, row] += factor[:, column]
            inner = -np.einsum("ab,abij->ij", change, squares[:, :, :p, :p])
            gradients.append(-inverse @ inner @ inverse)
    free = np.flatnonzero(found.free)
    # the deviance with σ² set free: the profiled Hessian is its Schur complement, so the joint inverse is known
    # from the profiled one and from how σ̂² moves with Λ
    size = free.size + 1
    covariance = np.zeros((size, size))
    try:
        profiled = np.linalg.inv(found.hessian / 2) if free.size else np.zeros((0, 0))
    except np.linalg.LinAlgError:
        return np.full(p, np.nan)
    own_sigma = 2 * point.variance**2 / df
    slope = np.array([_variance_slope(point, int(entry), found, design, df) for entry in free])
    covariance[:-1, :-1] = profiled
    covariance[:-1, -1] = covariance[-1, :-1] = profiled @ slope if free.size else 0.0
    covariance[-1, -1] = own_sigma + (slope @ profiled @ slope if free.size else 0.0)
    turn = _unshift(design) @ coefficient_map(design)[:, :-1]
    values = np.einsum("ij,jk,ik->i", turn, inverse, turn)
    by_parameter = [point.variance * np.einsum("ij,jk,ik->i", turn, gradients[at], turn) for at in free]
    slopes = np.array([*by_parameter, values])
    spread = np.einsum("ai,ab,bi->i", slopes, covariance, slopes)
    with np.errstate(divide="ignore", invalid="ignore"):
        found_df: FloatArray = 2 * (point.variance * values) ** 2 / spread
    return np.where(spread > 0, found_df, np.nan)


def _variance_slope(point: Point, entry: int, found: Found, design: Design, df: int) -> float:
    """∂σ̂²/∂Λ-entry: the derivative of r²/df."""
    at = 0
    contrast = np.append(-point.beta, 1.0)
    for (_, squares), factor in zip(point.derivatives, found.factors, strict=True):
        q = len(factor)
        for row, column in zip(*np.tril_indices(q), strict=True):
            if at == entry:
                change = np.zeros((q, q))
                change[row] += factor[:, column]
                change[:, row] += factor[:, column]
                by_g = squares @ contrast @ contrast
                return -float((change * by_g).sum()) / df
            at += 1
    raise IndexError(entry)


def components_of(
    design: Design, factors: Sequence[FloatArray], free: np.ndarray, variance: float
) -> tuple[VarianceComponent, ...]:
    """Variances and covariances in the outcome's unit, outermost level first, the residual last."""
    made: list[VarianceComponent] = []
    ends = np.cumsum([len(f) * (len(f) + 1) // 2 for f in factors])
    for level, factor, end in reversed(list(zip(design.levels, factors, ends, strict=True))):
        turn = raw_terms(design, level)
        g = variance * turn @ factor @ factor.T @ turn.T
        boundary = not bool(np.all(free[end - len(factor) * (len(factor) + 1) // 2 : end]))
        q = len(level.terms)
        made += [VarianceComponent(level.name, level.terms[a], float(g[a, a]), "", boundary) for a in range(q)]
        made += [
            VarianceComponent(level.name, level.terms[a], float(g[a, b]), level.terms[b], boundary)
            for a in range(q)
            for b in range(a + 1, q)
        ]
    scale = 1 / design.transform[-1, -1]
    made.append(VarianceComponent("Residual", "", variance * scale * scale))
    return tuple(made)
