"""From group sums to the design of a model: centring, scaling, and who nests in whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from jiaoheng.methods.effects_errors import EffectsDataError
from jiaoheng.methods.effects_model import FloatArray, IntArray, Warned
from jiaoheng.methods.mixed.group_sums import INTERCEPT, GroupSums, reshifted
from jiaoheng.methods.mixed.patterns import members_of, pattern_weights, patterns
from jiaoheng.methods.mixed.taking_in import codes_of

_NEAR = 3.0  # standard deviations; squares then lose at most one digit
_COLLINEAR = 1e-9  # share of a column's spread that the columns before it leave


@dataclass(frozen=True, slots=True)
class Level:
    """One level of grouping. `parent`: each unit's unit of the next outer level (empty for the outermost)."""

    name: str
    units: int
    first_cell: IntArray  # a cell of each unit, for its keys
    n: FloatArray  # pupils
    parent: IntArray
    up: csr_array | None
    terms: tuple[str, ...]  # random terms; the intercept first
    columns: tuple[int, ...]  # their columns of the design


@dataclass(frozen=True, slots=True)
class Design:
    """Standardised sums of a model. Matrices are over the design's columns, the outcome last.

    strips[c]: Σ v·v_c of each innermost unit (units, columns), for every column c that is a random term of some level.
    standard = transform @ (design columns): z = scale·(v − mean); the intercept stays 1.
    """

    names: tuple[str, ...]
    n: int
    total: FloatArray
    strips: Mapping[int, FloatArray]
    levels: tuple[Level, ...]  # innermost first
    transform: FloatArray
    log_weights: float
    pattern_weight: Mapping[int, float]
    warnings: tuple[Warned, ...]
    sums: GroupSums
    maps: Mapping[int, FloatArray]  # by pattern: from raw to design columns, times the root of the pattern's weight
    pattern: IntArray  # of each cell
    unit_of_cell: IntArray  # innermost unit of each cell

    @property
    def predictors(self) -> int:
        """Number of fixed effects."""
        return len(self.names) - 1


def build_design(sums: GroupSums, slopes: Mapping[str, Sequence[str]] | None = None) -> Design:
    """The design of a model with random intercepts at every level and, by level, the named random slopes.

    Raises EffectsDataError where nothing is left to be fitted: no rows, a constant outcome, one group, infinite values.
    """
    warnings: list[Warned] = []
    _check(sums)
    sums = _near_centred(sums)
    bare, unit_of_cell = _levels(sums, warnings)
    pattern, names, maps = patterns(sums, warnings)
    weight = pattern_weights(sums, pattern, maps)
    maps = {mask: matrix * np.sqrt(weight[mask]) for mask, matrix in maps.items()}
    members = members_of(sums, pattern)
    total = np.zeros((len(names), len(names)))
    for mask, matrix in maps.items():
        total += matrix @ sums.total(members[mask]) @ matrix.T
    kept = _independent(total, names, warnings)
    names = tuple(names[at] for at in kept)
    total = total[np.ix_(kept, kept)]
    maps = {mask: matrix[kept] for mask, matrix in maps.items()}
    transform = _standardising(total)
    total = transform @ total @ transform.T
    total[0, 1:] = total[1:, 0] = 0.0
    levels = _with_terms(bare, slopes or {}, names)
    wanted = sorted({column for level in levels for column in level.columns})
    inner = levels[0]
    collect = csr_array((np.ones(sums.cells), (unit_of_cell, np.arange(sums.cells))), shape=(inner.units, sums.cells))
    one_to_one = inner.units == sums.cells
    strips = {}
    for column in wanted:
        cells = _strip(sums, pattern, maps, transform, names, column)
        strips[column] = cells if one_to_one else collect @ cells
    logs = 0.0 if sums.log_weights is None else float(sums.log_weights.sum())
    logs += sum(float(sums.n[pattern == mask].sum()) * float(np.log(own)) for mask, own in weight.items())
    return Design(
        names=names,
        n=sums.pupils,
        total=total,
        strips=strips,
        levels=levels,
        transform=transform,
        log_weights=logs,
        pattern_weight=weight,
        warnings=tuple(warnings),
        sums=sums,
        maps=maps,
        pattern=pattern,
        unit_of_cell=unit_of_cell,
    )


def _check(sums: GroupSums) -> None:
    if sums.pupils == 0:
        text = (
            "没有一名学生同时有终点成绩、起点成绩和所在单位，无法计算增值。请核对 --outcome、--prior、--groups 所指的列"
        )
        raise EffectsDataError("no-rows", text)
    diagonal = np.diag(sums.total())
    bad = [name for at, name in enumerate(sums.columns) if not np.isfinite(diagonal[at])]
    if bad:
        raise EffectsDataError("infinite", f"“{'、'.join(bad)}”列中有无穷大（inf）。请在数据中改正或清空这些格后再计算")


def _near_centred(sums: GroupSums) -> GroupSums:
    """The sums about constants near the means: means far from 0 beside their spread would cost digits."""
    means = _means(sums)
    total = sums.total()
    spread = np.sqrt(np.maximum(np.diag(total) / total[0, 0] - (total[0] / total[0, 0]) ** 2, 0))
    far = np.abs(means - sums.shifts) > _NEAR * spread
    return reshifted(sums, means) if far.any() else sums


def _means(sums: GroupSums) -> FloatArray:
    """Each column's mean: of a prior, over those in whom it is known."""
    means = sums.shifts.copy()
    for at, name in enumerate(sums.columns[1:], 1):
        weight = sums.sums[0] * sums.known(name)
        if weight.sum() > 0:
            means[at] += sums.sums[at].sum() / weight.sum()
    return means


