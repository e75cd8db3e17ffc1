"""Two people at one record, one post sent twice: nothing is lost and nothing is doubled."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections

from bureau.ledgers.registers_for_tests import CONDITIONS, store, year
from bureau.world import World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.refusals import ConflictError, RefusedError
from jiaoheng.bureau.ledgers.actions_records import do_merge_mine, do_save_record
from jiaoheng.bureau.ledgers.models import Draft, Filing, FilingStep, Record, RecordVersion, Round

X, Y = "甲校长", "甲填报"


def _third_version(world: World, row: Any) -> int:
    """A record at version 3 with 教师数 45, 班级数 11."""
    saved = do_save_record(row, world["甲"], year(2025), {"teachers": 40, "classes": 9}, acting_user=world[Y])
    for base, change in ((1, {"teachers": 45}), (2, {"classes": 11})):
        do_save_record(row, world["甲"], year(2025), change, record_id=saved.record_id, base=base, acting_user=world[Y])
    return saved.record_id


def _now(record_id: int) -> tuple[int, Any]:
    version = RecordVersion.objects.get(record_id=record_id, valid_to__isnull=True)
    return version.number, (version.data["teachers"], version.data["classes"])


@pytest.mark.django_db
def test_p10_two_editors_see_three_columns_and_only_mine_is_put(world: World, noon: dt.datetime) -> None:
    """X saves 46; Y's 12 is refused with 原/对方/我的; 只改我改的 makes v5 = 46/12, never 45/12."""
    row, period, unit = store(CONDITIONS), year(2025), world["甲"]
    record = _third_version(world, row)
    with clock.at(clock.beijing(2025, 9, 15, 14, 5)):
        do_save_record(row, unit, period, {"teachers": "46"}, record_id=record, base=3, acting_user=world[X])
    typed = {"teachers": "45", "classes": "12"}
    with pytest.raises(ConflictError, match="甲校长（东镇甲小学） 已于 9 月 15 日 14:05") as refused:
        do_save_record(row, unit, period, typed, record_id=record, base=3, acting_user=world[Y])
    rows = {one.field: (one.original, one.theirs, one.mine, one.choose) for one in refused.value.detail["rows"]}
    assert rows == {"teachers": ("45", "46", "45", False), "classes": ("11", "11", "12", False)}
    assert refused.value.detail["newest"] == 4
    assert Draft.objects.get(account=world[Y]).typed == typed
    do_merge_mine(row, unit, period, typed, record_id=record, base=3, over=4, acting_user=world[Y])
    assert _now(record) == (5, (46, 12))
    assert not Draft.objects.exists()


@pytest.mark.django_db
def test_p10_a_field_that_both_changed_is_chosen_by_name(world: World, noon: dt.datetime) -> None:
    """46 or 47: refused until it is said which."""
    row, period, unit = store(CONDITIONS), year(2025), world["甲"]
    record = _third_version(world, row)
    do_save_record(row, unit, period, {"teachers": "46"}, record_id=record, base=3, acting_user=world[X])
    typed = {"teachers": "47", "classes": "12"}
    with pytest.raises(ConflictError, match="“教师数”双方都改了") as refused:
        do_merge_mine(row, unit, period, typed, record_id=record, base=3, over=4, acting_user=world[Y])
    assert refused.value.code == "merge-choose"
    do_merge_mine(
        row, unit, period, typed, record_id=record, base=3, over=4, choices={"teachers": "theirs"}, acting_user=world[Y]
    )
    assert _now(record) == (5, (46, 12))
    do_merge_mine(
        row, unit, period, {"teachers": "47"}, record_id=record, base=3, over=5, choices={"teachers": "mine"},
        acting_user=world[X],
    )  # fmt: skip
    assert _now(record) == (6, (47, 12))


@pytest.mark.django_db
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_p10_offline_edits_in_either_order_end_as_the_later_one(
    world: World, noon: dt.datetime, order: tuple[int, int]
) -> None:
    """12, then 13 on v3, X's v4 between: both are compared with v4 and end as 46/13."""
    row, period, unit = store(CONDITIONS), year(2025), world["甲"]
    record = _third_version(world, row)
    do_save_record(row, unit, period, {"teachers": "46"}, record_id=record, base=3, acting_user=world[X])
    edits = [({"classes": "12"}, 1), ({"classes": "13"}, 2)]
    for values, sequence in (edits[number] for number in order):
        with pytest.raises(ConflictError) as refused:
            do_save_record(
                row, unit, period, values, record_id=record, base=3, device_seq=sequence, acting_user=world[Y]
            )
        assert "甲校长" in str(refused.value)
        do_merge_mine(
            row, unit, period, values, record_id=record, base=3, over=refused.value.detail["newest"],
            device_seq=sequence, acting_user=world[Y],
        )  # fmt: skip
    assert _now(record)[1] == (46, 13)


