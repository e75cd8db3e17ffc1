"""An import is taken back with counts; what was touched since stays and is told by name."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from bureau.ledgers import import_kit as kit
from bureau.ledgers.import_kit import accept, bring, edit, now_stands, start
from bureau.ledgers.registers_for_tests import CONDITIONS, store, year
from bureau.world import World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import AuditEntry
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.ledgers.imports.confirming import do_confirm_import
from jiaoheng.bureau.ledgers.imports.undoing import do_undo_import, preview_undo
from jiaoheng.bureau.ledgers.models import Filing, Record, RecordVersion, Round

pytestmark = pytest.mark.django_db


def test_what_it_added_goes_and_what_it_changed_stands_as_before(world: World, roster: Any) -> None:
    bring(world, roster, [["001", "张三", "1班", 5]])
    batch = bring(world, roster, [["001", "张三", "1班", 6], ["002", "李四", "2班", 7], ["003", "王五", "2班", 7]])
    assert preview_undo(batch).sentence == "删去 2 条，还原 1 条"
    done = do_undo_import(batch, acting_user=world["甲填报"])
    assert (done.removed, done.put_back, done.kept) == (2, 1, ())
    assert now_stands(roster) == [{"code": "001", "name": "张三", "class_name": "1班", "points": 5}]
    assert RecordVersion.objects.filter(record__key="001").count() == 3
    assert RecordVersion.objects.get(record__key="001", number=3).restored_from == 1
    batch.refresh_from_db()
    assert batch.state == "undone"
    assert AuditEntry.objects.get(action="import.undo").count == 3
    with pytest.raises(RefusedError, match="已撤销"):
        do_undo_import(batch, acting_user=world["甲填报"])


def test_what_was_touched_since_stays_and_says_by_whom(world: World, roster: Any) -> None:
    batch = bring(world, roster, [["001", "张三", "1班", 5], ["002", "李四", "2班", 7]])
    edit(roster, Record.objects.get(key="002"), world["甲校长"], acting_user=world["甲校长"], points=9)
    done = do_undo_import(batch, acting_user=world["甲填报"])
    assert (done.removed, done.put_back) == (1, 0)
    assert done.kept == ("“李四”由 甲校长（东镇甲小学） 于 9 月 15 日 12:00 改过",)
    assert [one["points"] for one in now_stands(roster)] == [9]
    again = bring(world, roster, [["001", "张三", "1班", 5]])  # the key of a removed record is free again
    assert again.message == "已导入：新增 1 条，变更 0 条"


def test_an_approved_filing_is_not_undone_by_its_import(world: World, noon: dt.datetime) -> None:
    row, period = store(CONDITIONS), year(2025)
    asked = Round.objects.create(
        register=row,
        period=period,
        title="2025 办学条件",
        scope_unit=world["县"],
        reference_date=dt.date(2025, 9, 10),
        opens_at=clock.beijing(2025, 9, 1),
        due_at=clock.beijing(2025, 10, 31),
        created_by=world["股长"],
        created_at=noon,
    )
    filing = Filing.objects.create(round=asked, unit=world["甲"], school_id=world["甲"].pk, county_id=world["县"].pk)
    batch = start(world, row, kit.sheet([["教师数", "班级数"], [20, 6]]), round_=asked)
    accept(batch, world)
    do_confirm_import(batch, acting_user=world["甲填报"])
    filing.refresh_from_db()
    assert (filing.state, filing.touched_at) == ("draft", noon)
    Filing.objects.filter(pk=filing.pk).update(state="district", submitted_at=noon, submitted_by=world["甲填报"])
    with pytest.raises(RefusedError, match="提交"):
        do_undo_import(batch, acting_user=world["甲填报"])
    assert [one["teachers"] for one in now_stands(row)] == [20]
    Filing.objects.filter(pk=filing.pk).update(state="draft")
    assert do_undo_import(batch, acting_user=world["甲填报"]).removed == 1


def test_an_import_into_a_closed_round_is_refused_and_its_preview_stays(world: World, noon: dt.datetime) -> None:
    row, period = store(CONDITIONS), year(2025)
    asked = Round.objects.create(
        register=row,
        period=period,
        title="2025 办学条件",
        scope_unit=world["县"],
        reference_date=dt.date(2025, 9, 10),
        opens_at=clock.beijing(2025, 9, 1),
        due_at=clock.beijing(2025, 9, 11),
        closed_at=clock.beijing(2025, 9, 12, 23, 59),
        created_by=world["股长"],
        created_at=noon,
    )
    Filing.objects.create(round=asked, unit=world["甲"], school_id=world["甲"].pk, county_id=world["县"].pk)
    batch = start(world, row, kit.sheet([["教师数", "班级数"], [20, 6]]), round_=asked)
    accept(batch, world)
    with pytest.raises(RefusedError, match="9 月 12 日 23:59"):
        do_confirm_import(batch, acting_user=world["甲填报"])
    batch.refresh_from_db()
    assert batch.state == "preview"
    assert not Record.objects.exists()
