"""On which page a heading will stand: counted from the fixed line pitch, for the stored result of the contents.

Word and LibreOffice count for themselves when the contents are renewed (F9) or printed; until then this is shown.
Text lines are exact (28.95 pt), so the count is right unless a font of the machine makes table rows higher.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from docx.oxml import parse_xml
from docx.oxml.ns import qn

from jiaoheng.documents.widths import text_width
from jiaoheng.documents.word_styles import STYLE_SIZES, STYLE_SPACING, TEXT_MM
from jiaoheng.documents.word_xml import EMU_PER_MM, NAMESPACES

_name = cache(qn)  # the full names of XML: asked for some hundred thousand times
_POINTS_PER_MM = 72 / 25.4
_DESCENT = 3.0  # pt under a picture that stands on the text line
_BODY_SIZE = 16.0
_SPACING = re.compile(r'w:before="(\d+)" w:after="(\d+)" w:line="(\d+)" w:lineRule="exact"')


class HasXml(Protocol):
    """A piece of the body (see word_blocks)."""

    @property
    def xml(self) -> str:
        """Whole paragraphs and tables."""

    @property
    def landscape(self) -> bool:
        """How its page lies."""


@dataclass(frozen=True, slots=True)
class _Unit:
    """Something that is not broken over two pages."""

    height: float  # pt
    keep: bool = False  # with the next
    new_page: bool = False
    head: float = 0.0  # of the table: repeated on a new page


def estimate_pages(chapters: Sequence[tuple[Any, Sequence[HasXml]]], first: int = 2) -> list[int]:
    """Page number of each chapter's or part's heading; the front page with the contents comes before page `first`."""
    stream: list[tuple[_Unit, bool]] = []
    starts: list[int] = []
    for _, pieces in chapters:
        starts.append(len(stream))
        for piece in pieces:
            stream += [(unit, piece.landscape) for unit in _units(piece.xml, piece.landscape)]
    numbers: list[int] = []
    page, used, landscape = first - 1, math.inf, False
    for group in _groups(stream):
        room = TEXT_MM[group[0][1]][1] * _POINTS_PER_MM
        height = sum(unit.height for unit, _ in group)
        if used + height > room + 1 or group[0][0].new_page or group[0][1] != landscape:
            page, used, landscape = page + 1, group[0][0].head, group[0][1]
        used += height
        while used > room:
            page, used = page + 1, used - room
        numbers += [page] * len(group)
    return [numbers[start] for start in starts]


def _groups(stream: Sequence[tuple[_Unit, bool]]) -> Iterator[list[tuple[_Unit, bool]]]:
    """Units that stay together."""
    group: list[tuple[_Unit, bool]] = []
    for unit, landscape in stream:
        if group and group[-1][1] != landscape:
            yield group
            group = []
        group.append((unit, landscape))
        if not unit.keep:
            yield group
            group = []
    if group:
        yield group


def _units(xml: str, landscape: bool) -> Iterator[_Unit]:
    width = TEXT_MM[landscape][0] * _POINTS_PER_MM
    for element in parse_xml(f"<w:body {NAMESPACES}>{xml}</w:body>"):
        if element.tag == _name("w:tbl"):
            yield from _rows(element)
        elif element.tag == _name("w:p"):
            yield _paragraph(element, width)


def _rows(table: Any) -> Iterator[_Unit]:
    head = 0.0
    for row in table.iter(_name("w:tr")):
        cells = []
        for cell in row.iter(_name("w:tc")):
            size = int(cell.find(".//" + _name("w:tcW")).get(_name("w:w"))) / 20 - 6
            cells.append(sum(_paragraph(item, size).height for item in cell.iter(_name("w:p"))))
        height = max(cells, default=0.0) + 0.5
        header = row.find(".//" + _name("w:tblHeader")) is not None
        keep = header or row.find(".//" + _name("w:keepNext")) is not None
        yield _Unit(height, keep, head=0.0 if header else head)
        head += height if header else 0.0


def _paragraph(element: Any, width: float) -> _Unit:
    style = element.find(_name("w:pPr")).find(_name("w:pStyle")).get(_name("w:val"))
    keep = style in ("Caption", "CaptionNote", "Heading1", "Heading2", "Heading3", "Heading4")
    properties = element.find(_name("w:pPr"))
    keep = keep or properties.find(_name("w:keepNext")) is not None
    new_page = properties.find(_name("w:pageBreakBefore")) is not None
    spacing = _spacing(element, style)
    extent = element.find(".//" + _name("wp:extent"))
    if extent is not None:
        return _Unit(int(extent.get("cy")) / EMU_PER_MM * _POINTS_PER_MM + 4 + _DESCENT, keep)
    sizes = [int(item.get(_name("w:val"))) for item in element.iter(_name("w:sz"))]
    size = max(sizes, default=STYLE_SIZES.get(style, 32)) / 2
    text = "".join(item.text or "" for item in element.iter(_name("w:t")))
    wide = text_width(text) * (size - (0.25 if size == _BODY_SIZE else 0)) / 2
    if style == "OfficialText" or style.startswith("Heading"):
        wide += 2 * size
    lines = max(1, math.ceil(wide / width - 0.001))
    before, after, line = spacing
    return _Unit(before + lines * line + after, keep, new_page)


def _spacing(element: Any, style: str) -> tuple[float, float, float]:
    """Space before, after and the exact line height, in points: of the paragraph, else of its style."""
    own = element.find(_name("w:pPr")).find(_name("w:spacing"))
    if own is not None:
        return tuple(int(own.get(_name(f"w:{name}"), "0")) / 20 for name in ("before", "after", "line"))  # type: ignore[return-value]
    found = _SPACING.search(STYLE_SPACING.get(style, ""))
    return (0.0, 0.0, 28.95) if found is None else tuple(int(value) / 20 for value in found.groups())  # type: ignore[return-value]
