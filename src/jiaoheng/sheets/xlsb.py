"""What calamine does not tell of an .xlsb: reach of cells, zero formats, errors, hidden rows and columns."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from jiaoheng.sheets.biff import ERRORS
from jiaoheng.sheets.extent import Extent, SheetExtent
from jiaoheng.sheets.guard import Archive
from jiaoheng.sheets.number_formats import padded_digits
from jiaoheng.sheets.raw_sheets import Facts, damaged
from jiaoheng.sheets.xml_parts import Attributes, walk

# Record numbers of [MS-XLSB] 2.3.
_ROW, _BLANK, _ERROR, _REAL, _LAST_CELL = 0, 1, 3, 5, 11
_RK, _FORMULA_NUMBER, _FORMULA_ERROR, _RICH = 2, 9, 11, 62
_FORMAT, _STYLE, _COLUMN, _FILTER, _MERGE, _SHEET = 44, 47, 60, 161, 176, 156
_STYLES_BEGIN, _STYLES_END = 617, 618
_HIDDEN_ROW = 0x10
_LONGEST = 32_768


def read_facts(archive: Archive, extent: Extent) -> dict[str, Facts]:
    """Sheet name → facts; raises RefusalError where a filled cell is too far out or the records are broken."""
    targets: dict[str, str] = {}

    def relation(tag: str, attributes: Attributes) -> None:
        if tag == "Relationship" and attributes.get("TargetMode") != "External":
            target = attributes.get("Target", "").lstrip("/")
            targets[attributes.get("Id", "")] = target if target.lower().startswith("xl/") else f"xl/{target}"

    walk([archive.read("xl/_rels/workbook.bin.rels") or b"<none/>"], start=relation)
    zeros = _zero_styles(archive.read("xl/styles.bin"))
    found = {}
    for kind, body in _records([archive.read("xl/workbook.bin")]):
        if kind == _SHEET:
            key, at = _text(body, 8)
            name, _ = _text(body, at)
            if archive.has(targets.get(key, "")):
                measure = extent.sheet(name)
                found[name] = _read_sheet(archive, targets[key], zeros, measure)
                measure.close()
    return found


def _records(pieces: Iterator[bytes] | list[bytes]) -> Iterator[tuple[int, bytes]]:
    """Record numbers and bodies from a stream of pieces."""
    data = b""
    for piece in pieces:
        data += piece
        at = 0
        while True:
            head = _head(data, at)
            if head is None or head[2] + head[1] > len(data):
                break
            kind, size, start = head
            yield kind, data[start : start + size]
            at = start + size
        data = data[at:]
    if data:
        raise damaged("工作簿数据不完整（文件可能没有传完）")


def _head(data: bytes, at: int) -> tuple[int, int, int] | None:
    """Record number, size and where its body begins; None where more bytes are needed."""
    if at + 6 > len(data) and at + 2 > len(data):
        return None
    kind = data[at]
    at += 1
    if kind & 0x80:
        kind = (kind & 0x7F) | ((data[at] & 0x7F) << 7)
        at += 1
    size = 0
    for number in range(4):
        if at >= len(data):
            return None
        byte = data[at]
        at += 1
        size |= (byte & 0x7F) << (7 * number)
        if not byte & 0x80:
            break
    return kind, size, at


def _text(body: bytes, at: int) -> tuple[str, int]:
    if at + 4 > len(body):
        return "", at
    length = struct.unpack_from("<I", body, at)[0]
    if length > _LONGEST:
        return "", at + 4
    end = at + 4 + 2 * length
    return body[at + 4 : end].decode("utf-16-le", "replace"), end


def _zero_styles(styles: bytes) -> dict[int, int]:
    codes: dict[int, int] = {}
    found: dict[int, int] = {}
    inside = False
    index = 0
    for kind, body in _records([styles]):
        if kind == _FORMAT and len(body) > 6:
            digits = padded_digits(_text(body, 2)[0])
            if digits:
                codes[struct.unpack_from("<H", body)[0]] = digits
        elif kind in (_STYLES_BEGIN, _STYLES_END):
            inside = kind == _STYLES_BEGIN
        elif kind == _STYLE and inside and len(body) >= 4:
            code = struct.unpack_from("<H", body, 2)[0]
            if code in codes:
                found[index] = codes[code]
            index += 1
    return found


def _read_sheet(archive: Archive, part: str, zeros: dict[int, int], extent: SheetExtent) -> Facts:
    facts = Facts()
    row = 0
    filtered = False
    for kind, body in _records(archive.stream(part)):
        if kind == _ROW and len(body) >= 12:
            row = struct.unpack_from("<I", body)[0]
            if body[11] & _HIDDEN_ROW:
                facts.hidden_rows.add(row)
        elif (_BLANK < kind <= _LAST_CELL or kind == _RICH) and len(body) >= 8:
            column = struct.unpack_from("<I", body)[0]
            extent.add(row + 1, column + 1)
            if kind in (_RK, _REAL, _FORMULA_NUMBER):
                style = struct.unpack_from("<I", body, 4)[0] & 0xFFFFFF
                if style in zeros:
                    facts.zero_formats[row, column] = zeros[style]
            elif kind in (_ERROR, _FORMULA_ERROR) and len(body) > 8:
                facts.errors[row, column] = ERRORS.get(body[8], "#N/A")
        elif kind == _COLUMN and len(body) >= 18 and body[16] & 1:
            first, last = struct.unpack_from("<II", body)
            facts.hidden_columns.update(range(first, min(last, 16_383) + 1))
        elif kind == _MERGE and len(body) >= 16:
            top, bottom, left, right = struct.unpack_from("<4I", body)
            facts.merged.append((top, left, bottom, right))
        elif kind == _FILTER:
            filtered = True
    facts.filtered = filtered and bool(facts.hidden_rows)
    return facts
