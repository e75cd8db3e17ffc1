"""Many quantile regressions of the same data: each starts from its neighbour and looks only at the pupils near it.

Between neighbouring τ the plane moves little. The pupils whose residual from the last plane lies close to the next
quantile stay single; all above become one summed row, all below another, since only the sign of their residuals counts
(preprocessing of Portnoy & Koenker 1997, §5; along the process: Chernozhukov, Fernández-Val & Melly 2022, Empirical
Economics 62). Afterwards every sign is checked: a pupil on the wrong side joins the single ones and the fit is done again,
so the answer is that of all pupils, not an approximation.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jiaoheng.methods.effects_model import FloatArray
from jiaoheng.methods.percentiles.frisch import Solved, solve

BAND = 3.0  # pupils kept single: this × √(pupils × coefficients), a few standard errors of the plane in ranks
SMALL = 3000  # pupils up to which preprocessing does not pay
SAMPLE = 4000  # pupils of the first rough fit, or a tenth of them
ROUGH = 3.0  # times the band, from a plane of a tenth of the pupils
ROUNDS = 30

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Process:
    """Coefficients (quantiles, p), which fits ended exactly at a vertex and which converged at all; mean pinball loss."""

    taus: FloatArray
    b: FloatArray
    exact: BoolArray
    converged: BoolArray
    loss: FloatArray


def fit_process(x: FloatArray, y: FloatArray, taus: Sequence[float]) -> Process:
    """The quantile regressions of y (n,) on x (n, p), first column the constant, at rising τ in (0, 1)."""
    grid = np.asarray(taus, dtype=np.float64)
    centre, scale = float(y.mean()), float(y.std()) or 1.0
    response = (y - centre) / scale
    b = np.empty((len(grid), x.shape[1]))
    exact, converged = np.zeros(len(grid), dtype=bool), np.zeros(len(grid), dtype=bool)
    loss = np.empty(len(grid))
    middle = int(np.argmin(np.abs(grid - 0.5)))
    total = x.sum(axis=0)

    def walk(order: range, near: FloatArray) -> None:
        """Fits along the order, each from its neighbour; fills its own places of the results."""
        residual = response - x @ near
        for t in order:
            tau = float(grid[t])
            solved, residual = _one(x, total, residual, tau, ROUGH if t == middle else 1.0)
            b[t] = near + solved.b
            near = b[t]
            exact[t], converged[t] = solved.exact, solved.converged
            loss[t] = scale * float(residual @ (tau - (residual < 0))) / len(y)

    walk(range(middle, middle + 1), _rough(x, response, float(grid[middle])))
    # up and down from the middle: two walks that do not meet
    with ThreadPoolExecutor(2) as pool:
        walks = [pool.submit(walk, order, b[middle]) for order in (range(middle + 1, len(grid)), range(middle)[::-1])]
        for one in walks:
            one.result()
    b *= scale
    b[:, 0] += centre
    return Process(grid, b, exact, converged, loss)


def _rough(x: FloatArray, y: FloatArray, tau: float) -> FloatArray:
    """A first plane from evenly taken pupils; where these do not determine it, least squares."""
    if len(y) > SMALL:
        rows = np.linspace(0, len(y) - 1, min(max(SAMPLE, len(y) // 10), len(y))).astype(int)
        found = solve(x[rows], y[rows], tau)
        if found.converged:
            return found.b
    return np.asarray(np.linalg.lstsq(x, y, rcond=None)[0], dtype=np.float64)


def _one(x: FloatArray, total: FloatArray, residual: FloatArray, tau: float, wider: float) -> tuple[Solved, FloatArray]:
    """The move of a nearby plane with these residuals to the one at τ, and the residuals then."""
    n, p = x.shape
    if n > SMALL:
        width = min(0.5, wider * BAND * (n * p) ** 0.5 / n / 2)
        for _ in range(3):
            found = _banded(x, total, residual, tau, width)
            if found is not None:
                return found
            width *= 2
    whole = solve(x, residual, tau)
    return whole, residual - x @ whole.b


def _banded(
    x: FloatArray, total: FloatArray, residual: FloatArray, tau: float, width: float
) -> tuple[Solved, FloatArray] | None:
    """The same from pupils within ±width (in ranks) of the quantile; None where the band is too narrow."""
    n = len(residual)
    ends = [int(n * max(tau - width, 0.0)), min(int(n * min(tau + width, 1.0)), n - 1)]
    low, high = np.partition(residual, ends)[ends]
    low, high = (-np.inf if tau <= width else low), (np.inf if tau + width >= 1 else high)
    side = (residual > high).astype(np.int8) - (residual < low)
    for _ in range(ROUNDS):
        single, below = np.flatnonzero(side == 0), side < 0
        kept, under = x[single], below.astype(np.float64)
        # rows and residuals summed over all below and all above; what is neither single nor below is above
        lower, fallen = under @ x, float(under @ residual)
        summed = [(lower, fallen)] if below.any() else []
        if (side > 0).any():
            higher = float(residual.sum()) - fallen - float(residual[single].sum())
            summed.append((total - lower - kept.sum(axis=0), higher))
        rows = np.vstack((kept, *(one for one, _ in summed)))
        found = solve(rows, np.append(residual[single], [one for _, one in summed]), tau)
        if not found.converged:
            return None
        after = residual - x @ found.b
        wrong = side * after < 0
        count = int(wrong.sum())
        if not count:
            return found, after
        if count > len(single) / 5:
            return None
        side[wrong] = 0
    return None
