"""`backup`: the whole system into one encrypted file, while people go on working."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.db import connections

from jiaoheng import __version__
from jiaoheng.bureau.core import audit, clock, durable
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.core.sealed_files import is_what_was_stored
from jiaoheng.bureau.operations import catalogue, data_keys
from jiaoheng.bureau.operations.archive import FORMAT, ArchiveWriter, Contents, Progress, silent, verify
from jiaoheng.bureau.operations.columns import Table, table_of
from jiaoheng.bureau.operations.keys import BackupKey, need_key
from jiaoheng.bureau.operations.places import backups_folder, kept_files
from jiaoheng.bureau.operations.rows import Source, frozen
from jiaoheng.bureau.operations.schema_state import models_at, state_of

# sessions end with a restore: whoever was signed in when the backup was made signs in anew
LEFT_OUT = frozenset({"django_session"})


@dataclass(frozen=True, slots=True)
class Made:
    """A finished backup."""

    path: Path
    contents: Contents
    key: str
    size: int
    seconds: float


def tables_of(applied: tuple[tuple[str, str], ...]) -> list[Table]:
    """The tables of a base at its own migrations, without those that are never kept."""
    return [table for table in map(table_of, models_at(applied)) if table.name not in LEFT_OUT]


def back_up(
    target: Path | None = None,
    *,
    key: BackupKey | None = None,
    keep: int = 0,
    check: bool = True,
    noted: bool = True,
    using: str = "default",
    progress: Progress = silent,
) -> Made:
    """Write a backup; `target` may be a folder (the file gets a name) or a file. It appears whole or not at all.

    keep: afterwards only the newest so many of that folder stay. check: read the file again and compare every digest.
    noted: leave an audit entry (not before an upgrade, whose tables may be of an older version).
    Raises RefusedError (`backup-key-missing`, `backup-there`, `backup-nothing`).
    """
    begin = time.perf_counter()
    key = key or need_key("备份")
    connection = connections[using]
    state = state_of(connection)
    if state.fresh:
        raise RefusedError("backup-nothing", "数据库还没有建立，没有可以备份的内容")
    path = _path_of(target)
    if path.exists():
        raise RefusedError("backup-there", f"“{path}”已经存在，备份从不覆盖旧的。请换文件名，或只给文件夹")
    tables = tables_of(state.applied)
    head = {
        "migrations": state.applied,
        "tables": [
            {"name": one.name, "columns": one.columns, "key": one.key, "auto": one.auto} for one in tables
        ],
        "vendor": connection.vendor,
        "data_keys": data_keys.fingerprints(),
    }  # fmt: skip
    with _whole(path) as out, frozen(connection) as source:
        writer = ArchiveWriter(out, key, _open_head(key), head)
        _put_tables(writer, source, tables, progress)
        known = _attachments(source, tables)
        _put_anchor(writer, source, tables)
        _put_files(writer, known, progress)
        writer.finish()
    size = path.stat().st_size
    if check:
        verify(path, key, progress)
    made = Made(path, writer.contents, key.name, size, time.perf_counter() - begin)
    catalogue.note_made(made.path, key.name, made.size, made.contents.rows, made.seconds, checked=check)
    if noted:
        audit.note(
            "backup.make",
            actor=None,
            about=("backup", "", path.name),
            count=made.contents.rows,
            digest=catalogue.sha256_of(path),
        )
    if keep:
        catalogue.rotate(path.parent, keep)
    return made


def _open_head(key: BackupKey) -> dict[str, Any]:
    return {"format": FORMAT, "key": key.name, "made_at": clock.now().isoformat(), "version": __version__}


def _path_of(target: Path | None) -> Path:
    place = target or backups_folder()
    if target is None:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
    if place.is_dir():
        return place / catalogue.file_name(clock.now())
    if not place.parent.is_dir():
        raise RefusedError("backup-folder-missing", f"没有文件夹“{place.parent}”，请先建好，或换一个位置")
    return place


@contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    """A file that appears under its name only when it is complete and on the disk."""
    half = path.with_name(f".{path.name}.part")
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        os.replace(half, path)
        durable.keep_name(path)
    except BaseException:
        half.unlink(missing_ok=True)
        raise


def _put_tables(writer: ArchiveWriter, source: Source, tables: list[Table], progress: Progress) -> None:
    for number, table in enumerate(tables, 1):
        writer.table(table, source.parts(table), source.counter(table))
        progress("备份各表", number, len(tables))


def _named(tables: list[Table], name: str) -> Table | None:
    return next((one for one in tables if one.name == name), None)


def _columns(table: Table, *names: str) -> list[int]:
    order = [name for name, _kind in table.columns]
    return [order.index(name) for name in names]


def _attachments(source: Source, tables: list[Table]) -> dict[str, str]:
    """Path in the backup → SHA-256 of every attachment of this moment."""
    table = _named(tables, "core_attachment")
    if table is None:
        return {}
    path, digest = _columns(table, "path", "sha256")
    return {f"files/{row[path]}": row[digest] for part in source.parts(table) for row in part}


def _put_anchor(writer: ArchiveWriter, source: Source, tables: list[Table]) -> None:
    """The anchors up to this moment's newest entry: later ones would tell of entries that the backup does not have."""
    table = _named(tables, "core_audithead")
    if table is None or not settings.ANCHOR.is_file():
        return
    (at,) = _columns(table, "number")
    newest = max((row[at] for part in source.parts(table) for row in part), default=0)
    lines = settings.ANCHOR.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if (number := line.split(b" ", 1)[0]).isdigit() and int(number) <= newest]
    writer.bytes_file("audit-anchor.log", b"".join(kept))


def _put_files(writer: ArchiveWriter, known: dict[str, str], progress: Progress) -> None:
    files = list(kept_files())
    there = set()
    for number, (name, path) in enumerate(files, 1):
        try:
            digest = writer.file(name, path)
        except FileNotFoundError:
            continue  # removed since: told below where an attachment names it
        there.add(name)
        if known.get(name, digest) != digest and not is_what_was_stored(path, known[name]):
            writer.contents.damaged.append(name)
        progress("备份文件", number, len(files))
    writer.contents.missing.extend(sorted(set(known) - there))
