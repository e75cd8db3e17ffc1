"""Fits a crossed or multiple-membership model: checks, arrays, search, result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from jiaoheng.methods.crossed.checks import notes, refuse
from jiaoheng.methods.crossed.communities import communities, spread
from jiaoheng.methods.crossed.design import build
from jiaoheng.methods.crossed.factors import Factor
from jiaoheng.methods.crossed.layout import layout
from jiaoheng.methods.crossed.likelihood import Likelihood
from jiaoheng.methods.crossed.results import fit_of
from jiaoheng.methods.crossed.search import MAX_EVALUATIONS, search
from jiaoheng.methods.effects_columns import floats
from jiaoheng.methods.effects_errors import EffectsDataError
from jiaoheng.methods.effects_model import Fit, FloatArray


def fit_crossed(
    y: Any,
    x: Any,
    factors: Sequence[Factor],
    *,
    weights: Any = None,
    names: Sequence[str] | None = None,
    criterion: str = "REML",
    least: float = 0.0,
    most_evaluations: int = MAX_EVALUATIONS,
) -> Fit:
    """y = β₀ + xβ + Σ_f Z_f u_f + e with u_f ~ N(0, σ²_f), e ~ N(0, σ²/w), by REML or ML.

    y (n,); x (n, p) without the constant (None or p = 0: the constant alone); weights (n,) ≥ 0, rows of weight 0 are
    left out and counted in a warning; names (p,) for the coefficients and messages. One `Effects` a factor in the order
    given, in the unit of y. Estimated persistences stand last in `Fit.fixed`.
    A variance of zero is named `singular`; a search without end `not-converged` with `Fit.converged` False.
    Raises EffectsDataError (codes in `checks` and `factors`).
    """
    outcome = floats(y, "结果")
    n = len(outcome)
    columns = np.zeros((n, 0)) if x is None else floats(x, "协变量")
    columns = columns.reshape(n, -1) if columns.ndim == 1 else columns
    labels = list(names) if names is not None else [f"x{j + 1}" for j in range(columns.shape[1])]
    precision = np.ones(n) if weights is None else floats(weights, "权重")
    _shapes(n, columns, labels, factors, precision, criterion)
    kept = precision > 0
    dropped = int((~kept).sum())
    if dropped:
        factors = [_kept(one, kept) for one in factors]
        outcome, columns, precision = outcome[kept], columns[kept], precision[kept]
    refuse(outcome, columns, labels, factors, precision)
    design = build(outcome, columns, labels, factors, precision)
    division = communities(design)
    if len(division.explicit):
        design = build(outcome, columns, labels, factors, precision, division.explicit)
    of = Likelihood(design, layout(spread(design, division)), reml=criterion == "REML")
    return fit_of(of, search(of, most_evaluations), least, notes(factors, len(outcome), dropped))


def _shapes(
    n: int, x: FloatArray, names: list[str], factors: Sequence[Factor], weights: FloatArray, criterion: str
) -> None:
    if criterion not in ("REML", "ML"):
        raise EffectsDataError("criterion-wrong", f"准则是 {criterion}：应为 REML 或 ML，请改正")
    if not factors:
        raise EffectsDataError("no-groups", "没有给出学校、教师或学生等分组：至少要有一个，请补上")
    if len(x) != n or len(names) != x.shape[1] or len(weights) != n or any(one.n_rows != n for one in factors):
        raise EffectsDataError("lengths-differ", f"结果有 {n} 行，其他列的行数（或名称个数）与它不同：请核对")
    bad = ~(weights >= 0) | ~np.isfinite(weights)
    if bad.any():
        at = int(bad.argmax())
        raise EffectsDataError("weight-wrong", f"权重第 {at + 1} 行是 {weights[at]:g}：应为不小于 0 的数，请改正")


def _kept(one: Factor, rows: np.ndarray) -> Factor:
    """The factor of the rows that are kept; levels without rows stay out."""
    links = rows[one.row]
    number = np.cumsum(rows) - 1
    used, level = np.unique(one.level[links], return_inverse=True)
    return replace(
        one,
        levels=[one.levels[int(i)] for i in used],
        n_rows=int(rows.sum()),
        row=number[one.row[links]],
        level=level.astype(np.int64),
        share=one.share[links],
        lag=one.lag[links],
    )
