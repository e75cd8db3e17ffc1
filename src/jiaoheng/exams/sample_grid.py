"""Grids of cells and the three kinds of file that schools send: a workbook, a text file, a web page called .xls."""

from __future__ import annotations

import csv
import datetime as dt
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import xlsxwriter

Cell = str | int | float | None
_CREATED = dt.datetime(2026, 4, 22, 9, 0, 0)  # fixed: the same seed gives the same bytes


@dataclass(slots=True)
class Grid:
    """One sheet to write. Positions are 0-based row and column."""

    name: str
    rows: list[list[Cell]] = field(default_factory=list)
    merges: list[tuple[int, int, int, int]] = field(
        default_factory=list
    )  # first row, first column, last row, last column
    formats: dict[int, str] = field(default_factory=dict)  # column → number format
    hidden_rows: set[int] = field(default_factory=set)
    freeze: int = 0  # rows that stay in view

    def add(self, *cells: Cell) -> int:
        """Append a row; gives its 0-based number."""
        self.rows.append(list(cells))
        return len(self.rows) - 1

    def merge(self, row: int, column: int, last_row: int, last_column: int) -> None:
        """Merge a range of more than one cell; its text stands in the first cell."""
        if (row, column) != (last_row, last_column):
            self.merges.append((row, column, last_row, last_column))


def write_workbook(path: Path, grids: Sequence[Grid]) -> None:
    """An xlsx with one sheet per grid; the bytes depend on the grids only."""
    with xlsxwriter.Workbook(path) as book:
        book.set_properties({"created": _CREATED, "author": "样例"})
        head = book.add_format({"bold": True, "align": "center", "valign": "vcenter", "border": 1})
        made: dict[str, object] = {}
        for grid in grids:
            sheet = book.add_worksheet(grid.name)
            covered = {
                (row, column)
                for first, left, last, right in grid.merges
                for row in range(first, last + 1)
                for column in range(left, right + 1)
            }
            for first, left, last, right in grid.merges:
                sheet.merge_range(first, left, last, right, grid.rows[first][left], head)
            for column, code in grid.formats.items():
                made.setdefault(code, book.add_format({"num_format": code}))
                sheet.set_column(column, column, 14, made[code])
            for number, row in enumerate(grid.rows):
                for column, value in enumerate(row):
                    if value is None or (number, column) in covered:
                        continue
                    style = made.get(grid.formats.get(column, "")) if not isinstance(value, str) else None
                    if isinstance(value, str):
                        sheet.write_string(number, column, value)
                    else:
                        sheet.write_number(number, column, value, style)
            for number in grid.hidden_rows:
                sheet.set_row(number, None, None, {"hidden": True})
            if grid.freeze:
                sheet.freeze_panes(grid.freeze, 0)


def write_text(path: Path, grid: Grid, encoding: str) -> None:
    """A comma-separated file; characters that the encoding lacks raise UnicodeEncodeError."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\r\n").writerows([shown(value) for value in row] for row in grid.rows)
    path.write_bytes(buffer.getvalue().encode(encoding))


def write_web_page(path: Path, grid: Grid) -> None:
    """A web page with one table, as many school systems send it under the name .xls."""
    lines = [
        "<html><head><meta charset='utf-8'><title>",
        html.escape(grid.name),
        "</title></head><body><table border=1>",
    ]
    spans = {(row, left): right - left + 1 for row, left, last, right in grid.merges if row == last}
    covered = {(row, at) for (row, left), span in spans.items() for at in range(left + 1, left + span)}
    for number, row in enumerate(grid.rows):
        lines.append("<tr>")
        for column, value in enumerate(row):
            if (number, column) in covered:
                continue
            span = spans.get((number, column))
            start = f"<td colspan={span}>" if span else "<td>"
            lines.append(f"{start}{html.escape(shown(value))}</td>")
        lines.append("</tr>\n")
    lines.append("</table></body></html>")
    path.write_bytes("".join(lines).encode())


def shown(value: Cell) -> str:
    """A cell as text: 88.0 → 88, None → nothing."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
