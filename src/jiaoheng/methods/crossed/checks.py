"""What a crossed model can not be fitted to: refused with a named error; what a reader must know: a named warning."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from scipy.linalg import qr

from jiaoheng.methods.crossed.factors import Factor
from jiaoheng.methods.effects_columns import finite
from jiaoheng.methods.effects_errors import EffectsDataError
from jiaoheng.methods.effects_model import FloatArray, Warned

DEPENDENT = 1e-9  # of a standardised column's length that the others leave unexplained


def refuse(y: FloatArray, x: FloatArray, names: Sequence[str], factors: Sequence[Factor], weights: FloatArray) -> None:
    """Raises EffectsDataError where the model has no answer for these rows (all of positive weight)."""
    finite(y, "结果")
    for name, column in zip(names, x.T, strict=True):
        finite(column, name)
    if len(y) <= x.shape[1] + 2:
        raise EffectsDataError(
            "too-few-rows", f"只有 {len(y)} 行，协变量有 {x.shape[1]} 个：行数应更多，请补数据或减少协变量"
        )
    if np.ptp(y) == 0:
        raise EffectsDataError("outcome-constant", f"所有学生的结果都是 {y[0]:g}：没有差异可以分析，请核对结果列")
    _covariates(x, names, weights)
    for one in factors:
        if len(one.levels) < 2:
            raise EffectsDataError(
                "one-level", f"“{one.name}”只有 1 个（{one.levels[0]}）：至少要有 2 个才能比较，请去掉这一层"
            )
        if one.simple and len(one.levels) == len(y):
            raise EffectsDataError(
                "level-per-row", f"每个“{one.name}”只有 1 行：它和个体误差分不开，请去掉这一层或补多次成绩"
            )
    _same(factors)


def _covariates(x: FloatArray, names: Sequence[str], weights: FloatArray) -> None:
    centred = (x - weights @ x / weights.sum()) * np.sqrt(weights)[:, None]
    length = np.sqrt((centred**2).sum(axis=0))
    size = np.sqrt((x**2 * weights[:, None]).sum(axis=0))
    for name, long, whole in zip(names, length, size, strict=True):
        if long <= DEPENDENT * max(whole, 1e-300):
            raise EffectsDataError("covariate-constant", f"协变量“{name}”对所有学生都相同：没有信息，请去掉它")
    if not len(names):
        return
    _, r, order = qr(centred / length, mode="economic", pivoting=True)
    left = np.abs(np.diag(r))
    if (left < DEPENDENT).any():
        bad = [names[order[i]] for i in np.flatnonzero(left < DEPENDENT)]
        raise EffectsDataError(
            "covariates-collinear", f"协变量“{'”“'.join(bad)}”可由其余协变量算出（共线）：去掉其中之一再算"
        )


def _same(factors: Sequence[Factor]) -> None:
    """Two factors that part the rows alike can not be told apart."""
    simple = [one for one in factors if one.simple]
    for i, one in enumerate(simple):
        for other in simple[:i]:
            if len(one.levels) != len(other.levels):
                continue
            pairs = np.unique(one.level * len(other.levels) + other.level)
            if len(pairs) == len(one.levels):
                raise EffectsDataError(
                    "same-groups", f"“{other.name}”和“{one.name}”的划分完全相同：两者的作用分不开，请去掉其中一层"
                )


def notes(factors: Sequence[Factor], n: int, dropped: int) -> list[Warned]:
    """Warnings that the data alone give."""
    out = []
    if dropped:
        out.append(Warned("weight-zero", f"有 {dropped} 行权重为 0：未参加计算"))
    for one in factors:
        if not one.simple:
            continue
        single = int((np.bincount(one.level, minlength=len(one.levels)) == 1).sum())
        if single and single < len(one.levels) and single * 2 > len(one.levels):
            out.append(
                Warned(
                    "mostly-single", f"“{one.name}”中 {single} 个（共 {len(one.levels)} 个）只有 1 行：它们的信息很少"
                )
            )
    parts = components(factors, n)
    if len(factors) > 1 and parts > 1:
        out.append(
            Warned(
                "separate-groups",
                f"数据分成互不相连的 {parts} 组：组与组之间没有共同的学生或教师，跨组比较只靠“平均水平相同”这一假设",
            )
        )
    return out


def components(factors: Sequence[Factor], n: int) -> int:
    """How many groups of rows share no level of any factor."""
    offset, rows, columns = n, [], []
    for one in factors:
        rows.append(one.row)
        columns.append(one.level + offset)
        offset += len(one.levels)
    row, column = np.concatenate(rows), np.concatenate(columns)
    graph = sp.coo_matrix((np.ones(len(row)), (row, column)), shape=(offset, offset))
    _, label = sp.csgraph.connected_components(graph, directed=False)
    return len(np.unique(label[:n]))
