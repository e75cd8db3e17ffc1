"""Records as a workbook or csv that is at once its own import template: imported unchanged, everything is the same.

The workbook begins with a sheet 说明 (filter, as of when, number of rows, who, when); its data sheet carries the same
hidden ids as a template. Nothing in either file is run by a spreadsheet. Rows are streamed.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from jiaoheng.documents.excel_body import BodySheet
from jiaoheng.documents.excel_rows import MOST_TEXT
from jiaoheng.documents.excel_styles import sheet_name
from jiaoheng.documents.safe_text import clean, neutralise, one_line
from jiaoheng.registers.export_rows import ExportNote, ExportRow, carried, export_fields, having, heads_of, parts_of
from jiaoheng.registers.model import CodeTable, Data, Field, Register, Value
from jiaoheng.registers.sealed import Sealed
from jiaoheng.registers.template import FIRST_ROW, HEAD_ROW, ID_ROW, TITLE_ROW, write_meta
from jiaoheng.registers.template_cells import TEXT, Made, cell_maker, column_width, number_format
from jiaoheng.registers.template_marks import (
    META_SHEET,
    NO_SUCH,
    NOTE_SHEET,
    PERIOD,
    PREFIX,
    RECORD,
    SCHEMA,
    TITLES,
    UNIT,
    UNIT_NAME,
    VERSION,
    digest,
    has_periods,
    head,
    register_meta,
)
from jiaoheng.registers.values import CLEAR_WORD, show

MOST_ROWS = 1_048_576 - FIRST_ROW
_EXACT = 10**15  # whole numbers that a sheet holds exactly
_EPOCH = dt.datetime(1899, 12, 30)


class TooManyRowsError(Exception):
    """More rows than a sheet holds: refused with both numbers, never a shorter file."""


class _Plan:
    """What stands in the columns of one export."""

    def __init__(
        self,
        register: Register,
        rows: Sequence[ExportRow],
        at: dt.date,
        versions: Sequence[Register],
        fields: Sequence[str] | None,
        masked: Collection[str],
    ) -> None:
        self.register, self.at = register, at
        schemas = {row.schema or register.version for row in heads_of(rows)}
        self.fields = export_fields(register, versions, schemas, fields)
        self.having = having(register, versions, self.fields)
        self.mixed = schemas - {register.version} != set()
        self.lead = [RECORD, VERSION, UNIT, UNIT_NAME]
        if has_periods(register):
            self.lead.append(PERIOD)
        if self.mixed:
            self.lead.append(SCHEMA)
        home = _home(register, versions)
        self.masked = frozenset(masked)
        self.makers = [cell_maker(one, home(one), at, one.name in self.masked) for one in self.fields]
        self.shown = [self._shower(one, home(one), make) for one, make in zip(self.fields, self.makers, strict=True)]

    def _shower(
        self, one: Field, register: Register, make: Callable[[Value | None], Made]
    ) -> Callable[[Value | None], str]:
        """A field's cells as texts of a csv."""

        def text(value: Value | None) -> str:
            made = make(value)
            if made is None:
                return ""
            return made if isinstance(made, str) else show(value, one, register, self.at)

        return text

    def leading(self, rows: Sequence[ExportRow]) -> list[list[Any]]:
        """The columns before the fields."""
        own = self.register.version
        columns: dict[str, Callable[[ExportRow], str | int]] = {
            RECORD: lambda row: row.record,
            VERSION: lambda row: row.version if row.record else "",
            UNIT: lambda row: row.unit,
            UNIT_NAME: lambda row: row.unit_name,
            PERIOD: lambda row: row.period,
            SCHEMA: lambda row: f"第 {row.schema or own} 版",
        }
        return [list(map(columns[name], rows)) for name in self.lead]

    def data(self, row: ExportRow) -> dict[str, Value]:
        """The row's values under the present names."""
        return carried(row.data, self.register) if row.schema not in (0, self.register.version) else row.data

    def lacking(self, row: ExportRow) -> frozenset[str]:
        """Columns that the row's version does not have and that it was not given afterwards."""
        has = self.having.get(row.schema)
        return frozenset() if has is None else frozenset(one.name for one in self.fields) - has


def _home(register: Register, versions: Sequence[Register]) -> Callable[[Field], Register]:
    """The version of the register that a field's code table belongs to."""

    def find(one: Field) -> Register:
        if not one.codes or one.codes in register.tables:
            return register
        tables: dict[str, CodeTable] = {name: table for v in versions for name, table in v.tables.items()}
        return replace(register, tables=tables)

    return find


