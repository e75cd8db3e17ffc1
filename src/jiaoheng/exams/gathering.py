"""All used sheets as one table of rows and one of cells, before anybody knows which rows are the same pupil."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from jiaoheng.exams.names import clean_name, name_key, number_key
from jiaoheng.exams.observations import subject_values
from jiaoheng.sheets.class_names import grade_number, parse_class
from jiaoheng.sheets.places import Place
from jiaoheng.sheets.reading_model import (
    Column,
    Measure,
    PupilBlock,
    Role,
    ScoreColumn,
    ScoreState,
    SheetKind,
    SheetReading,
)

Index = npt.NDArray[np.int64]
MEASURES = tuple(Measure)
_TEXTS = (Role.PUPIL_ID, Role.EXAM_NO, Role.ID_CARD, Role.NAME, Role.SEX, Role.DISTRICT, Role.SCHOOL, Role.CLASS)
_MORE = (Role.GRADE, Role.TRACK, Role.COMBINATION, Role.STATUS, Role.SUBJECT)
_SCHEMA = {
    "sheet": pl.Int32,
    "line": pl.Int64,
    "listed": pl.Boolean,
    **{role.value: pl.String for role in (*_TEXTS, *_MORE)},
    "name_key": pl.String,
}


@dataclass(frozen=True, slots=True)
class CellTable:
    """Score cells in long form, one entry a cell; `row` is a position in `Gathered.rows`."""

    row: Index
    column: npt.NDArray[np.int32]  # 0-based
    subject: npt.NDArray[np.int32]  # position in Gathered.subjects
    measure: npt.NDArray[np.uint8]  # position in MEASURES
    value: Index  # thousandths
    state: npt.NDArray[np.uint8]

    def take(self, which: npt.NDArray[np.bool_] | Index) -> CellTable:
        """The chosen cells."""
        return CellTable(
            self.row[which],
            self.column[which],
            self.subject[which],
            self.measure[which],
            self.value[which],
            self.state[which],
        )


@dataclass(frozen=True, slots=True)
class ColumnCells:
    """A declared total, a declared rank or an item's scores: one column of one sheet."""

    sheet: int
    column: Column
    rows: Index
    values: Index
    states: npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Gathered:
    """Rows and cells of all used sheets.

    `rows` columns: sheet (position in `readings`), line (0-based sheet row), listed (from a list without scores), the
    texts of the roles (canonical school and class), name_key.
    """

    readings: tuple[SheetReading, ...]
    rows: pl.DataFrame
    subjects: tuple[str, ...]
    cells: CellTable
    declared: tuple[ColumnCells, ...]
    items: tuple[ColumnCells, ...]
    make_up: Mapping[tuple[int, int], int]  # (row, subject) → make-up score in thousandths
    doubled: tuple[
        tuple[int, Column, Column], ...
    ] = ()  # sheet, column that counts, column of the same subject left out

    def place(self, row: int, column: int = -1) -> Place:
        """Where a row (or its cell in a 0-based column) stands."""
        sheet = self.readings[int(self.rows["sheet"][row])].sheet
        return Place(sheet.file, sheet.name, int(self.rows["line"][row]) + 1, column + 1)

    def sheet_place(self, sheet: int) -> Place:
        """The whole sheet."""
        return Place(self.readings[sheet].sheet.file, self.readings[sheet].sheet.name)


def sheet_words(place: Place, here: Place) -> str:
    """How a message at `here` names a sheet (or a whole file) within its sentence, without what `here` says already."""
    if place.file == here.file and here.file:
        if place.sheet == here.sheet:
            return "这张表" if place.sheet or not here.sheet else "这个文件"
        return f"工作表“{place.sheet}”" if place.sheet else "这个文件"
    return f"“{place.file}”的工作表“{place.sheet}”" if place.sheet else f"“{place.file}”"


def place_words(place: Place, here: Place) -> str:
    """How a message at `here` names another place: E5, 工作表“二班” E5 or with its file."""
    if place.file != here.file:
        return str(place)
    return place.cell if place.sheet == here.sheet else str(Place("", place.sheet, place.row, place.column))


def all_places(places: Sequence[Place]) -> list[str]:
    """Several places as a sentence lists them: cells of one sheet, sheets and cells of one file, else everything."""
    if len({place.file for place in places}) > 1:
        return [str(place) for place in places]
    one = len({place.sheet for place in places}) == 1
    return [place.cell if one else str(Place("", place.sheet, place.row, place.column)) for place in places]


@lru_cache(maxsize=4096)
def class_display(text: str, grade: str | None) -> str:
    """The one spelling of a class: 901, 九(1)班 and 初三1班 are the same."""
    return parse_class(text, grade).display or text


def only_grade(readings: Sequence[SheetReading]) -> str | None:
    """The one grade that sheets or class names speak of; None where there is none or there are several.

    It helps to read class names of sheets that do not say their grade (1班 beside 九(1)班).
    """
    found = {reading.declared.grade for reading in readings}
    for reading in readings:
        if reading.pupils is not None:
            names = {*(reading.pupils.texts.get(Role.CLASS) or ()), reading.declared.class_name}
            found |= {parse_class(name).grade for name in names if name}
    known = {grade for grade in found if grade_number(grade) is not None}
    return next(iter(known)) if len(known) == 1 else None


