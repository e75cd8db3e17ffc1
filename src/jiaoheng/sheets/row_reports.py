"""Telling about rows: what was left out, what is hidden, which rows nobody could place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from jiaoheng.sheets.answers import FULL_MARKS, IGNORE, TAKE, Answers
from jiaoheng.sheets.columns import ColumnPlan
from jiaoheng.sheets.findings import SHOWN_PLACES, Findings
from jiaoheng.sheets.headers import Header
from jiaoheng.sheets.reading_model import Role, RowClass
from jiaoheng.sheets.row_model import RowClasses
from jiaoheng.sheets.sheet_grid import Grid
from jiaoheng.sheets.text import cell_text, is_blank, shown
from jiaoheng.sheets.vocabulary import Vocabulary

_WORDS = {
    RowClass.FOOTER: "是统计行或说明行，不是考生，没有计入",
    RowClass.SIGNATURE: "是签字行，没有计入",
    RowClass.SAMPLE: "是示例行，没有计入",
    RowClass.REPEATED_HEADER: "是重复的表头，没有计入",
    RowClass.FULL_MARK: "读作满分",
    RowClass.WEIGHT: "读作折分",
    RowClass.SKIPPED: "不像考生，没有计入",
}
_TOO_MANY = 20  # nameless rows: past this the whole sheet lacks its names, and single questions help nobody


def rows_named(rows: Sequence[int]) -> str:
    """第 8、9、12 行, at most eight of them."""
    named = "、".join(str(row + 1) for row in rows[:SHOWN_PLACES])
    return f"第 {named} 行" + (f"等 {len(rows)} 行" if len(rows) > SHOWN_PLACES else "")


def report_rows(
    grid: Grid, header: Header, plan: ColumnPlan, rows: RowClasses, words: Vocabulary, answers: Answers,
    findings: Findings,
) -> None:  # fmt: skip
    """List the rows left out; ask about hidden rows and rows with scores and no name."""
    _left_out(rows, header, findings)
    _hidden(grid, rows, answers, findings)
    _nameless(grid, header, plan, rows, words, findings)
    for row in rows.doubtful:
        name = next((cell_text(grid.rows[row][c.index]) for c in plan.columns if c.role is Role.NAME), "")
        findings.warn("name-like-footer", f"姓名“{name}”像是统计行，因有编号和成绩，按考生计入", "请核对", row=row)
    for row in rows.changed_headers:
        findings.error(
            "header-changed", f"第 {row + 1} 行是另一个表头，列的顺序与第 {header.rows[-1] + 1} 行不同，下面的成绩会读错列",
            "请把各表的列排成一样，或分成几个工作表", row=row,
        )  # fmt: skip


def _left_out(rows: RowClasses, header: Header, findings: Findings) -> None:
    groups: dict[tuple[RowClass, str], list[int]] = defaultdict(list)
    told = {*rows.nameless, *rows.changed_headers}
    for row, label in rows.labels.items():
        kind = RowClass(int(rows.classes[row]))
        if kind in _WORDS and row not in told:
            groups[kind, label if kind is not RowClass.REPEATED_HEADER else ""].append(row)
    for (kind, label), found in groups.items():
        what = f"“{label}”" if label else "" if len(found) > 1 else "这一行"
        where = rows_named(found) if len(found) > 1 else ""
        findings.note("row-left-out" if kind not in (RowClass.FULL_MARK, RowClass.WEIGHT) else "row-declares",
                      f"{where}{what}{_WORDS[kind]}", row=found[0])  # fmt: skip
    prepared = int((rows.classes == RowClass.EMPTY_PUPIL).sum())
    if prepared:
        first = int((rows.classes == RowClass.EMPTY_PUPIL).argmax())
        findings.note(
            "prepared-rows", f"从第 {first + 1} 行起有 {prepared} 行只有序号或班级，没有填写，没有计入", row=first
        )


def _hidden(grid: Grid, rows: RowClasses, answers: Answers, findings: Findings) -> None:
    if not rows.hidden:
        return
    key = grid.place().sheet_key
    why = "（由筛选造成）" if grid.sheet.filtered else ""
    answer = answers.rows.get(key)
    if answer in (TAKE, IGNORE):
        findings.note(
            "hidden-rows",
            f"{len(rows.hidden)} 行隐藏行按设置{'计入' if answer == TAKE else '不计入'}",
            row=rows.hidden[0],
        )
        return
    findings.ask(
        "hidden-rows", ("rows", key),
        f"有 {len(rows.hidden)} 行隐藏的考生{why}：{rows_named(rows.hidden)}。要计入吗？不回答时计入",
        places=[grid.place(row) for row in rows.hidden],
        choices=((TAKE, "计入"), (IGNORE, "不计入")), default=TAKE,
    )  # fmt: skip


def _nameless(
    grid: Grid, header: Header, plan: ColumnPlan, rows: RowClasses, words: Vocabulary, findings: Findings
) -> None:
    if len(rows.nameless) > _TOO_MANY:
        findings.error(
            "rows-without-name",
            f"{rows_named(rows.nameless)}有成绩，但没有姓名、学号或考号，不知道是谁的成绩",
            "请补写姓名或学号；不是考生的行请删去", row=rows.nameless[0],
        )  # fmt: skip
        return
    for row in rows.nameless:
        cells = [(c, grid.rows[row][c.index]) for c in plan.columns if c.role in (Role.SCORE, Role.TOTAL)]
        told = "、".join(f"{''.join(c.header)} {shown(cell)}" for c, cell in cells if not is_blank(cell))
        usual = all(
            isinstance(cell, (int, float)) and cell in words.usual_full_marks for _, cell in cells if not is_blank(cell)
        )
        near = row <= header.first_data_row + 1 and usual and bool(told)
        place = grid.place(row)
        findings.ask(
            "row-without-name", ("rows", place.key),
            f"第 {row + 1} 行有数（{told[:60]}），但没有姓名、学号或考号。它是什么？",
            places=[place],
            choices=((IGNORE, "不是考生，不计入"), (FULL_MARKS, "是各科满分"), (TAKE, "是考生，计入")),
            default=FULL_MARKS if near else IGNORE,
        )  # fmt: skip
