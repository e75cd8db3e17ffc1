"""Proof that the trail is whole, and its archive.

Three things must agree: the entries (each hash covers the entry and the hash before it), the head row, and the anchors
that were written outside the database after each commit. Hashes alone prove too little: who cuts the tail or hashes
everything anew leaves a chain that hangs together, but the anchors no longer fit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.conf import settings

from jiaoheng.bureau.core.audit import hash_of
from jiaoheng.bureau.core.audit_archive import ARCHIVE, archive_problem
from jiaoheng.bureau.core.models import AuditEntry, AuditHead

_CHUNK = 2000
_ANCHOR = re.compile(r"(\d{1,18}) ([0-9a-f]{64})(?:\s|$)")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found. `number` is the first bad entry or anchor, 0 where all is whole."""

    whole: bool
    count: int  # entries in the database that were checked
    head: str
    archived_to: int
    number: int
    sentence: str  # for people
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Walk:
    """State of one pass."""

    number: int
    before: str
    count: int = 0
    archives: set[tuple[str, str]] = field(default_factory=set)


class _BrokenError(Exception):
    def __init__(self, number: int, sentence: str) -> None:
        super().__init__(sentence)
        self.number = number


def verify() -> Verdict:
    """Check the whole chain, one entry at a time: a large chain needs no memory.

    Anchors are read before the head and the head before the entries, so that writing may go on meanwhile.
    """
    anchors = _anchors()
    head = AuditHead.objects.filter(pk=1).first()
    walk = _Walk(head.archived_to if head else 0, head.archived_hash if head else "")
    archived_to = walk.number
    try:
        if head is None:
            _check_nothing(anchors)
            return Verdict(True, 0, "", 0, 0, "完整，还没有记录")
        _check_anchored(anchors, head)
        for entry in _entries(archived_to, head.number):
            _check(entry, walk, anchors)
        _check_end(walk, head, anchors)
        notes = _check_archive(head, walk)
    except _BrokenError as broken:
        newest = head.hash if head else ""
        return Verdict(False, walk.count, newest, archived_to, broken.number, f"不完整：{broken}")
    return Verdict(True, walk.count, head.hash, archived_to, 0, _whole(walk, head), notes)


def _whole(walk: _Walk, head: AuditHead) -> str:
    words = f"完整，共 {walk.count} 条，最新一条 {head.number}，摘要 {head.hash}"
    if head.archived_to:
        words = f"自 {head.archived_to + 1} 起连续，1–{head.archived_to} 已归档；{words}"
    return words


def _anchors() -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    if not settings.ANCHOR.exists():
        return found
    with settings.ANCHOR.open(encoding="ascii", errors="replace") as lines:
        for line in lines:
            whole = _ANCHOR.match(line)
            if whole is not None:  # a line that a loss of power cut off proves nothing
                found.setdefault(int(whole[1]), set()).add(whole[2])
    return found


def _entries(after: int, to: int) -> Iterator[AuditEntry]:
    rows = AuditEntry.objects.filter(number__gt=after, number__lte=to).order_by("number")
    last = after
    while True:  # by key and not by one long cursor: writers of SQLite are not held up
        part = list(rows.filter(number__gt=last)[:_CHUNK])
        yield from part
        if len(part) < _CHUNK:
            return
        last = part[-1].number


def _check_nothing(anchors: dict[int, set[str]]) -> None:
    first = AuditEntry.objects.order_by("number").values_list("number", flat=True).first()
    if first is not None:
        raise _BrokenError(first, "链首记录不见了，而记录还在")
    if anchors:
        newest = max(anchors)
        raise _BrokenError(newest, f"库外的锚记有第 {newest} 条，库里一条记录也没有")


def _check_anchored(anchors: dict[int, set[str]], head: AuditHead) -> None:
    if not anchors and head.number:
        raise _BrokenError(head.number, f"找不到库外的锚文件 {settings.ANCHOR.name}，无法证明末尾没有被删")


def _check(entry: AuditEntry, walk: _Walk, anchors: dict[int, set[str]]) -> None:
    expected = walk.number + 1
    if entry.number != expected:
        raise _BrokenError(expected, f"缺第 {expected} 条，其后是第 {entry.number} 条")
    if entry.hash != hash_of(entry, walk.before):
        raise _BrokenError(expected, f"第 {expected} 条的内容与摘要不符，或与上一条接不上")
    told = anchors.get(expected)
    if told is not None and told != {entry.hash}:
        raise _BrokenError(expected, f"第 {expected} 条的摘要与库外的锚记不符，这一条或更早的被改写过")
    if entry.action == ARCHIVE:
        walk.archives.add((entry.object_id, entry.digest))
    walk.number, walk.before, walk.count = expected, entry.hash, walk.count + 1


def _check_end(walk: _Walk, head: AuditHead, anchors: dict[int, set[str]]) -> None:
    newest = max(anchors, default=0)
    if walk.number < head.number:
        missing = walk.number + 1
        raise _BrokenError(missing, f"缺第 {missing} 条，链首记着共有 {head.number} 条")
    if walk.before != head.hash:
        raise _BrokenError(head.number, f"第 {head.number} 条的摘要与链首不符")
    if newest > head.number:
        raise _BrokenError(newest, f"库外的锚记有第 {newest} 条，库里只到第 {head.number} 条，末尾被删过")
    now = AuditHead.objects.filter(pk=1).values_list("number", flat=True).first() or 0
    beyond = AuditEntry.objects.filter(number__gt=now).order_by("number").values_list("number", flat=True).first()
    # an entry that was written since the head was read moved the head in the same transaction
    current = AuditHead.objects.filter(pk=1).values_list("number", flat=True).first() or 0
    if beyond is not None and beyond > current:
        raise _BrokenError(beyond, f"第 {beyond} 条在链首之外")


def _check_archive(head: AuditHead, walk: _Walk) -> tuple[str, ...]:
    if not head.archived_to:
        return ()
    if (str(head.archived_to), head.archived_hash) not in walk.archives:
        told = f"链首记着 1–{head.archived_to} 已归档，链中没有这次归档的记录"
        raise _BrokenError(head.archived_to, told)
    problem = archive_problem(head.archived_to, head.archived_hash)
    return (problem,) if problem else ()
