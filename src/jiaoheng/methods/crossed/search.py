"""The search for variance ratios and persistences: Newton steps by the average information, bounded below.

A ratio may end on its bound: that is a result (the factor explains nothing), not a failure. During the search the bound
is a tiny positive number, so that gradients there are those of the limit; it is set to zero at the end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jiaoheng.methods.crossed.layout import NotPositiveError
from jiaoheng.methods.crossed.likelihood import Likelihood, Point
from jiaoheng.methods.crossed.slopes import slope
from jiaoheng.methods.effects_model import FloatArray

FLOOR = 1e-10  # of a variance ratio; 1 − diag(S⁻¹) still has seven digits there
START_RATIO = 0.1
START_ALPHA = 0.5
STEP = 10.0  # a ratio grows or falls by no more than this in one step
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
    while evaluations < most:
        found = slope(of, point)
        information = found.information
        bound = (where <= low * 1.0001) & (found.gradient > 0)
        step, gain = _step(found.gradient, information, ~bound)
        if gain < GAIN:
            converged = True
            break
        ahead, used, where_ahead = _advance(of, where, step, low, point.value, gain)
        evaluations += used
        if ahead is None:
            converged = gain < NOISE
            break
        point, where = ahead, where_ahead
    bound |= where <= low * 10
    if bound.any():
        point = _at(of, np.where(bound, 0.0, where))
    return Found(point, converged, evaluations, tuple(bound.tolist()), _covariance(information, bound))


def _at(of: Likelihood, where: FloatArray) -> Point:
    factors = len(of.design.factors)
    return of.at(where[:factors], where[factors:])


def _step(gradient: FloatArray, information: FloatArray, free: np.ndarray) -> tuple[FloatArray, float]:
    """The Newton step in the free parameters and what it should win."""
    step = np.zeros_like(gradient)
    if not free.any():
        return step, 0.0
    h = information[np.ix_(free, free)]
    size = np.sqrt(np.maximum(h.diagonal(), 1e-300))
    values, vectors = np.linalg.eigh(h / np.outer(size, size))
    values = np.maximum(values, 1e-8)
    scaled = vectors.T @ (gradient[free] / size)
    step[free] = -(vectors @ (scaled / values)) / size
    return step, float(scaled @ (scaled / values)) / 2


def _advance(
    of: Likelihood, where: FloatArray, step: FloatArray, low: FloatArray, value: float, gain: float
) -> tuple[Point | None, int, FloatArray]:
    """The first of ever shorter steps that does not raise the criterion, the evaluations used, the new place."""
    positive = np.isfinite(low)
    used, part = 0, 1.0
    while part > 1e-6:
        ahead = where + part * step
        bounded = np.clip(ahead, np.maximum(low, where / STEP), where * STEP)
        ahead = np.where(positive, bounded, np.clip(ahead, where - 1, where + 1))
        used += 1
        try:
            point = _at(of, ahead)
        except (NotPositiveError, np.linalg.LinAlgError):
            part /= 4
            continue
        if point.value <= value + NOISE * 0.1 or (gain < NOISE and point.value <= value + NOISE):
            return point, used, ahead
        part /= 4
    return None, used, where


def _covariance(information: FloatArray, bound: np.ndarray) -> FloatArray:
    out = np.full(information.shape, np.nan)
    free = ~bound
    if free.any():
        out[np.ix_(free, free)] = np.linalg.pinv(information[np.ix_(free, free)] / 2)
    return out
