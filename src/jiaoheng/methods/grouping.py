"""Pupils put in the order of their units once, for statistics of many small units (classes).

A table of class × score is large and almost empty: 20,000 classes × 2,100 totals for 1,000,000 pupils. Here each
unit is a row of pupils instead, and units of equal size are neighbours, so that all their rows are sorted by one call.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jiaoheng.methods.histogram import AnyInt, IntArray

Positions = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Grouping:
    """The order of pupils by (size of unit, unit).

    `order[i]` is the pupil at place i; place i belongs to row `row[i]` and is its `position[i]`-th pupil. Row r holds
    unit `units[r]` and begins at place `starts[r]`. `blocks` are (first place, last place, size) of equal-size rows.
    Units without pupils have no row.
    """

    n_units: int
    order: Positions
    units: IntArray
    starts: Positions
    sizes: IntArray
    position: npt.NDArray[np.int32]
    begin: npt.NDArray[np.int32]  # starts repeated: the first place of each place's row
    blocks: tuple[tuple[int, int, int], ...]


def stable_order(codes: AnyInt, n_codes: int) -> Positions:
    """argsort of codes 0 … n_codes − 1, equal codes in their order; linear time (16-bit radix passes)."""
    low = np.argsort((codes & 0xFFFF).astype(np.uint16), kind="stable")
    if n_codes <= 1 << 16:
        return low
    high = (codes >> 16)[low]
    if n_codes <= 1 << 32:
        return low[np.argsort(high.astype(np.uint16), kind="stable")]
    return low[np.argsort(high, kind="stable")]


def group(units: AnyInt, n_units: int) -> Grouping:
    """Order pupils by unit; `units[i]` is the unit number of pupil i, 0 ≤ unit < n_units (ValueError otherwise)."""
    if units.size and (int(units.min()) < 0 or int(units.max()) >= n_units):
        raise ValueError(f"unit numbers must lie between 0 and {n_units - 1}")
    if units.size >= 1 << 31:
        raise ValueError("more than 2,147,483,647 pupils in one pass; split the exam and add the histograms")
    sizes = np.bincount(units, minlength=n_units)
    by_size = np.argsort(sizes, kind="stable")
    by_size = by_size[sizes[by_size] > 0]
    row_of_unit = np.zeros(n_units, np.int64)
    row_of_unit[by_size] = np.arange(by_size.size)
    order = stable_order(row_of_unit[units], max(by_size.size, 1))
    sizes = sizes[by_size].astype(np.int64)
    starts = (sizes.cumsum() - sizes).astype(np.intp)
    begin = np.repeat(starts.astype(np.int32), sizes)
    position = np.arange(units.size, dtype=np.int32) - begin
    return Grouping(n_units, order, by_size, starts, sizes, position, begin, _blocks(sizes))


def _blocks(sizes: IntArray) -> tuple[tuple[int, int, int], ...]:
    """(first place, last place, size) of the runs of rows of equal size."""
    distinct, rows = np.unique(sizes, return_counts=True)
    ends = (distinct * rows).cumsum()
    return tuple(
        (int(end - size * count), int(end), int(size)) for end, size, count in zip(ends, distinct, rows, strict=True)
    )
