"""What lies in the data folder beside the database, and which of it goes into a backup.

Everything does but what is named here: a folder that a later version adds is kept without anybody thinking of it.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from jiaoheng.bureau.core.audit_archive import folder as archive_folder

# derived (made again from what is kept), secret (kept apart), or about this machine only
LEFT_OUT = (
    "jiaoheng.sqlite3*", "snapshots", "static", "secret-key", "keys", "data-keys*", "*.key", "*.keys", "backups", "logs", "run",
    "audit-anchor.log", "audit-archive", "files", "*.part", ".*", "moved.json", "restoring", "cache",
)  # fmt: skip
_TEMPORARY = (".*", "*.part", "*.tmp", "~$*")


def kept_files() -> Iterator[tuple[str, Path]]:
    """(path in the backup, path on the disk) of every file to be kept, in a stable order."""
    for name, root in (("files", Path(settings.FILES)), ("audit-archive", archive_folder())):
        yield from _below(name, root)
    data = Path(settings.DATA)
    if not data.is_dir():
        return
    own = {Path(settings.FILES), archive_folder(), Path(settings.SNAPSHOTS), Path(settings.ANCHOR)}
    for path in sorted(data.iterdir()):
        if path in own or any(fnmatch.fnmatch(path.name, pattern) for pattern in LEFT_OUT):
            continue
        if path.is_dir():
            yield from _below(f"data/{path.name}", path)
        elif path.is_file():
            yield f"data/{path.name}", path


def _below(name: str, root: Path) -> Iterator[tuple[str, Path]]:
    if not root.is_dir():
        return
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink():
            if any(fnmatch.fnmatch(path.name, pattern) for pattern in _TEMPORARY):
                continue
            yield f"{name}/{path.relative_to(root).as_posix()}", path


def target_of(name: str) -> Path:
    """Where a file of a backup lies on this machine. ValueError for a name that leads out of the folders."""
    head, _, rest = name.partition("/")
    roots = {"files": Path(settings.FILES), "audit-archive": archive_folder(), "data": Path(settings.DATA)}
    parts = rest.split("/")
    if head not in roots or not rest or any(part in ("", ".", "..") or "\\" in part for part in parts):
        raise ValueError(name)
    return roots[head].joinpath(*parts)


def backups_folder() -> Path:
    """Where backups go that nobody named a place for."""
    import os

    return Path(os.environ.get("JIAOHENG_BACKUP_FOLDER") or Path(settings.DATA) / "backups")


def logs_folder() -> Path:
    """Where logs and the list of backups lie."""
    return Path(settings.DATA) / "logs"
