"""The generator's own ledger: what it asked for and what it was answered, each line on the disk before the next step."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class Book:
    """Lines of JSON, one before and one after each write; several threads write into it."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._lock = threading.Lock()

    def asked(self, key: str, kind: str, **what: Any) -> None:
        """A write is about to be asked for."""
        self._put({"key": key, "kind": kind, "asked": what})

    def answered(self, key: str, status: int, **what: Any) -> None:
        """Its answer; status 0: the connection broke, nobody knows."""
        self._put({"key": key, "status": status, "answer": what})

    def _put(self, line: dict[str, Any]) -> None:
        line["at"] = time.time()
        with self._lock:
            os.write(self._file, json.dumps(line, ensure_ascii=False).encode() + b"\n")
            os.fsync(self._file)


@dataclass
class Entry:
    """One write: what was asked, what was answered (None: nothing)."""

    key: str
    kind: str
    asked: dict[str, Any]
    at: float
    status: int | None = None
    answer: dict[str, Any] = field(default_factory=dict)
    answered_at: float = 0.0

    @property
    def done(self) -> bool:
        """Acknowledged: it must be in the base for good."""
        return self.status is not None and 200 <= self.status < 400

    @property
    def refused(self) -> bool:
        """Answered with no: it must not be in the base."""
        return self.status is not None and 400 <= self.status < 500

    @property
    def open(self) -> bool:
        """No answer, or one that says that nobody knows: whole or absent."""
        return not self.done and not self.refused


def entries(path: Path, until: float = float("inf")) -> Iterator[Entry]:
    """Every write of a ledger in the order of asking, as it was known at a moment."""
    found: dict[str, Entry] = {}
    for line in path.read_bytes().splitlines(keepends=True) if path.exists() else ():
        if not line.endswith(b"\n"):
            break  # it is being written this moment
        one = json.loads(line)
        if one["at"] > until:
            continue
        if "kind" in one:
            found[one["key"]] = Entry(one["key"], one["kind"], one["asked"], one["at"])
        else:
            entry = found[one["key"]]
            entry.status, entry.answer, entry.answered_at = one["status"], one["answer"], one["at"]
    return iter(found.values())
