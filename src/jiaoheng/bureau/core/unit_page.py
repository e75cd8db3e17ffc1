"""What 一校一册 shows of a unit on a day: who it is, where it stands, what became of it, what stands below it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import Account, Unit, UnitEdge, UnitPath, UnitSuccession
from jiaoheng.bureau.core.tree import facts_at, holds, name_of, parents_chain
from jiaoheng.bureau.core.unit_history import Event, history_of

Kind = UnitSuccession.Kind
ORDER = ("department", "district", "school", "class")
MEASURES = {"department": "个", "district": "个", "school": "所", "class": "个"}
WORDS = {"department": "股室", "district": "学区", "school": "学校", "class": "班"}


@dataclass(frozen=True, slots=True)
class Crumb:
    """A unit above, from the county down; the last one is the unit itself."""

    unit_id: int
    level: str
    name: str


@dataclass(frozen=True, slots=True)
class Child:
    """A unit directly below, with what stands below it in words: 2 个班."""

    unit_id: int
    level: str
    name: str
    kind: str
    counts: str


@dataclass(frozen=True, slots=True)
class UnitPage:
    """A unit on a day. `ended` is "" while it stands, else 已并入甲 2025-09-01; `successor_id` leads to the receiver."""

    unit_id: int
    code: str
    level: str
    level_title: str
    name: str
    short_name: str
    kind: str
    facts: tuple[tuple[str, str], ...]  # (title, words)
    crumbs: tuple[Crumb, ...]
    since: dt.date
    until: dt.date | None
    ended: str
    successor_id: int | None
    came_in: tuple[str, ...]  # units that were merged into it: 东镇乙小学 2025-09-01 并入
    children: tuple[Child, ...]
    counts: tuple[tuple[str, str], ...]  # (level, 12 所学校) over the whole subtree
    accounts: int
    history: tuple[Event, ...]
    day: dt.date

    @property
    def stands(self) -> bool:
        """Whether the unit is there on the day."""
        return not self.ended and self.since <= self.day


def unit_page(
    unit: Unit, day: dt.date | None = None, *, words: Mapping[str, Mapping[str, str]] | None = None
) -> UnitPage:
    """The page of a unit on a day (today). `words`: code → label of `kind`, `ownership` and `locality`.

    A unit that has ended shows its last facts and place; one yet to come its first. The caller has opened the unit
    through `access_unit`.
    """
    at = day or clock.today()
    shown = min(max(at, unit.starts_on), (unit.ends_on or dt.date.max) - dt.timedelta(days=1))
    facts = facts_at([unit.pk], shown).get(unit.pk)
    labels = words or {}
    told: list[tuple[str, str]] = []
    if facts is not None:
        for name, title in (("kind", "类别"), ("ownership", "办别"), ("locality", "城乡")):
            if value := getattr(facts, name):
                told.append((title, labels.get(name, {}).get(value, value)))
        if facts.township:
            told.append(("乡镇", facts.township))
    ended, successor = _ended(unit, at)
    return UnitPage(
        unit_id=unit.pk,
        code=unit.code,
        level=unit.level,
        level_title=Unit.Level(unit.level).label,
        name=facts.name if facts is not None else unit.code,
        short_name=facts.short_name if facts is not None else "",
        kind=labels.get("kind", {}).get(facts.kind, facts.kind) if facts is not None else "",
        facts=tuple(told),
        crumbs=tuple(Crumb(*one) for one in parents_chain(unit, shown)),
        since=unit.starts_on,
        until=unit.ends_on,
        ended=ended,
        successor_id=successor,
        came_in=_came_in(unit, at),
        children=children_of(unit, shown, labels.get("kind", {})),
        counts=_counts(unit, shown),
        accounts=Account.objects.filter(home=unit, closed_at__isnull=True).count(),
        history=tuple(history_of(unit)),
        day=at,
    )


def children_of(unit: Unit, day: dt.date, kinds: Mapping[str, str] | None = None) -> tuple[Child, ...]:
    """The units directly below one on a day, by level and then in natural order of their names."""
    edges = UnitEdge.objects.filter(holds(day), parent=unit)
    levels = dict(edges.values_list("unit_id", "unit__level"))
    facts = facts_at(levels, day)
    below = _below_each(list(levels), day)
    made = []
    for pk, level in levels.items():
        one = facts.get(pk)
        label = (kinds or {}).get(one.kind, "") if one is not None else ""
        words = "，".join(_count_words(each, count) for each, count in sorted(below[pk].items(), key=_place))
        key = (ORDER.index(level), one.sort_key if one is not None else "", pk)
        made.append((key, Child(pk, level, one.name if one is not None else "", label, words)))
    return tuple(child for _, child in sorted(made, key=lambda one: one[0]))


def _below_each(unit_ids: list[int], day: dt.date) -> dict[int, Counter[str]]:
    found: dict[int, Counter[str]] = {pk: Counter() for pk in unit_ids}
    for start in range(0, len(unit_ids), 500):
        paths = UnitPath.objects.filter(holds(day), ancestor_id__in=unit_ids[start : start + 500], depth__gt=0)
        rows = paths.values_list("ancestor_id", "unit__level").annotate(count=Count("unit_id", distinct=True))
        for pk, level, count in rows.order_by():
            found[pk][level] += count
    return found


def _counts(unit: Unit, day: dt.date) -> tuple[tuple[str, str], ...]:
    found = _below_each([unit.pk], day)[unit.pk]
    return tuple((level, _count_words(level, count)) for level, count in sorted(found.items(), key=_place))


def _place(item: tuple[str, int]) -> int:
    return ORDER.index(item[0])


def _count_words(level: str, count: int) -> str:
    return f"{count} {MEASURES[level]}{WORDS[level]}"


def _ended(unit: Unit, day: dt.date) -> tuple[str, int | None]:
    """已并入甲 2025-09-01, or 已撤销 2025-09-01, and the receiver; "" while the unit stands."""
    if unit.ends_on is None or unit.ends_on > day:
        return "", None
    row = (
        UnitSuccession.objects.select_related("other")
        .filter(unit=unit, happened_on=unit.ends_on, kind=Kind.MERGE)
        .last()
    )
    if row is None or row.other is None:
        return f"已撤销 {unit.ends_on}", None
    return f"已并入{name_of(row.other, day)} {unit.ends_on}", row.other_id


def _came_in(unit: Unit, day: dt.date) -> tuple[str, ...]:
    rows = UnitSuccession.objects.select_related("unit").filter(other=unit, kind=Kind.MERGE, happened_on__lte=day)
    return tuple(f"{name_of(row.unit, row.happened_on)} {row.happened_on} 并入" for row in rows.order_by("happened_on"))
