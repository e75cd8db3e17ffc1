"""How a field's column looks in our workbooks, and a stored value as the cell that reads back to exactly it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

from jiaoheng.documents.safe_text import clean
from jiaoheng.documents.widths import text_width
from jiaoheng.registers.masking import mask_field
from jiaoheng.registers.model import Field, FieldType, Register, Value
from jiaoheng.registers.template_marks import head
from jiaoheng.registers.values import Reader, show, written
from jiaoheng.registers.values_times import local_moment

DATE, MOMENT, TEXT, WHOLE, PLAIN = "yyyy-mm-dd", "yyyy-mm-dd hh:mm", "@", "0", "General"
_FIRST_DATE = dt.date(1900, 3, 1)  # spreadsheets believe in a 29th of February 1900
_MOST_DIGITS = 15  # a number cell holds no more
Made = None | str | float | int | dt.date | dt.datetime
_WIDTHS = {
    FieldType.INTEGER: 10,
    FieldType.NUMBER: 11,
    FieldType.BOOLEAN: 8,
    FieldType.DATE: 12,
    FieldType.DATETIME: 17,
    FieldType.TIME: 9,
    FieldType.YEAR: 8,
    FieldType.YEARMONTH: 10,
}


def number_format(one: Field) -> str:
    """Excel's format of a column; texts for everything that must not be taken for a number."""
    if one.codes:
        return TEXT
    return {
        FieldType.INTEGER: WHOLE,
        FieldType.NUMBER: PLAIN,
        FieldType.DATE: DATE,
        FieldType.DATETIME: MOMENT,
    }.get(one.type, TEXT)


def column_width(one: Field) -> int:
    """Width in characters: the field's own, else by type, never less than the head in two lines."""
    if one.width:
        return one.width
    width = _WIDTHS.get(one.type, 16)
    if one.check in ("id_number", "pupil_number", "bank_card"):
        width = 22
    if one.widget == "textarea":
        width = 36
    return max(width, min(24, text_width(head(one)) // 2 + 3))


def cell_maker(one: Field, register: Register, at: dt.date, masked: bool = False) -> Callable[[Value | None], Made]:
    """Stored value → cell of a workbook. Different values are made once; `masked`: only the mask is shown."""
    if masked:
        return lambda value: mask_field(value, one) or None
    if one.codes and register.codes_of(one) is not None:
        return _choices(one, register, at)
    special: dict[FieldType, Callable[[Value], Made]] = {
        FieldType.INTEGER: lambda value: number(str(value)),
        FieldType.NUMBER: lambda value: number(str(value)),
        FieldType.DATE: lambda value: _date(str(value)),
        FieldType.DATETIME: lambda value: _moment(str(value), one, register, at),
    }
    make = special.get(one.type)
    if make is not None:
        made = make
        return lambda value: None if value is None else made(value)
    if one.type in (FieldType.STRING, FieldType.TIME, FieldType.YEAR, FieldType.YEARMONTH):
        return lambda value: None if value is None else clean(str(value))
    return lambda value: show(value, one, register, at) or None


def _choices(one: Field, register: Register, at: dt.date) -> Callable[[Value | None], Made]:
    memo: dict[str, str] = {}
    reader = Reader(one, register, at)

    def make(value: Value | None) -> Made:
        if value is None:
            return None
        key = "\0".join(value) if isinstance(value, list) else str(value)
        if key not in memo:
            memo[key] = written(value, one, register, at, reader)
        return memo[key]

    return make


def number(text: str) -> Made:
    """A canonical number as a number cell where that is exact, else as text."""
    if sum(map(str.isdigit, text)) > _MOST_DIGITS:
        return text
    try:
        found = int(text) if "." not in text else float(text)
    except ValueError:
        return text
    return found if Decimal(repr(found)) == Decimal(text) else text


def _date(text: str) -> Made:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return text
    return day if day >= _FIRST_DATE else text


def _moment(text: str, one: Field, register: Register, at: dt.date) -> Made:
    try:
        moment = local_moment(text)
    except ValueError:
        return text
    if moment.date() < _FIRST_DATE or moment.second:
        return show(text, one, register, at)
    return moment
