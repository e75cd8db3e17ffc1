"""Item scores in long layout, one line a pupil and item, folded to one line a pupil with a column an item."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from jiaoheng.sheets.blueprints import item_label
from jiaoheng.sheets.findings import Findings
from jiaoheng.sheets.places import Severity
from jiaoheng.sheets.reading_model import MILLI, Column, Measure, PupilBlock, Role, ScoreColumn, ScoreState
from jiaoheng.sheets.sheet_grid import Grid
from jiaoheng.sheets.text import cell_text, fold, number_text
from jiaoheng.sheets.vocabulary import Vocabulary

_PERSON = (Role.PUPIL_ID, Role.EXAM_NO, Role.ID_CARD, Role.SCHOOL, Role.CLASS, Role.NAME)
_FULL = re.compile(r"(\d{1,3}(?:\.\d{1,3})?)分?")


def long_item_columns(columns: Sequence[Column]) -> tuple[Column, Column] | None:
    """The columns of item numbers and of item scores where a sheet has one line a pupil and item."""
    numbers = [column for column in columns if column.role is Role.ITEM_NO]
    scores = [column for column in columns if column.role is Role.SCORE and column.item is None]
    person = any(column.role in _PERSON[:3] or column.role is Role.NAME for column in columns)
    items = any(column.item is not None for column in columns)
    return (numbers[0], scores[0]) if person and len(numbers) == len(scores) == 1 and not items else None


@dataclass(slots=True)
class _Fold:
    """The folding of one sheet: pupils and items by order of appearance, scores by both."""

    grid: Grid
    findings: Findings
    score: Column
    pupils: dict[tuple[str | None, ...], int]
    items: dict[tuple[str | None, str], int]
    cells: dict[tuple[int, int], int]  # (pupil, item) → line

    def add(self, block: PupilBlock, line: int, person: tuple[str | None, ...], item: tuple[str | None, str]) -> None:
        """Take one line in; a second line of the same pupil and item must say the same."""
        where = (self.pupils.setdefault(person, len(self.pupils)), self.items.setdefault(item, len(self.items)))
        before = self.cells.setdefault(where, line)
        if before == line:
            return
        own, row = block.scores[0], int(block.rows[line])
        if own.values[before] == own.values[line] and own.states[before] == own.states[line]:
            message = f"与第 {int(block.rows[before]) + 1} 行是同一名学生的同一题，得分相同，只计一次"
            self.findings.note("repeated-row", message, row=row)
            return
        first = self.grid.place(int(block.rows[before]), self.score.index).cell
        self.findings.error(
            "item-differs", f"同一名学生的第 {item[1]} 题有两个得分，另一个在 {first}", "请删去一行，或改正题号",
            row=row, column=self.score.index,
        )  # fmt: skip


def fold_items(
    grid: Grid, block: PupilBlock, columns: Sequence[Column], words: Vocabulary, findings: Findings
) -> tuple[PupilBlock, dict[str, int]]:
    """The block with one row a pupil, and the full marks of items in thousandths (of a sheet with one subject).

    A pupil's row is the first of its lines. Lines of totals are left out, lines without an item number are errors.
    """
    found = long_item_columns(columns)
    if found is None or not block.scores:
        return block, {}
    number, score = found
    fold_ = _Fold(grid, findings, score, {}, {}, {})
    subjects = block.texts.get(Role.SUBJECT) if block.long else None
    lines = range(len(block.rows))
    for line in lines:
        text = cell_text(grid.rows[int(block.rows[line])][number.index])
        if text is None:
            message, remedy = "这一行有得分，但没有题号", "请补写题号，或删去这一行"
            findings.error("item-without-number", message, remedy, row=int(block.rows[line]), column=number.index)
            continue
        if fold(text) in words.total_words or fold(text) in words.footer_maybe_name:
            message = f"题号写“{text}”的行是合计，没有计入"
            findings.joined("item-total-row", Severity.NOTE, message, row=int(block.rows[line]), column=number.index)
            continue
        person = tuple((block.texts.get(role) or [None] * len(block.rows))[line] for role in _PERSON)
        subject = subjects[line] if subjects is not None else score.subject
        fold_.add(block, line, person, (subject, item_label(text, words)))
    fulls = _full_marks(grid, block, columns, fold_, findings)
    made = _columns(block, fold_, fulls)
    first: dict[int, int] = {}
    for (pupil, _), line in fold_.cells.items():
        first[pupil] = min(line, first.get(pupil, line))
    kept = [first[pupil] for pupil in sorted(first)]
    texts: dict[Role, Sequence[str | None]] = {
        role: [values[line] for line in kept] for role, values in block.texts.items() if role is not Role.SUBJECT
    }
    one = len({subject for subject, _ in fold_.items}) == 1
    folded = PupilBlock(block.rows[np.array(kept, np.int64)], texts, made)
    return folded, {item: full for (_, item), full in fulls.items()} if one else {}


def _columns(block: PupilBlock, found: _Fold, fulls: Mapping[tuple[str | None, str], int]) -> tuple[ScoreColumn, ...]:
    """One score column an item, with a row a pupil; errors of single cells were told with the lines."""
    own, size = block.scores[0], len(found.pupils)
    values = {item: np.zeros(size, np.int64) for item in found.items}
    states = {item: np.full(size, ScoreState.MISSING, np.uint8) for item in found.items}
    names = list(found.items)
    for (pupil, at), line in found.cells.items():
        item = names[at]
        full, value = fulls.get(item), int(own.values[line])
        values[item][pupil], states[item][pupil] = value, own.states[line]
        if full is not None and own.states[line] == ScoreState.SCORED and value > full:
            values[item][pupil], states[item][pupil] = 0, ScoreState.INVALID
            message = f"第 {item[1]} 题得分 {number_text(value / MILLI)} 超过满分 {number_text(full / MILLI)}"
            found.findings.error(
                "item-above-full", message, "请改正得分，或改正该题的满分",
                row=int(block.rows[line]), column=found.score.index,
            )  # fmt: skip
    return tuple(
        ScoreColumn(
            replace(found.score, subject=subject, measure=Measure.ITEM, item=item),
            values[subject, item], states[subject, item],
        )
        for subject, item in found.items
    )  # fmt: skip


def _full_marks(
    grid: Grid, block: PupilBlock, columns: Sequence[Column], found: _Fold, findings: Findings
) -> dict[tuple[str | None, str], int]:
    """Full mark of each item from the sheet's own column of full marks; two different ones are an error."""
    column = next((column for column in columns if column.role is Role.ITEM_FULL), None)
    fulls: dict[tuple[str | None, str], int] = {}
    if column is None:
        return fulls
    names = list(found.items)
    for (_, at), line in found.cells.items():
        row = int(block.rows[line])
        match = _FULL.fullmatch(fold(cell_text(grid.rows[row][column.index]) or ""))
        if match is None:
            continue
        full = int(Decimal(match[1]) * MILLI)
        known = fulls.setdefault(names[at], full)
        if known != full:
            told = f"第 {names[at][1]} 题的满分前后不同：{number_text(known / MILLI)} 与 {number_text(full / MILLI)}"
            findings.error("item-full-differs", told, "请改成一个值", row=row, column=column.index)
    return fulls
