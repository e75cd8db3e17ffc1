"""Rows of records and versions into the database, as fast as each database allows; the writer above decides what."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import Any

import orjson
from django.db import connection, models

from jiaoheng.bureau.core.bulk_rows import can_be_said_once, insert_rows
from jiaoheng.bureau.core.models.fields import as_content
from jiaoheng.bureau.ledgers.models import Record, RecordVersion
from jiaoheng.registers.model import Data

RECORD_COLUMNS = ("id", "register_id", "unit_id", "period_id", "key", "number")
_MANY = 500
VERSION_COLUMNS = (
    "record_id",
    "number",
    "register_id",
    "unit_id",
    "period_id",
    "county_id",
    "district_id",
    "school_id",
    "class_id",
    "schema_version",
    "data",
    "valid_from",
    "deleted",
    "author_id",
    "author_name",
    "door",
    "source",
    "batch_id",
    "reason",
    "restored_from",
    "device_seq",
    *(f"s{slot}" for slot in range(8)),
    *(f"h{slot}" for slot in range(4)),
)


def insert_records(columns: Sequence[Iterable[Any]]) -> None:
    """Rows of RECORD_COLUMNS, given as columns as for `insert_versions`."""
    _insert(Record, RECORD_COLUMNS, columns)


def insert_versions(columns: Sequence[Iterable[Any]]) -> None:
    """Rows of VERSION_COLUMNS, given as columns (lists, and `repeat` for what is the same in each); `data` as JSON text."""
    _insert(RecordVersion, VERSION_COLUMNS, columns)


def _insert(model: type[models.Model], names: Sequence[str], columns: Sequence[Iterable[Any]]) -> None:
    """What no row fills is left to the database; what is the same in many is told it once. Binding takes its time."""
    many = any(isinstance(column, list) and len(column) >= _MANY for column in columns)
    varied: dict[str, Iterable[Any]] = {}
    same: dict[str, Any] = {}
    for name, column in zip(names, columns, strict=True):
        alike = isinstance(column, repeat) or (isinstance(column, list) and column.count(column[0]) == len(column))
        value = next(iter(column)) if alike else None
        if many and alike and can_be_said_once(value):
            same[name] = value
        elif not alike or value is not None:
            varied[name] = column
    insert_rows(model, list(varied), zip(*varied.values(), strict=False), same)  # a `repeat` has no end


def newest_of(record_ids: Sequence[int]) -> Iterator[tuple[int, str, int, int]]:
    """(record id, key, id and number of its newest version) of records, which stay locked until the transaction ends."""
    records, versions = _table(Record), _table(RecordVersion)
    lock = " FOR UPDATE OF r" if connection.vendor == "postgresql" else ""
    sql = (
        f"SELECT r.id, r.key, v.id, v.number FROM {records} r JOIN {versions} v ON v.record_id = r.id "  # noqa: S608 (names are ours)
        f"AND v.valid_to IS NULL WHERE r.id {_among()} ORDER BY r.id{lock}"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [_list(record_ids)])
        while rows := cursor.fetchmany(5_000):
            yield from rows


def contents_of(version_ids: Sequence[int]) -> list[Data]:
    """The contents of versions, in the order asked. KeyError where one is not there."""
    sql = f"SELECT id, data FROM {_table(RecordVersion)} WHERE id {_among()}"  # noqa: S608 (names are ours)
    with connection.cursor() as cursor:
        cursor.execute(sql, [_list(version_ids)])
        # both databases hand JSON out as text, and orjson reads it several times faster than Django's field
        found = {pk: as_content(orjson.loads(data)) for pk, data in cursor.fetchall()}
    return [found[pk] for pk in version_ids]


def close_versions(version_ids: Sequence[int], at: dt.datetime) -> None:
    """End versions at a moment."""
    sql = f"UPDATE {_table(RecordVersion)} SET valid_to = %s WHERE id {_among()}"  # noqa: S608 (names are ours)
    with connection.cursor() as cursor:
        cursor.execute(sql, [_moment(at), _list(version_ids)])


def count_up(record_ids: Sequence[int]) -> None:
    """Records whose key and life stay as they are get their next number."""
    sql = f"UPDATE {_table(Record)} SET number = number + 1 WHERE id {_among()}"  # noqa: S608 (names are ours)
    with connection.cursor() as cursor:
        cursor.execute(sql, [_list(record_ids)])


def renumber(rows: Sequence[tuple[int, str, Any, int]]) -> None:
    """New number, key and moment of deletion of records, given as (number, key, deleted at, id)."""
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {_table(Record)} SET number = %s, key = %s, deleted_at = %s WHERE id = %s",  # noqa: S608 (names are ours)
            [(number, key, _moment(at), pk) for number, key, at, pk in rows],
        )


def _among() -> str:
    """The condition on an id being in a list that is one parameter: thousands of parameters cost more than the query."""
    return "= ANY(%s)" if connection.vendor == "postgresql" else "IN (SELECT value FROM json_each(%s))"


def _list(ids: Sequence[int]) -> Any:
    return list(ids) if connection.vendor == "postgresql" else orjson.dumps(list(ids)).decode()


def _table(model: type[models.Model]) -> str:
    return str(connection.ops.quote_name(model._meta.db_table))


def _moment(at: Any) -> Any:
    return None if at is None else connection.ops.adapt_datetimefield_value(at)


def chunks(ids: Iterable[int], size: int = 900) -> Iterable[list[int]]:
    """Ids in parts that a database takes as parameters."""
    part: list[int] = []
    for one in ids:
        part.append(one)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part
