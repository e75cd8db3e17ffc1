"""Totals: 0 is a value, a missing report is none, exact decimals, approved beside provisional (C11, P16)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from bureau.ledgers.registers_for_tests import CONDITIONS, store, year
from bureau.ledgers.test_snapshot import put
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.ledgers.changes import Change
from jiaoheng.bureau.ledgers.models import Filing, Round
from jiaoheng.bureau.ledgers.totals import totals

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(world, noon):
    """A round for three schools; 甲 said 0, 乙 5, 丙 nothing."""
    row, period = store(CONDITIONS), year(2025)
    at = clock.beijing(2025, 9, 5, 9)
    made = Round.objects.create(
        register=row, period=period, title="2025", scope_unit=world["县"], reference_date=dt.date(2025, 9, 1),
        opens_at=at, due_at=at, created_by=world["股长"], created_at=at,
    )  # fmt: skip
    for name, above, content in (("甲", "东", 1), ("乙", "东", 1), ("丙", "西", 0)):
        Filing.objects.create(
            round=made, unit=world[name], county_id=world["县"].pk, district_id=world[above].pk, school_id=world[name].pk,
            content=content,
        )  # fmt: skip
    changes = [
        Change(world["甲"].pk, {"teachers": 0, "classes": 3, "area": "0.1"}),
        Change(world["乙"].pk, {"teachers": 5, "classes": 4, "area": "0.2"}),
    ]
    return row, period, put(row, 1, changes, at, period)


def test_c11_zero_is_a_value_and_missing_is_not(world, asked):
    """Sum 5, mean of those reported 2.5, 2 of 3, and who is missing by name."""
    row, period, _written = asked
    found = totals(row, world["县"], period)
    teachers = found.field("teachers")
    assert (teachers.sum, teachers.count, teachers.mean) == (5, 2, Fraction(5, 2))
    assert (teachers.sum_words, teachers.mean_words) == ("5", "2.50")
    assert (found.reported, found.owed, found.missing) == (2, 3, ("西镇丙小学",))
    assert found.rate_words == "已报 2/3"
    assert found.field("area").sum == Decimal("0.3")
    assert found.field("area").sum_words == "0.30"
    west = totals(row, world["西"], period)
    assert (west.field("teachers").sum, west.field("teachers").sum_words, west.rate_words) == (None, "—", "已报 0/1")


def test_p16_approved_total_keeps_45_and_says_so(world, asked):
    """甲 approved with 0, then changed to 9: approved says 0 and that one school has a change not reviewed."""
    row, period, written = asked
    Filing.objects.filter(unit=world["甲"]).update(
        state="approved", approved_content=1, approved_as_of=clock.beijing(2025, 9, 6)
    )
    assert totals(row, world["县"], period, approved=True).unreviewed_words == ""
    new: dict[str, Any] = {"teachers": 9, "classes": 3}
    put(row, 1, [Change(world["甲"].pk, new, written[0].record_id)], clock.beijing(2025, 9, 7), period)
    approved = totals(row, world["县"], period, approved=True)
    assert (approved.field("teachers").sum, approved.field("teachers").count) == (0, 1)
    assert (approved.rate_words, approved.unreviewed_words) == ("已审 1/3", "1 校有未审修改")
    provisional = totals(row, world["县"], period)
    assert provisional.field("teachers").sum == 14
    assert provisional.field("area").count == 1


def test_without_a_round_every_unit_of_the_level_owes(world, asked):
    """Nobody asked for 2024: the schools below are the owed ones."""
    row, _period, _written = asked
    found = totals(row, world["东"], year(2024), fields=["teachers"])
    assert (found.reported, found.owed) == (0, 2)
    assert found.missing == ("东镇乙小学", "东镇甲小学")
    assert [one.name for one in found.fields] == ["teachers"]


def test_sums_are_exact(world, noon):
    """A sum beyond the float's 15 digits keeps its last digit; half is rounded away from zero when printed."""
    row, period = store(CONDITIONS), year(2025)
    changes = [
        Change(world[one].pk, {"area": text, "teachers": 2**53 + 1})
        for one, text in (("甲", "9007199254740993.01"), ("乙", "0.01"), ("丙", "0.005"))
    ]
    put(row, 1, changes, clock.now(), period)
    found = totals(row, world["县"], period)
    assert found.field("area").sum == Decimal("9007199254740993.025")
    assert found.field("area").sum_words == "9,007,199,254,740,993.03"
    assert found.field("teachers").sum == 3 * (2**53 + 1)
