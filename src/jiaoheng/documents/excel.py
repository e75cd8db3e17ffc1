"""A workbook of tables that opens, sorts and prints as a person expects: no formula, frozen heads, legal names."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from jiaoheng.documents.excel_rows import RowSheet
from jiaoheng.documents.excel_sheet import SheetWriter
from jiaoheng.documents.excel_styles import Styles, sheet_name
from jiaoheng.documents.model import Definition, Report, Table
from jiaoheng.documents.safe_text import one_line
from jiaoheng.documents.words import CONTENTS, CONTENTS_HEADS

DEFINITIONS = "口径"


def write_workbook(
    source: Report | Sequence[Table],
    path: Path,
    *,
    title: str = "",
    notice: str = "",
    definitions: Sequence[Definition] = (),
) -> None:
    """Write every table of a report (or the tables given) into one workbook at `path`.

    A contents sheet links to each table, a sheet 口径 lists the definitions. Numbers are stored unrounded where the
    cell then shows our print, else as printed; shares are true percentages. Raises OSError as it comes.
    """
    watermark = ""
    subtitle: tuple[str, ...] = ()
    if isinstance(source, Report):
        title, notice = title or source.title, notice or source.notice
        definitions = definitions or source.definitions
        watermark = source.watermark
        subtitle = tuple(line for line in (source.subtitle, f"{source.organisation}　{source.date}".strip()) if line)
        tables: Sequence[Table] = source.tables()
    else:
        tables = source
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    whole = io.BytesIO()
    book = xlsxwriter.Workbook(whole, options)
    book.set_properties({"title": one_line(title), "comments": one_line(notice)})
    book.set_calc_mode("manual")
    writer = _Book(book, Styles(book), {item.key: item for item in definitions}, one_line(notice), one_line(watermark))
    writer.contents(one_line(title), subtitle, tables)
    writer.tables(tables)
    writer.definitions()
    book.close()
    Path(path).write_bytes(whole.getbuffer())


class _Book:
    """The sheets of one workbook while it is written."""

    def __init__(
        self, book: Any, styles: Styles, definitions: Mapping[str, Definition], notice: str, watermark: str
    ) -> None:
        self.book = book
        self.styles = styles
        self.known = definitions
        self.notice = notice
        self.watermark = watermark
        self.taken: set[str] = {CONTENTS.casefold(), DEFINITIONS.casefold()}

    def contents(self, title: str, subtitle: Iterable[str], tables: Sequence[Table]) -> None:
        """The first sheet: what is in the workbook, with a link to each table."""
        self.places = self._places(tables)
        sheet = self._sheet(CONTENTS, landscape=False)
        formats = self.styles
        sheet.set_column(0, 0, 6)
        sheet.set_column(1, 1, 52)
        sheet.set_column(2, 2, 30)
        sheet.set_column(3, 3, 8)
        row = 0
        for text, style in [(title, formats.title), *((line, formats.note) for line in subtitle)]:
            if text:
                sheet.write_string(row, 0, one_line(text), style)
                row += 1
        if self.notice:
            sheet.write_string(row, 0, self.notice, formats.warning)
            row += 1
        row += 1
        for column, (text, style) in enumerate(
            zip(CONTENTS_HEADS, (formats.head, formats.head_text, formats.head_text, formats.head), strict=True)
        ):
            sheet.write_string(row, column, text, style)
        sheet.freeze_panes(row + 1, 0)
        sheet.repeat_rows(row)
        for number, (table, (name, line)) in enumerate(zip(tables, self.places, strict=True), 1):
            row += 1
            sheet.write_number(row, 0, number, formats.index)
            target = f"internal:'{name.replace(chr(39), chr(39) * 2)}'!A{line + 1}"
            sheet.write_url(row, 1, target, formats.link, one_line(table.title) or name)
            sheet.write_string(row, 2, name, formats.body_text)
            sheet.write_number(row, 3, len(table.rows), formats.index)

    def tables(self, tables: Sequence[Table]) -> None:
        """One sheet per sheet name; tables of one sheet stand under each other."""
        by_sheet: dict[str, list[Table]] = {}
        for table, (name, _) in zip(tables, self.places, strict=True):
            by_sheet.setdefault(name, []).append(table)
        for name, group in by_sheet.items():
            sheet = self._sheet(name, landscape=True)
            SheetWriter(sheet, self.styles, self.known).write(group)

    def definitions(self) -> None:
        """The sheet 口径: how each statistic is computed, with its source."""
        if not self.known:
            return
        sheet = self._sheet(DEFINITIONS, landscape=True)
        for column, (text, width) in enumerate([("名称", 22), ("口径", 90), ("依据", 40), ("键", 26)]):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, text, self.styles.head_text)
        for row, item in enumerate(self.known.values(), 1):
            for column, text in enumerate((item.name, item.text, item.source, item.key)):
                sheet.write_string(row, column, one_line(text), self.styles.wrapped)
        sheet.freeze_panes(1, 1)
        sheet.repeat_rows(0)

    def _places(self, tables: Sequence[Table]) -> list[tuple[str, int]]:
        """Sheet name and first row (0-based) of each table."""
        names: dict[str, str] = {}
        next_row: dict[str, int] = {}
        places = []
        for position, table in enumerate(tables):
            wanted = table.sheet or f"\0{position}"
            if wanted not in names:
                names[wanted] = sheet_name(table.sheet or table.title or table.key, self.taken)
            name = names[wanted]
            places.append((name, next_row.get(name, 0)))
            next_row[name] = next_row.get(name, 0) + SheetWriter.height(table) + 2
        return places

    def _sheet(self, name: str, *, landscape: bool) -> Any:
        """A new sheet set up for A4: fit to width, heads and page numbers, notice and watermark in the page head."""
        sheet = self.book.add_worksheet(name, worksheet_class=RowSheet)
        sheet.set_paper(9)
        if landscape:
            sheet.set_landscape()
        sheet.set_margins(left=0.5, right=0.5, top=0.8, bottom=0.7)
        sheet.fit_to_pages(1, 0)
        sheet.hide_gridlines(2)
        # & starts a code in page heads; a page head holds 255 characters in all
        notice = self.notice.replace("&", "&&")[:100]
        watermark = self.watermark.replace("&", "&&")[:60]
        sheet.set_header(f"&L{notice}&R{watermark}" if notice or watermark else "")
        sheet.set_footer("&L&A&C— &P —&R共 &N 页")
        return sheet
