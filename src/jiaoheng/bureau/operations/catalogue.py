"""The backups that were made here: a list beside the logs, and the files in a folder."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jiaoheng.bureau.core import clock, durable
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.operations.archive import SUFFIX, open_head_of
from jiaoheng.bureau.operations.places import logs_folder

PREFIX = "jiaoheng-"


@dataclass(frozen=True, slots=True)
class Listed:
    """One backup file as far as it can be seen without its key."""

    path: Path
    made_at: dt.datetime | None
    key: str
    version: str
    size: int
    problem: str = ""


def file_name(moment: dt.datetime) -> str:
    """jiaoheng-20250915-120000.jhb, Beijing time."""
    return f"{PREFIX}{clock.local(moment):%Y%m%d-%H%M%S}{SUFFIX}"


def listed(folder: Path) -> list[Listed]:
    """The backups of a folder (or one file), newest first."""
    paths = [folder] if folder.is_file() else sorted(folder.glob(f"*{SUFFIX}"))
    return sorted(
        (_look(path) for path in paths), key=lambda one: (str(one.made_at or ""), one.path.name), reverse=True
    )


def _look(path: Path) -> Listed:
    size = path.stat().st_size
    try:
        head = open_head_of(path)
        made_at = dt.datetime.fromisoformat(str(head["made_at"]))
        return Listed(path, made_at, str(head["key"]), str(head["version"]), size)
    except (RefusedError, KeyError, ValueError) as error:
        return Listed(path, None, "", "", size, str(error))


def rotate(folder: Path, keep: int) -> list[Path]:
    """Remove all but the `keep` newest backups of a folder; only files that bear the program's own names."""
    made = [one for one in listed(folder) if one.path.name.startswith(PREFIX) and one.made_at is not None]
    gone = [one.path for one in made[max(1, keep) :]]
    for path in gone:
        path.unlink(missing_ok=True)
    return gone


def note_made(path: Path, key: str, size: int, rows: int, seconds: float, *, checked: bool) -> None:
    """Remember a backup: the doctor tells by this list how old the newest is, wherever it was put."""
    body = {
        "at": clock.now().isoformat(),
        "path": str(path.resolve()),
        "key": key,
        "size": size,
        "rows": rows,
        "seconds": round(seconds, 1),
        "checked": checked,
    }
    durable.append_line(logs_folder() / "backups.jsonl", json.dumps(body, ensure_ascii=False))


def newest_noted() -> dict[str, Any] | None:
    """The newest backup of the list, None where none was ever made here."""
    path = logs_folder() / "backups.jsonl"
    if not path.is_file():
        return None
    for line in reversed(path.read_text(encoding="utf-8").splitlines()):
        try:
            return dict(json.loads(line))
        except ValueError:
            continue  # a line that a power cut left half
    return None


def sha256_of(path: Path) -> str:
    """Of a file of any size."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
