"""The search for the variance ratios: quasi-Newton on Λ with exact gradients, then Newton to full precision.

Λ is searched without bounds: its columns may change sign without changing the model, so a variance at 0 is an ordinary
point with gradient 0. Where the best Λ has a diagonal entry at 0 the fit is on the boundary, which is a result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jiaoheng.methods.effects_model import FloatArray
from jiaoheng.methods.mixed.design import Design
from jiaoheng.methods.mixed.likelihood import Point, evaluate

Function = Callable[[FloatArray], tuple[float, FloatArray]]
BoolArray = npt.NDArray[np.bool_]

_SMALL = 1e-4  # a relative standard deviation below this counts as 0 (the same limit as lme4's isSingular)
_START = 0.3
_TURNS = 200
_FLAT = 1e-6  # of the gradient by pupil; Newton's steps do the rest
_FARTHEST = 0.5  # of one step
_STEP = 1e-5  # of the differences of the gradient


@dataclass(frozen=True, slots=True)
class Found:
    """Where the search ended. `free`: which entries of the parameter lie inside the space."""

    factors: tuple[FloatArray, ...]
    point: Point
    free: BoolArray
    hessian: FloatArray  # of the criterion by the free entries of Λ
    evaluations: int
    converged: bool


def shape_of(design: Design) -> list[int]:
    """Number of random terms of each level, innermost first."""
    return [len(level.terms) for level in design.levels]


def packed(factors: Sequence[FloatArray]) -> FloatArray:
    """The lower triangles in one vector."""
    return np.concatenate([factor[np.tril_indices(len(factor))] for factor in factors])


def factors_of(values: FloatArray, sizes: Sequence[int]) -> tuple[FloatArray, ...]:
    """Lower triangles from one vector."""
    made, at = [], 0
    for size in sizes:
        factor = np.zeros((size, size))
        count = size * (size + 1) // 2
        factor[np.tril_indices(size)] = values[at : at + count]
        made.append(factor)
        at += count
    return tuple(made)


def _diagonal(sizes: Sequence[int]) -> BoolArray:
    return np.asarray(packed([np.eye(size) for size in sizes]).astype(np.bool_))


def search(
    design: Design, *, reml: bool, beta: FloatArray | None = None, start: Sequence[FloatArray] | None = None
) -> Found:
    """The Λ of the smallest criterion. beta: given coefficients; start: where to begin."""
    sizes = shape_of(design)
    diagonal = _diagonal(sizes)
    count = 0
    latest: dict[bytes, Point] = {}

    def at(values: FloatArray) -> tuple[float, FloatArray]:
        nonlocal count
        key = values.tobytes()
        point = latest.get(key)
        if point is None:
            count += 1
            point = evaluate(design, factors_of(values, sizes), reml=reml, beta=beta)
            latest.clear()  # one point's arrays at a time
            latest[key] = point
        # by pupil: the search's limits then mean the same for a school and for a province
        return point.criterion / design.n, packed(point.gradient) / design.n

    values = np.where(diagonal, _START, 0.0) if start is None else packed(start)
    values = np.where(
        diagonal & (np.abs(values) < 10 * _SMALL), _START / 3, values
    )  # 0 is stationary whatever the data
    values, converged = _descend(at, values)
    values, fixed = _to_boundary(at, values, diagonal)
    free = ~fixed
    hessian = np.zeros((int(free.sum()), int(free.sum())))
    if free.any():
        values, hessian = _polish(at, values, free)
    values = packed([_canonical(factor) for factor in factors_of(values, sizes)])
    factors = factors_of(values, sizes)
    at(values)
    point = latest[values.tobytes()]
    end = packed(point.gradient)[free] / design.n
    converged = bool(np.abs(end).max(initial=0.0) < 1e-6) or converged
    return Found(factors, point, free, hessian * design.n, count, converged)


def _descend(at: Function, values: FloatArray) -> tuple[FloatArray, bool]:
    """BFGS with the first Hessian from differences of the gradient; few parameters, so nothing heavier is needed."""
    value, gradient = at(values)
    hessian = _positive(_hessian(at, values, gradient, np.ones(values.size, np.bool_)))
    for _ in range(_TURNS):
        if np.abs(gradient).max() < _FLAT:
            return values, True
        step = -np.linalg.solve(hessian, gradient)
        step *= min(1.0, _FARTHEST / max(float(np.abs(step).max()), 1e-300))
        slope = float(gradient @ step)
        length = 1.0
        for _ in range(40):
            tried = values + length * step
            new_value, new_gradient = at(tried)
            if np.isfinite(new_value) and new_value <= value + 1e-4 * length * slope:
                break
            if abs(length * slope) < 1e-15 * max(abs(value), 1.0):
                return values, True  # no digits are left to tell the two apart
            length /= 2
        else:
            return values, False
        moved, change = tried - values, new_gradient - gradient
        values, value, gradient = tried, new_value, new_gradient
        hessian = _updated(hessian, moved, change)
    return values, False


def _updated(hessian: FloatArray, moved: FloatArray, change: FloatArray) -> FloatArray:
    """Powell's damped BFGS: stays positive where the criterion curves the other way."""
    pushed = hessian @ moved
    along = float(moved @ pushed)
    if float(moved @ change) < 0.2 * along:
        share = 0.8 * along / (along - float(moved @ change))
        change = share * change + (1 - share) * pushed
    new: FloatArray = hessian - np.outer(pushed, pushed) / along + np.outer(change, change) / float(moved @ change)
    return new


