"""Numbers as people write them in a cell → exact decimals."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from decimal import Decimal

from jiaoheng.registers.model import Field, Value, Wrong
from jiaoheng.sheets.text import number_text
from jiaoheng.sheets.workbook import Cell

_NUMBER = re.compile(r"([+-]?)(\d+|\d{1,3}(?:,\d{3})+)?(?:\.(\d*))?(?:e([+-]?\d{1,2}))?")
_DASHES = str.maketrans({"−": "-", "﹣": "-", "－": "-", "‐": "-", "‑": "-", "，": ",", "。": "."})
_SPACES = re.compile(r"\s+")
# Words that stand behind a number and say only what is counted; a multiple (万, 亿, 千) changes the number and is none.
UNITS = (
    "平方米", "立方米", "公里", "千米", "人次", "小时", "分钟", "课时", "学时", "㎡", "m2", "m²", "元", "名", "人", "个", "所",
    "台", "册", "本", "间", "班", "岁", "米", "天", "日", "周", "次", "件", "套", "项", "辆", "张", "条", "处", "节", "分", "户", "位", "kg", "cm", "km",
)  # fmt: skip


def exact(value: Value) -> Decimal:
    """A stored integer or number as decimal."""
    return Decimal(value) if isinstance(value, (int, str)) else Decimal(0)


def plain(number: Decimal) -> str:
    """The canonical text of a decimal: no exponent, no needless zeros, no minus before zero."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def grouped(number: Decimal) -> str:
    """`plain` with a comma every three digits, as people read it."""
    return f"{Decimal(plain(number)):,}"


def from_float(number: float) -> Decimal:
    """A number cell as typed: its shortest decimal; digits beyond the fifteenth are binary noise, not the user's."""
    text = repr(number)
    return Decimal(text) if len(text) <= 16 else Decimal(f"{number:.15g}")


def read_decimal(cell: Cell, one: Field) -> Decimal | Wrong:
    """The exact number of a cell: thousands, full-width digits, the unit of measure and % behind it are understood."""
    if isinstance(cell, (bool, dt.date, dt.time, dt.timedelta)):
        shown = ("TRUE" if cell else "FALSE") if isinstance(cell, bool) else str(cell)
        return _wrong(one, shown)
    if isinstance(cell, int):
        return Decimal(cell)
    if isinstance(cell, float):
        if cell != cell or abs(cell) == float("inf"):
            return _wrong(one, str(cell))
        if abs(cell) >= 10**15:
            told = f"“{number_text(cell)}”是数值单元格，超过 15 位的数字末几位已经丢失"
            return Wrong("number-precision-lost", one.name, told, "请把该单元格设为文本格式后重新填写")
        return from_float(cell)
    original = str(cell)
    text = _SPACES.sub("", unicodedata.normalize("NFKC", original.translate(_DASHES))).lower().lstrip("'’‘`")
    percent = text.endswith("%")
    text = _without_unit(text.removesuffix("%"), one)
    match = _NUMBER.fullmatch(text)
    if match is None or not (match[2] or match[3]) or (" " in original.strip() and _broken(original)):
        return _wrong(one, original)
    number = Decimal(f"{match[1]}{(match[2] or '0').replace(',', '')}.{match[3] or '0'}e{match[4] or 0}")
    if percent and unicodedata.normalize("NFKC", one.unit) != "%":
        return number / 100
    return number


def _without_unit(text: str, one: Field) -> str:
    for unit in (unicodedata.normalize("NFKC", one.unit).lower(), *UNITS):
        if unit and text.endswith(unicodedata.normalize("NFKC", unit)):
            return text[: -len(unicodedata.normalize("NFKC", unit))]
    return text


def _broken(original: str) -> bool:
    """Blanks between two digits: `12 34` is not one number unless they part thousands."""
    folded = unicodedata.normalize("NFKC", original)
    return bool(re.search(r"\d\s+\d", folded)) and not re.fullmatch(r"\s*[+-]?\d{1,3}(\s\d{3})+(\.\d+)?\D*", folded)


def _wrong(one: Field, shown: str) -> Wrong:
    shown = shown if len(shown) <= 60 else shown[:59] + "…"
    unit = f"（单位：{one.unit}）" if one.unit else ""
    return Wrong("not-a-number", one.name, f"“{shown}”不是数字", f"请只填数字{unit}")
