"""Chapters beside the effects: who differs, how stable, what they go with, what could be seen, who is missing."""

from __future__ import annotations

import numpy as np

from jiaoheng.documents.model import (
    Block,
    Bullets,
    Interval,
    Kind,
    Missing,
    Note,
    Paragraph,
    Section,
    Table,
    TableColumn,
    Tone,
    Value,
)
from jiaoheng.growth.results import GrowthResult
from jiaoheng.growth.wording import unit_name

_SHOWN = 80


def judging_section(result: GrowthResult) -> Section | None:
    """Who really differs, and what warns against reading more into it."""
    judging = result.judging
    blocks: list[Block] = [Note(f"{one.text}。", Tone.WARN) for one in judging.warnings]
    lines = []
    for level, found in judging.pairs.items():
        count = found.below.size
        if count > 1:
            told = f"两两比较 {count * (count - 1) // 2} 对“{level}”，其中 {found.share:.0%} 看得出差别"
            lines.append(f"{told}；其余各对的先后可能只是偶然")
    if lines:
        blocks.append(Bullets(tuple(lines)))
    if judging.power is not None:
        blocks += [Paragraph(_power_sentence(result), strong=True), power_table(result)]
    return Section("judging", "谁真的不同", tuple(blocks)) if blocks else None


def _power_sentence(result: GrowthResult) -> str:
    power = result.judging.power
    assert power is not None  # noqa: S101 (the caller asks only then)
    least, most = float(power.by_unit.min()), float(power.by_unit.max())
    return f"按各“{result.main.level}”的人数，能看出的最小真实效应在 {least:.2f} 分到 {most:.2f} 分之间"


def power_table(result: GrowthResult) -> Table:
    """Typical numbers of pupils and the smallest effect they can show."""
    power = result.judging.power
    assert power is not None  # noqa: S101 (the caller asks only then)
    columns = (
        TableColumn("n", "学生", Kind.COUNT),
        TableColumn("effect", "可测出的最小差异", Kind.NUMBER, 2, unit="分", definition="power"),
        TableColumn("sd", "折合标准差", Kind.NUMBER, 2, definition="power"),
    )
    rows = tuple(
        (size, float(effect), float(effect) / power.outcome_sd if power.outcome_sd else None)
        for size, effect in zip(power.sizes, power.effects, strict=True)
    )
    return Table("power", "人数与可测出的最小差异", columns, rows, sheet="核查")


def stability_section(result: GrowthResult) -> Section | None:
    """What lasts from year to year."""
    found = result.stability
    if found is None:
        return None
    outer, year = result.settings.groups[0], result.settings.year
    if found.share is None:
        text = f"只有一个“{year}”，或各“{outer}”之间看不出差异，无法说明是否稳定"
        return Section("stability", "各年是否稳定", (Paragraph(f"{text}。"),))
    sentence = (
        f"{len(found.years)} 个“{year}”：同一“{outer}”真实增值在两年之间的相关约为 {found.share:.2f}，"
        f"持续的方差 {found.lasting:.3f}，随年变化的方差 {found.yearly:.3f}"
    )
    blocks: list[Block] = [Paragraph(f"{sentence}。", strong=True), yearly_table(result)]
    if found.share < 0.5:
        text = "持续的部分不足一半：一年的结果多半说明不了下一年，只看多年合并的数"
        blocks.insert(1, Note(f"{text}。", Tone.WARN))
    return Section("stability", "各年是否稳定", tuple(blocks))


def yearly_table(result: GrowthResult) -> Table:
    """Each unit's multi-year effect and its years."""
    found = result.stability
    assert found is not None  # noqa: S101 (the caller asks only then)
    columns = [
        TableColumn("unit", result.settings.groups[0]),
        TableColumn("pooled", "多年合并", Kind.SIGNED, 2, definition="effect", unit="分"),
        TableColumn("interval", "95% 区间", Kind.INTERVAL, 2, definition="interval95"),
        *(TableColumn(f"year{at}", year, Kind.SIGNED, 2, unit="分") for at, year in enumerate(found.years)),
    ]
    by_unit: dict[str, dict[str, float]] = {}
    for unit, value in zip(found.by_year.units, found.by_year.estimate.tolist(), strict=True):
        by_unit.setdefault(unit[0], {})[unit[-1]] = value
    pooled = found.pooled
    order = np.argsort(-pooled.estimate, kind="stable")
    rows: list[tuple[Value, ...]] = []
    for at in order.tolist():
        name = pooled.units[at][0]
        own = by_unit.get(name, {})
        years: list[Value] = [own[year] if year in own else Missing("这一年没有数据") for year in found.years]
        interval = Interval(float(pooled.low95[at]), float(pooled.high95[at]), difference=True)
        rows.append((name, float(pooled.estimate[at]), interval, *years))
    return Table("stability", "多年合并与各年", tuple(columns), tuple(rows), sheet="各年")


