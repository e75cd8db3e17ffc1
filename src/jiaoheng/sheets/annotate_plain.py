"""Sheets as read, written into a new workbook: for files that are no xlsx package, and for several files at once."""

from __future__ import annotations

import datetime as dt
import io
import math
import posixpath
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException

from jiaoheng.sheets.annotate_memory import MEMORY_SHEET, QUESTION_SHEET, Origin
from jiaoheng.sheets.ooxml_xml import CELL_LIMIT, clean
from jiaoheng.sheets.places import Place, Problem, Severity
from jiaoheng.sheets.workbook import Cell, Sheet

NAME_LIMIT = 31  # UTF-16 units of a sheet name
MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384
_FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f\ud800-\udfff\ufffe\uffff]")
_RESERVED = {QUESTION_SHEET, MEMORY_SHEET, "history"}
_ERROR_WORDS = frozenset({"#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!"})
_MEASURED_ROWS = 200  # for the widths of columns
_EPOCH = dt.datetime(1900, 3, 1)  # before it the two calendars of spreadsheets differ


def write_plain(sheets: Sequence[Sheet], out: Path) -> tuple[dict[str, Origin], list[Problem]]:
    """Write the sheets to `out`; returns sheet name there → (file, sheet) as read, and what could not be kept.

    Text stays text, numbers keep leading zeros by their format, hidden rows, columns and sheets stay hidden,
    merged areas stay merged. No text becomes a formula.
    """
    several = len({sheet.file for sheet in sheets}) > 1
    names = unique_names([_wanted(sheet, several) for sheet in sheets])
    problems: list[Problem] = []
    packed = io.BytesIO()  # written whole: a full disk is then one OSError
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    book = xlsxwriter.Workbook(packed, options)
    forms = _Forms(book)
    for sheet, name in zip(sheets, names, strict=True):
        problems += _write_sheet(book.add_worksheet(name), sheet, forms)
    if not sheets:
        book.add_worksheet("空")
    visible = next((s for s, sheet in zip(book.worksheets(), sheets, strict=False) if not sheet.hidden), None)
    if visible is not None:
        visible.activate()
        visible.set_first_sheet()
    book.close()
    out.write_bytes(packed.getbuffer())
    return {name: (sheet.file, sheet.name) for sheet, name in zip(sheets, names, strict=True)}, problems


def unique_names(wanted: Sequence[str]) -> list[str]:
    """Sheet names that a workbook accepts: no forbidden characters, at most 31 units, unique without regard to case."""
    used = set(_RESERVED)
    made = []
    for text in wanted:
        base = _FORBIDDEN.sub(" ", text).strip().strip("'").strip() or "工作表"
        name, number = _cut(base, NAME_LIMIT), 1
        while name.casefold() in used:
            number += 1
            tail = f"~{number}"
            name = _cut(base, NAME_LIMIT - len(tail)) + tail
        used.add(name.casefold())
        made.append(name)
    return made


def _wanted(sheet: Sheet, several: bool) -> str:
    stem = posixpath.splitext(sheet.file.replace("\\", "/").rpartition("/")[2])[0]
    if not several and sheet.name:
        return sheet.name
    if not sheet.name:
        return stem
    joined = f"{stem}-{sheet.name}"
    if len(joined) <= NAME_LIMIT:
        return joined
    room = max(8, NAME_LIMIT - 1 - len(sheet.name))  # the file's name gives way first
    return f"{stem[:room]}-{sheet.name}"


def _cut(text: str, units: int) -> str:
    return text.encode("utf-16-le")[: units * 2].decode("utf-16-le", "ignore").rstrip().rstrip("'")


