"""P06 at rest: the number of a record is nowhere on the disk, and everything still works through its seal."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from bureau.ledgers.registers_for_tests import store
from bureau.world import World
from jiaoheng.bureau.core import keys, secrets
from jiaoheng.bureau.core.models import Account, AuditEntry
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.ledgers import sealing
from jiaoheng.bureau.ledgers.actions_drafts import do_save_draft
from jiaoheng.bureau.ledgers.actions_records import do_save_record
from jiaoheng.bureau.ledgers.actions_unmask import do_unmask
from jiaoheng.bureau.ledgers.changes import Change
from jiaoheng.bureau.ledgers.key_rotation import rotate
from jiaoheng.bureau.ledgers.key_use import key_state, plain_rows
from jiaoheng.bureau.ledgers.listing import list_page
from jiaoheng.bureau.ledgers.listing_query import ListQuery
from jiaoheng.bureau.ledgers.models import Draft, Record, RecordVersion
from jiaoheng.bureau.ledgers.writing import Batch, write
from jiaoheng.registers.model import Field, FieldType, Level, PeriodKind, Register, Sensitive
from jiaoheng.registers.sealed import Sealed

pytestmark = pytest.mark.django_db
NUMBER, PHONE, ILLNESS = "990000201204070001", "13800001234", "肢体残疾二级甲"
PUPILS = Register(
    name="t_sealed",
    title="学生",
    version=1,
    effective_from=dt.date(2020, 9, 1),
    level=Level.SCHOOL,
    period=PeriodKind.NONE,
    fields=(
        Field("number", FieldType.STRING, "学籍号", required=True, sensitive=Sensitive.ID_NUMBER),
        Field("name", FieldType.STRING, "姓名", search=True, identity=True, filter=True),
        Field("id_number", FieldType.STRING, "身份证", sensitive=Sensitive.ID_NUMBER, unique=True),
        Field("phone", FieldType.STRING, "手机", sensitive=Sensitive.PHONE),
        Field("illness", FieldType.STRING, "残疾", sensitive=Sensitive.SPECIAL),
        Field("amount", FieldType.INTEGER, "资助", sensitive=Sensitive.SPECIAL),
    ),
    key=("number",),
)
VALUES = {
    "number": "G99000020120407",
    "name": "甲",
    "id_number": NUMBER,
    "phone": PHONE,
    "illness": ILLNESS,
    "amount": "800",
}
SECRETS = (NUMBER, PHONE, ILLNESS, VALUES["number"])


@pytest.fixture(autouse=True)
def own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[None]:
    """Keys and a data folder of the test's own."""
    settings.DATA = tmp_path / "data"
    monkeypatch.setenv("JIAOHENG_KEYS", str(tmp_path / "keys"))
    keys.forget()
    yield
    keys.forget()


@pytest.fixture
def row(world: World, noon: dt.datetime) -> Any:
    """The register."""
    return store(PUPILS)


def _save(world: World, row: Any, **values: str) -> Any:
    return do_save_record(row, world["甲"], None, {**VALUES, **values}, acting_user=world["甲填报"])


def _raw() -> str:
    """Every text of every table, as a thief of the database would read it."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608
            found.append(repr(cursor.fetchall()))
    return "".join(found)


def test_p06_nothing_of_it_lies_in_the_database(world: World, row: Any) -> None:
    """Records, keys, drafts, resend keys, audit, search: of each protected value 0 places."""
    do_save_record(row, world["甲"], None, VALUES, resend_key="k", acting_user=world["甲填报"], source="form")
    do_save_draft(row, world["甲"], None, {**VALUES, "number": "G1"}, acting_user=world["甲填报"])
    Account.objects.filter(pk=world["甲填报"].pk).update(phone=PHONE)
    raw = _raw()
    assert {one: raw.count(one) for one in SECRETS} == dict.fromkeys(SECRETS, 0)
    assert Account.objects.get(pk=world["甲填报"].pk).phone == PHONE
    assert Draft.objects.get().typed["id_number"] == NUMBER


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="the file of SQLite")
def test_p06_nothing_of_it_lies_in_the_file(world: World, row: Any) -> None:
    """Not in the database file nor in its log, also after the record was changed and deleted, without a VACUUM."""
    saved = _save(world, row)
    _ = do_save_record(
        row, world["甲"], None, {"phone": "13900005678"}, record_id=saved.record_id, base=1, acting_user=world["甲填报"]
    )
    name = Path(str(connection.settings_dict["NAME"]))
    files = [one for one in name.parent.glob(f"{name.name}*") if one.is_file()]
    files += [one for one in Path(settings.FILES).rglob("*") if one.is_file()]
    assert len(files) >= 1
    for path in files:
        content = path.read_bytes()
        for secret in (*SECRETS, "13900005678"):
            assert secret.encode() not in content, (path.name, secret)


def test_values_come_back_as_they_were(world: World, row: Any) -> None:
    """`content_of` gives plain values of their own types; what is read without it is masked."""
    saved = _save(world, row)
    version = RecordVersion.objects.get(record_id=saved.record_id)
    assert sealing.content_of(version, PUPILS) == {**VALUES, "amount": 800}
    assert [str(version.data[name]) for name in ("id_number", "phone", "illness", "amount")] == [
        "990000********0001",
        "138****1234",
        "******",
        "******",
    ]
    assert all(isinstance(version.data[one.name], Sealed) for one in PUPILS.sealed_fields)


def test_values_with_few_forms_have_no_hash(world: World, row: Any) -> None:
    """Equal hashes would tell who has the same illness."""
    saved = _save(world, row)
    data = RecordVersion.objects.get(record_id=saved.record_id).data
    assert data["illness"].digest == data["amount"].digest == ""
    assert data["id_number"].digest != ""


def test_a_whole_number_is_found_by_an_index(world: World, row: Any) -> None:
    """The plan of the query names the hash column's index; a part finds nothing."""
    _save(world, row)
    page = list_page(world["甲填报"], row.name, ListQuery(text=NUMBER))
    assert len(page.rows) == 1
    assert not list_page(world["甲填报"], row.name, ListQuery(text=NUMBER[:-1])).rows
    one = PUPILS.by_name["id_number"]
    assert sealing.hash_slots(PUPILS) == {"number": 0, "id_number": 1, "phone": 2}
    found = RecordVersion.objects.filter(
        sealing.with_value(PUPILS, one, NUMBER), valid_to__isnull=True, deleted=False, register=row
    )
    assert found.count() == 1
    if connection.vendor == "sqlite":
        assert "version_h1" in found.explain()


