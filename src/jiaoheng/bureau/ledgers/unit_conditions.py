"""办学条件 on a school's page: the seven items of 优质均衡 from its yearly form, beside the standard, the schools of its
kind in the county and its own last year. Items, divisors and standards are in `packs/school_standards.yaml`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any
from urllib.parse import urlencode

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import Period, Unit
from jiaoheng.bureau.core.periods import YEAR
from jiaoheng.bureau.core.tree import facts_at
from jiaoheng.bureau.ledgers.models import Filing
from jiaoheng.bureau.ledgers.registry import code_tables
from jiaoheng.bureau.ledgers.unit_rows import Source, held, names_of, reader, texts
from jiaoheng.methods.numbers import text
from jiaoheng.packs import load

CONDITIONS = "school_conditions"
NONE = "—"
_PUPILS = "pupils"
_TOP, _STEP = 44, 28  # of the picture, in pixels
Row = Mapping[str, Any]  # field → value of one form


@dataclass(frozen=True, slots=True)
class Item:
    """One of the seven. `why`: of a missing value; `tone` and `result`: a light, "" where no standard applies."""

    title: str
    per: str
    value: str
    why: str
    standard: str
    county: str
    county_why: str
    before: str
    change: str
    tone: str
    result: str
    definition: str


@dataclass(frozen=True, slots=True)
class Dot:
    """One row of the picture: places across in per cent of its width, and the school's share of the standard."""

    title: str
    share: str
    at: str
    county_at: str  # "" where there is no county figure
    y: int
    text_y: int
    low: bool


@dataclass(frozen=True, slots=True)
class Plot:
    """The seven as shares of their standards, the best on top; places of 100 and of the floor."""

    dots: tuple[Dot, ...]
    height: int
    standard_at: str
    floor_at: str
    floor: str
    words: str  # what it shows, for who cannot see it


@dataclass(frozen=True, slots=True)
class Conditions:
    """The block. `state`: how far the form is; `rate`: how many schools of the kind stand behind the county's figures."""

    finding: str
    rule: str
    state: str
    period: str
    record_id: int
    items: tuple[Item, ...]
    plot: Plot | None  # where a standard applies and every item has a value
    kind: str
    rate: str
    source: str
    query: str


@dataclass(frozen=True, slots=True)
class _Form:
    record_id: int
    unit_id: int
    county_id: int | None
    period_id: int
    row: Row


def conditions_of(unit: Unit, day: dt.date, source: Source | None, county_id: int | None) -> Conditions | None:
    """The block of a school on a day; None where the register is not loaded or the school has sent no form.

    The form of the school year of the day, else the one of the year before: then `state` says so.
    """
    years = list(Period.objects.filter(kind=YEAR, starts_on__lte=day).order_by("-starts_on")[:3])
    policy = policy_on(day)
    if source is None or not years or policy is None:
        return None
    forms = _forms(source, day, years, policy)
    own = {one.period_id: one for one in forms if one.unit_id == unit.pk}
    at = next((place for place, year in enumerate(years[:2]) if year.pk in own), None)
    if at is None:
        return None
    year, mine = years[at], own[years[at].pk]
    last = own.get(years[at + 1].pk) if at + 1 < len(years) else None
    facts = facts_at([one.unit_id for one in forms if one.period_id == year.pk], day)
    kind = facts[unit.pk].kind if unit.pk in facts else ""
    alike = [
        one.row
        for one in forms
        if one.period_id == year.pk
        and one.county_id == county_id
        and one.unit_id in facts
        and facts[one.unit_id].kind == kind
    ]
    stage = str(policy["stages"].get(kind, "")) if _number(mine.row, _PUPILS) >= policy["least_pupils"] else ""
    items = tuple(_item(one, policy, stage, mine.row, last.row if last else None, alike) for one in policy["items"])
    plot = _plot(policy, stage, mine.row, alike) if stage else None
    label = _kind_words(kind)
    return Conditions(
        finding=finding_of(items),
        rule=_rule(policy, kind, stage, items),
        state=_state(unit, source, year, years[0]),
        period=year.name,
        record_id=mine.record_id,
        items=items,
        plot=plot,
        kind=label,
        rate=f"全县{label}有数的 {len(alike)} 所",
        source=str(policy["source"]),
        query=_query(unit, year, day),
    )


def policy_on(day: dt.date) -> Mapping[str, Any] | None:
    """The standards that hold on a day."""
    for one in reversed(load("school_standards")):
        if one["from"] <= day and (one["until"] is None or day < one["until"]):
            found: Mapping[str, Any] = one
            return found
    return None


def value_of(item: Mapping[str, Any], rows: Iterable[Row]) -> Fraction | None:
    """One item over some schools: the sums divided, not a mean of means. None without pupils or without a value."""
    above, below = Fraction(0), Fraction(0)
    for row in rows:
        fields = [*item["add"], *item.get("less", ())]
        if any(row.get(name) is None for name in (*fields, _PUPILS)):
            continue
        above += sum(_number(row, name) for name in item["add"])
        above -= sum(_number(row, name) for name in item.get("less", ()))
        below += _number(row, _PUPILS)
    return above * item["times"] / below if below else None


