"""Everything that is said beside the effects of the nested model: pairs, years, sorting, power, ceilings, missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jiaoheng.engine.numbers import is_nan, without_nan
from jiaoheng.growth.preparing import Prepared
from jiaoheng.growth.settings import GrowthSettings, limit
from jiaoheng.methods.effects_model import Effects, Fit, FloatArray, Warned
from jiaoheng.methods.judging.missing import Attrition, attrition
from jiaoheng.methods.judging.pairs import Differences, differences
from jiaoheng.methods.judging.power import smallest_effect
from jiaoheng.methods.judging.sorting import SortingCheck, sorting_check
from jiaoheng.methods.mixed.columns import unit_mean, unit_size, units_of
from jiaoheng.methods.mixed.group_sums import GroupSums
from jiaoheng.methods.mixed.nested import NestedFit

TYPICAL = (15, 30, 50, 100, 200, 500, 1000)


@dataclass(frozen=True, slots=True)
class Power:
    """Smallest noticeable effects: for typical sizes, and for each unit of the outermost level."""

    sizes: tuple[int, ...]
    effects: FloatArray
    by_unit: FloatArray
    outcome_sd: float


@dataclass(frozen=True, slots=True)
class Edges:
    """Pupils exactly at the best and the worst outcome: shares of all, and the units with the largest shares."""

    top: float
    bottom: float
    best: float
    worst: float
    units: tuple[tuple[str, float, float], ...]  # name, share at the top, at the bottom


@dataclass(slots=True)
class Judging:
    """What was found; parts that could not be computed are empty."""

    pairs: dict[str, Differences] = field(default_factory=dict)
    sorting: list[SortingCheck] = field(default_factory=list)
    power: Power | None = None
    edges: Edges | None = None
    missing: Attrition | None = None
    missing_units: list[str] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)


def judge(settings: GrowthSettings, prepared: Prepared, fit: Fit, nested: NestedFit | None) -> Judging:
    """All that the method allows."""
    made = Judging()
    for effects in fit.effects:
        if len(effects) and effects.level != settings.year:
            made.pairs.setdefault(effects.level, differences(effects))
    _edges(settings, prepared, made)
    if nested is not None:
        sums = nested.design.sums
        _sorting(settings, prepared, nested, sums, made)
        made.power = _power(fit, nested, sums)
        _missing(settings, prepared, nested, made)
    return made


def _sorting(settings: GrowthSettings, prepared: Prepared, nested: NestedFit, sums: GroupSums, made: Judging) -> None:
    outer = settings.groups[0]
    if outer not in {level.name for level in nested.design.levels}:
        return
    checks = [(f"{name}的平均（生源）", unit_mean(sums, outer, name)) for name in settings.priors]
    checks.append(("人数", unit_size(sums, outer)))
    checks += [(name, values) for name, values in _unit_facts(settings, prepared, sums).items()]
    for name, values in checks:
        found = sorting_check(sums, nested, outer, name, values)
        if found is not None:
            made.sorting.append(found)
    for name in settings.priors:
        share = _between(sums, outer, name)
        if share >= float(limit("separated")):
            text = (
                f"“{name}”的差异有 {share:.0%} 在“{outer}”之间：各单位的生源几乎不重叠，"
                "单位之间的比较靠的是直线外推，不是同样的学生"
            )
            made.warnings.append(Warned("separated", text))


def _between(sums: GroupSums, level: str, column: str) -> float:
    """Share of a column's variance that lies between the units."""
    at = sums.columns.index(column)
    unit = units_of(sums, level)
    n, total = np.bincount(unit, sums.products[0]), np.bincount(unit, sums.products[at])
    square = float(sums.total()[at, at])
    whole = square - float(total.sum()) ** 2 / float(n.sum())
    inside = square - float((total**2 / n).sum())
    return 1 - inside / whole if whole > 0 else 0.0


def _unit_facts(settings: GrowthSettings, prepared: Prepared, sums: GroupSums) -> dict[str, FloatArray]:
    """Means of the fairness columns by outermost unit, for each cell."""
    outer = settings.groups[0]
    found: dict[str, FloatArray] = {}
    table = prepared.table
    for name in settings.fairness:
        if table.schema()[name].is_string():
            known = table.filter(table[name].notnull())
            words = known.group_by(name).agg(n=known.count()).to_pyarrow().to_pylist()
            if not words:
                continue
            rarest = min(words, key=lambda row: (row["n"], row[name]))[name]
            value, label = (table[name] == rarest).cast("float64"), f"{name}={rarest}的比例"
        else:
            value, label = table[name].cast("float64"), f"{name}的平均"
        rows = table.group_by(outer).agg(m=value.mean()).to_pyarrow().to_pylist()
        means = {str(row[outer]): row["m"] for row in rows if row["m"] is not None}
        if not means:
            continue
        whole = float(np.mean(list(means.values())))
        keys = sums.keys[sums.levels.index(outer)]
        found[label] = np.array([float(means.get(str(key), whole)) for key in keys])
    return found


def _power(fit: Fit, nested: NestedFit, sums: GroupSums) -> Power:
    levels = nested.design.levels  # innermost first
    outer = levels[-1]
    inner = []
    for at, level in enumerate(levels[:-1]):
        value = next(v.value for v in fit.components if v.level == level.name and not v.other)
        anchor = np.arange(level.units)
        for step in levels[at:-1]:
            anchor = step.parent[anchor]
        inner.append((value, np.bincount(anchor, minlength=outer.units).astype(np.float64)))
    by_unit = smallest_effect(outer.n, fit.residual_variance, inner)
    typical = np.array(TYPICAL, dtype=np.float64)
    per_inner = [(value, np.maximum(typical / (outer.n.sum() / count.sum()), 1)) for value, count in inner]
    at = len(sums.columns) - 1
    total = sums.total()
    sd = float(np.sqrt(total[at, at] / total[0, 0] - (total[0, at] / total[0, 0]) ** 2))
    return Power(TYPICAL, smallest_effect(typical, fit.residual_variance, per_inner), by_unit, sd)


