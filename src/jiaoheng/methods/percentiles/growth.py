"""Student growth percentiles: the share of pupils with the same start who ended lower, from quantile curves.

For τ = 0.005, 0.015 … 0.995 the outcome's quantile is a curve of the priors (`basis`); a pupil's percentile is the
number of the hundred curves that lie below the pupil's outcome, kept within 1 … 99. This is the convention of the R
package SGP (Betebenner 2009, Educational Measurement: Issues and Practice 28(4), 42–51). Curves may cross where few
pupils stand; sorted at each pupil they are monotone and never further from the truth (rearrangement: Chernozhukov,
Fernández-Val & Galichon 2010, Econometrica 78). Counting how many lie below is the same before and after sorting.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jiaoheng.methods.effects_columns import finite, floats
from jiaoheng.methods.effects_errors import EffectsDataError
from jiaoheng.methods.effects_model import FloatArray, IntArray, Warned
from jiaoheng.methods.percentiles.basis import Basis, basis_of
from jiaoheng.methods.percentiles.process import Process, fit_process

PERCENTILE_TAUS: tuple[float, ...] = tuple((2 * k + 1) / 200 for k in range(100))
LOWEST, HIGHEST = 1, 99
A_COEFFICIENT = 10  # pupils a coefficient of the curves needs at least
STEADY = 1000  # pupils below which the outermost curves are told to be unsteady
TOUCH = 1e-9  # of the outcome's spread: a curve through a pupil does not lie below the pupil
ROWS = 8192


@dataclass(frozen=True, slots=True)
class Curves:
    """Quantile curves for the pupils who have these priors (columns of the priors given)."""

    priors: tuple[int, ...]
    basis: Basis
    process: Process
    pupils: int  # fitted

    def raw(self, priors: FloatArray) -> FloatArray:
        """The curves at priors (m, all given priors): (m, quantiles), not yet sorted."""
        made: FloatArray = self.basis.columns(priors[:, self.priors]) @ self.process.b.T
        return made


@dataclass(frozen=True, slots=True)
class Growth:
    """Percentiles of n pupils: `percentile` 1–99, 0 where there is none; `model` the curves used (−1 none)."""

    percentile: IntArray
    model: IntArray
    curves: tuple[Curves, ...] = ()
    warnings: tuple[Warned, ...] = ()
    loss: float = float("nan")  # mean pinball loss over pupils and quantiles
    loss_without: float = float("nan")  # the same if every pupil were given the overall quantiles
    method: str = "sgp"
    details: dict[str, float] = field(default_factory=dict)

    def cuts(self, priors: Any) -> FloatArray:
        """The outcome at each quantile for pupils with these priors (m, k), monotone: (m, quantiles).

        NaN for pupils without any prior. Raises ValueError where the percentiles come from bands.
        """
        if not self.curves:
            raise ValueError("bands have no curves")
        given = _columns(priors)
        out = np.full((len(given), len(self.curves[0].process.taus)), np.nan)
        for m, rows in enumerate(_assigned(given, self.curves)):
            if len(rows):
                out[rows] = np.sort(self.curves[m].raw(given[rows]), axis=1)
        return out


def growth_percentiles(
    y: Any, priors: Any, *, names: Sequence[str] | None = None, taus: Sequence[float] = PERCENTILE_TAUS
) -> Growth:
    """Growth percentiles of y (n,) given priors (n, k) or (n,); NaN marks a prior that a pupil lacks.

    Pupils are taken by the set of priors they have; the curves of a set are fitted to all who have at least these.
    A set with too few pupils for its curves falls back on the largest part of it that has enough. `taus` rise within
    (0, 1); with the hundred of PERCENTILE_TAUS (or 0.01 … 0.99) counts are percentiles.
    Raises EffectsDataError: `no-prior`, `not-finite`, `outcome-constant`, `prior-constant`, `priors-collinear`,
    `too-few-pupils`, `lengths-differ`.
    """
    outcome, given, labels = checked(y, priors, names)
    grid = np.asarray(taus, dtype=np.float64)
    if len(grid) == 0 or not ((grid > 0) & (grid < 1)).all() or (np.diff(grid) <= 0).any():
        raise EffectsDataError("taus-wrong", "分位点应在 0 与 1 之间由小到大排列：请改正")
    curves = _all_curves(outcome, given, labels, grid.tolist())
    percentile = np.zeros(len(outcome), dtype=np.int64)
    model = np.full(len(outcome), -1, dtype=np.int64)
    crossed = 0
    for m, rows in enumerate(_assigned(given, curves)):
        model[rows] = m
        percentile[rows], more = _counts(curves[m], given[rows], outcome[rows])
        crossed += more
    losses = np.array([one.process.loss.mean() for one in curves])
    weights = np.array([one.pupils for one in curves], dtype=np.float64)
    without = _loss_without(outcome, grid)
    warnings = (*_told(curves, labels, model, given), *_unconverged(curves))
    details = {"crossing": crossed / max(int((model >= 0).sum()), 1)}
    return Growth(
        percentile, model, tuple(curves), warnings, float(losses @ weights / weights.sum()), without,
        details=details,
    )  # fmt: skip


def _loss_without(y: FloatArray, grid: FloatArray) -> float:
    """Mean pinball loss over the quantiles and pupils where every pupil is given the quantiles of all."""
    ordered = np.sort(y)
    at = np.quantile(ordered, grid)
    below = np.searchsorted(ordered, at)
    fallen = np.concatenate(([0.0], np.cumsum(ordered)))[below] - below * at
    return float(np.mean(grid * (ordered.sum() - len(y) * at) - fallen)) / len(y)


def checked(y: Any, priors: Any, names: Sequence[str] | None) -> tuple[FloatArray, FloatArray, tuple[str, ...]]:
    """Outcome, priors and their names as arrays. Raises EffectsDataError as `growth_percentiles` says."""
    outcome, given = floats(y, "结果"), _columns(priors)
    labels = tuple(names) if names is not None else tuple(f"起点{j + 1}" for j in range(given.shape[1]))
    if len(given) != len(outcome) or len(labels) != given.shape[1]:
        raise EffectsDataError(
            "lengths-differ", f"结果有 {len(outcome)} 行，起点有 {len(given)} 行 {given.shape[1]} 列：请核对"
        )
    if not given.shape[1] or not len(outcome) or np.isnan(given).all():
        raise EffectsDataError("no-prior", "没有任何学生的起点成绩：增长百分位要有起点，请补上起点列")
    finite(outcome, "结果")
    for label, prior in zip(labels, given.T, strict=True):
        if np.isinf(prior).any():
            finite(np.where(np.isnan(prior), 0.0, prior), label)
    if np.ptp(outcome) == 0:
        raise EffectsDataError("outcome-constant", f"所有学生的结果都是 {outcome[0]:g}：没有差异可以分析，请核对结果列")
    return outcome, given, labels


def _columns(priors: Any) -> FloatArray:
    """Priors (n, k) from a matrix, one column, or a sequence of columns such as a data frame's."""
    if hasattr(priors, "get_columns"):
        return np.column_stack([floats(one, "起点") for one in priors.get_columns()])
    made = floats(priors, "起点")
    return made.reshape(-1, 1) if made.ndim == 1 else made


