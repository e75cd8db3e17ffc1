"""Predicted effects of units with their uncertainty.

û = G Z'V⁻¹(y − Xβ̂). Given β and the variances its posterior variance is σ²(G − G Z'V⁻¹Z G): what lme4 calls the
conditional variance. β̂ is estimated too, which adds σ² G M(X'V⁻¹X)⁻¹M' G (M = Z'V⁻¹X); the prediction error that
results is what intervals and reliabilities are made of. Source: Henderson (1975), Biometrics 31; Robinson (1991),
Statistical Science 6 (posterior variance and prediction error).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import scipy.linalg

from jiaoheng.methods.effects_model import Effects, FloatArray, IntArray
from jiaoheng.methods.mixed.design import Design, Level
from jiaoheng.methods.mixed.group_sums import INTERCEPT
from jiaoheng.methods.mixed.likelihood import Point


class Paths(Sequence[tuple[str, ...]]):
    """The key paths of a level's units, read from the cells' keys when asked for."""

    def __init__(self, keys: Sequence[Sequence[str]], cells: IntArray) -> None:
        self._keys = keys
        self._cells = cells

    def __len__(self) -> int:
        return int(self._cells.size)

    def __getitem__(self, at):  # type: ignore[no-untyped-def]
        if isinstance(at, slice):
            return [self[k] for k in range(*at.indices(len(self)))]
        cell = int(self._cells[at])
        return tuple(str(key[cell]) for key in self._keys)


def paths(design: Design, level: Level) -> Paths:
    """The units of a level as paths of keys, outermost first."""
    depth = design.sums.levels.index(level.name) + 1
    return Paths(design.sums.keys[:depth], level.first_cell)


def raw_terms(design: Design, level: Level) -> FloatArray:
    """T with u = T v: random terms of the raw columns (in the outcome's unit) from those of the standard columns."""
    scale_y = 1 / design.transform[-1, -1]
    block = design.transform[np.ix_(level.columns, level.columns)]
    unshift = np.eye(len(level.columns))
    for at, name in enumerate(level.terms[1:], 1):
        unshift[0, at] = -design.sums.shifts[design.sums.columns.index(name)]
    # z = block @ column, so z'v = column' block' v; and the column is the raw one less its shift
    turn: FloatArray = unshift @ block.T * scale_y
    return turn


def effects_of(
    design: Design,
    point: Point,
    factors: Sequence[FloatArray],
    *,
    least: float | Mapping[str, float] = 0,
    beta: FloatArray | None = None,
    beta_covariance: FloatArray | None = None,
    variance: float | None = None,
) -> tuple[Effects, ...]:
    """Effects of every level and term, outermost level first, in the outcome's unit.

    beta, beta_covariance, variance: of standard columns, where they are not those of `point` (measurement error);
    beta_covariance is relative to σ².
    """
    p = design.predictors
    sigma2 = point.variance if variance is None else variance
    contrast = np.append(-(point.beta if beta is None else beta), 1.0)
    around = scipy.linalg.inv(point.inner) if beta_covariance is None else beta_covariance
    made: list[Effects] = []
    for unit, factor in zip(reversed(point.levels), reversed(factors), strict=True):
        level, q = unit.level, len(unit.level.terms)
        g = factor @ factor.T
        turn = raw_terms(design, level)
        left = turn @ g  # û = left · Z'V⁻¹(y − Xβ)
        force = np.stack([m @ contrast for m in unit.m])
        estimate = left @ force
        prior = sigma2 * turn @ g @ turn.T
        for a in range(q):
            shrink = sum(left[a, b] * left[a, c] * unit.e[b][c] for b in range(q) for c in range(q))
            posterior = prior[a, a] - sigma2 * shrink
            lean = sum(left[a, b] * unit.m[b][:, :p] for b in range(q))
            error = posterior + sigma2 * ((lean @ around) * lean).sum(axis=1)
            whole = max(float(prior[a, a]), 0.0)
            posterior = np.clip(posterior, 0.0, whole)
            error = np.maximum(error, posterior)
            with np.errstate(divide="ignore", invalid="ignore"):
                reliability = np.where(whole > 0, np.clip(1 - error / whole, 0, 1), 0.0)
            made.append(
                Effects(
                    level=level.name,
                    units=paths(design, level),
                    n=level.n,
                    estimate=estimate[a],
                    se=np.sqrt(error),
                    reliability=reliability,
                    term=level.terms[a] if a else INTERCEPT,
                    conditional_sd=np.sqrt(posterior),
                    least=least.get(level.name, 0) if isinstance(least, Mapping) else least,
                )
            )
    return tuple(made)
