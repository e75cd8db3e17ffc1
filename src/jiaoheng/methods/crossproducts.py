"""What adds up in item scores: sums by unit and item, and the cross products of all items.

Both summaries are exact integers in the subject's steps. Built from any split of the pupils, the parts add to the
whole, so classes make schools and schools the county.

An item without a score (−1) is not a zero. `ItemSums` counts every pupil for just the items the pupil has, and the
pupil's total is the sum of those items (or the paper's total where it is given). `CrossProducts` takes only pupils who
have all its items, because one missing score would break the sum of the rest. Pupils without any item are not counted.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

_ROWS = 8192  # pupils at a time: 8192 · max² stays below 2⁵³ for item scores up to a million steps
_COLUMNS = 16  # items at a time, so that the wide copies stay small


@dataclass(frozen=True, slots=True)
class ItemSums:
    """Sums of each unit (row) and item (column) over the pupils who have a score of that item.

    With x the item's score and t the pupil's total, in steps.
    """

    pupils: IntArray  # (units,) pupils with at least one item
    count: IntArray  # pupils with the item
    sum: IntArray  # Σx
    square: IntArray  # Σx²
    zeros: IntArray  # x = 0
    fulls: IntArray  # x = full mark
    total: IntArray  # Σt
    total_square: IntArray  # Σt²
    cross: IntArray  # Σxt

    @property
    def units(self) -> int:
        """Number of units."""
        return int(self.count.shape[0])

    def __add__(self, other: ItemSums) -> ItemSums:
        """The same units and items over more pupils. Raises ValueError where the shapes differ."""
        if self.count.shape != other.count.shape:
            raise ValueError(f"item sums of {self.count.shape} and {other.count.shape} (units, items) do not add")
        return ItemSums(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    def merged(self, parent: npt.ArrayLike, units: int) -> ItemSums:
        """Sums of parent units: parent[u] is the parent of unit u (classes → schools → county)."""
        target = np.asarray(parent, dtype=np.int64)

        def add(values: IntArray) -> IntArray:
            out = np.zeros((units, *values.shape[1:]), dtype=np.int64)
            np.add.at(out, target, values)
            return out

        return ItemSums(*(add(getattr(self, one.name)) for one in fields(self)))


@dataclass(frozen=True, slots=True)
class CrossProducts:
    """n, Σx and Σxx' of the pupils who have every item, and how many were left out for a missing item."""

    n: int
    incomplete: int  # pupils with some items but not all
    sums: IntArray  # (items,)
    products: IntArray  # (items, items)

    def __add__(self, other: CrossProducts) -> CrossProducts:
        """The same items over more pupils. Raises ValueError where the items differ in number."""
        if self.sums.shape != other.sums.shape:
            raise ValueError(f"cross products of {len(self.sums)} and {len(other.sums)} items do not add")
        return CrossProducts(
            self.n + other.n,
            self.incomplete + other.incomplete,
            self.sums + other.sums,
            self.products + other.products,
        )

    def only(self, items: npt.ArrayLike) -> CrossProducts:
        """The cross products of some items (objective items, one part of the paper), by their positions."""
        kept = np.asarray(items, dtype=np.int64)
        return CrossProducts(self.n, self.incomplete, self.sums[kept], self.products[np.ix_(kept, kept)])


def item_totals(values: npt.ArrayLike) -> IntArray:
    """Each pupil's sum of scored items in steps; −1 for a pupil without any item.

    values: (pupils, items) in steps, −1 where an item has no score.
    """
    scores = np.asarray(values)
    present = scores >= 0
    totals: IntArray = np.where(present, scores, 0).sum(axis=1, dtype=np.int64)
    totals[~present.any(axis=1)] = -1
    return totals


def item_sums(
    values: npt.ArrayLike,
    full: npt.ArrayLike,
    units: npt.ArrayLike | None = None,
    n_units: int = 1,
    totals: npt.ArrayLike | None = None,
) -> ItemSums:
    """Sums by unit and item.

    values: (pupils, items) in steps, −1 where an item has no score; full: each item's full mark in steps;
    units: each pupil's unit 0 … n_units − 1 (None: all in one); totals: the paper's total in steps where it is to be
    used instead of the sum of items (negative: the pupil is left out).
    Raises ValueError where the shapes do not fit.
    """
    scores = np.asarray(values)
    best = np.asarray(full, dtype=np.int64)
    sums = item_totals(scores)
    if totals is not None:
        sums = np.where(sums >= 0, np.asarray(totals, dtype=np.int64), -1)
    place = np.zeros(len(scores), dtype=np.int64) if units is None else np.asarray(units, dtype=np.int64)
    if scores.ndim != 2 or best.shape != (scores.shape[1],) or place.shape != sums.shape:
        raise ValueError("values must be (pupils, items), full one number an item, units and totals one a pupil")
    order = np.flatnonzero(sums >= 0)
    order = order[np.argsort(place[order], kind="stable")]
    present, starts = np.unique(place[order], return_index=True)
    if len(present) and (present[0] < 0 or present[-1] >= n_units):
        raise ValueError(f"units must lie between 0 and {n_units - 1}")
    parts = np.zeros((8, n_units, scores.shape[1]), dtype=np.int64)
    if len(order):
        rows = scores if np.array_equal(order, np.arange(len(scores))) else scores[order]
        _fill(parts, rows, best, sums[order], present, starts)
    return ItemSums(np.bincount(place[order], minlength=n_units).astype(np.int64), *parts)


def _fill(
    parts: IntArray, rows: npt.NDArray[np.integer], best: IntArray, totals: IntArray, units: IntArray, starts: IntArray
) -> None:
    t = totals[:, None]
    for first in range(0, rows.shape[1], _COLUMNS):
        columns = slice(first, first + _COLUMNS)
        x = rows[:, columns].astype(np.int64)
        here = x >= 0
        x[~here] = 0
        with_item = t * here
        measures = (here, x, x * x, here & (x == 0), here & (x == best[columns]), with_item, with_item * t, x * t)
        for part, measure in zip(parts, measures, strict=True):
            part[units, columns] = np.add.reduceat(measure, starts, axis=0, dtype=np.int64)


def cross_products(values: npt.ArrayLike) -> CrossProducts:
    """n, Σx and Σxx' of the pupils who have all items.

    values: (pupils, items) in steps, −1 where an item has no score. Products are formed in blocks whose sums stay
    below 2⁵³, so the fast floating-point product is exact. Raises ValueError for item scores above a million steps.
    """
    scores = np.asarray(values)
    if scores.size and int(scores.max()) > 1_000_000:
        raise ValueError("an item score exceeds a million steps")
    items = scores.shape[1]
    n = incomplete = 0
    products = np.zeros((items, items), dtype=np.int64)
    sums = np.zeros(items, dtype=np.int64)
    for first in range(0, len(scores), _ROWS):
        block = scores[first : first + _ROWS]
        have = (block >= 0).sum(axis=1)
        whole = have == items
        incomplete += int(((have > 0) & ~whole).sum())
        if not whole.all():
            block = block[whole]
        x = block.astype(np.float64)
        n += len(x)
        sums += x.sum(axis=0).astype(np.int64)
        products += (x.T @ x).astype(np.int64)
    return CrossProducts(n, incomplete, sums, products)
