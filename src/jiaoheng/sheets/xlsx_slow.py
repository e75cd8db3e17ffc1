"""The exact pass over an unusual xlsx sheet: prefixes, implied references, comments, any attribute order."""

from __future__ import annotations

import re

from jiaoheng.sheets.extent import SheetExtent, column_number
from jiaoheng.sheets.guard import Archive
from jiaoheng.sheets.raw_sheets import Facts
from jiaoheng.sheets.workbook import Position
from jiaoheng.sheets.xml_parts import Attributes, walk

_REFERENCE = re.compile(r"\$?([A-Za-z]+)\$?(\d{1,12})\Z")
_RANGE = re.compile(r"[A-Z]{1,3}[1-9]\d{0,6}(?::[A-Z]{1,3}[1-9]\d{0,6})?")
_TRUE = ("1", "true")
PERCENT = -1  # stands for a number of padded digits where a style shows per cent


class _Scan:
    """State of the walk; row and column are 1-based."""

    def __init__(self, zeros: dict[int, int], extent: SheetExtent) -> None:
        self.facts = Facts()
        self._zeros = zeros
        self._extent = extent
        self._row = 0
        self._column = 0
        self._cell: Attributes | None = None
        self._filled = self._formula = self._inside = False
        self._value: list[str] = []

    def start(self, tag: str, attributes: Attributes) -> None:
        if tag == "c":
            match = _REFERENCE.match(attributes.get("r", ""))
            self._column = column_number(match[1].encode()) if match else self._column + 1
            if match:
                self._row = int(match[2])
            self._cell, self._filled, self._formula, self._value = attributes, False, False, []
        elif self._cell is not None:
            self._filled = True
            self._formula = self._formula or tag == "f"
            self._inside = tag == "v"
        elif tag == "row":
            number = attributes.get("r", "")
            self._row = int(number) if number.isdigit() and len(number) < 12 else self._row + 1
            self._column = 0
            if attributes.get("hidden") in _TRUE:
                self.facts.hidden_rows.add(self._row - 1)
        elif tag == "col" and attributes.get("hidden") in _TRUE and attributes.get("min", "").isdigit():
            last = attributes.get("max", "")
            first = int(attributes["min"])
            self.facts.hidden_columns.update(range(first - 1, min(int(last) if last.isdigit() else first, 16_384)))
        elif tag == "dimension":
            self.facts.wrong_dimension = not _RANGE.fullmatch(attributes.get("ref", ""))
        elif tag in ("autoFilter", "filterColumn", "tableParts"):
            self.facts.filtered = True

    def end(self, tag: str) -> None:
        if tag == "v":
            self._inside = False
        elif tag == "c" and self._cell is not None:
            self._close_cell(self._cell)
            self._cell = None

    def text(self, text: str) -> None:
        if self._inside and len(self._value) < 8:
            self._value.append(text[:200])

    def _close_cell(self, cell: Attributes) -> None:
        if not self._filled:
            return
        self._extent.add(self._row, self._column)
        position = (self._row - 1, self._column - 1)
        value = "".join(self._value).strip()
        kind = cell.get("t", "n")
        if kind == "e":
            self.facts.errors[position] = value[:40] or "#N/A"
        if self._formula and not value and kind != "str":
            self.facts.formulas.add(position)
        style = cell.get("s", "")
        if kind == "n" and style.isdigit() and int(style) in self._zeros:
            note_style(self.facts, position, self._zeros[int(style)])


def note_style(facts: Facts, position: Position, digits: int) -> None:
    """Note that a number's style pads it to some digits, or shows it as per cent."""
    if digits == PERCENT:
        facts.percents.add(position)
    else:
        facts.zero_formats[position] = digits


def scan_slowly(archive: Archive, part: str, zeros: dict[int, int], extent: SheetExtent) -> Facts:
    """The facts of one sheet by a streaming XML parser; raises RefusalError as the quick pass does."""
    scan = _Scan(zeros, extent)
    walk(archive.stream(part), start=scan.start, end=scan.end, text=scan.text)
    extent.close()
    scan.facts.filtered = scan.facts.filtered and bool(scan.facts.hidden_rows)
    return scan.facts
