"""Who saw or took away full values of protected columns: each look and each export, and sums by person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count, Max, Q, Sum

from jiaoheng.bureau.core.audit_search import DOORS, Wanted, entries_of, verb_of
from jiaoheng.bureau.core.models import Account, AuditEntry

LOOK, EXPORT = "record.unmask", "export.full"
ACTIONS = (LOOK, EXPORT)
PAGE, MOST = 50, 20_000
HEADS = ("序号", "时间", "谁", "做了什么", "对象", "列", "条数", "用途", "途径")


@dataclass(frozen=True, slots=True)
class UnmaskedLine:
    """One look or export. `fields`: the heads of the columns; `count`: records."""

    number: int
    at: dt.datetime
    who: str
    verb: str
    what: str
    fields: str
    count: int
    purpose: str
    door: str


@dataclass(frozen=True, slots=True)
class PersonSum:
    """One person's looks and exports together."""

    who: str
    looks: int
    exports: int
    exported: int  # records in all exports
    last: dt.datetime


@dataclass(frozen=True, slots=True)
class Report:
    """One page of lines, newest first, and the sums of everything that was asked for. `next`: `before` of the next page."""

    lines: tuple[UnmaskedLine, ...]
    people: tuple[PersonSum, ...]
    next: int | None


def report(account: Account, wanted: Wanted) -> Report:
    """What happened in the units whose trail one may read."""
    rows = entries_of(account, wanted).filter(action__in=ACTIONS)
    part = list((rows.filter(number__lt=wanted.before) if wanted.before else rows).order_by("-number")[: PAGE + 1])
    lines = tuple(map(_line, part[:PAGE]))
    return Report(lines, _people(rows), lines[-1].number if len(part) > PAGE else None)


def rows_of(account: Account, wanted: Wanted) -> Iterator[tuple[str, ...]]:
    """The lines as rows of a table under HEADS, newest first, at most MOST."""
    rows = entries_of(account, wanted).filter(action__in=ACTIONS).order_by("-number")[:MOST]
    from jiaoheng.bureau.core import clock

    for one in map(_line, rows.iterator()):
        at = f"{clock.local(one.at):%Y-%m-%d %H:%M:%S}"
        yield str(one.number), at, one.who, one.verb, one.what, one.fields, str(one.count), one.purpose, one.door


def _people(rows: object) -> tuple[PersonSum, ...]:
    sums = (
        rows.order_by()  # type: ignore[attr-defined]
        .values("actor_name")
        .annotate(
            looks=Count("pk", filter=Q(action=LOOK)),
            exports=Count("pk", filter=Q(action=EXPORT)),
            exported=Sum("count", filter=Q(action=EXPORT)),
            last=Max("at"),
        )
        .order_by("-looks", "-exports", "actor_name")
    )
    return tuple(
        PersonSum(one["actor_name"], one["looks"], one["exports"], one["exported"] or 0, one["last"]) for one in sums
    )


def _line(entry: AuditEntry) -> UnmaskedLine:
    fields = "、".join(str(one.get("title") or one.get("field")) for one in entry.changes)
    return UnmaskedLine(
        entry.number,
        entry.at,
        entry.actor_name,
        verb_of(entry.action),
        entry.object_name,
        fields,
        entry.count,
        entry.reason,
        DOORS.get(entry.door, entry.door),
    )