def write_xlsx(
    register: Register,
    path: Path,
    rows: Sequence[ExportRow],
    note: ExportNote,
    *,
    at: dt.date,
    versions: Sequence[Register] = (),
    fields: Sequence[str] | None = None,
    masked: Collection[str] = (),
    unit_code: str = "",
    period: str = "",
    more: Callable[[xlsxwriter.Workbook], None] | None = None,
) -> None:
    """Write the records as a workbook.

    at: the day whose labels are shown. versions: all versions of the register that rows may be of. fields: chosen
    columns in order (all unless given). masked: fields shown masked. more: adds further sheets.
    Raises TooManyRowsError, OSError.
    """
    if len(rows) > MOST_ROWS:
        raise TooManyRowsError(
            f"共 {len(rows):,} 行，一张工作表最多 {MOST_ROWS:,} 行。请分单位或分期次导出，或导出 csv"
        )
    plan = _Plan(register, rows, at, versions, fields, masked)
    meta = register_meta(register, kind="export", period=period, unit=unit_code)
    made = digest((row.record, row.version) for row in heads_of(rows))
    meta = replace(meta, made_at=note.made_at, rows=len(rows), digest=made)
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"title": one_line(register.title), "comments": one_line(note.watermark)})
        guide = book.add_worksheet(NOTE_SHEET)
        _guide(book, guide, register, rows, note, plan)
        taken = {NOTE_SHEET, META_SHEET.casefold()}
        sheet = book.add_worksheet(sheet_name(register.title, taken), worksheet_class=BodySheet)
        _heads(book, sheet, register, note, plan)
        _body(book, sheet, rows, plan)
        if more is not None:
            more(book)
        write_meta(book, meta)
        guide.activate()


def _heads(book: Any, sheet: BodySheet, register: Register, note: ExportNote, plan: _Plan) -> None:
    title = book.add_format({"bold": True, "font_size": 14})
    grey = book.add_format({"font_size": 9, "font_color": "#5F6B73"})
    look = {"bold": True, "text_wrap": True, "align": "center", "valign": "vcenter", "border": 1, "bg_color": "#EBEFF0"}
    head_look = book.add_format({**look, "border_color": "#B8C1C6"})
    first = len(plan.lead)
    sheet.write_string(TITLE_ROW, 2, one_line(register.title), title)
    if note.watermark:
        sheet.write_string(TITLE_ROW, min(first + 1, 7), one_line(note.watermark), grey)
    sheet.set_row(ID_ROW, 12, None, {"hidden": True})
    sheet.set_row(HEAD_ROW, 32)
    for column, name in enumerate(plan.lead):
        sheet.write_string(ID_ROW, column, PREFIX + name)
        sheet.write_string(HEAD_ROW, column, TITLES[name], head_look)
    for column, one in enumerate(plan.fields, first):
        sheet.write_string(ID_ROW, column, PREFIX + one.name)
        sheet.write_string(HEAD_ROW, column, one_line(head(one)), head_look)
        sheet.set_column(column, column, column_width(one))
    sheet.set_column(0, 1, 10, None, {"hidden": True})
    sheet.set_column(2, 2, 14)
    sheet.set_column(3, 3, 22)
    sheet.freeze_panes(FIRST_ROW, first)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(HEAD_ROW)
    mark = one_line(note.watermark).replace("&", "&&")[:120]
    sheet.set_header(f"&R{mark}" if mark else "")
    sheet.set_footer("&C第 &P 页，共 &N 页")


_CHUNK = 2_000  # rows made at once, column by column
_MOST_TAILS = 10_000  # different values of a column that are kept


class _Tails(dict[Any, str]):
    """Stored value → the cell's XML after its place; a value that comes again is made once."""

    def __init__(self, sheet: BodySheet, make: Callable[[Any], Made], look: Any) -> None:
        super().__init__()
        self._sheet, self._make = sheet, make
        self._style = f'" s="{look._get_xf_index()}"'

    def of_protected(self, value: Any) -> str:
        """The same for a value that may be sealed: kept by its mask, since hashing it would open every single one."""
        if type(value) is not Sealed:
            return self[tuple(value) if type(value) is list else value]
        shown = str(value)
        found = self.get(shown)
        return found if found is not None else self._tail(shown, value)

    def __missing__(self, value: Any) -> str:
        return self._tail(value, list(value) if isinstance(value, tuple) else value)

    def _tail(self, key: Any, value: Any) -> str:
        made = self._make(value)
        if made is None or made == "":
            tail = f"{self._style}/>"
        elif isinstance(made, str) and len(self) >= _MOST_TAILS and made.isalnum() and len(made) <= MOST_TEXT:
            # in a column of names or numbers nearly each text is its own: sharing them would only cost
            tail = f'{self._style} t="inlineStr"><is><t>{made}</t></is></c>'
        elif isinstance(made, str):
            index = self._sheet.str_table._get_shared_string_index(clean(made)[:MOST_TEXT])
            tail = f'{self._style} t="s"><v>{index}</v></c>'
        elif type(made) is int and -_EXACT < made < _EXACT:
            tail = f"{self._style}><v>{made}</v></c>"
        else:
            tail = f"{self._style}><v>{_serial(made):.16G}</v></c>"
        if len(self) < _MOST_TAILS:
            self[key] = tail
        return tail