def test_the_same_number_twice_and_the_same_key_twice_are_refused(world: World, row: Any) -> None:
    """By the hash: told with the mask."""
    _save(world, row)
    with pytest.raises(RefusedError) as refused:
        _save(world, row, number="G99000020120408")
    assert "990000********0001" in refused.value.places["id_number"]
    with pytest.raises(RefusedError) as taken:
        _save(world, row, id_number="990000201204070017")
    assert taken.value.code == "key-taken"
    assert not any(secret in str(taken.value) for secret in SECRETS)


def test_a_value_moved_to_another_field_or_register_does_not_open(world: World, row: Any) -> None:
    """Somebody with the database in his hands cannot let the page show another's value in its place."""
    saved = _save(world, row)
    version = RecordVersion.objects.get(record_id=saved.record_id)
    version.data["phone"] = version.data["id_number"]
    version.save()
    again = RecordVersion.objects.get(pk=version.pk)
    with pytest.raises(secrets.SealBrokenError):
        sealing.content_of(again, PUPILS)


def test_a_mask_never_overwrites_a_number(world: World, row: Any) -> None:
    """The writer refuses it: whoever brings a mask lost the number on the way."""
    change = Change(world["甲"].pk, {"number": "G2", "id_number": "990000********0001"})
    with pytest.raises(ValueError, match="mask"):
        write(Batch(row, PUPILS, None, None, "form"), [change])


def test_an_unchanged_number_stays_sealed_as_it_is(world: World, row: Any) -> None:
    """Saving another field, a blank or the same number makes no change of the number."""
    saved = _save(world, row)
    again = do_save_record(
        row,
        world["甲"],
        None,
        {"name": "甲甲", "id_number": "", "phone": PHONE},
        record_id=saved.record_id,
        base=1,
        acting_user=world["甲填报"],
    )
    assert again.number == 2
    assert [one["field"] for one in AuditEntry.objects.get(action="record.change").changes] == ["name"]
    assert do_unmask(saved.record_id, "id_number", "核对学籍", acting_user=world["甲校长"]) == NUMBER


def _plain(row: Any, saved: Any) -> None:
    """The record as it was stored before there were keys."""
    version = RecordVersion.objects.get(record_id=saved.record_id)
    RecordVersion.objects.filter(pk=version.pk).update(
        data={**VALUES, "amount": 800}, h0=None, h1=None, h2=None, h3=None
    )
    Record.objects.filter(pk=saved.record_id).update(key=VALUES["number"])


def test_what_was_stored_before_is_sealed_by_rotate(world: World, row: Any) -> None:
    """The upgrade: content, key and search columns; nothing is left to do afterwards."""
    saved = _save(world, row)
    before = Record.objects.get(pk=saved.record_id).key
    _plain(row, saved)
    assert plain_rows() == 1
    assert any("keys rotate" in one for one in key_state().sentences)
    assert rotate(acting_user=None).rows == 1
    assert {one: _raw().count(one) for one in SECRETS} == dict.fromkeys(SECRETS, 0)
    assert Record.objects.get(pk=saved.record_id).key == before
    assert len(list_page(world["甲填报"], row.name, ListQuery(text=NUMBER)).rows) == 1
    assert plain_rows() == 0
    assert rotate(acting_user=None).rows == 0


