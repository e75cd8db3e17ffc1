"""The pupils of a sheet as columns: texts, scores, declared totals and ranks, with what must be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from jiaoheng.sheets.answers import Answers
from jiaoheng.sheets.class_names import float_trap
from jiaoheng.sheets.column_questions import ask_duplicates, drop_levels, note_unknown
from jiaoheng.sheets.columns import ColumnPlan
from jiaoheng.sheets.declared import full_mark_columns, section_classes
from jiaoheng.sheets.findings import Findings
from jiaoheng.sheets.headers import Header
from jiaoheng.sheets.identities import TEXT_ROLES, TextReader, check_classes
from jiaoheng.sheets.long_items import fold_items, long_item_columns
from jiaoheng.sheets.mark_questions import ask_decimals, ask_marks, ask_pairs
from jiaoheng.sheets.places import Severity
from jiaoheng.sheets.reading_model import Column, Declared, Measure, PupilBlock, Role, ScoreColumn, SheetKind
from jiaoheng.sheets.row_model import RowClasses
from jiaoheng.sheets.score_columns import MarkPlaces, ScoreReader, read_declared, read_scores
from jiaoheng.sheets.sheet_grid import Grid
from jiaoheng.sheets.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Understood:
    """Everything known of a sheet before its pupils are read."""

    grid: Grid
    header: Header
    plan: ColumnPlan
    rows: RowClasses
    declared: Declared
    kind: SheetKind
    words: Vocabulary
    answers: Answers
    findings: Findings


def settle_columns(sheet: Understood) -> tuple[Column, ...]:
    """Columns after their cells were looked at: constant exam numbers, the sheet's own subject, scaled subjects."""
    columns = _exam_or_number(sheet, sheet.plan.columns)
    long = any(column.role is Role.SUBJECT for column in columns)
    subject = None if long else sheet.declared.subject
    scaled_too = {c.subject for c in columns if c.measure is Measure.SCALED}
    long_items = long_item_columns(columns)
    out: list[Column] = []
    for column in columns:
        if column.role is Role.SCORE and column.subject is None and subject is not None:
            column = replace(column, subject=subject)
        if (
            column.role is Role.SCORE
            and column.measure is None
            and column.subject in sheet.answers.scaled
            and column.subject not in scaled_too
        ):
            column = replace(column, measure=Measure.SCALED)
        if sheet.kind is SheetKind.ITEMS and column.role is Role.SCORE and column.measure is not Measure.ITEM:
            if long_items is not None:
                column = replace(column, measure=Measure.ITEM)
            else:
                column = replace(column, role=Role.TOTAL, measure=None)
        if sheet.kind is SheetKind.ITEMS and column.role is Role.TOTAL and column.subject is None:
            column = replace(column, subject=subject)
        out.append(column)
    return tuple(out)


def _exam_or_number(sheet: Understood, columns: Sequence[Column]) -> list[Column]:
    """考试编号 is the exam's where all pupils have the same, and the pupil's where nearly all differ."""
    taken = {column.role for column in columns}
    out = []
    rows = sheet.rows.pupils
    for column in columns:
        if column.role in (Role.EXAM, Role.EXAM_NO) and len(rows) >= 3:
            cells = [sheet.grid.rows[row][column.index] for row in rows.tolist()]
            distinct = len({str(cell) for cell in cells if cell is not None})
            if column.role is Role.EXAM and Role.EXAM_NO not in taken and distinct > 0.9 * len(rows):
                column = replace(column, role=Role.EXAM_NO)
            elif column.role is Role.EXAM_NO and Role.EXAM not in taken and distinct == 1:
                column = replace(column, role=Role.EXAM)
        out.append(column)
    return out


@dataclass(frozen=True, slots=True)
class Built:
    """The pupils' rows, the columns without those that turned out to be no scores, and full marks of items there."""

    block: PupilBlock
    columns: tuple[Column, ...]
    item_fulls: Mapping[str, int]


def build_block(sheet: Understood, columns: Sequence[Column]) -> Built:
    """Read the pupils' rows."""
    rows = sheet.rows.pupils
    first = sheet.header.first_data_row
    texts_reader = TextReader(sheet.grid, rows, first, sheet.findings)
    columns = drop_levels(sheet.grid, columns, rows, first, sheet.words, sheet.findings, sheet.plan.answered)
    texts = _texts(sheet, texts_reader, columns)
    long = Role.SUBJECT in texts and any(c.role is Role.SCORE and c.subject is None for c in columns)
    if long:
        texts[Role.SUBJECT] = _subjects(sheet, texts[Role.SUBJECT])
    reader = _score_reader(sheet, first)
    scores = _scores(sheet, reader, columns, rows, texts.get(Role.SUBJECT) if long else None)
    declared = [read_declared(reader, column, rows) for column in columns if column.role in (Role.TOTAL, Role.RANK)]
    ask_duplicates(sheet.findings, scores, declared, sheet.plan.answered)
    note_unknown(sheet.grid, columns, sheet.plan, rows, first, sheet.findings)
    ask_marks(sheet.findings, reader.marks, scores, sheet.words, sheet.answers)
    ask_pairs(sheet.findings, reader.marks)
    ask_decimals(sheet.findings, reader.marks)
    _hidden_columns(sheet, columns)
    block = PupilBlock(rows, texts, tuple(scores), tuple(declared), long)
    fulls: dict[str, int] = {}
    if sheet.kind is SheetKind.ITEMS:
        block, fulls = fold_items(sheet.grid, block, columns, sheet.words, sheet.findings)
    return Built(block, tuple(columns), fulls)