class _Forms:
    """Cell formats, made once each."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[str, Any] = {}

    def __call__(self, number_format: str) -> Any:
        if number_format not in self._made:
            self._made[number_format] = self._book.add_format({"num_format": number_format})
        return self._made[number_format]


def _write_sheet(target: Any, sheet: Sheet, forms: _Forms) -> list[Problem]:
    rows = sheet.rows[:MAX_ROWS]
    width = min(max((len(row) for row in rows), default=0), MAX_COLUMNS)
    _merge(target, sheet)
    longest = [0] * width
    cut = 0
    for r, row in enumerate(rows):
        measured = r < _MEASURED_ROWS and sum(cell is not None for cell in row) > 1  # a title is no measure
        for c, cell in enumerate(row[:width]):
            if cell is None:
                continue
            cut += _write_cell(target, r, c, cell, sheet, forms)
            if measured:
                longest[c] = max(longest[c], sum(2 if ord(x) > 0x2E7F else 1 for x in str(cell)[:40]))
    for (r, c), word in sheet.error_cells.items():
        _write_error(target, r, c, word)
    for r, c in sheet.formulas_without_value:
        _write_error(target, r, c, "#N/A")  # a blank would be taken for "no score"
    for c, length in enumerate(longest):
        target.set_column(
            c, c, min(40, max(8, length + 2)), None, {"hidden": True} if c in sheet.hidden_columns else {}
        )
    for r in sheet.hidden_rows:
        if r < MAX_ROWS:
            target.set_row(r, None, None, {"hidden": True})
    if sheet.filtered and rows and width:
        target.autofilter(0, 0, len(rows) - 1, width - 1)
    if sheet.hidden:
        target.hide()
    if rows and width:
        target.ignore_errors({"number_stored_as_text": f"A1:{_corner(len(rows), width)}"})
    return _losses(sheet, len(rows), width, cut)


def _corner(rows: int, columns: int) -> str:
    return Place(row=rows, column=columns).cell


def _write_cell(target: Any, r: int, c: int, cell: Cell, sheet: Sheet, forms: _Forms) -> int:
    """Write one value; returns 1 where its text had to be cut."""
    if isinstance(cell, bool):
        target.write_boolean(r, c, cell)
    elif isinstance(cell, int | float) and math.isfinite(cell):
        digits = sheet.zero_formats.get((r, c))
        target.write_number(r, c, cell, forms("0" * digits) if digits else None)
    elif isinstance(cell, dt.datetime) and cell.tzinfo is None and cell >= _EPOCH:
        target.write_datetime(r, c, cell, forms("yyyy-mm-dd" if cell.time() == dt.time() else "yyyy-mm-dd hh:mm:ss"))
    elif isinstance(cell, dt.date) and not isinstance(cell, dt.datetime) and cell >= _EPOCH.date():
        target.write_datetime(r, c, dt.datetime(cell.year, cell.month, cell.day), forms("yyyy-mm-dd"))
    elif isinstance(cell, dt.time) and cell.tzinfo is None:
        target.write_datetime(r, c, cell, forms("hh:mm:ss"))
    elif isinstance(cell, dt.timedelta) and cell >= dt.timedelta():
        target.write_datetime(r, c, cell, forms("[h]:mm:ss"))
    else:
        text = str(cell)
        kept = clean(text, CELL_LIMIT)
        target.write_string(r, c, kept)
        return int(len(kept) < len(text))
    return 0


def _write_error(target: Any, r: int, c: int, word: str) -> None:
    if word in _ERROR_WORDS:
        target.write_formula(r, c, f"={word}", None, word)
    else:
        target.write_string(r, c, word)


def _merge(target: Any, sheet: Sheet) -> None:
    for (top, left), (bottom, right) in sheet.merged:
        if (top, left) == (bottom, right) or bottom >= MAX_ROWS or right >= MAX_COLUMNS:
            continue
        try:
            target.merge_range(top, left, bottom, right, "")
        except XlsxWriterException:  # overlapping areas of a damaged file: the first wins
            continue


def _losses(sheet: Sheet, rows: int, width: int, cut: int) -> list[Problem]:
    place = Place(sheet.file, sheet.name)
    problems = []
    if rows < len(sheet.rows) or any(len(row) > width for row in sheet.rows[:1]):
        message = f"共有 {len(sheet.rows):,} 行，超过一个工作表的上限，标注副本只含前 {rows:,} 行"
        problems.append(Problem("annotate-too-long", Severity.ERROR, place, message, "请按学校拆成几个文件"))
    if cut:
        message = f"有 {cut} 个单元格的文字超过 {CELL_LIMIT:,} 字，标注副本中已截短"
        problems.append(Problem("annotate-text-cut", Severity.WARNING, place, message, "请以原文件为准"))
    return problems
