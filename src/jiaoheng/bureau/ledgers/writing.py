"""The one way into the records: new versions, closed old ones, search entries, one audit note.

Callers (`actions_records`, imports, restore, merges) have checked the values; here the writer checks what only the
database knows: that the version seen is still the newest, that the key is free, that the unit stands on that day.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import orjson
from django.db import IntegrityError, connection, transaction

from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.bulk_rows import next_ids
from jiaoheng.bureau.core.models import Account, Period, Unit
from jiaoheng.bureau.core.refusals import ConflictError, NotFoundError, RefusedError
from jiaoheng.bureau.core.tree import Line, lines_at, names_at
from jiaoheng.bureau.ledgers import bulk, sealing
from jiaoheng.bureau.ledgers.changes import Change, Written, carried, key_of, keys_of, period_day
from jiaoheng.bureau.ledgers.models import Record, RecordVersion, RegisterRow
from jiaoheng.bureau.ledgers.prepared import Prepared
from jiaoheng.bureau.ledgers.record_index import AT_ONCE, index_changes, index_later, is_searched
from jiaoheng.bureau.ledgers.registry import newest_schema
from jiaoheng.bureau.ledgers.slots import slot_columns
from jiaoheng.registers.model import Data, Register

_DIGESTED = 1_000  # changes hashed together


@dataclass(frozen=True, slots=True)
class Batch:
    """What the changes of one writing have in common."""

    row: RegisterRow
    schema: Register
    period: Period | None
    actor: Account | None
    source: str  # form, file, api, restore, load, merge, undo
    reason: str = ""
    batch_id: int | None = None
    at: dt.datetime | None = None  # the demo and a move of house write history; everybody else: now
    authors: Mapping[int, Account] | None = None  # unit id → author, where many people's rows are written at once
    indexed: bool = True  # False: the caller indexes everything at its end

    @property
    def day(self) -> dt.date:
        """The day whose tree the rows belong to: the period's last day, or today where it is not over."""
        return period_day(self.period, self.at)


@dataclass(frozen=True, slots=True)
class Before:
    """What the writer needs to know of a record: its key, and its newest version."""

    key: str
    version_id: int
    number: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes side by side: record, number of the new version, content, key."""

    ids: list[int]
    numbers: list[int]
    contents: list[Data]
    keys: list[str]


@dataclass(frozen=True, slots=True)
class _Rows:
    """What differs from version to version, side by side."""

    ids: list[int]
    numbers: Iterable[int]
    units: list[int]
    texts: Iterable[str]
    deleted: Iterable[bool]
    restored_from: Iterable[int | None]
    device_seq: Iterable[int | None]
    slots: Sequence[Iterable[str | None]]
    hashes: Sequence[Iterable[int | None]]


def write(batch: Batch, changes: Sequence[Change], *, day: dt.date | None = None) -> list[Written]:
    """Write the changes in order. To be called inside an audited action, which notes them.

    `day`: the reference date of a round, where it is not the period's own. Raises ConflictError where a record was
    changed since, RefusedError where a key is taken or a unit does not stand on that day.
    """
    if not changes:
        return []
    sealed = sealing.seal_rows(batch.schema, [one.data or {} for one in changes])  # what follows sees no full number
    lines = _lines({one.unit_id for one in changes}, day or batch.day)
    old = _newest([one.record_id for one in changes if one.record_id is not None])
    plan = _plan(batch, changes, sealed, old)
    at = batch.at or clock.now()
    if old:
        bulk.close_versions([before.version_id for before in old.values()], at)
    _put_records(batch, changes, plan, old, at)
    bulk.insert_versions(_version_columns(batch, _rows(batch, changes, plan), lines, at))
    _index(batch, changes, plan, lines, at)
    return [
        Written(record_id, number, one.record_id is None)
        for record_id, number, one in zip(plan.ids, plan.numbers, changes, strict=True)
    ]


def stored_as_prepared(batch: Batch, count: int) -> bool:
    """Whether so many new records can be stored by `write_prepared`: of the newest version, indexed later or not."""
    newest = newest_schema(batch.row).version == batch.schema.version
    return newest and batch.authors is None and (not is_searched(batch.schema) or count > AT_ONCE)


def write_prepared(batch: Batch, new: Prepared, *, day: dt.date | None = None) -> int:
    """Write new records that were made ready for the batch's schema, which is the newest; how many. As `write`."""
    lines = _lines(set(new.units), day or batch.day)
    count = len(new.units)
    ids = list(next_ids(Record, count))
    at = batch.at or clock.now()
    try:
        with transaction.atomic():
            bulk.insert_records(_fresh(batch, ids, new.units, new.keys))
    except IntegrityError as error:
        changes = [Change(unit, data) for unit, data in zip(new.units, new.contents(), strict=True)]
        raise RefusedError("key-taken", _taken(batch, changes)) from error
    rows = _Rows(ids, repeat(1), new.units, new.texts, repeat(False), repeat(None), repeat(None), new.slots, new.hashes)
    bulk.insert_versions(_version_columns(batch, rows, lines, at))
    if batch.indexed and is_searched(batch.schema):
        index_later(batch.row, count, at.isoformat())
    return count


