"""Terms of keeping: what is over stays as figures without persons, in every version; what is not is left alone."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from bureau.ledgers.registers_for_tests import GRADES, ROSTER, store, year
from bureau.world import World
from jiaoheng.bureau.core import audit, clock, schedule
from jiaoheng.bureau.core.models import AuditEntry, SearchEntry
from jiaoheng.bureau.core.search import search
from jiaoheng.bureau.ledgers import retention
from jiaoheng.bureau.ledgers.changes import Change
from jiaoheng.bureau.ledgers.models import Draft, Record, RecordVersion
from jiaoheng.bureau.ledgers.writing import Batch, write
from jiaoheng.registers.model import Data, Field, FieldType, Level, PeriodKind, Register, Sensitive

pytestmark = pytest.mark.django_db
HEALTH = Register(
    name="t_health",
    title="体质健康",
    version=1,
    effective_from=dt.date(2010, 9, 1),
    level=Level.SCHOOL,
    period=PeriodKind.YEAR,
    fields=(
        Field("number", FieldType.STRING, "学籍号", sensitive=Sensitive.ID_NUMBER, required=True),
        Field("name", FieldType.STRING, "姓名", identity=True, search=True, filter=True),
        Field("born_on", FieldType.DATE, "出生日期"),
        Field("grade", FieldType.STRING, "等级", codes="test_grade", filter=True),
        Field("score", FieldType.NUMBER, "得分", decimals=1),
        Field("passed", FieldType.BOOLEAN, "合格"),
        Field("note", FieldType.STRING, "说明"),
    ),
    key=("number",),
    retention_years=10,
    tables={"test_grade": GRADES},
)
DATA: Data = {
    "number": "G99000020120407",
    "name": "欧阳某某",
    "born_on": "2012-04-07",
    "grade": "A",
    "score": "91.5",
    "passed": True,
    "note": "家长来电",
}
TODAY = dt.date(2036, 9, 1)


def _write(world: World, register: Register, row: Any, period: Any, data: Data, **more: Any) -> int:
    @audit.action
    def run(*, acting_user: Any) -> int:
        batch = Batch(row, register, period, acting_user, "form", at=clock.beijing(2025, 9, 15))
        audit.note("record.create", actor=acting_user)
        return write(batch, [Change(world["甲"].pk, data, **more)])[0].record_id

    return run(acting_user=world["甲填报"])


@pytest.fixture
def old(world: World, noon: Any) -> int:
    """A record of 2025 学年 (over on 2026-09-01) with two versions and a draft."""
    row = store(HEALTH)
    pk = _write(world, HEALTH, row, year(2025), DATA)
    _write(world, HEALTH, row, year(2025), {**DATA, "name": "欧阳某"}, record_id=pk)
    Draft.objects.create(
        account=world["甲填报"],
        register=row,
        unit=world["甲"],
        period=year(2025),
        record_id=pk,
        typed={"name": "欧阳"},
        saved_at=clock.now(),
    )
    return pk


def test_figures_stay_and_persons_go_from_every_version(world: World, old: int) -> None:
    """Of both versions: choice, score and yes/no stay; number, name, day of birth and text are in no table."""
    assert [one.records for one in retention.due(TODAY)] == [1]
    assert retention.run(TODAY, acting_user=None) == 1
    kept = {"grade": "A", "score": "91.5", "passed": True}
    assert [one.data for one in RecordVersion.objects.filter(record_id=old)] == [kept, kept]
    version = RecordVersion.objects.filter(record_id=old).first()
    assert version is not None
    assert (version.h0, version.s0, version.s1 is not None) == (None, None, True)
    assert not Draft.objects.filter(record_id=old).exists()
    with connection.cursor() as cursor:
        for table in ("ledgers_record", "ledgers_recordversion", "ledgers_draft", "core_searchentry"):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608
            raw = repr(cursor.fetchall())
            assert not [one for one in ("欧阳", "G99000020120407", "2012-04-07", "家长") if one in raw], table
    assert not SearchEntry.objects.filter(kind="record", object_id=str(old)).exists()
    assert not [one for one in search(world["甲填报"], "欧阳") if one.kind == "record"]


def test_it_is_audited_once_and_done_once(old: int) -> None:
    """One entry with count, register and what went; a second run finds nothing."""
    retention.run(TODAY, acting_user=None)
    entry = AuditEntry.objects.get(action="record.anonymise")
    assert (entry.count, entry.object_name) == (1, "体质健康")
    assert "保存期 10 年" in entry.reason
    assert "学籍号、姓名、出生日期、说明" in entry.reason
    assert retention.run(TODAY, acting_user=None) == 0
    assert Record.objects.get(pk=old).anonymised_at is not None


def test_the_border_is_the_day_ten_years_after_the_end(old: int) -> None:
    """The period ends with 2026-08-31: due from 2036-09-01 on, not a day before."""
    assert retention.due(TODAY - dt.timedelta(days=1)) == []
    assert len(retention.due(TODAY)) == 1
    assert retention.years_before(dt.date(2036, 2, 29), 10) == dt.date(2026, 2, 28)


def test_a_standing_record_counts_from_its_deletion(world: World, noon: Any) -> None:
    """What is on the roster stays; what was taken off it is over ten years later."""
    register = replace(ROSTER, retention_years=10)
    row = store(register)
    first = _write(world, register, row, None, {"code": "1", "name": "甲", "points": 5})
    _write(world, register, row, None, {"code": "2", "name": "乙", "points": 6})
    _write(world, register, row, None, None, record_id=first)  # type: ignore[arg-type]
    assert retention.run(dt.date(2035, 9, 14), acting_user=None) == 0
    assert retention.run(dt.date(2035, 9, 15), acting_user=None) == 1
    assert Record.objects.get(anonymised_at__isnull=False).pk == first
    assert RecordVersion.objects.filter(record_id=first).latest("number").data == {"points": 5}


def test_a_register_without_a_term_is_left_alone(world: World, noon: Any) -> None:
    """None is none, however old."""
    row = store(ROSTER)
    pk = _write(world, ROSTER, row, None, {"code": "1", "name": "甲"})
    _write(world, ROSTER, row, None, None, record_id=pk)  # type: ignore[arg-type]
    assert retention.run(dt.date(2300, 1, 1), acting_user=None) == 0


def test_many_are_done_in_parts_of_their_own(world: World, noon: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ended between two parts, the rest is done by the next run."""
    monkeypatch.setattr(retention, "PART", 2)
    row = store(HEALTH)
    for number in range(5):
        _write(world, HEALTH, row, year(2025), {**DATA, "number": f"G{number}"})
    assert retention.run(TODAY, acting_user=None) == 5
    assert list(AuditEntry.objects.filter(action="record.anonymise").values_list("count", flat=True)) == [2, 2, 1]


def test_the_worker_does_it_each_day(old: int, tmp_path: Path) -> None:
    """The duty is known and says what it did."""
    assert schedule.DUTIES["retention"].every == dt.timedelta(days=1)
    with clock.at(clock.beijing(2036, 9, 2)):
        assert schedule.DUTIES["retention"].run() == "保存期满，去掉个人信息 1 条"
