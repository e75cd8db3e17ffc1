"""The tree of units as a plain list on a day, by id: for programs."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Unit, UnitEdge, UnitPath
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import facts_at, holds


@dataclass(frozen=True, slots=True)
class UnitLine:
    """One unit with its facts of the day; `parent_id` None at the top."""

    unit_id: int
    code: str
    level: str
    name: str
    short_name: str
    kind: str
    ownership: str
    locality: str
    township: str
    parent_id: int | None
    starts_on: dt.date
    ends_on: dt.date | None


@dataclass(frozen=True, slots=True)
class UnitLines:
    """One page; `after`: id of its last line, None on the last page."""

    lines: tuple[UnitLine, ...]
    after: int | None


def unit_lines(
    account: Account,
    *,
    day: dt.date | None = None,
    level: str = "",
    under: int | None = None,
    code: str = "",
    after: int = 0,
    size: int = 100,
) -> UnitLines:
    """The units inside the reader's scope that stand on a day (today): what every chooser offers."""
    day = day or clock.today()
    rows = scope_of(account, Can.READ).units(day).filter(pk__gt=after)
    if level:
        rows = rows.filter(level=level)
    if code:
        rows = rows.filter(code=code)
    if under is not None:
        below = UnitPath.objects.filter(holds(day), ancestor_id=under)
        rows = rows.filter(pk__in=below.values("unit_id"))
    found = list(rows.order_by("pk")[: size + 1])
    more, found = len(found) > size, found[:size]
    return UnitLines(lines_of(found, day), found[-1].pk if more else None)


def lines_of(units: list[Unit], day: dt.date) -> tuple[UnitLine, ...]:
    """Units with their facts and parents of a day, in two queries."""
    ids = [one.pk for one in units]
    facts = facts_at(ids, day)
    parents = dict(UnitEdge.objects.filter(holds(day), unit_id__in=ids).values_list("unit_id", "parent_id"))
    made = []
    for one in units:
        said = facts.get(one.pk)
        made.append(
            UnitLine(
                one.pk,
                one.code,
                one.level,
                said.name if said else one.code,
                said.short_name if said else "",
                said.kind if said else "",
                said.ownership if said else "",
                said.locality if said else "",
                said.township if said else "",
                parents.get(one.pk),
                one.starts_on,
                one.ends_on,
            )
        )
    return tuple(made)