def _item(
    item: Mapping[str, Any], policy: Mapping[str, Any], stage: str, mine: Row, last: Row | None, alike: Sequence[Row]
) -> Item:
    digits = int(item["digits"])
    value = value_of(item, [mine])
    before = value_of(item, [last]) if last is not None else None
    few = len(alike) < policy["fewest"]
    county = None if few else value_of(item, alike)
    standard = Fraction(item["standard"][stage]) if stage else None
    tone, result = _verdict(value, standard, Fraction(policy["floor"]))
    return Item(
        title=str(item["title"]),
        per=str(item["per"]),
        value=_printed(value, digits),
        why="在校生是 0，或有一项没有填",
        standard=_printed(standard, digits),
        county=_printed(county, digits),
        county_why=f"同类学校不足 {policy['fewest']} 所" if few else "同类学校没有数",
        before=_printed(before, digits),
        change=NONE if value is None or before is None else text(value - before, digits, signed=True),
        tone=tone,
        result=result,
        definition=str(item["definition"]),
    )


def _plot(policy: Mapping[str, Any], stage: str, mine: Row, alike: Sequence[Row]) -> Plot | None:
    floor = 100 * Fraction(policy["floor"])
    found: list[tuple[Fraction, Fraction | None, str]] = []
    for item in policy["items"]:
        value, standard = value_of(item, [mine]), Fraction(item["standard"][stage])
        county = value_of(item, alike) if len(alike) >= policy["fewest"] else None
        if value is None:
            return None
        share = None if county is None else 100 * county / standard
        found.append((100 * value / standard, share, str(item["title"])))
    found.sort(key=lambda one: -one[0])
    everything = [floor, Fraction(100), *(one[0] for one in found), *(one[1] for one in found if one[1] is not None)]
    low, high = min(everything), max(everything)

    def place(share: Fraction) -> str:
        return text(4 + 92 * (share - low) / (high - low), 2) + "%"

    dots = tuple(
        Dot(
            title,
            text(share, 0),
            place(share),
            place(county) if county is not None else "",
            y := _TOP + _STEP * number,
            y + 5,
            share < 100,
        )
        for number, (share, county, title) in enumerate(found)
    )
    words = "、".join(f"{one.title} {one.share} %" for one in dots)
    return Plot(
        dots,
        _TOP + _STEP * len(dots),
        place(Fraction(100)),
        place(floor),
        text(floor, 0),
        f"本校值占标准的百分比：{words}",
    )


def _verdict(value: Fraction | None, standard: Fraction | None, floor: Fraction) -> tuple[str, str]:
    """Against the unrounded value."""
    if value is None or standard is None:
        return "", ""
    if value >= standard:
        return "done", "达标"
    return ("soon", "达底线") if value >= standard * floor else ("late", "未达标")


def finding_of(items: Sequence[Item]) -> str:
    """7 项里 6 项达标，骨干教师达底线."""
    judged = [one for one in items if one.result]
    if not judged:
        return f"{len(items)} 项资源配置"
    reached = sum(one.result == "达标" for one in judged)
    rest = [f"{one.title}{one.result}" for one in judged if one.result != "达标"]
    if not rest:
        return f"{len(judged)} 项全部达标"
    return f"{len(items)} 项里 {reached} 项达标，{'、'.join(rest)}"


def _rule(policy: Mapping[str, Any], kind: str, stage: str, items: Sequence[Item]) -> str:
    if kind in policy["mixed"]:
        return "一贯制学校和完全中学按小学部、初中部拆分后评估，这里只列全校的数，不判断是否达标"
    if not stage:
        why = f"在校生不足 {policy['least_pupils']} 名" if kind in policy["stages"] else "不是小学、初中"
        return f"{why}，不参加这项评估，只列数"
    floor = text(100 * Fraction(policy["floor"]), 0)
    results = [one.result for one in items]
    whole = results.count("达标") >= policy["least"] and set(results) <= {"达标", "达底线"}
    said = f"{stage}标准：至少 {policy['least']} 项达标，其余不低于标准的 {floor} %"
    return f"{said}；整校{'达标' if whole else '未达标'}"


def _state(unit: Unit, source: Source, year: Period, newest: Period) -> str:
    """已审定; for last year's form what became of this year's."""
    states = dict(
        Filing.objects.filter(
            unit=unit, round__register=source.register, round__period__in=[year, newest], dropped_on__isnull=True
        )
        .order_by("round__opens_at", "pk")
        .values_list("round__period_id", "state")
    )
    said = Filing.State(states[year.pk]).label if year.pk in states else "没有采集轮次问过"
    if year == newest:
        return said
    return f"{said}；{newest.name}的还没有填，以下是{year.name}的数"


def _query(unit: Unit, year: Period, day: dt.date) -> str:
    pairs = [("unit", str(unit.pk)), ("period", str(year.pk))]
    return urlencode(pairs + ([("as_of", day.isoformat())] if day < clock.today() else []))


def _forms(source: Source, day: dt.date, years: Sequence[Period], policy: Mapping[str, Any]) -> list[_Form]:
    known = source.columns(day)
    wanted = {_PUPILS, *(name for one in policy["items"] for name in (*one["add"], *one.get("less", ())))}
    columns = [known[name] for name in sorted(wanted) if name in known]
    names, values = [one.name for one in columns], reader(columns)
    rows = texts(held(source, day).filter(period__in=years), columns)
    return [
        _Form(found[0], found[1], found[2], found[3], dict(zip(names, values(found[4:]), strict=True)))
        for found in rows.values_list("record_id", "unit_id", "county_id", "period_id", *names_of(columns))
    ]


def _number(row: Row, name: str) -> Fraction:
    value = row.get(name)
    return Fraction(value) if isinstance(value, (int, Decimal)) else Fraction(0)


def _printed(value: Fraction | None, digits: int) -> str:
    if value is None:
        return NONE
    return text(value, digits) if digits else f"{int(text(value, 0)):,}"


def _kind_words(kind: str) -> str:
    table = code_tables().get("school_kind")
    labels = {one.code: one.label for one in table.items} if table is not None else {}
    return labels.get(kind, "同类学校")
