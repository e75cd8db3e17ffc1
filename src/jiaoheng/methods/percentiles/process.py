"""Many quantile regressions of the same data: each starts from its neighbour and looks only at the pupils near it.

Between neighbouring τ the plane moves little. A few neighbouring τ share a pool, the pupils near any of their quantiles;
within it Newton steps on the subgradient bring the last plane close to the next one (along the process: Chernozhukov,
Fernández-Val & Melly 2022, Empirical Economics 62), so that the interior point needs few rows (`part`). After a block of τ
the signs of all pupils are checked at once; a τ for which one outside the pool turned is fitted again from all.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack, solve_triangular

from jiaoheng.methods.effects_model import FloatArray
from jiaoheng.methods.percentiles.frisch import Solved, solve
from jiaoheng.methods.percentiles.part import Part, moved

POOL = 2.0  # pupils of a block's pool beyond its outer quantiles: this × √(pupils × coefficients),
SPREAD = 1.0  # and this part of what lies between the block's quantiles
BLOCK = 7  # quantiles
SMALL = 3000  # pupils up to which preprocessing does not pay
SAMPLE = 4000  # pupils of the first rough fit, or a tenth of them
ROUGH = 4.0  # times as many single rows, from a plane of a tenth of the pupils

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
    total, gram = np.ones(len(y)) @ x, x.T @ x
    reach = _reach(x, gram)

    def put(t: int, near: FloatArray, found: Solved, residual: FloatArray) -> None:
        b[t], exact[t], converged[t] = near + found.b, found.exact, found.converged
        loss[t] = scale * (grid[t] * residual.sum() - np.minimum(residual, 0.0).sum()) / len(y)

    def walk(order: Sequence[int], near: FloatArray) -> None:
        """Fits along the order, each from its neighbour; fills its own places of the results."""
        residual = response - x @ near
        for start in range(0, len(order), BLOCK):
            block = order[start : start + BLOCK]
            found, left = _block(Part(x, residual, reach, total, gram, len(y)), grid[list(block)])
            for j, t in enumerate(block):
                put(t, near, found[j], left[:, j])
            near, residual = b[block[-1]], np.ascontiguousarray(left[:, -1])

    rough = _rough(x, response, float(grid[middle]))
    whole = Part(x, response - x @ rough, reach, total, gram, len(y))
    first = _whole(whole, float(grid[middle]), ROUGH)
    put(middle, rough, first, whole.r - x @ first.b)
    # up and down from the middle: two walks that do not meet
    with ThreadPoolExecutor(2) as pool:
        ways = (range(middle + 1, len(grid)), range(middle)[::-1])
        for one in [pool.submit(walk, order, b[middle]) for order in ways]:
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


def _whole(part: Part, tau: float, wider: float = 1.0) -> Solved:
    """The move of a plane to the one at τ, from all pupils."""
    found = moved(part, tau, wider) if part.n > SMALL else None
    return found if found is not None else part.solved(tau)


def _block(part: Part, taus: FloatArray) -> tuple[list[Solved], FloatArray]:
    """The moves of a plane to those at neighbouring τ, and the residuals from each: (n, quantiles)."""
    if part.n <= SMALL:
        found = [_whole(part, float(tau)) for tau in taus]
        return found, part.r[:, None] - part.x @ np.array([one.b for one in found]).T
    pool, side = _pool(part, float(taus.min()), float(taus.max()))
    found, step = [], np.zeros(part.x.shape[1])
    for tau in taus:
        one = moved(pool.shifted(step), float(tau))
        if one is None:
            one = _whole(part.shifted(step), float(tau))
        step = step + one.b
        found.append(Solved(step, one.exact, one.converged, one.steps))
    left = part.r[:, None] - part.x @ np.array([one.b for one in found]).T
    for j in np.flatnonzero((side[:, None] * left < 0).any(axis=0)):
        again = _whole(Part(part.x, left[:, j], part.reach, part.total, part.gram, part.n), float(taus[j]))
        found[j] = Solved(found[j].b + again.b, again.exact, again.converged, again.steps)
        left[:, j] -= part.x @ again.b
    return found, left


def _pool(part: Part, first: float, last: float) -> tuple[Part, FloatArray]:
    """The pupils near the quantiles from `first` to `last`, and of every pupil −1 below them, 1 above, 0 among them."""
    middle, half = (first + last) / 2, part.n * (last - first) / 2
    wider = half * (1 + SPREAD) + POOL * (part.n * part.x.shape[1]) ** 0.5
    low, high, lower, higher = part.near(middle, half, wider)
    side = (part.r > high + (higher - high) * part.reach).astype(np.float64)
    side -= part.r < low - (low - lower) * part.reach
    return part.among(np.flatnonzero(side == 0), (side < 0).astype(np.float64)), side


def _reach(x: FloatArray, gram: FloatArray) -> FloatArray:
    """The root of each row's leverage relative to its mean (n,): x (X'X)⁻¹ x'."""
    factor, failed = lapack.dpotrf(gram, lower=1)
    if failed:
        return np.ones(len(x))
    found = np.sqrt(np.square(solve_triangular(factor, x.T, lower=True, check_finite=False)).sum(axis=0))
    return np.asarray(found / found.mean(), dtype=np.float64)
