"""The form of a record as plain data."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from bureau.ledgers.registers_for_tests import CONDITIONS, ROSTER, store, year
from bureau.world import World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.refusals import ForbiddenError, NotFoundError, RefusedError
from jiaoheng.bureau.ledgers.actions_drafts import do_save_draft
from jiaoheng.bureau.ledgers.actions_records import do_save_record
from jiaoheng.bureau.ledgers.form_model import edit_form, new_form
from jiaoheng.bureau.ledgers.models import CellComment, Filing, RecordVersion, Round
from jiaoheng.bureau.ledgers.saving import warning_words

pytestmark = pytest.mark.django_db


def test_p19_an_ended_choice_is_offered_only_where_it_stands(world: World, noon: dt.datetime) -> None:
    """甲's record shows C（2025-09-01 停用） chosen; a new record offers 甲级 and 良好 alone."""
    row, clerk = store(CONDITIONS), world["甲填报"]
    saved = do_save_record(row, world["甲"], year(2025), {"teachers": 1, "classes": 1, "grade": "A"}, acting_user=clerk)
    RecordVersion.objects.update(data={"teachers": 1, "classes": 1, "grade": "C"})
    form = edit_form(clerk, saved.record_id)
    grade = next(one for one in form.fields if one.name == "grade")
    assert [(one.label, one.chosen, one.ended) for one in grade.choices] == [
        ("甲级", False, False),
        ("良好", False, False),
        ("丙级（2025-09-01 停用）", True, True),
    ]
    fresh = new_form(world["乙填报"], row, world["乙"], year(2025))
    assert [one.label for one in next(f for f in fresh.fields if f.name == "grade").choices] == ["甲级", "良好"]


def test_last_period_stands_beside_the_field_and_a_jump_is_told(world: World, noon: dt.datetime) -> None:
    """上期 45, now 90: over 20 %."""
    fields = tuple(replace(one, jump=Decimal("0.2")) if one.name == "teachers" else one for one in CONDITIONS.fields)
    row, clerk = store(replace(CONDITIONS, fields=fields)), world["甲填报"]
    do_save_record(row, world["甲"], year(2024), {"teachers": 45, "classes": 11}, acting_user=clerk)
    form = new_form(clerk, row, world["甲"], year(2025), typed={"teachers": "90", "classes": ""})
    teachers = next(one for one in form.fields if one.name == "teachers")
    assert (teachers.text, teachers.previous, form.previous_name) == ("90", "45", "2024 学年")
    assert "100%" in teachers.warning
    saved = do_save_record(row, world["甲"], year(2025), {"teachers": 90, "classes": 11}, acting_user=clerk)
    assert [name for name, _text in saved.warnings] == ["teachers"]
    title = next(one.title for one in fields if one.name == "teachers")
    (told,) = warning_words(CONDITIONS, saved)
    assert told.startswith(f"{title}：本期 90")
    many = replace(saved, warnings=tuple((one.name, "请核对") for one in fields[:4]))
    assert warning_words(CONDITIONS, many) == (
        f"4 处提醒，填报页上逐处有说明：{'、'.join(one.title for one in fields[:4])}",
    )


def test_p06_a_protected_value_is_not_in_its_form(world: World, noon: dt.datetime) -> None:
    """Masked beside an empty input."""
    row, clerk = store(ROSTER), world["甲填报"]
    number = "11010519491231002X"
    saved = do_save_record(
        row, world["甲"], None, {"code": "01", "name": "张伟", "id_number": number}, acting_user=clerk
    )
    form = edit_form(clerk, saved.record_id)
    secret = next(one for one in form.fields if one.name == "id_number")
    assert (secret.kind, secret.text, secret.masked) == ("secret", "", "110105********002X")
    assert number not in repr(form)


