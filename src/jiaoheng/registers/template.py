"""The fill-in workbook of a register for a unit and period, with the unit's current rows in it.

Rows of the data sheet: title, column ids (hidden), heads, then data. Record id and version stand in two hidden columns,
so that a row is known again whatever else changes. Heads are locked without a password; everything below is free.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell

from jiaoheng.documents.excel_styles import sheet_name
from jiaoheng.documents.safe_text import one_line
from jiaoheng.registers.model import Data, Field, FieldType, Register
from jiaoheng.registers.template_cells import TEXT, cell_maker, column_width, number_format
from jiaoheng.registers.template_marks import (
    META_SHEET,
    NOTE_SHEET,
    PREFIX,
    RECORD,
    TITLES,
    UNIT,
    UNIT_NAME,
    VERSION,
    Meta,
    digest,
    head,
    meta_rows,
    register_meta,
)
from jiaoheng.registers.template_rules import Choices, note, rule
from jiaoheng.registers.values import CLEAR_WORD

TITLE_ROW, ID_ROW, HEAD_ROW, FIRST_ROW = 0, 1, 2, 3
_SPARE = 2_000  # rows below the filled ones that drop-downs and checks reach
_FONT = "微软雅黑"


@dataclass(frozen=True, slots=True)
class TemplateRow:
    """A current record to be filled in; an empty record id for a row that does not exist yet (last period's, say)."""

    data: Data
    record: str = ""
    version: int = 0
    unit: str = ""
    unit_name: str = ""
    typed: Mapping[str, str] = field(
        default_factory=dict
    )  # field → text of its cell as somebody typed it, right or not


def write_template(
    register: Register,
    path: Path,
    *,
    unit_code: str = "",
    unit_name: str = "",
    period: str = "",
    period_name: str = "",
    rows: Sequence[TemplateRow] = (),
    at: dt.date | None = None,
    deadline: str = "",
    made_at: dt.datetime | None = None,
    units: Mapping[str, str] | None = None,
    masked: Collection[str] = (),
    notes: Sequence[str] = (),
) -> None:
    """Write the workbook to `path`.

    unit_code, unit_name: the unit that fills it in; several units: leave them empty and give `units` (code → name),
    which adds a column 单位代码 with a drop-down. at: the day whose choices are offered (the register's first day unless
    given). period: the code that the file carries back; period_name: what people read for it. masked: fields shown masked (they are not taken when the file comes back). notes: more lines for 说明.
    Raises OSError as it comes.
    """
    day = at or register.effective_from
    meta = register_meta(register, kind="template", made_at=made_at, period=period, unit=unit_code, unit_name=unit_name)
    meta = replace(meta, rows=len(rows), digest=digest((row.record, row.version) for row in rows))
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"title": one_line(register.title)})
        taken = {NOTE_SHEET, META_SHEET.casefold()}
        sheet = book.add_worksheet(sheet_name(register.title, taken))
        guide = book.add_worksheet(NOTE_SHEET)
        write_meta(book, meta)
        choices = Choices(book)
        _Sheet(book, sheet, register, day, frozenset(masked)).write(
            meta, period_name or period, rows, units or {}, choices
        )
        _guide(book, guide, register, meta, period_name or period, deadline, notes, frozenset(masked))
        sheet.activate()


def write_meta(book: Any, meta: Meta) -> None:
    """The hidden sheet that says which register, version, period and unit this is."""
    sheet = book.add_worksheet(META_SHEET)
    sheet.very_hidden()
    for row, (key, value) in enumerate(meta_rows(meta)):
        sheet.write_string(row, 0, key)
        sheet.write_string(row, 1, value)


def filled_fields(register: Register) -> list[Field]:
    """The fields that a workbook can hold: all but attachments."""
    return [one for one in register.fields if one.type is not FieldType.FILE]


