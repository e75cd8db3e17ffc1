"""P22: the history reads in the names of its day, and one field can go back."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from bureau.ledgers.registers_for_tests import CONDITIONS, ROSTER, store, year
from bureau.world import World
from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.models import Account, AuditEntry, UnitFacts
from jiaoheng.bureau.core.refusals import ConflictError, NotFoundError, RefusedError
from jiaoheng.bureau.ledgers.actions_records import do_save_record
from jiaoheng.bureau.ledgers.actions_records_more import (
    common_columns,
    do_change_many,
    do_delete_record,
    do_restore_deleted,
    do_restore_fields,
)
from jiaoheng.bureau.ledgers.history import history_of
from jiaoheng.bureau.ledgers.models import CellComment, Filing, FilingStep, RecordVersion, Round
from jiaoheng.bureau.ledgers.record_page import record_page
from jiaoheng.registers.model import Field, FieldType

pytestmark = pytest.mark.django_db
CHANGED = "甲填报（东镇甲小学） 2025-09-03 14:05 把教师数由 45 改为 46，原因：新招 1 人"


@pytest.fixture
def record(world: World) -> int:
    """v1 45/11, v2 45→46 by the clerk with a reason, v3 11→12 by the principal through the API."""
    row, period, unit = store(CONDITIONS), year(2025), world["甲"]
    with clock.at(clock.beijing(2025, 9, 2, 9)), audit.through("page"):
        saved = do_save_record(row, unit, period, {"teachers": 45, "classes": 11}, acting_user=world["甲填报"])
    with clock.at(clock.beijing(2025, 9, 3, 14, 5)), audit.through("page"):
        do_save_record(
            row, unit, period, {"teachers": "46"}, record_id=saved.record_id, base=1, reason="新招 1 人",
            acting_user=world["甲填报"],
        )  # fmt: skip
    with clock.at(clock.beijing(2025, 9, 4, 8)), audit.through("api"):
        do_save_record(
            row, unit, period, {"classes": 12}, record_id=saved.record_id, base=2, source="api",
            acting_user=world["甲校长"],
        )  # fmt: skip
    return saved.record_id


def _sentences(account: Any, record: int) -> list[str]:
    return [one.sentence for one in history_of(account, record)]


def test_p22_names_of_that_day_survive_everything(world: World, record: int, noon: dt.datetime) -> None:
    """Account closed, unit renamed, column relabelled, record deleted: the same sentence, no ids."""
    expected = [
        "甲校长（东镇甲小学） 2025-09-04 08:00 通过接口把班级数由 11 改为 12",
        CHANGED,
        "甲填报（东镇甲小学） 2025-09-02 09:00 新建了这条记录，共 2 项",
    ]
    assert _sentences(world["局长"], record) == expected
    do_delete_record(record, base=3, reason="填错了单位", acting_user=world["甲校长"])
    Account.objects.filter(pk=world["甲填报"].pk).update(closed_at=clock.now())
    UnitFacts.objects.filter(unit=world["甲"]).update(name="东镇第一小学")
    relabelled = tuple(replace(one, title=f"{one.title}（新）") for one in CONDITIONS.fields)
    store(replace(CONDITIONS, version=2, effective_from=dt.date(2025, 9, 10), fields=relabelled))
    Account.objects.create(username="new", name="甲填报", home=world["乙"], created_at=clock.now())
    assert _sentences(world["局长"], record) == [
        "甲校长（东镇甲小学） 2025-09-15 12:00 删除了这条记录，原因：填错了单位",
        *expected,
    ]
    entry = AuditEntry.objects.get(action="record.change", door="page")
    assert entry.changes == [{"field": "teachers", "title": "教师数", "old": "45", "new": "46"}]


def test_p22_one_field_goes_back_and_the_others_stay(world: World, record: int, noon: dt.datetime) -> None:
    """教师数 from v1: v4 = 45 and 12, marked 还原自 v1."""
    saved = do_restore_fields(record, 1, ["teachers"], base=3, acting_user=world["甲填报"])
    assert saved.number == 4
    version = RecordVersion.objects.get(record_id=record, number=4)
    assert version.data == {"teachers": 45, "classes": 12}
    assert version.restored_from == 1
    assert _sentences(world["局长"], record)[0] == (
        "甲填报（东镇甲小学） 2025-09-15 12:00 把教师数由 46 改为 45（还原自第 1 版）"
    )
    with pytest.raises(ConflictError):
        do_restore_fields(record, 2, ["teachers"], base=3, acting_user=world["甲填报"])
    with pytest.raises(RefusedError, match="不用还原"):
        do_restore_fields(record, 1, ["teachers"], base=4, acting_user=world["甲填报"])


def test_p22_a_deleted_record_comes_back_unless_its_key_is_taken(world: World, noon: dt.datetime) -> None:
    """The key is free after the deletion; restoring then names the new record."""
    row, clerk, unit = store(ROSTER), world["甲填报"], world["甲"]
    first = do_save_record(row, unit, None, {"code": "01", "name": "张伟"}, acting_user=clerk)
    with pytest.raises(RefusedError, match="原因"):
        do_delete_record(first.record_id, base=1, reason=" ", acting_user=clerk)
    do_delete_record(first.record_id, base=1, reason="转出", acting_user=clerk)
    second = do_save_record(row, unit, None, {"code": "01", "name": "王芳"}, acting_user=clerk)
    assert second.record_id != first.record_id
    with pytest.raises(RefusedError, match=f"“王芳”（编号 {second.record_id}）"):
        do_restore_deleted(first.record_id, acting_user=clerk)
    do_delete_record(second.record_id, base=1, reason="重复", acting_user=clerk)
    back = do_restore_deleted(first.record_id, acting_user=clerk)
    assert back.number == 3
    assert RecordVersion.objects.get(record_id=first.record_id, number=3).data["name"] == "张伟"
    assert [one.kind for one in history_of(clerk, first.record_id)] == ["undelete", "delete", "create"]


def test_a_deleted_record_is_not_written_but_can_be_looked_at(world: World, record: int, noon: dt.datetime) -> None:
    """The refusal names who deleted it when."""
    do_delete_record(record, base=3, reason="填错", acting_user=world["甲校长"])
    with pytest.raises(RefusedError, match="甲校长（东镇甲小学） 于 9 月 15 日 12:00 删除"):
        do_save_record(
            RecordVersion.objects.first().register, world["甲"], year(2025), {"classes": 1}, record_id=record, base=3,
            acting_user=world["甲填报"],
        )  # fmt: skip
    page = record_page(world["局长"], record)
    assert (page.deleted, page.can_edit, page.state) == (True, False, "已删除")
    with pytest.raises(NotFoundError):
        record_page(world["丙填报"], record)


def test_the_page_tells_approved_pending_and_returned_cells(world: World, record: int, noon: dt.datetime) -> None:
    """Approved as of v2: 教师数 is 已审, 班级数 was changed since, the area came back with a remark."""
    version = RecordVersion.objects.get(record_id=record, number=2)
    asked = Round.objects.create(
        register=version.register, period=version.period, title="办学条件 2025", scope_unit=world["县"],
        reference_date=dt.date(2025, 9, 10), opens_at=clock.beijing(2025, 9, 1), due_at=clock.beijing(2025, 10, 10),
        created_by=world["股长"], created_at=clock.now(),
    )  # fmt: skip
    filing = Filing.objects.create(
        round=asked, unit=world["甲"], state="returned", content=1, approved_as_of=clock.beijing(2025, 9, 3, 20)
    )
    FilingStep.objects.create(
        filing=filing, kind="return", level="county", content=1, by=world["股长"], by_name="股长（基础教育股）",
        at=clock.beijing(2025, 9, 5, 10), reason="请核对班级数",
    )  # fmt: skip
    CellComment.objects.create(
        filing=filing, record_id=record, field="area", text="缺面积", content=1, by=world["股长"],
        by_name="股长", at=clock.now(),
    )  # fmt: skip
    page = record_page(world["甲填报"], record)
    facts = {one.field: (one.text, one.state, one.approved) for group in page.groups for one in group.facts}
    assert facts["teachers"] == ("46", "已审", "")
    assert facts["classes"] == ("12", "未审", "11")
    assert facts["area"] == ("—", "退回", "")
    assert page.can_edit
    assert page.history[0].sentence == "股长（基础教育股） 2025-09-05 10:00 退回修改了这份台账，原因：请核对班级数"


def test_p18_many_at_once_offers_only_what_all_have(world: World, noon: dt.datetime) -> None:
    """Records of two versions: the added column is not offered; a stale one refuses all."""
    row, clerk = store(ROSTER), world["甲填报"]
    old = do_save_record(row, world["甲"], None, {"code": "01", "name": "张伟"}, acting_user=clerk)
    more = (*ROSTER.fields, Field("seat", FieldType.INTEGER, "座位"))
    store(replace(ROSTER, version=2, effective_from=dt.date(2025, 9, 10), fields=more))
    new = do_save_record(row, world["甲"], None, {"code": "02", "name": "王芳", "seat": 3}, acting_user=clerk)
    ids = [old.record_id, new.record_id]
    assert [one.name for one in common_columns(clerk, ids)] == ["name", "class_name", "points"]
    assert "seat" in [one.name for one in common_columns(clerk, ids[1:])]
    with pytest.raises(RefusedError, match="都有的列"):
        do_change_many(dict.fromkeys(ids, 1), {"seat": "1"}, acting_user=clerk)
    with pytest.raises(RefusedError, match="一条也没有改"):
        do_change_many(dict.fromkeys(ids, 1), {"points": "很多"}, acting_user=clerk)
    do_change_many(dict.fromkeys(ids, 1), {"points": "7"}, acting_user=clerk)
    assert [one.data["points"] for one in RecordVersion.objects.filter(valid_to__isnull=True)] == [7, 7]
    with pytest.raises(ConflictError):
        do_change_many({ids[0]: 1, ids[1]: 2}, {"points": "8"}, acting_user=clerk)
    assert RecordVersion.objects.count() == 4
