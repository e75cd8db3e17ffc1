"""A raw sheet → a reading: what it holds, its header, its columns, its rows, its pupils' scores, and what is open.

Nothing is guessed that a number depends on: what the sheet does not say becomes a question with its settings key.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from jiaoheng.sheets.adjacent_lists import split
from jiaoheng.sheets.answers import IGNORE, TAKE, Answers
from jiaoheng.sheets.blocks import Understood, build_block, settle_columns
from jiaoheng.sheets.blueprints import lying_blueprint, read_blueprint, turn
from jiaoheng.sheets.columns import ColumnPlan, plan_columns
from jiaoheng.sheets.declared import declared_of
from jiaoheng.sheets.findings import Findings
from jiaoheng.sheets.headers import Header, find_header
from jiaoheng.sheets.kinds import (
    explain_aggregate,
    explain_empty_scores,
    explain_other,
    explain_pupils,
    explain_pupils_in_columns,
    kind_of,
    named_kind,
    nobody_named,
    only_score,
    pupils_in_columns,
)
from jiaoheng.sheets.places import column_letters
from jiaoheng.sheets.reading_model import (
    Column,
    Declared,
    Measure,
    Role,
    RowClass,
    SheetKind,
    SheetReading,
)
from jiaoheng.sheets.row_classes import classify_rows
from jiaoheng.sheets.row_model import RowClasses
from jiaoheng.sheets.row_reports import report_rows
from jiaoheng.sheets.sheet_grid import Grid, make_grid
from jiaoheng.sheets.text import is_blank
from jiaoheng.sheets.vocabulary import Vocabulary, vocabulary
from jiaoheng.sheets.workbook import Sheet, SourceFile

_WITH_PUPILS = (SheetKind.SCORES, SheetKind.ITEMS, SheetKind.PUPILS)


def understand_file(source: SourceFile, *, answers: Answers | None = None) -> list[SheetReading]:
    """The readings of a file's sheets in order; a sheet with lists side by side gives one reading a list."""
    return [reading for sheet in source.sheets for reading in understand_all(sheet, answers=answers)]


def understand_all(
    sheet: Sheet, *, answers: Answers | None = None, words: Vocabulary | None = None
) -> list[SheetReading]:
    """The readings of one sheet: one, or one for each list of pupils where several stand side by side."""
    given = answers or Answers()
    own = (words or vocabulary()).with_answers(given)
    parts = split(sheet, own, given)
    if len(parts) < 2:
        return [understand(sheet, answers=given, words=words)]
    readings = [understand(part, answers=given, words=words) for part in parts]
    asked = {question.key for question in readings[0].questions}
    return [
        replace(
            reading,
            sheet=sheet,
            questions=tuple(q for q in reading.questions if at == 0 or q.key not in asked),
        )
        for at, reading in enumerate(readings)
    ]


def understand(sheet: Sheet, *, answers: Answers | None = None, words: Vocabulary | None = None) -> SheetReading:
    """Understand one sheet.

    sheet: raw cells as read. answers: what a person declared. words: another vocabulary than the shipped one.
    Never raises for what a sheet holds: what is wrong comes back as problems and questions.
    """
    given = answers or Answers()
    own = (words or vocabulary()).with_answers(given)
    grid = make_grid(sheet, given.cells)
    findings = Findings(grid)
    if not any(not is_blank(cell) for row in grid.rows for cell in row):
        return _bare(sheet, SheetKind.EMPTY, findings)
    named = named_kind(sheet.name, own)
    if named is not None or given.sheets.get(grid.place().sheet_key) == IGNORE:
        return _bare(sheet, named or SheetKind.OTHER, findings)
    header = find_header(grid, own)
    plan = plan_columns(grid, header, own, given) if header else None
    kind = kind_of(plan) if plan else SheetKind.OTHER
    lying = lying_blueprint(grid, own) if kind in (SheetKind.OTHER, SheetKind.BLUEPRINT) else None
    if lying and (header is None or kind is SheetKind.OTHER or len(lying) > 2):
        return _lying(sheet, grid, lying, own, given, findings)
    if header is None or plan is None:
        explain_other(findings, grid, None, None)
        return _bare(sheet, SheetKind.OTHER, findings)
    rows = classify_rows(grid, header, plan, own, given, pupils=kind in _WITH_PUPILS)
    declared = _with_answers(declared_of(grid, plan, rows, own), grid, given, own)
    if kind in (SheetKind.PUPILS, SheetKind.SCORES) and pupils_in_columns(grid, header, plan, own):
        explain_pupils_in_columns(findings, header, plan)
        return _bare_with_header(sheet, header, plan, rows, declared, findings)
    if kind is SheetKind.PUPILS and declared.subject is not None and (only := only_score(plan, declared.subject)):
        kind, plan = SheetKind.SCORES, only
        declared = _with_answers(declared_of(grid, plan, rows, own), grid, given, own)
    if kind is SheetKind.BLUEPRINT:
        return _blueprint(sheet, grid, header, plan, rows, declared, own, findings)
    if kind not in _WITH_PUPILS:
        return _without_pupils(sheet, grid, header, plan, rows, declared, kind, findings)
    if len(plan.blocks) > 1:
        return _refused_blocks(sheet, header, plan, rows, declared, kind, findings)
    return _pupils(Understood(grid, header, plan, rows, declared, kind, own, given, findings))


