"""What a mixed model needs of its pupils: for each innermost group the sums of products of all columns.

A *cell* is an innermost group × pattern of known priors. Its summary is the upper triangle of Σ w·v v' with
v = (1, x₁ … xₖ, y), every column but the 1 shifted by a constant near its mean so that no digits are lost, and the
numbers Σ1, Σ log w, Σ w². Summaries of parts add up: files, imports and machines can be summed apart and put together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from jiaoheng.methods.effects_model import FloatArray, IntArray

INTERCEPT = "(Intercept)"


@dataclass(frozen=True, slots=True)
class GroupSums:
    """Sums by cell, cells sorted by key. `columns`: the intercept, the predictors, and the outcome last."""

    columns: tuple[str, ...]
    priors: tuple[str, ...]  # those of the columns that may be unknown; bit k of a pattern: prior k is known
    levels: tuple[str, ...]  # outermost first
    keys: tuple[Sequence[str], ...]  # one sequence a level, one entry a cell
    pattern: IntArray
    n: IntArray
    products: FloatArray  # (pairs, cells), pairs in the order of `pairs_of`
    shifts: FloatArray  # what was subtracted from each column; 0 for the intercept
    log_weights: FloatArray | None = None  # None: every weight is 1
    square_weights: FloatArray | None = None

    @property
    def cells(self) -> int:
        """Number of cells."""
        return int(self.n.size)

    @property
    def pupils(self) -> int:
        """Number of rows summed."""
        return int(self.n.sum())

    def product(self, one: int, two: int) -> FloatArray:
        """Σ w·vᵢ·vⱼ by cell."""
        found: FloatArray = self.products[position(len(self.columns), min(one, two), max(one, two))]
        return found

    def total(self, cells: slice | FloatArray | IntArray | None = None) -> FloatArray:
        """The full matrix of sums of products over all (or the given) cells."""
        chosen = self.products if cells is None else self.products[:, cells]
        return unpacked(chosen.sum(axis=1), len(self.columns))

    def strip(self, column: int, cells: slice | IntArray) -> FloatArray:
        """Σ w·v·v_column of the cells: (cells, columns)."""
        size = len(self.columns)
        rows = [position(size, min(column, other), max(column, other)) for other in range(size)]
        return np.ascontiguousarray(self.products[rows][:, cells].T)


def pairs_of(columns: int) -> list[tuple[int, int]]:
    """The upper triangle, row by row."""
    return [(i, j) for i in range(columns) for j in range(i, columns)]


def position(columns: int, i: int, j: int) -> int:
    """Where the pair i ≤ j stands in `pairs_of`."""
    return i * columns - i * (i - 1) // 2 + (j - i)


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
    for bit, prior in enumerate(sums.priors):
        moved[sums.columns.index(prior)] *= (sums.pattern >> bit) & 1
    weight = sums.products[0]
    products = sums.products.copy()
    for at, (i, j) in enumerate(pairs_of(size)):
        sum_i, sum_j = sums.products[i], sums.products[j]  # row 0 of the triangle: sums of the columns
        products[at] += -moved[j] * sum_i - moved[i] * sum_j + moved[i] * moved[j] * weight
    return replace(sums, products=products, shifts=shifts.copy())


def merged(parts: Sequence[GroupSums]) -> GroupSums:
    """Sums of parts put together: equal keys and patterns are added. Raises ValueError for unlike parts."""
    first = parts[0]
    if any((p.columns, p.priors, p.levels) != (first.columns, first.priors, first.levels) for p in parts):
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
        return np.add.reduceat(np.concatenate([getattr(part, name) for part in parts])[order], starts)

    return GroupSums(
        columns=first.columns,
        priors=first.priors,
        levels=first.levels,
        keys=tuple(key[head].tolist() for key in keys),
        pattern=pattern[head],
        n=np.add.reduceat(np.concatenate([part.n for part in parts])[order], starts),
        products=np.add.reduceat(np.concatenate([part.products for part in parts], axis=1)[:, order], starts, axis=1),
        shifts=first.shifts,
        log_weights=added("log_weights"),
        square_weights=added("square_weights"),
    )


def with_constant(sums: GroupSums, name: str, values: FloatArray) -> GroupSums:
    """The sums with one more predictor that is constant within a cell (a group's mean, its size): (cells,) values.

    The new column stands before the outcome.
    """
    size = len(sums.columns)
    shift = float(np.average(values, weights=np.maximum(sums.products[0], 0)))
    shifted = values - shift
    columns = (*sums.columns[:-1], name, sums.columns[-1])
    old = [*range(size - 1), None, size - 1]
    rows = []
    for i, j in pairs_of(size + 1):
        one, two = old[i], old[j]
        if one is not None and two is not None:
            rows.append(sums.product(one, two))
        elif one is None and two is None:
            rows.append(shifted**2 * sums.products[0])
        else:
            rows.append(shifted * sums.products[one if one is not None else (two or 0)])
    shifts = np.concatenate([sums.shifts[:-1], [shift], sums.shifts[-1:]])
    return replace(sums, columns=columns, products=np.array(rows), shifts=shifts)
