"""Numbers as people read them: commas in what is counted or measured, none in years and names made of digits."""

from __future__ import annotations

import datetime as dt

import pytest

from bureau.ledgers.registers_for_tests import ROSTER
from jiaoheng.bureau.ledgers.masking_rules import shown
from jiaoheng.registers.model import Field, FieldType, Value

DAY = dt.date(2026, 9, 1)


@pytest.mark.parametrize(
    ("kind", "unit", "value", "text"),
    [
        (FieldType.INTEGER, "名", 1028, "1,028"),
        (FieldType.INTEGER, "名", 0, "0"),
        (FieldType.INTEGER, "名", 999, "999"),
        (FieldType.NUMBER, "㎡", "1234567.50", "1,234,567.5"),
        (FieldType.NUMBER, "万元", "-1200", "-1,200"),
        (FieldType.NUMBER, "元", "12345678901234.25", "12,345,678,901,234.25"),
        (FieldType.INTEGER, "年", 1997, "1997"),
        (FieldType.INTEGER, "", 2026101, "2026101"),
        (FieldType.STRING, "名", "1028", "1028"),
        (FieldType.INTEGER, "名", None, ""),
    ],
)
def test_a_value_as_people_read_it(kind: FieldType, unit: str, value: Value | None, text: str) -> None:
    assert shown(ROSTER, Field("x", kind, "值", unit=unit), value, DAY) == text
