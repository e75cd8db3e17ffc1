"""The boxes of a worksheet's notes: a VML drawing, which may also hold the user's form controls."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lxml import etree

from jiaoheng.sheets.ooxml_xml import XmlError, parse_xml

Cell = tuple[int, int]  # 1-based row, column
_V = "{urn:schemas-microsoft-com:vml}"
_O = "{urn:schemas-microsoft-com:office:office}"
_X = "{urn:schemas-microsoft-com:office:excel}"
_NAMESPACES = (
    'xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
    'xmlns:x="urn:schemas-microsoft-com:office:excel"'
)
_EMPTY = '<xml {namespaces}><o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="{block}"/></o:shapelayout></xml>'
_SHAPE_TYPE = (
    '<v:shapetype {namespaces} id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe">'
    '<v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
)
_BOX = (
    '<v:shape {namespaces} id="_x0000_s{number}" type="#_x0000_t202" style="position:absolute;margin-left:60pt;'
    'margin-top:2pt;width:210pt;height:{height}pt;z-index:{order};visibility:hidden" fillcolor="#ffffe1" '
    'o:insetmode="auto"><v:fill color2="#ffffe1"/><v:shadow on="t" color="black" obscured="t"/>'
    '<v:path o:connecttype="none"/><v:textbox style="mso-direction-alt:auto"><div style="text-align:left"></div>'
    '</v:textbox><x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/><x:Anchor>{anchor}</x:Anchor>'
    "<x:AutoFill>False</x:AutoFill><x:Row>{row}</x:Row><x:Column>{column}</x:Column></x:ClientData></v:shape>"
)
_NUMBERED = re.compile(r"_x0000_s(\d+)")
_OPEN_BREAK = re.compile(rb"<br\s*>", re.IGNORECASE)  # Excel writes it unclosed
_IDS_PER_BLOCK = 1024


class NoteBoxes:
    """The drawing of one sheet; `block` is its number in the workbook, from which shape ids are taken."""

    def __init__(self, data: bytes | None, block: int = 1) -> None:
        self.root = _parse(data or _EMPTY.format(namespaces=_NAMESPACES, block=block).encode())
        identities = " ".join(element.get("id", "") for element in self.root.iter())
        used = [int(number) for number in _NUMBERED.findall(identities)]
        self._next = max([block * _IDS_PER_BLOCK, *used]) + 1

    @property
    def empty(self) -> bool:
        """Whether nothing is drawn any more."""
        plain = (f"{_V}shapetype", f"{_O}shapelayout")
        return all(child.tag in plain for child in self.root)

    def cells(self) -> set[Cell]:
        """Cells whose note has a box."""
        return {cell for shape in self.root.iter(f"{_V}shape") if (cell := _cell_of(shape)) is not None}

    def remove(self, cells: set[Cell]) -> None:
        """Take the boxes of the notes at these cells away."""
        for shape in list(self.root.iter(f"{_V}shape")):
            parent = shape.getparent()
            if parent is not None and _cell_of(shape) in cells:
                parent.remove(shape)

    def add(self, cells: Mapping[Cell, str]) -> None:
        """A hidden box beside each cell, high enough for its text."""
        if cells and not any(kind.get("id") == "_x0000_t202" for kind in self.root.iter(f"{_V}shapetype")):
            self.root.append(_parse(_SHAPE_TYPE.format(namespaces=_NAMESPACES).encode()))
        for order, ((row, column), text) in enumerate(sorted(cells.items()), 1):
            lines = min(24, 2 + sum(1 + len(line) // 20 for line in text.split("\n")))
            top = max(0, row - 2)
            box = _BOX.format(
                namespaces=_NAMESPACES,
                number=self._next,
                order=order,
                height=lines * 13,
                anchor=f"{column}, 12, {top}, 4, {column + 4}, 12, {top + lines}, 4",
                row=row - 1,
                column=column - 1,
            )
            self.root.append(_parse(box.encode()))
            self._next += 1

    def to_bytes(self) -> bytes:
        """The part; without declaration, as the programs write it."""
        etree.cleanup_namespaces(self.root, keep_ns_prefixes=["v", "o", "x"])
        return bytes(etree.tostring(self.root, encoding="UTF-8", xml_declaration=False))


def _parse(data: bytes) -> etree._Element:
    try:
        return parse_xml(data)
    except XmlError:
        return parse_xml(_OPEN_BREAK.sub(b"<br/>", data))


def _cell_of(shape: etree._Element) -> Cell | None:
    facts = shape.find(f"{_X}ClientData")
    if facts is None or facts.get("ObjectType") != "Note":
        return None
    row, column = facts.findtext(f"{_X}Row") or "", facts.findtext(f"{_X}Column") or ""
    if not (row.strip().isdigit() and column.strip().isdigit()):
        return None
    return int(row) + 1, int(column) + 1
