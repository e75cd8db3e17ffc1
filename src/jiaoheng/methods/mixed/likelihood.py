"""The profile likelihood of nested random effects and its exact gradient, from group sums.

V/σ² = I + Σ over levels of Z G Z', G = Λ Λ'. Levels are eliminated from the inside: with E = Z'V⁻¹Z and F = Z'V⁻¹[X y] of
each unit under the levels already inside V, K = Λ(I + Λ'EΛ)⁻¹Λ',
    [X y]'V⁻¹[X y] loses F'KF,  log|V| gains log|I + Λ'EΛ|,  and what the next level sees is F − E K F.
With random intercepts these are the formulas of the value-added note (d = 1/(1+nθ), w = θd). Walking back outwards to
inwards gives M = Z'V⁻¹[X y] and Z'V⁻¹Z of every unit under the whole V, and with them the derivatives
    ∂[X y]'V⁻¹[X y]/∂G = −Σ M M',  ∂log|V|/∂G = Σ Z'V⁻¹Z.
Source: Bates, Mächler, Bolker & Walker (2015), JSS 67(1), for the profiled criterion; Harville (1977), JASA 72.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from jiaoheng.methods.effects_model import FloatArray, IntArray
from jiaoheng.methods.mixed.design import Design, Level

_TWO_PI = float(np.log(2 * np.pi))


@dataclass(slots=True)
class _Unit:
    """A level's working arrays. Lists run over the level's random terms; arrays have one row a unit."""

    level: Level
    before: list[FloatArray]  # F: (units, columns)
    k_before: list[FloatArray]  # K F
    k: list[list[FloatArray]]
    m: list[FloatArray]  # Z'V⁻¹[X y]
    e: list[list[FloatArray]]  # Z'V⁻¹Z
    reach: dict[int, list[list[FloatArray]]]  # by outer level: Z_unit'V⁻¹Z_outer under the levels inside the outer one
    cross: dict[int, list[list[FloatArray]]]  # by outer level: the same under the whole V


@dataclass(frozen=True, slots=True)
class Point:
    """The criterion at one Λ, its gradient by Λ (lower triangles, level by level), and what effects are made of."""

    criterion: float  # −2 log likelihood, standard columns
    gradient: tuple[FloatArray, ...]
    inner: FloatArray  # X'V⁻¹X of standard columns
    side: FloatArray  # X'V⁻¹y
    beta: FloatArray
    variance: float  # σ²
    rest: float  # r²: the residual quadratic form
    log_v: float
    levels: tuple[_Unit, ...]
    derivatives: tuple[tuple[FloatArray, FloatArray], ...]  # by level: Σ Z'V⁻¹Z (q,q), Σ M M' (q,q,columns,columns)


def evaluate(
    design: Design,
    factors: Sequence[FloatArray],
    *,
    reml: bool,
    gradient: bool = True,
    beta: FloatArray | None = None,
) -> Point:
    """The profiled criterion at Λ = factors (one lower triangle a level, innermost first).

    beta: coefficients of standard columns that are given and not profiled out (measurement error).
    """
    total = design.total.copy()
    strips = dict(design.strips)
    made: list[_Unit] = []
    log_v = -design.log_weights
    for at, (level, factor) in enumerate(zip(design.levels, factors, strict=True)):
        log_v += _eliminate(level, factor, total, strips, made, last=at == len(design.levels) - 1)
    p = design.predictors
    inner, side = total[:p, :p], total[:p, p]
    lower = scipy.linalg.cholesky(inner, lower=True, check_finite=False)
    half = scipy.linalg.solve_triangular(lower, side, lower=True, check_finite=False)
    if beta is None:
        beta = scipy.linalg.solve_triangular(lower, half, lower=True, trans=1, check_finite=False)
        rest = float(total[p, p] - half @ half)
        contrast = np.append(-beta, 1.0)
    else:
        contrast = np.append(-beta, 1.0)
        rest = float(contrast @ total @ contrast)
    df = design.n - p if reml else design.n
    criterion = log_v + df * (1 + _TWO_PI + np.log(rest / df))
    if reml:
        criterion += 2 * float(np.log(np.diag(lower)).sum())
    if not gradient:
        return Point(criterion, (), inner, side, beta, rest / df, rest, log_v, tuple(made), ())
    _walk_back(made)
    inverse = scipy.linalg.cho_solve((lower, True), np.eye(p), check_finite=False)
    gradients: list[FloatArray] = []
    derivatives: list[tuple[FloatArray, FloatArray]] = []
    for unit, factor in zip(made, factors, strict=True):
        traces, squares = _derivatives(unit)
        slope = traces - (df / rest) * (squares @ contrast @ contrast)
        if reml:
            slope -= np.einsum("abij,ij->ab", squares[:, :, :p, :p], inverse)
        gradients.append(np.tril(2 * slope @ factor))
        derivatives.append((traces, squares))
    return Point(
        criterion, tuple(gradients), inner, side, beta, rest / df, rest, log_v, tuple(made), tuple(derivatives)
    )


def _eliminate(
    level: Level,
    factor: FloatArray,
    total: FloatArray,
    strips: dict[int, FloatArray],
    made: list[_Unit],
    *,
    last: bool,
) -> float:
    """Take one level into V: changes `total` and `strips`, adds the level's arrays to `made`; returns log|I + Λ'EΛ|."""
    q = len(level.columns)
    before = [strips[column] for column in level.columns]
    e = [[before[b][:, column] for b in range(q)] for column in level.columns]
    if q == 1:
        ratio = float(factor[0, 0]) ** 2
        grown = 1 + ratio * e[0][0]
        k = [[ratio / grown]]
        gain = float(np.log(grown).sum())
        k_before = [k[0][0][:, None] * before[0]]
        after = [before[0] / grown[:, None]]
        e_after = [[e[0][0] / grown]]
    else:
        stacked = np.stack([np.stack(row, axis=-1) for row in e], axis=-2)
        core = np.eye(q) + factor.T @ stacked @ factor
        gain = float(np.linalg.slogdet(core)[1].sum())
        full = factor @ np.linalg.inv(core) @ factor.T
        k = [[full[:, a, b] for b in range(q)] for a in range(q)]
        k_before = [_sum(k[a][b][:, None] * before[b] for b in range(q)) for a in range(q)]
        after = [before[a] - _sum(e[a][b][:, None] * k_before[b] for b in range(q)) for a in range(q)]
        shrunk = stacked - stacked @ full @ stacked
        e_after = [[shrunk[:, a, b] for b in range(q)] for a in range(q)]
    for a in range(q):
        total -= before[a].T @ k_before[a]
    for column in list(strips):
        if last or level.up is None:
            continue
        if q == 1 and column == level.columns[0]:
            passed = after[0]
        else:
            passed = strips[column] - _sum(before[a] * k_before[a][:, column][:, None] for a in range(q))
        strips[column] = level.up @ passed
    made.append(_Unit(level, before, k_before, k, after, e_after, {}, {}))
    return gain


def _walk_back(made: list[_Unit]) -> None:
    """From V with the levels up to a unit's own to the whole V, outer levels first."""
    for at in range(len(made) - 1, -1, -1):
        unit = made[at]
        anchor = unit.level.parent
        q = len(unit.level.columns)
        anchors: dict[int, IntArray] = {}
        for outer_at in range(at + 1, len(made)):
            outer = made[outer_at]
            terms = range(len(outer.level.columns))
            reach = [[unit.m[a][:, column] for column in outer.level.columns] for a in range(q)]
            k_reach = [[_sum(outer.k[c][d][anchor] * reach[a][d] for d in terms) for c in terms] for a in range(q)]
            for a in range(q):
                for b in range(q):
                    unit.e[a][b] = unit.e[a][b] - _sum(k_reach[a][c] * reach[b][c] for c in terms)
                unit.m[a] = unit.m[a] - _sum(reach[a][c][:, None] * outer.k_before[c][anchor] for c in terms)
            for between, place in anchors.items():
                nearer = made[between].reach[outer_at]
                for a in range(q):
                    for b in range(len(nearer)):
                        gone = _sum(k_reach[a][c] * nearer[b][c][place] for c in terms)
                        unit.cross[between][a][b] = unit.cross[between][a][b] - gone
            unit.reach[outer_at] = reach
            unit.cross[outer_at] = [[unit.m[a][:, column] for column in outer.level.columns] for a in range(q)]
            anchors[outer_at] = anchor
            anchor = outer.level.parent[anchor] if outer.level.parent.size else anchor


def _sum(parts: Iterable[FloatArray]) -> FloatArray:
    """The sum of arrays, without a start of 0 that would copy."""
    whole: FloatArray | None = None
    for part in parts:
        whole = part if whole is None else whole + part
    assert whole is not None  # noqa: S101 (a level has at least one term)
    return whole


def _derivatives(unit: _Unit) -> tuple[FloatArray, FloatArray]:
    q = len(unit.level.columns)
    columns = unit.m[0].shape[1]
    traces = np.array([[unit.e[a][b].sum() for b in range(q)] for a in range(q)])
    squares = np.empty((q, q, columns, columns))
    for a in range(q):
        for b in range(q):
            product = unit.m[a].T @ unit.m[b]
            squares[a, b] = (product + product.T) / 2
    return traces, squares
