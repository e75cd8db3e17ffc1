"""Change a worksheet by splicing bytes: formats of cells, missing cells, the link to its notes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from jiaoheng.sheets.ooxml_scan import CellSpot, RowSpot, SheetScan, tag_at
from jiaoheng.sheets.ooxml_xml import RELS_STRICT, RELS_TRANSITIONAL
from jiaoheng.sheets.places import column_letters

Cell = tuple[int, int]  # 1-based row, column
_STYLE = re.compile(rb"\ss\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_NAME = re.compile(rb"<[^\s/>]+")
_PLACE = re.compile(rb"\sr\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_SPANS = re.compile(rb"\sspans\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_SELECTED = re.compile(rb"\stabSelected\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_BEFORE_DATA = frozenset(("sheetPr", "dimension", "sheetViews", "sheetFormatPr", "cols"))
_AFTER_LEGACY = (  # the schema's last elements; everything else stands before the link to the notes
    "legacyDrawingHF", "drawingHF", "picture", "oleObjects", "controls", "webPublishItems", "tableParts", "extLst",
)  # fmt: skip


@dataclass(slots=True)
class SheetPlan:
    """What is to change: a format for each cell (by its present format), formats to take back, the notes' link."""

    tints: Mapping[Cell, str] = field(default_factory=dict)  # cell → colour
    restore: Mapping[int, int] = field(default_factory=dict)  # our format → the format it was made from
    notes_link: str | None = None  # relationship id of the notes' drawing; "" takes the link away, None keeps it


def open_root(data: bytes, scan: SheetScan) -> bytes:
    """A worksheet written as one empty tag, opened so that something can be put into it."""
    if not scan.root_closed:
        return data
    end = scan.root_tag_end
    prefix = scan.prefix.encode()
    return b"%s><%ssheetData/></%sworksheet>" % (data[: end - 2], prefix, prefix) + data[end:]


def edit_sheet(data: bytes, scan: SheetScan, plan: SheetPlan, tinted: Callable[[int, str], int]) -> bytes:
    """The worksheet with the plan carried out; all other bytes stay.

    `scan` must have recorded the rows of `plan.tints` and the formats of `plan.restore`.
    `tinted(format, colour)` gives the id of the tinted clone of a format.
    """
    edits: list[tuple[int, int, bytes]] = []
    edits += [
        _restyled(data, cell, plan.restore[cell.style])
        for cell in scan.marked
        if (cell.row, cell.column) not in plan.tints and cell.style in plan.restore
    ]
    edits += _marks(data, scan, plan, tinted)
    for offset in scan.selected_views:
        end = tag_at(data, offset)
        edits.append((offset, end, _SELECTED.sub(b"", data[offset:end])))
    edits += _notes_link(data, scan, plan.notes_link)
    return _spliced(data, edits)


