"""Registers, rows and workbooks for the tests of the Excel side."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl

from jiaoheng.registers.differences import Current
from jiaoheng.registers.judging import Judged, Scope, judge
from jiaoheng.registers.model import CodeItem, CodeTable, Field, FieldType, Level, PeriodKind, Register, Sensitive
from jiaoheng.registers.workbook_reading import Filled, Known, read_workbook

AT = dt.date(2025, 10, 1)
NATION = CodeTable(
    "nation",
    "民族",
    (CodeItem("01", "汉族"), CodeItem("02", "蒙古族"), CodeItem("03", "回族"), CodeItem("10", "朝鲜族")),
)
GRADE = CodeTable(
    "grade",
    "等级",
    (
        CodeItem("A", "甲级"),
        CodeItem("B", "乙级", until=dt.date(2025, 9, 1)),
        CodeItem("B", "良好", from_=dt.date(2025, 9, 1)),
        CodeItem("C", "C", until=dt.date(2025, 9, 1)),
        CodeItem("D", "丁级"),
    ),
)
LEVELS = CodeTable("levels", "优良差", (CodeItem("1", "优"), CodeItem("2", "良"), CodeItem("3", "差")))
TABLES = {table.name: table for table in (NATION, GRADE, LEVELS)}


def register(*fields: Field, key: Sequence[str] = (), **more: Any) -> Register:
    """A school register with a term period."""
    facts: dict[str, Any] = {
        "name": "school_rooms",
        "title": "学校用房台账",
        "version": 1,
        "effective_from": dt.date(2025, 3, 1),
        "level": Level.SCHOOL,
        "period": PeriodKind.NONE,
        "tables": TABLES,
    }
    return Register(fields=tuple(fields), key=tuple(key), **{**facts, **more})


def people() -> Register:
    """A roster with every kind of field."""
    return register(
        Field("number", FieldType.STRING, "编号", required=True),
        Field("name", FieldType.STRING, "姓名", required=True, sensitive=Sensitive.NAME),
        Field("id_card", FieldType.STRING, "身份证号", check="id_number", sensitive=Sensitive.ID_NUMBER),
        Field("nation", FieldType.STRING, "民族", codes="nation"),
        Field("skills", FieldType.ARRAY, "任教学段", codes="nation"),
        Field("rate", FieldType.NUMBER, "出勤率", unit="%", minimum=Decimal(0), maximum=Decimal(100), decimals=2),
        Field("rooms", FieldType.INTEGER, "教室数", unit="间", minimum=Decimal(0)),
        Field("lodging", FieldType.BOOLEAN, "是否寄宿"),
        Field("born", FieldType.DATE, "出生日期"),
        Field("seen", FieldType.DATETIME, "检查时间"),
        Field("start", FieldType.TIME, "到校时间"),
        Field("year", FieldType.YEAR, "建校年份"),
        Field("month", FieldType.YEARMONTH, "入职年月"),
        Field("remark", FieldType.STRING, "备注", widget="textarea"),
        key=("number",),
        name="people",
        title="人员名册",
    )


def sheets(path: Path, tables: Mapping[str, Sequence[Sequence[Any]]]) -> Path:
    """A plain workbook made by hand."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in tables.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append([None if cell == "" else cell for cell in row])
    book.save(path)
    return path


def edit(path: Path, change: Any, out: Path | None = None) -> Path:
    """Open a workbook as a person would, let `change(book)` work on it, save it."""
    book = openpyxl.load_workbook(path)
    change(book)
    book.save(out or path)
    return out or path


def data_sheet(book: Any) -> Any:
    """The sheet with the hidden ids."""
    for sheet in book.worksheets:
        if any(isinstance(cell.value, str) and cell.value.startswith("jh:") for cell in sheet[2]):
            return sheet
    raise AssertionError("no data sheet")


def column(sheet: Any, name: str) -> int:
    """1-based column of a field."""
    return next(cell.column for cell in sheet[2] if cell.value == f"jh:{name}")


def read(path: Path, one: Register, **known: Any) -> Filled:
    """Read and understand."""
    return read_workbook(path, one, Known(**known))


def judged(path: Path, one: Register, current: Sequence[Current] = (), at: dt.date = AT, **scope: Any) -> Judged:
    """The whole check of one file; one unit U1 unless said otherwise."""
    known = {name: scope.pop(name) for name in ("versions", "titles", "answers") if name in scope}
    previous = scope.pop("previous", None)
    facts = {"units": {"U1": "东镇中心小学"}, "unit": "U1", **scope}
    filled = read_workbook(path, one, Known(units=facts["units"], **known))
    return judge(filled, at=at, scope=Scope(**facts), current=current, previous=previous)
