"""The one way into the records: new versions, closed old ones, search entries, one audit note.

Callers (`actions_records`, imports, restore, merges) have checked the values; here the writer checks what only the
database knows: that the version seen is still the newest, that the key is free, that the unit stands on that day.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import IntegrityError, connection

from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.models import Account, Period, Unit
from jiaoheng.bureau.core.refusals import ConflictError, NotFoundError, RefusedError
from jiaoheng.bureau.core.tree import Line, lines_at, names_at
from jiaoheng.bureau.ledgers import bulk
from jiaoheng.bureau.ledgers.changes import Change, Written, key_of
from jiaoheng.bureau.ledgers.models import Record, RecordVersion, RegisterRow
from jiaoheng.bureau.ledgers.slots import slot_keys
from jiaoheng.registers.model import Data, Register


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

    @property
    def day(self) -> dt.date:
        """The day whose tree the rows belong to: the period's last day, or today where it is not over."""
        if self.period is None:
            return clock.local(self.at).date() if self.at else clock.today()
        last = self.period.ends_on - dt.timedelta(days=1)
        return min(last, max(self.period.starts_on, clock.today()))


def write(batch: Batch, changes: Sequence[Change], *, day: dt.date | None = None) -> list[Written]:
    """Write the changes in order. To be called inside an audited action, which notes them.

    `day`: the reference date of a round, where it is not the period's own. Raises ConflictError where a record was
    changed since, RefusedError where a key is taken or a unit does not stand on that day.
    """
    lines = _lines(changes, day or batch.day)
    old = _newest([one.record_id for one in changes if one.record_id is not None])
    at = batch.at or clock.now()
    moment = connection.ops.adapt_datetimefield_value(at)
    who = audit.actor_words(batch.actor)
    new_count = sum(one.record_id is None for one in changes)
    fresh = iter(bulk.next_ids(Record, new_count)) if new_count else iter(())
    records: list[tuple[Any, ...]] = []
    versions: list[tuple[Any, ...]] = []
    written: list[Written] = []
    touched: list[tuple[int, int, str, bool]] = []
    actor_id = batch.actor.pk if batch.actor is not None else None
    period_id = batch.period.pk if batch.period is not None else None
    door = audit.door()
    for one in changes:
        line = lines[one.unit_id]
        if one.record_id is None:
            record_id, number, data = next(fresh), 1, one.data or {}
            key = key_of(batch.schema, data)
            records.append((record_id, batch.row.pk, one.unit_id, period_id, key, 1))
        else:
            before = old.get(one.record_id)
            if before is None:
                raise NotFoundError
            if one.base is not None and before.number != one.base:
                raise ConflictError("version-moved", _moved(before), newest=before.number, record_id=one.record_id)
            record_id, number = one.record_id, before.number + 1
            data = before.data if one.data is None else one.data
            touched.append((record_id, number, key_of(batch.schema, data), one.data is None))
        versions.append(
            (
                record_id,
                number,
                batch.row.pk,
                one.unit_id,
                period_id,
                line.county_id,
                line.district_id,
                line.school_id,
                line.class_id,
                batch.schema.version,
                orjson.dumps(data).decode(),
                moment,
                one.data is None,
                actor_id,
                who,
                door,
                batch.source,
                batch.batch_id,
                batch.reason,
                one.restored_from,
                *slot_keys(batch.schema, data),
            )
        )
        written.append(Written(record_id, number, one.record_id is None))
    _close(list(old), at)
    try:
        bulk.insert_records(records)
        _renumber(touched, at)
    except IntegrityError as error:
        raise RefusedError("key-taken", _taken(batch, changes)) from error
    bulk.insert_versions(versions)
    return written


def digest(changes: Sequence[Change]) -> str:
    """SHA-256 over the contents of a writing, for the audit entry of a bulk action."""
    made = hashlib.sha256()
    for one in changes:
        made.update(orjson.dumps([one.unit_id, one.record_id, one.data], option=orjson.OPT_SORT_KEYS))
    return made.hexdigest()


def _lines(changes: Sequence[Change], day: dt.date) -> dict[int, Line]:
    units = {one.unit_id for one in changes}
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


def _newest(record_ids: Sequence[int]) -> dict[int, RecordVersion]:
    found: dict[int, RecordVersion] = {}
    for part in bulk.chunks(record_ids):
        locked = Record.objects.select_for_update().filter(pk__in=part).order_by("pk")
        list(locked.values_list("pk", flat=True))
        for version in RecordVersion.objects.filter(record_id__in=part, valid_to__isnull=True):
            found[version.record_id] = version
    return found


def _close(record_ids: Sequence[int], at: dt.datetime) -> None:
    for part in bulk.chunks(record_ids):
        RecordVersion.objects.filter(record_id__in=part, valid_to__isnull=True).update(valid_to=at)


def _renumber(touched: Sequence[tuple[int, int, str, bool]], at: dt.datetime) -> None:
    rows = {
        row.pk: row for part in bulk.chunks(one[0] for one in touched) for row in Record.objects.filter(pk__in=part)
    }
    for record_id, number, key, deleted in touched:
        row = rows[record_id]
        row.number, row.key, row.deleted_at = number, key, at if deleted else None
    Record.objects.bulk_update(rows.values(), ["number", "key", "deleted_at"], batch_size=200)


def _moved(before: RecordVersion) -> str:
    moment = clock.local(before.valid_from)
    return f"{before.author_name} 已于 {moment:%m 月 %d 日 %H:%M} 改过这条记录（第 {before.number} 版）"


def _taken(batch: Batch, changes: Sequence[Change]) -> str:
    titles = "、".join(batch.schema.by_name[name].title for name in batch.schema.key)
    for one in changes:
        if one.data is None:
            continue
        key = key_of(batch.schema, one.data)
        rows = Record.objects.filter(register=batch.row, unit_id=one.unit_id, key=key, deleted_at__isnull=True)
        rows = rows.filter(period=batch.period) if batch.period else rows.filter(period__isnull=True)
        other = rows.exclude(pk=one.record_id).first()
        if other is not None:
            shown = key.replace("\x1f", "、")
            return f"{titles or '本单位本期'}“{shown}”已有一条记录（编号 {other.pk}），请改那一条，或核对后再填"
    return f"{titles or '本单位本期'}与另一条记录重复，请核对后再填"


def as_data(version: RecordVersion) -> Data:
    """The content of a version as a fresh dict."""
    return dict(version.data)
