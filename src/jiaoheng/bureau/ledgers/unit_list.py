"""The list of units: districts with their schools, each with its figures, on a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Unit
from jiaoheng.bureau.core.scope import Scope, scope_of
from jiaoheng.bureau.core.tree import Line, facts_at, lines_at, names_at, steady
from jiaoheng.bureau.ledgers.unit_dossier import unit_words
from jiaoheng.bureau.ledgers.unit_figures import number, rate
from jiaoheng.bureau.ledgers.unit_numbers import CLASSES, Size, numbers_on
from jiaoheng.methods.sort_keys import text_key

HEADS = ("班数", "在校生", "平均班额", "大班额", "专任教师")


@dataclass(frozen=True, slots=True)
class SchoolLine:
    """One school of the list."""

    unit_id: int
    code: str
    name: str
    kind: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """A district (unit_id 0: schools straight below the county) with the schools that fit."""

    unit_id: int
    name: str
    schools: tuple[SchoolLine, ...]
    opens: bool  # the reader may open the district's own page


@dataclass(frozen=True, slots=True)
class UnitList:
    """The page: `kinds` are those that occur, for the filter; `sentence` counts what is shown."""

    groups: tuple[Group, ...]
    offices: tuple[tuple[int, str], ...]
    kinds: tuple[tuple[str, str], ...]
    sentence: str
    county: tuple[int, str] | None
    day: dt.date
    may_add: bool


@steady()
def unit_list(account: Account, *, day: dt.date | None = None, text: str = "", kind: str = "") -> UnitList:
    """The schools inside the reader's scope on a day (today), by a part of their name or code and by kind."""
    at = day or clock.today()
    scope = scope_of(account, Can.READ, clock.today())
    units = {one.pk: one for one in scope.units(at).exclude(level=Unit.Level.CLASS)}
    facts, lines, words = facts_at(units, at), lines_at(units, at), unit_words(Unit.Level.SCHOOL)["kind"]
    schools = [one for one in units.values() if one.level == Unit.Level.SCHOOL]
    wanted = text.strip().lower()
    chosen = [
        one
        for one in schools
        if one.pk in facts
        and (not kind or facts[one.pk].kind == kind)
        and (not wanted or wanted in facts[one.pk].name.lower() or one.code.lower().startswith(wanted))
    ]
    sizes = numbers_on(min(at, clock.today())).by_unit(Unit.Level.SCHOOL)
    made: dict[int, list[tuple[str, SchoolLine]]] = {}
    for one in chosen:
        line = lines.get(one.pk, Line(one.pk))
        said = facts[one.pk]
        shown = _cells(sizes.get(one.pk), scope, line)
        row = SchoolLine(one.pk, one.code, said.name, words.get(said.kind, said.kind), shown)
        made.setdefault(line.district_id or 0, []).append((said.sort_key, row))
    names = names_at([pk for pk in made if pk], at)
    groups = [
        Group(pk, names.get(pk, "县直属"), tuple(row for _, row in sorted(rows, key=lambda pair: pair[0])), pk in units)
        for pk, rows in made.items()
    ]
    groups.sort(key=lambda one: (one.unit_id != 0, text_key(one.name)))
    kinds = {facts[one.pk].kind for one in schools if one.pk in facts and facts[one.pk].kind}
    county = next(((pk, facts[pk].name) for pk, one in units.items() if one.level == Unit.Level.COUNTY), None)
    offices = [(facts[pk].name, pk) for pk, one in units.items() if one.level == Unit.Level.DEPARTMENT]
    return UnitList(
        tuple(groups),
        tuple((pk, name) for name, pk in sorted(offices, key=lambda pair: text_key(pair[0]))),
        tuple(sorted(((key, words.get(key, key)) for key in kinds), key=lambda pair: pair[0])),
        _sentence(groups, len(schools), bool(wanted or kind)),
        county,
        at,
        bool(scope_of(account, Can.UNITS)),
    )


def _cells(size: Size | None, scope: Scope, line: Line) -> tuple[str, ...]:
    if size is None or not scope.covers(line, CLASSES):
        return ("—",) * len(HEADS)
    return (
        number(size.classes),
        number(size.pupils),
        rate(size.mean),
        number(size.large),
        number(size.teachers),
    )


def _sentence(groups: Sequence[Group], every: int, narrowed: bool) -> str:
    shown = sum(len(one.schools) for one in groups)
    districts = sum(one.unit_id != 0 for one in groups)
    if narrowed:
        return f"找到 {shown} 所，您看得到的共 {every} 所"
    return f"{districts} 个学区，{shown} 所学校；点校名看一校一册"
