"""What calamine does not tell of an xlsx: how far its cells reach, zero formats, errors, hidden rows, missing values.

One pass with regular expressions over the unpacked sheet; a sheet written in an unusual way (prefixes, cells without
a reference, comments) takes a slower pass with a real parser. Either pass goes before calamine, which allocates
rows × columns up to the farthest filled cell and aborts the process on a far one.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from jiaoheng.sheets.extent import SPARSE_AREA, Extent, column_number
from jiaoheng.sheets.guard import Archive, check_prologue
from jiaoheng.sheets.number_formats import is_percent, padded_digits
from jiaoheng.sheets.raw_sheets import Facts
from jiaoheng.sheets.xlsx_slow import PERCENT, note_style, scan_slowly
from jiaoheng.sheets.xml_parts import Attributes, walk

_PENDING = 64 * 1024 * 1024  # bytes of one row; beyond it the streaming parser takes over
_UNUSUAL_CELL = re.compile(rb'<c(?! r="[A-Za-z])[\s/>]')
_UNUSUAL_ROW = re.compile(rb'<row(?! r="\d)[\s/>]')
_ROW = re.compile(rb'<row r="(\d{1,9})')
_HIDDEN_ROW = re.compile(rb'<row r="(\d{1,9})"[^>]*\shidden="(?:1|true)"')
_WIDE = re.compile(rb'<c r="[A-Za-z]{3}')
_FILLED = re.compile(rb'<c r="([A-Za-z]+)(\d+)"[^>]*(?<!/)>(?!</c>)')
_ERROR = re.compile(rb'<c r="([A-Za-z]{1,3})(\d{1,7})"[^>/]*\st="e"[^>/]*>(.*?)</c>', re.DOTALL)
_FORMULA = re.compile(rb'<c r="([A-Za-z]{1,3})(\d{1,7})"([^>]*)>\s*<f[\s/>](.*?)</c>', re.DOTALL)
_CELL = re.compile(rb'<c r="([A-Za-z]{1,3})(\d{1,7})"([^>]*)>')
_VALUE = re.compile(rb"<v[^>/]*>([^<]+)</v>")
_COLUMN = re.compile(rb"<col\b[^>]*>")
_ATTRIBUTE = re.compile(rb'\b(min|max|hidden)\s*=\s*["\']([^"\']*)["\']')
_DIMENSION = re.compile(rb"<(?:\w+:)?dimension\b[^>]*?/?>(?:\s*</(?:\w+:)?dimension>)?")
_RANGE = re.compile(rb'\sref="[A-Z]{1,3}[1-9]\d{0,6}(?::[A-Z]{1,3}[1-9]\d{0,6})?"')
_PERCENT_IDS = ("9", "10")  # the built-in formats 0% and 0.00%
_LAST_CELL = b'<c r="'


@dataclass(frozen=True, slots=True)
class SheetPart:
    """One sheet of the workbook and the archive part that holds it."""

    name: str
    part: str


@dataclass(slots=True)
class Sheets:
    """The workbook's sheets and its zero-padding cell styles (style index → digits, `PERCENT` for per cent)."""

    strings: str  # the part of the shared strings
    parts: list[SheetPart] = field(default_factory=list)
    zero_styles: dict[int, int] = field(default_factory=dict)


class _UnusualError(Exception):
    """The sheet is not written as the usual programs write it."""


def read_workbook(archive: Archive) -> Sheets:
    """Sheet names with their parts, and the styles that pad zeros."""
    workbook, folder = _workbook_part(archive)
    names: list[tuple[str, str]] = []

    def sheet(tag: str, attributes: Attributes) -> None:
        if tag == "sheet":
            names.append((attributes.get("name", ""), attributes.get("id", "")))

    walk([archive.read(workbook)], start=sheet)
    targets: dict[str, str] = {}
    styles = posixpath.join(folder, "styles.xml")
    strings = posixpath.join(folder, "sharedStrings.xml")

    def relation(tag: str, attributes: Attributes) -> None:
        nonlocal styles, strings
        if tag != "Relationship" or attributes.get("TargetMode") == "External":
            return
        target = _resolve(folder, attributes.get("Target", ""))
        kind = attributes.get("Type", "").rpartition("/")[2]
        if kind in ("worksheet", "macrosheet", "xlMacrosheet"):
            targets[attributes.get("Id", "")] = target
        elif kind == "styles":
            styles = target
        elif kind == "sharedStrings":
            strings = target

    relations = posixpath.join(folder, "_rels", posixpath.basename(workbook) + ".rels")
    walk([archive.read(relations) or b"<none/>"], start=relation)
    return Sheets(
        strings,
        [SheetPart(name, targets[key]) for name, key in names if archive.has(targets.get(key, ""))],
        zero_styles(archive.read(styles) or b"<none/>"),
    )