def _positive(hessian: FloatArray) -> FloatArray:
    """The same curvatures, all made positive."""
    roots, turn = np.linalg.eigh(hessian)
    size = np.maximum(np.abs(roots), 1e-3 * max(float(np.abs(roots).max()), 1e-8))
    made: FloatArray = (turn * size) @ turn.T
    return made


def _to_boundary(at: Function, values: FloatArray, diagonal: BoolArray) -> tuple[FloatArray, BoolArray]:
    """Diagonal entries that the search drove to 0 are set to 0 where the criterion is no worse for it."""
    fixed = np.zeros(values.size, np.bool_)
    small = np.flatnonzero(diagonal & (np.abs(values) < 30 * _SMALL))
    if not small.size:
        return values, fixed
    value = at(values)[0]
    for entry in small:
        tried = values.copy()
        tried[entry] = 0.0
        if at(tried)[0] <= value + 1e-10 * max(abs(value), 1e-3):
            values = tried
            fixed[entry] = True
    return values, fixed


def _hessian(at: Function, values: FloatArray, gradient: FloatArray, free: BoolArray) -> FloatArray:
    """Differences of the exact gradient, by the free entries."""
    entries = np.flatnonzero(free)
    columns = []
    for entry in entries:
        moved = values.copy()
        moved[entry] += _STEP
        columns.append((at(moved)[1] - gradient)[free] / _STEP)
    matrix = np.array(columns)
    found: FloatArray = (matrix + matrix.T) / 2
    return found


def _polish(at: Function, values: FloatArray, free: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Newton's steps to full precision with one Hessian; it is renewed where the first step was long."""
    value, gradient = at(values)
    hessian = _hessian(at, values, gradient, free)
    for _ in range(8):
        step = _newton(hessian, gradient[free])
        if step is None or not np.isfinite(step).all():
            break
        tried = values.copy()
        tried[free] += step
        new_value, new_gradient = at(tried)
        if new_value > value + 1e-13 * abs(value):
            break
        values, value, gradient = tried, new_value, new_gradient
        longest = float(np.abs(step).max())
        if longest < 1e-8:
            break
        if longest > 1e-3:
            hessian = _hessian(at, values, gradient, free)
    return values, hessian


def _newton(hessian: FloatArray, gradient: FloatArray) -> FloatArray | None:
    try:
        lower = np.linalg.cholesky(hessian)
    except np.linalg.LinAlgError:
        return None
    step: FloatArray = -np.linalg.solve(lower.T, np.linalg.solve(lower, gradient))
    return step


def _canonical(factor: FloatArray) -> FloatArray:
    """Columns with positive diagonals."""
    signs = np.where(np.diag(factor) < 0, -1.0, 1.0)
    return factor * signs