def fairness_section(result: GrowthResult) -> Section | None:
    """Whether effects go with what the units were given."""
    checks = result.judging.sorting
    if not checks:
        return None
    columns = (
        TableColumn("name", "特征"),
        TableColumn("slope", "特征每高 1 个标准差，增值相差", Kind.SIGNED, 2, unit="分"),
        TableColumn("interval", "95% 区间", Kind.INTERVAL, 2),
        TableColumn("explained", "单位间差异中与它同行的部分", Kind.PERCENT, 1),
        TableColumn("word", "结论"),
    )
    rows = tuple(
        (
            one.name,
            one.slope,
            Interval(one.low, one.high, difference=True),
            max(one.explained, 0.0),
            "增值与它有关" if one.found else "看不出关系",
        )
        for one in checks
    )
    table = Table("fairness", "增值与单位特征的关系", columns, rows, sheet="公平性")
    found = [one.name for one in checks if one.found]
    if found:
        text = (
            f"增值与{'、'.join(found)}有关：可能是模型没有把不同生源的单位调到可比，也可能这些条件确有作用，"
            "一次数据分不开。比较时请在相近的单位之间进行"
        )
        first: Block = Note(f"{text}。", Tone.WARN)
    else:
        first = Paragraph("没有看出增值与所查特征有关。")
    return Section("fairness", "公平性", (first, table))


def missing_section(result: GrowthResult) -> Section | None:
    """Who lacks a prior or an outcome, and what that could do; floor and ceiling."""
    missing, edges = result.judging.missing, result.judging.edges
    blocks: list[Block] = []
    if edges is not None:
        text = f"正好在最高分 {edges.best:g} 的占 {edges.top:.1%}，在最低分 {edges.worst:g} 的占 {edges.bottom:.1%}"
        blocks.append(Bullets((text,)))
    if missing is not None:
        lost = float(missing.no_outcome.sum() + missing.no_prior.sum())
        whole = lost + float(missing.used.sum())
        blocks.append(Paragraph(f"名单上 {whole:,.0f} 名学生中有 {lost:,.0f} 名没有参加计算。", strong=True))
        blocks.append(missing_table(result))
    return Section("missing", "缺失与两端", tuple(blocks)) if blocks else None


def missing_table(result: GrowthResult) -> Table:
    """Units by the share of pupils who are missing, worst first."""
    missing, names = result.judging.missing, result.judging.missing_units
    assert missing is not None  # noqa: S101 (the caller asks only then)
    columns = (
        TableColumn("unit", result.settings.groups[0]),
        TableColumn("used", "用到", Kind.COUNT),
        TableColumn("no_outcome", "缺终点", Kind.COUNT),
        TableColumn("no_prior", "缺起点或条件", Kind.COUNT),
        TableColumn("matched", "匹配率", Kind.PERCENT, 1, definition="matched"),
        TableColumn("gap", "缺终点者的起点与其余相差", Kind.SIGNED, 2, unit="标准差"),
        TableColumn("bounds", "平均余差的上下界", Kind.INTERVAL, 2, definition="bounds"),
    )
    matched = missing.matched
    order = np.lexsort((np.arange(len(names)), np.nan_to_num(matched, nan=1.0)))[:_SHOWN]
    rows: list[tuple[Value, ...]] = []
    for at in order.tolist():
        gap: Value = float(missing.gap[at]) if np.isfinite(missing.gap[at]) else Missing("没有可比的学生")
        rows.append(
            (
                unit_name((names[at],)),
                int(missing.used[at]),
                int(missing.no_outcome[at]),
                int(missing.no_prior[at]),
                float(matched[at]),
                gap,
                Interval(float(missing.low[at]), float(missing.high[at]), difference=True),
            )
        )
    return Table("missing", "缺失（匹配率低的在前）", columns, tuple(rows), sheet="缺失")