@pytest.mark.django_db
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_p10_own_offline_edits_alone_need_no_question(world: World, noon: dt.datetime, order: tuple[int, int]) -> None:
    """Nobody else was there: the later of the device's own edits stands, field by field."""
    row, period, unit = store(CONDITIONS), year(2025), world["甲"]
    record = _third_version(world, row)
    edits = [({"classes": "12", "teachers": "50"}, 1), ({"classes": "13", "teachers": "45"}, 2)]
    for values, sequence in (edits[number] for number in order):
        do_save_record(row, unit, period, values, record_id=record, base=3, device_seq=sequence, acting_user=world[Y])
    assert _now(record)[1][1] == 13


@pytest.mark.django_db
def test_p10_an_approval_meanwhile_refuses_and_is_named(world: World, noon: dt.datetime) -> None:
    """The page was opened before the approval."""
    row, period, unit = store(CONDITIONS), year(2025), world["甲"]
    record = _third_version(world, row)
    asked = Round.objects.create(
        register=row, period=period, title="办学条件 2025", scope_unit=world["县"], reference_date=dt.date(2025, 9, 10),
        opens_at=clock.beijing(2025, 9, 1), due_at=clock.beijing(2025, 10, 10), created_by=world["股长"],
        created_at=clock.now(),
    )  # fmt: skip
    filing = Filing.objects.create(round=asked, unit=unit, state=Filing.State.APPROVED, content=1)
    FilingStep.objects.create(
        filing=filing, kind="approve", level="county", content=1, by=world["股长"], by_name="股长（基础教育股）",
        at=clock.beijing(2025, 9, 14, 10),
    )  # fmt: skip
    for version, values in ((3, {"classes": "12"}), (2, {"teachers": "1"})):
        with pytest.raises(RefusedError, match="股长（基础教育股） 于 9 月 14 日 10:00 审核通过") as refused:
            do_save_record(row, unit, period, values, record_id=record, base=version, acting_user=world[Y])
        assert refused.value.code == "filing-approved"
    assert _now(record) == (3, (45, 11))


@pytest.mark.django_db
def test_p10_a_change_without_a_version_is_refused(world: World, noon: dt.datetime) -> None:
    """The API answers 428 to this code."""
    row = store(CONDITIONS)
    record = _third_version(world, row)
    with pytest.raises(RefusedError) as refused:
        do_save_record(row, world["甲"], year(2025), {"classes": 1}, record_id=record, acting_user=world[Y])
    assert refused.value.code == "version-missing"


@pytest.mark.django_db(transaction=True)
def test_p09_ten_posts_with_one_key_are_one_record(world: World) -> None:
    """Ten at the same moment: one record, one version, ten answers with its id."""
    row, period, unit = store(CONDITIONS), year(2025), world["甲"]

    def send(_number: int) -> int:
        try:
            saved = do_save_record(
                row, unit, period, {"teachers": "45", "classes": "11"}, resend_key="K", acting_user=world[Y]
            )
            return saved.record_id
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(send, range(10)))
    assert len(set(answers)) == 1
    assert (Record.objects.count(), RecordVersion.objects.count()) == (1, 1)


@pytest.mark.django_db
def test_p09_the_key_again_with_other_content_is_a_conflict(world: World, noon: dt.datetime) -> None:
    """409 naming K's time; the record stays; the second content is a draft."""
    row, period, unit = store(CONDITIONS), year(2025), world["甲"]
    first = do_save_record(row, unit, period, {"teachers": "45", "classes": "11"}, resend_key="K", acting_user=world[Y])
    other = {"teachers": "46", "classes": "11"}
    with pytest.raises(ConflictError, match="2025-09-15 12:00:00"):
        do_save_record(row, unit, period, other, resend_key="K", acting_user=world[Y])
    assert _now(first.record_id) == (1, (45, 11))
    assert Draft.objects.get().typed == other
    again = do_save_record(row, unit, period, {"teachers": "45", "classes": "11"}, resend_key="K", acting_user=world[Y])
    assert (again.record_id, again.repeated) == (first.record_id, True)