def test_rotation_can_be_ended_anywhere_and_goes_on(world: World, row: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a new key: old versions too, each part with its entry; then the old key may go."""
    from jiaoheng.bureau.ledgers import key_rotation

    monkeypatch.setattr(key_rotation, "PART", 2)
    for number in range(5):
        _save(world, row, number=f"G{number}", id_number=f"99000020120407000{number}")
    first = RecordVersion.objects.order_by("pk").first()
    assert first is not None
    do_save_record(
        row, world["甲"], None, {"name": "新"}, record_id=first.record_id, base=1, acting_user=world["甲填报"]
    )
    Account.objects.filter(pk=world["甲填报"].pk).update(phone=PHONE)
    do_save_draft(row, world["甲"], None, {**VALUES, "number": "G1"}, acting_user=world["甲填报"])
    made = keys.add_key()

    class EndedError(Exception):
        pass

    def end(_what: str, done: int) -> None:
        if done >= 2:
            raise EndedError

    with pytest.raises(EndedError):
        rotate(end, acting_user=None)
    state = {one.key_id: one.rows for one in key_state().keys}
    assert state == {made: 2, "k1": 4}
    assert rotate(acting_user=None).rows == 4 + 2  # the other versions, one phone, one draft
    assert {one.key_id: one.rows for one in key_state().keys} == {made: 6, "k1": 0}
    entries = AuditEntry.objects.filter(action="keys.rotate")
    assert sum(entries.values_list("count", flat=True)) == 8
    path = keys.key_file()
    path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith("k1:")))
    keys.forget()
    versions = RecordVersion.objects.order_by("pk")
    assert [sealing.content_of(one, PUPILS)["name"] for one in versions] == ["甲"] * 5 + ["新"]
    assert Account.objects.get(pk=world["甲填报"].pk).phone == PHONE
    assert Draft.objects.get().typed["id_number"] == NUMBER


def test_without_the_key_the_refusal_names_it(world: World, row: Any) -> None:
    """Lists still show their masks; the full value is refused with the key's id."""
    saved = _save(world, row)
    key = base64.b64encode(b"x" * 32).decode()
    text = keys.key_file().read_text()
    keys.key_file().write_text(f"other:{key}\n" + "".join(x for x in text.splitlines(True) if x.startswith("search")))
    keys.forget()
    page = list_page(world["甲填报"], row.name, ListQuery(columns=("name", "id_number")))
    assert page.rows[0].cells[1].text == "990000********0001"
    with pytest.raises(keys.KeyMissingError, match="k1"):
        do_unmask(saved.record_id, "id_number", "核对学籍", acting_user=world["甲校长"])
    assert key_state().foreign == 1


def test_lists_open_nothing(world: World, row: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading a page costs no decryption at all."""
    from jiaoheng.bureau.ledgers.history import versions_told

    saved = _save(world, row)

    def refuse(_cipher: str) -> Any:
        raise AssertionError("opened")

    monkeypatch.setattr("jiaoheng.registers.sealed._opener", [refuse])
    names = tuple(one.name for one in PUPILS.fields)
    page = list_page(world["甲填报"], row.name, ListQuery(columns=names))
    assert page.rows[0].cells[2].text == "990000********0001"
    changes = versions_told(Record.objects.get(pk=saved.record_id))[0].changes
    assert "990000********0001" in [one.new for one in changes]


def test_masked_exports_open_nothing_and_take_protected_lists(
    world: World, noon: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list cannot be hashed, and hashing a sealed value opens it: the workbook keeps its cells by the masks."""
    from jiaoheng.bureau.core.capabilities import Can
    from jiaoheng.bureau.core.files import open_file
    from jiaoheng.bureau.core.scope import scope_of
    from jiaoheng.bureau.ledgers.exports import Chosen, do_export
    from jiaoheng.bureau.ledgers.models.records import CURRENT

    several = Field("hardship", FieldType.ARRAY, "困难", sensitive=Sensitive.SPECIAL)
    register = store(dataclasses.replace(PUPILS, name="t_lists", fields=(*PUPILS.fields, several)))
    for number in range(3):
        own = {"number": f"G9900002012040{number}", "id_number": f"99000020120407000{number}", "hardship": "低保"}
        do_save_record(register, world["甲"], None, {**VALUES, **own}, acting_user=world["甲填报"])

    def refuse(_cipher: str) -> Any:
        raise AssertionError("opened")

    monkeypatch.setattr("jiaoheng.registers.sealed._opener", [refuse])
    readable = scope_of(world["甲填报"], Can.READ).rows(register.name)
    rows = list(RecordVersion.objects.filter(CURRENT, readable, register=register))
    for form in ("xlsx", "csv"):
        made = do_export(register, Chosen(rows, "全部"), form=form, acting_user=world["甲填报"])
        served = open_file(world["甲填报"], str(made.pk))
        with served.open() as content:
            assert len(content.read()) > 100
