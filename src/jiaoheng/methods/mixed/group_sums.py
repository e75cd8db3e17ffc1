"""What a mixed model needs of its pupils: for each innermost group the sums of products of all columns.

A *cell* is an innermost group × pattern of known priors. Its summary is the upper triangle of Σ w·v v' with
v = (1, x₁ … xₖ, y), every column but the 1 shifted by a constant near its mean so that no digits are lost, and the
numbers Σ1, Σ log w, Σ w². Summaries of parts add up: files, imports and machines can be summed apart and put together.

A model with random intercepts needs of a cell only the sums Σ w·v, and of all pupils the products (by pattern). Such
*light* sums hold a quarter of the numbers; `slopes` names the columns whose products are held by cell all the same.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from jiaoheng.methods.effects_model import FloatArray, IntArray

INTERCEPT = "(Intercept)"
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class GroupSums:
    """Sums by cell, cells sorted by key. `columns`: the intercept, the predictors, and the outcome last."""

    columns: tuple[str, ...]
    priors: tuple[str, ...]  # those of the columns that may be unknown; bit k of a pattern: prior k is known
    levels: tuple[str, ...]  # outermost first
    keys: tuple[Sequence[str], ...]  # one sequence a level, one entry a cell
    pattern: IntArray
    n: IntArray
    products: FloatArray  # (held pairs, cells), pairs in the order of `held_pairs`; the first rows are the sums Σ w·v
    shifts: FloatArray  # what was subtracted from each column; 0 for the intercept
    log_weights: FloatArray | None = None  # None: every weight is 1
    square_weights: FloatArray | None = None
    slopes: tuple[int, ...] | None = None  # None: every pair is held by cell
    masks: IntArray | None = None  # of light sums: the patterns that `wholes` has rows for
    wholes: FloatArray | None = None  # (patterns, pairs)

    @property
    def cells(self) -> int:
        """Number of cells."""
        return int(self.n.size)

    @property
    def pupils(self) -> int:
        """Number of rows summed."""
        return int(self.n.sum())

    @property
    def sums(self) -> FloatArray:
        """Σ w·v by cell: (columns, cells); the first row is Σ w."""
        return self.products[: len(self.columns)]

    def product(self, one: int, two: int) -> FloatArray:
        """Σ w·vᵢ·vⱼ by cell. Raises KeyError for a pair that light sums hold for all pupils only."""
        row = held_pairs(len(self.columns), self.slopes)[1][min(one, two), max(one, two)]
        found: FloatArray = self.products[row]
        return found

    def packed(self, patterns: Collection[int] | None = None) -> FloatArray:
        """The upper triangle of Σ w·v v' over all pupils, or those of the given patterns."""
        if self.wholes is not None and self.masks is not None:
            rows = np.ones(self.masks.size, np.bool_) if patterns is None else np.isin(self.masks, list(patterns))
            return np.asarray(self.wholes[rows].sum(axis=0))
        chosen = self.products if patterns is None else self.products[:, np.isin(self.pattern, list(patterns))]
        return np.asarray(chosen.sum(axis=1))

    def total(self, patterns: Collection[int] | None = None) -> FloatArray:
        """The full matrix Σ w·v v' over all pupils, or those of the given patterns."""
        return unpacked(self.packed(patterns), len(self.columns))

    def strip(self, column: int, cells: slice | IntArray) -> FloatArray:
        """Σ w·v·v_column of the cells: (cells, columns)."""
        rows = [self.product(column, other)[cells] for other in range(len(self.columns))]
        return np.ascontiguousarray(np.array(rows).T)

    def known(self, prior: str) -> FloatArray:
        """1 for the cells in which a prior is known, else 0; 1 everywhere for another column."""
        if prior not in self.priors:
            return np.ones(self.cells)
        return np.asarray((self.pattern >> self.priors.index(prior)) & 1, np.float64)

    def with_prior(self, prior: str) -> list[int]:
        """The patterns in which a prior is known."""
        found = np.unique(self.pattern)
        if prior in self.priors:
            found = found[(found >> self.priors.index(prior)) & 1 == 1]
        return [int(one) for one in found]


def pairs_of(columns: int) -> list[Pair]:
    """The upper triangle, row by row."""
    return [(i, j) for i in range(columns) for j in range(i, columns)]


@cache
def held_pairs(columns: int, slopes: tuple[int, ...] | None) -> tuple[tuple[Pair, ...], dict[Pair, int]]:
    """The pairs held by cell, in the order of `pairs_of`, and the row of each."""
    every = pairs_of(columns)
    held = every if slopes is None else [(i, j) for i, j in every if i == 0 or i in slopes or j in slopes]
    return tuple(held), {pair: row for row, pair in enumerate(held)}


def unpacked(packed: FloatArray, columns: int) -> FloatArray:
    """The symmetric matrix of an upper triangle."""
    full = np.zeros((columns, columns))
    rows, cols = np.triu_indices(columns)
    full[rows, cols] = packed
    full[cols, rows] = packed
    return full


