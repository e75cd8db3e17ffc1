"""One worksheet of the user's workbook: marks and notes in, earlier ones out."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from jiaoheng.sheets.annotate_spots import Cell, SheetMarks, Spot, needed, place_marks
from jiaoheng.sheets.ooxml_boxes import NoteBoxes
from jiaoheng.sheets.ooxml_edit import SheetPlan, edit_sheet, open_root
from jiaoheng.sheets.ooxml_notes import MARKER, Notes
from jiaoheng.sheets.ooxml_package import Relationships
from jiaoheng.sheets.ooxml_scan import SheetScan, scan_sheet
from jiaoheng.sheets.ooxml_workbook import SheetPart, Workbook
from jiaoheng.sheets.ooxml_xml import XmlError, utf8

_COMMENTS_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml"
_DRAWING_TYPE = "application/vnd.openxmlformats-officedocument.vmlDrawing"


@dataclass(slots=True)
class Done:
    """Cells marked and cells with a note; what was left out."""

    tints: Collection[Cell] = field(default_factory=tuple)
    notes: Collection[Cell] = field(default_factory=tuple)
    left_out: int = 0
    without_notes: bool = False


def mark_sheet(
    book: Workbook,
    sheet: SheetPart,
    spots: Sequence[Spot],
    header: int | None,
    earlier: Mapping[int, int],
    tint: Callable[[int, str], int],
) -> Done:
    """Change the sheet's part, its comments and their drawing; a sheet with nothing to change is not written.

    `header` is the 1-based header row where known; `earlier` maps formats of earlier marks to the originals.
    """
    raw = book.package.read(sheet.part)
    links = Relationships(book.package, sheet.part)
    comments = links.first("comments")
    noted = comments is not None and MARKER.encode() in book.package.read(comments[1])
    if not spots and not earlier and not noted and b"tabSelected" not in raw:
        return Done()
    data = utf8(raw)
    rows, columns = needed(spots)
    if header:
        rows.add(header)
    scan = scan_sheet(data, rows, columns, earlier)
    if scan.root_closed and spots:
        data = open_root(data, scan)
        scan = scan_sheet(data, rows, columns, earlier)
    marks = place_marks(spots, scan, header) if sheet.cells else SheetMarks()
    if {row for row, _ in marks.tints} - rows:  # a merged area or a header row that was not looked at
        scan = scan_sheet(data, rows | {row for row, _ in marks.tints}, columns, earlier)
    plan = SheetPlan(tints=marks.tints, restore=earlier)
    done = Done(marks.tints, marks.notes, marks.left_out)
    if marks.notes or noted:
        try:
            plan.notes_link = _write_notes(book, sheet, links, scan, marks.notes)
        except XmlError:
            done.notes, done.without_notes = (), bool(marks.notes)
    changed = edit_sheet(data, scan, plan, tint)
    if changed != data:
        book.package.write(sheet.part, changed)
    return done


def _write_notes(
    book: Workbook, sheet: SheetPart, links: Relationships, scan: SheetScan, texts: Mapping[Cell, str]
) -> str | None:
    """Change comments and drawing; returns what the sheet's link must become (see SheetPlan)."""
    package = book.package
    found = links.first("comments")
    notes = Notes(package.read(found[1]) if found and found[1] in package else None, book.main_namespace)
    drawn = links.target(scan.legacy_drawing[2]) if scan.legacy_drawing else None
    block = 1 + next((i for i, other in enumerate(book.sheets()) if other.part == sheet.part), 0)
    drawing = NoteBoxes(package.read(drawn) if drawn and drawn in package else None, block)
    gone = notes.remove_ours()
    notes.add(texts)
    drawing.remove(gone)
    boxless = notes.cells() - drawing.cells()
    drawing.add({cell: texts.get(cell, "") for cell in boxless})
    if not len(notes) and drawing.empty:
        return _drop(book, links, found, scan, drawn)
    folder = posixpath.dirname(posixpath.dirname(sheet.part))
    part = found[1] if found else package.unused_name(posixpath.join(folder, "comments{}.xml"))
    if not found:
        links.add(book.link_kind("comments"), part)
        book.types.set(part, _COMMENTS_TYPE)
    package.write(part, notes.to_bytes())
    link = None
    if not drawn:
        drawn = package.unused_name(posixpath.join(folder, "drawings", "vmlDrawing{}.vml"))
        link = links.add(book.link_kind("vmlDrawing"), drawn)
        book.types.set_default("vml", _DRAWING_TYPE)
    package.write(drawn, drawing.to_bytes())
    links.store()
    return link


def _drop(
    book: Workbook, links: Relationships, found: tuple[str, str] | None, scan: SheetScan, drawn: str | None
) -> str:
    """No note and no shape is left: parts, relationships and link go."""
    if found:
        links.remove(found[0])
        book.package.remove(found[1])
        book.types.drop(found[1])
    if scan.legacy_drawing and drawn:
        links.remove(scan.legacy_drawing[2])
        book.package.remove(drawn)
        book.types.drop(drawn)
    links.store()
    return ""
