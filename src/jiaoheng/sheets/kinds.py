"""What kind of sheet this is, and a precise word where it cannot be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from jiaoheng.sheets.columns import IDENTITY, ColumnPlan
from jiaoheng.sheets.findings import Findings
from jiaoheng.sheets.headers import Header
from jiaoheng.sheets.long_items import long_item_columns
from jiaoheng.sheets.reading_model import Column, Measure, Role, SheetKind
from jiaoheng.sheets.sheet_grid import Grid
from jiaoheng.sheets.text import cell_text, fold
from jiaoheng.sheets.vocabulary import Vocabulary

UNITS = (Role.SCHOOL, Role.DISTRICT, Role.CLASS, Role.GRADE)


def named_kind(name: str, words: Vocabulary) -> SheetKind | None:
    """设置 and 待确认 are known by their names; 填写说明 holds no data."""
    kind = words.sheet_names.get(fold(name))
    return {"settings": SheetKind.SETTINGS, "answers": SheetKind.ANSWERS, "ignore": SheetKind.OTHER}.get(kind or "")


def kind_of(plan: ColumnPlan) -> SheetKind:
    """The kind by the roles of the columns."""
    roles = {column.role for column in plan.columns}
    items = [column for column in plan.columns if column.measure is Measure.ITEM]
    scores = [column for column in plan.columns if column.role is Role.SCORE and column.measure is not Measure.ITEM]
    person = any(role in roles for role in IDENTITY)
    if not person:
        if Role.ITEM_NO in roles and (Role.ITEM_FULL in roles or scores):
            return SheetKind.BLUEPRINT
        units = any(role in roles for role in UNITS)
        return SheetKind.AGGREGATE if units and (plan.aggregates or scores or plan.unknown) else SheetKind.OTHER
    if long_item_columns(plan.columns):
        return SheetKind.ITEMS
    if items and (len(items) >= 2 and len(items) > len(scores)):
        return SheetKind.ITEMS
    if scores:
        return SheetKind.SCORES
    return SheetKind.PUPILS


def only_score(plan: ColumnPlan, subject: str) -> ColumnPlan | None:
    """The plan with 总分 as the score of the sheet's one subject, where no other column is a score; else None."""
    totals = [column for column in plan.columns if column.role is Role.TOTAL and column.total_of is None]
    if len(totals) != 1 or totals[0].subject not in (None, subject):
        return None
    score = replace(totals[0], role=Role.SCORE, subject=subject, measure=Measure.RAW)
    return replace(plan, columns=tuple(score if column is totals[0] else column for column in plan.columns))


def pupils_in_columns(grid: Grid, header: Header, plan: ColumnPlan, words: Vocabulary) -> bool:
    """Whether the names under 姓名 are subjects: the sheet has a column a pupil and a row a subject."""
    name = next((column.index for column in plan.columns if column.role is Role.NAME), None)
    if name is None:
        return False
    texts = [text for row in grid.rows[header.first_data_row :] if (text := cell_text(row[name]))]
    subjects = [text for text in texts if fold(text) in words.subjects or fold(text) in words.total_words]
    return len(subjects) >= 2 and 2 * len(subjects) > len(texts)


def explain_pupils_in_columns(findings: Findings, header: Header, plan: ColumnPlan) -> None:
    """A transposed sheet is refused: its rows are subjects."""
    row = header.rows[-1]
    name = next(column for column in plan.columns if column.role is Role.NAME)
    findings.error(
        "pupils-in-columns", f"第 {row + 1} 行是学生姓名，“{name.header[-1]}”列下面是学科：这张表是一列一名学生",
        "请改成一行一名学生（在 Excel 中复制后用“选择性粘贴 → 转置”）", row=row, column=name.index,
    )  # fmt: skip


def nobody_named(grid: Grid, header: Header, plan: ColumnPlan) -> bool:
    """Rows of scores whose units repeat (九1, 九1, 九2): pupils without names, and no figures of groups."""
    if plan.aggregates or not any(column.role is Role.SCORE for column in plan.columns):
        return False
    units = [column.index for column in plan.columns if column.role in UNITS]
    rows = [tuple(cell_text(row[index]) for index in units) for row in grid.rows[header.first_data_row :]]
    named = [row for row in rows if any(row)]
    return len(set(named)) < 0.8 * len(named)


def _words(columns: Sequence[Column], limit: int = 6) -> str:
    names = ["".join(column.header).replace("\n", "") for column in columns]
    return "、".join(names[:limit]) + (" 等" if len(names) > limit else "")


