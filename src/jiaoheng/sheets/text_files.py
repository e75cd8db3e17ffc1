"""Delimited text: which delimiter, which cells. Every cell stays text, as in the file."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator

from jiaoheng.sheets.extent import Extent, SheetExtent
from jiaoheng.sheets.limits import Limits
from jiaoheng.sheets.raw_sheets import Facts, Finding, RawCell, RawFile, RawRow, RawSheet, RefusalError

DELIMITERS = "\t,;|，；"
_SAMPLE_LINES = 200
_SAMPLE_TEXT = 200_000
_SPACES = " "  # stands for one or more blanks, as between the columns of a printed list
_BLANKS = re.compile(r"[ \t]+")  # not U+3000, which stands inside names
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[ \t]*\r?\n', re.IGNORECASE)
_SHOWN_AS_TEXT = re.compile(r'="([^"]*)"\Z')  # ="007" is how programs keep zeros in a csv
_FIELD = 2**31 - 1


def read_text(text: str, encoding: str, limits: Limits) -> RawFile:
    """A decoded text as one sheet without a name; raises RefusalError where nothing is in it."""
    if not text.strip():
        raise RefusalError("file-empty", "文件里没有内容", "请查收是否发错了文件")
    named = _SEPARATOR_LINE.match(text[:64])
    if named:
        text = text[named.end() :]
    delimiter = named[1] if named else find_delimiter(text)
    findings: list[Finding] = []
    rows = _rows(text, delimiter, findings)
    sheet = RawSheet("", _measured(rows, Extent(limits).sheet("")), Facts(), findings)
    return RawFile("tsv" if delimiter == "\t" else "csv", encoding, [sheet])


def find_delimiter(text: str) -> str:
    """The delimiter with which the most lines of the beginning have the same number (above one) of cells.

    A blank stands for "one or more blanks". Without any delimiter the answer is a comma.
    """
    lines = text[:_SAMPLE_TEXT].splitlines(keepends=True)[:_SAMPLE_LINES]
    if len(text) > _SAMPLE_TEXT and len(lines) > 1:
        lines.pop()  # it may be cut
    lines = [line for line in lines if line.strip()]
    best, best_score = ",", (0, 0)
    for delimiter in DELIMITERS:
        if not any(delimiter in line for line in lines):
            continue
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter) if len(row) > 1)
        width, number = widths.most_common(1)[0] if widths else (0, 0)
        score = (number, width)
        if score > best_score:
            best, best_score = delimiter, score
    if best_score[0] * 2 >= len(lines) or len(lines) < 2:
        return best
    widths = Counter(len(_BLANKS.split(line.strip(" \t\r\n"))) for line in lines)
    width, number = widths.most_common(1)[0]
    return _SPACES if width > 1 and number > best_score[0] and number * 3 >= 2 * len(lines) else best


def _rows(text: str, delimiter: str, findings: list[Finding]) -> Iterator[RawRow]:
    """Records in order; a blank line is an empty row, so that numbers are those that Excel shows."""
    csv.field_size_limit(_FIELD)
    if delimiter == _SPACES:
        return (list(_BLANKS.split(line.strip(" \t\r\n"))) for line in io.StringIO(text, newline=None))
    wrong = _unbalanced(text, delimiter)
    if wrong:
        told = "引号没有成对，全文已按一行一条记录读取，引号照原样保留"
        findings.append(Finding("quotes-unbalanced", "warning", told, "请核对这一行，改正引号", row=wrong))
        return _line_by_line(text, delimiter)
    return map(_plain, csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def _plain(row: list[str]) -> RawRow:
    cells: list[RawCell] = []
    for cell in row:
        match = _SHOWN_AS_TEXT.match(cell) if cell.startswith('="') else None
        cells.append(match[1] if match else cell)
    return cells


def _unbalanced(text: str, delimiter: str) -> int:
    """The line on which a quoted cell begins that never ends properly; 0 where all quotes pair."""
    if '"' not in text:
        return 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for _ in reader:
            line = reader.line_num + 1
    except csv.Error:
        return line
    return 0


def _line_by_line(text: str, delimiter: str) -> Iterator[RawRow]:
    for line in io.StringIO(text, newline=None):
        bare = line.rstrip("\n")
        try:
            row = next(csv.reader([bare], delimiter=delimiter, strict=True), [])
        except csv.Error:
            row = bare.split(delimiter)
        yield _plain(row)


def _measured(rows: Iterator[RawRow], extent: SheetExtent) -> Iterator[RawRow]:
    """Pass rows on while they fit the limits; raises RefusalError naming the first cell that does not."""
    for number, row in enumerate(rows, start=1):
        width = len(row)
        while width and row[width - 1] == "":
            width -= 1
        if width:
            extent.add(number, width, width)
            yield row[:width]
        else:
            yield []
