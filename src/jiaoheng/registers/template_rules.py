"""Drop-downs, input checks and the notes at heads of a fill-in workbook."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from xlsxwriter.utility import xl_col_to_name

from jiaoheng.registers.model import Field, FieldType, Register
from jiaoheng.registers.template_cells import TEXT
from jiaoheng.registers.template_marks import CHOICE_SHEET
from jiaoheng.registers.validation_checks import CHECKS
from jiaoheng.registers.values import CLEAR_WORD
from jiaoheng.registers.values_numbers import plain

_TITLE, _MESSAGE = 32, 255  # Excel's limits for the words of a check
_SHAPES = {
    FieldType.INTEGER: "整数",
    FieldType.NUMBER: "数字",
    FieldType.BOOLEAN: "“是”或“否”",
    FieldType.DATE: "日期，如 2025-09-01",
    FieldType.DATETIME: "日期和时间（北京时间），如 2025-09-30 23:30",
    FieldType.TIME: "时间，如 08:20",
    FieldType.YEAR: "年份，如 2025",
    FieldType.YEARMONTH: "年月，如 2025-09",
}


class Choices:
    """The hidden sheet of choices: one column a list. A list in the rule itself would be cut at 255 characters."""

    def __init__(self, book: Any) -> None:
        self.sheet = book.add_worksheet(CHOICE_SHEET)
        self.sheet.very_hidden()
        self.text = book.add_format({"num_format": TEXT})
        self.count = 0

    def source(self, words: list[str]) -> str:
        """Write a list and give its range."""
        for row, word in enumerate(words):
            self.sheet.write_string(row, self.count, word, self.text)
        letters = xl_col_to_name(self.count)
        self.count += 1
        return f"='{CHOICE_SHEET}'!${letters}$1:${letters}${max(1, len(words))}"


def wanted(one: Field, register: Register, at: dt.date) -> str:
    """What to fill in, in one sentence: the form, bounds, choices, unit of measure."""
    parts: list[str] = []
    table = register.codes_of(one)
    if table is not None:
        labels = list(table.valid(at).values())
        shown = "、".join(labels[:20]) + (f" 等 {len(labels)} 项" if len(labels) > 20 else "")
        parts.append(f"{'可填多项，用顿号隔开' if one.type is FieldType.ARRAY else '从列表中选一项'}：{shown}")
    elif one.check in CHECKS:
        parts.append(CHECKS[one.check].title)
    elif one.type in _SHAPES:
        parts.append(_SHAPES[one.type])
    if one.decimals is not None and one.type is FieldType.NUMBER:
        parts.append(f"最多 {one.decimals} 位小数")
    if one.minimum is not None or one.maximum is not None:
        parts.append(_bounds(one))
    if one.min_length is not None or one.max_length is not None:
        least, most = one.min_length, one.max_length
        if least == most:
            parts.append(f"{most} 个字")
        else:
            parts.append((f"最少 {least} 个字 " if least else "") + (f"最多 {most} 个字" if most is not None else ""))
    if one.pattern_words:
        parts.append(one.pattern_words)
    if one.unit:
        parts.append(f"单位：{one.unit}")
    return "；".join(part.strip() for part in parts if part.strip())


def _bounds(one: Field) -> str:
    low, high = _shown(one.minimum), _shown(one.maximum)
    if low and high:
        return f"{low} 至 {high}"
    return f"不小于 {low}" if low else f"不大于 {high}"


def _shown(bound: Decimal | dt.date | None) -> str:
    if bound is None:
        return ""
    return plain(bound) if isinstance(bound, Decimal) else bound.isoformat()


def note(one: Field, register: Register, at: dt.date) -> str:
    """The note at a head: why we ask, what to fill in, whether it may stay blank."""
    lines = [one.help, wanted(one, register, at), "必填" if one.required else "选填；不填的空着，系统里的原值保留"]
    return "\n".join(line for line in lines if line)


def rule(one: Field, register: Register, at: dt.date, cell: str, choices: Choices) -> dict[str, Any] | None:
    """The input check of a column, for its first data cell; None where any text will do.

    The word for clearing passes every check of an optional field.
    """
    words = {"input_title": one.title[:_TITLE], "input_message": wanted(one, register, at)[:_MESSAGE] or "请填写"}
    error = {"error_title": one.title[:_TITLE], "error_message": f"请填：{wanted(one, register, at)}"[:_MESSAGE]}
    listed = _listed(one, register, at)
    if listed:
        if not one.required:
            listed.append(CLEAR_WORD)
        return {"validate": "list", "source": choices.source(listed), **words, **error}
    formula = _formula(one, cell)
    if not formula:
        return {"validate": "any", **words} if one.help or one.type is FieldType.ARRAY else None
    if not one.required:
        formula = f'OR({formula},{cell}="{CLEAR_WORD}")'
    kind = "stop" if one.type in (FieldType.INTEGER, FieldType.NUMBER) else "warning"
    return {"validate": "custom", "value": f"={formula}", "error_type": kind, **words, **error}


def _listed(one: Field, register: Register, at: dt.date) -> list[str]:
    table = register.codes_of(one)
    if one.type is FieldType.BOOLEAN:
        return ["是", "否"]
    if table is None or one.type is FieldType.ARRAY:
        return []
    return list(table.valid(at).values())


def _formula(one: Field, cell: str) -> str:
    if one.type in (FieldType.INTEGER, FieldType.NUMBER):
        parts = [f"ISNUMBER({cell})"]
        if one.type is FieldType.INTEGER:
            parts.append(f"{cell}=INT({cell})")
        if isinstance(one.minimum, Decimal):
            parts.append(f"{cell}>={plain(one.minimum)}")
        if isinstance(one.maximum, Decimal):
            parts.append(f"{cell}<={plain(one.maximum)}")
        return f"AND({','.join(parts)})"
    if one.type is FieldType.DATE:
        parts = [f"ISNUMBER({cell})"]
        for bound, sign in ((one.minimum, ">="), (one.maximum, "<=")):
            if isinstance(bound, dt.date):
                parts.append(f"{cell}{sign}DATE({bound.year},{bound.month},{bound.day})")
        return f"AND({','.join(parts)})"
    if one.type is FieldType.STRING and not one.codes:
        if one.check == "id_number":
            return f"OR(LEN({cell})=18,LEN({cell})<12)"
        if one.min_length is not None or one.max_length is not None:
            return f"AND(LEN({cell})>={one.min_length or 0},LEN({cell})<={one.max_length or 32767})"
    return ""
