"""Priors measured with error: coefficients as they would be for the true priors.

Observed x = true + e with Cov(e) = Σ. Then X'V⁻¹X is larger than that of the true priors by E[e'V⁻¹e] = tr(V⁻¹)·Σ, which is
taken off: β = (X'V⁻¹X − tr(V⁻¹)Σ)⁻¹ X'V⁻¹y. Uncorrected, slopes are too small and schools with a strong intake get credit
for it. The variances are those of the residuals y − Xβ; β and they are found in turns until neither moves. The covariance
of β is the sandwich with middle σ²X'V⁻¹X + tr(V⁻²)·Σββ'Σ.
Source: Woodhouse, Yang, Goldstein & Rasbash (1996), JRSS A 159, 201–212; Fuller (1987), Measurement Error Models, §2.2.
tr(V⁻¹) is exact; random slopes are not supported (their trace needs every pupil's own prior).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from jiaoheng.methods.effects_errors import EffectsDataError
from jiaoheng.methods.effects_model import FloatArray
from jiaoheng.methods.mixed.design import Design
from jiaoheng.methods.mixed.likelihood import Point
from jiaoheng.methods.mixed.search import Found, search

_TURNS = 60
_STILL = 1e-9


@dataclass(frozen=True, slots=True)
class Corrected:
    """Coefficients of standard columns, their covariance relative to σ², and the variances that go with them."""

    beta: FloatArray
    covariance: FloatArray
    found: Found
    settled: bool


def error_variances(design: Design, reliability: Mapping[str, float]) -> dict[str, float]:
    """Error variances (raw unit²) of priors from their reliabilities: (1 − reliability) × observed variance."""
    sums = design.sums
    made: dict[str, float] = {}
    for name, value in reliability.items():
        if name not in sums.columns[1:-1]:
            raise EffectsDataError("no-prior-column", f"信度所指的“{name}”不在模型的起点成绩中")
        if not 0 < value <= 1:
            raise EffectsDataError("reliability", f"“{name}”的信度 {value:g} 应在 0 与 1 之间")
        at = sums.columns.index(name)
        total = sums.total(sums.with_prior(name))
        made[name] = (1 - value) * (total[at, at] / total[0, 0] - (total[0, at] / total[0, 0]) ** 2)
    return made


def corrected(design: Design, errors: Mapping[str, float], *, reml: bool) -> Corrected:
    """The model for the true priors, given the error variance of each (raw unit²).

    Raises EffectsDataError `reliability` where more error is claimed than the priors leave room for, `slope-and-error`
    with random slopes.
    """
    if any(len(level.terms) > 1 for level in design.levels):
        raise EffectsDataError("slope-and-error", "测量误差校正不能与随机斜率同时使用，请去掉其中一个")
    sigma = np.zeros((len(design.sums.columns),) * 2)
    for name, value in errors.items():
        sigma[(design.sums.columns.index(name),) * 2] = value
    p = design.predictors
    blocks = {}
    for mask, matrix in design.maps.items():
        own = (design.transform @ matrix)[:p]
        blocks[mask] = own @ sigma @ own.T
    found = search(design, reml=reml)
    beta = found.point.beta
    settled = False
    for _ in range(_TURNS):
        new = _coefficients(design, found.point, blocks)[0]
        moved = float(np.abs(new - beta).max())
        beta = new
        if moved < _STILL:
            settled = True
            break
        found = search(design, reml=reml, beta=beta, start=found.factors)
    lean, solved = _coefficients(design, found.point, blocks)
    middle = found.point.inner.copy()
    for mask, block in blocks.items():
        pull = block @ lean
        middle += _traces(design, found.point)[mask][1] * np.outer(pull, pull) / found.point.variance
    return Corrected(lean, solved @ middle @ solved, found, settled)


def _coefficients(design: Design, point: Point, blocks: Mapping[int, FloatArray]) -> tuple[FloatArray, FloatArray]:
    """β of the true priors, and the inverse of their X'V⁻¹X."""
    inner = point.inner.copy()
    traces = _traces(design, point)
    for mask, block in blocks.items():
        inner -= traces[mask][0] * block
    if np.linalg.eigvalsh(inner)[0] <= 1e-6 * np.linalg.eigvalsh(point.inner)[0]:
        text = "所给的信度太低：扣除误差后，起点成绩之间没有剩下可用的差异。请核对信度，或只保留一个起点成绩"
        raise EffectsDataError("reliability", text)
    inverse = np.asarray(np.linalg.inv(inner), np.float64)
    return inverse @ point.side, inverse


def _traces(design: Design, point: Point) -> dict[int, tuple[float, float]]:
    """By pattern: Σ over its pupils of the diagonals of V⁻¹ and V⁻², without the weight that `maps` carry already.

    Within an innermost unit V⁻¹ = W − h·ww', with h gathered level by level.
    """
    levels = point.levels
    h = np.zeros(levels[0].level.units)
    grown = np.ones(levels[0].level.units)
    anchor = np.arange(levels[0].level.units)
    for at, unit in enumerate(levels):
        k = unit.k[0][0][anchor]
        h = h + k * grown**2
        # the vector of ones as the next level sees it: w·Π d
        before = unit.before[0][:, unit.level.columns[0]][anchor]
        grown = grown * (1 - k * before)
        if at + 1 < len(levels):
            anchor = unit.level.parent[anchor]
    own = h[design.unit_of_cell]
    weight = design.sums.products[0]
    squares = weight if design.sums.square_weights is None else design.sums.square_weights
    made = {}
    for mask in design.maps:
        cells = design.pattern == mask
        w = design.pattern_weight[mask]
        first = float((weight[cells] - w * own[cells] * squares[cells]).sum())
        second = float((w * squares[cells] * (1 - 2 * w * own[cells])).sum())
        made[mask] = (first, second)
    return made
