"""Printing of values: one rule for every form."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiaoheng.documents.model import Dim, Interval, Kind, Missing, Suppressed, Table, TableColumn, Value
from jiaoheng.documents.printing import foot_notes, printed, stored_number


def column(kind: Kind, digits: int = 2, unit: str = "") -> TableColumn:
    return TableColumn("k", "名", kind, digits, unit=unit)


@pytest.mark.parametrize(
    ("value", "kind", "digits", "text"),
    [
        (Fraction(2675, 1000), Kind.NUMBER, 2, "2.68"),
        (2.675, Kind.NUMBER, 2, "2.68"),
        (Fraction(59.5), Kind.NUMBER, 0, "60"),
        (Fraction(-125, 100), Kind.SIGNED, 1, "−1.3"),
        (Fraction(125, 100), Kind.SIGNED, 1, "+1.3"),
        (0, Kind.SIGNED, 1, "0.0"),
        (Fraction(49, 150), Kind.PERCENT, 2, "32.67"),
        (Fraction(-49, 1500), Kind.SIGNED_PERCENT, 2, "−3.27"),
        (18432, Kind.COUNT, 2, "18432"),
        (Fraction(97, 2), Kind.COUNT, 1, "48.5"),
        (3, Kind.RANK, 2, "3"),
        (Interval(72.05, 75.94), Kind.INTERVAL, 1, "72.1–75.9"),
        (Interval(-1.25, 0.5), Kind.INTERVAL, 1, "−1.3 至 0.5"),
        (Dim(Fraction(1, 3)), Kind.PERCENT, 2, "33.33"),
        (Missing("缺考"), Kind.NUMBER, 2, "—"),
        (Suppressed(), Kind.COUNT, 2, "*"),
        (None, Kind.NUMBER, 2, "—"),
        (None, Kind.TEXT, 2, ""),
        (float("nan"), Kind.NUMBER, 2, "—"),
        (Interval(float("nan"), 1), Kind.INTERVAL, 1, "—"),
        ("并列", Kind.RANK, 0, "并列"),
        (0, Kind.PERCENT, 2, "0.00"),
    ],
)
def test_printed(value: Value, kind: Kind, digits: int, text: str) -> None:
    assert printed(value, column(kind, digits)).text == text


def test_missing_is_not_zero_and_says_why() -> None:
    cell = printed(Missing("全体缺考"), column(Kind.NUMBER))
    assert (cell.text, cell.reason, cell.order) == ("—", "全体缺考", None)
    assert printed(0, column(Kind.NUMBER)).order == 0


def _shown_by_spreadsheet(stored: float, digits: int, percent: bool) -> Decimal:
    """What a spreadsheet displays: the 15 digits it keeps, rounded half up."""
    decimal = Decimal(f"{stored:.15g}") * (100 if percent else 1)
    return decimal.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


@given(st.fractions(min_value=-2000, max_value=2000, max_denominator=200_000), st.integers(0, 3), st.booleans())
def test_a_cell_displays_what_we_print(value: Fraction, digits: int, percent: bool) -> None:
    kind = column(Kind.PERCENT if percent else Kind.NUMBER, digits)
    shown = _shown_by_spreadsheet(stored_number(value, kind), digits, percent)
    assert shown == Decimal(printed(value, kind).text.replace("−", "-"))


def test_unrounded_where_the_display_agrees() -> None:
    assert stored_number(Fraction(49, 150), column(Kind.PERCENT)) == 49 / 150
    assert stored_number(Fraction(-1, 8), column(Kind.SIGNED_PERCENT)) == -12.5


def test_reasons_stand_once_under_the_table() -> None:
    rows: tuple[tuple[Value, ...], ...] = ((Missing("甲"),), (Missing("甲"),), (Suppressed(),), (Dim(3),))
    notes = foot_notes(Table("t", "表", (column(Kind.NUMBER),), rows, note="附注"))
    assert notes == ["附注", "— 甲", "* 人数少于 5，为保护个人不显示", "灰色：人数不足 10，只列出，不排名。"]
