"""The model in arrays: fixed columns, links of rows to the levels of all factors but one, and the one to eliminate.

The factor with the most levels that has whole, single membership (the pupils) is eliminated in closed form; all others
share one wide design Z of q columns. With persistence estimated, Z(α) = Z₀ + Σ α_m Z_m on one fixed pattern.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from jiaoheng.methods.crossed.factors import Factor
from jiaoheng.methods.effects_model import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Pattern:
    """A sparse matrix whose places are fixed and whose values are Z₀ + Σ α_m Z_m; rows in order, columns rising."""

    shape: tuple[int, int]
    start: IntArray  # (rows + 1,)
    column: IntArray  # (places,)
    parts: FloatArray  # (1 + number of α, places)

    def values(self, alpha: FloatArray) -> FloatArray:
        """The values at α, (places,)."""
        found: FloatArray = self.parts[0] + alpha @ self.parts[1:] if len(alpha) else self.parts[0]
        return found

    def matrix(self, values: FloatArray) -> sp.csr_matrix:
        """These places with the values given."""
        return sp.csr_matrix((values, self.column, self.start), shape=self.shape)


@dataclass(frozen=True, slots=True)
class Persistence:
    """An estimated persistence: of which factor, and of which lag (0: all lags alike)."""

    factor: int
    lag: int


@dataclass(frozen=True, slots=True)
class Design:
    """Everything the likelihood needs. The fixed columns and y are centred and scaled; `to_raw` undoes it."""

    n: int
    weights: FloatArray  # (n,)
    fixed: FloatArray  # (n, p + 1): constant, scaled covariates, y less its mean
    names: tuple[str, ...]  # (p,) with the constant first
    to_raw: FloatArray  # (p, p): coefficients as fitted → coefficients of the columns as given (y's mean apart)
    y_mean: float
    log_scales: float  # Σ log of the scales taken out of the covariates
    factors: tuple[Factor, ...]
    eliminated: int  # index of the factor that is eliminated; −1 where none can be
    owner: IntArray  # (n,) its level of each row, `owners` where that level has a column of its own; empty where none
    owners: int
    explicit: IntArray  # its levels that are not eliminated but stand among the columns (pupils who changed schools)
    links: Pattern  # rows × q
    owner_links: Pattern  # owners × q: weights and links summed over the rows of each
    offset: IntArray  # (factors + 1,) where the columns of each factor begin
    alphas: tuple[Persistence, ...]

    @property
    def p(self) -> int:
        """Fixed coefficients, the constant with them."""
        return int(self.fixed.shape[1]) - 1

    @property
    def q(self) -> int:
        """Columns of the random design without the eliminated factor."""
        return int(self.offset[-1])

    @property
    def column_factor(self) -> IntArray:
        """The factor of each of the q columns."""
        return np.repeat(np.arange(len(self.factors)), np.diff(self.offset))


def build(
    y: FloatArray,
    x: FloatArray,
    names: Sequence[str],
    factors: Sequence[Factor],
    weights: FloatArray,
    explicit: IntArray | None = None,
) -> Design:
    """The arrays of a model whose data have been checked; x (n, p) without the constant.

    `explicit`: levels (rising) of the eliminated factor that get columns of their own instead.
    """
    n = len(y)
    eliminated = _eliminated(factors)
    owner = factors[eliminated].level if eliminated >= 0 else np.zeros(0, dtype=np.int64)
    owners = len(factors[eliminated].levels) if eliminated >= 0 else 0
    apart = np.zeros(0, dtype=np.int64) if explicit is None else explicit
    owner = np.where(np.isin(owner, apart), owners, owner)
    sizes = [len(apart) if f == eliminated else len(one.levels) for f, one in enumerate(factors)]
    offset = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    alphas = tuple(a for f, one in enumerate(factors) for a in _alphas(f, one))
    row, column, parts = _entries(factors, eliminated, offset, alphas, apart)
    links = _pattern(row, column, parts, (n, int(offset[-1])))
    if owners:
        rows = np.repeat(np.arange(n), np.diff(links.start))
        held = owner[rows] < owners
        rows = rows[held]
        parts = links.parts[:, held] * weights[rows]
        owner_links = _pattern(owner[rows], links.column[held], parts, (owners, int(offset[-1])))
    else:
        owner_links = _pattern(row[:0], column[:0], parts[:, :0], (0, int(offset[-1])))
    fixed, to_raw, y_mean, log_scales = _fixed(y, x, weights)
    return Design(
        n, weights, fixed, ("(Intercept)", *names), to_raw, y_mean, log_scales, tuple(factors), eliminated, owner,
        owners, apart, links, owner_links, offset, alphas,
    )  # fmt: skip


def _eliminated(factors: Sequence[Factor]) -> int:
    simple = [(len(one.levels), -f) for f, one in enumerate(factors) if one.simple]
    return -max(simple)[1] if simple else -1


def _alphas(index: int, factor: Factor) -> list[Persistence]:
    past = np.unique(factor.lag[factor.lag > 0])
    if factor.persistence == "one" and len(past):
        return [Persistence(index, 0)]
    if factor.persistence == "each":
        return [Persistence(index, int(lag)) for lag in past]
    return []


def _entries(
    factors: Sequence[Factor], eliminated: int, offset: IntArray, alphas: Sequence[Persistence], apart: IntArray
) -> tuple[IntArray, IntArray, FloatArray]:
    """All links as rows, columns and their values in Z₀ and in each Z_m."""
    rows, columns, values = (
        [np.zeros(0, dtype=np.int64)],
        [np.zeros(0, dtype=np.int64)],
        [np.zeros((1 + len(alphas), 0))],
    )
    for f, one in enumerate(factors):
        if f == eliminated:
            mine = np.flatnonzero(np.isin(one.level, apart))
            rows.append(mine)
            columns.append(np.searchsorted(apart, one.level[mine]) + offset[f])
            values.append(np.concatenate((np.ones((1, len(mine))), np.zeros((len(alphas), len(mine))))))
            continue
        rows.append(one.row)
        columns.append(one.level + offset[f])
        part = np.zeros((1 + len(alphas), len(one.row)))
        past = one.lag > 0
        given = 0.0 if isinstance(one.persistence, str) else one.persistence
        part[0] = np.where(past, one.share * given, one.share)
        for m, alpha in enumerate(alphas):
            if alpha.factor == f:
                part[1 + m] = np.where(past if alpha.lag == 0 else one.lag == alpha.lag, one.share, 0.0)
        values.append(part)
    return np.concatenate(rows), np.concatenate(columns), np.concatenate(values, axis=1)


def _pattern(row: IntArray, column: IntArray, parts: FloatArray, shape: tuple[int, int]) -> Pattern:
    """Entries at the same place added up."""
    places, inverse = np.unique(row * shape[1] + column, return_inverse=True)
    summed = np.stack([np.bincount(inverse, weights=part, minlength=len(places)) for part in parts]).astype(np.float64)
    at, where = np.divmod(places, max(shape[1], 1))
    start = np.searchsorted(at, np.arange(shape[0] + 1))
    return Pattern(shape, start.astype(np.int64), where.astype(np.int64), summed)


def _fixed(y: FloatArray, x: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray, float, float]:
    """Constant, standardised covariates and centred y side by side, and the way back (large means cost digits)."""
    total, p = float(weights.sum()), x.shape[1]
    mean = weights @ x / total
    centred = x - mean
    scale = np.sqrt(weights @ centred**2 / total)
    y_mean = float(weights @ y) / total
    to_raw = np.zeros((p + 1, p + 1))
    to_raw[0, 0] = 1.0
    to_raw[0, 1:] = -mean / scale
    to_raw[1:, 1:] = np.diag(1 / scale)
    fixed = np.column_stack((np.ones(len(y)), centred / scale, y - y_mean))
    return fixed, to_raw, y_mean, float(np.log(scale).sum())
