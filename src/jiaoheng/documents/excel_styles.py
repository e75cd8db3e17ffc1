"""Cell formats, sheet names and column widths of our workbooks."""

from __future__ import annotations

import re
from typing import Any

from jiaoheng.documents.model import Kind, TableColumn
from jiaoheng.documents.printing import shown_digits
from jiaoheng.documents.safe_text import one_line

_INK, _GREY, _LINE, _TINT, _ACCENT, _WARN = "#182026", "#5F6B73", "#B8C1C6", "#EBEFF0", "#15547C", "#874C00"
_SHEET_NAME_LENGTH = 31  # Excel's limit, in UTF-16 units
_FORBIDDEN = re.compile(r"[\[\]:*?/\\]")


class Styles:
    """The formats of one workbook, each made once."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._cells: dict[tuple[str, bool, bool, bool], Any] = {}
        base = {"font_name": "宋体", "font_size": 10.5, "font_color": _INK, "valign": "vcenter"}
        self._base = base
        head = base | {"bold": True, "bg_color": _TINT, "border": 1, "border_color": _LINE, "text_wrap": True}
        self.title = book.add_format(base | {"bold": True, "font_size": 14})
        self.caption = book.add_format(base | {"bold": True, "font_size": 12})
        self.note = book.add_format(base | {"font_color": _GREY, "font_size": 9})
        self.warning = book.add_format(base | {"font_color": _WARN, "bold": True})
        self.head = book.add_format(head | {"align": "center"})
        self.head_text = book.add_format(head | {"align": "left"})
        self.link = book.add_format(base | {"font_color": _ACCENT, "underline": 1, "bottom": 4, "bottom_color": _LINE})
        self.body_text = book.add_format(base | {"bottom": 4, "bottom_color": _LINE})
        self.index = book.add_format(base | {"bottom": 4, "bottom_color": _LINE, "align": "center"})
        wrapped = {"text_wrap": True, "valign": "top", "bottom": 4, "bottom_color": _LINE}
        self.wrapped = book.add_format(base | wrapped)

    def cell(self, number_format: str, *, right: bool, bold: bool, grey: bool) -> Any:
        """The format of a body cell; `number_format` "" is text."""
        key = (number_format, right, bold, grey)
        if key not in self._cells:
            look = self._base | {"border": 1, "border_color": _LINE, "align": "right" if right else "left"}
            look |= {"num_format": number_format or "@"}
            if bold:
                look |= {"bold": True, "bg_color": "#F4F6F6"}
            if grey:
                look |= {"font_color": "#6B767E"}
            self._cells[key] = self._book.add_format(look)
        return self._cells[key]


def number_format(column: TableColumn, *, whole: bool = True) -> str:
    """Excel's number format of a column: decimals as printed, true percentages, signs of changes."""
    digits = shown_digits(column)
    if not whole and column.kind in (Kind.COUNT, Kind.RANK, Kind.TEXT):
        digits = column.digits
    body = "0." + "0" * digits if digits else "0"
    if column.kind is Kind.PERCENT:
        return body + "%"
    if column.kind in (Kind.SIGNED, Kind.SIGNED_PERCENT):
        return f"+{body};-{body};{body}"
    return body


def sheet_name(text: str, taken: set[str]) -> str:
    """A legal sheet name of at most 31 UTF-16 units, not yet in `taken` (letter case ignored); it is added there."""
    name = _FORBIDDEN.sub("_", one_line(text)).strip("' ")
    if not name or name.casefold() == "history":  # Excel keeps History for itself
        name = f"{name}_" if name else "表"
    wanted, count = _cut(name, _SHEET_NAME_LENGTH), 1
    while wanted.casefold() in taken:
        count += 1
        tail = f"({count})"
        wanted = _cut(name, _SHEET_NAME_LENGTH - len(tail)) + tail
    taken.add(wanted.casefold())
    return wanted


def _cut(text: str, units: int) -> str:
    """The longest beginning of at most `units` UTF-16 units."""
    return text.encode("utf-16-le")[: 2 * units].decode("utf-16-le", errors="ignore").rstrip("' ")
