"""What 一校一册 shows besides figures: the sentence of the title, the registers of a unit, what it owes, who sees it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Max, Q

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Unit, UnitPath
from jiaoheng.bureau.core.people import PersonLine, find_people, person_lines
from jiaoheng.bureau.core.scope import Scope, scope_of
from jiaoheng.bureau.core.tree import Line, line_at, steady
from jiaoheng.bureau.core.unit_page import ORDER, Child, UnitPage, unit_page
from jiaoheng.bureau.core.who_can_see import Seer, who_can_see
from jiaoheng.bureau.ledgers.models import Filing, RecordVersion, Round
from jiaoheng.bureau.ledgers.ratios import Ratio, ratios_of
from jiaoheng.bureau.ledgers.registry import code_tables, schemas
from jiaoheng.bureau.ledgers.rounds.board import rate_words
from jiaoheng.bureau.ledgers.rounds.deadlines import Light, Lights, limit_of
from jiaoheng.bureau.ledgers.rounds.owing import still_owed
from jiaoheng.bureau.ledgers.rounds.round_list import counts_by_round
from jiaoheng.bureau.ledgers.rounds.telling import filing_link, round_link
from jiaoheng.bureau.ledgers.unit_conditions import CONDITIONS, Conditions, conditions_of
from jiaoheng.bureau.ledgers.unit_figures import UnitFigures, figures_of
from jiaoheng.bureau.ledgers.unit_rows import unmarked
from jiaoheng.methods.sort_keys import text_key

_PEOPLE = 40
_DIGITS = str.maketrans("一二三四五六七八九", "123456789")
_LIGHTS = {
    Filing.State.APPROVED: "done",
    Filing.State.RETURNED: "back",
    Filing.State.DISTRICT: "wait",
    Filing.State.COUNTY: "wait",
}


@dataclass(frozen=True, slots=True)
class RegisterLine:
    """One register in a unit's book: how many records, since when unchanged; `query` opens them."""

    name: str
    title: str
    office: str
    records: int
    changed_at: dt.datetime | None
    query: str


@dataclass(frozen=True, slots=True)
class Owed:
    """One running round, as far as it asks the unit."""

    title: str
    link: str
    light: Light
    state: str
    due_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Dossier:
    """A unit's page for one reader on one day."""

    page: UnitPage
    day: dt.date  # of the figures: of a unit that is no more, its last one
    closed: bool  # whether that is so
    sentence: str
    figures: UnitFigures
    conditions: Conditions | None  # of a school that has filled in its form
    ratios: tuple[Ratio, ...]  # of a county or district
    registers: tuple[RegisterLine, ...]
    owed: tuple[Owed, ...]
    owed_light: Light | None
    people: tuple[PersonLine, ...] | None  # None: not for this reader
    people_total: int
    seers: tuple[Seer, ...] | None
    may_change: bool
    may_audit: bool
    limited: str  # why a later day than asked is not shown, "" where it is


