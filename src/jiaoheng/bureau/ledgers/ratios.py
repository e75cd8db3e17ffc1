"""Rates of two registers, as 毛入园率: divided here, with both numbers, how far each is reported, and the definition.

Which rates there are is in `packs/ratios.yaml`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Period, Unit
from jiaoheng.bureau.core.periods import YEAR
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import descendants_at, line_at, names_at
from jiaoheng.bureau.ledgers.models import Filing
from jiaoheng.bureau.ledgers.rounds.words import names_words, spaced
from jiaoheng.bureau.ledgers.unit_rows import Source, held, names_of, reader, texts, under, unmarked
from jiaoheng.methods.numbers import percent
from jiaoheng.packs import load

NONE = "—"


@dataclass(frozen=True, slots=True)
class Part:
    """Numerator or denominator; `filed`: 已报 12/12; `query` opens its rows."""

    title: str
    value: str
    filed: str
    register: str
    query: str


@dataclass(frozen=True, slots=True)
class Ratio:
    """A rate for a unit and period. `why`: of a missing value; `warning`: what is not in the numbers yet."""

    title: str
    subject: str
    period: str
    value: str
    why: str
    warning: str
    numerator: Part
    denominator: Part
    definition: str
    source: str


@dataclass(frozen=True, slots=True)
class _Sum:
    total: Fraction | None  # None: no row has a value
    units: frozenset[int]  # that have one


def ratios_of(
    account: Account, unit: Unit, day: dt.date, *, period: Period | None = None, register: str = ""
) -> tuple[Ratio, ...]:
    """The rates of a county or district on a day that the reader may read both numbers of.

    period: this year and no other; else the school year of the day, or the one before where nobody has reported yet.
    register: only the rates that a register is part of.
    """
    if unit.level not in (Unit.Level.COUNTY, Unit.Level.DISTRICT):
        return ()
    chosen = [one for one in load("ratios") if not register or register in _registers(one)]
    scope, line = scope_of(account, Can.READ), line_at(unit, day)
    chosen = [one for one in chosen if all(scope.covers(line, name) for name in _registers(one))]
    if not chosen or (period is not None and period.kind != YEAR):
        return ()
    known = unmarked({name for one in chosen for name in _registers(one)})
    years = [period] if period is not None else _years(day)
    made = [
        _ratio(one, unit, years, min(day, clock.today()), known) for one in chosen if set(_registers(one)) <= set(known)
    ]
    return tuple(one for one in made if one is not None)


def _registers(spec: Mapping[str, Any]) -> tuple[str, str]:
    return spec["numerator"]["register"], spec["denominator"]["register"]


def _years(day: dt.date) -> list[Period]:
    return list(Period.objects.filter(kind=YEAR, starts_on__lte=day).order_by("-starts_on")[:2])


def _ratio(
    spec: Mapping[str, Any], unit: Unit, years: list[Period], day: dt.date, known: Mapping[str, Source]
) -> Ratio | None:
    above, below = spec["numerator"], spec["denominator"]
    for year in years:
        upper, lower = (_sum(known[one["register"]], one["field"], unit, year, day) for one in (above, below))
        if upper.units or lower.units:
            break
    else:
        return None
    owed = _owed(unit, day, below["owed"])
    missing = sorted(owed - lower.units)
    names = names_words([name for _, name in sorted(names_at(missing, day).items())]) if missing else ""
    value, why = divided(upper.total, lower.total, int(spec["digits"]), above["title"], below["title"], names)
    asked, filed = _asked(known[above["register"]], unit, year)
    rate = f"已报 {filed}/{asked}" if asked else f"{len(upper.units)} 所有数"
    return Ratio(
        title=str(spec["title"]),
        subject=str(spec["subject"]),
        period=year.name,
        value=value,
        why=why,
        warning=f"{above['title']}{rate}，还没有报齐，这个率偏低" if value != NONE and filed < asked else "",
        numerator=_part(above, upper, rate, unit, year, day),
        denominator=_part(below, lower, f"已报 {len(owed & lower.units)}/{len(owed)}", unit, year, day),
        definition=str(spec["definition"]),
        source=str(spec["source"]),
    )


def divided(
    upper: Fraction | None, lower: Fraction | None, digits: int, above: str, below: str, missing: str = ""
) -> tuple[str, str]:
    """(69.8 %, "") or (—, why): nothing is divided by a denominator that is missing, in part or whole, or zero."""
    if missing:
        return NONE, f"{missing}{spaced('没有报', below)}，不能相除"
    if lower is None or upper is None:
        return NONE, spaced("没有报", below if lower is None else above)
    if lower == 0:
        return NONE, f"{below}是 0，不能相除"
    return f"{percent(upper / lower, digits)} %", ""


def _sum(source: Source, field: str, unit: Unit, year: Period, day: dt.date) -> _Sum:
    column = source.columns(day).get(field)
    if column is None:
        return _Sum(None, frozenset())
    rows = texts(under(held(source, day).filter(period=year), unit), [column])
    read, total, units = reader([column]), Fraction(0), set()
    for found in rows.values_list("unit_id", *names_of([column])):
        value = read(found[1:])[0]
        if isinstance(value, (int, Decimal)):
            total += Fraction(value)
            units.add(found[0])
    return _Sum(total if units else None, frozenset(units))


def _owed(unit: Unit, day: dt.date, level: str) -> set[int]:
    if unit.level == level:
        return {unit.pk}
    return set(descendants_at(unit.pk, day, level).values_list("pk", flat=True))


def _asked(source: Source, unit: Unit, year: Period) -> tuple[int, int]:
    """How many units a round asked, and how many of them have sent in."""
    inside = Filing.objects.filter(
        round__register=source.register, round__period=year, dropped_on__isnull=True, **{f"{unit.level}_id": unit.pk}
    )
    sent = Count("unit", filter=Q(content__gt=0), distinct=True)
    found = inside.aggregate(asked=Count("unit", distinct=True), sent=sent)
    return found["asked"], found["sent"]


def _part(spec: Mapping[str, Any], found: _Sum, filed: str, unit: Unit, year: Period, day: dt.date) -> Part:
    pairs = [("unit", str(unit.pk)), ("period", str(year.pk))]
    pairs += [("as_of", day.isoformat())] if day < clock.today() else []
    value = NONE if found.total is None else f"{int(found.total):,} {spec['unit']}"
    return Part(str(spec["title"]), value, filed, str(spec["register"]), urlencode(pairs))
