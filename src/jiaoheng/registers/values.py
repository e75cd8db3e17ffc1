"""One cell or one typed text → the stored value of a field, or what is wrong with it; and stored values printed.

A `Reader` is made once a field and day; `read` gives the value, None where the cell is blank, `CLEARED`, `MASKED`, or
a `Wrong`. Numbers are exact decimals throughout: a float cell counts by its shortest decimal text.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from typing import Final

from jiaoheng.documents import safe_text
from jiaoheng.registers.masking import looks_masked
from jiaoheng.registers.model import CodeTable, Field, FieldType, Register, Value, Wrong
from jiaoheng.registers.values_codes import CodeReader
from jiaoheng.registers.values_numbers import exact, plain, read_decimal
from jiaoheng.registers.values_times import read_date, read_datetime, read_month, read_time, read_year, shown_datetime
from jiaoheng.sheets.text import clean, is_blank, number_text
from jiaoheng.sheets.workbook import Cell


class Special(Enum):
    """What a cell may say instead of a value."""

    CLEARED = "cleared"
    MASKED = "masked"


CLEARED: Final = Special.CLEARED
MASKED: Final = Special.MASKED
CLEAR_WORD = "清空"  # empties a value; a blank cell keeps it
NOT_CALCULATED = "\0formula"  # stands for a formula cell that has no stored result
_ERROR = re.compile(r"#(?:N/A|REF!|DIV/0!|VALUE!|NAME\?|NUM!|NULL!|SPILL!|CALC!|GETTING_DATA|#+)", re.IGNORECASE)
_NOTHING = frozenset({"—", "——"})  # how our exports show that there is no such value
_CLEAR_FORMS = frozenset({CLEAR_WORD, f"「{CLEAR_WORD}」", f"【{CLEAR_WORD}】", f"“{CLEAR_WORD}”"})

Read = Value | None | Special | Wrong

MOST_EXACT = 10**15  # a number cell of 16 digits and more has lost its last ones
_TRUE = frozenset({"是", "√", "✓", "✔", "☑", "有", "对", "y", "yes", "true", "t", "1", "真", "已"})
_FALSE = frozenset({"否", "×", "✗", "✘", "x", "无", "错", "n", "no", "false", "f", "0", "假", "未", "☐"})
_QUOTED_NUMBER = re.compile(r"^['’‘`]+(?=\d)")
_BLANKS = re.compile(r"\s+")
_ARRAY_SPLIT = re.compile(r"[、，,;；|\n]+")
_IDS = frozenset(
    {"id_number", "school_code", "unit_code", "phone", "mobile", "pupil_number", "bank_card", "credit_code"}
)

# a member's name is looked up slowly, and these are asked for at each cell
_STRING, _ARRAY, _DATETIME = FieldType.STRING, FieldType.ARRAY, FieldType.DATETIME


class Reader:
    """Reads the cells of one field on one day (the day decides which codes hold)."""

    def __init__(self, one: Field, register: Register, at: dt.date) -> None:
        self.field = one
        table = register.codes_of(one)
        self.codes = CodeReader(one, table, at) if table is not None else None
        self.sensitive = bool(one.sensitive)
        self._read: Callable[[Cell], Read] = {
            FieldType.STRING: self._string,
            FieldType.INTEGER: self._integer,
            FieldType.NUMBER: self._number,
            FieldType.BOOLEAN: self._boolean,
            FieldType.DATE: lambda cell: read_date(cell, self.field),
            FieldType.DATETIME: lambda cell: read_datetime(cell, self.field),
            FieldType.TIME: lambda cell: read_time(cell, self.field),
            FieldType.YEAR: lambda cell: read_year(cell, self.field),
            FieldType.YEARMONTH: lambda cell: read_month(cell, self.field),
            FieldType.ARRAY: self._array,
            FieldType.FILE: lambda cell: None,  # attachments come by their own door
        }[one.type]

    def read(self, cell: Cell, digits: int = 0) -> Read:
        """The meaning of a cell. `digits`: how many digits its number format pads to (leading zeros), 0: none."""
        if cell is None:
            return None
        if isinstance(cell, str):
            if is_blank(cell) or cell.strip() in _NOTHING:
                return None
            if cell.strip() in _CLEAR_FORMS:
                return CLEARED
            if cell.startswith(("#", NOT_CALCULATED)) and (broken := _broken_cell(cell, self.field)) is not None:
                return broken
            if self.sensitive and looks_masked(cell):
                return MASKED
        elif digits and isinstance(cell, (int, float)) and cell == int(cell):
            cell = str(int(cell)).zfill(digits)
        if self.codes is not None and self.field.type is not _ARRAY:
            return self._code(cell)
        return self._read(cell)

    def _code(self, cell: Cell) -> Read:
        assert self.codes is not None  # noqa: S101 (for the type checker)
        found = self.codes.read(cell)
        if isinstance(found, Wrong) or self.field.type is _STRING:
            return found
        return self._read(found)

    def _string(self, cell: Cell) -> Read:
        if isinstance(cell, bool):
            return "是" if cell else "否"
        if isinstance(cell, (int, float)):
            if abs(cell) >= MOST_EXACT:
                return lost(self.field, cell)
            return number_text(cell)
        if isinstance(cell, dt.datetime):
            return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(" ", "seconds")
        if isinstance(cell, (dt.date, dt.time)):
            return cell.isoformat()
        return canonical_text(str(cell), self.field) or None

    def _integer(self, cell: Cell) -> Read:
        found = read_decimal(cell, self.field)
        if isinstance(found, Wrong):
            return found
        if found != found.to_integral_value():
            return Wrong("not-whole", self.field.name, f"“{shown_cell(cell)}”不是整数", "请填整数")
        return int(found)

    def _number(self, cell: Cell) -> Read:
        found = read_decimal(cell, self.field)
        if isinstance(found, Wrong):
            return found
        limit = self.field.decimals
        if limit is not None and found != round(found, limit):
            told = f"“{plain(found)}”的小数多于 {limit} 位" if limit else f"“{plain(found)}”不是整数"
            return Wrong("too-many-decimals", self.field.name, told, f"请保留 {limit} 位小数" if limit else "请填整数")
        return plain(found)

    def _boolean(self, cell: Cell) -> Read:
        if isinstance(cell, bool):
            return cell
        word = unicodedata.normalize("NFKC", shown_cell(cell)).strip().lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
        return Wrong("not-yes-or-no", self.field.name, f"“{shown_cell(cell)}”不是“是”或“否”", "请填“是”或“否”")

    def _array(self, cell: Cell) -> Read:
        text = safe_text.clean(cell if isinstance(cell, str) else shown_cell(cell)).strip()
        parts = [part.strip() for part in _ARRAY_SPLIT.split(text) if part.strip()]
        if self.codes is None:
            return list(dict.fromkeys(parts)) or None
        whole = self.codes.find(text)
        if whole is not None:
            return self.codes.ordered([whole]) if not isinstance(whole, Wrong) else whole
        found: list[str] = []
        for part in parts:
            code = self.codes.read(part)
            if isinstance(code, Wrong):
                return code
            found.append(code)
        return self.codes.ordered(found) or None


def canonical_text(text: str, one: Field) -> str:
    """A text as it is stored: nothing hidden, trimmed; single line unless the field is a text area.

    Numbers of people and places (fields with such a check) lose every blank and become half-width capitals.
    """
    text = _QUOTED_NUMBER.sub("", text.strip())
    if one.check in _IDS:
        return _BLANKS.sub("", clean(text) or "").upper()
    if one.widget == "textarea":
        return safe_text.clean(text).strip()
    return safe_text.one_line(text)


def _broken_cell(cell: str, one: Field) -> Wrong | None:
    """An error value of a spreadsheet, or a formula that was never calculated."""
    if cell == NOT_CALCULATED:
        told = "公式没有存下计算结果"
        return Wrong("formula-without-value", one.name, told, "请用 Excel 或 WPS 打开后保存，或直接填数值")
    if _ERROR.fullmatch(cell.strip()):
        return Wrong("error-value", one.name, f"单元格是错误值 {cell.strip()}", "请改正公式，或直接填数值")
    return None


def lost(one: Field, cell: Cell) -> Wrong:
    """The refusal of a long number that a number cell has rounded."""
    return Wrong(
        "number-precision-lost",
        one.name,
        f"“{shown_cell(cell)}”是数值单元格，超过 15 位的数字末几位已经丢失",
        "请把该单元格设为文本格式后重新填写",
    )


def parse(cell: Cell, one: Field, register: Register, at: dt.date, digits: int = 0) -> Read:
    """One cell or typed text of a field; for many cells make one `Reader`."""
    return Reader(one, register, at).read(cell, digits)


def shown_cell(cell: Cell) -> str:
    """A cell as a message quotes it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, (int, float)):
        return number_text(cell)
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(" ", "seconds")
    text = str(cell)
    return text if len(text) <= 60 else text[:59] + "…"


