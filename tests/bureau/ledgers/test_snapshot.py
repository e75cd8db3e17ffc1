"""A register as it stood on a day: one typed table over all its versions (P18), approved or not (P16)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from bureau.ledgers.registers_for_tests import CONDITIONS, store, year
from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.ledgers import registry, snapshot_files
from jiaoheng.bureau.ledgers.actions_registers import load_pack
from jiaoheng.bureau.ledgers.changes import Change
from jiaoheng.bureau.ledgers.models import Filing, Record, RecordVersion, RegisterRow, Round
from jiaoheng.bureau.ledgers.snapshot import heads, snapshot
from jiaoheng.bureau.ledgers.writing import Batch, write
from jiaoheng.registers.loading import Pack
from jiaoheng.registers.model import Field, FieldType, Level, PeriodKind, Register

pytestmark = pytest.mark.django_db

V1 = Register(
    name="t_things",
    title="设备",
    version=1,
    effective_from=dt.date(2025, 3, 1),
    level=Level.SCHOOL,
    period=PeriodKind.NONE,
    fields=(
        Field("no", FieldType.STRING, "序号", required=True),
        Field("teachers", FieldType.INTEGER, "教师数"),
        Field("pcs", FieldType.INTEGER, "电脑台数"),
        Field("books", FieldType.INTEGER, "图书册数"),
    ),
    key=("no",),
)
V2 = Register(
    name="t_things",
    title="设备",
    version=2,
    effective_from=dt.date(2025, 9, 1),
    level=Level.SCHOOL,
    period=PeriodKind.NONE,
    fields=(
        Field("no", FieldType.STRING, "序号", required=True),
        Field("teachers", FieldType.INTEGER, "教师数"),
        Field("computers", FieldType.INTEGER, "计算机台数", renamed_from=("pcs",)),
        Field("media", FieldType.INTEGER, "多媒体教室"),
    ),
    key=("no",),
    dropped=("books",),
)


def put(row: Any, version: int, changes: list[Change], at: dt.datetime, period: Any = None) -> list[Any]:
    """Write as the loader of history does, at a moment of its own."""

    @audit.action
    def do_put(*, acting_user: Any) -> list[Any]:
        audit.note("test", actor=None)
        schema = registry.schema_numbered(row, version)
        return write(Batch(row, schema, period, None, "load", at=at), changes, day=clock.local(at).date())

    return do_put(acting_user=None)


@pytest.fixture
def things(world, noon):
    """Three records of version 1 in spring, two of version 2 in September."""
    load_pack(Pack({"t_things": (V1, V2)}, {}), acting_user=None)
    row = RegisterRow.objects.get(name="t_things")
    unit = world["甲"].pk
    old = [{"no": str(n), "teachers": 5, "pcs": n * 10, "books": n * 100} for n in (1, 2, 3)]
    new = [{"no": "4", "computers": 40, "media": 4}, {"no": "5", "computers": 50, "media": 6}]
    put(row, 1, [Change(unit, one) for one in old], clock.beijing(2025, 5, 6, 9))
    put(row, 2, [Change(unit, one) for one in new], clock.beijing(2025, 9, 2, 9))
    return row


def test_p18_old_and_new_records_in_one_table(things):
    """Renamed columns merge, dropped ones stay, what was not asked counts in no mean."""
    frame = snapshot("t_things").order_by("no").to_polars()
    assert frame["computers"].to_list() == [10, 20, 30, 40, 50]
    assert frame["books"].to_list() == [100, 200, 300, None, None]
    assert frame["media"].to_list() == [None, None, None, 4, 6]
    assert frame["_schema"].to_list() == [1, 1, 1, 2, 2]
    assert (frame["media"].mean(), frame["media"].count()) == (5.0, 2)
    assert "pcs" not in frame.columns
    shown = heads("t_things")
    assert (shown["computers"], shown["books"], shown["_schema"]) == ("计算机台数", "图书册数", "表样版本")


def test_p18_as_of_a_day_before(things):
    """Three rows under the heads of that day; columns that came later are not there."""
    day = dt.date(2025, 8, 31)
    table = snapshot("t_things", day)
    assert table.count().execute() == 3
    assert heads("t_things", day)["computers"] == "电脑台数"
    assert "media" not in table.columns
    assert "media" not in heads("t_things", day)
    assert registry.titles_at(things, day)["pcs"] == "电脑台数"


def test_p18_an_old_record_given_the_new_value(things, world):
    """It appears with it in the same table: mean 4.0, N 3; the day before still says what it said."""
    record = Record.objects.get(register=things, key="1")
    data = {"no": "1", "teachers": 5, "computers": 10, "books": 100, "media": 2}
    put(things, 2, [Change(world["甲"].pk, data, record_id=record.pk)], clock.beijing(2025, 9, 10, 9))
    values = snapshot("t_things").to_polars()["media"]
    assert (values.mean(), values.count()) == (4.0, 3)
    before = snapshot("t_things", dt.date(2025, 9, 9)).to_polars()["media"]
    assert (before.mean(), before.count()) == (5.0, 2)
    assert snapshot("t_things").to_polars()["computers"].sum() == 150


def test_types_are_exact(world, noon):
    """Decimals stay decimals, dates dates, lists lists, absent NULL; an empty register has the same columns."""
    schema = Register(
        "t_types", "类型", 1, dt.date(2020, 1, 1), Level.SCHOOL, PeriodKind.NONE,
        (Field("area", FieldType.NUMBER, "面积"), Field("cost", FieldType.NUMBER, "金额", decimals=2),
         Field("day", FieldType.DATE, "日期"), Field("at", FieldType.DATETIME, "时刻"), Field("yes", FieldType.BOOLEAN, "是否"),
         Field("many", FieldType.ARRAY, "多选"), Field("word", FieldType.STRING, "文字")),
    )  # fmt: skip
    load_pack(Pack({"t_types": (schema,)}, {}), acting_user=None)
    row = RegisterRow.objects.get(name="t_types")
    empty = snapshot("t_types").schema()
    data = {
        "area": "0.125", "cost": "12345678901234567890.10", "day": "2025-09-01", "at": "2025-09-30T15:30:00Z",
        "yes": False, "many": ["01", "03"], "word": "0301",
    }  # fmt: skip
    put(row, 1, [Change(world["甲"].pk, data)], clock.now())
    put(row, 1, [Change(world["乙"].pk, {})], clock.now())
    table = snapshot("t_types").order_by("_record")
    first, second = table.to_polars().to_dicts()
    assert first["area"] == Decimal("0.125")
    assert first["cost"] == Decimal("12345678901234567890.10")
    assert (first["day"], first["at"]) == (dt.date(2025, 9, 1), dt.datetime(2025, 9, 30, 15, 30))
    assert (first["yes"], first["many"], first["word"]) == (False, ["01", "03"], "0301")
    assert all(second[name] is None for name in data)
    assert first["_district"] == world["东"].pk
    assert table.columns == tuple(empty)


def test_every_change_is_in_the_next_table(things, world):
    """Changed, deleted, added at one and the same moment of the clock; the superseded file does no harm."""
    record = Record.objects.get(register=things, key="2")
    assert snapshot("t_things").count().execute() == 5
    put(things, 2, [Change(world["甲"].pk, {"no": "2", "computers": 21}, record_id=record.pk)], clock.now())
    frame = snapshot("t_things", clock.now()).to_polars()
    assert frame.filter(frame["no"] == "2")["computers"].to_list() == [21]
    put(things, 2, [Change(world["甲"].pk, None, record_id=record.pk)], clock.now())
    assert snapshot("t_things").count().execute() == 4
    assert snapshot("t_things", dt.date(2025, 9, 14)).count().execute() == 5


def test_a_table_carried_on_is_the_table_made_anew(things, world, monkeypatch):
    """Added, changed twice, deleted, brought back, in random order: after each the carried table equals a whole one."""
    import random

    from jiaoheng.bureau.ledgers import snapshot_frames
    from jiaoheng.bureau.ledgers.snapshot_columns import columns_of

    dice = random.Random(7)
    versions = registry.schema_versions(things)
    columns = columns_of(versions)
    snapshot_files.parquet_of(things, versions)
    made = []
    monkeypatch.setattr(snapshot_frames, "whole", lambda *_: made.append(1))  # never asked for again
    unit = world["甲"].pk
    for number in range(25):
        records = list(Record.objects.filter(register=things, deleted_at__isnull=True).order_by("pk"))
        at = clock.now() + dt.timedelta(minutes=number)
        for _ in range(dice.randint(1, 3)):
            one = dice.choice(records) if records else None
            kind = dice.choice(("new", "new", "change", "change", "delete")) if records else "new"
            if kind == "new":
                change = Change(unit, {"no": f"n{number}-{dice.random()}", "computers": number})
            elif kind == "change":
                change = Change(unit, {"no": one.key, "computers": dice.randint(1, 999)}, record_id=one.pk)
            else:
                change = Change(unit, None, record_id=one.pk)
                records.remove(one)
            put(things, 2, [change], at)
        found = pl.read_parquet(snapshot_files.parquet_of(things, versions))
        whole = snapshot_frames._frame(things, columns, 0, 10**12)
        key = ["_record", "_version"]
        assert found.sort(key).equals(whole.sort(key))
    assert not made


def test_a_past_that_changed_is_read_anew(things, world):
    """A version with an earlier number that was committed later, or a corrected line of units: no file is carried on."""
    versions = registry.schema_versions(things)
    snapshot_files.parquet_of(things, versions)
    first = RecordVersion.objects.filter(register=things).order_by("pk").first()
    gap = RecordVersion.objects.filter(register=things).order_by("-pk").first()
    late = RecordVersion.objects.get(pk=gap.pk)
    put(things, 2, [Change(world["甲"].pk, {"no": "77", "computers": 1})], clock.now())
    newest = RecordVersion.objects.filter(register=things).order_by("-pk").first()
    RecordVersion.objects.filter(pk=newest.pk).update(id=newest.pk + 10)  # numbers between were taken, not committed
    assert snapshot("t_things").count().execute() == 6
    late.pk, late.number, late.record_id = newest.pk + 5, 9, first.record_id
    late.save(force_insert=True)
    assert snapshot("t_things").count().execute() == 7


def test_the_worker_keeps_the_files_of_large_registers_ready(things, world, monkeypatch):
    """After its turn a question meets a file that is there; small registers are left alone."""
    from jiaoheng.bureau.core import schedule
    from jiaoheng.bureau.ledgers import snapshot_duty

    run = schedule.DUTIES["snapshots"].run
    assert run() == "备好 0 个台账的统计底稿"
    monkeypatch.setattr(snapshot_duty, "LARGE", 4)
    assert run() == "备好 1 个台账的统计底稿"
    path = snapshot_files._path(things, snapshot_files.state_of(things))
    assert path.is_file()


def test_protected_columns_stay_out(world, noon):
    """Numbers of persons do not lie in a file of figures."""
    from bureau.ledgers.registers_for_tests import ROSTER

    row = store(ROSTER)
    put(row, 1, [Change(world["甲"].pk, {"code": "1", "name": "林", "id_number": "990000201204070001"})], clock.now())
    assert "id_number" not in snapshot(row).columns
    for path in Path(snapshot_files._folder()).rglob("*.parquet"):
        assert b"990000201204070001" not in path.read_bytes()


def test_p16_approved_keeps_the_approved_content(world, noon):
    """Approved 45, changed to 54: the approved table says 45, the other 54; units without approval are absent."""
    row, period = store(CONDITIONS), year(2025)
    first = clock.beijing(2025, 9, 5, 9)
    made = put(row, 1, [Change(world[one].pk, {"teachers": 45, "classes": 9}) for one in ("甲", "乙")], first, period)
    asked = Round.objects.create(
        register=row, period=period, title="2025", scope_unit=world["县"], reference_date=dt.date(2025, 9, 1),
        opens_at=first, due_at=first, created_by=world["股长"], created_at=first,
    )  # fmt: skip
    Filing.objects.create(
        round=asked,
        unit=world["甲"],
        state="returned",
        content=2,
        approved_content=1,
        approved_as_of=clock.beijing(2025, 9, 6),
    )
    put(
        row,
        1,
        [Change(world["甲"].pk, {"teachers": 54, "classes": 9}, made[0].record_id)],
        clock.beijing(2025, 9, 7),
        period,
    )
    approved = snapshot(row, period=period, approved=True).to_polars()
    assert approved["teachers"].to_list() == [45]
    assert sorted(snapshot(row, period=period).to_polars()["teachers"].to_list()) == [45, 54]
    assert snapshot(row, period=year(2024), approved=True).count().execute() == 0
    assert snapshot(row, dt.date(2025, 9, 5), period=period, approved=True).count().execute() == 0


def test_old_files_are_swept(things, world, settings):
    """One file a state; superseded ones go after a while, the one in use stays; a killed writer's part goes too."""
    import os

    folder = Path(settings.SNAPSHOTS) / "t_things"
    snapshot("t_things")
    old = next(folder.glob("*.parquet"))
    (folder / ".dead.part").write_bytes(b"x")
    for one in (old, folder / ".dead.part"):
        os.utime(one, (1, 1))
    put(things, 2, [Change(world["甲"].pk, {"no": "9", "computers": 1})], clock.now())
    assert snapshot("t_things").count().execute() == 6
    left = list(folder.iterdir())
    assert len(left) == 1
    assert left[0] != old