def _workbook_part(archive: Archive) -> tuple[str, str]:
    """The workbook part and its folder; some programs name it workbook2.xml."""
    parts = sorted(
        name.replace("\\", "/")
        for name in archive.names
        if re.fullmatch(r"xl/workbook\d*\.xml", name.replace("\\", "/"), re.IGNORECASE)
    )
    return (parts[0] if parts else "xl/workbook.xml"), "xl"


def _resolve(folder: str, target: str) -> str:
    target = target.replace("\\", "/")
    if target.startswith("/"):
        return posixpath.normpath(target).lstrip("/")
    return posixpath.normpath(posixpath.join(folder, target)).lstrip("/")


def zero_styles(styles: bytes) -> dict[int, int]:
    """Cell style index → digits, for the styles whose number format pads zeros; `PERCENT` where it shows per cent."""
    codes: dict[str, int] = dict.fromkeys(_PERCENT_IDS, PERCENT)
    found: dict[int, int] = {}
    inside = False
    index = 0

    def start(tag: str, attributes: Attributes) -> None:
        nonlocal inside, index
        if tag == "numFmt":
            code = attributes.get("formatCode", "")
            digits = PERCENT if is_percent(code) else padded_digits(code)
            if digits:
                codes[attributes.get("numFmtId", "")] = digits
        elif tag == "cellXfs":
            inside = True
        elif tag == "xf" and inside:
            digits = codes.get(attributes.get("numFmtId", ""), 0)
            if digits:
                found[index] = digits
            index += 1

    def end(tag: str) -> None:
        nonlocal inside
        if tag == "cellXfs":
            inside = False

    walk([styles], start=start, end=end)
    return found


def read_facts(archive: Archive, sheet: SheetPart, zeros: dict[int, int], extent: Extent) -> Facts:
    """The facts of one sheet; raises RefusalError where a filled cell is too far out.

    `extent` counts the cells of the whole workbook and is moved on by this sheet's.
    """
    try:
        return _scan(archive, sheet, zeros, extent)
    except _UnusualError:
        return scan_slowly(archive, sheet.part, zeros, extent.sheet(sheet.name))


def _scan(archive: Archive, sheet: SheetPart, zeros: dict[int, int], extent: Extent) -> Facts:
    facts = Facts()
    zero_cell = _zero_pattern(zeros)
    last_row = 0
    letters: set[bytes] = {b"A"}
    wide = False
    for place, body in _bodies(archive, sheet.part):
        if place == "head":
            _read_columns(body, facts)
            declared = _DIMENSION.search(body)
            facts.wrong_dimension = declared is not None and not _RANGE.search(declared[0])
            continue
        if place == "tail":
            facts.filtered |= b"<filterColumn" in body or b"<autoFilter" in body or b"<tableParts" in body
            continue
        if _UNUSUAL_CELL.search(body) or _UNUSUAL_ROW.search(body) or (b"!" in body and b"<!" in body):
            raise _UnusualError
        last_row = max(last_row, max(map(int, _ROW.findall(body)), default=0))
        letters |= _last_letters(body)
        wide = wide or _WIDE.search(body) is not None
        _read_rare(body, facts, zeros, zero_cell)
    facts.filtered = facts.filtered and bool(facts.hidden_rows)
    measure = extent.sheet(sheet.name)
    widest = max(map(column_number, letters))
    if wide or last_row * widest > SPARSE_AREA or not measure.fits(last_row, widest):
        for place, body in _bodies(archive, sheet.part):
            if place == "body":
                for match in _FILLED.finditer(body):
                    measure.add(int(match[2][:12]), column_number(match[1]))
    else:
        measure.rows, measure.columns = last_row, widest
    measure.close()
    return facts


