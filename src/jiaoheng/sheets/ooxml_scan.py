"""Where things stand in the XML of a worksheet, as byte offsets, so that a change touches nothing else.

A tree of a large sheet takes a gigabyte; this pass keeps only the rows that somebody wants to mark.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from xml.parsers import expat

from jiaoheng.sheets.ooxml_xml import MAIN_STRICT, MAIN_TRANSITIONAL, RELS_STRICT, RELS_TRANSITIONAL, XmlError

_TAG = re.compile(rb"<[^>\"']*(?:\"[^\"]*\"[^>\"']*|'[^']*'[^>\"']*)*>")
_REFERENCE = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})")
_LINKS = (RELS_STRICT, RELS_TRANSITIONAL)
MAX_MERGES = 200_000


@dataclass(slots=True)
class CellSpot:
    """A cell's start tag: byte offset, 1-based place, format id, and whether it holds a value."""

    row: int
    column: int
    start: int
    style: int
    filled: bool = False


@dataclass(slots=True)
class RowSpot:
    """A row element: offsets of its start tag and of the place where a last cell would go."""

    number: int
    start: int
    tag_end: int
    style: int | None
    closed: bool  # <row …/>
    end: int = 0  # offset of </row>
    cells: list[CellSpot] = field(default_factory=list)


@dataclass(slots=True)
class SheetScan:
    """What a pass over a worksheet found."""

    prefix: str = ""  # "x:" where elements are written x:row
    strict: bool = False
    link_prefix: str = ""  # prefix bound to the relationships namespace at the root
    children: list[tuple[str, int, int]] = field(default_factory=list)  # name, start, end of the root's children
    root_tag_end: int = 0
    root_closed: bool = False
    data: tuple[int, int, int] | None = None  # sheetData: start, end of start tag, offset of the end tag
    rows: dict[int, RowSpot] = field(default_factory=dict)  # wanted rows that exist
    gaps: dict[int, int] = field(default_factory=dict)  # wanted rows that do not: where they would go
    marked: list[CellSpot] = field(default_factory=list)  # cells that have one of the wanted formats
    first_in_column: dict[int, int] = field(default_factory=dict)  # wanted column → first row with a value
    column_styles: list[tuple[int, int, int]] = field(default_factory=list)
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    selected_views: list[int] = field(default_factory=list)  # offsets of sheetView tags with tabSelected
    legacy_drawing: tuple[int, int, str] | None = None  # start, end, relationship id


def tag_at(data: bytes, start: int) -> int:
    """Offset after the tag that begins at `start`."""
    found = _TAG.match(data, start)
    if found is None:
        raise XmlError("tag")
    return found.end()


def reference(text: str) -> tuple[int, int] | None:
    """1-based row and column of `E17`; None where it is not a cell."""
    found = _REFERENCE.fullmatch(text)
    if found is None:
        return None
    column = 0
    for letter in found.group(1).upper():
        column = column * 26 + ord(letter) - 64
    return int(found.group(2)), column


def scan_sheet(
    data: bytes,
    rows: Collection[int] = (),
    columns: Collection[int] = (),
    formats: Collection[int] = (),
) -> SheetScan:
    """One pass over a worksheet in UTF-8.

    `rows` (1-based) are recorded with all their cells, `columns` get their first row with a value,
    cells with one of the `formats` are listed. XmlError where the part is not a worksheet.
    """
    scanner = _Scanner(data, frozenset(rows), frozenset(columns), frozenset(formats))
    return scanner.run()


