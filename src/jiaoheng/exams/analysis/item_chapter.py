"""Chapter on items and knowledge points, for every subject whose item scores were given."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from jiaoheng.documents import charts
from jiaoheng.documents.chart_parts import Caption
from jiaoheng.documents.model import (
    Block,
    Chart,
    KeyFigure,
    KeyFigures,
    Kind,
    Missing,
    Note,
    Paragraph,
    Section,
    Table,
    TableColumn,
    Value,
)
from jiaoheng.exams.analysis import cells
from jiaoheng.exams.analysis.measure import Exam
from jiaoheng.exams.analysis.score_tables import name_cells, name_columns
from jiaoheng.exams.analysis.wording import lowest, named
from jiaoheng.exams.roster_model import ItemScores
from jiaoheng.exams.units import Level
from jiaoheng.methods.crossproducts import ItemSums, item_sums
from jiaoheng.methods.intervals import MIN_RANKED
from jiaoheng.methods.items import ItemAnalysis, analyse, item_rules, word_of
from jiaoheng.methods.mastery import Mastery, mastery
from jiaoheng.methods.numbers import text

Ints = npt.NDArray[np.int64]
POOR, GOOD = Fraction(1, 5), Fraction(2, 5)  # discrimination: below, to be looked at; from there on, very good


@dataclass(frozen=True, slots=True)
class MeasuredItems:
    """One subject's items counted: county analysis, sums by class, points of every item."""

    scores: ItemScores
    full: Ints  # in steps
    analysis: ItemAnalysis
    by_class: ItemSums
    knowledge: tuple[tuple[str, ...], ...]
    abilities: tuple[tuple[str, ...], ...]
    types: tuple[str, ...]

    def at(self, exam: Exam, level: str) -> ItemSums:
        """Item sums of every unit of a level."""
        units = exam.units.level(level)
        return self.by_class.merged(exam.units.class_to(level), len(units))

    def mastery_at(self, exam: Exam, level: str, of: str) -> Mastery:
        """Mastery of `knowledge` or `abilities` by unit."""
        points = self.knowledge if of == "knowledge" else self.abilities
        return mastery(self.at(exam, level), self.full, points)


def measure_items(exam: Exam, items: ItemScores) -> MeasuredItems:
    """Count one subject's items over all pupils who have them."""
    full = np.array([int(mark / items.step) for mark in items.full], dtype=np.int64)
    classes: Level = exam.units.classes
    lines = {line.item: line for line in items.blueprint}
    return MeasuredItems(
        items,
        full,
        analyse(items.values, full, number=_numbers(exam, items.pupils)),
        item_sums(items.values, full, classes.of_pupil[items.pupils], len(classes)),
        tuple(lines[item].knowledge if item in lines else () for item in items.items),
        tuple((lines[item].ability,) if item in lines and lines[item].ability else () for item in items.items),  # type: ignore[misc]
        tuple((lines[item].type or "") if item in lines else "" for item in items.items),
    )


def _numbers(exam: Exam, pupils: Ints) -> Ints:
    """Order of the pupils' exam numbers (else pupil numbers): equal totals at the border of a group go by it.

    Shorter numbers come first, so that 9 stands before 10; pupils without a number last, in the order of the files.
    """
    table = exam.roster.pupils
    texts = [table[name].to_list() for name in ("exam_no", "pupil_id") if name in table.columns]
    own = [next((column[p] for column in texts if column[p]), None) for p in pupils.tolist()]
    keys = [(number is None, len(number or ""), number or "") for number in own]
    order = sorted(range(len(keys)), key=lambda at: keys[at])
    places = np.empty(len(keys), dtype=np.int64)
    places[order] = np.arange(len(keys))
    return places


def item_section(exam: Exam) -> Section | None:
    """One part a subject with item scores; None where there are none."""
    children = tuple(_subject(exam, measure_items(exam, items)) for items in exam.roster.items.values())
    return Section("items", "试题与知识点", (), children) if children else None


def _subject(exam: Exam, made: MeasuredItems) -> Section:
    name = made.scores.subject
    table = items_table(made)
    blocks: list[Block] = [Paragraph(_sentence(made), strong=True), KeyFigures(_paper_figures(exam, made))]
    if made.analysis.pupils < exam.roster.pupils.height:
        blocks.append(Note(f"有小题分的学生 {cells.thousands(made.analysis.pupils)} 名，本节只统计这些学生。"))
    points = [
        charts.Point(item, figure.difficulty, d)
        for item, figure, d in zip(made.scores.items, made.analysis.figures, made.analysis.discrimination, strict=True)
        if figure.difficulty is not None and d is not None
    ]
    if len(points) > 1:
        blocks.append(_scatter(made, points, table.key))
    blocks.append(table)
    for of, word in (("knowledge", "知识点"), ("abilities", "能力")):
        if any(made.knowledge if of == "knowledge" else made.abilities):
            blocks += _mastery_blocks(exam, made, of, word)
    return Section(f"items.{name}", f"{name}试题", tuple(blocks))


