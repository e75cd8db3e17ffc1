"""Records are written by the people who fill them, checked as a whole, and never half."""

from __future__ import annotations

import datetime as dt

import pytest

from bureau.ledgers.registers_for_tests import CONDITIONS, ROSTER, store, year
from bureau.world import World
from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.models import AuditEntry, Membership
from jiaoheng.bureau.core.refusals import ForbiddenError, NotFoundError, RefusedError
from jiaoheng.bureau.ledgers.actions_records import do_save_record
from jiaoheng.bureau.ledgers.models import Record, RecordVersion

pytestmark = pytest.mark.django_db


def test_a_form_becomes_a_record_with_an_entry_that_reads_as_the_page_did(world: World, noon: dt.datetime) -> None:
    """Texts as typed become stored values; the entry holds titles and shown values."""
    row = store(CONDITIONS)
    saved = do_save_record(
        row, world["甲"], year(2025), {"teachers": " ４５ ", "classes": "11", "area": "1,200.50", "grade": "良好"},
        acting_user=world["甲填报"],
    )  # fmt: skip
    version = RecordVersion.objects.get(record_id=saved.record_id)
    assert (saved.number, saved.is_new) == (1, True)
    assert version.data == {"teachers": 45, "classes": 11, "area": "1200.5", "grade": "B"}
    assert (version.county_id, version.district_id, version.school_id) == (
        world["县"].pk,
        world["东"].pk,
        world["甲"].pk,
    )
    entry = AuditEntry.objects.get(action="record.create")
    assert {(one["title"], one["old"], one["new"]) for one in entry.changes} == {
        ("教师数", None, "45"),
        ("班级数", None, "11"),
        ("面积", None, "1,200.5"),
        ("等级", None, "良好"),
    }


def test_every_problem_is_told_at_its_place_and_nothing_is_stored(world: World, noon: dt.datetime) -> None:
    """Three things wrong: three sentences."""
    row = store(CONDITIONS)
    with pytest.raises(RefusedError) as refused:
        do_save_record(row, world["甲"], year(2025), {"teachers": "约30", "grade": "优"}, acting_user=world["甲填报"])
    assert list(refused.value.places) == ["teachers", "classes", "grade"]
    assert "约30" in refused.value.places["teachers"]
    assert "必填" in refused.value.places["classes"]
    assert str(refused.value) == "还有 3 处要改正，改好后再提交"
    assert not Record.objects.exists()


def test_p04_reading_and_filling_stay_two_rights(world: World, noon: dt.datetime) -> None:
    """王 reads the county and fills 甲: 403 naming 甲 at 乙. 李 fills 甲 only: 乙 does not exist for him."""
    row = store(CONDITIONS)
    saved = do_save_record(row, world["乙"], year(2025), {"teachers": 9, "classes": 5}, acting_user=world["乙填报"])
    wang, li = world["督学"], world["甲填报"]
    Membership.objects.create(account=wang, role="clerk", unit=world["甲"], starts_on=dt.date(2020, 9, 1))
    change = {"classes": "6"}
    for register_id in (saved.record_id, None):
        with pytest.raises(ForbiddenError, match="东镇甲小学"):
            do_save_record(row, world["乙"], year(2025), change, record_id=register_id, base=1, acting_user=wang)
        with pytest.raises(NotFoundError):
            do_save_record(row, world["乙"], year(2025), change, record_id=register_id, base=1, acting_user=li)
    assert RecordVersion.objects.get(record_id=saved.record_id).data["classes"] == 5
    made = do_save_record(row, world["甲"], year(2025), {"teachers": 9, "classes": 5}, acting_user=wang)
    Membership.objects.filter(account=wang, role="clerk").update(ends_on=clock.today())
    with pytest.raises(ForbiddenError):
        do_save_record(row, world["甲"], year(2025), change, record_id=made.record_id, base=1, acting_user=wang)