def show(value: Value | None, one: Field, register: Register, at: dt.date) -> str:
    """A stored value as people read it: labels of that day, 是/否, Beijing time; "" where there is none.

    Units of measure stand in the head and not here.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    table = register.codes_of(one)
    if isinstance(value, list):
        if one.type is FieldType.FILE:
            return f"附件 {len(value)} 个"
        return "、".join(_label(table, code, at) for code in value)
    if table is not None:
        return _label(table, str(value), at)
    if one.type is _DATETIME:
        return shown_datetime(str(value))
    return str(value)


def show_choice(value: Value | None, one: Field, register: Register, at: dt.date) -> str:
    """As `show`, with the day behind a choice that no longer holds: C（2025-09-01 停用）."""
    table = register.codes_of(one)
    if table is None or value is None or isinstance(value, bool):
        return show(value, one, register, at)
    shown = []
    for code in value if isinstance(value, list) else [str(value)]:
        end = table.ended(code, at)
        shown.append(_label(table, code, at) + (f"（{end.isoformat()} 停用）" if end is not None else ""))
    return "、".join(shown)


def written(value: Value | None, one: Field, register: Register, at: dt.date, reader: Reader | None = None) -> str:
    """A stored value as a text that `parse` reads back to exactly that value: labels where they are unambiguous."""
    text = show(value, one, register, at)
    if value is None or (one.type is not FieldType.ARRAY and not one.codes):
        return text
    back = (reader or Reader(one, register, at)).read(text)
    if back == value or (isinstance(back, Wrong) and back.code == "code-ended"):
        return text
    return "、".join(value) if isinstance(value, list) else str(value)


def exact_number(value: Value) -> Decimal:
    """The number of an integer or number field."""
    return exact(value)


def _label(table: CodeTable | None, code: str, at: dt.date) -> str:
    return code if table is None else table.label(code, at)