class _Scanner:
    """State of one pass. Names are compared with the root's prefix, which exporters use for all elements."""

    def __init__(self, data: bytes, rows: frozenset[int], columns: frozenset[int], formats: frozenset[int]) -> None:
        self.data = data
        self.wanted = rows
        self.pending = sorted(rows, reverse=True)
        self.columns = columns
        self.formats = formats
        self.found = SheetScan()
        self.depth = 0
        self.row_number = 0
        self.column_number = 0
        self.row: RowSpot | None = None
        self.cell: CellSpot | None = None
        self.every_cell = bool(columns or formats)
        self.parser = expat.ParserCreate()

    def run(self) -> SheetScan:
        parser = self.parser
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.StartDoctypeDeclHandler = _refuse
        try:
            parser.Parse(self.data, True)
        except expat.ExpatError as error:
            raise XmlError(str(error)) from error
        return self.found

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self.depth == 0:
            self.root(name, attributes)
        elif self.depth == 1:
            self.child(name)
        elif self.depth == 2:
            self.setting(name, attributes)
        self.depth += 1
        if self.depth == 2 and name == self.name_legacy:
            offset = self.parser.CurrentByteIndex
            identity = next((value for key, value in attributes.items() if key.rpartition(":")[2] == "id"), "")
            self.found.legacy_drawing = (offset, tag_at(self.data, offset), identity)

    def root(self, name: str, attributes: dict[str, str]) -> None:
        prefix, _, local = name.rpartition(":")
        uri = attributes.get(f"xmlns:{prefix}" if prefix else "xmlns", "")
        if local not in ("worksheet", "chartsheet", "dialogsheet") or uri not in (MAIN_STRICT, MAIN_TRANSITIONAL):
            raise XmlError("not a worksheet")
        found = self.found
        found.prefix = f"{prefix}:" if prefix else ""
        found.strict = uri == MAIN_STRICT
        found.link_prefix = next(
            (key[6:] for key, value in attributes.items() if key.startswith("xmlns:") and value in _LINKS), ""
        )
        found.root_tag_end = tag_at(self.data, self.parser.CurrentByteIndex)
        found.root_closed = self.data[found.root_tag_end - 2 : found.root_tag_end] == b"/>"
        self.name_data, self.name_row, self.name_cell = (found.prefix + word for word in ("sheetData", "row", "c"))
        self.name_value, self.name_inline = found.prefix + "v", found.prefix + "is"
        self.name_legacy = found.prefix + "legacyDrawing"

    def child(self, name: str) -> None:
        offset = self.parser.CurrentByteIndex
        self.found.children.append((name.removeprefix(self.found.prefix), offset, 0))
        if name == self.name_data and self.found.data is None:
            self.found.data = (offset, tag_at(self.data, offset), 0)
            self.parser.StartElementHandler = self.inside  # millions of elements: no level is counted in there
            self.parser.EndElementHandler = self.end_inside

    def inside(self, name: str, attributes: dict[str, str]) -> None:
        if name == self.name_cell:
            if self.every_cell or self.row is not None:
                self.start_cell(attributes)
        elif name == self.name_row:
            self.start_row(attributes)
        elif (self.every_cell or self.cell is not None) and name in (self.name_value, self.name_inline):
            if self.cell is not None:
                self.cell.filled = True
            if self.column_number in self.columns:
                self.found.first_in_column.setdefault(self.column_number, self.row_number)

    def start_row(self, attributes: dict[str, str]) -> None:
        number = _integer(attributes.get("r"), self.row_number + 1)
        self.row_number = number
        self.column_number = 0
        self.row = self.cell = None
        offset = self.parser.CurrentByteIndex
        while self.pending and self.pending[-1] < number:
            self.found.gaps.setdefault(self.pending.pop(), offset)
        if number not in self.wanted or number in self.found.rows:
            return
        if self.pending and self.pending[-1] == number:
            self.pending.pop()
        self.found.gaps.pop(number, None)
        end = tag_at(self.data, offset)
        own = attributes.get("customFormat") in ("1", "true")
        style = _integer(attributes.get("s"), 0) if own else None
        self.row = RowSpot(number, offset, end, style, self.data[end - 2 : end] == b"/>", end)
        self.found.rows[number] = self.row

    def start_cell(self, attributes: dict[str, str]) -> None:
        place = reference(attributes.get("r", ""))
        self.column_number = place[1] if place else self.column_number + 1
        style = _integer(attributes.get("s"), 0)
        self.cell = None
        if self.row is not None or style in self.formats:
            self.cell = CellSpot(self.row_number, self.column_number, self.parser.CurrentByteIndex, style)
            if self.row is not None:
                self.row.cells.append(self.cell)
            if style in self.formats:
                self.found.marked.append(self.cell)

    def setting(self, name: str, attributes: dict[str, str]) -> None:
        local = name.removeprefix(self.found.prefix)
        if local == "sheetView" and attributes.get("tabSelected") in ("1", "true"):
            self.found.selected_views.append(self.parser.CurrentByteIndex)
        elif local == "col" and "style" in attributes:
            span = (_integer(attributes.get("min"), 0), _integer(attributes.get("max"), 0))
            self.found.column_styles.append((*span, _integer(attributes["style"], 0)))
        elif local == "mergeCell" and len(self.found.merges) < MAX_MERGES:
            first, _, last = attributes.get("ref", "").partition(":")
            corners = reference(first), reference(last or first)
            if corners[0] and corners[1]:
                self.found.merges.append((*corners[0], *corners[1]))

    def end_inside(self, name: str) -> None:
        if name == self.name_cell:
            self.cell = None
        elif name == self.name_row:
            if self.row is not None:
                if not self.row.closed:
                    self.row.end = self.parser.CurrentByteIndex
                self.row = None
        elif name == self.name_data:
            self.end_data()
            self.parser.StartElementHandler = self.start
            self.parser.EndElementHandler = self.end
            self.end(name)

    def end(self, name: str) -> None:
        self.depth -= 1
        if self.depth == 1:
            local, start, _ = self.found.children[-1]
            self.found.children[-1] = (local, start, self.end_of(start))

    def end_data(self) -> None:
        assert self.found.data is not None  # noqa: S101 - set when sheetData began
        start, tag_end, _ = self.found.data
        closed = self.data[tag_end - 2 : tag_end] == b"/>"
        last = tag_end if closed else self.parser.CurrentByteIndex
        self.found.data = (start, tag_end, last)
        for number in self.pending:
            self.found.gaps.setdefault(number, last)
        self.pending = []

    def end_of(self, start: int) -> int:
        tag_end = tag_at(self.data, start)
        if self.data[tag_end - 2 : tag_end] == b"/>":
            return tag_end
        return tag_at(self.data, self.parser.CurrentByteIndex)


def _refuse(*_: object) -> None:
    raise XmlError("document type declaration")


def _integer(text: str | None, otherwise: int) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() else otherwise
