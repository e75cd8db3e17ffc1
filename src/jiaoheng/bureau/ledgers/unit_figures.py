"""The figures of 一校一册: key figures, three years side by side, class sizes, the units below; all in words.

A figure says what it counts (`definition`) and leads to the rows of the ledger behind it (`register`, `query`). Small
groups of protected kinds are shown as `*`. Where the tree changed between two years the change carries 口径变化.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from urllib.parse import urlencode

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Unit
from jiaoheng.bureau.core.scope import Scope, scope_of
from jiaoheng.bureau.core.tree import descendants_at, facts_at, line_at, lines_at, names_at
from jiaoheng.bureau.ledgers.compare import compare
from jiaoheng.bureau.ledgers.compare_tree import may_have_changed
from jiaoheng.bureau.ledgers.totals import filed_words
from jiaoheng.bureau.ledgers.unit_elimination import PLAN, Elimination, elimination_of
from jiaoheng.bureau.ledgers.unit_numbers import (
    CLASSES,
    TEACHERS,
    ClassRow,
    Numbers,
    Size,
    classes_as_rows,
    numbers_on,
    states,
)
from jiaoheng.bureau.ledgers.unit_numbers import term_years_before as before
from jiaoheng.bureau.ledgers.unit_rows import Source, unmarked
from jiaoheng.methods.numbers import text

FEWEST = 5  # protected groups smaller than this are hidden
NONE = "—"
HIDDEN = "*"
YEARS = 3


@dataclass(frozen=True, slots=True)
class Figure:
    """One key figure; `query` are the parameters of the list of rows behind it, "" where there is none."""

    title: str
    value: str
    note: str
    definition: str
    register: str
    query: str


@dataclass(frozen=True, slots=True)
class YearRow:
    """One figure in the years of `YearTable.heads`, with the last change in words."""

    title: str
    values: tuple[str, ...]
    change: str
    note: str
    definition: str
    query: str  # of the newest value
    register: str


@dataclass(frozen=True, slots=True)
class YearTable:
    """Three years side by side. `mark`: 口径变化 between the last two, "" where the tree stood still."""

    heads: tuple[str, ...]
    rows: tuple[YearRow, ...]
    mark: str
    sentence: str  # the comparison on one tree, where the tree changed


@dataclass(frozen=True, slots=True)
class Bar:
    """One class; `part` of the longest bar in per cent; `band`: "", large, super."""

    name: str
    total: int
    part: int
    band: str
    record_id: int


@dataclass(frozen=True, slots=True)
class Sizes:
    """The classes of a school from the largest down."""

    finding: str
    bars: tuple[Bar, ...]
    large: int
    huge: int


@dataclass(frozen=True, slots=True)
class BelowRow:
    """A unit below with its figures; `filed`: 已报 7/7, beside every sum."""

    unit_id: int
    name: str
    filed: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Below:
    """The units below, and all of them together."""

    rows: tuple[BelowRow, ...]
    total: BelowRow
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnitFigures:
    """Everything that a unit's page shows in numbers. Empty where no register speaks of it."""

    figures: tuple[Figure, ...]
    source: str  # 2025 年秋季学期班级与班额、教师花名册, as they stood
    filed: str
    years: YearTable | None
    sizes: Sizes | None
    below: Below | None
    elimination: Elimination | None


EMPTY = UnitFigures((), "", "", None, None, None, None)


def figures_of(account: Account, unit: Unit, day: dt.date) -> UnitFigures:
    """The figures of a county, district or school on a day, as far as the reader may see the unit on it."""
    if unit.level not in (Unit.Level.COUNTY, Unit.Level.DISTRICT, Unit.Level.SCHOOL):
        return EMPTY
    scope, line = scope_of(account, Can.READ), line_at(unit, day)
    if not scope.covers(line, CLASSES):
        return EMPTY
    at = min(day, clock.today())
    state = states({at, *(_same_day(at, back) for back in range(1, YEARS))})
    now = numbers_on(at, state=state)
    size = now.size_of(unit)
    elimination = elimination_of(unit, now, unmarked([PLAN]).get(PLAN)) if scope.covers(line, PLAN) else None
    if size.classes is None and size.teachers is None:
        return replace(EMPTY, elimination=elimination)
    filed = _filed(unit, now, state)
    county = now.by_unit(Unit.Level.COUNTY).get(line.county_id or 0)
    return UnitFigures(
        figures=_key_figures(unit, size, now, county, scope.covers(line, TEACHERS)),
        source=_source(now),
        filed=filed,
        years=_years(unit, now, scope, state),
        sizes=_sizes(now.classes_of(unit), now.bands) if unit.level == Unit.Level.SCHOOL else None,
        below=_below(unit, now, filed) if unit.level != Unit.Level.SCHOOL else None,
        elimination=elimination,
    )


def number(value: int | None) -> str:
    """A count with thousands separators; a dash for none."""
    return NONE if value is None else f"{value:,}"


def rate(value: Fraction | None) -> str:
    """A mean with one decimal; a dash for none."""
    return NONE if value is None else text(value, 1)