def _plan(batch: Batch, changes: Sequence[Change], sealed: Sequence[Data], old: Mapping[int, Before]) -> Plan:
    new_count = sum(one.record_id is None for one in changes)
    fresh = next_ids(Record, new_count) if new_count else ()
    if new_count == len(changes):
        contents = list(sealed)
        return Plan(list(fresh), [1] * new_count, contents, keys_of(batch.schema, contents))
    coming = iter(fresh)
    kept = _contents([one.record_id for one in changes if one.record_id is not None and one.data is None], old)
    ids: list[int] = []
    numbers: list[int] = []
    contents = []
    for one, data in zip(changes, sealed, strict=True):
        if one.record_id is None:
            ids.append(next(coming))
            numbers.append(1)
            contents.append(data)
            continue
        before = old.get(one.record_id)
        if before is None:
            raise NotFoundError
        if one.base is not None and before.number != one.base:
            newest = RecordVersion.objects.get(pk=before.version_id)
            raise ConflictError("version-moved", moved(newest), newest=before.number, record_id=one.record_id)
        ids.append(one.record_id)
        numbers.append(before.number + 1)
        contents.append(kept[one.record_id] if one.data is None else data)
    return Plan(ids, numbers, contents, keys_of(batch.schema, contents))


def _put_records(
    batch: Batch, changes: Sequence[Change], plan: Plan, old: Mapping[int, Before], at: dt.datetime
) -> None:
    ids, units, keys = list[int](), list[int](), list[str]()
    same: list[int] = []
    touched: list[tuple[int, str, Any, int]] = []
    if not old and all(one.record_id is None for one in changes):
        ids, units, keys = plan.ids, [one.unit_id for one in changes], plan.keys
        rest: Iterable[tuple[Change, int, int, str]] = ()
    else:
        rest = zip(changes, plan.ids, plan.numbers, plan.keys, strict=True)
    for one, record_id, number, key in rest:
        if one.record_id is None:
            ids.append(record_id)
            units.append(one.unit_id)
            keys.append(key)
        elif one.data is not None and one.restored_from is None and old[record_id].key == key:
            same.append(record_id)
        else:
            touched.append((number, key, at if one.data is None else None, record_id))
    try:
        with transaction.atomic():  # a savepoint: the base can still be asked which record has the key
            # what frees a key goes before what takes it: a deletion and a new record of its key in one writing
            touched.sort(key=lambda one: one[2] is None)
            if same:
                bulk.count_up(same)
            if touched:
                bulk.renumber(touched)
            if ids:
                bulk.insert_records(_fresh(batch, ids, units, keys))
    except IntegrityError as error:
        raise RefusedError("key-taken", _taken(batch, changes)) from error


def _fresh(batch: Batch, ids: list[int], units: list[int], keys: list[str]) -> list[Iterable[Any]]:
    """The columns of bulk.RECORD_COLUMNS of new records."""
    period_id = batch.period.pk if batch.period is not None else None
    return [ids, repeat(batch.row.pk), units, repeat(period_id), keys, repeat(1)]


def _index(batch: Batch, changes: Sequence[Change], plan: Plan, lines: Mapping[int, Line], at: dt.datetime) -> None:
    if not batch.indexed or not is_searched(batch.schema):
        return
    rows = list(zip(plan.ids, changes, plan.contents, strict=True))
    kept = [(record_id, one.unit_id, data) for record_id, one, data in rows if one.data is not None]
    gone = [record_id for record_id, one, _data in rows if one.data is None]
    fresh = all(one.record_id is None for one in changes)
    index_changes(batch.row, batch.schema, lines, kept, gone, fresh=fresh, since=at.isoformat())


def _rows(batch: Batch, changes: Sequence[Change], plan: Plan) -> _Rows:
    layout = newest_schema(batch.row)  # slots are numbered alike in every version, or a filter would miss old rows
    same_layout = layout.version == batch.schema.version
    contents = plan.contents if same_layout else [carried(layout, one) for one in plan.contents]
    return _Rows(
        plan.ids,
        plan.numbers,
        [one.unit_id for one in changes],
        map(bytes.decode, sealing.stored_texts(batch.schema, plan.contents)),
        [one.data is None for one in changes],
        [one.restored_from for one in changes],
        [one.device_seq for one in changes],
        slot_columns(layout, contents),
        sealing.hash_columns(layout, contents),
    )


def _version_columns(batch: Batch, rows: _Rows, lines: Mapping[int, Line], at: dt.datetime) -> list[Iterable[Any]]:
    """The columns of bulk.VERSION_COLUMNS: a loop over rows would cost more than the base."""
    placed = [lines[unit] for unit in rows.units]
    author_ids, author_words = _authors(batch, rows.units)
    return [
        rows.ids,
        rows.numbers,
        repeat(batch.row.pk),
        rows.units,
        repeat(batch.period.pk if batch.period is not None else None),
        [line.county_id for line in placed],
        [line.district_id for line in placed],
        [line.school_id for line in placed],
        [line.class_id for line in placed],
        repeat(batch.schema.version),
        rows.texts,
        repeat(connection.ops.adapt_datetimefield_value(at)),
        rows.deleted,
        author_ids,
        author_words,
        repeat(audit.door()),
        repeat(batch.source),
        repeat(batch.batch_id),
        repeat(batch.reason),
        rows.restored_from,
        rows.device_seq,
        *rows.slots,
        *rows.hashes,
    ]


