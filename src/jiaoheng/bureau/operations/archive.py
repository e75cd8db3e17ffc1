"""The contents of a backup: a tar stream inside the sealed file, with a manifest at its end.

`head.json` comes first: what a restore must know before it writes anything (migrations, tables and their columns).
Then `tables/NAME.00000.jsonl.gz` (20,000 rows a part, one JSON list a line), `audit-anchor.log`, and the files under
`files/`, `audit-archive/` and `data/`. `manifest.json` comes last: rows and SHA-256 of every table and file.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.operations.columns import Table
from jiaoheng.bureau.operations.keys import BackupKey
from jiaoheng.bureau.operations.sealed import NotSealedError, SealBrokenError, SealedReader, SealedWriter, read_head

FORMAT = 1
SUFFIX = ".jhb"
Progress = Callable[[str, int, int], None]


def silent(_stage: str, _done: int, _total: int) -> None:
    """Tell nothing."""


@dataclass(slots=True)
class Contents:
    """What stands in a manifest: rows and digest of each table, size and digest of each file."""

    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)  # attachments whose file was not there when the backup was made
    damaged: list[str] = field(default_factory=list)  # attachments whose bytes were not those that were stored

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(int(one["rows"]) for one in self.tables.values())

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(int(one["size"]) for one in self.files.values())

    def body(self) -> dict[str, Any]:
        """As JSON."""
        return {"tables": self.tables, "files": self.files, "missing": self.missing, "damaged": self.damaged}


class ArchiveWriter:
    """Puts tables and files into a sealed tar stream, and keeps count of them."""

    def __init__(self, out: BinaryIO, key: BackupKey, open_head: Mapping[str, Any], head: Mapping[str, Any]) -> None:
        self._sealed = SealedWriter(out, key.secret, open_head)
        self._tar = tarfile.open(fileobj=self._sealed, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115 (finish closes it)
        self.contents = Contents()
        self._put("head.json", json.dumps(head, ensure_ascii=False).encode())

    def table(self, table: Table, parts: Iterator[list[list[Any]]], counter: int) -> int:
        """Every row of a table; how many."""
        digest, rows, number = hashlib.sha256(), 0, 0
        for number, part in enumerate(parts, 1):
            lines = b"\n".join(map(orjson.dumps, part)) + b"\n"
            digest.update(lines)
            rows += len(part)
            self._put(f"tables/{table.name}.{number - 1:05d}.jsonl.gz", gzip.compress(lines, 4, mtime=0))
        self.contents.tables[table.name] = {
            "rows": rows, "parts": number, "sha256": digest.hexdigest(), "counter": counter,
        }  # fmt: skip
        return rows

    def bytes_file(self, name: str, data: bytes) -> None:
        """A file given as its bytes."""
        self._put(name, data)
        self.contents.files[name] = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}

    def file(self, name: str, path: Path) -> str:
        """A file from the disk, as long as it is at this moment; its SHA-256. Raises FileNotFoundError."""
        with path.open("rb") as source:
            source.seek(0, io.SEEK_END)
            size = source.tell()
            source.seek(0)
            counted = _Counted(source, size)
            self._tar.addfile(_entry(name, size), counted)
        self.contents.files[name] = {"size": size, "sha256": counted.digest.hexdigest()}
        return counted.digest.hexdigest()

    def finish(self) -> None:
        """Manifest and end."""
        self._put("manifest.json", json.dumps(self.contents.body(), ensure_ascii=False).encode())
        self._tar.close()
        self._sealed.finish()

    def _put(self, name: str, data: bytes) -> None:
        self._tar.addfile(_entry(name, len(data)), io.BytesIO(data))


class _Counted:
    """Exactly `size` bytes of a file, hashed on the way; a file that grew is cut there, one that shrank is a fault."""

    def __init__(self, source: BinaryIO, size: int) -> None:
        self._source, self._left = source, size
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        self.digest.update(data)
        return data


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry


@dataclass(frozen=True, slots=True)
class Archive:
    """A backup that was read to its end: authenticated, and every digest as its manifest says."""

    path: Path
    open_head: dict[str, Any]  # format, key, made_at, version: readable without the key
    head: dict[str, Any]  # migrations, tables
    contents: Contents

    @property
    def migrations(self) -> list[tuple[str, str]]:
        """Migrations that were applied in the base."""
        return [(app, name) for app, name in self.head["migrations"]]

    @property
    def tables(self) -> list[Table]:
        """Tables as they were."""
        return [
            Table(one["name"], tuple((name, kind) for name, kind in one["columns"]), one["key"], one["auto"])
            for one in self.head["tables"]
        ]


def open_head_of(path: Path) -> dict[str, Any]:
    """What anyone may read of a backup. Raises RefusedError where it is none."""
    with _told(path), path.open("rb") as source:
        return read_head(source)


def walk(path: Path, key: BackupKey) -> Iterator[tuple[str, BinaryIO]]:
    """Every member in its order, as (name, stream). Raises RefusedError at the place where the file is broken."""
    with _told(path), path.open("rb") as source:
        reader = io.BufferedReader(SealedReader(source, key.secret), 1 << 20)
        with tarfile.open(fileobj=reader, mode="r|") as tar:
            for entry in tar:
                stream = tar.extractfile(entry)
                if stream is None:
                    raise SealBrokenError(f"{entry.name} 不是普通文件")
                yield entry.name, stream  # type: ignore[misc]
        while reader.read(1 << 20):  # to the authenticated end
            pass


def verify(path: Path, key: BackupKey, progress: Progress = silent) -> Archive:
    """Read a backup to its end and compare every digest; nothing is written. Raises RefusedError."""
    open_head = open_head_of(path)
    head: dict[str, Any] = {}
    contents: Contents | None = None
    seen: dict[str, dict[str, Any]] = {}
    size = path.stat().st_size
    for name, stream in walk(path, key):
        if name == "head.json":
            head = json.loads(stream.read())
        elif name == "manifest.json":
            contents = Contents(**json.loads(stream.read()))
        else:
            _count(seen, name, stream)
        progress("核对备份", min(size - 1, sum(one["size"] for one in seen.values())), size)
    progress("核对备份", size, size)
    if contents is None or not head:
        raise _refused(path, "没有清单")
    _compare(path, seen, contents)
    return Archive(path, open_head, head, contents)


def _count(seen: dict[str, dict[str, Any]], name: str, stream: BinaryIO) -> None:
    table = table_in(name)
    one = seen.setdefault(f"tables/{table}" if table else name, {"size": 0, "rows": 0, "digest": hashlib.sha256()})
    if table:
        lines = gzip.decompress(stream.read())
        one["digest"].update(lines)
        one["rows"] += lines.count(b"\n")
        one["size"] += len(lines)
        return
    while data := stream.read(1 << 20):
        one["digest"].update(data)
        one["size"] += len(data)


def _compare(path: Path, seen: Mapping[str, Mapping[str, Any]], contents: Contents) -> None:
    for name, told in contents.tables.items():
        found = seen.get(f"tables/{name}")
        if told["rows"] and (
            found is None or found["rows"] != told["rows"] or found["digest"].hexdigest() != told["sha256"]
        ):
            raise _refused(path, f"表 {name} 与清单不符")
    for name, told in contents.files.items():
        found = seen.get(name)
        if found is None or found["size"] != told["size"] or found["digest"].hexdigest() != told["sha256"]:
            raise _refused(path, f"文件 {name} 与清单不符")
    extra = set(seen) - {f"tables/{name}" for name in contents.tables} - set(contents.files)
    if extra:
        raise _refused(path, f"有清单之外的 {min(extra)}")


def table_in(member: str) -> str:
    """The table of a member, "" for anything else."""
    return member.removeprefix("tables/").rsplit(".", 3)[0] if member.startswith("tables/") else ""


def rows_in(stream: BinaryIO) -> Sequence[list[Any]]:
    """The rows of one part."""
    return [orjson.loads(line) for line in gzip.decompress(stream.read()).splitlines()]


class _told:  # noqa: N801 (read as a word of a with statement)
    """Turns what a broken file raises into a refusal that names it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        if not self.path.is_file():
            raise RefusedError("backup-not-found", f"找不到备份文件“{self.path}”，请核对路径")

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, NotSealedError):
            raise RefusedError("backup-not-one", f"“{self.path.name}”不是教衡的备份文件，请核对文件") from error
        if isinstance(error, SealBrokenError | tarfile.TarError | EOFError | gzip.BadGzipFile | ValueError):
            raise _refused(self.path, str(error)) from error


def _refused(path: Path, why: str) -> RefusedError:
    return RefusedError("backup-broken", f"备份“{path.name}”不完整或被改过（{why}），没有写入任何数据。请换一份备份")