def _bare(sheet: Sheet, kind: SheetKind, findings: Findings) -> SheetReading:
    """A sheet without header and rows that matter."""
    classes = np.array([_plain_class(row) for row in sheet.rows], dtype=np.uint8)
    return SheetReading(sheet, kind, (), (), classes, Declared(), None, (), findings.all_problems())


def _bare_with_header(
    sheet: Sheet, header: Header, plan: ColumnPlan, rows: RowClasses, declared: Declared, findings: Findings
) -> SheetReading:
    """A sheet whose header was found and whose rows cannot be used."""
    return SheetReading(
        sheet, SheetKind.OTHER, header.rows, plan.columns, rows.classes, declared, None, (), findings.all_problems()
    )


def _plain_class(row: object) -> int:
    filled = isinstance(row, (list, tuple)) and any(not is_blank(cell) for cell in row)
    return int(RowClass.SKIPPED if filled else RowClass.BLANK)


def _with_answers(declared: Declared, grid: Grid, answers: Answers, words: Vocabulary) -> Declared:
    """The settings may name the subject of a sheet, and the exam's grade where the sheet names none."""
    answer = answers.sheets.get(grid.place().sheet_key)
    subject = words.subject(answer) if answer and answer != TAKE else None
    return replace(declared, subject=subject or declared.subject, grade=declared.grade or answers.grade)


def _pupils(sheet: Understood) -> SheetReading:
    columns = settle_columns(sheet)
    settled = replace(sheet, plan=replace(sheet.plan, columns=columns))
    findings = sheet.findings
    if not len(sheet.rows.pupils):
        _explain_none(settled)
    elif sheet.kind is SheetKind.PUPILS:
        explain_pupils(findings, sheet.grid, sheet.header, settled.plan, len(sheet.rows.pupils))
    report_rows(sheet.grid, sheet.header, settled.plan, sheet.rows, sheet.words, sheet.answers, findings)
    built = build_block(settled, columns)
    _ask_subject(settled, built.columns, any(column.role is Role.SUBJECT for column in built.columns))
    _ask_hidden_sheet(settled)
    declared = replace(sheet.declared, item_full_marks={**built.item_fulls, **sheet.declared.item_full_marks})
    return SheetReading(
        sheet.grid.sheet, sheet.kind, sheet.header.rows, built.columns, sheet.rows.classes, declared, built.block, (),
        findings.all_problems(), tuple(findings.questions),
    )  # fmt: skip


def _explain_none(sheet: Understood) -> None:
    if sheet.kind is SheetKind.PUPILS:
        explain_pupils(sheet.findings, sheet.grid, sheet.header, sheet.plan, 0)
    elif not sheet.rows.nameless:
        explain_empty_scores(sheet.findings, sheet.header, sheet.plan)


def _ask_subject(sheet: Understood, columns: tuple[Column, ...], long: bool) -> None:
    """Scores whose subject nobody names: 姓名 and 成绩 in a sheet called Sheet1."""
    open_columns = [c for c in columns if c.role is Role.SCORE and c.subject is None]
    if long or not open_columns or not len(sheet.rows.pupils):
        return
    what = "小题分" if open_columns[0].measure is Measure.ITEM else "成绩"
    sheet.findings.ask(
        "unknown-subject", ("sheets", sheet.grid.place().sheet_key),
        f"这个工作表的{what}是哪一科的？表头、标题、工作表名和文件名都没有写学科",
        places=[sheet.grid.place(), *(sheet.grid.place(column=c.index) for c in open_columns)],
    )  # fmt: skip


