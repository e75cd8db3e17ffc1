"""Sealing anew: after a new key was added, and for values that were stored before there were keys.

Works through versions of records (old ones too), phones, drafts and files in parts of their own, so that it can be ended at any
moment and goes on where it was: what the newest key has sealed is left alone. The content of a version does not change
by it, so the version stays the one it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from secrets import token_hex
from typing import Any

import orjson
from django.db import connection, models, transaction

from jiaoheng.bureau.core import audit, files, keys, sealed_files, secrets
from jiaoheng.bureau.core.models import Account, Attachment, SecondFactor
from jiaoheng.bureau.ledgers import sealing
from jiaoheng.bureau.ledgers.changes import carried, key_of
from jiaoheng.bureau.ledgers.imports.files import RESULTS
from jiaoheng.bureau.ledgers.models import Draft, Record, RecordVersion, RegisterRow
from jiaoheng.bureau.ledgers.registry import newest_schema, schema_versions
from jiaoheng.registers.model import Data, Field, Register
from jiaoheng.registers.sealed import CIPHER, Sealed

PART = 2_000  # rows of one transaction
Progress = Callable[[str, int], None]
_OTHERS: tuple[tuple[type[models.Model], str, bool], ...] = (
    (Account, "phone", False),
    (Draft, "typed", True),
    (SecondFactor, "secret", False),
)


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a run did: rows that were sealed anew, of versions, phones, drafts, second factors and files; `key_id`: the key
    they have now."""

    rows: int
    key_id: str


def rotate(progress: Progress = lambda _what, _done: None, *, acting_user: Account | None) -> Rotated:
    """Seal with the newest key whatever another key sealed or nobody did. Each part leaves its own entry with its count.

    KeyMissingError names a key that is needed and not there: what is done by then stays done.
    """
    total = 0
    for row in RegisterRow.objects.order_by("pk"):
        schemas = {one.version: _covering(one, newest_schema(row)) for one in schema_versions(row)}
        if not any(one.sealed_fields for one in schemas.values()):
            continue
        last = 0
        while (ids := _next(row, last)) is not None:
            done = _versions_due(schemas, ids)
            if done:
                total += do_reseal_versions(row, done, schemas, acting_user=acting_user)
            last = ids[-1]
            progress(row.title, total)
    for model, column, is_json in _OTHERS:
        for part in _parts_of(model, column):
            total += do_reseal_column(model, column, part, is_json, acting_user=acting_user)
            progress(str(model._meta.verbose_name), total)
    for pk, path in Attachment.objects.order_by("pk").values_list("pk", "path"):
        if _file_is_due(path):
            total += do_reseal_file(pk, acting_user=acting_user)
            progress("文件", total)
    return Rotated(total, keys.ring().newest)


@audit.action
def do_reseal_versions(
    row: RegisterRow, version_ids: list[int], schemas: Mapping[int, Register], *, acting_user: Account | None
) -> int:
    """Seal the protected values of some versions with the newest key; keys and hash columns of their records follow."""
    newest = newest_schema(row)
    columns = ("pk", "record_id", "schema_version", "data", "valid_to")
    found = list(RecordVersion.objects.filter(pk__in=version_ids).order_by("pk").values_list(*columns))
    updates: list[tuple[Any, ...]] = []
    names: dict[int, str] = {}
    for version in {one[2] for one in found}:
        schema = schemas[version]
        mine = [one for one in found if one[2] == version]
        sealed = sealing.seal_rows(schema, [_loosened(schema, one[3]) for one in mine])
        hashes = zip(*sealing.hash_columns(newest, [carried(newest, data) for data in sealed]), strict=True)
        for one, data, numbers in zip(mine, sealed, hashes, strict=True):
            text = orjson.dumps(data, sealing.json_default, orjson.OPT_PASSTHROUGH_SUBCLASS).decode()
            updates.append((text, *numbers, one[0]))
            if one[4] is None and schema.has_sealed_key:
                names[one[1]] = key_of(schema, data)
    _put(updates, names)
    about = ("register", row.pk, row.title)
    audit.note("keys.rotate", actor=acting_user, about=about, count=len(updates), reason=_reason())
    return len(updates)


@audit.action
def do_reseal_column(
    model: type[models.Model], column: str, ids: list[int], is_json: bool, *, acting_user: Account | None
) -> int:
    """Seal one column of some rows with the newest key."""
    for one in model._default_manager.select_for_update().filter(pk__in=ids):
        one.save(update_fields=[column])
    about = (model._meta.model_name or "", "", str(model._meta.verbose_name))
    audit.note("keys.rotate", actor=acting_user, about=about, count=len(ids), reason=_reason())
    return len(ids)


