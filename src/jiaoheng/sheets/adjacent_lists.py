"""Lists of pupils that stand beside each other in one sheet, taken apart without moving a cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from jiaoheng.sheets.answers import Answers
from jiaoheng.sheets.columns import plan_columns
from jiaoheng.sheets.headers import SEARCH_ROWS, find_header
from jiaoheng.sheets.reading_model import Column, Role
from jiaoheng.sheets.sheet_grid import make_grid
from jiaoheng.sheets.vocabulary import Vocabulary
from jiaoheng.sheets.workbook import Cell, Sheet


def split(sheet: Sheet, words: Vocabulary, answers: Answers) -> list[Sheet]:
    """One sheet for each list, every cell at its own place and the other lists blanked; [] where there is one list.

    Only lists of the same columns are taken apart: 姓名 语文 | 姓名 语文. Others are refused by `understand`.
    """
    if not any(_repeats_a_word(row) for row in sheet.rows[:SEARCH_ROWS]):
        return []  # the heads of lists beside each other say 姓名 twice; most sheets end here
    grid = make_grid(sheet, {})
    header = find_header(grid, words)
    if header is None:
        return []
    plan = plan_columns(grid, header, words, answers)
    if len(plan.blocks) < 2 or not _alike(plan.columns, plan.blocks):
        return []
    top = min(header.rows)
    parts = []
    for first, last in plan.blocks:
        rows: list[list[Cell]] = [list(row) for row in sheet.rows[:top]]
        rows += [
            [cell if first <= index <= last else None for index, cell in enumerate(row)] for row in sheet.rows[top:]
        ]
        merged = tuple(
            span for span in sheet.merged if span[1][0] < top or (first <= span[0][1] and span[1][1] <= last)
        )
        parts.append(replace(sheet, rows=rows, merged=merged))
    return parts


def _repeats_a_word(row: Sequence[Cell]) -> bool:
    words = ["".join(cell.split()) for cell in row if isinstance(cell, str)]
    filled = [word for word in words if word]
    return len(set(filled)) < len(filled)


def _alike(columns: tuple[Column, ...], blocks: tuple[tuple[int, int], ...]) -> bool:
    kinds = [
        tuple(
            (c.role, c.subject, c.measure) for c in columns if first <= c.index <= last and c.role is not Role.UNKNOWN
        )
        for first, last in blocks
    ]
    return all(kind == kinds[0] for kind in kinds)
