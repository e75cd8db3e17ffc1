"""SpreadsheetML, the "XML 表格 2003" that many systems write under the name .xls."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from jiaoheng.sheets.extent import Extent, SheetExtent
from jiaoheng.sheets.limits import Limits
from jiaoheng.sheets.number_formats import padded_digits
from jiaoheng.sheets.raw_sheets import Facts, RawCell, RawFile, RawRow, RawSheet, RefusalError
from jiaoheng.sheets.xml_parts import Attributes, walk

_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*\?>")
_EPOCH = dt.date(1899, 12, 31)


class _Book:
    """State of the walk over a workbook."""

    def __init__(self, limits: Limits) -> None:
        self.sheets: list[RawSheet] = []
        self._limits = limits
        self._extent = Extent(limits)
        self._sheet: _Sheet | None = None
        self._style = ""
        self._digits: dict[str, int] = {}
        self._path: list[str] = []

    def start(self, tag: str, attributes: Attributes) -> None:
        self._path.append(tag)
        if tag == "Style":
            self._style = attributes.get("ID", "")
        elif tag == "NumberFormat":
            digits = padded_digits(attributes.get("Format", ""))
            if digits:
                self._digits[self._style] = digits
        elif tag == "Worksheet":
            if len(self.sheets) >= self._limits.sheets:
                raise RefusalError("too-many-sheets", f"工作表超过上限 {self._limits.sheets} 个", "请拆成几个文件再交")
            name = attributes.get("Name", "")
            self._sheet = _Sheet(name, self._extent.sheet(name), self._digits)
        elif self._sheet is not None:
            self._sheet.start(tag, attributes, self._path)

    def end(self, tag: str) -> None:
        if self._path:
            self._path.pop()
        if self._sheet is None:
            return
        if tag == "Worksheet":
            self.sheets.append(self._sheet.finish())
            self._sheet = None
        else:
            self._sheet.end(tag, self._path)

    def text(self, text: str) -> None:
        if self._sheet is not None:
            self._sheet.text(text, self._path)


class _Sheet:
    """State of the walk over one sheet; row and column are 0-based."""

    def __init__(self, name: str, extent: SheetExtent, digits: dict[str, int]) -> None:
        self._name = name
        self._extent = extent
        self._digits = digits
        self._facts = Facts()
        self._cells: dict[int, dict[int, RawCell]] = {}
        self._row = -1
        self._next_row = 0
        self._column = -1
        self._next_column = 0
        self._column_info = 0
        self._cell: Attributes = {}
        self._type = ""
        self._pieces: list[str] = []
        self._visible = ""
        self._filter = False

    def start(self, tag: str, attributes: Attributes, path: list[str]) -> None:
        if tag == "Row":
            self._row = _index(attributes, self._next_row)
            span = _count(attributes.get("Span"))
            self._next_row = self._row + 1 + span
            self._next_column = 0
            if attributes.get("Hidden") == "1":
                self._facts.hidden_rows.update(range(self._row, self._row + 1 + min(span, self._extent.most_rows)))
        elif tag == "Cell":
            self._column = _index(attributes, self._next_column)
            wide, high = _count(attributes.get("MergeAcross")), _count(attributes.get("MergeDown"))
            self._next_column = self._column + 1 + wide
            self._cell = attributes
            if wide or high:
                self._facts.merged.append((self._row, self._column, self._row + high, self._column + wide))
            if "Formula" in attributes:
                self._facts.formulas.add((self._row, self._column))
        elif tag == "Data" and path[-2:-1] == ["Cell"]:
            self._type = attributes.get("Type", "String")
            self._pieces = []
        elif tag == "Column":
            first = _index(attributes, self._column_info)
            self._column_info = first + 1 + _count(attributes.get("Span"))
            if attributes.get("Hidden") == "1":
                self._facts.hidden_columns.update(range(first, min(self._column_info, 16_384)))
        elif tag == "AutoFilter":
            self._filter = True

    def text(self, text: str, path: list[str]) -> None:
        if self._type and "Data" in path and "Comment" not in path:
            self._pieces.append(text)
        elif path[-1:] == ["Visible"]:
            self._visible += text[:40]

    def end(self, tag: str, path: list[str]) -> None:
        if tag != "Data" or path[-1:] != ["Cell"]:
            return
        position = (self._row, self._column)
        raw = "".join(self._pieces)
        value = _typed(self._type, raw)
        if self._type == "Error":
            self._facts.errors[position] = raw[:40]
        self._facts.formulas.discard(position)
        digits = self._digits.get(self._cell.get("StyleID", ""), 0)
        if digits and isinstance(value, float):
            self._facts.zero_formats[position] = digits
        if value != "":
            self._extent.add(self._row + 1, self._column + 1)
            self._cells.setdefault(self._row, {})[self._column] = value
        self._type = ""

    def finish(self) -> RawSheet:
        self._extent.close()
        self._facts.hidden = self._visible.strip() in ("SheetHidden", "SheetVeryHidden")
        self._facts.filtered = self._filter and bool(self._facts.hidden_rows)
        return RawSheet(self._name, _dense(self._cells, self._extent.rows), self._facts)


def _dense(cells: dict[int, dict[int, RawCell]], rows: int) -> Iterator[RawRow]:
    for index in range(rows):
        row = cells.pop(index, None)
        yield [row.get(column, "") for column in range(max(row) + 1)] if row else []


def _index(attributes: Attributes, following: int) -> int:
    text = attributes.get("Index", "")
    return int(text) - 1 if text.isascii() and text.isdigit() and 0 < len(text) < 10 and text != "0" else following


def _count(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 8 else 0


def _typed(kind: str, text: str) -> RawCell:
    """A cell's value; what is not of its declared type stays text."""
    try:
        if kind == "Number":
            return float(text)
        if kind == "Boolean":
            return text.strip() == "1"
        if kind == "DateTime":
            moment = dt.datetime.fromisoformat(text.strip())
            if moment.date() <= _EPOCH:
                return moment.time()
            return moment if moment.time() != dt.time() else moment.date()
    except ValueError:
        return text
    return "" if kind == "Error" else text


def read_xml2003(text: str, encoding: str, limits: Limits) -> RawFile:
    """The worksheets of a SpreadsheetML text; raises RefusalError for broken or hostile XML."""
    book = _Book(limits)
    body = _DECLARATION.sub("", text, count=1)
    walk([body.encode("utf-8", "replace")], start=book.start, end=book.end, text=book.text)
    return RawFile("xml2003", encoding, book.sheets)
