"""The history of a unit as sentences with the names of each day, never with ids."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from jiaoheng.bureau.core.models import Unit, UnitEdge, UnitFacts, UnitSuccession
from jiaoheng.bureau.core.tree import names_at
from jiaoheng.bureau.core.unit_checks import TITLES

Kind = UnitSuccession.Kind
ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a unit: on which day, in a sentence, why, by which document."""

    day: dt.date
    sentence: str
    reason: str = ""
    document: str = ""


def history_of(unit: Unit, until: dt.date | None = None) -> list[Event]:
    """What happened to a unit, newest first; `until` leaves out what comes after that day."""
    events = [*_founding(unit), *_moves(unit), *_facts(unit), *_successions(unit)]
    if until is not None:
        events = [one for one in events if one.day <= until]
    return sorted(events, key=lambda one: one.day, reverse=True)


def _founding(unit: Unit) -> list[Event]:
    edge = UnitEdge.objects.filter(unit=unit).order_by("starts_on").first()
    name = _name(unit.pk, unit.starts_on)
    place = f"，隶属{_name(edge.parent_id, unit.starts_on)}" if edge is not None else ""
    if UnitSuccession.objects.filter(other=unit, kind=Kind.SPLIT, happened_on=unit.starts_on).exists():
        return []  # told by the split
    return [Event(unit.starts_on, f"设立{name}，代码 {unit.code}{place}")]


def _moves(unit: Unit) -> list[Event]:
    """From the edges: what the tree says, with reason and document where a change was registered."""
    edges = list(UnitEdge.objects.filter(unit=unit).order_by("starts_on"))
    told = {row.happened_on: row for row in UnitSuccession.objects.filter(unit=unit, kind=Kind.MOVE).order_by("pk")}
    merged = _merged_parents(edges)
    made = []
    for before, after in pairwise(edges):
        day = after.starts_on
        if before.parent_id == after.parent_id:
            continue
        sentence = f"{_name(before.parent_id, day - ONE_DAY)} → {_name(after.parent_id, day)}"
        row = told.get(day) or merged.get((before.parent_id, day))
        if row is not None and row.kind == Kind.MERGE:
            sentence += "（随原上级并入）"
        made.append(Event(day, sentence, row.reason if row else "", row.document if row else ""))
    return made


def _merged_parents(edges: Iterable[UnitEdge]) -> dict[tuple[int, dt.date], UnitSuccession]:
    parents = {edge.parent_id for edge in edges}
    rows = UnitSuccession.objects.filter(unit_id__in=parents, kind=Kind.MERGE)
    return {(row.unit_id, row.happened_on): row for row in rows}


def _facts(unit: Unit) -> list[Event]:
    rows = list(UnitFacts.objects.filter(unit=unit).order_by("starts_on"))
    told = {row.happened_on: row for row in UnitSuccession.objects.filter(unit=unit, kind=Kind.RENAME).order_by("pk")}
    made = []
    for before, after in pairwise(rows):
        parts = [
            f"{title}：{getattr(before, name) or '（空）'} → {getattr(after, name) or '（空）'}"
            for name, title in TITLES.items()
            if getattr(before, name) != getattr(after, name) and name not in ("kind", "ownership", "locality")
        ]
        coded = [
            title
            for name, title in TITLES.items()
            if name in ("kind", "ownership", "locality") and getattr(before, name) != getattr(after, name)
        ]
        if coded:
            parts.append(f"变更{'、'.join(coded)}")
        if not parts:
            continue
        row = told.get(after.starts_on)
        made.append(Event(after.starts_on, "；".join(parts), row.reason if row else "", row.document if row else ""))
    return made


def _successions(unit: Unit) -> list[Event]:
    """Merges, splits and closures, from the side of either unit."""
    rows = UnitSuccession.objects.filter(unit=unit) | UnitSuccession.objects.filter(other=unit)
    made = []
    for row in rows.exclude(kind__in=(Kind.MOVE, Kind.RENAME)):
        day = row.happened_on
        mine = row.unit_id == unit.pk
        other = _name(row.other_id if mine else row.unit_id, day)
        if row.kind == Kind.MERGE:
            sentence = f"并入{other}" if mine else f"{other}并入"
        elif row.kind == Kind.SPLIT:
            sentence = f"分出{other}" if mine else f"由{other}分出"
        else:
            sentence = "撤销"
        made.append(Event(day, sentence, row.reason, row.document))
    return made


def _name(unit_id: int | None, day: dt.date) -> str:
    return names_at([unit_id], day).get(unit_id, "") if unit_id is not None else ""
