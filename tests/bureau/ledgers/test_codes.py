"""Choices end and are renamed by date; records keep what they hold (P19)."""

from __future__ import annotations

import datetime as dt

import pytest

from bureau.ledgers.registers_for_tests import store, year
from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.models import AuditEntry
from jiaoheng.bureau.core.refusals import ForbiddenError, RefusedError
from jiaoheng.bureau.ledgers import registry
from jiaoheng.bureau.ledgers.actions_codes import do_add_code, do_delete_code, do_end_code, do_rename_code
from jiaoheng.bureau.ledgers.changes import Change
from jiaoheng.bureau.ledgers.models import CodeRow
from jiaoheng.bureau.ledgers.writing import Batch, write
from jiaoheng.registers.model import CodeItem, CodeTable, Field, FieldType, Level, PeriodKind, Register

pytestmark = pytest.mark.django_db

LEVELS = CodeTable("t_level", "等级", tuple(CodeItem(one, one + "级") for one in "ABCD"))
DAY = dt.date(2025, 9, 1)
SCHEMA = Register(
    name="t_rated",
    title="评定",
    version=1,
    effective_from=dt.date(2020, 9, 1),
    level=Level.SCHOOL,
    period=PeriodKind.YEAR,
    fields=(
        Field("grade", FieldType.STRING, "等级", codes="t_level", filter=True),
        Field("also", FieldType.ARRAY, "兼评", codes="t_level"),
        Field("area", FieldType.NUMBER, "面积"),
    ),
    tables={"t_level": LEVELS},
)


@pytest.fixture
def rated(world, noon):
    """Three schools with B, one with C, one more B among several choices."""
    row = store(SCHEMA)
    schema = registry.schema_of(row)
    contents = {
        "甲": {"grade": "C"},
        "乙": {"grade": "B"},
        "丙": {"grade": "B"},
        "直": {"grade": "B", "also": ["A", "B"]},
    }

    @audit.action
    def do_write(*, acting_user):
        audit.note("test", actor=None)
        return write(
            Batch(row, schema, year(2024), None, "load"),
            [Change(world[unit].pk, data) for unit, data in contents.items()],
            day=DAY,
        )

    do_write(acting_user=None)
    return row


def test_p19_an_ended_choice_stays_readable(world, rated):
    """C ends on the first of September: known before, not offered after, its end known; one query finds both."""
    do_end_code("t_level", "C", DAY, acting_user=world["股长"])
    table = registry.schema_of(rated).codes_of(SCHEMA.by_name["grade"])
    assert "C" in table.valid(DAY - dt.timedelta(days=1))
    assert "C" not in table.valid(DAY)
    assert table.ended("C", DAY) == DAY
    assert table.label("C", DAY) == "C级"
    do_end_code("t_level", "C", None, acting_user=world["股长"])
    assert "C" in registry.schema_of(rated).codes_of(SCHEMA.by_name["grade"]).valid(DAY)


def test_p19_a_renamed_choice_has_the_label_of_the_day(world, rated):
    """B reads 乙级 up to the day before and 良好 from the day on; the code is the same, so filters find the same."""
    do_rename_code("t_level", "B", "良好", DAY, acting_user=world["股长"])
    table = registry.schema_of(rated).codes_of(SCHEMA.by_name["grade"])
    assert table.label("B", DAY - dt.timedelta(days=1)) == "B级"
    assert table.label("B", DAY) == "良好"
    assert list(table.valid(DAY)) == ["A", "B", "C", "D"]
    do_rename_code("t_level", "B", "B级", dt.date(2026, 9, 1), acting_user=world["股长"])
    labels = (
        CodeRow.objects.filter(table="t_level", code="B").order_by("pk").values_list("label", "starts_on", "ends_on")
    )
    assert list(labels) == [("B级", None, DAY), ("良好", DAY, dt.date(2026, 9, 1)), ("B级", dt.date(2026, 9, 1), None)]
    entry = AuditEntry.objects.filter(action="codes.rename").first()
    assert entry.changes[0]["old"] == "B级"
    assert "良好（2025-09-01 起）" in entry.changes[0]["new"]


def test_p19_a_choice_in_use_is_not_deleted(world, rated):
    """Refused with the count over lists of choices too; one that nobody holds goes."""
    with pytest.raises(RefusedError, match="4 条在用，可停用"):
        do_delete_code("t_level", "B", acting_user=world["股长"])
    before = registry.code_tables()
    do_delete_code("t_level", "D", acting_user=world["股长"])
    assert "D" in before["t_level"].valid(DAY)
    assert "D" not in registry.code_tables()["t_level"].valid(DAY)


def test_added_choices_are_seen_at_once_and_never_doubled(world, rated):
    """The same moment of the clock: each change is still seen by the next call."""
    do_add_code("t_level", "E", "戊级", acting_user=world["股长"], starts_on=DAY)
    assert "E" not in registry.code_tables()["t_level"].valid(DAY - dt.timedelta(days=1))
    assert registry.code_tables()["t_level"].valid(DAY)["E"] == "戊级"
    for code, label in (("E", "己级"), ("F", "戊级")):
        with pytest.raises(RefusedError):
            do_add_code("t_level", code, label, acting_user=world["股长"])
    for code, label in (("", "己级"), ("G H", "己级"), ("G", " ")):
        with pytest.raises(RefusedError) as refused:
            do_add_code("t_level", code, label, acting_user=world["股长"])
        assert refused.value.places


def test_dates_must_be_in_order(world, rated):
    """An end before the beginning, a new name before it or after the end: refused with both dates."""
    do_add_code("t_level", "E", "戊级", acting_user=world["股长"], starts_on=DAY)
    with pytest.raises(RefusedError, match="2025-09-01"):
        do_end_code("t_level", "E", DAY, acting_user=world["股长"])
    with pytest.raises(RefusedError, match="2025-08-01"):
        do_rename_code("t_level", "E", "己级", dt.date(2025, 8, 1), acting_user=world["股长"])
    do_end_code("t_level", "E", dt.date(2026, 1, 1), acting_user=world["股长"])
    with pytest.raises(RefusedError, match="停用"):
        do_rename_code("t_level", "E", "己级", dt.date(2026, 2, 1), acting_user=world["股长"])


@pytest.mark.parametrize("who", ["甲填报", "东学区", "局长", "督学"])
def test_only_those_who_may_change_registers(world, rated, who):
    """Readers and fillers: 403 with whose right it is, nothing changed."""
    with pytest.raises(ForbiddenError, match="股室"):
        do_end_code("t_level", "C", clock.today(), acting_user=world[who])
    assert not CodeRow.objects.filter(table="t_level", ends_on__isnull=False).exists()
