"""Archive files of the trail: one JSON line an entry, gzip, beside the anchor."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

from jiaoheng.bureau.core import durable
from jiaoheng.bureau.core.audit import hash_of
from jiaoheng.bureau.core.models import AuditEntry

ARCHIVE = "audit.archive"
_FIELDS = (
    "number", "at", "action", "actor_id", "actor_name", "door", "object_type", "object_id", "object_name", "unit_id",
    "changes", "count", "reason", "digest", "hash",
)  # fmt: skip


def folder() -> Path:
    """Where archives lie."""
    return Path(settings.ANCHOR).parent / "audit-archive"


def write_archive(first: int, last: int, entries: Iterable[AuditEntry]) -> tuple[Path, str]:
    """Write entries into a file that appears whole; its path and SHA-256."""
    folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder() / f"{first:09d}-{last:09d}.jsonl.gz"
    for unfinished in folder().glob(f"{first:09d}-*.jsonl.gz"):  # of an archiving that was killed before its commit
        unfinished.unlink()
    half = path.with_suffix(".part")
    with half.open("wb") as raw:
        with gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0) as out:
            for entry in entries:
                body = {name: getattr(entry, name) for name in _FIELDS}
                out.write((json.dumps(body, ensure_ascii=False, default=_iso) + "\n").encode())
        raw.flush()
        os.fsync(raw.fileno())
    os.replace(half, path)
    durable.keep_name(path)  # its entries leave the base with the commit that follows
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def read_archives() -> Iterator[AuditEntry]:
    """The archived entries from the first on, as unsaved rows."""
    for path in sorted(folder().glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                body: dict[str, Any] = json.loads(line)
                body["at"] = dt.datetime.fromisoformat(body["at"])
                yield AuditEntry(**body)


def archive_problem(archived_to: int, archived_hash: str) -> str:
    """A sentence where the archive files do not carry 1 to `archived_to`; "" where they do."""
    number, before = 0, ""
    try:
        for entry in read_archives():
            if entry.number > archived_to:
                break
            if entry.number != number + 1 or entry.hash != hash_of(entry, before):
                return f"归档文件里第 {number + 1} 条缺失或被改过"
            number, before = entry.number, entry.hash
    except (OSError, EOFError, ValueError, TypeError, KeyError):
        return f"归档文件读不出第 {number + 1} 条"
    if number < archived_to:
        return f"归档文件只有 1–{number}，缺 {number + 1}–{archived_to}，请放回 {folder().name} 文件夹"
    return "" if before == archived_hash else f"归档文件的末条摘要与链中记的不符（第 {archived_to} 条）"


def _iso(value: object) -> str:
    return value.isoformat() if isinstance(value, dt.datetime) else str(value)
