"""The base against the ledger of the generator, by its tables alone: nothing of the program is asked.

lost: acknowledged and not there (or not as it was said). doubled: there more than once. half: of a write that is one,
a part. unasked: there though it was refused.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faults.accounts_book import Entry
from faults.site import Site

_SEALED = b"JIAOHENG-SEALED-1\n"  # then "key:size of the plain content", salt, pieces of a MB with their tags


@dataclass
class Found:
    """What a comparison found; all lists are empty where all is well."""

    counted: Counter[str] = field(default_factory=Counter)  # writes by kind: acknowledged, open, refused
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    half: list[str] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)

    def check(self) -> None:
        """AssertionError where anything is not as the ledger says."""
        told = {name: getattr(self, name)[:5] for name in ("lost", "doubled", "half", "unasked") if getattr(self, name)}
        assert not told, told

    def judge(self, one: Entry, there: int, whole: int, name: str) -> None:
        """A write of which `there` parts of `whole` are in the base."""
        self.counted[f"{one.kind} {'acknowledged' if one.done else 'refused' if one.refused else 'open'}"] += 1
        if there > whole:
            self.doubled.append(f"{name}: {there} of {whole}")
        elif 0 < there < whole:
            self.half.append(f"{name}: {there} of {whole}")
        elif one.done and there < whole:
            self.lost.append(f"{name} {one.answer}")
        elif one.refused and there:
            self.unasked.append(f"{name} {one.answer}")


class Base:
    """The tables, read-only."""

    def __init__(self, site: Site, path: Path | None = None) -> None:
        self.site = site
        if site.is_sqlite:
            self._open: Any = sqlite3.connect(path or site.data / "jiaoheng.sqlite3")
        else:
            import psycopg

            # one moment for all queries: the commit of a killed client may still be coming to its end
            self._open = psycopg.connect(site.more["DATABASE_URL"])
            self._open.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ

    def rows(self, sql: str) -> list[Sequence[Any]]:
        """Of a query."""
        cursor = self._open.cursor()
        cursor.execute(sql)
        found: list[Sequence[Any]] = cursor.fetchall()
        return found

    def close(self) -> None:
        """Let go."""
        self._open.close()


def compare(site: Site, books: Iterable[Entry], *, files: Path | None = None, base: Path | None = None) -> Found:
    """Every write of the ledger against the base."""
    opened = Base(site, base)
    try:
        found, books = Found(), list(books)
        _records(opened, books, found)
        _imports(opened, books, found)
        _approvals(opened, books, found)
        _mergers(opened, books, found)
        _files(opened, books, found, files or site.data / "files")
    finally:
        opened.close()
    return found


def _records(base: Base, books: list[Entry], found: Found) -> None:
    current: dict[str, list[dict[str, Any]]] = defaultdict(list)
    sql = (
        "SELECT v.data FROM ledgers_recordversion v JOIN ledgers_registerrow r ON r.id = v.register_id"
        " WHERE r.name = 'f_people' AND v.valid_to IS NULL AND NOT v.deleted"
    )
    for (data,) in base.rows(sql):
        content = json.loads(data) if isinstance(data, str) else data
        current[content["code"]].append(content)
    changes = {one.asked["code"]: one for one in books if one.kind == "change"}
    asked: dict[str, list[Entry]] = defaultdict(list)
    for one in books:
        if one.kind == "record":
            asked[one.asked["code"]].append(one)
    for code, several in asked.items():
        best = next((one for one in several if one.done), several[-1])  # the same write, sent again under its key
        there = current.get(code, [])
        found.judge(best, len(there), 1, code)
        if there and (change := changes.get(code)) is not None:
            points = int(there[0].get("points") or 0)
            found.counted[f"change {'acknowledged' if change.done else 'open'}"] += 1
            if change.done and points != change.asked["points"]:
                found.lost.append(f"{code}: {points} instead of {change.asked['points']}")
            elif points not in (1, change.asked["points"]):
                found.half.append(f"{code}: {points}")
        if there and "photo" in best.asked and there[0].get("photo") != [best.asked["photo"]]:
            found.half.append(f"{code}: {there[0].get('photo')}")


def _imports(base: Base, books: list[Entry], found: Found) -> None:
    sql = (
        "SELECT v.data FROM ledgers_recordversion v JOIN ledgers_registerrow r ON r.id = v.register_id"
        " WHERE r.name = 'f_roster' AND v.valid_to IS NULL AND NOT v.deleted"
    )
    codes: Counter[str] = Counter()
    for (data,) in base.rows(sql):
        codes[(json.loads(data) if isinstance(data, str) else data)["code"]] += 1
    parts: Counter[str] = Counter()
    for code, many in codes.items():
        parts[code.rpartition("-")[0] + "-"] += 1
        if many > 1:
            found.doubled.append(f"{code}: {many}")
    states = dict(base.rows("SELECT id, state FROM ledgers_importbatch"))
    for one in books:
        if one.kind != "import":
            continue
        there, state = parts[one.asked["prefix"]], states.get(one.asked["import"])
        queued = one.done and state in ("writing", "preview")  # acknowledged as queued: its job is looked at elsewhere
        if queued and not there:
            found.counted["import queued"] += 1
            continue
        found.judge(one, there, one.asked["rows"], one.asked["prefix"])
        if (state == "done") != bool(there):
            found.half.append(f"{one.asked['prefix']}: {there} rows and state {state}")


def _approvals(base: Base, books: list[Entry], found: Found) -> None:
    steps: Counter[tuple[int, str]] = Counter()
    sql = (
        "SELECT s.filing_id, s.level FROM ledgers_filingstep s JOIN ledgers_filing f ON f.id = s.filing_id"
        " WHERE s.kind = 'approve' AND s.withdrawn_at IS NULL"
    )
    for filing, level in base.rows(sql):
        steps[filing, level] += 1
    for key, many in steps.items():
        if many > 1:
            found.doubled.append(f"approval {key}: {many}")
    states = dict(base.rows("SELECT id, state FROM ledgers_filing"))
    wanted: dict[tuple[int, str], list[Entry]] = defaultdict(list)
    for one in books:
        if one.kind in ("approval", "bulk"):
            for filing in one.asked["filings"]:
                wanted[filing, one.asked["level"]].append(one)
    for one in books:
        if one.kind not in ("approval", "bulk"):
            continue
        pairs = [(filing, one.asked["level"]) for filing in one.asked["filings"]]
        others = [other for pair in pairs for other in wanted[pair] if other is not one]
        there = sum(bool(steps[pair]) for pair in pairs)
        if one.refused and any(not other.refused for other in others):
            found.counted[f"{one.kind} refused"] += 1  # the same was asked for twice: one of them did it
            continue
        found.judge(one, there, len(pairs), f"{one.kind} {pairs[0]}")
    for (filing, level), many in steps.items():
        if many and states[filing] not in ({"district": "county", "county": "approved"}[level], "approved"):
            found.half.append(f"filing {filing}: {level} step and state {states[filing]}")


def _mergers(base: Base, books: list[Entry], found: Found) -> None:
    went = Counter(row[0] for row in base.rows("SELECT unit_id FROM core_unitsuccession WHERE kind = 'merge'"))
    ended = {row[0] for row in base.rows("SELECT id FROM core_unit WHERE ends_on IS NOT NULL")}
    noted = Counter(
        str(row[0]) for row in base.rows("SELECT object_id FROM core_auditentry WHERE action = 'unit-merge'")
    )
    asked: dict[int, list[Entry]] = defaultdict(list)
    for one in books:
        if one.kind == "merger":
            asked[one.asked["unit"]].append(one)
    for unit, several in asked.items():
        best = next((one for one in several if one.done), several[0])
        found.judge(best, went[unit], 1, f"merger of {unit}")
        if len({bool(went[unit]), unit in ended, bool(noted[str(unit)])}) > 1:
            found.half.append(f"merger of {unit}: {went[unit]}, {unit in ended}, {noted[str(unit)]}")


def _is_whole(path: Path, size: int, sha256: str) -> bool:
    """Whether a file is all of what its row says; of a sealed one the length (its bytes are the doctor's: each piece
    is authenticated)."""
    content = path.read_bytes()
    if not content.startswith(_SEALED):
        return len(content) == size and hashlib.sha256(content).hexdigest() == sha256
    head = content[len(_SEALED) :].split(b"\n", 1)[0]
    told = int(head.partition(b":")[2])
    pieces = max(1, -(-told // (1 << 20)))
    whole = len(_SEALED) + len(head) + 1 + 16 + told + 16 * pieces
    return len(content) == whole and size in (told, whole)


def _files(base: Base, books: list[Entry], found: Found, folder: Path) -> None:
    """Every row's file is there, as long and with the bytes that the row says; every acknowledged upload has its row."""
    rows = base.rows("SELECT id, path, size, sha256, upload_key FROM core_attachment")
    keys: Counter[str] = Counter()
    for pk, path, size, sha256, upload in rows:
        keys[upload] += 1
        place = folder / path
        if not place.is_file():
            found.lost.append(f"file of {pk}: not there")
        elif not _is_whole(place, size, sha256):
            found.half.append(f"file of {pk}: {place.stat().st_size} bytes for {size}")
    for one in books:
        if one.kind == "photo":
            found.judge(one, keys[one.asked["upload"]], 1, f"photo {one.asked['upload']}")