def test_p08_the_draft_fills_the_form_with_its_marks(world: World, noon: dt.datetime) -> None:
    """约30 stands in the input, the problem on top."""
    row, clerk = store(CONDITIONS), world["甲填报"]
    do_save_draft(row, world["甲"], year(2025), {"teachers": "约30"}, acting_user=clerk)
    form = new_form(clerk, row, world["甲"], year(2025))
    assert form.typed_from_draft
    assert next(one for one in form.fields if one.name == "teachers").text == "约30"
    assert [(one.field, one.title) for one in form.problems] == [("teachers", "教师数"), ("classes", "班级数")]
    assert not new_form(world["甲校长"], row, world["甲"], year(2025)).typed_from_draft


def test_remarks_of_a_returned_filing_stand_at_their_fields(world: World, noon: dt.datetime) -> None:
    """And the form is open again; before the round opens it is locked with its sentence (P07)."""
    row, clerk, period = store(CONDITIONS), world["甲填报"], year(2025)
    saved = do_save_record(row, world["甲"], period, {"teachers": 45, "classes": 11}, acting_user=clerk)
    asked = Round.objects.create(
        register=row, period=period, title="办学条件 2025", scope_unit=world["县"], reference_date=dt.date(2025, 9, 10),
        opens_at=clock.beijing(2025, 9, 1), due_at=clock.beijing(2025, 10, 10), created_by=world["股长"],
        created_at=clock.now(),
    )  # fmt: skip
    filing = Filing.objects.create(round=asked, unit=world["甲"], state=Filing.State.RETURNED, content=1)
    CellComment.objects.create(
        filing=filing, record_id=saved.record_id, field="teachers", text="含代课教师吗", content=1,
        by=world["东学区"], by_name="东学区（东镇学区）", at=clock.now(),
    )  # fmt: skip
    form = edit_form(clerk, saved.record_id)
    assert form.locked == ""
    assert [one.text for one in next(f for f in form.fields if f.name == "teachers").remarks] == ["含代课教师吗"]
    filing.state = Filing.State.DISTRICT
    filing.save()
    assert "提交" in edit_form(clerk, saved.record_id).locked


def test_p07_a_round_takes_nothing_before_its_first_second(world: World, noon: dt.datetime) -> None:
    """Refused at 10-07 23:59:59 naming the date, accepted at 10-08 00:00:00."""
    row, clerk, period = store(CONDITIONS), world["甲填报"], year(2025)
    asked = Round.objects.create(
        register=row, period=period, title="办学条件 2025", scope_unit=world["县"], reference_date=dt.date(2025, 10, 1),
        opens_at=clock.beijing(2025, 10, 8), due_at=clock.beijing(2025, 10, 10, 23, 59, 59), created_by=world["股长"],
        created_at=clock.now(),
    )  # fmt: skip
    Filing.objects.create(round=asked, unit=world["甲"])
    values = {"teachers": 45, "classes": 11}
    with clock.at(clock.beijing(2025, 10, 7, 23, 59, 59)), pytest.raises(RefusedError, match="10 月 8 日 00:00"):
        do_save_record(row, world["甲"], period, values, acting_user=clerk)
    with clock.at(clock.beijing(2025, 10, 8)):
        do_save_record(row, world["甲"], period, values, acting_user=clerk)
    assert Filing.objects.get().state == Filing.State.DRAFT


def test_a_reader_gets_the_form_locked_and_a_stranger_nothing(world: World, noon: dt.datetime) -> None:
    """200 without the button, 403 for a new one, 404 elsewhere."""
    row = store(CONDITIONS)
    saved = do_save_record(row, world["甲"], year(2025), {"teachers": 45, "classes": 11}, acting_user=world["甲填报"])
    assert "填报" in edit_form(world["督学"], saved.record_id).locked
    with pytest.raises(ForbiddenError):
        new_form(world["督学"], row, world["乙"], year(2025))
    with pytest.raises(NotFoundError):
        edit_form(world["乙填报"], saved.record_id)
