"""The whole county in one pass: figures of every unit at every level, and every pupil's rank at each.

Columns (subjects, the total) are independent, so each is one job of a thread pool; NumPy releases the interpreter
lock while it counts and sorts. Results do not depend on the number of threads: everything is an integer.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from types import MappingProxyType
from typing import Literal

import numpy as np

from jiaoheng.methods.grouping import Grouping, group
from jiaoheng.methods.histogram import AnyInt, Mask, ScoreHistogram
from jiaoheng.methods.level_kernels import (
    Ranks,
    Scores,
    dense_cells,
    dense_histogram,
    dense_ranks,
    dense_stats,
    prepare,
    sorted_level,
)
from jiaoheng.methods.level_stats import LevelStats

Method = Literal["auto", "dense", "sort"]
# A dense table pays while it has at most this many cells a pupil, and is small whatever the number of pupils.
CELLS_PER_PUPIL = 4
SMALL_TABLE = 1 << 16


@dataclass(frozen=True, slots=True)
class PassColumn:
    """A subject or the total: scores in steps, who counts (None: all), marks per step, and marks to count above."""

    values: AnyInt
    mask: Mask | None = None
    step: Fraction = Fraction(1)
    cuts: Mapping[str, Fraction] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class UnitTree:
    """Units of all levels, lowest first: `names[0]` units hold the pupils, `parents[k][u]` is the unit above u.

    `leaf[i]` is the lowest unit of pupil i. The last level is whatever the last parents point to (the county: all 0).
    """

    names: tuple[str, ...]
    leaf: AnyInt
    parents: tuple[AnyInt, ...]
    n_top: int = 1

    def __post_init__(self) -> None:
        if len(self.parents) != len(self.names) - 1:
            raise ValueError(f"{len(self.names)} levels need {len(self.names) - 1} parent lists")

    def sizes(self) -> tuple[int, ...]:
        """Number of units of each level."""
        return (*(int(parents.size) for parents in self.parents), self.n_top)

    def units(self) -> tuple[AnyInt, ...]:
        """The unit of every pupil, for each level."""
        found: list[AnyInt] = [self.leaf]
        for parents in self.parents:
            found.append(parents.astype(np.int32)[found[-1]])
        return tuple(found)


@dataclass(frozen=True, slots=True)
class ColumnResult:
    """One column: figures and ranks by level name, and the histograms of the levels that were counted densely."""

    stats: Mapping[str, LevelStats]
    ranks: Mapping[str, Ranks]  # per pupil, 0 = unranked; empty where ranks were not asked for
    histograms: Mapping[str, ScoreHistogram]


def county_pass(
    columns: Mapping[str, PassColumn],
    tree: UnitTree,
    *,
    ranks: bool = True,
    threads: int | None = None,
    method: Method = "auto",
) -> dict[str, ColumnResult]:
    """Figures and ranks of every column at every level of the tree.

    `threads`: None takes the processors there are. `method` forces the dense or the sorted way at all levels (they
    give equal results; for tests and measurements). Raises ValueError where lengths differ or unit numbers are out
    of range.
    """
    for name, column in columns.items():
        if column.values.shape != tree.leaf.shape:
            raise ValueError(f"column {name} has {column.values.size} scores for {tree.leaf.size} pupils")
    levels = _Levels(tree, method)
    workers = max(1, min(threads or os.cpu_count() or 1, len(columns) or 1))
    prepared = {name: prepare(c.values, c.mask, c.step, c.cuts) for name, c in columns.items()}
    levels.prepare([scores.bins for scores in prepared.values()])
    # the widest column takes longest: first, so that no thread is left with it at the end
    heavy_first = sorted(prepared, key=lambda name: -prepared[name].bins)
    with ThreadPoolExecutor(workers) as pool:
        jobs = {name: pool.submit(_one_column, prepared[name], levels, ranks) for name in heavy_first}
    return {name: jobs[name].result() for name in columns}


def total_column(
    columns: Sequence[PassColumn], *, missing_is_zero: bool = False, cuts: Mapping[str, Fraction] | None = None
) -> PassColumn:
    """The total of columns of one step; ValueError where steps differ.

    A pupil without one of them has no total; with `missing_is_zero` it counts 0 for it, and only a pupil without any
    of them has no total.
    """
    if not columns:
        raise ValueError("a total needs at least one column")
    if len({column.step for column in columns}) > 1:
        raise ValueError("a total needs columns of one step; move them to their common step first")
    total = np.zeros(columns[0].values.shape, np.int32)
    for column in columns:
        total += column.values if column.mask is None else np.where(column.mask, column.values, 0)
    masks = [column.mask for column in columns if column.mask is not None]
    mask: Mask | None = None
    if masks and not missing_is_zero:
        mask = reduce(np.logical_and, masks)
    elif len(masks) == len(columns):
        mask = reduce(np.logical_or, masks)
    return PassColumn(total, mask, columns[0].step, MappingProxyType(dict(cuts or {})))


class _Levels:
    """The levels with what all columns share: units of pupils and, where pupils are sorted, their grouping."""

    def __init__(self, tree: UnitTree, method: Method) -> None:
        self.names = tree.names
        self.sizes = tree.sizes()
        self.units = tree.units()
        self.parents = tree.parents
        self.groupings: dict[int, Grouping] = {}
        self._method = method
        self._pupils = int(tree.leaf.size)
        for units, size in zip(self.units, self.sizes, strict=True):
            if units.size and (int(units.min()) < 0 or int(units.max()) >= size):
                raise ValueError(f"unit numbers must lie between 0 and {size - 1}")

    def dense(self, level: int, bins: int) -> bool:
        """Whether this level of a column with so many scores is counted densely."""
        if self._method != "auto":
            return self._method == "dense"
        return self.sizes[level] * bins <= max(CELLS_PER_PUPIL * self._pupils, SMALL_TABLE)

    def prepare(self, widths: Sequence[int]) -> None:
        """Order the pupils of every level that a column of one of these widths needs sorted (before threads start)."""
        for level, size in enumerate(self.sizes):
            if any(not self.dense(level, bins) for bins in widths):
                self.groupings[level] = group(self.units[level], size)


def _one_column(scores: Scores, levels: _Levels, want_ranks: bool) -> ColumnResult:
    stats: dict[str, LevelStats] = {}
    ranks: dict[str, Ranks] = {}
    histograms: dict[str, ScoreHistogram] = {}
    below: ScoreHistogram | None = None  # the dense histogram of the level underneath
    for level, name in enumerate(levels.names):
        if levels.dense(level, scores.bins):
            size, units = levels.sizes[level], levels.units[level]
            cells = dense_cells(scores, units if size > 1 else None)
            if below is None:
                below = dense_histogram(scores, cells, size)
            else:
                below = below.merge(levels.parents[level - 1], size)
            histograms[name], stats[name] = below, dense_stats(scores, below)
            if want_ranks:
                ranks[name] = dense_ranks(scores, below, cells)
        else:
            below = None
            stats[name], found = sorted_level(scores, levels.groupings[level])
            if want_ranks:
                ranks[name] = found
    return ColumnResult(MappingProxyType(stats), MappingProxyType(ranks), MappingProxyType(histograms))
