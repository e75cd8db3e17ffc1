"""One sheet of a workbook: its tables under each other, each with title, heads, rows and what is said under it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from jiaoheng.documents.excel_rows import MOST_TEXT, RowSheet
from jiaoheng.documents.excel_styles import Styles, number_format
from jiaoheng.documents.model import Definition, Dim, Interval, Kind, Table, TableColumn, Value
from jiaoheng.documents.printing import (
    foot_notes,
    head,
    head_groups,
    is_numeric,
    printed,
    stored_number,
)
from jiaoheng.documents.safe_text import one_line
from jiaoheng.documents.widths import text_width, widest

_MIN_WIDTH, _MAX_WIDTH = 7, 42  # characters; a full school name fits, a note does not stretch the sheet
_WIDTH_SAMPLE = 400  # rows looked at for a column's width
TEXT, WHOLE, BROKEN = range(3)  # sorts of cells
_MAX_COMMENTS = 300  # per sheet: beyond, the reasons stand only under the table (comments are slow to open)


class SheetWriter:
    """Writes tables into one worksheet."""

    def __init__(self, sheet: RowSheet, styles: Styles, definitions: Mapping[str, Definition]) -> None:
        self.sheet = sheet
        self.styles = styles
        self.definitions = definitions
        self.comments = 0
        self.widths: dict[int, int] = {}

    @staticmethod
    def height(table: Table) -> int:
        """Rows that a table takes: title, heads, body, notes."""
        return 1 + _head_rows(table) + len(table.rows) + len(foot_notes(table))

    def write(self, tables: Sequence[Table]) -> None:
        """All tables of the sheet from its first row down; heads are frozen where there is one table."""
        row = 0
        for table in tables:
            self._table(table, row)
            row += self.height(table) + 2
        first = tables[0]
        body = 1 + _head_rows(first)
        frozen = max(1, first.head_rows)
        if len(tables) == 1:
            self.sheet.freeze_panes(body, frozen)
            self.sheet.repeat_rows(1, body - 1)
            if first.rows:
                self.sheet.autofilter(body - 1, 0, body - 1 + len(first.rows), len(list(_leaves(first))) - 1)
        else:
            self.sheet.freeze_panes(0, frozen)
        for column, width in self.widths.items():
            self.sheet.set_column(column, column, width)

    def _table(self, table: Table, top: int) -> None:
        for position, column in enumerate(_leaves(table)):
            self.widths[position] = max(self.widths.get(position, 0), _width(table, column))
        self.sheet.write_string(top, 0, one_line(table.title)[:MOST_TEXT], self.styles.caption)
        self._head_height(table, top + _head_rows(table))
        self._heads(table, top + 1)
        row = top + 1 + _head_rows(table)
        columns = [_Column(column, self.styles) for column in table.columns]
        for position, values in enumerate(table.rows):
            self._row(columns, values, row, bold=position in table.emphasis)
            row += 1
        for line in foot_notes(table):
            self.sheet.write_string(row, 0, line[:MOST_TEXT], self.styles.note)
            row += 1

    def _heads(self, table: Table, top: int) -> None:
        """Heads in one or two rows; upper heads are merged over their columns, single ones over both rows."""
        two = _head_rows(table) == 2
        position = 0
        for group, columns in head_groups(table):
            start = position
            for column in columns:
                for text in _leaf_heads(column, in_group=bool(group)):
                    look = self.styles.head if is_numeric(column) else self.styles.head_text
                    if two and not group and column.kind is not Kind.INTERVAL:
                        self.sheet.merge_range(top, position, top + 1, position, text, look)
                        self._definition(top, position, column)
                    else:
                        self.sheet.write_string(top + two, position, text, look)
                        self._definition(top + two, position, column)
                    position += 1
            upper = one_line(group) or (_full_head(columns[0]) if columns[0].kind is Kind.INTERVAL else "")
            if upper and two:
                if position - start > 1:
                    self.sheet.merge_range(top, start, top, position - 1, upper, self.styles.head)
                else:
                    self.sheet.write_string(top, start, upper, self.styles.head)

    def _head_height(self, table: Table, row: int) -> None:
        """Rows of merged heads do not grow by themselves: high enough for the longest head."""
        lines = 1
        for position, column in enumerate(_leaves(table)):
            texts = _leaf_heads(column, in_group=bool(column.group))
            lines = max(lines, *(-(-text_width(text) // max(1, self.widths[position] - 2)) for text in texts))
        self.sheet.set_row(row, 15 * lines + 4)

    def _row(self, columns: Sequence[_Column], values: tuple[Value, ...], row: int, *, bold: bool) -> None:
        cells: list[str] = []
        for column, value in zip(columns, values, strict=True):
            for part in column.parts(value):
                cells.append(self._cell(row, len(cells), column, part, bold=bold))
        self.sheet.put_row(row, cells)

    def _cell(self, row: int, position: int, column: _Column, value: Value, *, bold: bool) -> str:
        grey = isinstance(value, Dim)
        inner = value.value if isinstance(value, Dim) else value
        if isinstance(inner, str):
            return self.sheet.text(row, position, one_line(inner), column.look(TEXT, bold, grey))
        if isinstance(inner, (Fraction, int, float)) and (type(inner) is not float or math.isfinite(inner)):
            stored = stored_number(inner, column.column)
            look = column.look(WHOLE if isinstance(stored, int) else BROKEN, bold, grey)
            return self.sheet.number(row, position, stored, look)
        cell = printed(value, column.column)
        if cell.reason and self.comments < _MAX_COMMENTS:
            self.comments += 1
            self.sheet.write_comment(row, position, cell.reason, {"author": "", "x_scale": 1.5, "y_scale": 0.6})
        return self.sheet.text(row, position, cell.text, column.look(TEXT, bold, grey or bool(cell.reason)))

    def _definition(self, row: int, position: int, column: TableColumn) -> None:
        """The definition as a note at the head, with its key."""
        if not column.definition:
            return
        item = self.definitions.get(column.definition)
        text = f"{item.name}：{item.text}\n（口径键 {item.key}）" if item else f"口径键 {column.definition}"
        self.sheet.write_comment(row, position, text[:1000], {"author": "", "x_scale": 2.4, "y_scale": 1.4})


def _leaves(table: Table) -> Iterator[TableColumn]:
    """Columns as the sheet has them: an interval twice."""
    for column in table.columns:
        yield column
        if column.kind is Kind.INTERVAL:
            yield column


def _head_rows(table: Table) -> int:
    return 2 if any(column.group or column.kind is Kind.INTERVAL for column in table.columns) else 1


def _full_head(column: TableColumn) -> str:
    label, unit = head(column)
    if column.kind is Kind.PERCENT and unit == "%":
        # the cells themselves show the sign of a true percentage
        return label
    return f"{label}（{unit}）" if unit else label


def _leaf_heads(column: TableColumn, *, in_group: bool) -> list[str]:
    if column.kind is not Kind.INTERVAL:
        return [_full_head(column)]
    label = head(column)[0] if in_group else ""
    return [f"{label}下限", f"{label}上限"]


class _Column:
    """A column while its rows are written: its formats, each looked up once."""

    def __init__(self, column: TableColumn, styles: Styles) -> None:
        self.column = column
        self._styles = styles
        self._interval = column.kind is Kind.INTERVAL
        self._looks: dict[tuple[int, bool, bool], Any] = {}

    def look(self, sort: int, bold: bool, grey: bool) -> Any:
        """The format of a text, a whole number or a broken one."""
        key = (sort, bold, grey)
        found = self._looks.get(key)
        if found is None:
            style = "" if sort == TEXT else number_format(self.column, whole=sort == WHOLE)
            found = self._styles.cell(style, right=is_numeric(self.column), bold=bold, grey=grey)
            self._looks[key] = found
        return found

    def parts(self, value: Value) -> tuple[Value, ...]:
        """The cell, or the two ends of an interval."""
        if not self._interval:
            return (value,)
        inner = value.value if isinstance(value, Dim) else value
        if not isinstance(inner, Interval):
            return (value, value)
        return (Dim(inner.low), Dim(inner.high)) if isinstance(value, Dim) else (inner.low, inner.high)


def _width(table: Table, column: TableColumn) -> int:
    if column.width:
        return max(_MIN_WIDTH, min(column.width, 80))
    index = table.columns.index(column)
    body = widest(column, (row[index] for row in table.rows[:_WIDTH_SAMPLE]))
    if column.kind is Kind.INTERVAL:
        body //= 2
    # a head wraps after four or seven characters; the arrow of the filter needs room
    label = min(text_width(_full_head(column)), 8 if is_numeric(column) else 14) + 3
    return max(_MIN_WIDTH, min(_MAX_WIDTH, max(body + 2, label)))