def _paper_figures(exam: Exam, made: MeasuredItems) -> tuple[KeyFigure, ...]:
    reliability, county = made.analysis.reliability, made.at(exam, "county")
    rules = item_rules()
    figures = []
    earned, possible = int(county.sum.sum()), int((county.count * made.full).sum())
    if possible:
        figures.append(KeyFigure("整卷难度", text(Fraction(earned, possible), 2), "", "越大越易", "difficulty"))
    if reliability.alpha is not None:
        word = word_of(reliability.alpha, rules.reliability) or ""
        figures.append(
            KeyFigure("信度 α", text(reliability.alpha, 2), "", f"{word}，{reliability.n} 名学生各题齐全", "alpha")
        )
    if reliability.sem is not None:
        figures.append(KeyFigure("测量标准误", text(reliability.sem * float(made.scores.step), 1), "分", "", "sem"))
    return tuple(figures)


def _sentence(made: MeasuredItems) -> str:
    rated = [
        (figure.difficulty, item)
        for item, figure in zip(made.scores.items, made.analysis.figures, strict=True)
        if figure.difficulty is not None
    ]
    if not rated:
        return "没有可统计的小题分。"
    # equal difficulties keep the order of the paper
    hardest = sorted(rated, key=lambda one: one[0])[:3]
    poor = [
        f"第 {item} 题"
        for item, value in zip(made.scores.items, made.analysis.discrimination, strict=True)
        if value is not None and value < POOR
    ]
    words = "、".join(f"第 {item} 题（难度 {text(value, 2)}）" for value, item in hardest)
    tail = f"；区分度低于 {text(POOR, 2)}、须查看的有{named(poor, '题', 6)}" if poor else ""
    return f"最难的是{words}{tail}。"


def _scatter(made: MeasuredItems, points: list[charts.Point], table: str) -> Chart:
    good = sum(point.y >= GOOD for point in points)
    poor = sum(point.y < POOR for point in points)
    caption = Caption(
        f"{table}.chart",
        f"{len(points)} 道题中 {good} 道区分度很好" + (f"，{poor} 道须查看" if poor else ""),
        "横轴难度（得分率），纵轴区分度（高低分组各 27% 的得分率之差）",
        f"{made.scores.subject} {len(points)} 道题的难度与区分度",
        table,
    )
    return charts.item_scatter(caption, points, easy=Fraction(7, 10), hard=Fraction(2, 5), poor=POOR, good=GOOD)


def items_table(made: MeasuredItems) -> Table:
    """Every item: full mark, mean, difficulty, discrimination, correlation, zero and full rates, knowledge point."""
    rules = item_rules()
    columns = (
        cells.word("item", "题号"),
        cells.word("type", "题型"),
        cells.word("knowledge", "知识点", width=18),
        TableColumn("full", "满分", Kind.NUMBER, 1, unit="分"),
        cells.count("n", "人数"),
        cells.marks("mean", "平均分", "item_mean"),
        TableColumn("difficulty", "难度", Kind.NUMBER, 2, definition="difficulty"),
        cells.word("difficulty_word", "评价", "difficulty"),
        TableColumn("discrimination", "区分度", Kind.NUMBER, 2, definition="discrimination"),
        cells.word("discrimination_word", "评价", "discrimination"),
        TableColumn("item_total", "题总相关", Kind.NUMBER, 2, definition="item_total"),
        cells.share("zero_rate", "零分率", "item_mean", digits=1),
        cells.share("full_rate", "满分率", "item_mean", digits=1),
    )
    few = Missing(f"人数不足 {rules.discrimination_from}，不计算区分度")
    rows: list[tuple[Value, ...]] = []
    for i, item in enumerate(made.scores.items):
        figure, d = made.analysis.figures[i], made.analysis.discrimination[i]
        rows.append(
            (
                item,
                made.types[i],
                "、".join(made.knowledge[i]),
                made.scores.full[i],
                figure.n,
                cells.cell(None if figure.mean is None else figure.mean * made.scores.step),
                cells.cell(figure.difficulty),
                word_of(figure.difficulty, rules.difficulty) or "",
                cells.cell(d, few),
                word_of(d, rules.discrimination) or "",
                cells.cell(figure.rest_r, Missing("得分没有差别，相关系数无意义")),
                cells.cell(figure.zero_rate),
                cells.cell(figure.full_rate),
            )
        )
    name = made.scores.subject
    # without a blueprint nothing stands in these two columns
    keep = [i for i, column in enumerate(columns) if column.key not in ("type", "knowledge") or any(r[i] for r in rows)]
    shown = tuple(tuple(row[i] for i in keep) for row in rows)
    kept = tuple(columns[i] for i in keep)
    return Table(f"items.{name}", f"{name}各题质量", kept, shown, sheet=f"试题-{name}", wide=True)


