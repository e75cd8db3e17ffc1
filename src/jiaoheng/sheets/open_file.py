"""The bytes of one file → raw sheets, whatever format they are in. Runs in the reading process."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import python_calamine

from jiaoheng.sheets import biff, ods, xlsb, xlsx_extra
from jiaoheng.sheets.encodings import decode
from jiaoheng.sheets.extent import Extent
from jiaoheng.sheets.guard import Archive
from jiaoheng.sheets.limits import Limits
from jiaoheng.sheets.ole import CompoundFile
from jiaoheng.sheets.raw_sheets import (
    DAMAGED,
    Facts,
    Finding,
    Position,
    RawFile,
    RawRow,
    RawSheet,
    RefusalError,
    damaged,
)
from jiaoheng.sheets.sniff import BARE_BIFF, OLE, SAVE_AS, ZIPS, NotATable, archive_kind, ole_kind, signature, text_kind
from jiaoheng.sheets.string_bomb import check_strings
from jiaoheng.sheets.text_files import read_text

_MIMETYPE = 200
_TABLES = frozenset({"WorkSheet", "MacroSheet"})


ALL, FACTS, CELLS = "all", "facts", "cells"  # what is wanted of a file; the parts serve `side_by_side`


def open_file(data: bytes, limits: Limits, want: str = ALL) -> RawFile:
    """What the file is and its sheets; raises RefusalError with the reason where it cannot be read.

    `want` FACTS gives an xlsx's sheets without their cells, CELLS its cells without the facts about them (and without
    the guard against far cells); other formats always come whole.
    """
    head = data[:64]
    if not data.strip(b"\x00"):
        raise RefusalError("file-empty", "文件里只有空字节，没有内容（可能没有传完或存盘出错）", "请重新取得该文件")
    if head.startswith(ZIPS):
        return _open_archive(data, limits, want)
    if head.startswith(OLE):
        return _open_ole(data, limits)
    if head.startswith(BARE_BIFF):
        told = "这是没有外壳的早期 Excel 文件（多由旧系统导出），读不出"
        raise RefusalError("format-not-supported", told, "请用 Excel 或 WPS 打开，另存为 xlsx 后再交")
    known = signature(head)
    if known is not None:
        raise _not_a_table(known)
    return _open_text(data, limits)


def _not_a_table(kind: NotATable) -> RefusalError:
    error = RefusalError("file-not-a-table", f"这是{kind.called}，不是能读的成绩表", kind.remedy)
    error.true_format = kind.true_format
    return error


def _open_archive(data: bytes, limits: Limits, want: str) -> RawFile:
    archive = Archive(data, limits)
    mimetype = b""
    if archive.has("mimetype"):
        mimetype = archive.read("mimetype", most=1_000_000)[:_MIMETYPE]
    kind = archive_kind(archive.names, mimetype)
    if isinstance(kind, NotATable):
        raise _not_a_table(kind)
    archive.check_all()
    extent = Extent(limits)
    if kind == "xlsx" and want == CELLS:
        return RawFile(kind, None, _calamine_sheets(data, {}, limits))
    if kind == "xlsx":
        sheets = xlsx_extra.read_workbook(archive)
        if len(sheets.parts) > limits.sheets:
            raise _too_many(len(sheets.parts), limits)
        check_strings(archive, sheets.strings, [one.part for one in sheets.parts], limits.memory_bytes)
        facts = {one.name: xlsx_extra.read_facts(archive, one, sheets.zero_styles, extent) for one in sheets.parts}
        wrong = frozenset(one.part for one in sheets.parts if facts[one.name].wrong_dimension)
        if wrong:
            data = archive.rewritten(wrong, xlsx_extra.without_dimension)
        if want == FACTS:
            return RawFile(kind, None, [RawSheet(name, [], known) for name, known in facts.items()])
    elif kind == "xlsb":
        facts = xlsb.read_facts(archive, extent)
    else:
        facts = ods.read_facts(archive, extent)
    return RawFile(kind, None, _calamine_sheets(data, facts, limits))


def _open_ole(data: bytes, limits: Limits) -> RawFile:
    compound = CompoundFile(data)
    kind = ole_kind(compound.names)
    if isinstance(kind, NotATable):
        raise _not_a_table(kind)
    if kind == "encrypted":
        raise RefusalError("file-encrypted", "工作簿设有打开密码，读不出内容", "请先去掉密码再交")
    name = "Workbook" if "Workbook" in compound.streams else "Book"
    facts = biff.read_facts(compound.read(name), Extent(limits))
    return RawFile("xls", None, _calamine_sheets(data, facts, limits))


def _open_text(data: bytes, limits: Limits) -> RawFile:
    decoded = decode(data)
    if decoded is None:
        raise RefusalError("format-unknown", "认不出这是什么文件：不是工作簿，也不是文本", SAVE_AS)
    kind = text_kind(decoded.text)
    if isinstance(kind, NotATable):
        raise _not_a_table(kind)
    if kind == "html":
        from jiaoheng.sheets.html_tables import read_html  # lxml takes longer to load than most files to read

        found = read_html(decoded.text, decoded.encoding, limits)
    elif kind == "xml2003":
        from jiaoheng.sheets.xml2003 import read_xml2003

        found = read_xml2003(decoded.text, decoded.encoding, limits)
    else:
        found = read_text(decoded.text, decoded.encoding, limits)
    found.findings += decoded.findings
    return found


def _too_many(count: int, limits: Limits) -> RefusalError:
    return RefusalError("too-many-sheets", f"有 {count} 个工作表，上限 {limits.sheets} 个", "请拆成几个文件再交")


def _calamine_sheets(data: bytes, facts: dict[str, Facts], limits: Limits) -> Iterator[RawSheet]:
    """The worksheets in workbook order, each read when it is asked for."""
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    except python_calamine.PasswordError as error:
        raise RefusalError("file-encrypted", "工作簿设有密码，读不出内容", "请先去掉密码再交") from error
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise damaged(f"工作簿结构读不出（{str(error)[:80]}）") from error
    tables = [one for one in book.sheets_metadata if str(one.typ).rpartition(".")[2] in _TABLES]
    if len(tables) > limits.sheets:
        raise _too_many(len(tables), limits)
    if not tables:
        raise RefusalError("no-sheets", "工作簿里没有工作表", "请查收是否发错了文件")
    for one in tables:
        known = facts.get(one.name) or Facts()
        known.hidden = known.hidden or not str(one.visible).endswith(".Visible")
        yield _calamine_sheet(book, one.name, known)


def _calamine_sheet(book: Any, name: str, facts: Facts) -> RawSheet:
    try:
        sheet = book.get_sheet_by_name(name)
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        finding = Finding("sheet-damaged", "error", f"工作表读不出（{str(error)[:80]}）", DAMAGED, sheet=name)
        return RawSheet(name, [], facts, [finding])
    merged = sheet.merged_cell_ranges or []
    facts.merged += [(top, left, bottom, right) for (top, left), (bottom, right) in merged]
    rows: Iterator[RawRow] = sheet.iter_rows() if sheet.end is not None else iter(())
    if sheet.start is not None and sheet.start[1]:  # the iterator gives the empty rows above, not the columns before
        before: RawRow = [""] * sheet.start[1]
        rows = (before + row for row in rows)
    return RawSheet(name, _without(rows, facts.errors), facts)


def _without(rows: Iterator[RawRow], errors: dict[Position, str]) -> Iterator[RawRow]:
    """The rows with error cells made empty, whatever the reader put there."""
    if not errors:
        return rows
    places: dict[int, list[int]] = {}
    for row, column in errors:
        places.setdefault(row, []).append(column)
    return (_blanked(row, places[number]) if number in places else row for number, row in enumerate(rows))


def _blanked(row: RawRow, columns: list[int]) -> RawRow:
    for column in columns:
        if column < len(row):
            row[column] = ""
    return row