@steady()
def dossier(account: Account, unit: Unit, day: dt.date | None = None) -> Dossier:
    """The page of a unit that the reader has opened through `access_unit`.

    A reader whose subtree the unit has left sees it as on the last day on which it stood there, and nothing later.
    The figures of a unit that is no more are those of its last day: today it has none.
    """
    asked = day or clock.today()
    shown = last_seen(account, unit, asked)
    words = unit_words(unit.level)
    page = unit_page(unit, shown, words=words)
    page = replace(page, children=tuple(sorted(page.children, key=_by_name)))
    line, scope = line_at(unit, shown), scope_of(account, Can.READ)
    closed = unit.ends_on is not None and shown >= unit.ends_on
    stood = unit.ends_on - dt.timedelta(days=1) if closed else shown
    limited = "" if shown == asked else f"{page.name}之后不在您的范围内，只显示到 {shown} 的内容"
    if limited:
        page = replace(page, history=tuple(one for one in page.history if one.day <= shown))
    today = line_at(unit, clock.today())
    audit = scope_of(account, Can.AUDIT).covers(today)
    manages = scope_of(account, Can.ACCOUNTS).covers(today)
    own = Account.objects.filter(home=unit, closed_at__isnull=True).order_by("username")
    owed = _owed(unit, scope) if not limited and shown >= clock.today() else ()
    return Dossier(
        page=page,
        day=stood,
        closed=closed,
        sentence=_sentence(unit, page, shown, scope.covers(line, "schools")),
        figures=figures_of(account, unit, stood),
        conditions=_conditions(unit, scope, line, stood),
        ratios=ratios_of(account, unit, stood),
        registers=_registers(unit, scope, line, shown),
        owed=owed,
        owed_light=_owed_light(owed),
        people=person_lines(list(own[:_PEOPLE])) if manages else None,
        people_total=find_people(account, unit_id=unit.pk, limit=1).total if manages else 0,
        seers=tuple(who_can_see(unit)) if audit or manages else None,
        may_change=scope_of(account, Can.UNITS).covers(today) and not limited,
        may_audit=audit,
        limited=limited,
    )


def _conditions(unit: Unit, scope: Scope, line: Line, day: dt.date) -> Conditions | None:
    if unit.level != Unit.Level.SCHOOL or not scope.covers(line, CONDITIONS):
        return None
    return conditions_of(unit, min(day, clock.today()), unmarked([CONDITIONS]).get(CONDITIONS), line.county_id)


def _by_name(child: Child) -> tuple[int, str]:
    """Classes in the order of their numbers, 一（1）班 before 二（1）班; other units in that of their names."""
    name = child.name.translate(_DIGITS) if child.level == Unit.Level.CLASS else child.name
    return ORDER.index(child.level), text_key(name)


def last_seen(account: Account, unit: Unit, day: dt.date) -> dt.date:
    """The day itself where the unit stands in the reader's subtrees on it, else the last day before on which it did."""
    roots = [root.unit_id for root in scope_of(account, Can.READ).roots]
    if unit.pk in roots or scope_of(account, Can.READ).covers(line_at(unit, day)):
        return day
    paths = UnitPath.objects.filter(unit=unit, ancestor_id__in=roots)
    ends = paths.filter(starts_on__lte=day, ends_on__lte=day).aggregate(last=Max("ends_on"))["last"]
    if ends is not None:
        last: dt.date = ends - dt.timedelta(days=1)
        return last
    first = paths.order_by("starts_on").values_list("starts_on", flat=True).first()
    return first or day


def unit_words(level: str) -> Mapping[str, Mapping[str, str]]:
    """Code → label of kind, ownership and locality, for units of a level."""
    tables = code_tables()
    chosen = {"kind": "class_kind" if level == Unit.Level.CLASS else "school_kind"}
    chosen |= {"ownership": "ownership", "locality": "urban_rural"}
    return {
        name: {item.code: item.label for item in tables[table].items} if table in tables else {}
        for name, table in chosen.items()
    }


def _sentence(unit: Unit, page: UnitPage, day: dt.date, cover: bool) -> str:
    """一校一册。公办小学，村庄，学校标识码 2141990027，建校 1958 年，校长 桑榆晚（任期到 2028 年 7 月）。"""
    facts = dict(page.facts)
    if unit.level != Unit.Level.SCHOOL:
        counts = "、".join(words for _, words in page.counts)
        return "，".join(filter(None, (f"{page.level_title}，代码 {page.code}", counts and f"下属 {counts}")))
    told = [("民办" if facts.get("办别") == "民办" else "公办" if facts.get("办别") else "") + (page.kind or "学校")]
    told += [facts.get("城乡", ""), f"学校标识码 {page.code}"]
    if cover:
        told += _cover(unit, day)
    return f"一校一册。{'，'.join(filter(None, told))}"


