"""Texts and formats of the cells of a small sheet, read from the package itself (our own, perhaps re-saved)."""

from __future__ import annotations

from collections.abc import Collection
from xml.parsers import expat

from jiaoheng.sheets.ooxml_package import Package
from jiaoheng.sheets.ooxml_scan import reference
from jiaoheng.sheets.ooxml_xml import XmlError, utf8

MAX_CELLS = 500_000  # our own sheets hold far fewer


def read_cells(package: Package, part: str, shared: str | None) -> dict[tuple[int, int], tuple[str, int]]:
    """(row, column) 1-based → (text, format id) of every cell of a sheet; `shared` is the shared-strings part."""
    cells = _Cells()
    _parse(utf8(package.read(part)), cells.start, cells.end, cells.text)
    wanted = {int(text) for text, _, kind in cells.found.values() if kind == "s" and text.isdigit()}
    strings = _shared(package, shared, wanted) if shared and wanted else {}
    return {
        place: (strings.get(int(text), "") if kind == "s" and text.isdigit() else text, style)
        for place, (text, style, kind) in cells.found.items()
    }


def _parse(data: bytes, start: object, end: object, text: object) -> None:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start  # type: ignore[assignment]
    parser.EndElementHandler = end  # type: ignore[assignment]
    parser.CharacterDataHandler = text  # type: ignore[assignment]
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise XmlError(str(error)) from error


def _refuse(*_: object) -> None:
    raise XmlError("document type declaration")


class _Cells:
    def __init__(self) -> None:
        self.found: dict[tuple[int, int], tuple[str, int, str]] = {}
        self.row = self.column = 0
        self.kind, self.style = "", 0
        self.parts: list[str] = []
        self.taking = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "row":
            self.row = int(attributes.get("r") or self.row + 1)
            self.column = 0
        elif local == "c":
            place = reference(attributes.get("r", ""))
            self.column = place[1] if place else self.column + 1
            self.kind, self.style = attributes.get("t", ""), int(attributes.get("s") or 0)
            self.parts = []
        elif local in ("v", "t"):
            self.taking = True

    def text(self, data: str) -> None:
        if self.taking:
            self.parts.append(data)

    def end(self, name: str) -> None:
        local = name.rpartition(":")[2]
        if local in ("v", "t"):
            self.taking = False
        elif local == "c":
            if len(self.found) >= MAX_CELLS:
                raise XmlError("too many cells")
            self.found[self.row, self.column] = ("".join(self.parts), self.style, self.kind)


def _shared(package: Package, part: str, wanted: Collection[int]) -> dict[int, str]:
    strings: dict[int, str] = {}
    state = {"index": -1, "taking": 0, "phonetic": 0}
    parts: list[str] = []

    def start(name: str, _: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "si":
            state["index"] += 1
            parts.clear()
        elif local == "rPh":
            state["phonetic"] = 1
        elif local == "t":
            state["taking"] = 1 - state["phonetic"]

    def end(name: str) -> None:
        local = name.rpartition(":")[2]
        if local == "t":
            state["taking"] = 0
        elif local == "rPh":
            state["phonetic"] = 0
        elif local == "si" and state["index"] in wanted:
            strings[state["index"]] = "".join(parts)

    def text(data: str) -> None:
        if state["taking"]:
            parts.append(data)

    _parse(utf8(package.read(part)), start, end, text)
    return strings