def _edges(settings: GrowthSettings, prepared: Prepared, made: Judging) -> None:
    table, outer = prepared.table, settings.groups[0]
    value = table[settings.outcome].cast("float64")
    known = table.filter(value.notnull() & ~is_nan(value) & table[outer].notnull())
    own = known[settings.outcome].cast("float64")
    ends = known.agg(best=own.max(), worst=own.min()).to_pyarrow().to_pylist()[0]
    best, worst = float(ends["best"]), float(ends["worst"])
    counted = known.group_by(outer).agg(n=known.count(), top=(own == best).sum(), bottom=(own == worst).sum())
    rows = counted.order_by(outer).to_pyarrow().to_pylist()
    n = sum(row["n"] for row in rows)
    top, bottom = sum(row["top"] for row in rows) / n, sum(row["bottom"] for row in rows) / n
    shares = [(str(row[outer]), row["top"] / row["n"], row["bottom"] / row["n"]) for row in rows]
    edge = float(limit("edge_share"))
    full = sorted((one for one in shares if max(one[1:]) >= edge), key=lambda one: (-max(one[1:]), one[0]))
    made.edges = Edges(top, bottom, best, worst, tuple(full[:10]))
    for share, word, value_at in ((top, "最高", best), (bottom, "最低", worst)):
        if share >= edge:
            text = (
                f"{share:.1%} 的学生终点成绩正好是{word}分 {value_at:g}："
                f"{'天花板压低了强生源单位的增值' if word == '最高' else '地板抬高了弱生源单位的增值'}，读数时须打折扣"
            )
            made.warnings.append(Warned("ceiling" if word == "最高" else "floor", text))


def _missing(settings: GrowthSettings, prepared: Prepared, nested: NestedFit, made: Judging) -> None:
    """Counts of who lacks what by outermost unit, and the bounds."""
    outer = settings.groups[0]
    levels = [level for level in nested.design.levels if level.name == outer]
    if not levels:
        return
    rows = _lost(settings, prepared)
    effects = nested.fit.of(outer)
    mean = _mean_residuals(nested, effects)
    place = {unit[0]: at for at, unit in enumerate(effects.units)}
    names = [str(row[outer]) for row in rows]
    at = np.array([place.get(name, -1) for name in names])
    used = np.where(at >= 0, effects.n[at], 0.0)
    residual = np.where(at >= 0, mean[at], np.nan)
    no_outcome = np.array([float(row["no_outcome"] or 0) for row in rows])
    listed = np.array([float(row["n"]) for row in rows])
    no_prior = np.maximum(listed - no_outcome - used, 0.0)  # no prior, or a covariate is missing
    gap = np.array([np.nan if row["gap"] is None else float(row["gap"]) for row in rows])
    sd = float(np.sqrt(nested.fit.residual_variance))
    made.missing = attrition(used, no_outcome, no_prior, residual, sd, gap)
    made.missing_units = names
    gaps = [
        name
        for name, one, lost in zip(names, gap.tolist(), no_outcome.tolist(), strict=True)
        # among few the mean differs by chance: the gap must also be three standard errors
        if abs(one) >= float(limit("missing_gap")) and abs(one) * lost**0.5 >= 3
    ]
    if gaps:
        text = (
            f"{len(gaps)} 个“{outer}”（{'、'.join(gaps[:5])}{'等' if len(gaps) > 5 else ''}）"
            "缺终点成绩的学生起点与其余学生明显不同，缺失不是随机的，见“缺失”一节的上下界"
        )
        made.warnings.append(Warned("attrition", text))


def _lost(settings: GrowthSettings, prepared: Prepared) -> list[dict[str, Any]]:
    table, outer = prepared.table, settings.groups[0]
    first = without_nan(table[settings.priors[0]]).cast("float64")
    y = without_nan(table[settings.outcome]).cast("float64")
    rows = table.select(unit=table[outer], x=first, y=y).filter(table[outer].notnull())
    spread = float(rows.agg(s=rows.x.std()).to_pyarrow().to_pylist()[0]["s"] or 0.0)
    lost, here = rows.y.isnull(), rows.y.notnull()
    found = rows.group_by("unit").agg(
        n=rows.count(), no_outcome=lost.sum(), away=rows.x.mean(where=lost), there=rows.x.mean(where=here)
    )
    made = []
    for row in found.order_by("unit").to_pyarrow().to_pylist():
        both = row["away"] is not None and row["there"] is not None and spread > 0
        gap = (row["away"] - row["there"]) / spread if both else None
        made.append({outer: row["unit"], "n": row["n"], "no_outcome": row["no_outcome"], "gap": gap})
    return made


def _mean_residuals(nested: NestedFit, effects: Effects) -> FloatArray:
    """Mean residuals y − Xβ̂ of the outermost units, before shrinkage."""
    design, sums = nested.design, nested.design.sums
    contrast = np.append(-nested.found.point.beta, 1.0) / design.transform[-1, -1]
    unit = units_of(sums, effects.level)
    first = np.zeros(sums.cells)
    for mask, matrix in design.maps.items():
        cells = np.flatnonzero(design.pattern == mask)
        own = contrast @ design.transform @ (matrix / np.sqrt(design.pattern_weight[mask]))
        first[cells] = sum(own[at] * sums.products[at, cells] for at in range(own.size))
    found: FloatArray = np.bincount(unit, first) / np.bincount(unit, sums.products[0])
    return found