def _bodies(archive: Archive, part: str) -> Iterator[tuple[str, bytes]]:
    """The sheet cut at rows: what stands before them ("head"), whole rows ("body"), what follows ("tail")."""
    place = "head"
    pending = b""
    first = True
    for piece in archive.stream(part):
        if first:
            check_prologue(piece)
            first = False
        pending = pending + piece if pending else piece
        if place == "head":
            start = pending.find(b"<sheetData")
            if start < 0:
                if len(pending) > _PENDING:
                    raise _UnusualError
                continue
            yield "head", pending[:start]
            pending = pending[start:]
            place = "body"
        if place == "body":
            stop = pending.find(b"</sheetData>")
            cut = stop if stop >= 0 else pending.rfind(b"<row ")
            if cut > 0:
                yield "body", pending[:cut]
                pending = pending[cut:]
            elif len(pending) > _PENDING:
                raise _UnusualError
            place = "tail" if stop >= 0 else "body"
        if place == "tail":
            yield "tail", pending
            pending = pending[-32:]
    if place == "head" and pending:
        raise _UnusualError  # prefixed names, or no cells at all: the parser tells
    yield "tail" if place == "tail" or pending.startswith(b"<sheetData/>") else "body", pending


def _last_letters(body: bytes) -> set[bytes]:
    """Column letters of each row's last cell."""
    found = set()
    for row in body.split(b"</row>"):
        place = row.rfind(_LAST_CELL)
        if place >= 0:
            found.add(row[place + 6 : place + 9].rstrip(b'0123456789" ').upper())
    found.discard(b"")
    return found


def _zero_pattern(zeros: dict[int, int]) -> re.Pattern[bytes] | None:
    if not zeros:
        return None
    return re.compile(rb' s="(' + "|".join(map(str, zeros)).encode() + rb')"')


def _read_rare(body: bytes, facts: Facts, zeros: dict[int, int], zero_cell: re.Pattern[bytes] | None) -> None:
    """Facts that most sheets do not have: a quick look whether the word is there at all, then the exact search.

    A single letter is looked for first: that takes a tenth of the time of a word.
    """
    if b"h" in body and b"hidden=" in body:
        facts.hidden_rows.update(int(number) - 1 for number in _HIDDEN_ROW.findall(body))
    if b't="e"' in body:
        for match in _ERROR.finditer(body):
            value = _VALUE.search(match[3])
            position = (int(match[2]) - 1, column_number(match[1]) - 1)
            facts.errors[position] = value[1].decode("utf-8", "replace")[:40] if value else "#N/A"
    if b"f" in body and b"<f" in body:
        for match in _FORMULA.finditer(body):
            if b't="str"' not in match[3] and not _VALUE.search(match[4]):
                facts.formulas.add((int(match[2]) - 1, column_number(match[1]) - 1))
    if zero_cell is not None:
        for match in zero_cell.finditer(body):
            _read_zero(body, match, zeros, facts)


def _read_zero(body: bytes, match: re.Match[bytes], zeros: dict[int, int], facts: Facts) -> None:
    """A style that pads zeros was met: on a cell that holds a number it is a fact, on a row or an empty cell not."""
    cell = _CELL.match(body, body.rfind(b"<", 0, match.start()))
    if cell is not None and not cell[3].endswith(b"/") and (b't="' not in cell[3] or b't="n"' in cell[3]):
        note_style(facts, (int(cell[2]) - 1, column_number(cell[1]) - 1), zeros[int(match[1])])


def without_dimension(sheet: bytes) -> bytes:
    """The sheet without the declaration of its size, which readers do not need."""
    return _DIMENSION.sub(b"", sheet, count=1)


def _read_columns(head: bytes, facts: Facts) -> None:
    for element in _COLUMN.findall(head):
        values = dict(_ATTRIBUTE.findall(element))
        if values.get(b"hidden") in (b"1", b"true") and values.get(b"min", b"").isdigit():
            first = int(values[b"min"])
            last = min(int(values.get(b"max", b"").decode() or first), 16_384)
            facts.hidden_columns.update(range(first - 1, last))