def _levels(sums: GroupSums, warnings: list[Warned]) -> tuple[list[Level], IntArray]:
    """Units of every level, innermost first, and the innermost unit of each cell. Cells are sorted by key."""
    new = np.zeros(sums.cells, np.bool_)
    new[0] = True
    units: list[IntArray] = []
    for keys in sums.keys:
        code = codes_of(keys)
        new[1:] |= code[1:] != code[:-1]
        units.append(np.cumsum(new) - 1)
    levels: list[Level] = []
    inner_unit: IntArray | None = None
    for name, unit in reversed(list(zip(sums.levels, units, strict=True))):
        count = int(unit[-1]) + 1
        if count == 1:
            warnings.append(Warned("one-unit", f"“{name}”列只有一个单位，没有可比的对象，这一层未估计"))
            continue
        first = np.searchsorted(unit, np.arange(count))
        n = np.add.reduceat(sums.n, first).astype(np.float64)
        if inner_unit is None and count == sums.pupils:
            text = f"“{name}”列每个单位只有一名学生，单位的差异与学生的差异分不开，这一层未估计。请换一列更大的单位"
            warnings.append(Warned("one-pupil-units", text))
            continue
        if inner_unit is not None:
            child = levels[-1]
            if child.units == count:
                text = f"“{name}”列的每个单位里只有一个“{child.name}”，两层分不开，只估计“{child.name}”一层"
                warnings.append(Warned("same-levels", text))
                continue
            parent = unit[child.first_cell]
            up = csr_array((np.ones(child.units), (parent, np.arange(child.units))), shape=(count, child.units))
            levels[-1] = Level(child.name, child.units, child.first_cell, child.n, parent, up, (), ())
        levels.append(Level(name, count, first, n, np.zeros(0, np.int64), None, (), ()))
        inner_unit = unit if inner_unit is None else inner_unit
    if inner_unit is None:
        text = f"“{'、'.join(sums.levels)}”中没有两个以上可比的单位，而增值是与其他单位比较得来的。请加入别的学校或班级的数据"
        raise EffectsDataError("one-group", text)
    small = float((levels[0].n < 2).mean())
    if small > 0:
        text = f"“{levels[0].name}”列有 {int((levels[0].n < 2).sum())} 个单位只有一名学生，它们的效应几乎全部收缩到平均"
        warnings.append(Warned("single-pupil-units", text))
    return levels, inner_unit


def _independent(total: FloatArray, names: tuple[str, ...], warnings: list[Warned]) -> list[int]:
    """The columns that are no sum of those before them; the others are left out and named."""
    size = len(names)
    work = total.copy()
    spread = np.diag(total - np.outer(total[0], total[0]) / total[0, 0]).copy()
    spread[0] = total[0, 0]
    scale = np.maximum(np.diag(total), 1e-300)
    kept: list[int] = []
    for at in range(size - 1):
        if work[at, at] > _COLLINEAR * max(spread[at], 1e-12 * scale[at]) and spread[at] > 1e-12 * scale[at]:
            kept.append(at)
            row = work[at] / work[at, at]
            work = work - np.outer(work[at], row)
        else:
            constant = spread[at] <= 1e-12 * scale[at] or scale[at] <= 1e-300
            reason = "只有一个取值" if constant else "完全由前面的列决定"
            warnings.append(Warned("collinear", f"“{names[at]}”列{reason}，不能单独估计，已不用于计算"))
    if spread[-1] <= 1e-12 * scale[-1]:
        raise EffectsDataError(
            "constant-outcome", f"终点成绩“{names[-1]}”全部相同，没有差异可以解释。请核对 --outcome 所指的列"
        )
    if work[-1, -1] <= 1e-10 * spread[-1]:
        text = f"终点成绩“{names[-1]}”完全由其他列算得出，没有剩下的差异。请核对是否把终点成绩也列入了 --prior 或 --covariates"
        raise EffectsDataError("exact-fit", text)
    return [*kept, size - 1]


def _standardising(total: FloatArray) -> FloatArray:
    """z = (v − mean)/sd for every column but the first; as a matrix on design columns."""
    size = len(total)
    transform = np.eye(size)
    mean = total[0] / total[0, 0]
    variance = np.diag(total) / total[0, 0] - mean**2
    scale = 1 / np.sqrt(variance[1:])
    transform[np.arange(1, size), np.arange(1, size)] = scale
    transform[1:, 0] = -mean[1:] * scale
    return transform


def _with_terms(
    levels: Sequence[Level], slopes: Mapping[str, Sequence[str]], names: tuple[str, ...]
) -> tuple[Level, ...]:
    made: list[Level] = []
    for level in levels:
        own = tuple(slopes.get(level.name, ()))
        for name in own:
            if name not in names[1:-1]:
                raise EffectsDataError("no-slope", f"随机斜率“{name}”不在模型的列中，可以是：{'、'.join(names[1:-1])}")
        terms = (INTERCEPT, *own)
        columns = (0, *(names.index(name) for name in own))
        made.append(Level(level.name, level.units, level.first_cell, level.n, level.parent, level.up, terms, columns))
    return tuple(made)


def _strip(
    sums: GroupSums,
    pattern: IntArray,
    maps: Mapping[int, FloatArray],
    transform: FloatArray,
    names: tuple[str, ...],
    column: int,
) -> FloatArray:
    """Σ z·z_column of each cell, in standard columns."""
    found = np.empty((sums.cells, len(names)))
    for mask, matrix in maps.items():
        cells: slice | IntArray = slice(None) if len(maps) == 1 else np.flatnonzero(pattern == mask)
        own = transform @ matrix
        raw = sum(own[column, at] * sums.strip(at, cells) for at in np.flatnonzero(own[column]).tolist())
        found[cells] = np.asarray(raw) @ own.T
    return found