@audit.action
def do_reseal_file(pk: object, *, acting_user: Account | None) -> int:
    """Seal a stored file, and its small picture, with the newest key under a new name: ended midway, the old ones are still
    there and named. Size and hash are of the plain content, also where an earlier version noted those of the sealed one."""
    found = Attachment.objects.select_for_update().get(pk=pk)
    before, old = found.path, files.full_path(found.path)
    folder = found.path.rpartition("/")[0]
    found.path = f"{folder}/{token_hex(16)}{old.suffix}" if folder else f"{token_hex(16)}{old.suffix}"
    try:
        for suffix in ("", files.SMALL_SUFFIX):
            one = files.full_path(before + suffix)
            if one.is_file():
                sealed_files.reseal(one, files.full_path(found.path + suffix))
    except BaseException:
        files.remove(found.path)
        raise
    found.size = sealed_files.plain_size(files.full_path(found.path))
    found.sha256 = sealed_files.plain_digest(files.full_path(found.path))
    found.save(update_fields=["path", "size", "sha256"])
    audit.note("keys.rotate", actor=acting_user, about=("file", found.pk, found.name), reason=_reason())
    transaction.on_commit(lambda: files.remove(before))
    return 1


def lies_sealed(path: str) -> bool:
    """Whether an attachment's file has to lie sealed: all that was handed in; of what the program makes only what holds
    full numbers, which says so itself."""
    return not path.startswith(f"{RESULTS}/")


def _file_is_due(path: str) -> bool:
    there = [one for one in map(files.full_path, (path, path + files.SMALL_SUFFIX)) if one.is_file()]
    used = {sealed_files.key_id_of(one) for one in there}
    if not lies_sealed(path):
        used.discard(None)
    return bool(used - {keys.ring().newest})


def _reason() -> str:
    return f"用密钥“{keys.ring().newest}”重新加密"


def _covering(schema: Register, newest: Register) -> Register:
    """A version of a schema that protects what the newest one protects too: a column may have become protected since."""
    protected = {name: one for one in newest.sealed_fields for name in (one.name, *one.renamed_from)}
    fields = tuple(_stricter(one, protected.get(one.name)) for one in schema.fields)
    return replace(schema, fields=fields)


def _stricter(one: Field, other: Field | None) -> Field:
    if one.sensitive or other is None or not replace(one, sensitive=other.sensitive).is_sealed:
        return one
    return replace(one, sensitive=other.sensitive)


def _next(row: RegisterRow, last: int) -> list[int] | None:
    ids = list(
        RecordVersion.objects.filter(register=row, pk__gt=last).order_by("pk").values_list("pk", flat=True)[:PART]
    )
    return ids or None


def _versions_due(schemas: Mapping[int, Register], ids: list[int]) -> list[int]:
    newest = keys.ring().newest
    rows = RecordVersion.objects.filter(pk__in=ids).values_list("pk", "schema_version", "data")
    return [pk for pk, version, data in rows if version in schemas and _is_due(schemas[version], data, newest)]


def _is_due(schema: Register, data: Data, newest: str) -> bool:
    if any(isinstance(one, Sealed) and one.key_id != newest for one in data.values()):
        return True
    return any(one.name in data and not isinstance(data[one.name], Sealed) for one in schema.sealed_fields)


def _loosened(schema: Register, data: Data) -> Data:
    """The content with the values opened that another key sealed; those of fields the schema no longer has are sealed
    again as they were."""
    newest = keys.ring().newest
    made: Data = dict(data)
    for name, value in data.items():
        if isinstance(value, Sealed) and value.key_id != newest:
            plain = value.open()
            known = schema.by_name.get(name)
            if known is not None and known.is_sealed:
                made[name] = plain
            else:
                made[name] = Sealed(str(value), secrets.seal(value.place, plain), value.digest)
    return made


def _put(updates: list[tuple[Any, ...]], names: Mapping[int, str]) -> None:
    table = connection.ops.quote_name(RecordVersion._meta.db_table)
    columns = ", ".join(f"{one} = %s" for one in ("data", *(f"h{slot}" for slot in range(sealing.SLOTS))))
    with connection.cursor() as cursor:
        cursor.executemany(f"UPDATE {table} SET {columns} WHERE id = %s", updates)  # noqa: S608 (names are ours)
    stale = [
        Record(pk=pk, key=names[pk])
        for pk, key in Record.objects.filter(pk__in=list(names)).values_list("pk", "key")
        if key != names[pk]
    ]
    Record.objects.bulk_update(stale, ["key"], batch_size=200)


def _parts_of(model: type[models.Model], column: str) -> Iterator[list[int]]:
    """Ids of the rows whose column the newest key has not sealed, in parts."""
    table = connection.ops.quote_name(model._meta.db_table)
    wanted = connection.ops.quote_name(column)
    newest = keys.ring().newest
    last = 0
    while True:
        sql = f"SELECT id, {wanted} FROM {table} WHERE id > %s ORDER BY id LIMIT {PART}"  # noqa: S608 (names are ours)
        with connection.cursor() as cursor:
            cursor.execute(sql, [last])
            rows = cursor.fetchall()
        if not rows:
            return
        due = [pk for pk, value in rows if not _is_newest(value, newest)]
        if due:
            yield due
        last = rows[-1][0]


def _is_newest(value: Any, newest: str) -> bool:
    if not value:
        return True
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    found = orjson.loads(text).get(CIPHER, "") if text.startswith("{") else text
    return secrets.key_id_of(str(found)) == newest if ":" in str(found) else False