def _all_curves(y: FloatArray, priors: FloatArray, names: tuple[str, ...], taus: list[float]) -> list[Curves]:
    """The curves of every set of priors that some pupils have, largest sets first."""
    has = ~np.isnan(priors)
    # a number for each pattern: unique rows of a matrix take many times as long
    numbers = has @ (1 << np.arange(has.shape[1])) if has.shape[1] <= 62 else np.arange(len(has))
    kinds = has[np.unique(numbers, return_index=True)[1]]
    wanted = sorted({tuple(np.flatnonzero(one).tolist()) for one in kinds} - {()}, key=_by_size)
    made: dict[tuple[int, ...], Curves] = {}
    while wanted:
        chosen = wanted.pop(0)
        if chosen in made:
            continue
        rows = has[:, chosen].all(axis=1)
        labels = tuple(names[j] for j in chosen)
        # seven functions a prior and the constant
        if int(rows.sum()) >= A_COEFFICIENT * (7 * len(chosen) + 1):
            start = priors[rows][:, chosen]
            basis, columns = basis_of(start, labels)
            made[chosen] = Curves(chosen, basis, fit_process(columns, y[rows], taus), len(start))
        elif len(chosen) > 1:
            wanted = sorted({*wanted, *(chosen[:j] + chosen[j + 1 :] for j in range(len(chosen)))}, key=_by_size)
    if not made:
        raise EffectsDataError(
            "too-few-pupils",
            f"有起点和结果的学生最多 {int(has.sum(axis=0).max())} 名：曲线至少要 {A_COEFFICIENT * 8} 名，"
            "请用分段法（bands）或补数据",
        )
    return list(made.values())


