"""The effects of a level: caterpillar, table, and what its intervals allow to be said."""

from __future__ import annotations

import numpy as np

from jiaoheng.documents.chart_caterpillar import caterpillar
from jiaoheng.documents.chart_intervals import Estimate, interval_plot
from jiaoheng.documents.chart_parts import Caption
from jiaoheng.documents.model import (
    Block,
    Chart,
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
from jiaoheng.growth.settings import GrowthSettings
from jiaoheng.growth.wording import NOT_ONE_TEACHER, adjusted_for, count_sentence, unit_name
from jiaoheng.methods.effects_model import Effects, Reading
from jiaoheng.methods.mixed.totals import TOTAL_TERM

_NAMED = 80  # units whose names stand in the chart and in the document's table


def effect_sections(result: GrowthResult) -> list[Section]:
    """One chapter a level (intercepts); slopes of the outermost level follow in theirs."""
    return [_section(result, effects, at) for at, effects in result.shown]


def _section(result: GrowthResult, effects: Effects, at: int) -> Section:
    settings = result.settings
    blocks: list[Block] = [
        Paragraph(f"{count_sentence(effects)}。", strong=True),
        Note(f"{adjusted_for(settings)}。"),
        effect_chart(effects, settings, f"effects.{at}"),
        effect_table(result, effects, f"effects.{at}", most=_NAMED),
        Note(f"{NOT_ONE_TEACHER}。", Tone.WARN),
    ]
    if len(effects) > _NAMED:
        blocks.insert(4, Paragraph(f"只列出两端的单位，全部 {len(effects)} 个见 effects.xlsx。"))
    return Section(f"effects.{at}", f"各“{effects.level}”的增值", tuple(blocks))


def effect_chart(effects: Effects, settings: GrowthSettings, key: str) -> Chart:
    """Named intervals for few units, a caterpillar for many."""
    rows = [
        Estimate(unit_name(unit), float(value), float(low), float(high), word is not Reading.NOT_JUDGED)
        for unit, value, low, high, word in zip(
            effects.units, effects.estimate, effects.low95, effects.high95, effects.words, strict=True
        )
    ]
    caption = Caption(
        f"{key}.chart",
        count_sentence(effects),
        f"{_what(effects, settings)}；只有整个区间在 {effects.centre:g} 的一侧才写高于或低于预期",
        f"各{effects.level}增值及其区间，由高到低",
        f"{key}.table",
    )
    if len(rows) <= _NAMED:
        words = (Reading.ABOVE.value, Reading.AS_EXPECTED.value, Reading.BELOW.value, Reading.NOT_JUDGED.value)
        return interval_plot(
            caption,
            rows,
            reference=effects.centre,
            reference_label="预期",
            unit=unit_of(settings),
            words=words,
            digits=2,
        )
    return caterpillar(caption, rows, reference=effects.centre, unit=unit_of(settings))


def unit_of(settings: GrowthSettings) -> str:
    """What effects are measured in."""
    return "百分位" if settings.method == "sgp" else "分"


def _what(effects: Effects, settings: GrowthSettings) -> str:
    if settings.method == "sgp":
        return "学生成长百分位的中位数与 95% 区间，50 为起点相同的学生的一般水平"
    return f"增值的估计与 95% 区间，单位为“{settings.outcome}”的分"


def total_of(result: GrowthResult, effects: Effects) -> Effects | None:
    """The same units with the outer ones they lie in added; None where there are none."""
    return next((e for e in result.fit.effects if e.level == effects.level and e.term == TOTAL_TERM), None)


def effect_table(result: GrowthResult, effects: Effects, key: str, most: int | None = None) -> Table:
    """Every unit (or the `most` outermost), highest first; inner units also together with their outer ones."""
    total = total_of(result, effects)
    order = np.lexsort((np.arange(len(effects)), -np.nan_to_num(effects.estimate, nan=-np.inf)))
    if most is not None and len(effects) > most:
        order = np.concatenate([order[: most // 2], order[-(most // 2) :]])
    words = effects.words
    names = result.path_names(effects)
    columns = [TableColumn(f"unit{at}", name) for at, name in enumerate(names)]
    columns += [
        TableColumn("n", "学生", Kind.COUNT, definition="matched"),
        _effect_column(result.settings),
        TableColumn("interval95", "95% 区间", Kind.INTERVAL, 2, definition="interval95"),
        TableColumn("interval84", "两两比较区间", Kind.INTERVAL, 2, definition="interval84"),
        TableColumn("reliability", "信度", Kind.NUMBER, 2, definition="reliability"),
        TableColumn("word", "结论", definition="interval95"),
    ]
    if total is not None:
        columns += [
            TableColumn("total", "连同所在单位", Kind.SIGNED, 2, definition="total", unit="分"),
            TableColumn("total95", "其 95% 区间", Kind.INTERVAL, 2, definition="total"),
        ]
    rows = tuple(_row(effects, at, words[at], len(names), total) for at in order.tolist())
    title = f"各{effects.level}的增值"
    return Table(f"{key}.table", title, tuple(columns), rows, sheet=f"{effects.level}增值", head_rows=len(names))


def _effect_column(settings: GrowthSettings) -> TableColumn:
    if settings.method == "sgp":
        return TableColumn("effect", "成长百分位中位数", Kind.NUMBER, 1, definition="sgp")
    return TableColumn("effect", "增值", Kind.SIGNED, 2, definition="effect", unit="分")


def _row(effects: Effects, at: int, word: Reading, depth: int, total: Effects | None) -> tuple[Value, ...]:
    unit = effects.units[at]
    cells: list[Value] = list(unit[:depth]) if len(unit) >= depth else [unit_name(unit)]
    n = float(effects.n[at])
    cells.append(int(n) if n == int(n) else n)
    more: list[Value] = []
    if total is not None:
        more = [float(total.estimate[at]), Interval(float(total.low95[at]), float(total.high95[at]), difference=True)]
    if not np.isfinite(effects.estimate[at]):
        return (*cells, *(Missing("没有可用的成绩") for _ in range(4)), word.value, *more)
    return (
        *cells,
        float(effects.estimate[at]),
        Interval(float(effects.low95[at]), float(effects.high95[at]), difference=True),
        Interval(float(effects.low84[at]), float(effects.high84[at]), difference=True),
        float(effects.reliability[at]),
        word.value,
        *more,
    )
