"""Writing the dated tree: units with their facts, edges and the closure that follows from the edges."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q

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


FACTS = ("name", "short_name", "kind", "ownership", "locality", "township")


def put_facts(unit: Unit, day: dt.date, **values: str) -> UnitFacts:
    """Give a unit other facts from a day on, until its next facts or its end. Returns the row that holds from then."""
    now = UnitFacts.objects.filter(unit=unit, starts_on__lte=day).order_by("-starts_on").first()
    if now is None or (now.ends_on is not None and now.ends_on <= day):
        raise ValueError(f"{unit.code} has no facts on {day}")
    made = now
    if now.starts_on < day:
        made = UnitFacts(unit=unit, starts_on=day, ends_on=now.ends_on, **{one: getattr(now, one) for one in FACTS})
        UnitFacts.objects.filter(pk=now.pk).update(ends_on=day)
    for name, value in values.items():
        setattr(made, name, value)
    made.sort_key = text_key(made.name)
    made.save()
    return made


def hang(unit: Unit, parent: Unit, day: dt.date) -> None:
    """Put a unit under a parent from a day until its next recorded move; the closure is to be rebuilt after it."""
    now = UnitEdge.objects.filter(unit=unit, starts_on__lte=day).order_by("-starts_on").first()
    if now is None or (now.ends_on is not None and now.ends_on <= day):
        raise ValueError(f"{unit.code} stands under nobody on {day}")
    if now.starts_on == day:
        UnitEdge.objects.filter(pk=now.pk).update(parent=parent)
        return
    UnitEdge.objects.filter(pk=now.pk).update(ends_on=day)
    UnitEdge.objects.create(unit=unit, parent=parent, starts_on=day, ends_on=now.ends_on)


def end(units: Iterable[Unit], day: dt.date) -> None:
    """Let units end on a day: they, their facts and edges; the closure is to be rebuilt after it."""
    ids = [unit.pk for unit in units]
    open_rows = Q(ends_on__isnull=True) | Q(ends_on__gt=day)
    UnitFacts.objects.filter(open_rows, unit_id__in=ids, starts_on__lt=day).update(ends_on=day)
    UnitEdge.objects.filter(open_rows, unit_id__in=ids, starts_on__lt=day).update(ends_on=day)
    Unit.objects.filter(open_rows, pk__in=ids).update(ends_on=day)


def below_ever(unit_ids: Iterable[int]) -> list[int]:
    """Units and everything that ever stood below them, parents before their children."""
    found: dict[int, None] = dict.fromkeys(unit_ids)
    layer = list(found)
    while layer:
        under: list[int] = []
        for start in range(0, len(layer), 500):
            edges = UnitEdge.objects.filter(parent_id__in=layer[start : start + 500])
            under += edges.values_list("unit_id", flat=True).distinct()
        layer = list(dict.fromkeys(under))
        for one in layer:  # again at the end: one that stands deeper comes after its parents
            found.pop(one, None)
            found[one] = None
    return list(found)


def rebuild_paths(unit_ids: Iterable[int]) -> list[int]:
    """Compute the closure of units and all that ever stood below them anew from the edges. Returns their ids."""
    order = below_ever(unit_ids)
    units = {unit.pk: unit for part in _parts(order) for unit in Unit.objects.filter(pk__in=part)}
    edges: dict[int, list[UnitEdge]] = {pk: [] for pk in order}
    for part in _parts(order):
        for edge in UnitEdge.objects.filter(unit_id__in=part).order_by("starts_on"):
            edges[edge.unit_id].append(edge)
    outside = {edge.parent_id for rows in edges.values() for edge in rows} - set(order)
    above: dict[int, list[UnitPath]] = {pk: [] for pk in outside}
    for part in _parts(list(outside)):
        for path in UnitPath.objects.filter(unit_id__in=part):
            above[path.unit_id].append(path)
    for pk in order:
        unit = units[pk]
        own = [UnitPath(unit=unit, ancestor=unit, depth=0, starts_on=unit.starts_on, ends_on=unit.ends_on)]
        for edge in edges[pk]:
            own += paths_under(unit, above[edge.parent_id], edge.starts_on, edge.ends_on)
        above[pk] = _joined(own)
    for part in _parts(order):
        UnitPath.objects.filter(unit_id__in=part).delete()
    UnitPath.objects.bulk_create([path for pk in order for path in above[pk]], batch_size=500)
    return order


def _joined(paths: Sequence[UnitPath]) -> list[UnitPath]:
    """Paths with those of one ancestor that follow without a gap made one: the county above both districts."""
    made: list[UnitPath] = []
    for path in sorted(paths, key=lambda one: (one.ancestor_id, one.depth, one.starts_on)):
        last = made[-1] if made else None
        if last and (last.ancestor_id, last.depth, last.ends_on) == (path.ancestor_id, path.depth, path.starts_on):
            last.ends_on = path.ends_on
        else:
            made.append(path)
    return made


def _parts(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + 500] for start in range(0, len(ids), 500))