def _mastery_blocks(exam: Exam, made: MeasuredItems, of: str, word: str) -> list[Block]:
    name = made.scores.subject
    county = made.mastery_at(exam, "county", of)
    rows = [(point, rate) for point, rate in zip(county.points, county.rates(), strict=True) if rate is not None]
    if not rows:
        return []
    rows.sort(key=lambda row: row[1])
    table = mastery_table(exam, made, of, word)
    worst, weakest = lowest([(rate, point) for point, rate in rows])
    caption = Caption(
        f"{table.key}.chart",
        f"{name}掌握最弱的{word}是{named(weakest, '个')}（{cells.pct(worst, 1)}）"
        if len(weakest) < len(rows)
        else f"{name}各{word}掌握率（{cells.pct(worst, 1)}）",
        f"掌握率＝该{word}各题得分之和÷满分之和",
        "；".join(f"{point} {cells.pct(rate, 1)}" for point, rate in rows),
        table.key,
    )
    chart = charts.mastery_bars(caption, [(point, rate * 100, None) for point, rate in rows])
    return [chart, table]


def mastery_table(exam: Exam, made: MeasuredItems, of: str, word: str) -> Table:
    """Points × county; among schools of ten or more pupils the best and worst, and how many lie well below the county."""
    name, gap = made.scores.subject, item_rules().weak_gap
    county = made.mastery_at(exam, "county", of)
    schools = made.mastery_at(exam, "school", of)
    judged = np.flatnonzero(made.at(exam, "school").pupils >= MIN_RANKED).tolist()
    columns = [
        cells.word("point", word, width=20),
        cells.word("items", "题号"),
        cells.share("rate", f"{exam.whole}掌握率", "mastery", digits=1),
    ]
    compared = len(judged) > 1
    if compared:
        limit = text(gap * 100, 1).removesuffix(".0")
        columns += [
            cells.share("best", "最高的学校", "mastery", digits=1),
            cells.share("worst", "最低的学校", "mastery", digits=1),
            TableColumn(
                "behind", f"低于全县 {limit} 个百分点以上的学校", Kind.COUNT, 0, unit="所", definition="mastery"
            ),
        ]
    rows: list[tuple[Value, ...]] = []
    for i, point in enumerate(county.points):
        whole = county.rate(0, i)
        rates = [rate for unit in judged if (rate := schools.rate(unit, i)) is not None]
        numbers = "、".join(made.scores.items[j] for j in county.items[i])
        behind = sum(whole is not None and whole - rate >= gap for rate in rates)
        row: list[Value] = [point, numbers, cells.cell(whole)]
        if compared:
            row += [cells.cell(max(rates, default=None)), cells.cell(min(rates, default=None)), behind]
        rows.append(tuple(row))
    rows.sort(key=lambda row: (row[2] if isinstance(row[2], Fraction) else Fraction(2), str(row[0])))
    return Table(f"mastery.{of}.{name}", f"{name}{word}掌握情况", tuple(columns), tuple(rows), sheet=f"{word}-{name}")


def school_mastery_table(exam: Exam, made: MeasuredItems, of: str, word: str) -> Table | None:
    """Schools × points, for the workbook."""
    table = made.mastery_at(exam, "school", of)
    if not table.points:
        return None
    pupils = made.at(exam, "school").pupils
    columns = (
        *name_columns("school", exam),
        *(cells.share(point, point, "mastery", digits=1) for point in table.points),
    )
    rows = tuple(
        (
            *name_cells("school", exam, unit),
            *(cells.small(cells.cell(rate), int(pupils[unit])) for rate in table.rates(unit)),
        )
        for unit in range(len(exam.units.schools))
        if any(rate is not None for rate in table.rates(unit))
    )
    name = made.scores.subject
    return Table(
        f"mastery.{of}.{name}.schools",
        f"{name}：各校{word}掌握率",
        columns,
        rows,
        sheet=f"{word}-{name}-学校",
        wide=True,
    )
