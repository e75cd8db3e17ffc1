"""Writing the dated tree: units with their facts, edges and the closure that follows from the edges."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from jiaoheng.bureau.core.models import Unit, UnitEdge, UnitFacts, UnitPath
from jiaoheng.methods.sort_keys import text_key


@dataclass(frozen=True, slots=True)
class Seed:
    """A unit to be: `parent` is the code of a unit that exists or stands earlier in the list ("" for the county)."""

    code: str
    level: str
    name: str
    parent: str
    starts_on: dt.date
    ends_on: dt.date | None = None
    short_name: str = ""
    kind: str = ""
    ownership: str = ""
    locality: str = ""
    township: str = ""


def plant(seeds: Sequence[Seed]) -> dict[str, Unit]:
    """Add units with one facts row and one edge each; returns code → unit. Parents come before their children.

    To be called inside an audited action.
    """
    units = {
        seed.code: Unit(code=seed.code, level=seed.level, starts_on=seed.starts_on, ends_on=seed.ends_on)
        for seed in seeds
    }
    Unit.objects.bulk_create(units.values(), batch_size=500)
    known = dict(units)
    outside = {seed.parent for seed in seeds if seed.parent and seed.parent not in known}
    known.update({unit.code: unit for unit in Unit.objects.filter(code__in=outside)})
    facts, edges, paths = [], [], []
    above: dict[int, list[UnitPath]] = {}
    for unit in known.values():
        if unit.code not in units:
            above[unit.pk] = list(UnitPath.objects.filter(unit=unit))
    for seed in seeds:
        unit = units[seed.code]
        facts.append(
            UnitFacts(
                unit=unit,
                starts_on=seed.starts_on,
                ends_on=seed.ends_on,
                name=seed.name,
                short_name=seed.short_name,
                kind=seed.kind,
                ownership=seed.ownership,
                locality=seed.locality,
                township=seed.township,
                sort_key=text_key(seed.name),
            )
        )
        own = [UnitPath(unit=unit, ancestor=unit, depth=0, starts_on=seed.starts_on, ends_on=seed.ends_on)]
        if seed.parent:
            parent = known[seed.parent]
            edges.append(UnitEdge(unit=unit, parent=parent, starts_on=seed.starts_on, ends_on=seed.ends_on))
            own += paths_under(unit, above[parent.pk], seed.starts_on, seed.ends_on)
        above[unit.pk] = own
        paths += own
    UnitFacts.objects.bulk_create(facts, batch_size=500)
    UnitEdge.objects.bulk_create(edges, batch_size=500)
    UnitPath.objects.bulk_create(paths, batch_size=500)
    return units


def paths_under(
    unit: Unit, parent_paths: Sequence[UnitPath], starts_on: dt.date, ends_on: dt.date | None
) -> list[UnitPath]:
    """The paths a unit gets from its parent's while it stands under it: the overlap of both times."""
    made = []
    for path in parent_paths:
        start = max(starts_on, path.starts_on)
        ends = [end for end in (ends_on, path.ends_on) if end is not None]
        end = min(ends) if ends else None
        if end is None or start < end:
            made.append(
                UnitPath(unit=unit, ancestor_id=path.ancestor_id, depth=path.depth + 1, starts_on=start, ends_on=end)
            )
    return made