def _ask_hidden_sheet(sheet: Understood) -> None:
    grid = sheet.grid
    if not grid.sheet.hidden or not len(sheet.rows.pupils) or grid.place().sheet_key in sheet.answers.sheets:
        return
    sheet.findings.ask(
        "hidden-sheet", ("sheets", grid.place().sheet_key),
        f"这个工作表是隐藏的，里面有 {len(sheet.rows.pupils)} 名学生。要采用吗？不回答时采用",
        places=[grid.place()], choices=((TAKE, "采用"), (IGNORE, "不采用")), default=TAKE,
    )  # fmt: skip


def _without_pupils(
    sheet: Sheet, grid: Grid, header: Header, plan: ColumnPlan, rows: RowClasses, declared: Declared,
    kind: SheetKind, findings: Findings,
) -> SheetReading:  # fmt: skip
    if kind is SheetKind.AGGREGATE and nobody_named(grid, header, plan):
        kind = SheetKind.OTHER  # classes that repeat: pupils whose names were left out
    if kind is SheetKind.AGGREGATE:
        explain_aggregate(findings, header, plan)
    else:
        explain_other(findings, grid, header, plan)
    return SheetReading(
        sheet, kind, header.rows, plan.columns, rows.classes, declared, None, (), findings.all_problems()
    )


def _refused_blocks(
    sheet: Sheet, header: Header, plan: ColumnPlan, rows: RowClasses, declared: Declared, kind: SheetKind,
    findings: Findings,
) -> SheetReading:  # fmt: skip
    named = "、".join(f"{column_letters(a + 1)}–{column_letters(b + 1)} 列" for a, b in plan.blocks)
    findings.error(
        "side-by-side", f"第 {header.rows[-1] + 1} 行的表头有 {len(plan.blocks)} 组并排的名单（{named}）",
        "请把各组上下排列，或分成几个工作表", row=header.rows[-1],
    )  # fmt: skip
    return SheetReading(
        sheet, kind, header.rows, plan.columns, rows.classes, declared, None, (), findings.all_problems()
    )


def _blueprint(
    sheet: Sheet, grid: Grid, header: Header, plan: ColumnPlan, rows: RowClasses, declared: Declared,
    words: Vocabulary, findings: Findings,
) -> SheetReading:  # fmt: skip
    items, classes = read_blueprint(grid, plan, header.first_data_row, declared.subject, words, findings)
    classes[: header.first_data_row] = rows.classes[: header.first_data_row]
    has_subject = any(column.role is Role.SUBJECT for column in plan.columns)
    _check_blueprint(grid, findings, declared, has_subject, bool(items), int((classes == RowClass.PUPIL).sum()))
    return SheetReading(
        sheet, SheetKind.BLUEPRINT, header.rows, plan.columns, classes, declared, None, items,
        findings.all_problems(), tuple(findings.questions),
    )  # fmt: skip


def _check_blueprint(
    grid: Grid, findings: Findings, declared: Declared, has_subject: bool, found: bool, lines: int
) -> None:
    if not found and lines and declared.subject is None and not has_subject:
        findings.ask(
            "unknown-subject", ("sheets", grid.place().sheet_key),
            "这份双向细目表是哪一科的？标题、工作表名和文件名都没有写学科", places=[grid.place()],
        )  # fmt: skip
    elif not lines:
        findings.warn("no-items", "双向细目表没有填写题目", "请填写题号和分值")


def _lying(
    sheet: Sheet, grid: Grid, lines: dict[Role, int], words: Vocabulary, answers: Answers, findings: Findings
) -> SheetReading:
    """A blueprint with one column an item."""
    turned, plan = turn(grid, lines)
    upright = make_grid(replace(sheet, rows=turned, merged=()), {})
    empty = RowClasses(np.zeros(0, dtype=np.uint8))
    declared = _with_answers(declared_of(grid, ColumnPlan(()), empty, words), grid, answers, words)
    items, _ = read_blueprint(upright, plan, 0, declared.subject, words, Findings(upright))
    classes = np.array([_plain_class(row) for row in sheet.rows], dtype=np.uint8)
    for row in lines.values():
        classes[row] = RowClass.HEADER
    row = lines[Role.ITEM_NO]
    _check_blueprint(grid, findings, declared, Role.SUBJECT in lines, bool(items), 1)
    return SheetReading(
        sheet, SheetKind.BLUEPRINT, tuple(sorted(lines.values())), plan.columns, classes, declared, None,
        tuple(replace(item, row=row) for item in items), findings.all_problems(), tuple(findings.questions),
    )  # fmt: skip
