"""One quantile regression by the Frisch–Newton interior point, finished at a vertex.

min over b of Σ ρ_τ(y − Xb), in its dual: max y'a with X'a = (1 − τ)X'1, 0 ≤ a ≤ 1. Mehrotra's predictor and corrector
as in Portnoy & Koenker (1997), Statistical Science 12, 279–300. The answer is then moved to the p rows with the
smallest residuals where these satisfy the exact conditions of the optimum (Koenker 2005, theorem 2.1), so that no error
of the interior point is left; where many rows tie, the interior point's answer stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from jiaoheng.methods.effects_model import FloatArray

SHORTEN = 0.9995  # of the way to the boundary
SHIFT = 1.0  # of the mean residual: keeps the start off the boundary
GAP = 1e-12  # duality gap relative to the loss: small enough that the p nearest rows are those of the vertex
ENOUGH = 1e-10  # where ties and rounding let it come no closer
SINGULAR = 1e-10  # pivot of p rows that do not determine p coefficients
SLACK = 1e-7  # of the conditions of the optimum, which lie in [τ − 1, τ]
MAX_STEPS = 100


@dataclass(frozen=True, slots=True)
class Solved:
    """Coefficients (p,); `exact` where the conditions of the optimum hold at a vertex."""

    b: FloatArray
    exact: bool
    converged: bool
    steps: int


def solve(x: FloatArray, y: FloatArray, tau: float) -> Solved:
    """The quantile regression of y (n,) on x (n, p), first column the constant, at τ in (0, 1)."""
    inner = interior(x, y, tau)
    vertex = _vertex(x, y, tau, inner.b)
    return inner if vertex is None else Solved(vertex, True, True, inner.steps)


def interior(x: FloatArray, y: FloatArray, tau: float) -> Solved:
    """The interior point alone: within GAP of the loss, not at a vertex."""
    a = np.ascontiguousarray(x.T)
    p, n = a.shape
    c = -y
    v = np.full(n, 1 - tau)  # the dual variables; s what they lack to 1
    s = 1 - v
    target = a @ v
    d = np.zeros(p)
    d[0] = -float(np.quantile(y, tau))
    r = c - d[0] * a[0]
    spread = float(np.abs(r).mean())
    z = np.maximum(r, 0.0) + SHIFT * spread
    w = z - r
    loss = spread * n
    steps, gap = 0, np.inf
    while steps < MAX_STEPS:
        gap = float(c @ v - d @ target + w.sum())
        if gap < GAP * loss:
            return Solved(-d, False, True, steps)
        steps += 1
        q = 1 / (z / v + w / s)
        r = z - w
        with np.errstate(over="ignore", invalid="ignore"):  # rows at the boundary; told by what follows
            gram = (a * q) @ a.T
        if not np.isfinite(gram).all():
            break
        factor, failed = lapack.dpotrf(gram)
        if failed:
            break
        dd = lapack.dpotrs(factor, a @ (q * r))[0]
        dv = q * (dd @ a - r)
        dz = -z * (1 + dv / v)
        dw = -w * (1 - dv / s)
        fp, fd = _reach(v, s, dv), min(_room(z, dz), _room(w, dw))
        if min(fp, fd) < 1:
            mu = float(z @ v + w @ s)
            g = float((z + fd * dz) @ (v + fp * dv) + (w + fd * dw) @ (s - fp * dv))
            mu *= (g / mu) ** 3 / (2 * n)
            vi, si = 1 / v, 1 / s
            cross = dv * dz * vi + dv * dw * si  # second-order terms of both complementarities, divided through
            centre = mu * (vi - si)
            right = r + cross - centre
            dd = lapack.dpotrs(factor, a @ (q * right))[0]
            dvn = q * (dd @ a - right)
            dz = mu * vi - z - vi * z * dvn - dv * dz * vi
            dw = mu * si - w + si * w * dvn + dv * dw * si
            dv = dvn
            fp, fd = _reach(v, s, dv), min(_room(z, dz), _room(w, dw))
        v = v + fp * dv
        s = s - fp * dv
        d = d + fd * dd
        z = z + fd * dz
        w = w + fd * dw
    return Solved(-d, False, gap < ENOUGH * loss, steps)


def _room(value: FloatArray, change: FloatArray) -> float:
    """How far a positive vector may move along a change."""
    ratio = -change / value
    most = float(ratio.max())
    return 1.0 if most <= SHORTEN else SHORTEN / most


def _reach(v: FloatArray, s: FloatArray, dv: FloatArray) -> float:
    most = max(float((-dv / v).max()), float((dv / s).max()))
    return 1.0 if most <= SHORTEN else SHORTEN / most


def _vertex(x: FloatArray, y: FloatArray, tau: float, b: FloatArray) -> FloatArray | None:
    """The exact solution through the p nearest rows, if it is the optimum."""
    p = x.shape[1]
    residual = y - x @ b
    basis = np.argpartition(np.abs(residual), p - 1)[:p]
    lu, pivots, _ = lapack.dgetrf(x[basis])
    if np.abs(np.diag(lu)).min() < SINGULAR:
        return None
    exact: FloatArray = lapack.dgetrs(lu, pivots, y[basis])[0]
    residual = y - x @ exact
    pull = tau - (residual < 0)
    pull[basis] = 0.0
    weight = lapack.dgetrs(lu, pivots, -(pull @ x), trans=1)[0]
    optimal = (weight >= tau - 1 - SLACK).all() and (weight <= tau + SLACK).all()
    return exact if optimal else None
