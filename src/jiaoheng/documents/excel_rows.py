"""Worksheets that take whole rows of finished cells: a third of the time of a call a cell.

XlsxWriter keeps every cell as an object and looks at each again when it writes the file. The body of a table has one
format a column and three sorts of cells, so its XML is made at once; heads, links and notes go the usual way.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

MOST_TEXT = 32767  # characters of a cell, Excel's limit


@cache
def _letters(column: int) -> str:
    name: str = xl_col_to_name(column)
    return name


class RowSheet(Worksheet):  # type: ignore[misc]
    """A worksheet that also takes rows of cells made by `number`, `text` and `blank`.

    A row is written either so or by XlsxWriter's own calls, never by both.
    """

    def number(self, row: int, column: int, value: int | float, look: Any) -> str:
        """A cell with a finite number."""
        return f'<c r="{_letters(column)}{row + 1}" s="{look._get_xf_index()}"><v>{value:.16G}</v></c>'

    def text(self, row: int, column: int, value: str, look: Any) -> str:
        """A cell with a text that XML can hold, cut to Excel's limit; a blank cell where there is none."""
        if not value:
            return f'<c r="{_letters(column)}{row + 1}" s="{look._get_xf_index()}"/>'
        index = self.str_table._get_shared_string_index(value[:MOST_TEXT])
        return f'<c r="{_letters(column)}{row + 1}" s="{look._get_xf_index()}" t="s"><v>{index}</v></c>'

    def put_row(self, row: int, cells: Sequence[str]) -> None:
        """Take a row of cells from column A on."""
        if not cells:
            return
        last = len(cells) - 1
        self._check_dimensions(row, 0)
        self._check_dimensions(row, last)
        self.table[row][last] = _Finished("")  # the row's extent is counted from its first and last cell
        self.table[row][0] = _Finished("".join(cells))

    def _write_cell(self, row: int, col: int, cell: Any) -> None:
        """XlsxWriter's writing of one cell."""
        if type(cell) is _Finished:
            self.fh.write(cell)
        else:
            super()._write_cell(row, col, cell)


class _Finished(str):
    """XML of cells."""

    __slots__ = ()