def _cover(unit: Unit, day: dt.date) -> list[str]:
    """Founding and principal, from the register of schools as it stood at the end of the day."""
    moment = min(clock.at_end_of(day), clock.now())
    held = Q(valid_to__isnull=True) | Q(valid_to__gt=moment)
    row = RecordVersion.objects.filter(
        held, register__name="schools", unit=unit, deleted=False, valid_from__lte=moment
    ).first()
    data: Mapping[str, Any] = row.data if row is not None else {}
    told = []
    if founded := str(data.get("founded_on") or ""):
        told.append(f"建校 {founded[:4]} 年")
    if principal := str(data.get("principal") or ""):
        until = str(data.get("principal_until") or "")
        told.append(
            f"校长 {principal}" + (f"（任期到 {until[:4]} 年 {int(until[5:7])} 月）" if len(until) >= 7 else "")
        )
    return told


def _column(unit: Unit) -> str:
    return "unit_id" if unit.level == Unit.Level.DEPARTMENT else f"{unit.level}_id"


def _registers(unit: Unit, scope: Scope, line: Any, day: dt.date) -> tuple[RegisterLine, ...]:
    """The registers with records under the unit, as they stood at the end of the day; empty ones after them."""
    moment = min(clock.at_end_of(day), clock.now())
    past = day < clock.today()
    held = Q(valid_to__isnull=True, deleted=False)
    if past:
        held = (Q(valid_to__isnull=True) | Q(valid_to__gt=moment)) & Q(valid_from__lte=moment, deleted=False)
    rows = RecordVersion.objects.filter(held, **{_column(unit): unit.pk}).order_by()
    counted = {
        name: (count, at)
        for name, count, at in rows.values_list("register__name").annotate(n=Count("pk"), at=Max("valid_from"))
    }
    pairs = [("unit", str(unit.pk)), ("period", "all")] + ([("as_of", day.isoformat())] if past else [])
    made = [
        RegisterLine(name, schema.title, schema.department, *counted.get(name, (0, None)), urlencode(pairs))
        for name, schema in schemas(day).items()
        if scope.covers(line, name)
    ]
    return tuple(sorted(made, key=lambda one: not one.records))


def _owed(unit: Unit, scope: Scope) -> tuple[Owed, ...]:
    """What running rounds ask of the unit: its own filing, or of several how many are in."""
    now = clock.now()
    lights = Lights(now)
    inside = Q(**{_column(unit): unit.pk}) & scope.rows()
    running = Q(closed_at__isnull=True) | Q(closed_at__gt=now)
    counts = counts_by_round(inside & Q(round__opens_at__lte=now), now)
    rounds = list(Round.objects.filter(running, pk__in=counts).order_by("due_at", "pk"))
    if unit.level in (Unit.Level.COUNTY, Unit.Level.DISTRICT):
        return tuple(
            Owed(
                one.title,
                round_link(one),
                lights.of_round(one),
                f"已报 {counts[one.pk].filed}/{counts[one.pk].owed}（{rate_words(counts[one.pk].filed, counts[one.pk].owed)}）",
                one.due_at,
            )
            for one in rounds
        )
    filings = Filing.objects.filter(still_owed(lights.today), round__in=rounds, unit=unit).select_related("round")
    return tuple(_own(one, lights) for one in filings.order_by("round__due_at", "pk"))


def _own(filing: Filing, lights: Lights) -> Owed:
    state = Filing.State(filing.state)
    limit = limit_of(filing.round, filing)
    tone = _LIGHTS.get(state)
    light = Light(tone, state.label) if tone in ("done", "wait") else lights.until(limit)
    return Owed(filing.round.title, filing_link(filing), light, state.label, limit)


def _owed_light(owed: tuple[Owed, ...]) -> Light | None:
    """在报 3 份，1 份逾期: the state beside the name."""
    if not owed:
        return None
    late = sum(one.light.tone == "late" for one in owed)
    soon = sum(one.light.tone == "soon" for one in owed)
    tail = f"，{late} 份逾期" if late else f"，{soon} 份临期" if soon else ""
    return Light("late" if late else "soon" if soon else "ok", f"在报台账 {len(owed)} 份{tail}")