def test_p19_a_choice_that_has_ended_stays_where_it_stands(world: World, noon: dt.datetime) -> None:
    """C ended 2025-09-01: kept in a record of 2024 whose area is corrected; refused anew in 2025, naming the date."""
    row = store(CONDITIONS)
    clerk = world["甲填报"]
    old = do_save_record(row, world["甲"], year(2024), {"teachers": 1, "classes": 1, "grade": "C"}, acting_user=clerk)
    do_save_record(
        row, world["甲"], year(2024), {"area": "90", "grade": "C"}, record_id=old.record_id, base=1, acting_user=clerk
    )
    assert RecordVersion.objects.get(record_id=old.record_id, number=2).data["grade"] == "C"
    with pytest.raises(RefusedError) as refused:
        do_save_record(row, world["甲"], year(2025), {"teachers": 1, "classes": 1, "grade": "C"}, acting_user=clerk)
    assert "2025-09-01" in refused.value.places["grade"]


def test_p19_a_standing_register_keeps_an_ended_choice_too(world: World, noon: dt.datetime) -> None:
    """A form posts the kept choice back with the rest."""
    row = store(CONDITIONS)
    clerk = world["甲填报"]
    with clock.at(clock.beijing(2025, 3, 1)):
        old = do_save_record(
            row, world["甲"], year(2025), {"teachers": 1, "classes": 1, "grade": "A"}, acting_user=clerk
        )
    version = RecordVersion.objects.get(record_id=old.record_id)
    version.data["grade"] = "C"
    version.save()
    typed = {"teachers": "1", "classes": "2", "area": "", "grade": "C", "note": ""}
    saved = do_save_record(row, world["甲"], year(2025), typed, record_id=old.record_id, base=1, acting_user=clerk)
    assert RecordVersion.objects.get(record_id=old.record_id, number=saved.number).data["grade"] == "C"


def test_a_key_that_is_taken_names_the_other_record(world: World, noon: dt.datetime) -> None:
    """The remark stands at the key field."""
    row = store(ROSTER)
    clerk = world["甲填报"]
    first = do_save_record(row, world["甲"], None, {"code": "01", "name": "张伟"}, acting_user=clerk)
    with pytest.raises(RefusedError, match=f"编号 {first.record_id}") as refused:
        do_save_record(row, world["甲"], None, {"code": "01", "name": "王芳"}, acting_user=clerk)
    assert list(refused.value.places) == ["code"]


def test_p06_a_protected_number_is_masked_in_the_trail_and_kept_by_a_blank(world: World, noon: dt.datetime) -> None:
    """The form shows no number: a blank or a masked text keeps it, the word for clearing empties it."""
    row = store(ROSTER)
    clerk = world["甲填报"]
    number = "11010519491231002X"
    first = do_save_record(
        row, world["甲"], None, {"code": "01", "name": "张伟", "id_number": number}, acting_user=clerk
    )
    assert number not in str(list(AuditEntry.objects.values_list("changes", flat=True)))
    for base, typed in enumerate(("", "110105********002X"), start=1):
        do_save_record(
            row, world["甲"], None, {"name": f"张伟{base}", "id_number": typed}, record_id=first.record_id, base=base,
            acting_user=clerk,
        )  # fmt: skip
    assert RecordVersion.objects.get(record_id=first.record_id, number=3).data["id_number"] == number
    do_save_record(row, world["甲"], None, {"id_number": "清空"}, record_id=first.record_id, base=3, acting_user=clerk)
    assert "id_number" not in RecordVersion.objects.get(record_id=first.record_id, number=4).data


def test_an_unchanged_form_makes_no_version(world: World, noon: dt.datetime) -> None:
    """Nothing to say is nothing in the history."""
    row = store(CONDITIONS)
    saved = do_save_record(row, world["甲"], year(2025), {"teachers": 9, "classes": 5}, acting_user=world["甲填报"])
    again = do_save_record(
        row, world["甲"], year(2025), {"teachers": "9", "classes": "5"}, record_id=saved.record_id, base=1,
        acting_user=world["甲填报"],
    )  # fmt: skip
    assert (again.number, again.unchanged) == (1, True)
    assert RecordVersion.objects.count() == 1


def test_the_door_stands_in_the_version(world: World, noon: dt.datetime) -> None:
    """What came through the API says so."""
    row = store(CONDITIONS)
    with audit.through("api"):
        saved = do_save_record(
            row, world["甲"], year(2025), {"teachers": 9, "classes": 5}, source="api", acting_user=world["甲填报"]
        )
    version = RecordVersion.objects.get(record_id=saved.record_id)
    assert (version.door, version.source) == ("api", "api")
