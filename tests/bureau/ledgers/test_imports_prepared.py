"""New rows made ready by the preview are stored exactly as the long way stores them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bureau.ledgers import import_kit as kit
from bureau.ledgers.import_kit import HEADS, start
from bureau.ledgers.registers_for_tests import ROSTER, store
from bureau.world import World
from jiaoheng.bureau.core.models import Job, SearchEntry
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.core.worker import Worker
from jiaoheng.bureau.ledgers import record_index, writing
from jiaoheng.bureau.ledgers.imports import confirming, preview
from jiaoheng.bureau.ledgers.imports.confirming import do_confirm_import
from jiaoheng.bureau.ledgers.models import Record, RecordVersion

pytestmark = pytest.mark.django_db(transaction=True)
LEFT = ("id", "record_id", "batch_id", "valid_from")


@pytest.fixture
def roster(world: World, noon: Any) -> Any:
    """The roster without its protected column: what is protected is sealed on the way in and never made ready."""
    return store(replace(ROSTER, fields=tuple(one for one in ROSTER.fields if not one.sensitive)))


def rows(count: int) -> list[list[Any]]:
    made: list[list[Any]] = []
    for number in range(count):
        row: list[Any] = [None] * len(HEADS)
        row[0], row[1] = f"{number:05d}", f"张{number}"
        made.append(row)
    return made


def stored() -> list[dict[str, Any]]:
    versions = RecordVersion.objects.order_by("record_id", "number").values()
    keys = dict(Record.objects.values_list("pk", "key"))
    return [{"key": keys[v["record_id"]]} | {n: x for n, x in v.items() if n not in LEFT} for v in versions]


def bring(world: World, roster: Any, count: int) -> list[dict[str, Any]]:
    batch = start(world, roster, kit.sheet([HEADS, *rows(count)]))
    kit.accept(batch, world)
    batch.refresh_from_db()
    do_confirm_import(batch, acting_user=world["甲填报"])
    found = stored()
    RecordVersion.objects.all().delete()
    Record.objects.all().delete()
    return found


def test_prepared_rows_are_stored_as_others_are(world: World, roster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With and without being made ready, in one part and in several: the same columns, keys and contents."""
    long_way = bring(world, roster, 25)
    monkeypatch.setattr(writing, "AT_ONCE", 5)
    monkeypatch.setattr(preview, "LINE", 4)
    monkeypatch.setattr(confirming, "PART", 10)
    taken: list[int] = []
    real = writing.write_prepared
    monkeypatch.setattr(
        confirming,
        "write_prepared",
        lambda batch, new, **more: taken.append(len(new.units)) or real(batch, new, **more),
    )
    assert bring(world, roster, 25) == long_way
    assert taken == [12, 12, 1]
    assert len(long_way) == 25


def test_prepared_rows_are_searched_after_the_worker(
    world: World, roster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "AT_ONCE", 5)
    monkeypatch.setattr(record_index, "AT_ONCE", 5)
    bring_in = start(world, roster, kit.sheet([HEADS, *rows(8)]))
    kit.accept(bring_in, world)
    bring_in.refresh_from_db()
    do_confirm_import(bring_in, acting_user=world["甲填报"])
    assert Job.objects.filter(kind="search-records").count() == 1
    while Worker().work_off_one():
        pass
    assert SearchEntry.objects.filter(kind="record").count() == 8


def test_a_key_taken_meanwhile_is_told_and_nothing_is_stored(
    world: World, roster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fingerprint says that nothing moved, the base knows better: the sentence names the record."""
    monkeypatch.setattr(writing, "AT_ONCE", 0)
    kit.bring(world, roster, rows(1))
    batch = start(world, roster, kit.sheet([HEADS, *rows(3)[1:]]))
    kit.accept(batch, world)
    batch.refresh_from_db()
    Record.objects.update(key="00002")
    with pytest.raises(RefusedError, match="已有一条记录"):
        do_confirm_import(batch, acting_user=world["甲填报"])
    assert RecordVersion.objects.count() == 1
