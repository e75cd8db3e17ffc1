"""Who changed what, when, from what: finding entries and saying them in a sentence."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import TruncDate

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, AuditEntry, Unit, UnitPath
from jiaoheng.bureau.core.scope import Scope, scope_of
from jiaoheng.packs import load

DOORS = {"page": "网页", "file": "文件", "api": "接口", "command": "命令行", "worker": "后台"}
NOTHING = "空"
_SHOWN = 6  # changes in the sentence; the rest are counted and open on the entry


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; everything left empty does not narrow."""

    person: str = ""  # a part of the name as it was, or a user name
    account_id: int | None = None
    object_type: str = ""
    object_id: str = ""
    object_name: str = ""
    unit_id: int | None = None
    action: str = ""
    since: dt.date | None = None
    until: dt.date | None = None  # the last day
    before: int | None = None  # page on: only entries with smaller numbers


@dataclass(frozen=True, slots=True)
class Change:
    """One field's change, in words."""

    title: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One entry for people."""

    number: int
    at: dt.datetime
    who: str
    verb: str
    what: str
    changes: tuple[Change, ...]
    reason: str
    door: str
    count: int
    sentence: str
    object_type: str
    object_id: str
    unit_id: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """One page of lines, newest first; `next` is the `before` of the next page, None on the last."""

    lines: tuple[AuditLine, ...]
    next: int | None


def verb_of(action: str) -> str:
    """The word of an action (packs/audit_words.yaml); an unknown one shows its key."""
    return str(load("audit_words")["actions"].get(action, action))


def actions_to_choose() -> list[tuple[str, str]]:
    """(key, word) for the filter, by word."""
    return sorted(load("audit_words")["actions"].items(), key=lambda pair: pair[1])


def find_entries(account: Account, wanted: Wanted, limit: int = 50) -> Found:
    """The entries inside the reader's AUDIT scope that are looked for."""
    rows = _readable(scope_of(account, Can.AUDIT))
    if wanted.before is not None:
        rows = rows.filter(number__lt=wanted.before)
    rows = _narrowed(rows, wanted).order_by("-number")
    part = list(rows[: limit + 1])
    more = len(part) > limit
    lines = tuple(line_of(entry) for entry in part[:limit])
    return Found(lines, lines[-1].number if more else None)


def entries_of(account: Account, wanted: Wanted) -> QuerySet[AuditEntry]:
    """The entries inside the reader's AUDIT scope that are looked for, in no order and without paging."""
    return _narrowed(_readable(scope_of(account, Can.AUDIT)), wanted)


def history_of(account: Account, object_type: str, object_id: object, limit: int = 200) -> tuple[AuditLine, ...]:
    """The entries of one object inside the reader's scope, newest first."""
    return find_entries(account, Wanted(object_type=object_type, object_id=str(object_id)), limit).lines


def line_of(entry: AuditEntry) -> AuditLine:
    """An entry in words: 谁 何时 把 什么 由 A 改为 B，因何."""
    changes = tuple(
        Change(str(one.get("title") or one.get("field")), _shown(one.get("old")), _shown(one.get("new")))
        for one in entry.changes
    )
    verb = verb_of(entry.action)
    return AuditLine(
        number=entry.number,
        at=entry.at,
        who=entry.actor_name,
        verb=verb,
        what=entry.object_name,
        changes=changes,
        reason=entry.reason,
        door=DOORS.get(entry.door, entry.door),
        count=entry.count,
        sentence=_sentence(entry, verb, changes),
        object_type=entry.object_type,
        object_id=entry.object_id,
        unit_id=entry.unit_id,
    )


def _sentence(entry: AuditEntry, verb: str, changes: tuple[Change, ...]) -> str:
    at = f"{clock.local(entry.at):%Y-%m-%d %H:%M}"
    words = f"{entry.actor_name} {at} {verb}"
    if entry.object_name:
        words += f" {entry.object_name}"
    told = []
    for one in changes[:_SHOWN]:
        if one.old == NOTHING:
            told.append(f"{one.title} 为 {one.new}")
        elif one.new == NOTHING:
            told.append(f"{one.title} 去掉 {one.old}")
        else:
            told.append(f"把 {one.title} 由 {one.old} 改为 {one.new}")
    if told:
        words += "：" + "；".join(told)
    if len(changes) > _SHOWN:
        words += f"；另改 {len(changes) - _SHOWN} 处"
    if entry.count > 1:
        words += f"（共 {entry.count} 条）"
    return words + (f"，因 {entry.reason}" if entry.reason else "")


def _shown(value: object) -> str:
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list):
        return "、".join(str(one) for one in value) or NOTHING
    return str(value)


def _readable(scope: Scope) -> QuerySet[AuditEntry]:
    """A district reads of a school what happened while the school stood under it, as with its rows."""
    if any(root.level == Unit.Level.COUNTY for root in scope.roots):
        return AuditEntry.objects.all()
    if not scope:
        return AuditEntry.objects.none()
    dated = AuditEntry.objects.annotate(day=TruncDate("at", tzinfo=clock.BEIJING))
    paths = UnitPath.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gt=OuterRef("day")),
        unit_id=OuterRef("unit_id"),
        ancestor_id__in=[root.unit_id for root in scope.roots],
        starts_on__lte=OuterRef("day"),
    )
    return dated.filter(Exists(paths))


def _narrowed(rows: QuerySet[AuditEntry], wanted: Wanted) -> QuerySet[AuditEntry]:
    if wanted.person:
        ids = Account.objects.filter(username=wanted.person.strip().lower()).values_list("pk", flat=True)
        rows = rows.filter(Q(actor_name__contains=wanted.person.strip()) | Q(actor_id__in=list(ids)))
    if wanted.account_id is not None:
        rows = rows.filter(actor_id=wanted.account_id)
    exact = {"object_type": wanted.object_type, "object_id": wanted.object_id, "action": wanted.action}
    rows = rows.filter(**{name: value for name, value in exact.items() if value})
    if wanted.object_name:
        rows = rows.filter(object_name__contains=wanted.object_name.strip())
    if wanted.unit_id is not None:
        rows = rows.filter(unit_id=wanted.unit_id)
    if wanted.since is not None:
        rows = rows.filter(at__gte=clock.beijing(wanted.since.year, wanted.since.month, wanted.since.day))
    if wanted.until is not None:
        end = wanted.until + dt.timedelta(days=1)
        rows = rows.filter(at__lt=clock.beijing(end.year, end.month, end.day))
    return rows


__all__ = ["AuditLine", "Change", "Found", "Wanted", "entries_of", "find_entries", "history_of", "line_of", "verb_of"]
