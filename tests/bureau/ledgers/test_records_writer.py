"""The writer under a whole file: same rows as one by one, search by the worker, keys that change hands."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bureau.ledgers.registers_for_tests import ROSTER, store
from bureau.world import World
from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.models import SearchEntry
from jiaoheng.bureau.core.refusals import ConflictError, RefusedError
from jiaoheng.bureau.core.worker import Worker
from jiaoheng.bureau.ledgers import record_index
from jiaoheng.bureau.ledgers.changes import Change, key_of, keys_of
from jiaoheng.bureau.ledgers.models import Record, RecordVersion
from jiaoheng.bureau.ledgers.slots import slot_columns, slot_key, slot_keys
from jiaoheng.bureau.ledgers.writing import Batch, digest, write
from jiaoheng.methods.sort_keys import number_key, text_key
from jiaoheng.registers.model import Field, FieldType


@audit.action
def do_write(row: Any, changes: list[Change], *, at: dt.datetime | None = None, acting_user: Any) -> Any:
    """The writer inside an action."""
    written = write(Batch(row, ROSTER, None, acting_user, "file", at=at), changes)
    audit.note("test.write", actor=acting_user, count=len(changes), digest=digest(changes))
    return written


@pytest.mark.django_db
def test_updates_deletions_and_new_rows_in_one_writing(world: World, noon: dt.datetime) -> None:
    """A deletion frees its key for a new row; a key may change; everything else keeps its number line."""
    row, unit, clerk = store(ROSTER), world["甲"].pk, world["甲填报"]
    first = do_write(row, [Change(unit, {"code": f"{n}", "name": f"张{n}"}) for n in range(4)], acting_user=clerk)
    a, b, c, d = (one.record_id for one in first)
    changes = [
        Change(unit, {"code": "0", "name": "新"}),
        Change(unit, None, a, 1),
        Change(unit, {"code": "1", "name": "改"}, b, 1),
        Change(unit, {"code": "22", "name": "张2"}, c, 1),
    ]
    written = do_write(row, changes, at=noon + dt.timedelta(hours=1), acting_user=clerk)
    assert [one.number for one in written] == [1, 2, 2, 2]
    records = {one.pk: (one.key, one.number, one.deleted_at is not None) for one in Record.objects.all()}
    assert records == {
        a: ("0", 2, True), b: ("1", 2, False), c: ("22", 2, False), d: ("3", 1, False), written[0].record_id: ("0", 1, False)
    }  # fmt: skip
    closed = RecordVersion.objects.filter(valid_to__isnull=False)
    assert {one.record_id for one in closed} == {a, b, c}
    assert {one.valid_to for one in closed} == {noon + dt.timedelta(hours=1)}
    deleted = RecordVersion.objects.get(record_id=a, number=2)
    assert (deleted.deleted, deleted.data) == (True, {"code": "0", "name": "张0"})


@pytest.mark.django_db
def test_a_stale_base_or_a_taken_key_writes_nothing(world: World, noon: dt.datetime) -> None:
    """All or nothing, and the base can still be asked afterwards."""
    row, unit, clerk = store(ROSTER), world["甲"].pk, world["甲填报"]
    first = do_write(row, [Change(unit, {"code": f"{n}", "name": f"张{n}"}) for n in range(3)], acting_user=clerk)
    ids = [one.record_id for one in first]
    with pytest.raises(ConflictError, match="甲填报（东镇甲小学） 已于 9 月 15 日 12:00"):
        do_write(row, [Change(unit, {"code": "0", "name": "x"}, ids[0], 5)], acting_user=clerk)
    with pytest.raises(RefusedError, match=f"编号 {ids[1]}"):
        do_write(
            row, [Change(unit, {"code": "9", "name": "x"}), Change(unit, {"code": "1", "name": "y"})], acting_user=clerk
        )
    with pytest.raises(RefusedError, match=f"编号 {ids[1]}"):
        do_write(row, [Change(unit, {"code": "1", "name": "y"}, ids[2], 1)], acting_user=clerk)
    assert RecordVersion.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_a_whole_file_enters_the_search_by_the_worker(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """More rows than are indexed at once: the writing waits for none of it, the worker brings it up."""
    monkeypatch.setattr(record_index, "AT_ONCE", 2)
    row, unit, clerk = store(ROSTER), world["甲"].pk, world["甲填报"]
    do_write(row, [Change(unit, {"code": f"{n}", "name": f"张{n}"}) for n in range(5)], acting_user=clerk)
    entries = SearchEntry.objects.filter(kind="record")
    assert entries.count() == 0
    assert Worker().work_off_one()
    assert sorted(entries.values_list("name", flat=True)) == [f"张{n}" for n in range(5)]


@given(st.lists(st.one_of(st.none(), st.integers(-(10**16), 10**16)), max_size=8))
def test_number_keys_have_one_form(values: list[int | None]) -> None:
    """The short way gives the same key as the long one."""
    one = Field("points", FieldType.INTEGER, "积分", filter=True)
    assert [slot_key(one, value) for value in values] == [None if v is None else number_key(v) for v in values]


@given(st.lists(st.text(st.sampled_from("0123456789班一a "), max_size=70), max_size=8))
def test_columns_of_keys_are_the_rows_keys(values: list[str]) -> None:
    """Many at once or one by one."""
    assert [slot_key(ROSTER.by_name["code"], value) for value in values] == [text_key(value) for value in values]
    rows: list[Any] = [{"code": value, "points": len(value)} for value in values]
    assert [list(keys) for keys in zip(*slot_columns(ROSTER, rows), strict=True)] == [
        slot_keys(ROSTER, r) for r in rows
    ]
    two = replace(ROSTER, key=("code", "points"))
    for register in (ROSTER, two, replace(ROSTER, key=())):
        assert keys_of(register, rows) == [key_of(register, row) for row in rows]


def test_the_digest_tells_contents_apart(noon: dt.datetime) -> None:
    """Any change of a row is another digest; the order of names in a row is none."""
    rows = [Change(1, {"code": "1", "name": "张"}), Change(1, {"code": "2"})]
    assert digest(rows) == digest([Change(1, {"name": "张", "code": "1"}), Change(1, {"code": "2"})])
    assert digest(rows) != digest(rows[:1])
    assert digest(rows) != digest([rows[0], Change(2, {"code": "2"})])
    assert clock.today() == dt.date(2025, 9, 15)
