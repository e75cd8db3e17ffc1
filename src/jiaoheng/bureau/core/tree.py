"""Reading the dated tree: lines of ancestors, descendants, names at a day."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, fields
from typing import Any

from django.db.models import Q, QuerySet

from jiaoheng.bureau.core.models import Unit, UnitFacts, UnitPath


@dataclass(frozen=True, slots=True)
class Line:
    """The ids of a unit's ancestors at a day, as they are written into fact rows; None where it has none there."""

    unit_id: int
    county_id: int | None = None
    district_id: int | None = None
    school_id: int | None = None
    class_id: int | None = None
    department_id: int | None = None

    def ids(self) -> tuple[int, ...]:
        """Every id that stands in the line."""
        return tuple({value for item in fields(self) if (value := getattr(self, item.name)) is not None})


def holds(day: dt.date, prefix: str = "") -> Q:
    """The half-open condition: a dated row holds on a day."""
    before = Q(**{f"{prefix}starts_on__lte": day})
    return before & (Q(**{f"{prefix}ends_on__isnull": True}) | Q(**{f"{prefix}ends_on__gt": day}))


_steady: ContextVar[tuple[dict[tuple[int, dt.date], Line | None], dict[int, list[UnitFacts]]] | None] = ContextVar(
    "steady", default=None
)


@contextlib.contextmanager
def steady() -> Iterator[None]:
    """While a page is read the tree stands still: inside, lines and facts of a unit are asked for once.

    Only for reading services; whoever changes the tree inside would not see it.
    """
    token = _steady.set(_steady.get() or ({}, {}))
    try:
        yield
    finally:
        _steady.reset(token)


def lines_at(unit_ids: Iterable[int], day: dt.date) -> dict[int, Line]:
    """Unit id → its line on that day, in one query. A unit that has no place that day is not in the answer."""
    wanted = list(dict.fromkeys(unit_ids))
    kept = _steady.get()
    if kept is None:
        return _read_lines(wanted, day)
    lines = kept[0]
    if missing := [pk for pk in wanted if (pk, day) not in lines]:
        read = _read_lines(missing, day)
        lines.update({(pk, day): read.get(pk) for pk in missing})
    return {pk: line for pk in wanted if (line := lines[pk, day]) is not None}


def _read_lines(wanted: list[int], day: dt.date) -> dict[int, Line]:
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for part in (wanted[start : start + 500] for start in range(0, len(wanted), 500)):
        rows = UnitPath.objects.filter(holds(day), unit_id__in=part).values_list(
            "unit_id", "ancestor_id", "ancestor__level"
        )
        for unit_id, ancestor_id, level in rows:
            found[unit_id][f"{level}_id"] = ancestor_id
    return {unit_id: Line(unit_id=unit_id, **levels) for unit_id, levels in found.items()}


def line_at(unit: Unit, day: dt.date) -> Line:
    """The line of one unit on a day; where it has ended, on its last day; where it has not begun, on its first."""
    found = lines_at([unit.pk], day)
    if unit.pk in found:
        return found[unit.pk]
    near = unit.starts_on if day < unit.starts_on else (unit.ends_on or day) - dt.timedelta(days=1)
    return lines_at([unit.pk], near).get(unit.pk, Line(unit_id=unit.pk))


def descendants_at(ancestor_id: int, day: dt.date, level: str | None = None) -> QuerySet[Unit]:
    """Units below (and including) one on a day, optionally of one level."""
    units = Unit.objects.filter(holds(day, "up_paths__"), up_paths__ancestor_id=ancestor_id)
    return units.filter(level=level) if level else units


def names_at(unit_ids: Iterable[int | None], day: dt.date) -> dict[int, str]:
    """Unit id → its name on that day, else its nearest later or last name."""
    return {unit_id: facts.name for unit_id, facts in facts_at(unit_ids, day).items()}


def facts_at(unit_ids: Iterable[int | None], day: dt.date) -> dict[int, UnitFacts]:
    """Unit id → its facts on that day; a unit that had ended shows its last ones, one yet to come its first."""
    wanted = sorted({unit_id for unit_id in unit_ids if unit_id is not None})
    kept = _steady.get()
    known = kept[1] if kept is not None else {}
    _learn([pk for pk in wanted if pk not in known], known)
    found: dict[int, UnitFacts] = {}
    for pk in wanted:
        for facts in known[pk]:
            if pk not in found or facts.starts_on <= day:
                found[pk] = facts
    return found


def _learn(wanted: list[int], known: dict[int, list[UnitFacts]]) -> None:
    """Add all facts of units, in the order in which they held."""
    known.update({pk: [] for pk in wanted})
    for part in (wanted[start : start + 500] for start in range(0, len(wanted), 500)):
        for facts in UnitFacts.objects.filter(unit_id__in=part).order_by("unit_id", "starts_on"):
            known[facts.unit_id].append(facts)


def name_of(unit: Unit | None, day: dt.date) -> str:
    """Name of one unit on a day, "" for none."""
    return names_at([unit.pk], day).get(unit.pk, "") if unit is not None else ""


def parents_chain(unit: Unit, day: dt.date) -> Sequence[Any]:
    """Ancestors from the county down to the unit itself as (unit id, level, name): the breadcrumb."""
    line = line_at(unit, day)
    order = (line.county_id, line.department_id, line.district_id, line.school_id, line.class_id)
    ids = [one for one in order if one is not None]
    facts = facts_at(ids, day)
    levels = dict(Unit.objects.filter(pk__in=ids).values_list("pk", "level"))
    return [(one, levels[one], facts[one].name if one in facts else "") for one in ids]