def _authors(batch: Batch, units: Sequence[int]) -> tuple[Iterable[int | None], Iterable[str]]:
    """Account and words of the author of each row: one for all, or each unit's own."""
    if batch.authors is None:
        return repeat(batch.actor.pk if batch.actor is not None else None), repeat(audit.actor_words(batch.actor))
    chosen = {unit: batch.authors.get(unit, batch.actor) for unit in dict.fromkeys(units)}
    ids = {unit: one.pk if one is not None else None for unit, one in chosen.items()}
    many = audit.words_of_many(one for one in chosen.values() if one is not None)
    words: dict[int | None, str] = {pk: said for pk, said in many.items()}  # noqa: C416 (its keys may be None)
    for one in chosen.values():
        key = one.pk if one is not None else None
        if key not in words:
            words[key] = audit.actor_words(one)
    return [ids[unit] for unit in units], [words[ids[unit]] for unit in units]


def digest(changes: Sequence[Change]) -> str:
    """SHA-256 over the contents of a writing in their order, for the audit entry of a bulk action."""
    made = hashlib.sha256()
    for start in range(0, len(changes), _DIGESTED):
        part = [[one.unit_id, one.record_id, one.data] for one in changes[start : start + _DIGESTED]]
        made.update(orjson.dumps(part, _digest_default, orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_SUBCLASS))
    return made.hexdigest()


def _digest_default(value: object) -> str:
    """A sealed value by what is stored of it."""
    return sealing.json_default(value)["c"]


def _lines(units: set[int], day: dt.date) -> dict[int, Line]:
    found = lines_at(units, day)
    missing = units - set(found)
    if missing:
        names = names_at(missing, day)
        unit = Unit.objects.filter(pk=min(missing)).first()
        said = names.get(min(missing), "该单位")
        if unit is not None and day < unit.starts_on:
            raise RefusedError(
                "unit-not-yet", f"“{said}”自 {unit.starts_on:%Y-%m-%d} 起才设立，{day:%Y-%m-%d} 的台账不应有它"
            )
        when = f"{unit.ends_on:%Y-%m-%d}" if unit is not None and unit.ends_on else "此前"
        raise RefusedError("unit-ended", f"“{said}”已于 {when} 撤并，{day:%Y-%m-%d} 的台账不应有它")
    return found


def _newest(record_ids: Sequence[int]) -> dict[int, Before]:
    """The newest version of each record; the records are locked until the transaction ends."""
    if not record_ids:
        return {}
    return {record_id: Before(key, pk, number) for record_id, key, pk, number in bulk.newest_of(record_ids)}


def _contents(record_ids: Sequence[int], old: Mapping[int, Before]) -> dict[int, Data]:
    """What records that are to be deleted say: the deletion keeps it."""
    versions = [old[one].version_id for one in record_ids if one in old]
    found: dict[int, Data] = {}
    for part in bulk.chunks(versions):
        found.update(RecordVersion.objects.filter(pk__in=part).values_list("record_id", "data"))
    return found


def moved(before: RecordVersion) -> str:
    """The sentence for a record that somebody changed since."""
    return f"{before.author_name} 已于 {clock.words(before.valid_from)} 改过这条记录（第 {before.number} 版）"


def holder_of_key(row: RegisterRow, unit_id: int, period: Period | None, key: str) -> Record | None:
    """The living record that has a key within a unit and period."""
    rows = Record.objects.filter(register=row, unit_id=unit_id, key=key, deleted_at__isnull=True)
    found: Record | None = (rows.filter(period=period) if period else rows.filter(period__isnull=True)).first()
    return found


def taken_words(schema: Register, key: str, other: Record) -> str:
    """The sentence that names the record which has a key already."""
    titles = "、".join(schema.by_name[name].title for name in schema.key)
    shown = key.replace("\x1f", "、")
    if any(schema.by_name[name].sensitive for name in schema.key):
        shown = ""
    named = f"{titles}“{shown}”" if shown else titles or "本单位本期"
    return f"{named}已有一条记录（编号 {other.pk}），请改那一条，或核对后再填"


def _taken(batch: Batch, changes: Sequence[Change]) -> str:
    for one in changes:
        if one.data is None:
            continue
        key = key_of(batch.schema, one.data)
        other = holder_of_key(batch.row, one.unit_id, batch.period, key)
        if other is not None and other.pk != one.record_id:
            return taken_words(batch.schema, key, other)
    titles = "、".join(batch.schema.by_name[name].title for name in batch.schema.key)
    return f"{titles or '本单位本期'}与另一条记录重复，请核对后再填"


def as_data(version: RecordVersion) -> Data:
    """The content of a version as a fresh dict."""
    return dict(version.data)
