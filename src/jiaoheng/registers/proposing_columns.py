"""What one column of a sheet most likely is: by the words of its head and by its cells."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from jiaoheng.registers.model import CodeItem, Field, FieldType, Level, PeriodKind, Register, Sensitive, Wrong
from jiaoheng.registers.validation_checks import faults
from jiaoheng.registers.values import Reader
from jiaoheng.sheets.text import cell_text, is_blank
from jiaoheng.sheets.workbook import Cell

_STAR = re.compile(r"[*＊★]|[(（]必填[)）]")
_UNIT = re.compile(r"[(（]\s*(?:单位[:：])?\s*([^()（）]{1,6})\s*[)）]\s*$")
_UNITS = frozenset(
    [
        "名",
        "人",
        "个",
        "所",
        "台",
        "套",
        "册",
        "本",
        "间",
        "元",
        "万元",
        "㎡",
        "m²",
        "平方米",
        "亩",
        "公里",
        "米",
        "cm",
        "厘米",
        "kg",
        "公斤",
        "%",
        "岁",
        "年",
        "天",
        "课时",
        "节",
        "次",
        "件",
        "辆",
        "班",
        "位",
        "户",
        "分",
        "小时",
        "分钟",
    ]
)
_PROTECTED = (
    (Sensitive.ID_NUMBER, "id_number", re.compile(r"身份证|证件号")),
    (Sensitive.PHONE, "phone", re.compile(r"手机|电话|联系方式")),
    (Sensitive.BANK, "bank_card", re.compile(r"银行卡|银行账|账号|卡号")),
    (Sensitive.ADDRESS, "", re.compile(r"住址|地址|户籍|籍贯所在地|家庭所在")),
    (Sensitive.SPECIAL, "", re.compile(r"残疾|困难|低保|建档立卡|心理|疾病|病史|健康|孤儿|留守|单亲|离异")),
    (Sensitive.NAME, "", re.compile(r"姓名$|(?:学生|家长|监护人|教师|父亲|母亲)(?:名字|姓名)?$")),
)
_NUMBERING = re.compile(r"编号|代码|学号|学籍号|工号|证号|考号|编码|标识码")
_CHECKS = (("pupil_number", re.compile(r"学籍号")), ("school_code", re.compile(r"学校标识码")))
_YES_NO = re.compile(r"^是否|^有无|是否")
_DAY = re.compile(r"日期$|时间$|出生年月日|生日")
_COUNT = re.compile(r"(?:人|个|台|册|班|间|次|门|套|辆|件|课时|教师|学生)?数$|人数|数量|总数|合计")
_MEASURE = re.compile(r"面积|金额|经费|身高|体重|成绩|分数|得分|均分|率$|比例|占比|价格|单价")
_SHARE = re.compile(r"率$|比例|占比|百分比")
_LONG = re.compile(r"备注|说明|情况|措施|内容|描述|意见")
_MOST_CHOICES = 15
_ROWS_A_CHOICE = 3  # rows that each choice has on average, at least
_ENOUGH = 6  # rows from which a column without a blank counts as required
_EMPTY = Register("x", "x", 1, dt.date(2000, 1, 1), Level.SCHOOL, PeriodKind.NONE, ())


@dataclass(frozen=True, slots=True)
class Guess:
    """A column's field (its name is still empty), its choices, and what helps to find the key."""

    column: int
    field: Field
    items: tuple[CodeItem, ...] = ()
    numbering: bool = False  # its head says that it numbers things
    different: bool = False  # never blank, never twice
    text: bool = False
    notes: list[str] = dataclasses.field(default_factory=list)


def guess_column(column: int, head: str, cells: Sequence[Cell]) -> Guess:
    """The most likely field of a column. `cells`: its data cells, possibly none."""
    title, unit, starred = _split(head)
    filled = [cell for cell in cells if not is_blank(cell)]
    sensitive, check = _protection(title)
    numbering = bool(_NUMBERING.search(title))
    kind = FieldType.STRING if numbering or sensitive else _type(title, unit, filled)
    texts = [cell_text(cell) or "" for cell in filled]
    items = _choices(title, texts) if kind is FieldType.STRING and not numbering and not sensitive else ()
    different = bool(texts) and len(texts) == len(cells) and len(set(texts)) == len(texts)
    notes: list[str] = []
    if sensitive:
        notes.append(f"“{title}”设为敏感列，默认脱敏显示")
    if items:
        shown = "、".join(item.label for item in items[:6])
        notes.append(f"“{title}”只有 {len(items)} 种取值（{shown}{'…' if len(items) > 6 else ''}），设为选项")
    required = starred or (len(cells) >= _ENOUGH and len(filled) == len(cells) and kind is not FieldType.BOOLEAN)
    one = Field(
        name="",
        type=kind,
        title=title,
        unit=unit or ("%" if kind is FieldType.NUMBER and _SHARE.search(title) and _percent(filled) else ""),
        required=required,
        check=check if kind is FieldType.STRING and _passes(check, texts) else "",
        sensitive=sensitive,
        minimum=_floor(kind, filled),
        decimals=_decimals(kind, filled),
        widget="textarea" if kind is FieldType.STRING and not items and (_LONG.search(title) or _long(texts)) else "",
        filter=bool(items) or kind is FieldType.BOOLEAN,
        identity=sensitive is Sensitive.NAME,
    )
    return Guess(column, one, items, numbering, different, kind is FieldType.STRING and not sensitive, notes)


