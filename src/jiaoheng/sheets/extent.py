"""How far filled cells reach, and the refusal that names the one that is too far out."""

from __future__ import annotations

from functools import lru_cache

from jiaoheng.sheets.limits import Limits
from jiaoheng.sheets.places import column_letters
from jiaoheng.sheets.raw_sheets import RefusalError

SPARSE_AREA = 4_000_000  # cells; smaller sheets may be as empty as they like
_SPARSE = 1_000  # at most one filled cell in so many: a stray cell far off, not a table
_LONGEST = 12  # letters; anything so long is absurd, and big integers are not worth their cost


@lru_cache(maxsize=20_000)
def column_number(letters: bytes) -> int:
    """1-based number of column letters (A → 1, XFD → 16384)."""
    number = 0
    for letter in letters[:_LONGEST].upper():
        number = number * 26 + letter - 64
    return number


class Extent:
    """Counts the cells (rows × columns up to the last filled cell) of all sheets of one file."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.cells = 0

    def sheet(self, name: str) -> SheetExtent:
        """A fresh measure for one sheet."""
        return SheetExtent(self, name)


class SheetExtent:
    """The last filled row and column of one sheet (1-based)."""

    def __init__(self, whole: Extent, name: str) -> None:
        self._whole = whole
        self._name = name
        self.rows = 0
        self.columns = 0
        self._filled = 0
        self._leap = (0, 0, 0)  # the cell (row, column) that enlarged the sheet the most, and by how much

    @property
    def most_rows(self) -> int:
        """The most rows that a sheet may have."""
        return self._whole.limits.rows

    def fits(self, rows: int, columns: int) -> bool:
        """Whether a sheet of this size may still be read."""
        limits = self._whole.limits
        return rows <= limits.rows and columns <= limits.columns and self._whole.cells + rows * columns <= limits.cells

    def add(self, row: int, column: int, filled: int = 1) -> None:
        """Note `filled` cells of which the last is at row, column (1-based).

        Raises RefusalError naming it where it makes the sheet too large.
        """
        self._filled += filled
        if row <= self.rows and column <= self.columns:
            return
        rows, columns = max(row, self.rows), max(column, self.columns)
        if not self.fits(rows, columns):
            raise self._too_far(row, column, rows, columns)
        leap = rows * columns - self.rows * self.columns
        if leap > self._leap[2]:
            self._leap = (row, column, leap)
        self.rows, self.columns = rows, columns

    def close(self) -> None:
        """The sheet is at its end: its cells count against the file's. A stray cell far off is refused by name."""
        area = self.rows * self.columns
        if area > SPARSE_AREA and 0 < self._filled * _SPARSE < area:
            raise self._too_far(self._leap[0], self._leap[1], self.rows, self.columns)
        self._whole.cells += area

    def _too_far(self, row: int, column: int, rows: int, columns: int) -> RefusalError:
        limits = self._whole.limits
        cell = f"{column_letters(column)}{row}"
        if rows > limits.rows:
            told = f"有内容的单元格在第 {rows} 行，上限 {limits.rows} 行"
        elif columns > limits.columns:
            told = f"有内容的单元格在第 {columns} 列，上限 {limits.columns} 列"
        elif not self.fits(rows, columns):
            told = (
                f"有内容的单元格离表格太远：读到它共 {self._whole.cells + rows * columns} 格"
                f"（{rows} 行 × {columns} 列），上限 {limits.cells} 格"
            )
        else:
            told = f"有内容的单元格离表格太远：读到它共 {rows * columns} 格，其中有内容的只有 {self._filled} 格"
        remedy = f"请删除 {cell} 及它所在的空行、空列，保存后再交"
        return RefusalError("cell-too-far", told, remedy, sheet=self._name, row=row, column=column)
