"""`restore`: a backup into an empty place. Nothing is written before the whole file has been read and compared."""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core.management import call_command
from django.db import connections, transaction

from jiaoheng import __version__
from jiaoheng.bureau.core import durable
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.operations import data_keys
from jiaoheng.bureau.operations.archive import Archive, Progress, open_head_of, rows_in, silent, table_in, verify, walk
from jiaoheng.bureau.operations.columns import Table
from jiaoheng.bureau.operations.keys import BackupKey, need_key
from jiaoheng.bureau.operations.places import kept_files, target_of
from jiaoheng.bureau.operations.rows import set_counter, write_rows
from jiaoheng.bureau.operations.schema_state import last_of_each_app, models_at, state_of, unknown_of, words_of

MARK = "restoring"  # file in the data folder while a restore is under way
_OF_PEOPLE = ("core_unit", "core_account", "core_auditentry", "core_attachment", "ledgers_record")


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back."""

    archive: Archive
    upgraded: tuple[tuple[str, str], ...]  # migrations applied after an older version's backup was in
    seconds: float


def restore(
    path: Path,
    *,
    key: BackupKey | None = None,
    without_data_keys: bool = False,
    using: str = "default",
    progress: Progress = silent,
) -> Restored:
    """Bring a backup into this machine's empty base and data folder, and up to this version.

    Raises RefusedError before a byte is written where the key is missing (naming it), the file is cut or changed, a
    newer program made it, or the place holds data.
    """
    begin = time.perf_counter()
    open_head = open_head_of(path)
    key = key or need_key(f"恢复“{path.name}”", str(open_head.get("key", "")))
    if open_head.get("key") != key.name:
        raise RefusedError("backup-key-other", f"恢复“{path.name}”需要编号 {open_head.get('key')} 的备份密钥")
    connection = connections[using]
    check_empty(connection)
    archive = verify(path, key, progress)
    unknown = unknown_of(archive.migrations)
    if unknown:
        raise RefusedError(
            "backup-newer",
            f"这份备份由较新的版本 {open_head.get('version')} 制作，本机是 {__version__}，没有 {words_of(unknown[:3])}。"
            "请先安装那个版本或更新的版本，再恢复",
        )
    if not without_data_keys:
        data_keys.check_there(archive.head.get("data_keys", []), path.name)
    mark = _begin(path)
    _lay_schema(connection, archive)
    _put_files(archive, key, progress)
    with transaction.atomic(using=using):
        _put_rows(connection, archive, key, progress)
        connection.check_constraints()
    pending = state_of(connection).pending
    if pending:
        call_command("migrate", database=using, interactive=False, verbosity=0)
    mark.unlink(missing_ok=True)
    return Restored(archive, pending, time.perf_counter() - begin)


def check_empty(connection: Any) -> None:
    """Raises RefusedError where the base or the data folder holds anything of a bureau."""
    name = holds_people(connection)
    if name:
        raise RefusedError(
            "restore-not-empty",
            f"数据库里已有数据（表 {name} 不是空的），备份只恢复到空库。请换一个空的数据文件夹或空数据库",
        )
    if (Path(settings.DATA) / MARK).exists():
        _clear_unfinished()
    for _name, path in kept_files():
        if path.name == "demo.json":
            continue
        raise RefusedError(
            "restore-not-empty", f"数据文件夹里已有文件（{path}），备份只恢复到空的地方。请换一个空的数据文件夹"
        )
    if settings.ANCHOR.is_file() and settings.ANCHOR.stat().st_size:
        raise RefusedError(
            "restore-not-empty", f"数据文件夹里已有操作记录的锚记（{settings.ANCHOR}）。请换一个空的数据文件夹"
        )


def holds_people(connection: Any) -> str:
    """A table that holds somebody's data, "" where the base is empty or has never been set up."""
    there = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for name in _OF_PEOPLE:
            if name in there:
                cursor.execute(f'SELECT 1 FROM "{name}" LIMIT 1')  # noqa: S608 (names are ours)
                if cursor.fetchone():
                    return name
    return ""


