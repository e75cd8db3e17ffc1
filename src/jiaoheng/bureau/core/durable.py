"""Files that a committed row may name: on the disk before the row is, whatever happens to the power.

A commit is durable when it returns (SQLite: `synchronous=FULL`, PostgreSQL: `synchronous_commit=on`), so the bytes of a
file, its name in its folder and the folders above it have to be so before: `keep` is called by whoever wrote a file,
`put` writes and keeps one. What is no longer named goes only when the commit that took the name away is done
(`transaction.on_commit`).
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from django.conf import settings


def put(target: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all, and stays."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    try:
        with part.open("wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        os.replace(part, target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    keep_name(target)


def keep(path: Path) -> None:
    """Bring a file that was written to the disk: its bytes, its name, the folders down to it."""
    with path.open("rb+") as opened:
        os.fsync(opened.fileno())
    keep_name(path)


def keep_name(path: Path) -> None:
    """Bring the name of a file to the disk: its folder, and those above it that may be new too (below the data folder)."""
    if os.name != "posix":
        return  # there a folder cannot be opened, and the file system keeps names by itself
    root = Path(settings.FILES)
    folders = [path.parent]
    while folders[-1] != root and root in folders[-1].parents:
        folders.append(folders[-1].parent)
    if folders[-1] == root:
        folders.append(root.parent)
    for folder in folders:
        _sync(folder)


def _sync(folder: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def append_line(path: Path, line: str) -> None:
    """Add a line to a file that several processes add to, in one write: lines never mix.

    A line that a full disk or a loss of power cut off stays a line of its own and spoils no other.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        if size:
            os.lseek(descriptor, size - 1, os.SEEK_SET)
            if os.read(descriptor, 1) != b"\n":
                line = f"\n{line}"
        os.write(descriptor, f"{line}\n".encode())
    finally:
        os.close(descriptor)
