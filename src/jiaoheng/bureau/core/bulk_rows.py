"""Many new rows of a table at once, as fast as each database allows; what they say is the caller's business."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection, models


def next_ids(model: type[models.Model], count: int) -> Sequence[int]:
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


def insert_rows(
    model: type[models.Model],
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    same: Mapping[str, Any] | None = None,
) -> None:
    """Insert rows of these columns. `same`: columns with one value for all rows. IntegrityError as the database says it."""
    same = same or {}
    table = connection.ops.quote_name(model._meta.db_table)
    names = ", ".join(connection.ops.quote_name(column) for column in (*columns, *same))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            tail = tuple(same.values())
            # COPY goes past Django's own cursor: without this a taken key would not be an IntegrityError
            with connection.wrap_database_errors, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row((*row, *tail))
            return
        # a value that stands in the statement is not bound again for each row
        marks = ", ".join(["%s"] * len(columns) + _literals(cursor, list(same.values())))
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)  # noqa: S608 (names are ours)


def can_be_said_once(value: Any) -> bool:
    """Whether a value may stand in `same`. A null character would end the statement it stands in."""
    return isinstance(value, int) or (isinstance(value, str) and "\0" not in value)


def _literals(cursor: Any, values: list[Any]) -> list[str]:
    """Values as SQLite itself writes them in a statement."""
    if not values:
        return []
    cursor.execute(f"SELECT {', '.join(['quote(%s)'] * len(values))}", values)
    return [one.replace("%", "%%") for one in cursor.fetchone()]