def reshifted(sums: GroupSums, shifts: FloatArray) -> GroupSums:
    """The same sums with other constants subtracted: Σ(v−d)(v−d)' from Σ v v'. An unknown prior stays 0."""
    size = len(sums.columns)
    change = shifts - sums.shifts
    if not change.any():
        return sums
    # where a prior is unknown it stands as 0 and must not be shifted
    moved = np.broadcast_to(change[:, None], (size, sums.cells)).copy()
    for prior in sums.priors:
        moved[sums.columns.index(prior)] *= sums.known(prior)
    weight, first = sums.sums[0], sums.sums
    products = sums.products.copy()
    for at, (i, j) in enumerate(held_pairs(size, sums.slopes)[0]):
        products[at] += -moved[j] * first[i] - moved[i] * first[j] + moved[i] * moved[j] * weight
    wholes = None
    if sums.wholes is not None and sums.masks is not None:
        wholes = sums.wholes.copy()
        for row, mask in enumerate(sums.masks.tolist()):
            cells = sums.pattern == mask
            total = first[:, cells].sum(axis=1)
            own = np.array(
                [change[c] if sums.columns[c] not in sums.priors or _bit(sums, c, mask) else 0.0 for c in range(size)]
            )
            for at, (i, j) in enumerate(pairs_of(size)):
                wholes[row, at] += -own[j] * total[i] - own[i] * total[j] + own[i] * own[j] * total[0]
    return replace(sums, products=products, shifts=shifts.copy(), wholes=wholes)


def _bit(sums: GroupSums, column: int, mask: int) -> bool:
    return bool(mask >> sums.priors.index(sums.columns[column]) & 1)


def merged(parts: Sequence[GroupSums]) -> GroupSums:
    """Sums of parts put together: equal keys and patterns are added. Raises ValueError for unlike parts."""
    first = parts[0]
    alike = (first.columns, first.priors, first.levels, first.slopes)
    if any((p.columns, p.priors, p.levels, p.slopes) != alike for p in parts):
        raise ValueError("parts of one model have the same columns and levels")
    parts = [reshifted(part, first.shifts) for part in parts]
    keys = [np.concatenate([np.asarray(part.keys[k], dtype=object) for part in parts]) for k in range(len(first.keys))]
    pattern = np.concatenate([part.pattern for part in parts])
    codes = [np.unique(key.astype(str), return_inverse=True)[1] for key in keys]
    order = np.lexsort((pattern, *codes[::-1]))
    sorted_codes = [code[order] for code in (*codes, pattern)]
    new = np.ones(order.size, np.bool_)
    new[1:] = np.any([code[1:] != code[:-1] for code in sorted_codes], axis=0)
    starts = np.flatnonzero(new)
    head = order[starts]

    def added(name: str) -> FloatArray | None:
        if all(getattr(part, name) is None for part in parts):
            return None
        if any(getattr(part, name) is None for part in parts):
            raise ValueError("weights in some of the parts only")
        return np.asarray(np.add.reduceat(np.concatenate([getattr(part, name) for part in parts])[order], starts))

    masks, wholes = _merged_wholes(parts)
    return replace(
        first,
        keys=tuple(key[head].tolist() for key in keys),
        pattern=pattern[head],
        n=np.add.reduceat(np.concatenate([part.n for part in parts])[order], starts),
        products=np.add.reduceat(np.concatenate([part.products for part in parts], axis=1)[:, order], starts, axis=1),
        log_weights=added("log_weights"),
        square_weights=added("square_weights"),
        masks=masks,
        wholes=wholes,
    )


def _merged_wholes(parts: Sequence[GroupSums]) -> tuple[IntArray | None, FloatArray | None]:
    if parts[0].wholes is None:
        return None, None
    masks = np.unique(np.concatenate([part.masks for part in parts if part.masks is not None]))
    wholes = np.zeros((masks.size, parts[0].wholes.shape[1]))
    for part in parts:
        if part.masks is not None and part.wholes is not None:
            wholes[np.searchsorted(masks, part.masks)] += part.wholes
    return masks, wholes


def with_constant(sums: GroupSums, name: str, values: FloatArray) -> GroupSums:
    """The sums with one more predictor that is constant within a cell (a group's mean, its size): (cells,) values.

    The new column stands before the outcome.
    """
    size = len(sums.columns)
    shift = float(np.average(values, weights=np.maximum(sums.sums[0], 0)))
    shifted = values - shift
    old: list[int | None] = [*range(size - 1), None, size - 1]
    slopes = None if sums.slopes is None else tuple(old.index(one) for one in sums.slopes)

    def by_cell(i: int, j: int) -> FloatArray:
        one, two = old[i], old[j]
        if one is not None and two is not None:
            return sums.product(one, two)
        known = sums.sums[one if one is not None else two if two is not None else 0]
        found: FloatArray = (shifted**2 if one is None and two is None else shifted) * known
        return found

    wholes = None
    if sums.wholes is not None and sums.masks is not None:
        rows = []
        for row, mask in enumerate(sums.masks.tolist()):
            cells, own = sums.pattern == mask, unpacked(sums.wholes[row], size)
            rows.append(
                [
                    own[old[i], old[j]] if old[i] is not None and old[j] is not None else by_cell(i, j)[cells].sum()
                    for i, j in pairs_of(size + 1)
                ]
            )
        wholes = np.array(rows)
    return replace(
        sums,
        columns=(*sums.columns[:-1], name, sums.columns[-1]),
        products=np.array([by_cell(i, j) for i, j in held_pairs(size + 1, slopes)[0]]),
        shifts=np.concatenate([sums.shifts[:-1], [shift], sums.shifts[-1:]]),
        slopes=slopes,
        wholes=wholes,
    )
