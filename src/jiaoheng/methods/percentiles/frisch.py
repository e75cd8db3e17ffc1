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
    """The interior point alone: within GAP of the loss, not at a vertex.

    Both ends of the box are rows of one array: v holds the dual variables and what they lack to 1, z the slacks of both.
    """
    a = np.ascontiguousarray(x.T)
    p, n = a.shape
    c = -y
    v = np.empty((2, n))
    v[0], v[1] = 1 - tau, tau
    target = a @ v[0]
    d = np.zeros(p)
    d[0] = -float(np.quantile(y, tau))
    r = c - d[0] * a[0]
    spread = float(np.abs(r).mean())
    z = np.empty((2, n))
    np.maximum(r, 0.0, out=z[0])
    z[0] += SHIFT * spread
    np.subtract(z[0], r, out=z[1])
    loss = spread * n
    steps, gap = 0, np.inf
    dv, again = np.empty((2, n)), np.empty((2, n))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # rows at the boundary: told by what follows
        while steps < MAX_STEPS:
            gap = float(c @ v[0] - d @ target + z[1].sum())
            if gap < GAP * loss:
                return Solved(-d, False, True, steps)
            steps += 1
            inverse = 1 / v
            ratio = z * inverse
            q = 1 / (ratio[0] + ratio[1])
            r = z[0] - z[1]
            weighted = a * q
            factor, failed = lapack.dpotrf(weighted @ a.T)
            if failed or not np.isfinite(factor[-1, -1]):
                break
            dd = lapack.dpotrs(factor, weighted @ r)[0]
            _both(q * (dd @ a - r), dv)
            dz = -z - ratio * dv
            fp, fd = _room(v, dv), _room(z, dz)
            if min(fp, fd) < 1:
                mu = float(np.vdot(z, v))
                mu *= (float(np.vdot(z + fd * dz, v + fp * dv)) / mu) ** 3 / (2 * n)
                second = dv * dz * inverse  # second-order terms of both complementarities, divided through
                pull = second - mu * inverse
                right = r + (pull[0] - pull[1])
                dd = lapack.dpotrs(factor, weighted @ right)[0]
                _both(q * (dd @ a - right), again)
                dz = -z - ratio * again - pull
                dv, again = again, dv
                fp, fd = _room(v, dv), _room(z, dz)
            v = v + fp * dv
            d = d + fd * dd
            z = z + fd * dz
    return Solved(-d, False, gap < ENOUGH * loss, steps)


def _both(change: FloatArray, out: FloatArray) -> None:
    """What the variables gain, they lack less."""
    out[0] = change
    np.negative(change, out=out[1])


def _room(value: FloatArray, change: FloatArray) -> float:
    """How far positive variables may move along a change."""
    most = -float((change / value).min())
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