class _Sheet:
    """The data sheet while it is written."""

    def __init__(self, book: Any, sheet: Any, register: Register, at: dt.date, masked: frozenset[str]) -> None:
        self.book, self.sheet, self.register, self.at, self.masked = book, sheet, register, at, masked
        self.fields = filled_fields(register)
        self.formats: dict[tuple[str, bool], Any] = {}

    def write(
        self, meta: Meta, period: str, rows: Sequence[TemplateRow], units: Mapping[str, str], choices: Choices
    ) -> None:
        """Everything on the sheet, from the title down."""
        lead = [RECORD, VERSION, *((UNIT, UNIT_NAME) if units else ())]
        self.first = len(lead)
        last = FIRST_ROW + len(rows) + _SPARE
        self._heads(meta, period, lead)
        self._columns(lead)
        self._rows(rows, bool(units))
        if units:
            source = choices.source(list(units))
            words = {"error_title": "单位代码", "error_message": "请从列表中选择单位代码"}
            self.sheet.data_validation(FIRST_ROW, 2, last, 2, {"validate": "list", "source": source, **words})
        self._checks(choices, last)
        self.sheet.freeze_panes(FIRST_ROW, self.first + min(len(self.register.identity_fields), 2))
        self.sheet.autofilter(HEAD_ROW, 0, max(FIRST_ROW, FIRST_ROW + len(rows) - 1), self.first + len(self.fields) - 1)
        self.sheet.protect("", _ALLOWED)
        self.sheet.set_landscape()
        self.sheet.set_paper(9)
        self.sheet.fit_to_pages(1, 0)
        self.sheet.repeat_rows(HEAD_ROW)
        self.sheet.set_footer("&C第 &P 页，共 &N 页")

    def _heads(self, meta: Meta, period: str, lead: Sequence[str]) -> None:
        title = self.book.add_format({"font_name": _FONT, "bold": True, "font_size": 14, "valign": "vcenter"})
        ids = self.book.add_format({"font_size": 8, "font_color": "#8A8F94"})
        look = {
            "font_name": _FONT,
            "bold": True,
            "text_wrap": True,
            "align": "center",
            "valign": "vcenter",
            "border": 1,
        }
        plain_head = self.book.add_format({**look, "bg_color": "#EBEFF0", "border_color": "#B8C1C6"})
        needed_head = self.book.add_format({**look, "bg_color": "#FFF3D6", "border_color": "#B8C1C6"})
        words = [self.register.title, meta.unit_name, period]
        self.sheet.write_string(TITLE_ROW, self.first, one_line("　".join(word for word in words if word)), title)
        self.sheet.set_row(TITLE_ROW, 26)
        self.sheet.set_row(ID_ROW, 12, None, {"hidden": True})
        self.sheet.set_row(HEAD_ROW, 36)
        for column, name in enumerate([*lead, *(one.name for one in self.fields)]):
            self.sheet.write_string(ID_ROW, column, PREFIX + name, ids)
        for column, name in enumerate(lead):
            self.sheet.write_string(HEAD_ROW, column, TITLES[name], plain_head)
        for column, one in enumerate(self.fields, self.first):
            self.sheet.write_string(HEAD_ROW, column, one_line(head(one)), needed_head if one.required else plain_head)
            text = note(one, self.register, self.at)
            self.sheet.write_comment(HEAD_ROW, column, text, {"author": "", "x_scale": 2, "y_scale": 1.4})

    def _columns(self, lead: Sequence[str]) -> None:
        text = self.look(TEXT)
        self.sheet.set_column(0, 1, 10, text, {"hidden": True})
        for column, name in enumerate(lead):
            if name in (UNIT, UNIT_NAME):
                self.sheet.set_column(column, column, 14 if name == UNIT else 22, text)
        for column, one in enumerate(self.fields, self.first):
            self.sheet.set_column(column, column, column_width(one), self.field_look(one))

    def _rows(self, rows: Sequence[TemplateRow], units: bool) -> None:
        makers = [cell_maker(one, self.register, self.at, one.name in self.masked) for one in self.fields]
        looks = [self.field_look(one) for one in self.fields]
        text = self.look(TEXT)
        for number, row in enumerate(rows, FIRST_ROW):
            if row.record:
                self.sheet.write_string(number, 0, row.record, text)
                self.sheet.write_number(number, 1, row.version, text)
            if units:
                self.sheet.write_string(number, 2, row.unit, text)
                self.sheet.write_string(number, 3, row.unit_name, text)
            for column, (one, make, look) in enumerate(zip(self.fields, makers, looks, strict=True), self.first):
                typed = row.typed.get(one.name)
                made = make(row.data.get(one.name)) if typed is None else typed or None
                put(self.sheet, number, column, made, look)

    def _checks(self, choices: Choices, last: int) -> None:
        for column, one in enumerate(self.fields, self.first):
            made = rule(one, self.register, self.at, xl_rowcol_to_cell(FIRST_ROW, column), choices)
            if made is not None and one.name not in self.masked:
                self.sheet.data_validation(FIRST_ROW, column, last, column, made)

    def field_look(self, one: Field) -> Any:
        """The unlocked format of a field's cells."""
        return self.look(number_format(one), wrap=one.widget == "textarea")

    def look(self, number: str, wrap: bool = False) -> Any:
        """An unlocked format."""
        if (number, wrap) not in self.formats:
            self.formats[number, wrap] = self.book.add_format(
                {"num_format": number, "locked": False, "text_wrap": wrap, "valign": "vcenter", "font_name": _FONT}
            )
        return self.formats[number, wrap]


