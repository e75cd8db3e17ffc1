"""A web page saved as .xls: each table a sheet, cells as text (学号 007 stays 007), spans as merged cells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from jiaoheng.sheets.extent import Extent, SheetExtent
from jiaoheng.sheets.limits import Limits
from jiaoheng.sheets.number_formats import padded_digits
from jiaoheng.sheets.raw_sheets import Facts, RawCell, RawFile, RawRow, RawSheet, RefusalError, damaged

_SHEET_NAME = re.compile(r"<x:Name>([^<]{1,64})</x:Name>", re.IGNORECASE)
_RULE = re.compile(r"\.([\w-]+)\s*\{([^{}]*)\}")
_FORMAT = re.compile(r"mso-number-format\s*:\s*(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[^;]+)", re.IGNORECASE)
_NO_DISPLAY = re.compile(r"display\s*:\s*none|visibility\s*:\s*collapse", re.IGNORECASE)
_BLANKS = re.compile(r"[ \t\r\n\f]+")
_SPAN = 1_000  # what browsers allow for colspan
_SILENT = frozenset({"script", "style", "template", "noscript"})
_REMEDY = "请用浏览器打开核对，再从原系统导出为 xlsx 后再交"

Element = etree._Element


@dataclass(slots=True)
class _Table:
    """A table being laid out."""

    extent: SheetExtent
    formats: dict[str, int]  # CSS class → digits that it pads to
    rows: list[RawRow] = field(default_factory=list)
    facts: Facts = field(default_factory=Facts)
    spans: dict[int, int] = field(default_factory=dict)  # column → rows still covered from above


def read_html(text: str, encoding: str, limits: Limits) -> RawFile:
    """The tables of a page as sheets; raises RefusalError where there is none."""
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise damaged("网页代码读不出") from error
    tables = list(_data_tables(root)) if root is not None else []
    if not tables:
        raise RefusalError("html-without-table", "这是网页，其中没有表格", _REMEDY)
    if len(tables) > limits.sheets:
        raise RefusalError("too-many-sheets", f"网页里有 {len(tables)} 个表格，上限 {limits.sheets} 个", _REMEDY)
    names = _SHEET_NAME.findall(text)
    if len(names) != len(tables):
        names = [f"表格{number}" for number in range(1, len(tables) + 1)] if len(tables) > 1 else [""]
    formats = _formats(root)
    extent = Extent(limits)
    return RawFile(
        "html", encoding, [_sheet(table, name, formats, extent) for table, name in zip(tables, names, strict=True)]
    )


def _data_tables(element: Element) -> Iterator[Element]:
    """Tables that hold data: a table that merely arranges other tables gives way to them."""
    for table in element.iter("table"):
        if any(True for _ in table.iterancestors("table")):
            continue
        yield from _leaves(table)


def _leaves(table: Element) -> Iterator[Element]:
    inner = [one for one in table.iter("table") if one is not table]
    if not inner:
        yield table
        return
    own = [row for row in _own_rows(table) if sum(1 for cell in row if cell.find(".//table") is None) > 1]
    if len(own) > 1:
        yield table
        return
    for one in inner:
        if next(one.iterancestors("table")) is table:
            yield from _leaves(one)


def _own_rows(table: Element) -> Iterator[Element]:
    for child in table:
        if child.tag == "tr":
            yield child
        elif child.tag in ("thead", "tbody", "tfoot"):
            yield from (row for row in child if row.tag == "tr")


def _formats(root: Element) -> dict[str, int]:
    found = {}
    for style in root.iter("style"):
        for name, body in _RULE.findall(style.text or ""):
            digits = _digits(body)
            if digits:
                found[name] = digits
    return found


def _digits(style: str) -> int:
    match = _FORMAT.search(style)
    if not match:
        return 0
    code = match[1].strip().strip("\"'")
    return padded_digits(re.sub(r"\\(.)", r"\1", code))


def _sheet(table: Element, name: str, formats: dict[str, int], extent: Extent) -> RawSheet:
    laid = _Table(extent.sheet(name), formats)
    rows = list(_own_rows(table))
    column = 0
    for element in table.iter("col"):
        width = _number(element.get("span"), 1)
        if _NO_DISPLAY.search(element.get("style") or ""):
            laid.facts.hidden_columns.update(range(column, column + width))
        column += width
    for index, row in enumerate(rows):
        _lay_row(laid, row, index, len(rows))
    laid.extent.close()
    return RawSheet(name, laid.rows, laid.facts)


def _lay_row(laid: _Table, row: Element, index: int, rows: int) -> None:
    if _NO_DISPLAY.search(row.get("style") or ""):
        laid.facts.hidden_rows.add(index)
    cells: RawRow = []
    column = 0
    spans = {}
    for element in row:
        if element.tag not in ("td", "th"):
            continue
        while laid.spans.get(column, 0) > 0:
            column += 1
        wide = min(_number(element.get("colspan"), 1), _SPAN)
        high = _number(element.get("rowspan"), 1, zero=rows)
        high = max(1, min(high, rows - index))
        value = _value(laid, element, index, column)
        cells += [""] * (column - len(cells))
        cells.append(value)
        if value != "":
            laid.extent.add(index + 1, column + 1)
        if wide > 1 or high > 1:
            laid.facts.merged.append((index, column, index + high - 1, column + wide - 1))
        if high > 1:
            spans.update(dict.fromkeys(range(column, column + wide), high))
        column += wide
    laid.spans = {at: left - 1 for at, left in laid.spans.items() if left > 1}
    laid.spans.update({at: high - 1 for at, high in spans.items()})
    laid.rows.append(cells)


def _value(laid: _Table, element: Element, row: int, column: int) -> RawCell:
    text = cell_text(element)
    digits = _digits(element.get("style") or "")
    for name in (element.get("class") or "").split():
        digits = digits or laid.formats.get(name, 0)
    if digits and text.isascii() and text.isdigit() and len(text) < digits:
        laid.facts.zero_formats[row, column] = digits
        return float(int(text))
    return text


def _number(text: str | None, default: int, zero: int = 1) -> int:
    bare = (text or "").strip()
    if not bare.isascii() or not bare.isdigit() or len(bare) > 9:
        return default
    return int(bare) or zero


def cell_text(element: Element) -> str:
    """Text as a browser shows it: blanks run together, `<br>` and paragraphs as line breaks, no scripts."""
    pieces: list[str] = []
    for event, node in etree.iterwalk(element, events=("start", "end")):
        if event == "start":
            block = node.tag in ("p", "div") and node is not element
            if node.tag == "br" or (block and any(one.strip() for one in pieces)):
                pieces.append("\n")
            if node.tag not in _SILENT and node.text:
                pieces.append(_BLANKS.sub(" ", node.text))
        elif node is not element and node.tail:
            pieces.append(_BLANKS.sub(" ", node.tail))
    lines = "".join(pieces).split("\n")
    return "\n".join(line.strip(" ") for line in lines).strip("\n")
