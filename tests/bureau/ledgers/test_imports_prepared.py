"""New rows made ready by the preview are stored exactly as the long way stores them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from bureau.ledgers import import_kit as kit
from bureau.ledgers.import_kit import HEADS, start
from bureau.ledgers.registers_for_tests import ROSTER, store
from bureau.world import World
from jiaoheng.bureau.core import keys, secrets
from jiaoheng.bureau.core.models import Job, SearchEntry
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.core.worker import Worker
from jiaoheng.bureau.ledgers import record_index, sealing, writing
from jiaoheng.bureau.ledgers.imports import confirming, preview
from jiaoheng.bureau.ledgers.imports.confirming import do_confirm_import
from jiaoheng.bureau.ledgers.models import Record, RecordVersion
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.registers.sealed import Sealed

pytestmark = pytest.mark.django_db(transaction=True)
LEFT = ("id", "record_id", "batch_id", "valid_from")


@pytest.fixture
def roster(world: World, noon: Any) -> Any:
    """The roster without its protected column."""
    return store(replace(ROSTER, fields=tuple(one for one in ROSTER.fields if not one.sensitive)))


@pytest.fixture
def protected(world: World, noon: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The whole roster, stored the quick way however few rows come."""
    monkeypatch.setattr(writing, "AT_ONCE", 0)
    return store(ROSTER)


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


def with_numbers(count: int) -> list[list[Any]]:
    return [[*row, f"99000020120407{row[0][-4:]}"] for row in rows(count)]


def upload(count: int) -> Any:
    return kit.sheet([[*HEADS, "身份证"], *with_numbers(count)], name="名册%s100%'甲.xlsx")


def plain(row: Any) -> list[str]:
    schema = schema_of(row)
    found = RecordVersion.objects.filter(register=row).order_by("record_id")
    return [sealing.content_of(one, schema)["id_number"] for one in found]


def test_protected_rows_are_sealed_when_they_are_made_ready(
    world: World, protected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sealed, masked and found by their hashes as by the long way; while the base is locked nothing is sealed."""
    batch = start(world, protected, upload(600))
    kit.accept(batch, world)
    batch.refresh_from_db()
    monkeypatch.setattr(sealing, "seal_rows", None)  # the long way would call it
    do_confirm_import(batch, at_once=True, acting_user=world["甲填报"])
    assert plain(protected) == [row[-1] for row in with_numbers(600)]
    newest = RecordVersion.objects.get(**{"data__code": "00007"})
    assert type(newest.data["id_number"]) is Sealed
    assert str(newest.data["id_number"]) == "990000********0007"
    schema = schema_of(protected)
    found = sealing.with_value(schema, schema.by_name["id_number"], "990000201204070007")
    assert [one.pk for one in RecordVersion.objects.filter(found)] == [newest.pk]
    assert "名册%s100%'甲.xlsx" in newest.reason


@pytest.fixture
def own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[None]:
    """Keys and a data folder of the test's own."""
    settings.DATA = tmp_path / "data"
    monkeypatch.setenv("JIAOHENG_KEYS", str(tmp_path / "keys"))
    keys.forget()
    yield
    keys.forget()


def test_rows_made_ready_under_an_older_key_are_sealed_anew(own_keys: None, world: World, protected: Any) -> None:
    """Between preview and confirmation the keys were changed: nothing is stored under the old one."""
    batch = start(world, protected, upload(3))
    kit.accept(batch, world)
    batch.refresh_from_db()
    fresh = keys.add_key()
    do_confirm_import(batch, acting_user=world["甲填报"])
    assert {one.data["id_number"].key_id for one in RecordVersion.objects.all()} == {fresh}
    assert plain(protected) == [row[-1] for row in with_numbers(3)]


def test_a_preview_of_an_earlier_program_can_be_confirmed(world: World, roster: Any) -> None:
    """Its rows lie in lines of text, and those made ready have their contents beside their keys."""
    batch = start(world, roster, kit.sheet([HEADS, *rows(4)]))
    kit.accept(batch, world)
    batch.refresh_from_db()
    folder = preview._folder(batch.preview)
    (line,) = preview.lines(batch.preview)
    head, *texts = line.split(b"\n")
    old = orjson.loads(head) | {"texts": [one.decode() for one in texts]}
    for name in ("hashes", "key_id"):
        del old[name]
    (folder / "rows.jsonl").write_bytes(secrets.seal_bytes(preview._PLACE, orjson.dumps(old)) + b"\n")
    (folder / preview.ROWS).unlink()
    do_confirm_import(batch, acting_user=world["甲填报"])
    assert [one["key"] for one in stored()] == ["00000", "00001", "00002", "00003"]


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
