"""The search for variance ratios and persistences: quasi-Newton steps from the average information, bounded below.

A ratio may end on its bound: that is a result (the factor explains nothing), not a failure. During the search the bound
is a tiny positive number, so that gradients there are those of the limit; it is set to zero at the end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jiaoheng.methods.crossed.layout import NotPositiveError
from jiaoheng.methods.crossed.likelihood import Likelihood, Point
from jiaoheng.methods.crossed.slopes import Slope, slope
from jiaoheng.methods.effects_model import FloatArray

BoolArray = npt.NDArray[np.bool_]

FLOOR = 1e-10  # of a variance ratio; 1 − diag(S⁻¹) still has seven digits there
START_RATIO = 0.1
START_ALPHA = 0.5
STEP = 10.0  # a ratio grows or falls by no more than this in one step
SMALL = 1e-3  # a ratio below this may go to its bound in one step
SHORTEST = 1e-6  # of a step
GAIN = 1e-11  # −2 log L that a further step would win: variance ratios then stand to better than 1e-6
NOISE = 1e-7  # differences of −2 log L below this are rounding
MAX_EVALUATIONS = 200


@dataclass(frozen=True, slots=True)
class Found:
    """Where the search ended. `covariance` (k, k): inverse of half the average information, NaN on bounds."""

    point: Point
    converged: bool
    evaluations: int
    bound: tuple[bool, ...]
    covariance: FloatArray


def search(of: Likelihood, most: int = MAX_EVALUATIONS) -> Found:
    """The minimum of the criterion from the standard start; `most` evaluations and it has not converged."""
    factors, k = len(of.design.factors), len(of.design.factors) + len(of.design.alphas)
    low = np.concatenate((np.full(factors, FLOOR), np.full(k - factors, -np.inf)))
    where = np.concatenate((np.full(factors, START_RATIO), np.full(k - factors, START_ALPHA)))
    point, evaluations, converged = _at(of, where), 1, False
    information, bound = np.zeros((k, k)), np.zeros(k, dtype=bool)
    steps: list[tuple[FloatArray, FloatArray]] = []  # (step, change of gradient), the latest last
    before: FloatArray | None = None
    came = np.zeros(k)
    while evaluations < most:
        found = slope(of, point)
        information = found.information
        if before is not None and of.moving:
            steps = [*steps[-k:], (came, found.gradient - before)]
        bound = (where <= low * 1.0001) & (found.gradient > 0)
        if _decrement(found.gradient, _curve(information, steps), ~bound) < GAIN:
            converged = True
            break
        ahead, used, where_ahead = _tried(of, point, where, low, found, steps, ~bound)
        evaluations += used
        if ahead is None:
            converged = _decrement(found.gradient, information, ~bound) < NOISE
            break
        came, before = where_ahead - where, found.gradient
        point, where = ahead, where_ahead
    bound |= where <= low * 10
    if bound.any():
        point = _at(of, np.where(bound, 0.0, where))
    return Found(point, converged, evaluations, tuple(bound.tolist()), _covariance(information, bound))


def _at(of: Likelihood, where: FloatArray) -> Point:
    factors = len(of.design.factors)
    return of.at(where[:factors], where[factors:])


def _curve(information: FloatArray, steps: list[tuple[FloatArray, FloatArray]]) -> FloatArray:
    """Average information mended by what the last steps showed of the true curvature (BFGS; Nocedal & Wright 2006, §6).

    Average information leaves out second derivatives of V, which matter where persistences are estimated.
    """
    curve = information
    for step, change in steps:
        pull = curve @ step
        bend, expected = float(step @ change), float(step @ pull)
        if bend > 1e-3 * expected > 0:
            curve = curve - np.outer(pull, pull) / expected + np.outer(change, change) / bend
    return curve


def _limits(where: FloatArray, low: FloatArray) -> tuple[FloatArray, FloatArray]:
    """How far one step may go: a ratio by a factor, a small one straight to its bound, a persistence by one."""
    ratio = np.isfinite(low)
    down = np.where(where > SMALL, np.maximum(low, where / STEP), low)
    return np.where(ratio, down, where - 1), np.where(ratio, np.maximum(where * STEP, SMALL), where + 1)


def _decrement(gradient: FloatArray, curve: FloatArray, free: BoolArray) -> float:
    """What an unlimited Newton step in the free parameters should win."""
    g = gradient[free]
    return float(g @ _solved(curve[np.ix_(free, free)], g)) / 2 if free.any() else 0.0


def _step(gradient: FloatArray, curve: FloatArray, free: BoolArray, below: FloatArray, above: FloatArray) -> FloatArray:
    """The Newton step within limits (relative to here).

    A parameter that would leave its limits stops there, and the others' step is worked out anew around it.
    """
    step, free = np.zeros_like(gradient), free.copy()
    while free.any():
        pull = gradient[free] + curve[np.ix_(free, ~free)] @ step[~free]
        wanted = -_solved(curve[np.ix_(free, free)], pull)
        kept = np.clip(wanted, below[free], above[free])
        step[free] = kept
        beyond = kept != wanted
        if not beyond.any():
            break
        free[np.flatnonzero(free)[beyond]] = False
    return step


def _tried(
    of: Likelihood,
    point: Point,
    where: FloatArray,
    low: FloatArray,
    found: Slope,
    steps: list[tuple[FloatArray, FloatArray]],
    free: BoolArray,
) -> tuple[Point | None, int, FloatArray]:
    """A step that does not raise the criterion: by the mended curvature, by information alone, by its diagonal."""
    below, above = (limit - where for limit in _limits(where, low))
    used = 0
    curves = [_curve(found.information, steps), found.information, np.diag(found.information.diagonal())]
    for curve in curves if steps else curves[1:]:
        step = _step(found.gradient, curve, free, below, above)
        gain = -float(found.gradient @ step)
        if gain <= 0:
            continue
        ahead, more, there = _advance(of, where, step, point.value, gain)
        used += more
        if ahead is not None:
            return ahead, used, there
    return None, used, where


def _solved(information: FloatArray, right: FloatArray) -> FloatArray:
    """information⁻¹ right, with directions that the data hardly inform kept short."""
    size = np.sqrt(np.maximum(information.diagonal(), 1e-300))
    values, vectors = np.linalg.eigh(information / np.outer(size, size))
    solved: FloatArray = vectors @ ((vectors.T @ (right / size)) / np.maximum(values, 1e-8)) / size
    return solved


def _advance(
    of: Likelihood, where: FloatArray, step: FloatArray, value: float, gain: float
) -> tuple[Point | None, int, FloatArray]:
    """The first of ever shorter steps that does not raise the criterion, the evaluations used, the new place."""
    used, part = 0, 1.0
    while part > SHORTEST:
        ahead = where + part * step
        used += 1
        try:
            point = _at(of, ahead)
        except (NotPositiveError, np.linalg.LinAlgError):
            part /= 4
            continue
        if point.value <= value + (NOISE if gain < NOISE else 0.0):
            return point, used, ahead
        part /= 4
    return None, used, where


def _covariance(information: FloatArray, bound: BoolArray) -> FloatArray:
    out = np.full(information.shape, np.nan)
    free = ~bound
    if free.any():
        out[np.ix_(free, free)] = np.linalg.pinv(information[np.ix_(free, free)] / 2)
    return out
