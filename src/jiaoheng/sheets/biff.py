"""What calamine does not tell of an .xls: zero formats, errors, what is hidden, passwords; one walk over it."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from jiaoheng.sheets.extent import Extent, SheetExtent
from jiaoheng.sheets.number_formats import padded_digits
from jiaoheng.sheets.raw_sheets import Facts, RefusalError, damaged

# Record numbers of [MS-XLS] 2.3.
_BOF, _EOF, _FILEPASS, _BOUNDSHEET, _FORMAT, _XF = 0x0809, 0x000A, 0x002F, 0x0085, 0x041E, 0x00E0
_DIMENSIONS, _ROW, _COLINFO, _FILTERMODE = 0x0200, 0x0208, 0x007D, 0x009B
_NUMBER, _RK, _MULRK, _BOOLERR, _FORMULA = 0x0203, 0x027E, 0x00BD, 0x0205, 0x0006
_LABEL, _LABELSST, _RSTRING = 0x0204, 0x00FD, 0x00D6
_CELLS = frozenset({_NUMBER, _RK, _MULRK, _BOOLERR, _FORMULA, _LABEL, _LABELSST, _RSTRING})
_BIFF8 = 0x0600
_ROWS, _COLUMNS = 65_536, 256
ERRORS = {0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A"}


def read_facts(stream: bytes, extent: Extent) -> dict[str, Facts]:
    """Sheet name → facts, from a workbook stream.

    Raises RefusalError for a password, a size that the format cannot have, or cells beyond the limits.
    """
    book = _Book()
    sheets: dict[str, Facts] = {}
    for kind, body, at in _records(stream, 0):
        if kind == _EOF:
            break
        if kind == _FILEPASS:
            raise RefusalError("file-encrypted", "工作簿设有密码，读不出内容", "请先去掉密码再交")
        book.take(kind, body, at)
    for name, place in book.sheets:
        measure = extent.sheet(name)
        sheets[name] = _read_sheet(stream, place, book.zero_styles(), measure)
        measure.close()
    return sheets


class _Book:
    """Formats, cell styles and sheets from the workbook's own part."""

    def __init__(self) -> None:
        self.sheets: list[tuple[str, int]] = []
        self._version = _BIFF8
        self._digits: dict[int, int] = {}
        self._styles: list[int] = []

    def take(self, kind: int, body: bytes, at: int) -> None:
        if kind == _BOF and at == 0 and len(body) >= 2:
            self._version = struct.unpack_from("<H", body)[0]
        elif kind == _FORMAT and len(body) > 5:
            digits = padded_digits(self._text(body[2:], wide_length=True))
            if digits:
                self._digits[struct.unpack_from("<H", body)[0]] = digits
        elif kind == _XF and len(body) >= 4:
            self._styles.append(struct.unpack_from("<H", body, 2)[0])
        elif kind == _BOUNDSHEET and len(body) > 7:
            self.sheets.append((self._text(body[6:], wide_length=False), struct.unpack_from("<I", body)[0]))

    def zero_styles(self) -> dict[int, int]:
        return {index: self._digits[code] for index, code in enumerate(self._styles) if code in self._digits}

    def _text(self, body: bytes, *, wide_length: bool) -> str:
        if self._version < _BIFF8:
            return body[1 : 1 + body[0]].decode("gb18030", "replace")
        length = struct.unpack_from("<H", body)[0] if wide_length else body[0]
        at = 2 if wide_length else 1
        if body[at] & 1:
            return body[at + 1 : at + 1 + 2 * length].decode("utf-16-le", "replace")
        return body[at + 1 : at + 1 + length].decode("latin-1")


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes, int]]:
    end = len(stream)
    while at + 4 <= end:
        kind, length = struct.unpack_from("<HH", stream, at)
        if at + 4 + length > end:
            raise damaged("工作簿数据不完整（文件可能没有传完）")
        yield kind, stream[at + 4 : at + 4 + length], at
        at += 4 + length


def _read_sheet(stream: bytes, place: int, zeros: dict[int, int], extent: SheetExtent) -> Facts:
    facts = Facts()
    depth = 0
    for kind, body, _ in _records(stream, place):
        if kind == _BOF:
            depth += 1
        elif kind == _EOF:
            depth -= 1
            if depth <= 0:
                break
        elif depth != 1 or len(body) < 6:
            continue
        elif kind in _CELLS:
            _cell(kind, body, facts, zeros, extent)
        elif kind == _ROW and len(body) >= 16 and body[12] & 0x20:
            facts.hidden_rows.add(struct.unpack_from("<H", body)[0])
        elif kind == _COLINFO and len(body) >= 10 and body[8] & 1:
            first, last = struct.unpack_from("<HH", body)
            facts.hidden_columns.update(range(first, min(last, _COLUMNS - 1) + 1))
        elif kind == _DIMENSIONS:
            _check_dimensions(body)
        elif kind == _FILTERMODE:
            facts.filtered = True
    facts.filtered = bool(facts.hidden_rows) and (facts.filtered or _has_filter(stream, place))
    return facts


def _has_filter(stream: bytes, place: int) -> bool:
    for kind, _, _ in _records(stream, place):
        if kind == _FILTERMODE:
            return True
        if kind == _EOF:
            return False
    return False


def _check_dimensions(body: bytes) -> None:
    if len(body) >= 12:
        _, last_row, _, last_column = struct.unpack_from("<IIHH", body)
        if last_row > _ROWS or last_column > _COLUMNS:
            raise damaged(f"声明的大小（{last_row} 行 × {last_column} 列）超过这种格式的上限")


def _cell(kind: int, body: bytes, facts: Facts, zeros: dict[int, int], extent: SheetExtent) -> None:
    row, column, style = struct.unpack_from("<HHH", body)
    last = struct.unpack_from("<H", body, len(body) - 2)[0] if kind == _MULRK else column
    extent.add(row + 1, last + 1, max(1, last - column + 1))
    if kind in (_NUMBER, _RK, _FORMULA) and style in zeros:
        facts.zero_formats[row, column] = zeros[style]
    elif kind == _MULRK and zeros:
        for number in range(min(last - column + 1, (len(body) - 6) // 6)):
            style = struct.unpack_from("<H", body, 4 + 6 * number)[0]
            if style in zeros:
                facts.zero_formats[row, column + number] = zeros[style]
    if kind == _BOOLERR and len(body) >= 8 and body[7]:
        facts.errors[row, column] = ERRORS.get(body[6], "#N/A")
    elif kind == _FORMULA and len(body) >= 14 and body[12:14] == b"\xff\xff" and body[6] == 2:
        facts.errors[row, column] = ERRORS.get(body[8], "#N/A")
