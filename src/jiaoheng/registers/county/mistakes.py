"""Typical slips of a clerk who fills in the form of school conditions in Excel: for the journey, the guide and tests."""

from __future__ import annotations

from collections.abc import Mapping

from jiaoheng.registers.county.model import Mistake, PeriodKey
from jiaoheng.registers.model import Data


def typical_mistakes(unit: str, period: PeriodKey, right: Mapping[str, object]) -> list[Mistake]:
    """Slips in one form; `right` is the row as it should be. Each kind occurs once."""
    number = str(right["teachers"])
    slips = [
        ("teachers", f"约{number}", "words", "写了“约”字，不是一个数"),
        ("equipment_value", str(round(float(str(right["equipment_value"])) * 10000)), "unit", "单位是万元，填成了元"),
        ("books", _wide(str(right["books"])), "digits", "用了全角数字，能读懂，不用改"),
        ("full_time_teachers", str(int(number) + 3), "total", "专任教师多于教师数"),
        ("music_rooms", "", "blank", "必填的格子空着"),
        ("network", "千兆光钎", "choice", "选项写错一个字"),
        ("sports_area", f"{right['sports_area']}平方米", "words", "数后面带了单位"),
        ("pupils", _swapped(str(right["pupils"])), "swapped", "前两位写反了，与去年相差太大"),
        ("indoor_sports_area", "无", "words", "没有应填 0"),
    ]
    return [
        Mistake(unit, "school_conditions", period, field, typed, str(right[field]), kind, says)
        for field, typed, kind, says in slips
    ]


def as_typed(right: Data, slips: list[Mistake]) -> dict[str, str]:
    """Field → text as it stands in the clerk's cell."""
    return {name: str(value) for name, value in right.items()} | {one.field: one.typed for one in slips}


def _wide(text: str) -> str:
    return "".join(chr(ord(sign) + 0xFEE0) if sign.isdigit() else sign for sign in text)


def _swapped(text: str) -> str:
    """The first two digits the other way round; where they are alike, a digit more."""
    return text[1] + text[0] + text[2:] if len(text) > 1 and text[0] != text[1] and text[1] != "0" else text + "0"
