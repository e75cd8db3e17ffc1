"""A sheet with the corrections of the settings applied, and its columns taken out once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from jiaoheng.sheets.places import Place
from jiaoheng.sheets.text import is_blank
from jiaoheng.sheets.workbook import Cell, Position, Sheet

_CELL = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_NUMERIC = frozenset({float, int, type(None)})


def column_index(letters: str) -> int:
    """0-based index of column letters (A → 0, AA → 26)."""
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - 64
    return index - 1


@dataclass(frozen=True, slots=True)
class ColumnCells:
    """One column's cells for chosen rows. `numbers` is NaN where a cell holds no number."""

    cells: list[Cell]
    numbers: npt.NDArray[np.float64]
    filled: npt.NDArray[np.bool_]
    numeric: bool  # nothing but numbers and blanks


@dataclass(frozen=True, slots=True)
class Grid:
    """What the other modules read of a sheet."""

    sheet: Sheet
    rows: Sequence[Sequence[Cell]]
    corrected: frozenset[Position]
    _columns: dict[tuple[int, int], ColumnCells] = field(default_factory=dict)

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.rows[0]) if self.rows else 0

    def place(self, row: int = -1, column: int = -1) -> Place:
        """The place of 0-based row and column; −1 leaves it out."""
        return Place(self.sheet.file, self.sheet.name, row + 1, column + 1)

    def column(self, index: int, first: int) -> ColumnCells:
        """The cells of a column from row `first` down; kept, because several passes need them."""
        key = (index, first)
        if key not in self._columns:
            self._columns[key] = column_cells([row[index] for row in self.rows[first:]])
        return self._columns[key]


def column_cells(cells: list[Cell]) -> ColumnCells:
    """Sort a column's cells into numbers and others in one pass over types."""
    kinds = set(map(type, cells))
    if kinds <= _NUMERIC:
        numbers = np.array(cells, dtype=np.float64)
        return ColumnCells(cells, numbers, ~np.isnan(numbers), numeric=True)
    numbers = np.array([cell if type(cell) is float or type(cell) is int else None for cell in cells], dtype=np.float64)
    blank: dict[object, bool] = {
        cell: is_blank(cell) for cell in {cell for cell in cells if type(cell) is str or cell is None}
    }
    filled = np.fromiter((not blank.get(cell, False) for cell in cells), dtype=np.bool_, count=len(cells))
    return ColumnCells(cells, numbers, filled, numeric=False)


def make_grid(sheet: Sheet, corrections: Mapping[str, str]) -> Grid:
    """Apply `file|sheet|E17 → text` answers on a copy of the rows that they touch."""
    prefix = f"{sheet.file}|{sheet.name}|"
    wanted: dict[Position, str] = {}
    for key, value in corrections.items():
        match = _CELL.fullmatch(key.removeprefix(prefix)) if key.startswith(prefix) else None
        if match:
            row, column = int(match[2]) - 1, column_index(match[1])
            if row < len(sheet.rows) and column < len(sheet.rows[0]):
                wanted[row, column] = value
    if not wanted:
        return Grid(sheet, sheet.rows, frozenset())
    rows = list(sheet.rows)
    for (row, column), value in wanted.items():
        cells = list(rows[row])
        cells[column] = value or None
        rows[row] = cells
    return Grid(sheet, rows, frozenset(wanted))
