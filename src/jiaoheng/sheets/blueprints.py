"""The item blueprint 双向细目表: one line an item, or one column an item."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from jiaoheng.sheets.columns import ColumnPlan
from jiaoheng.sheets.findings import Findings
from jiaoheng.sheets.header_words import header_word
from jiaoheng.sheets.reading_model import MILLI, BlueprintItem, Column, Measure, Role, RowClass
from jiaoheng.sheets.row_words import row_word, texts_of
from jiaoheng.sheets.sheet_grid import Grid
from jiaoheng.sheets.text import cell_text, fold, is_blank
from jiaoheng.sheets.vocabulary import Vocabulary
from jiaoheng.sheets.workbook import Cell

_SPLIT = re.compile(r"[、,，;；/|\n]+")
_FULL = re.compile(r"(\d{1,3}(?:\.\d{1,3})?)分?")
_ROLES = (Role.ITEM_NO, Role.ITEM_FULL, Role.ITEM_TYPE, Role.KNOWLEDGE, Role.ABILITY, Role.SUBJECT)


def item_label(text: str, words: Vocabulary) -> str:
    """The number under which an item is known in score sheets: 第3题 → 3, 一（1） → 一(1), 3.0 → 3."""
    found = header_word(re.sub(r"^(\d+)\.0$", r"\1", text), words)
    return found.item or fold(text)


def _columns(plan: ColumnPlan) -> dict[Role, list[int]]:
    out: dict[Role, list[int]] = {}
    for column in plan.columns:
        role = Role.ITEM_FULL if column.role is Role.SCORE and column.measure is not Measure.ITEM else column.role
        out.setdefault(role, []).append(column.index)
    return out


def read_blueprint(
    grid: Grid, plan: ColumnPlan, first: int, subject: str | None, words: Vocabulary, findings: Findings
) -> tuple[tuple[BlueprintItem, ...], npt.NDArray[np.uint8]]:
    """Items of a blueprint with one line an item, and the class of every row from `first` down (PUPIL: an item)."""
    columns = _columns(plan)
    items: list[BlueprintItem] = []
    classes = np.full(len(grid.rows), RowClass.BLANK, dtype=np.uint8)
    seen: set[tuple[str, str]] = set()
    for row in range(first, len(grid.rows)):
        texts = texts_of(grid.rows[row])
        if not texts:
            continue
        number = _cell(grid, row, columns.get(Role.ITEM_NO, []))
        if number is None or row_word(texts[0][1], words) is RowClass.FOOTER or row_word(fold(number), words):
            classes[row] = RowClass.FOOTER
            continue
        if words.roles.get(fold(number)) is Role.ITEM_NO:
            classes[row] = RowClass.REPEATED_HEADER
            continue
        written = _cell(grid, row, columns.get(Role.SUBJECT, []))
        own = (words.subject(written) or written) if written else subject
        full = _full(grid, row, columns, findings, number)
        classes[row] = RowClass.PUPIL
        label = item_label(number, words)
        if own is None or full is None:
            continue
        if (own, label) in seen:
            findings.error(
                "duplicate-item", f"{own}第 {label} 题在细目表中出现两次", "请删去一行，或把题号写成不同的小题",
                row=row, column=columns[Role.ITEM_NO][0],
            )  # fmt: skip
            continue
        seen.add((own, label))
        items.append(_item(grid, row, columns, own, label, full))
    return tuple(items), classes


def _item(grid: Grid, row: int, columns: dict[Role, list[int]], subject: str, label: str, full: int) -> BlueprintItem:
    points: list[str] = []
    for index in columns.get(Role.KNOWLEDGE, []):
        text = _merged_cell(grid, row, index)
        points += [part.strip() for part in _SPLIT.split(text or "") if part.strip()]
    return BlueprintItem(
        subject, label, full, _cell(grid, row, columns.get(Role.ITEM_TYPE, [])), tuple(dict.fromkeys(points)),
        _cell(grid, row, columns.get(Role.ABILITY, [])), row,
    )  # fmt: skip


def _full(grid: Grid, row: int, columns: dict[Role, list[int]], findings: Findings, number: str) -> int | None:
    indexes = columns.get(Role.ITEM_FULL, [])
    text = _cell(grid, row, indexes)
    match = _FULL.fullmatch(fold(text)) if text else None
    if match and Decimal(match[1]) > 0:
        return int(Decimal(match[1]) * MILLI)
    what = f"分值“{text}”不是正数" if text else "没有写分值"
    findings.error(
        "item-full-missing", f"第 {number} 题{what}", "请填写该题的满分", row=row, column=indexes[0] if indexes else -1
    )
    return None


def _cell(grid: Grid, row: int, indexes: Sequence[int]) -> str | None:
    return next((text for index in indexes if (text := _merged_cell(grid, row, index))), None)


def _merged_cell(grid: Grid, row: int, index: int) -> str | None:
    cell = grid.rows[row][index]
    if not is_blank(cell):
        return cell_text(cell)
    for (top, left), (low, right) in grid.sheet.merged:
        if top <= row <= low and left <= index <= right:
            return cell_text(grid.rows[top][left])
    return None


def lying_blueprint(grid: Grid, words: Vocabulary) -> dict[Role, int] | None:
    """Rows of a blueprint that lies on its side: labels 题号, 分值, 知识点 in the first columns, an item a column."""
    found: dict[Role, int] = {}
    for row in range(min(len(grid.rows), 20)):
        texts = texts_of(grid.rows[row])
        role = words.roles.get(texts[0][1]) if texts else None
        if role in _ROLES and len(texts) > 2 and role not in found:
            found[role] = row
    return found if Role.ITEM_NO in found and Role.ITEM_FULL in found else None


def turn(grid: Grid, lines: dict[Role, int]) -> tuple[list[list[Cell]], ColumnPlan]:
    """A lying blueprint stood up: its lines become columns in the order of the roles."""
    order = sorted(lines, key=lambda role: lines[role])
    start = 1 + next(index for index, cell in enumerate(grid.rows[lines[Role.ITEM_NO]]) if not is_blank(cell))
    rows: list[list[Cell]] = [[grid.rows[lines[role]][index] for role in order] for index in range(start, grid.width)]
    return rows, ColumnPlan(tuple(Column(at, (role.value,), role) for at, role in enumerate(order)))