def _by_size(chosen: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    return -len(chosen), chosen


def _assigned(priors: FloatArray, curves: Sequence[Curves]) -> list[IntArray]:
    """The rows of each model: a pupil takes the first (largest) set of priors that the pupil has."""
    has = ~np.isnan(priors)
    left = np.ones(len(priors), dtype=bool)
    out = []
    for one in curves:
        mine = left & has[:, one.priors].all(axis=1)
        left &= ~mine
        out.append(np.flatnonzero(mine))
    return out


def _counts(curves: Curves, priors: FloatArray, y: FloatArray) -> tuple[IntArray, int]:
    """Percentiles of pupils, and how many pupils' curves crossed."""
    taus = len(curves.process.taus)
    below = np.zeros(len(y), dtype=np.int64)
    touch = TOUCH * float(np.ptp(y)) if len(y) else 0.0

    def count(start: int) -> int:
        part = slice(start, start + ROWS)
        raw = curves.raw(priors[part])
        below[part] = np.count_nonzero(raw < y[part, None] - touch, axis=1)
        return int((np.diff(raw, axis=1) < -touch).any(axis=1).sum())

    with ThreadPoolExecutor(2) as pool:
        crossed = sum(pool.map(count, range(0, len(y), ROWS)))
    share = below if taus in (99, 100) else np.rint(below * 100 / taus).astype(np.int64)
    return np.clip(share, LOWEST, HIGHEST), crossed


def _told(curves: Sequence[Curves], names: tuple[str, ...], model: IntArray, priors: FloatArray) -> list[Warned]:
    out = []
    lost = int((model < 0).sum())
    if lost:
        out.append(Warned("prior-missing", f"{lost} 名学生没有可用的起点成绩：没有增长百分位，请补上起点"))
    partial = int((np.isnan(priors).any(axis=1) & (model >= 0)).sum())
    if partial:
        out.append(Warned("prior-partial", f"{partial} 名学生缺部分起点：按其现有的起点另行拟合"))
    out += [
        Warned(
            "few-pupils",
            f"以“{'”“'.join(names[j] for j in one.priors)}”为起点的只有 {one.pupils} 名学生（宜在 {STEADY} 名以上）："
            "接近 1 和 99 的百分位不稳定",
        )
        for one in curves
        if one.pupils < STEADY
    ]
    return out


def _unconverged(curves: Sequence[Curves]) -> list[Warned]:
    bad = [float(tau) for one in curves for tau in one.process.taus[~one.process.converged]]
    if not bad:
        return []
    shown = "、".join(f"{tau:g}" for tau in bad[:5])
    return [Warned("not-converged", f"分位点 {shown} 等 {len(bad)} 条曲线未收敛：这些百分位不可靠，请核对起点和结果")]
