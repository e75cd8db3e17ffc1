"""Slips to cut 成绩条: one pupil a strip, printed on A4 with dashed lines between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import xlsxwriter

from jiaoheng.documents.excel_styles import sheet_name
from jiaoheng.documents.safe_text import one_line


@dataclass(frozen=True, slots=True)
class Slip:
    """One strip: whose it is, and pairs of head and printed value."""

    person: str
    cells: tuple[tuple[str, str], ...]


def write_slips(path: Path, groups: Sequence[tuple[str, Sequence[Slip]]], *, title: str, foot: str) -> None:
    """Write slips, a sheet for each group (a class); `title` and `foot` stand on every strip.

    All values are texts, so nothing of a user is ever a formula. Raises OSError as it comes.
    """
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(str(path), options)
    font = {"font_name": "宋体", "font_size": 11, "valign": "vcenter"}
    bold = book.add_format({**font, "bold": True})
    head = book.add_format({**font, "align": "center", "border": 1, "bg_color": "#F0F2F3", "text_wrap": True})
    body = book.add_format({**font, "align": "center", "border": 1})
    small = book.add_format({**font, "font_size": 9, "font_color": "#5F6B73"})
    cut = book.add_format({"bottom": 3})
    taken: set[str] = set()
    for name, slips in groups:
        sheet = book.add_worksheet(sheet_name(name, taken))
        width = max((len(slip.cells) for slip in slips), default=1)
        sheet.set_paper(9)
        sheet.set_margins(left=0.4, right=0.4, top=0.4, bottom=0.4)
        sheet.fit_to_pages(1, 0)
        landscape = width > 8
        if landscape:
            sheet.set_landscape()
        a_page = 6 if landscape else 9  # strips that fit an A4 page; one is never cut by its edge
        sheet.set_column(0, width - 1, 10)
        row = 0
        breaks = []
        for number, slip in enumerate(slips):
            sheet.write_string(row, 0, one_line(f"{title}　{slip.person}"), bold)
            for column, (label, value) in enumerate(slip.cells):
                sheet.write_string(row + 1, column, one_line(label), head)
                sheet.write_string(row + 2, column, one_line(value), body)
            sheet.write_string(row + 3, 0, one_line(foot), small)
            for column in range(width):
                sheet.write_blank(row + 4, column, None, cut)
            row += 6
            if (number + 1) % a_page == 0:
                breaks.append(row)
        sheet.set_h_pagebreaks(breaks)
    if not groups:
        book.add_worksheet("成绩条")
    try:
        book.close()
    except xlsxwriter.exceptions.FileCreateError as error:
        cause = error.args[0] if error.args else error
        raise cause if isinstance(cause, OSError) else OSError(str(cause)) from error
