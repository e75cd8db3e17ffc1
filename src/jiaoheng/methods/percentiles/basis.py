"""The B-spline basis of the priors: cubic, knots at 20, 40, 60 and 80 % of each prior, additive over priors.

Boundary knots stand a tenth of the range beyond the lowest and highest prior of the fitted pupils, as in the R package
SGP (Betebenner et al.), so that the outermost polynomial pieces are supported inside their knots. A later prior beyond
the boundary is taken at the boundary: no cubic is extrapolated. Of the eight functions of a prior the first is left
out, since they add up to the constant.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import BSpline
from scipy.linalg import qr

from jiaoheng.methods.effects_errors import EffectsDataError
from jiaoheng.methods.effects_model import FloatArray

KNOTS = (0.2, 0.4, 0.6, 0.8)
MARGIN = 0.1  # of the range, beyond each end
DEGREE = 3
DEPENDENT = 1e-10


@dataclass(frozen=True, slots=True)
class Basis:
    """Knots of each prior (boundaries with their repeats)."""

    knots: tuple[FloatArray, ...]

    def columns(self, priors: FloatArray) -> FloatArray:
        """The constant and the splines at priors (n, k): (n, 1 + Σ(functions − 1)), C-ordered."""
        parts = [np.ones((len(priors), 1))]
        for prior, knots in zip(priors.T, self.knots, strict=True):
            inside = np.clip(prior, knots[0], knots[-1])
            parts.append(BSpline.design_matrix(inside, knots, DEGREE).toarray()[:, 1:])
        return np.ascontiguousarray(np.concatenate(parts, axis=1))


def basis_of(priors: FloatArray, names: tuple[str, ...]) -> tuple[Basis, FloatArray]:
    """The basis that the priors (n, k) of the fitted pupils give, and its columns there; knots equal by ties count once.

    Raises EffectsDataError `prior-constant`, `priors-collinear`.
    """
    knots = []
    for name, prior in zip(names, priors.T, strict=True):
        low, high = float(prior.min()), float(prior.max())
        if low == high:
            raise EffectsDataError(
                "prior-constant", f"起点“{name}”对所有学生都是 {low:g}：不能区分起点，请核对或去掉它"
            )
        margin = MARGIN * (high - low)
        inner = np.unique(np.quantile(prior, KNOTS))
        ends = np.repeat([low - margin, high + margin], DEGREE + 1)
        knots.append(np.concatenate((ends[: DEGREE + 1], inner, ends[DEGREE + 1 :])))
    made = Basis(tuple(knots))
    columns = made.columns(priors)
    _independent(columns, made, names)
    return made, columns


def _independent(columns: FloatArray, made: Basis, names: tuple[str, ...]) -> None:
    if len(columns) <= columns.shape[1]:
        raise EffectsDataError(
            "too-few-pupils", f"只有 {len(columns)} 名学生，曲线有 {columns.shape[1]} 个系数：请用分段法或补数据"
        )
    # pivots of the columns are those of their triangular factor
    _, r, order = qr(np.linalg.qr(columns, mode="r"), mode="economic", pivoting=True)
    left = np.abs(np.diag(r))
    if left[-1] > DEPENDENT * left[0]:
        return
    owner = np.repeat(np.arange(len(names)), [len(one) - DEGREE - 2 for one in made.knots])
    at = int(order[-1])
    name = names[owner[at - 1]] if at else names[0]
    raise EffectsDataError(
        "priors-collinear", f"起点“{name}”可由其余起点算出，或取值太少，曲线定不下来：去掉它，或用分段法"
    )