def small(value: int | None) -> str:
    """A count of a protected group: hidden from 1 up to 4."""
    return HIDDEN if value is not None and 0 < value < FEWEST else number(value)


def _source(now: Numbers) -> str:
    term = f"{now.term.name}班级与班额" if now.term is not None and now.rows else ""
    staff = "教师花名册" if now.teachers is not None else ""
    return "、".join(filter(None, (term, staff)))


def _filed(unit: Unit, now: Numbers, state: Mapping[str, Source]) -> str:
    """已报 7/7: the schools behind the sums, by the round where one asked, else by the schools that stand."""
    source = state.get(CLASSES)
    if unit.level == Unit.Level.SCHOOL or source is None or now.term is None:
        return ""
    return filed_words(source.register, source.versions, unit, now.term)


def _link(unit: Unit, now: Numbers, *, term: bool = True, **filters: str) -> str:
    pairs = [("unit", str(unit.pk))]
    if term and now.term is not None:
        pairs.append(("period", str(now.term.pk)))
    pairs += [(f"f.{name}", value) for name, value in filters.items()]
    if now.day < clock.today():
        pairs.append(("as_of", now.day.isoformat()))
    return urlencode(pairs)


_MEANS = {
    "classes": "班级与班额台账本学期的班数，含学前班级",
    "large": "班级与班额台账本学期合计达到大班额的班数，含超大班额",
    "pupils": "班级与班额台账本学期各班合计之和",
    "mean": "在校生 ÷ 班数",
    "teachers": "教师花名册中是专任教师、在岗状态为在岗、借调、交流支教、病假或产假的人数；生师比 = 在校生 ÷ 专任教师",
    "boarders": "班级与班额台账本学期各班寄宿人数之和",
    "inclusive": f"班级与班额台账本学期各班随班就读人数之和；不足 {FEWEST} 名隐去",
}


def _key_figures(unit: Unit, size: Size, now: Numbers, county: Size | None, staff_visible: bool) -> tuple[Figure, ...]:
    large, huge = now.bands
    rows = _link(unit, now)
    of_county = f"，全县 {rate(county.mean)}" if county is not None and unit.level != Unit.Level.COUNTY else ""
    big = "没有大班额" if not size.large else f"大班额 {size.large} 个，其中超大 {size.huge} 个"
    ratio = f"名，生师比 {rate(size.ratio)}" if size.ratio is not None else "名"
    hidden = small(size.inclusive) == HIDDEN
    made = [
        Figure(
            "班数",
            number(size.classes),
            f"个，{big}",
            f"{_MEANS['classes']}；大班额 {large} 名起，超大 {huge} 名起",
            CLASSES,
            rows,
        ),
        Figure("在校生", number(size.pupils), "名", _MEANS["pupils"], CLASSES, rows),
        Figure(
            "平均班额", rate(size.mean), f"名，最大 {number(size.largest)}{of_county}", _MEANS["mean"], CLASSES, rows
        ),
    ]
    if staff_visible:
        people = _link(unit, now, term=False)
        made.append(Figure("专任教师", number(size.teachers), ratio, _MEANS["teachers"], TEACHERS, people))
    made.append(Figure("寄宿生", number(size.boarders), "名", _MEANS["boarders"], CLASSES, rows))
    note = f"不足 {FEWEST} 名，隐去" if hidden else "名"
    made.append(Figure("随班就读", small(size.inclusive), note, _MEANS["inclusive"], CLASSES, rows))
    return tuple(made)


_ROWS: tuple[tuple[str, str, Callable[[Size], Fraction | int | None], int, str], ...] = (
    ("班数（个）", "classes", lambda size: size.classes, 0, CLASSES),
    ("在校生（名）", "pupils", lambda size: size.pupils, 0, CLASSES),
    ("平均班额（名）", "mean", lambda size: size.mean, 1, CLASSES),
    ("大班额（个）", "large", lambda size: size.large, 0, CLASSES),
    ("寄宿生（名）", "boarders", lambda size: size.boarders, 0, CLASSES),
    ("专任教师（名）", "teachers", lambda size: size.teachers, 0, TEACHERS),
    ("生师比", "teachers", lambda size: size.ratio, 1, TEACHERS),
)


def _years(unit: Unit, now: Numbers, scope: Scope, state: Mapping[str, Source]) -> YearTable | None:
    """The last three years on the same day of the year; years in which the reader may not see the unit stay empty."""
    if now.term is None or not now.rows:
        return None
    years: list[Numbers | None] = []
    for back in range(YEARS - 1, 0, -1):
        term, day = before(now.term, back), _same_day(now.day, back)
        seen = term is not None and scope.covers(line_at(unit, day), CLASSES)
        years.append(numbers_on(day, as_of=now.day, term=term, state=state, within=unit) if seen else None)
    years.append(now)
    sizes = [one.size_of(unit) if one is not None else None for one in years]
    heads = tuple(str(now.day.year - back) for back in range(YEARS - 1, -1, -1))
    mark, sentence = _scope_change(unit, years[-2], now, state)
    line = line_at(unit, now.day)
    rows = tuple(
        YearRow(
            title,
            tuple(_printed(get(size) if size is not None else None, digits) for size in sizes),
            _change(sizes, get, digits),
            "口径变化" if mark else "",
            _MEANS[key],
            _link(unit, now, term=register == CLASSES),
            register,
        )
        for title, key, get, digits, register in _ROWS
        if scope.covers(line, register)
    )
    return YearTable(heads, rows, mark, sentence)