def gather(
    readings: Sequence[SheetReading],
    schools: Mapping[str, str],
    grade: str | None = None,
    subject_names: Mapping[str, str] | None = None,
) -> Gathered:
    """Flatten readings. `schools`: name as written → canonical; `subject_names`: names that are joined into one."""
    renamed = subject_names or {}
    subjects: dict[str, int] = {}
    table: dict[str, list[Any]] = {name: [] for name in _SCHEMA}
    cells: list[CellTable] = []
    declared: list[ColumnCells] = []
    items: list[ColumnCells] = []
    make_up: dict[tuple[int, int], int] = {}
    doubled: list[tuple[int, Column, Column]] = []
    start = 0
    for number, reading in enumerate(readings):
        block = reading.pupils
        if block is None:
            continue
        for name, values in _rows(number, reading, block, schools, grade).items():
            table[name] += values
        rows = np.arange(start, start + len(block.rows), dtype=np.int64)
        usable, twice = _without_doubles(number, block)
        doubled += twice
        for column in usable:
            if column.column.measure is Measure.ITEM:
                items.append(ColumnCells(number, column.column, rows, column.values, column.states))
            else:
                _add_scores(block, column, rows, subjects, renamed, cells, make_up)
        declared += [ColumnCells(number, c.column, rows, c.values, c.states) for c in block.declared]
        start += len(block.rows)
    return Gathered(
        tuple(readings),
        pl.DataFrame(table, schema=_SCHEMA),
        tuple(subjects),
        _joined(cells),
        tuple(declared),
        tuple(items),
        make_up,
        tuple(doubled),
    )


def _without_doubles(number: int, block: PupilBlock) -> tuple[list[ScoreColumn], list[tuple[int, Column, Column]]]:
    """Score columns with one column a subject and measure; further ones that differ are named, not mixed in."""
    first: dict[tuple[str | None, Measure | None, str | None], ScoreColumn] = {}
    kept: list[ScoreColumn] = []
    twice: list[tuple[int, Column, Column]] = []
    for own in block.scores:
        known = first.setdefault((own.column.subject, own.column.measure, own.column.item), own)
        if known is own or own.column.measure is Measure.ITEM:
            kept.append(own)
        elif not (np.array_equal(known.values, own.values) and np.array_equal(known.states, own.states)):
            twice.append((number, known.column, own.column))
    return kept, twice


def _rows(
    number: int, reading: SheetReading, block: PupilBlock, schools: Mapping[str, str], grade: str | None
) -> dict[str, list[Any]]:
    """The rows of one sheet, column by column as in _SCHEMA."""
    count = len(block.rows)
    texts = {role: list(block.texts.get(role) or [None] * count) for role in (*_TEXTS, *_MORE)}
    if not block.long:
        texts[Role.SUBJECT] = [None] * count
    said = reading.declared
    texts[Role.SCHOOL] = [schools.get(t, t) if (t := text or said.school) else None for text in texts[Role.SCHOOL]]
    grades = [text or said.grade or grade for text in texts[Role.GRADE]]
    texts[Role.CLASS] = [
        class_display(t, hint) if (t := text or said.class_name) else None
        for text, hint in zip(texts[Role.CLASS], grades, strict=True)
    ]
    texts[Role.GRADE] = grades
    for role in (Role.PUPIL_ID, Role.EXAM_NO, Role.ID_CARD):
        texts[role] = [(number_key(text) or None) if text else None for text in texts[role]]
    texts[Role.NAME] = [(clean_name(text) or None) if text else None for text in texts[Role.NAME]]
    return {
        "sheet": [number] * count,
        "line": block.rows.tolist(),
        "listed": [reading.kind is SheetKind.PUPILS] * count,
        **{role.value: values for role, values in texts.items()},
        "name_key": [name_key(text) if text else None for text in texts[Role.NAME]],
    }


def _add_scores(
    block: PupilBlock,
    column: ScoreColumn,
    rows: Index,
    subjects: dict[str, int],
    renamed: Mapping[str, str],
    cells: list[CellTable],
    make_up: dict[tuple[int, int], int],
) -> None:
    measure = MEASURES.index(column.column.measure or Measure.RAW)
    for name, mask in subject_values(block, column):
        subject = subjects.setdefault(renamed.get(name, name), len(subjects))
        which = np.flatnonzero(mask)
        if MEASURES[measure] is Measure.MAKE_UP:
            sat = which[column.states[which] == ScoreState.SCORED]
            make_up.update({(int(rows[i]), subject): int(column.values[i]) for i in sat})
            continue
        cells.append(
            CellTable(
                rows[which],
                np.full(len(which), column.column.index, np.int32),
                np.full(len(which), subject, np.int32),
                np.full(len(which), measure, np.uint8),
                column.values[which],
                column.states[which],
            )
        )
        make_up.update({(int(rows[i]), subject): score for i, score in column.make_up.items() if mask[i]})


def _joined(cells: Sequence[CellTable]) -> CellTable:
    if not cells:
        return CellTable(
            np.zeros(0, np.int64),
            np.zeros(0, np.int32),
            np.zeros(0, np.int32),
            np.zeros(0, np.uint8),
            np.zeros(0, np.int64),
            np.zeros(0, np.uint8),
        )
    return CellTable(
        np.concatenate([c.row for c in cells]),
        np.concatenate([c.column for c in cells]),
        np.concatenate([c.subject for c in cells]),
        np.concatenate([c.measure for c in cells]),
        np.concatenate([c.value for c in cells]),
        np.concatenate([c.state for c in cells]),
    )
