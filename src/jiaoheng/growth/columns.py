"""One sheet of cells → the needed columns, typed; what is no number is named with its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from jiaoheng.sheets.places import Place, Problem, Severity
from jiaoheng.sheets.text import cell_text, fold
from jiaoheng.sheets.workbook import Cell, Sheet

_HEADER_WITHIN = 20  # rows from the top in which the header is looked for
_UNKNOWN = frozenset({"", "-", "—", "/", "缺考", "缺", "未考", "无", "空", "na", "n/a", "nan", "null", "none", "#n/a"})
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Needed:
    """The columns a run reads: numbers, keys (text), and those that may be either (covariates)."""

    numbers: tuple[str, ...]
    keys: tuple[str, ...]
    either: tuple[str, ...] = ()

    @property
    def every(self) -> tuple[str, ...]:
        """All of them once, in order."""
        return tuple(dict.fromkeys((*self.numbers, *self.keys, *self.either)))


def take_sheet(file: str, sheet: Sheet, needed: Needed) -> tuple[pl.DataFrame | None, list[Problem]]:
    """The needed columns of a sheet, or None where its first rows have no header with all of them."""
    found = _header(sheet.rows, needed.every)
    if found is None:
        return None, []
    header, places = found
    body = list(sheet.rows[header + 1 :])
    rows = [at for at, row in enumerate(body) if any(cell_text(row[places[name]]) for name in needed.every)]
    problems: list[Problem] = []
    columns: dict[str, pl.Series] = {}
    for name in needed.every:
        cells = [body[at][places[name]] for at in rows]
        if name in needed.keys:
            columns[name] = pl.Series(name, [_key(cell) for cell in cells], dtype=pl.String)
            continue
        values, wrong = _numbers(cells)
        if name in needed.either and len(wrong) > 0:
            columns[name] = pl.Series(name, [_key(cell) for cell in cells], dtype=pl.String)
            continue
        columns[name] = pl.Series(name, values)
        if wrong:
            problems.append(
                _not_numbers(file, sheet, name, wrong, cells, [header + 2 + rows[at] for at in wrong], places)
            )
    return pl.DataFrame(columns), problems


def _header(rows: Sequence[Sequence[Cell]], names: Sequence[str]) -> tuple[int, dict[str, int]] | None:
    wanted = {_head(name): name for name in names}
    for at, row in enumerate(rows[:_HEADER_WITHIN]):
        places: dict[str, int] = {}
        for column, cell in enumerate(row):
            name = wanted.get(_head(cell_text(cell) or ""))
            if name is not None and name not in places:
                places[name] = column
        if len(places) == len(names):
            return at, places
    return None


def _head(text: str) -> str:
    return "".join(fold(text).split()).casefold()


def _key(cell: Cell) -> str | None:
    return cell_text(cell)


def _numbers(cells: Sequence[Cell]) -> tuple[np.ndarray[Any, Any], list[int]]:
    """Values with NaN for what is unknown, and the positions of what is neither."""
    values = np.full(len(cells), np.nan)
    wrong: list[int] = []
    for at, cell in enumerate(cells):
        if isinstance(cell, int | float):  # a bool is an int
            values[at] = float(cell)
        elif cell is not None:
            text = fold(str(cell)).strip().casefold()
            if text in _UNKNOWN:
                continue
            try:
                values[at] = float(text.replace("_", "x"))
            except ValueError:
                wrong.append(at)
    return values, wrong


def _not_numbers(
    file: str,
    sheet: Sheet,
    name: str,
    wrong: Sequence[int],
    cells: Sequence[Cell],
    rows: Sequence[int],
    places: dict[str, int],
) -> Problem:
    shown = "、".join(f"第{row}行“{cells[at]}”" for at, row in list(zip(wrong, rows, strict=True))[:_SHOWN])
    message = f"“{name}”列有 {len(wrong)} 格不是数字：{shown}{'等' if len(wrong) > _SHOWN else ''}，按没有成绩处理"
    place = Place(file, sheet.name, rows[0], places[name] + 1)
    return Problem("growth-not-a-number", Severity.WARNING, place, message, "请改为数字；没有成绩的请留空或写“缺考”")
