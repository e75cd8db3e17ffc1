"""Terms of keeping: when a register's `retention_years` are over, its records stay as figures without persons.

The term runs from the end of a record's period; of a standing register, from the record's deletion. What is left of a
record: counts, amounts, yes/no, choices of code tables, years. What goes, in every version: protected fields, free text,
files, and the days of registers that have protected fields. The trail keeps its (masked) entries: it is never rewritten.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from django.db import connection
from django.db.models import Q, QuerySet

from jiaoheng.bureau.core import audit, clock, search_index
from jiaoheng.bureau.core.models import Account, Attachment
from jiaoheng.bureau.ledgers import sealing
from jiaoheng.bureau.ledgers.changes import carried
from jiaoheng.bureau.ledgers.models import Draft, Record, RecordVersion, RegisterRow, ResendKey
from jiaoheng.bureau.ledgers.registry import newest_schema, schema_versions
from jiaoheng.bureau.ledgers.slots import slot_columns
from jiaoheng.registers.model import SLOTS, Data, Field, FieldType, Register

PART = 500  # records of one transaction
_FIGURES = frozenset({FieldType.INTEGER, FieldType.NUMBER, FieldType.BOOLEAN, FieldType.YEAR, FieldType.YEARMONTH})
_DAYS = frozenset({FieldType.DATE, FieldType.DATETIME, FieldType.TIME})


@dataclass(frozen=True, slots=True)
class Due:
    """A register whose term is over for some records; `before`: what ended on this day or earlier is due."""

    row: RegisterRow
    years: int
    before: dt.date
    records: int
    removed: tuple[str, ...]  # heads of the columns that go

    @property
    def sentence(self) -> str:
        """What a run would do with this register."""
        gone = "、".join(self.removed) or "（没有要去掉的列）"
        return (
            f"{self.row.title}：保存期 {self.years} 年，{self.before} 及以前结束的 {self.records:,} 条到期，去掉 {gone}"
        )


def due(day: dt.date | None = None) -> list[Due]:
    """What is due on a day (today), register by register; those with nothing due are left out."""
    today, found = day or clock.today(), []
    for row in RegisterRow.objects.order_by("title"):
        schema = newest_schema(row)
        if schema.retention_years is None:
            continue
        border = years_before(today, schema.retention_years)
        count = _expired(row, border).count()
        if count:
            removed = dict.fromkeys(
                one.title for version in reversed(schema_versions(row)) for one in version.fields if goes(version, one)
            )
            found.append(Due(row, schema.retention_years, border, count, tuple(removed)))
    return found


def run(day: dt.date | None = None, *, acting_user: Account | None) -> int:
    """Make every due record a figure without a person, in parts of their own; how many."""
    total = 0
    for one in due(day):
        while ids := list(_expired(one.row, one.before).order_by("pk").values_list("pk", flat=True)[:PART]):
            total += do_anonymise(one.row, ids, one.sentence, acting_user=acting_user)
    return total


def goes(schema: Register, one: Field) -> bool:
    """Whether a column is removed when the term is over."""
    if one.sensitive or one.type is FieldType.FILE:
        return True
    if one.type in _FIGURES or one.codes:
        return False
    return one.type not in _DAYS or bool(schema.sealed_fields)


def years_before(day: dt.date, years: int) -> dt.date:
    """The same day some years ago; 29 February becomes the 28th."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


@audit.action
def do_anonymise(row: RegisterRow, record_ids: Sequence[int], reason: str, *, acting_user: Account | None) -> int:
    """Remove persons from all versions of some records, their drafts, search entries and files (those by the sweep)."""
    schemas = {one.version: one for one in schema_versions(row)}
    newest = newest_schema(row)
    columns = ("pk", "schema_version", "data")
    versions = list(RecordVersion.objects.filter(record_id__in=record_ids).order_by("pk").values_list(*columns))
    kept = [_left(schemas[version], data) for _pk, version, data in versions]
    _put(newest, [pk for pk, _version, _data in versions], kept)
    for pk in record_ids:
        Record.objects.filter(pk=pk).update(key=f"\x1e{pk}"[:300], anonymised_at=clock.now())
    RecordVersion.objects.filter(record_id__in=record_ids).exclude(reason="").update(reason="")
    Draft.objects.filter(record_id__in=record_ids).delete()
    ResendKey.objects.filter(record_id__in=record_ids).delete()
    search_index.drop("record", record_ids)
    files = Attachment.objects.filter(object_type="record", object_id__in=[str(pk) for pk in record_ids])
    files.update(expires_at=clock.now())
    about = ("register", row.pk, row.title)
    audit.note("record.anonymise", actor=acting_user, about=about, count=len(record_ids), reason=reason[:500])
    return len(record_ids)


def daily() -> str:
    """The duty of each day."""
    return f"保存期满，去掉个人信息 {run(acting_user=None)} 条"


def _expired(row: RegisterRow, border: dt.date) -> QuerySet[Record]:
    moment = clock.at_end_of(border)
    over = Q(period__isnull=False, period__ends_on__lte=border) | Q(period__isnull=True, deleted_at__lte=moment)
    return Record.objects.filter(over, register=row, anonymised_at__isnull=True)


def _left(schema: Register, data: Data) -> Data:
    """The part of a content that stays; what the schema does not know goes."""
    return {name: value for name, value in data.items() if (one := schema.by_name.get(name)) and not goes(schema, one)}


def _put(newest: Register, version_ids: Sequence[int], contents: Sequence[Data]) -> None:
    named = [carried(newest, data) for data in contents]
    slots = zip(*slot_columns(newest, named), strict=True) if named else ()
    names = ("data", *(f"s{slot}" for slot in range(SLOTS)))
    columns = ", ".join([*(f"{name} = %s" for name in names), *(f"h{slot} = NULL" for slot in range(sealing.SLOTS))])
    table = connection.ops.quote_name(RecordVersion._meta.db_table)
    rows = [
        (orjson.dumps(data).decode(), *keys, pk) for data, keys, pk in zip(contents, slots, version_ids, strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.executemany(f"UPDATE {table} SET {columns} WHERE id = %s", rows)  # noqa: S608 (names are ours)