_ALLOWED = {
    "format_cells": True,
    "format_columns": True,
    "format_rows": True,
    "insert_rows": True,
    "delete_rows": True,
    "sort": True,
    "autofilter": True,
}


def put(sheet: Any, row: int, column: int, made: Any, look: Any) -> None:
    """Write one made cell."""
    if made is None:
        return
    if isinstance(made, str):
        sheet.write_string(row, column, made[:32_767], look)
    elif isinstance(made, (dt.date, dt.datetime)):
        sheet.write_datetime(row, column, made, look)
    else:
        sheet.write_number(row, column, made, look)


def _guide(
    book: Any,
    sheet: Any,
    register: Register,
    meta: Meta,
    period: str,
    deadline: str,
    notes: Sequence[str],
    masked: frozenset[str],
) -> None:
    """The sheet 说明: what this is, for whom, until when, and how a cell is cleared."""
    bold = book.add_format({"font_name": _FONT, "bold": True, "font_size": 14})
    label = book.add_format({"font_name": _FONT, "bold": True, "valign": "top"})
    wrap = book.add_format({"font_name": _FONT, "text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 12)
    sheet.set_column(1, 1, 88)
    sheet.hide_gridlines(2)
    sheet.write_string(0, 0, f"{one_line(register.title)}　填写说明", bold)
    facts = [
        ("表样", f"第 {register.version} 版，{register.effective_from.isoformat()} 起用"),
        ("单位", " ".join(word for word in (meta.unit, meta.unit_name) if word) or "见“单位代码”列"),
        ("期次", period),
        ("截止", deadline),
        ("台账", register.description),
        ("依据", register.source),
    ]
    lines = [
        "每行一条。已有的记录已经填好，直接在上面改；新增的记录接着往下填。",
        "标 * 的列必填。鼠标停在表头上可看填写要求。列可以移动、隐藏，行可以排序。",
        f"空着的单元格不改动系统里的原值；要删去原值，请在单元格里写「{CLEAR_WORD}」。",
        "从表中删去一行不会删除系统里的记录。",
        "身份证号、电话、代码按文字填写，开头的 0 会保留。",
        "有下拉列表的请从列表中选；可填多项的用顿号隔开。",
    ]
    if masked:
        titles = "、".join(one.title for one in register.fields if one.name in masked)
        lines.append(f"带 * 号的脱敏内容（{titles}）只供核对，上传时不会读取，原值保留。")
    row = 1
    for word, text in facts:
        if text:
            sheet.write_string(row, 0, word, label)
            sheet.write_string(row, 1, one_line(text), wrap)
            row += 1
    for number, line in enumerate([*lines, *notes], 1):
        sheet.write_string(row + number, 0, f"{number}", label)
        sheet.write_string(row + number, 1, line, wrap)
