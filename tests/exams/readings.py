"""Small builders of sheet readings for tests: a table as a person would type it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from jiaoheng.sheets.reading_model import (
    BlueprintItem,
    Column,
    Declared,
    Measure,
    PupilBlock,
    Role,
    RowClass,
    ScoreColumn,
    ScoreState,
    SheetKind,
    SheetReading,
)
from jiaoheng.sheets.workbook import Sheet, SourceFile

ROLES = {
    "学号": Role.PUPIL_ID,
    "考号": Role.EXAM_NO,
    "身份证号": Role.ID_CARD,
    "姓名": Role.NAME,
    "学校": Role.SCHOOL,
    "班级": Role.CLASS,
    "年级": Role.GRADE,
    "科类": Role.TRACK,
    "选科": Role.COMBINATION,
    "状态": Role.STATUS,
    "考试": Role.EXAM,
    "学科": Role.SUBJECT,
}
STATES = {
    None: ScoreState.MISSING,
    "": ScoreState.MISSING,
    "缺考": ScoreState.ABSENT,
    "免考": ScoreState.EXEMPT,
    "作弊": ScoreState.CHEATED,
    "未选": ScoreState.NOT_CHOSEN,
    "休学": ScoreState.LEFT,
    "？": ScoreState.UNRESOLVED,
    "坏": ScoreState.INVALID,
}
RANKS = {"班名次": "class", "校名次": "school", "级名次": "grade", "名次": None}


def milli(value: object) -> int:
    """Marks → thousandths."""
    return round(float(str(value)) * 1000)


def _numbers(cells: Sequence[object]) -> tuple[np.ndarray, np.ndarray]:
    values = np.array([0 if cell in STATES else milli(cell) for cell in cells], np.int64)
    states = np.array([STATES.get(cell, ScoreState.SCORED) for cell in cells], np.uint8)  # type: ignore[call-overload]
    return values, states


def _column(index: int, head: str, kind: SheetKind) -> Column:
    if head in ROLES:
        return Column(index, (head,), ROLES[head])
    if head in RANKS:
        return Column(index, (head,), Role.RANK, rank_scope=RANKS[head])
    if head.endswith("名次"):
        return Column(index, (head,), Role.RANK, head.removesuffix("名次"), rank_scope="all")
    if head == "总分":
        return Column(index, (head,), Role.TOTAL)
    if head.endswith("总分"):
        return Column(index, (head,), Role.TOTAL, total_of=head)
    if head.startswith("题"):
        return Column(index, (head,), Role.SCORE, None, Measure.ITEM, head[1:])
    if head.endswith("赋分"):
        return Column(index, (head,), Role.SCORE, head.removesuffix("赋分"), Measure.SCALED)
    if head.endswith("补考"):
        return Column(index, (head,), Role.SCORE, head.removesuffix("补考"), Measure.MAKE_UP)
    subject = None if head == "分数" else head
    return Column(index, (head,), Role.SCORE, subject, Measure.RAW)


def reading(
    heads: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    file: str = "成绩.xlsx",
    sheet: str = "Sheet1",
    kind: SheetKind = SheetKind.SCORES,
    make_up: Mapping[tuple[int, str], object] | None = None,
    **declared: object,
) -> SheetReading:
    """A sheet with its header in row 1 and pupils from row 2; heads as in schools, states as their words."""
    columns = tuple(_column(index, head, kind) for index, head in enumerate(heads))
    cells = list(zip(*rows, strict=True)) if rows else [()] * len(heads)
    texts: dict[Role, list[str | None]] = {}
    scores, stated = [], []
    for column, own in zip(columns, cells, strict=True):
        if column.role in (Role.SCORE, Role.TOTAL, Role.RANK):
            values, states = _numbers(own)
            extra = {i: milli(v) for (i, head), v in (make_up or {}).items() if head == column.header[0]}
            score = ScoreColumn(column, values, states, extra)
            (scores if column.role is Role.SCORE else stated).append(score)
        else:
            texts[column.role] = [None if cell in (None, "") else str(cell) for cell in own]
    classes = np.array([RowClass.HEADER, *[RowClass.PUPIL] * len(rows)], np.uint8)
    block = PupilBlock(
        np.arange(1, len(rows) + 1), texts, tuple(scores), tuple(stated), long="分数" in heads and "学科" in heads
    )
    plain = Sheet(file, sheet, [list(heads), *[list(row) for row in rows]])
    return SheetReading(plain, kind, (0,), columns, classes, Declared(**declared), block)  # type: ignore[arg-type]


def names_only(heads: Sequence[str], rows: Sequence[Sequence[object]], **more: object) -> SheetReading:
    """A list of pupils without scores."""
    return reading(heads, rows, kind=SheetKind.PUPILS, **more)  # type: ignore[arg-type]


def blueprint(subject: str, items: Sequence[tuple[str, int]], sheet: str = "双向细目表") -> SheetReading:
    """An item blueprint: item number and full mark."""
    lines = tuple(
        BlueprintItem(subject, item, full * 1000, None, (), None, row) for row, (item, full) in enumerate(items, 1)
    )
    plain = Sheet("成绩.xlsx", sheet, [])
    return SheetReading(plain, SheetKind.BLUEPRINT, (0,), (), np.zeros(0, np.uint8), Declared(), None, lines)


def empty_kind(kind: SheetKind, sheet: str, file: str = "成绩.xlsx") -> SheetReading:
    """A sheet of another kind without pupils."""
    return SheetReading(Sheet(file, sheet, []), kind, (), (), np.zeros(0, np.uint8), Declared(), None)


def files_of(*readings: SheetReading, sha: Mapping[str, str] | None = None) -> tuple[SourceFile, ...]:
    """One source file for each file label; `sha` gives hashes, otherwise they differ."""
    labels = dict.fromkeys(item.sheet.file for item in readings)
    sheets = {label: tuple(item.sheet for item in readings if item.sheet.file == label) for label in labels}
    return tuple(SourceFile(f, f, (sha or {}).get(f, f), 1, "xlsx", None, own) for f, own in sheets.items())