def _begin(path: Path) -> Path:
    mark = Path(settings.DATA) / MARK
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text(json.dumps({"backup": str(path)}, ensure_ascii=False), encoding="utf-8")
    return mark


def _clear_unfinished() -> None:
    """Take away the files of a restore that was cut off: its base is still empty, so nothing belongs to anybody."""
    for _name, path in list(kept_files()):
        path.unlink(missing_ok=True)
    settings.ANCHOR.unlink(missing_ok=True)


def _lay_schema(connection: Any, archive: Archive) -> None:
    """The tables as they were when the backup was made; those that are there already are empty and are taken away."""
    for model_table in _own_tables(connection):
        with connection.cursor() as cursor:
            cascade = " CASCADE" if connection.vendor == "postgresql" else ""
            cursor.execute(f'DROP TABLE IF EXISTS "{model_table}"{cascade}')
    for app, name in last_of_each_app(archive.migrations):
        call_command("migrate", app, name, database=connection.alias, interactive=False, verbosity=0)
    _check_tables(connection, archive)
    tables = [one.name for one in archive.tables]
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for name in reversed(tables):  # what setting up wrote by itself: kinds of content, rights
            cursor.execute(f'DELETE FROM "{name}"')  # noqa: S608 (looked up in the base before)


def _check_tables(connection: Any, archive: Archive) -> None:
    """The archive names tables and columns of the schema that was laid, and no others: they become part of statements."""
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
        for one in archive.tables:
            columns = set()
            if one.name in there:
                columns = {each.name for each in connection.introspection.get_table_description(cursor, one.name)}
            strange = {name for name, _kind in one.columns} | {one.key} | ({one.auto} if one.auto else set())
            if not strange <= columns:
                raise RefusedError(
                    "backup-broken", f"备份里的表“{one.name}”与它自己的版本不符，没有写入任何数据。请换一份备份"
                )


def _own_tables(connection: Any) -> list[str]:
    state = state_of(connection)
    if state.fresh:
        return []
    own = {model._meta.db_table for model in models_at(state.applied)} | {"django_migrations"}
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA foreign_keys=OFF")
    return sorted(own & set(connection.introspection.table_names()))


def _put_rows(connection: Any, archive: Archive, key: BackupKey, progress: Progress) -> None:
    tables: dict[str, Table] = {one.name: one for one in archive.tables}
    total, done = archive.contents.rows, 0
    for name, stream in walk(archive.path, key):
        table = tables.get(table_in(name))
        if table is not None:
            rows = rows_in(stream)
            write_rows(connection, table, rows)
            done += len(rows)
            progress("恢复各表", done, total)
    for table in tables.values():
        set_counter(connection, table, int(archive.contents.tables[table.name]["counter"]))


def _put_files(archive: Archive, key: BackupKey, progress: Progress) -> None:
    total, done = len(archive.contents.files), 0
    for name, stream in walk(archive.path, key):
        if name not in archive.contents.files:
            continue
        target = Path(settings.ANCHOR) if name == "audit-anchor.log" else target_of(name)
        _write(target, stream)
        done += 1
        progress("恢复文件", done, total)


def _write(target: Path, stream: BinaryIO) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_name(f".{target.name}.part")
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        shutil.copyfileobj(stream, out, 1 << 20)
        out.flush()
        os.fsync(out.fileno())
    os.replace(half, target)
    durable.keep_name(target)


def unfinished(connection: Any) -> str:
    """The backup whose restore was cut off here, "" where none was.

    Rows come last and in one transaction: where they are there, everything is, and only the mark was left behind.
    """
    path = Path(settings.DATA) / MARK
    if not path.is_file():
        return ""
    if holds_people(connection):
        path.unlink(missing_ok=True)
        return ""
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["backup"])
    except (ValueError, KeyError):
        return "备份文件"