def explain_aggregate(findings: Findings, header: Header, plan: ColumnPlan) -> None:
    """A table of schools or classes: say so and what would be needed."""
    unit = next(column for column in plan.columns if column.role in UNITS)
    what = {Role.SCHOOL: "学校", Role.DISTRICT: "地区", Role.CLASS: "班级", Role.GRADE: "年级"}[unit.role]
    name = "".join(unit.header)
    figures = [column for column in plan.columns if column.index in plan.aggregates or column.role is Role.SCORE]
    shown = f"，列为{_words(figures)}" if figures else ""
    findings.warn(
        "no-pupils-aggregate",
        f"第 {header.rows[-1] + 1} 行是表头，没有姓名、学号或考号列；每行是一个{what}（{name}）的汇总数{shown}，不是学生成绩",
        "考试分析需要每名学生一行的成绩表；汇总表没有用于计算",
        row=header.rows[-1],
    )


def explain_other(findings: Findings, grid: Grid, header: Header | None, plan: ColumnPlan | None) -> None:
    """No pupils and nothing else we know: name what was found and what is missing."""
    subjects = [c for c in plan.columns if c.role in (Role.SCORE, Role.TOTAL)] if plan else []
    if header is not None and subjects:
        first = next(
            (cell_text(cell) for row in grid.rows[header.first_data_row :] for cell in row if cell_text(cell)), None
        )
        rows = f"，下面各行以“{first}”等开头" if first else ""
        body = grid.rows[header.first_data_row :]
        if not any(isinstance(row[c.index], (int, float)) and row[c.index] for row in body[:3] for c in subjects):
            rows += "，也没有填写分数"
        findings.warn(
            "no-pupil-column",
            f"第 {header.rows[-1] + 1} 行有成绩列（{_words(subjects)}），但没有姓名、学号或考号列{rows}，不能知道是谁的成绩",
            "请加上姓名或学号列，每名学生一行；或在考试设置的 columns 中说明哪一列是姓名",
            row=header.rows[-1],
        )
        return
    first_row = next((index for index, row in enumerate(grid.rows) if any(cell_text(cell) for cell in row)), 0)
    texts = [text for cell in grid.rows[first_row] if (text := cell_text(cell))]
    told = "、".join(texts[:6]) + (" 等" if len(texts) > 6 else "")
    findings.warn(
        "no-header",
        f"没有找到成绩表的表头（姓名、学号、学科等）；第 {first_row + 1} 行是“{told}”",
        "请检查表头用词，或在考试设置的 columns 中写明各列的意思，例如 columns: {"
        + (texts[0] if texts else "列名")
        + ": 姓名}",
        row=first_row,
    )


def explain_pupils(findings: Findings, grid: Grid, header: Header, plan: ColumnPlan, count: int) -> None:
    """A list of pupils without scores; with a column 学科 it is a form of scores that lacks its column."""
    subject = next((column for column in plan.columns if column.role is Role.SUBJECT), None)
    if subject is not None:
        findings.error(
            "no-score-column",
            f"第 {header.rows[-1] + 1} 行是表头，有“{subject.header[-1]}”列和 {count} 行学生，但没有成绩列，无法读入成绩",
            "请加上“成绩”列并填写，或交来填好的采集表",
            row=header.rows[-1],
        )
    elif count and (total := next((c for c in plan.columns if c.role is Role.TOTAL), None)) is not None:
        findings.warn(
            "only-totals", f"只有“{total.header[-1]}”列，没有各科成绩，按 {count} 人的学生名单读入",
            "如果这是一科的成绩，请把表头改成学科名，或在考试设置的 sheets 中写明学科；否则请加上各科成绩",
            column=total.index,
        )  # fmt: skip
    elif count:
        findings.note("pupil-list", f"没有成绩列，按 {count} 人的学生名单读入", row=header.rows[-1])
    if not count:
        findings.warn(
            "no-pupils",
            f"第 {header.rows[-1] + 1} 行是表头（{_words(plan.columns)}），下面没有填写任何学生，也没有成绩列",
            "这是空白的名单模板；请填写学生，并另交有成绩列的表",
            row=header.rows[-1],
        )


def explain_empty_scores(findings: Findings, header: Header, plan: ColumnPlan) -> None:
    """A score sheet that nobody filled."""
    findings.warn(
        "no-pupils",
        f"第 {header.rows[-1] + 1} 行是表头（{_words(plan.columns)}），下面没有填写任何学生",
        "这是空白的成绩模板；请填写后再交",
        row=header.rows[-1],
    )