def _body(book: Any, sheet: BodySheet, rows: Sequence[ExportRow], plan: _Plan) -> None:
    text = book.add_format({"num_format": TEXT})
    leads = [_Tails(sheet, lambda made: made, text) for _ in plan.lead]
    tails = [
        _Tails(sheet, make, book.add_format({"num_format": number_format(one)}))
        for one, make in zip(plan.fields, plan.makers, strict=True)
    ]
    no_such = _Tails(sheet, lambda made: made, text)[NO_SUCH]
    letters = [xl_col_to_name(column) for column in range(len(leads) + len(tails))]
    first = FIRST_ROW
    for part in parts_of(rows, _CHUNK):
        numbers = [str(number) for number in range(first + 1, first + 1 + len(part))]
        made = [list(map(tail.__getitem__, values)) for tail, values in zip(leads, plan.leading(part), strict=True)]
        data = [plan.data(row) for row in part]
        made += [
            [tail.of_protected(one_row.get(one.name)) for one_row in data]
            if one.sensitive
            else [
                tail[tuple(value) if type(value) is list else value]
                for value in [one_row.get(one.name) for one_row in data]
            ]
            for one, tail in zip(plan.fields, tails, strict=True)
        ]
        if plan.mixed:
            _no_such(plan, part, data, made, len(leads), no_such)
        cells = [
            [f'<c r="{letter}{number}{tail}' for number, tail in zip(numbers, column, strict=True)]
            for letter, column in zip(letters, made, strict=True)
        ]
        sheet.put_rows(first, len(letters), map("".join, zip(*cells, strict=True)))
        first += len(part)


def _no_such(
    plan: _Plan, part: Sequence[ExportRow], data: Sequence[Data], made: list[list[str]], first: int, no_such: str
) -> None:
    """Show where a record's version has no such column (and it was not given a value afterwards)."""
    for number, row in enumerate(part):
        lacking = plan.lacking(row)
        for column, one in enumerate(plan.fields, first):
            if one.name in lacking and one.name not in data[number]:
                made[column][number] = no_such


def _serial(made: float | dt.date) -> float:
    if not isinstance(made, dt.date):
        return made
    moment = made if isinstance(made, dt.datetime) else dt.datetime(made.year, made.month, made.day)
    return (moment - _EPOCH) / dt.timedelta(days=1)


def _guide(book: Any, sheet: Any, register: Register, rows: Sequence[ExportRow], note: ExportNote, plan: _Plan) -> None:
    """The first sheet: what was chosen, as of when, how many rows, who made it and when."""
    label = book.add_format({"bold": True, "valign": "top"})
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 14)
    sheet.set_column(1, 1, 80)
    sheet.write_string(0, 0, one_line(register.title), book.add_format({"bold": True, "font_size": 14}))
    masked = "、".join(one.title for one in plan.fields if one.name in plan.masked)
    facts = [
        ("表样", f"第 {register.version} 版，{register.effective_from.isoformat()} 起用"),
        ("筛选", note.filter or "无"),
        ("截至", note.as_of or "现在"),
        ("行数", f"{len(rows)}"),
        ("列", "、".join(one.title for one in plan.fields)),
        ("导出人", note.made_by),
        ("导出时间", note.made_at),
        ("水印", note.watermark),
        ("脱敏列", masked),
        (
            "再次导入",
            f"本表可改后再导入：空着的不改动原值，写「{CLEAR_WORD}」的清空；没有的行和列不受影响；脱敏列不读取。",
        ),
    ]
    for row, (word, text) in enumerate([one for one in facts if one[1]], 2):
        sheet.write_string(row, 0, word, label)
        sheet.write_string(row, 1, one_line(text), wrap)


def write_csv(
    register: Register,
    path: Path,
    rows: Sequence[ExportRow],
    *,
    at: dt.date,
    versions: Sequence[Register] = (),
    fields: Sequence[str] | None = None,
    masked: Collection[str] = (),
) -> None:
    """Write the records as UTF-8 csv with BOM and CRLF: the same columns, heads in the first line.

    A text that a spreadsheet would run gets a leading apostrophe, taken off on import. Parameters as `write_xlsx`.
    """
    plan = _Plan(register, rows, at, versions, fields, masked)
    heads = [*(TITLES[name] for name in plan.lead), *(head(one) for one in plan.fields)]
    with Path(path).open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([neutralise(one_line(text)) for text in heads])
        for part in parts_of(rows, _CHUNK):
            leads = zip(*plan.leading(part), strict=True)
            writer.writerows(_csv_row(plan, row, lead) for row, lead in zip(part, leads, strict=True))


def _csv_row(plan: _Plan, row: ExportRow, lead: Sequence[str | int]) -> list[str]:
    data, lacking = plan.data(row), plan.lacking(row)
    cells = [neutralise(str(cell)) for cell in lead]
    for one, text in zip(plan.fields, plan.shown, strict=True):
        value = data.get(one.name)
        if value is None:
            cells.append(NO_SUCH if one.name in lacking else "")
        elif isinstance(value, int) or one.type.value in ("integer", "number"):
            cells.append(text(value))  # a negative number is no formula
        else:
            cells.append(neutralise(text(value)))
    return cells