def _split(head: str) -> tuple[str, str, bool]:
    """Title, unit of measure and whether a star says required: 占地面积（㎡）* → 占地面积, ㎡, yes."""
    text = _STAR.sub("", head).strip()
    match = _UNIT.search(text)
    unit = match[1].strip() if match is not None else ""
    if match is not None and (unit in _UNITS or "单位" in match[0]):
        return text[: match.start()].strip() or text, unit, text != head.strip()
    return text, "", text != head.strip()


def _protection(title: str) -> tuple[Sensitive, str]:
    check = next((name for name, pattern in _CHECKS if pattern.search(title)), "")
    if check:
        return Sensitive.NONE, check
    for kind, name, pattern in _PROTECTED:
        if pattern.search(title):
            counted = _COUNT.search(title) or re.search(r"率$|比例", title)
            return (Sensitive.NONE, "") if counted else (kind, name)
    return Sensitive.NONE, ""


def _type(title: str, unit: str, filled: Sequence[Cell]) -> FieldType:
    """By the cells where there are some, else by the head."""
    if not filled:
        return _type_of_head(title, unit)
    for kind in (FieldType.BOOLEAN, FieldType.INTEGER, FieldType.NUMBER, FieldType.DATETIME, FieldType.DATE):
        if _fits(kind, title, filled):
            return kind
    for kind in (FieldType.TIME, FieldType.YEARMONTH):
        if _reads(kind, filled) and not all(isinstance(cell, (int, float)) for cell in filled):
            return kind
    return FieldType.STRING


def _type_of_head(title: str, unit: str) -> FieldType:
    if _YES_NO.search(title):
        return FieldType.BOOLEAN
    if _DAY.search(title):
        return FieldType.DATE
    if _MEASURE.search(title) or unit in ("元", "万元", "㎡", "m²", "平方米", "%"):
        return FieldType.NUMBER
    if _COUNT.search(title) or unit:
        return FieldType.INTEGER
    return FieldType.STRING


def _fits(kind: FieldType, title: str, filled: Sequence[Cell]) -> bool:
    if kind is FieldType.BOOLEAN:
        words = {cell_text(cell) for cell in filled}
        return words <= {"是", "否", "√", "×", "有", "无", "TRUE", "FALSE"} and bool(
            words & {"是", "√", "TRUE"} or _YES_NO.search(title)
        )
    if kind is FieldType.INTEGER and _years(title, filled):
        return False
    if kind is FieldType.DATETIME:
        times = [cell for cell in filled if isinstance(cell, dt.datetime) and cell.time() != dt.time()]
        return len(times) * 2 > len(filled) and _reads(kind, filled)
    return _reads(kind, filled)


def _years(title: str, filled: Sequence[Cell]) -> bool:
    return bool(re.search(r"年份|年度|学年$|年$", title)) and _reads(FieldType.YEAR, filled)


def _reads(kind: FieldType, filled: Sequence[Cell]) -> bool:
    """Whether (nearly) every cell reads as the type: one in twenty may be a slip."""
    reader = Reader(Field("x", kind, "x"), _EMPTY, dt.date(2000, 1, 1))
    results: list[Any] = [reader.read(cell) for cell in filled[:500]]
    bad = sum(isinstance(result, Wrong) for result in results)
    return bad * 20 <= len(results) and bad < len(results)


def _choices(title: str, texts: Sequence[str]) -> tuple[CodeItem, ...]:
    """Few different short texts, each often: a code table in the order of frequency."""
    counts = Counter(text for text in texts if text)
    if not 2 <= len(counts) <= _MOST_CHOICES or len(texts) < _ROWS_A_CHOICE * len(counts):
        return ()
    if max(map(len, counts)) > 16 or _LONG.search(title):
        return ()
    width = len(str(len(counts)))
    ordered = [text for text, _ in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))]
    return tuple(CodeItem(str(number).zfill(width), label) for number, label in enumerate(ordered, 1))


def _passes(check: str, texts: Sequence[str]) -> bool:
    """A check is proposed where most of what is there passes it."""
    if not check or not texts:
        return bool(check)
    return len(faults(check, list(set(texts)), dt.date(2100, 1, 1))) * 5 <= len(set(texts))


def _floor(kind: FieldType, filled: Sequence[Cell]) -> Decimal | None:
    if kind not in (FieldType.INTEGER, FieldType.NUMBER):
        return None
    numbers = [cell for cell in filled if isinstance(cell, (int, float)) and not isinstance(cell, bool)]
    return Decimal(0) if all(number >= 0 for number in numbers) else None


def _decimals(kind: FieldType, filled: Sequence[Cell]) -> int | None:
    """The most decimals seen, where they are few: 2 at least, so that a rarer 0.05 is not refused."""
    if kind is not FieldType.NUMBER or not filled:
        return None
    most = max((len(repr(cell).partition(".")[2]) for cell in filled if isinstance(cell, float)), default=0)
    return max(2, most) if most <= 4 else None


def _percent(filled: Sequence[Cell]) -> bool:
    """Shares given as 95.5 or 95.5 %, not as 0.955."""
    numbers = [cell for cell in filled if isinstance(cell, (int, float)) and not isinstance(cell, bool)]
    return not numbers or max(numbers) > 1.5


def _long(texts: Sequence[str]) -> bool:
    return bool(texts) and sorted(map(len, texts))[len(texts) * 9 // 10] > 40