def _same_day(day: dt.date, back: int) -> dt.date:
    if (day.month, day.day) == (2, 29):
        day -= dt.timedelta(days=1)
    return day.replace(year=day.year - back)


def _printed(value: Fraction | int | None, digits: int) -> str:
    return NONE if value is None else text(value, digits, grouped=True) if digits else f"{value:,}"


def _change(sizes: Sequence[Size | None], get: Callable[[Size], Fraction | int | None], digits: int) -> str:
    first, second = (get(one) if one is not None else None for one in sizes[-2:])
    return NONE if first is None or second is None else text(second - first, digits, signed=True, grouped=True)


def _scope_change(unit: Unit, last: Numbers | None, now: Numbers, state: Mapping[str, Source]) -> tuple[str, str]:
    """The marks of the tree between the last two years, and 同口径 in a sentence."""
    source = state.get(CLASSES)
    if last is None or last.term is None or now.term is None or source is None:
        return "", ""
    days = (last.day, now.day)
    if not may_have_changed(unit, *days):
        return "", ""
    rows = {term.pk: classes_as_rows(state, term, now.day) for term in (last.term, now.term)}
    found = compare(unit, source.register, "total", last.term, now.term, days=days, read=lambda period: rows[period.pk])
    return found.mark_text, found.sentence if found.marks else ""


def _sizes(rows: Sequence[ClassRow], bands: tuple[int, int]) -> Sizes | None:
    found = sorted((row for row in rows if row.total is not None), key=lambda row: (-(row.total or 0), row.name))
    if not found:
        return None
    large, huge = bands
    longest = max(huge, found[0].total or 1)
    bars = tuple(
        Bar(
            row.name,
            row.total or 0,
            round(100 * (row.total or 0) / longest),
            "super" if (row.total or 0) >= huge else "large" if (row.total or 0) >= large else "",
            row.record_id,
        )
        for row in found
    )
    over = sum(bar.band != "" for bar in bars)
    top = bars[0]
    finding = f"{len(bars)} 个班，最大的{top.name} {top.total} 名"
    finding += f"，{over} 个达到大班额（{large} 名及以上）" if over else f"，都不到大班额（{large} 名）"
    return Sizes(finding, bars, large, huge)


HEADS = ("班数", "在校生", "平均班额", "最大班额", "大班额", "专任教师", "生师比")


def cells(size: Size | None) -> tuple[str, ...]:
    """One unit's figures in the order of `HEADS`."""
    if size is None:
        return (NONE,) * len(HEADS)
    return (
        number(size.classes),
        number(size.pupils),
        rate(size.mean),
        number(size.largest),
        number(size.large),
        number(size.teachers),
        rate(size.ratio),
    )


def _below(unit: Unit, now: Numbers, filed: str) -> Below | None:
    """Districts and schools directly below (a county), or schools (a district), with their figures."""
    schools = set(descendants_at(unit.pk, now.day, Unit.Level.SCHOOL).values_list("pk", flat=True))
    lines = lines_at(schools, now.day)
    groups: dict[int, set[int]] = {}
    for pk in schools:
        line = lines.get(pk)
        above = line.district_id if line is not None and unit.level == Unit.Level.COUNTY else None
        groups.setdefault(above or pk, set()).add(pk)
    if not groups:
        return None
    names = names_at([*groups, *schools], now.day)
    levels = dict(Unit.objects.filter(pk__in=groups).values_list("pk", "level"))
    by_level = {level: now.by_unit(level) for level in (Unit.Level.DISTRICT, Unit.Level.SCHOOL)}
    have = now.schools_with_classes(unit)
    rows = [
        BelowRow(
            pk,
            names.get(pk, ""),
            f"已报 {len(inside & have)}/{len(inside)}",
            cells(by_level[Unit.Level(levels[pk])].get(pk)),
        )
        for pk, inside in groups.items()
    ]
    order = {pk: place for place, pk in enumerate(_ordered(groups, now.day))}
    rows.sort(key=lambda row: (levels[row.unit_id] != Unit.Level.DISTRICT, order.get(row.unit_id, 0)))
    missing = tuple(names[pk] for pk in sorted(schools - have) if pk in names)
    return Below(tuple(rows), BelowRow(unit.pk, "合计", filed, cells(now.size_of(unit))), missing)


def _ordered(unit_ids: Sequence[int] | dict[int, set[int]], day: dt.date) -> list[int]:
    facts = facts_at(list(unit_ids), day)
    return sorted(unit_ids, key=lambda pk: (facts[pk].sort_key if pk in facts else "", pk))


__all__ = ["HEADS", "UnitFigures", "cells", "figures_of"]
