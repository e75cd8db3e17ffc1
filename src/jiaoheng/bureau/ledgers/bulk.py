"""Rows of records and versions into the database, as fast as each database allows; the writer above decides what."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson
from django.db import connection, models

from jiaoheng.bureau.ledgers.models import Record, RecordVersion

RECORD_COLUMNS = ("id", "register_id", "unit_id", "period_id", "key", "number")
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


def next_ids(model: type[models.Model], count: int) -> range | list[int]:
    """Ids for `count` new rows of a table, inside the running transaction.

    PostgreSQL hands them out of the table's sequence; on SQLite the writer holds the only write lock.
    """
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count]
            )
            return [row[0] for row in cursor.fetchall()]
        # a deleted row's id must not come again: the sequence knows the largest one ever given
        cursor.execute("SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = %s", [table])
        first = int(cursor.fetchone()[0]) + 1
        return range(first, first + count)


def insert_records(rows: Iterable[Sequence[Any]]) -> None:
    """Rows of RECORD_COLUMNS."""
    _insert(Record, RECORD_COLUMNS, rows)


def insert_versions(rows: Iterable[Sequence[Any]]) -> None:
    """Rows of VERSION_COLUMNS; `data` as JSON text."""
    _insert(RecordVersion, VERSION_COLUMNS, rows)


def newest_of(record_ids: Sequence[int]) -> Iterator[tuple[int, str, int, int]]:
    """(record id, key, id and number of its newest version) of records, which stay locked until the transaction ends."""
    records, versions = _table(Record), _table(RecordVersion)
    lock = " FOR UPDATE OF r" if connection.vendor == "postgresql" else ""
    sql = (
        f"SELECT r.id, r.key, v.id, v.number FROM {records} r JOIN {versions} v ON v.record_id = r.id "  # noqa: S608
        f"AND v.valid_to IS NULL WHERE r.id {_among()} ORDER BY r.id{lock}"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [_list(record_ids)])
        while rows := cursor.fetchmany(5_000):
            yield from rows


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
            f"UPDATE {_table(Record)} SET number = %s, key = %s, deleted_at = %s WHERE id = %s",  # noqa: S608
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


def _insert(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    table = connection.ops.quote_name(model._meta.db_table)
    names = ", ".join(connection.ops.quote_name(column) for column in columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # COPY goes past Django's own cursor: without this a taken key would not be an IntegrityError
            with connection.wrap_database_errors, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        marks = ", ".join(["%s"] * len(columns))
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)  # noqa: S608 (names are ours)


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