def _texts(sheet: Understood, reader: TextReader, columns: Sequence[Column]) -> dict[Role, list[str | None]]:
    texts: dict[Role, list[str | None]] = {}
    for column in columns:
        if column.role in TEXT_ROLES and column.role not in texts:
            texts[column.role] = reader.read(column)
            if column.role is Role.CLASS:
                check_classes(reader, column, texts[column.role])
                _warn_trap(sheet, column, texts[column.role])
    if Role.CLASS not in texts and (sections := section_classes(sheet.rows)):
        texts[Role.CLASS] = _section_texts(reader.rows, sections)
    return texts


def _section_texts(rows: npt.NDArray[np.int64], sections: dict[int, str]) -> list[str | None]:
    """Class of each pupil from the nearest title line above that names one."""
    starts = sorted(sections)
    places = np.searchsorted(np.array(starts), rows, side="right") - 1
    return [sections[starts[at]] if at >= 0 else None for at in places.tolist()]


def _warn_trap(sheet: Understood, column: Column, texts: Sequence[str | None]) -> None:
    trapped = float_trap(texts)
    if trapped is None:
        return
    message = f"班级“{trapped}”在“{trapped[:-1]}9”之后再次出现，可能是“{trapped}0”（第 10 班）存为数字后丢了末尾的 0"
    rows = sheet.rows.pupils
    after = next(
        at for at in range(1, len(texts)) if texts[at] == trapped and texts[at - 1] == trapped[:-1] + "9"
    )  # fmt: skip
    if isinstance(sheet.grid.rows[int(rows[after])][column.index], str):
        return
    remedy = f"请把班级列设为文本格式，改写为“{trapped}0”"
    sheet.findings.warn("class-number-lost-zero", message, remedy, row=int(rows[after]), column=column.index)


def _subjects(sheet: Understood, texts: Sequence[str | None]) -> list[str | None]:
    """Canonical subjects of a long layout; an unknown word stays and is listed."""
    memo: dict[str, str] = {}
    for text in {text for text in texts if text is not None}:
        known = sheet.words.subject(text)
        memo[text] = known or text
        if known is None:
            at = texts.index(text)
            sheet.findings.joined(
                "unknown-subject", Severity.WARNING, f"“{text}”不是已知的学科名，按原样作为一个学科",
                "如与其他学科相同，请在考试设置的 columns 中说明", row=int(sheet.rows.pupils[at]),
            )  # fmt: skip
    return [memo[text] if text is not None else None for text in texts]


def _score_reader(sheet: Understood, first: int) -> ScoreReader:
    merged = {
        (row, column): anchor
        for anchor, (low, right) in sheet.grid.sheet.merged
        if low >= first
        for row in range(anchor[0], low + 1)
        for column in range(anchor[1], right + 1)
    }
    return ScoreReader(sheet.grid, sheet.words, sheet.answers, sheet.findings, MarkPlaces(), first, merged)


def _scores(
    sheet: Understood,
    reader: ScoreReader,
    columns: Sequence[Column],
    rows: npt.NDArray[np.int64],
    subjects: Sequence[str | None] | None,
) -> list[ScoreColumn]:
    own = full_mark_columns(sheet.grid, sheet.plan, sheet.rows)
    out = []
    for column in columns:
        if column.role is not Role.SCORE:
            continue
        fulls: dict[str | None, int] = {}
        if subjects is not None and column.subject is None:
            fulls = {name: full for name, full in sheet.answers.full_marks.items()}  # noqa: C416 (a wider key type)
        elif column.index in own:
            fulls = {column.subject: own[column.index]}
        elif (
            column.subject is not None
            and column.subject in sheet.answers.full_marks
            and column.measure in (None, Measure.RAW)
        ):
            fulls = {column.subject: sheet.answers.full_marks[column.subject]}
        out.append(read_scores(reader, column, rows, fulls, subjects if column.subject is None else None))
    return out


def _hidden_columns(sheet: Understood, columns: Sequence[Column]) -> None:
    for column in columns:
        if column.index in sheet.grid.sheet.hidden_columns and column.role is Role.SCORE:
            sheet.findings.warn(
                "hidden-column", f"“{''.join(column.header)}”列是隐藏列，已照常读入", "如不应计入，请在考试设置的 columns 中写“忽略”",
                column=column.index,
            )  # fmt: skip
