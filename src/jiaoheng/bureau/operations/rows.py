"""Reading every row of a database at one moment, and writing rows into another.

Reading uses a connection of its own with one read transaction: a snapshot (WAL on SQLite, REPEATABLE READ on
PostgreSQL) that holds nobody up and in which an import is there whole or not at all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, Protocol

from jiaoheng.bureau.operations.columns import Table, turns_in, turns_out

PART = 20_000  # rows read and written at a time


class Source(Protocol):
    """A database at one moment."""

    vendor: str

    def parts(self, table: Table) -> Iterator[list[list[Any]]]:
        """Rows in the form of the backup, by key, `PART` at a time."""
        ...

    def counter(self, table: Table) -> int:
        """The last number that the table gave by itself, 0 where it gives none."""
        ...


@contextmanager
def frozen(connection: Any, *, hold_writers: bool = False) -> Iterator[Source]:
    """A database at this moment. `hold_writers`: nobody writes until the block ends (moving house)."""
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(str(connection.settings_dict["NAME"]), timeout=60, isolation_level=None)) as raw:
            raw.execute("BEGIN IMMEDIATE" if hold_writers else "BEGIN")
            raw.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the snapshot begins with the first read
            yield SqliteSource(raw)
            raw.execute("ROLLBACK")
        return
    import psycopg

    parameters = connection.get_connection_params()
    for name in ("cursor_factory", "context", "prepare_threshold", "server_side_binding"):
        parameters.pop(name, None)
    with psycopg.connect(**parameters) as raw:
        raw.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        raw.execute("SET LOCAL TIME ZONE 'UTC'")
        yield PostgresSource(raw)
        raw.rollback()


def _turned(rows: list[tuple[Any, ...]], turns: Sequence[tuple[int, Any]]) -> list[list[Any]]:
    made = [list(row) for row in rows]
    for index, turn in turns:
        for row in made:
            if row[index] is not None:
                row[index] = turn(row[index])
    return made


class SqliteSource:
    """An SQLite file inside a read transaction."""

    vendor = "sqlite"

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw

    def parts(self, table: Table) -> Iterator[list[list[Any]]]:
        """See Source."""
        names = ", ".join(f'"{name}"' for name, _kind in table.columns)
        turns = turns_out(table, "sqlite")
        cursor = self._raw.execute(f'SELECT {names} FROM "{table.name}" ORDER BY "{table.key}"')  # noqa: S608 (names of our schema)
        while rows := cursor.fetchmany(PART):
            yield _turned(rows, turns)

    def counter(self, table: Table) -> int:
        """See Source."""
        if not table.auto:
            return 0
        row = self._raw.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", [table.name]).fetchone()
        return int(row[0]) if row else 0


class PostgresSource:
    """A PostgreSQL base inside a REPEATABLE READ transaction."""

    vendor = "postgresql"

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def parts(self, table: Table) -> Iterator[list[list[Any]]]:
        """See Source."""
        names = ", ".join(
            f'"{name}"::text' if kind in ("json", "decimal") else f'"{name}"' for name, kind in table.columns
        )
        turns = turns_out(table, "postgresql")
        with self._raw.cursor(name="backup") as cursor:
            cursor.itersize = PART
            cursor.execute(f'SELECT {names} FROM "{table.name}" ORDER BY "{table.key}"')  # noqa: S608 (names of our schema)
            while rows := cursor.fetchmany(PART):
                yield _turned(rows, turns)

    def counter(self, table: Table) -> int:
        """See Source."""
        if not table.auto:
            return 0
        found = self._raw.execute("SELECT pg_get_serial_sequence(%s, %s)", [f'"{table.name}"', table.auto]).fetchone()
        if not found or not found[0]:
            return 0
        last = self._raw.execute(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {found[0]}")  # noqa: S608 (names of our schema)
        return int(last.fetchone()[0])


def write_rows(connection: Any, table: Table, rows: Iterable[Sequence[Any]]) -> None:
    """Write rows that are in the form of the backup, inside the caller's transaction."""
    turns = turns_in(table, connection.vendor)
    made = _turned([tuple(row) for row in rows], turns)
    if not made:
        return
    names = ", ".join(f'"{name}"' for name, _kind in table.columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
                for row in made:
                    copy.write_row(row)
            return
        places = ", ".join(["%s"] * len(table.columns))
        cursor.executemany(f'INSERT INTO "{table.name}" ({names}) VALUES ({places})', made)  # noqa: S608 (names of our schema)


def set_counter(connection: Any, table: Table, last: int) -> None:
    """Let the table's own numbers go on where they stood: a number once given never comes again."""
    if not table.auto:
        return
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT max("{table.auto}") FROM "{table.name}"')  # noqa: S608 (names of our schema)
        last = max(last, cursor.fetchone()[0] or 0)
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [f'"{table.name}"', table.auto])
            sequence = cursor.fetchone()[0]
            if sequence:
                cursor.execute("SELECT setval(%s, %s, %s)", [sequence, max(last, 1), last > 0])
            return
        cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table.name])
        if last:
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table.name, last])