def _spliced(data: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    pieces: list[bytes] = []
    done = 0
    for start, end, replacement in sorted(edits, key=lambda edit: edit[:2]):
        pieces += (data[done:start], replacement)
        done = end
    pieces.append(data[done:])
    return b"".join(pieces)


def _restyled(data: bytes, cell: CellSpot, style: int) -> tuple[int, int, bytes]:
    end = tag_at(data, cell.start)
    tag = data[cell.start : end]
    attribute = b' s="%d"' % style if style else b""  # 0 is what a cell without the attribute has
    if _STYLE.search(tag):
        return cell.start, end, _STYLE.sub(attribute, tag, count=1)
    name_or_place = _PLACE.search(tag) or _NAME.match(tag)
    after = name_or_place.end() if name_or_place else len(tag)
    return cell.start, end, tag[:after] + attribute + tag[after:]


def _marks(
    data: bytes, scan: SheetScan, plan: SheetPlan, tinted: Callable[[int, str], int]
) -> list[tuple[int, int, bytes]]:
    edits: list[tuple[int, int, bytes]] = []
    by_row: dict[int, dict[int, str]] = {}
    for (row, column), colour in sorted(plan.tints.items()):
        by_row.setdefault(row, {})[column] = colour
    new_rows: dict[int, list[bytes]] = {}
    for number, colours in by_row.items():
        spot = scan.rows.get(number)
        if spot is not None:
            edits += _marks_in_row(data, scan, plan, spot, colours, tinted)
            continue
        made = [_new_cell(scan, None, number, column, colours[column], tinted) for column in sorted(colours)]
        name = scan.prefix.encode() + b"row"
        xml = b'<%s r="%d">%s</%s>' % (name, number, b"".join(made), name)
        new_rows.setdefault(scan.gaps.get(number, -1), []).append(xml)
    return edits + _new_rows(data, scan, new_rows)


def _new_rows(data: bytes, scan: SheetScan, new_rows: dict[int, list[bytes]]) -> list[tuple[int, int, bytes]]:
    if not new_rows:
        return []
    name = scan.prefix.encode() + b"sheetData"
    if scan.data is None:  # no sheetData at all: ours goes where the schema wants it
        place = max((end for child, _, end in scan.children if child in _BEFORE_DATA), default=scan.root_tag_end)
        rows = b"".join(b"".join(rows) for rows in new_rows.values())
        return [(place, place, b"<%s>%s</%s>" % (name, rows, name))]
    start, tag_end, _ = scan.data
    if data[tag_end - 2 : tag_end] == b"/>":
        rows = b"".join(b"".join(rows) for rows in new_rows.values())
        opened = data[start : tag_end - 2].rstrip() + b">"
        return [(start, tag_end, b"%s%s</%s>" % (opened, rows, name))]
    return [(offset, offset, b"".join(rows)) for offset, rows in new_rows.items()]


def _marks_in_row(
    data: bytes,
    scan: SheetScan,
    plan: SheetPlan,
    row: RowSpot,
    colours: Mapping[int, str],
    tinted: Callable[[int, str], int],
) -> list[tuple[int, int, bytes]]:
    edits: list[tuple[int, int, bytes]] = []
    cells = {cell.column: cell for cell in row.cells}
    made: dict[int, list[bytes]] = {}
    for column, colour in sorted(colours.items()):
        cell = cells.get(column)
        if cell is not None:
            base = plan.restore.get(cell.style, cell.style)
            edits.append(_restyled(data, cell, tinted(base, colour)))
            continue
        place = next((other.start for other in row.cells if other.column > column), row.end)
        made.setdefault(place, []).append(_new_cell(scan, row, row.number, column, colour, tinted))
    if not made:
        return edits
    tag = _SPANS.sub(b"", data[row.start : row.tag_end])  # the hint would no longer be true
    if row.closed:
        content = b"".join(b"".join(xml) for xml in made.values())
        opened = tag[:-2].rstrip() + b">"
        edits.append((row.start, row.tag_end, b"%s%s</%srow>" % (opened, content, scan.prefix.encode())))
    else:
        edits.append((row.start, row.tag_end, tag))
        edits += [(place, place, b"".join(xml)) for place, xml in made.items()]
    return edits


def _new_cell(
    scan: SheetScan,
    row: RowSpot | None,
    number: int,
    column: int,
    colour: str,
    tinted: Callable[[int, str], int],
) -> bytes:
    base = 0
    if row is not None and row.style is not None:
        base = row.style
    else:
        base = next((style for first, last, style in scan.column_styles if first <= column <= last), 0)
    place = f"{column_letters(column)}{number}".encode()
    return b'<%sc r="%s" s="%d"/>' % (scan.prefix.encode(), place, tinted(base, colour))


def _notes_link(data: bytes, scan: SheetScan, link: str | None) -> list[tuple[int, int, bytes]]:
    if link is None:
        return []
    if scan.legacy_drawing is not None:
        start, end, identity = scan.legacy_drawing
        return [(start, end, b"")] if link == "" else ([] if identity == link else [(start, end, _link(scan, link))])
    if link == "":
        return []
    # controls and objects are often wrapped for compatibility (mc:AlternateContent, a foreign prefix)
    before = [end for child, _, end in scan.children if child not in _AFTER_LEGACY and ":" not in child]
    place = max(before, default=scan.root_tag_end)
    return [(place, place, _link(scan, link))]


def _link(scan: SheetScan, identity: str) -> bytes:
    if scan.link_prefix:
        return f'<{scan.prefix}legacyDrawing {scan.link_prefix}:id="{identity}"/>'.encode()
    uri = RELS_STRICT if scan.strict else RELS_TRANSITIONAL
    return f'<{scan.prefix}legacyDrawing xmlns:r="{uri}" r:id="{identity}"/>'.encode()
