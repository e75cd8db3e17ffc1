"""Small helpers: sheets from plain lists, and from files through the bare reader (blank text becomes None)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook

from jiaoheng.sheets.workbook import Cell, Sheet


def sheet(rows: Sequence[Sequence[Any]], *, file: str = "一中.xlsx", name: str = "Sheet1", **more: Any) -> Sheet:
    """A sheet of equal rows; empty text becomes None."""
    width = max((len(row) for row in rows), default=0)
    cells: list[list[Cell]] = [[None if v == "" else v for v in row] + [None] * (width - len(row)) for row in rows]
    return Sheet(file, name, cells, **more)


def table(text: str, **more: Any) -> Sheet:
    """A sheet from lines of cells split by blanks; `_` is blank, plain numbers are numbers."""
    return sheet([[_cell(part) for part in line.split()] for line in text.strip().splitlines()], **more)


def _cell(part: str) -> Cell:
    if part == "_":
        return None
    try:
        return float(part)
    except ValueError:
        return part


def from_file(path: Path) -> list[Sheet]:
    """The sheets of a workbook with their merges."""
    workbook = CalamineWorkbook.from_path(str(path))
    found = []
    for name in workbook.sheet_names:
        one = workbook.get_sheet_by_name(name)
        merged = tuple(one.merged_cell_ranges or ())
        rows = one.to_python(skip_empty_area=False)
        found.append(sheet(rows, file=path.name, name=name, merged=merged))
    return found
