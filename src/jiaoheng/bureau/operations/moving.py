"""`move`: everything from the SQLite file into an empty PostgreSQL base, row by row compared."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dj_database_url
from django.conf import settings
from django.core.management import call_command
from django.db import connections, transaction
from django.db.utils import Error as DatabaseError

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.operations.archive import Progress, silent
from jiaoheng.bureau.operations.backup import tables_of
from jiaoheng.bureau.operations.columns import Table
from jiaoheng.bureau.operations.rows import Source, frozen, set_counter, write_rows
from jiaoheng.bureau.operations.schema_state import state_of

ALIAS = "new-house"
MARK = "moved.json"  # in the data folder: the SQLite file is no longer the system


@dataclass(frozen=True, slots=True)
class Moved:
    """What was moved."""

    tables: int
    rows: int
    seconds: float


def move(database_url: str, *, progress: Progress = silent) -> Moved:
    """Copy every row of the SQLite base into an empty PostgreSQL base; nobody writes meanwhile.

    Either all of it is there and compared, or nothing. Raises RefusedError where the base at hand is not SQLite, the
    other is not an empty PostgreSQL base, or the two are not equal afterwards.
    """
    begin = time.perf_counter()
    old = connections["default"]
    if old.vendor != "sqlite":
        raise RefusedError("move-not-sqlite", "现在用的已经是 PostgreSQL（环境变量 DATABASE_URL），不需要搬家")
    state = state_of(old)
    if state.fresh or state.pending or state.unknown:
        raise RefusedError("move-not-ready", "现在的数据库不是本程序的版本。请先运行 jiaoheng upgrade，再搬家")
    new = _connect(database_url)
    try:
        _check_empty(new)
        call_command("migrate", database=ALIAS, interactive=False, verbosity=0)
        tables = tables_of(state.applied)
        with frozen(old, hold_writers=True) as source:
            rows = _copy(source, new, tables, progress)
            with frozen(new) as there:
                _compare(source, there, tables, progress)
            _mark(new)
    finally:
        new.close()
        connections.databases.pop(ALIAS, None)
        del connections[ALIAS]
    return Moved(len(tables), rows, time.perf_counter() - begin)


def moved_to() -> str:
    """Where the base of this data folder was moved to, "" where it was not."""
    path = Path(settings.DATA) / MARK
    if not path.is_file():
        return ""
    return str(json.loads(path.read_text(encoding="utf-8")).get("to", ""))


def _connect(database_url: str) -> Any:
    try:
        parsed = dict(dj_database_url.parse(database_url))
    except ValueError:
        parsed = {}
    if not str(parsed.get("ENGINE", "")).endswith("postgresql"):
        raise RefusedError("move-address", "新数据库的地址应写作 postgres://用户:密码@主机:端口/库名，请核对")
    defaults = {name: value for name, value in connections["default"].settings_dict.items() if name not in parsed}
    connections.databases[ALIAS] = {**defaults, "OPTIONS": {}, "CONN_MAX_AGE": 0, **parsed}
    new = connections[ALIAS]
    try:
        new.ensure_connection()
    except DatabaseError as error:
        raise RefusedError(
            "move-no-answer",
            f"连不上新数据库（{parsed.get('HOST') or '本机'}，库 {parsed.get('NAME')}）：{str(error).splitlines()[0]}。"
            "请核对地址、密码，并确认数据库已建好、允许本机连接",
        ) from error
    return new


def _check_empty(new: Any) -> None:
    there = new.introspection.table_names()
    if there:
        raise RefusedError("move-not-empty", f"新数据库里已有 {len(there)} 张表，只搬进空的数据库。请另建一个空库")


def _copy(source: Source, new: Any, tables: list[Table], progress: Progress) -> int:
    total = 0
    with transaction.atomic(using=ALIAS):
        with new.cursor() as cursor:
            names = ", ".join(f'"{table.name}"' for table in tables)
            cursor.execute(f"TRUNCATE {names} CASCADE")  # what setting up wrote by itself
        for number, table in enumerate(tables, 1):
            for part in source.parts(table):
                try:
                    write_rows(new, table, part)
                except DatabaseError as error:
                    told = f"表 {table.name} 有一行 PostgreSQL 不收：{str(error).splitlines()[0]}"
                    raise RefusedError("move-row", f"{told}。新数据库没有写入任何数据") from error
                total += len(part)
            set_counter(new, table, source.counter(table))
            progress("搬各表", number, len(tables))
    return total


def _compare(source: Source, there: Source, tables: list[Table], progress: Progress) -> None:
    for number, table in enumerate(tables, 1):
        for old, new in zip(_rows(source, table), _rows(there, table), strict=False):
            if old != new:
                raise RefusedError(
                    "move-differs", f"表 {table.name} 搬家前后不一致（{old[:1]} 与 {new[:1]}）。请不要使用新数据库"
                )
        if source.counter(table) != there.counter(table):
            raise RefusedError("move-differs", f"表 {table.name} 的编号没有接上。请不要使用新数据库")
        progress("逐行核对", number, len(tables))


def _rows(source: Source, table: Table) -> Iterator[tuple[Any, ...]]:
    """Rows in an order and form that both databases share; None once after the last, so that lengths count too."""
    made = (tuple(same(row, table)) for part in source.parts(table) for row in part)
    keys = [name for name, _kind in table.columns].index(table.key)
    if dict(table.columns)[table.key] == "text":
        yield from sorted(made, key=lambda row: str(row[keys]))  # each database sorts texts in its own way
    else:
        yield from made
    yield ()


def same(row: list[Any], table: Table) -> list[Any]:
    """A row with its JSON values as values: PostgreSQL keeps them in an order of its own."""
    return [
        json.loads(value) if kind == "json" and value is not None else value
        for value, (_name, kind) in zip(row, table.columns, strict=True)
    ]


def _mark(new: Any) -> None:
    place = f"{new.settings_dict.get('HOST') or 'localhost'}/{new.settings_dict['NAME']}"
    body = {"to": place, "at": clock.now().isoformat()}
    (Path(settings.DATA) / MARK).write_text(json.dumps(body, ensure_ascii=False), encoding="utf-8")
