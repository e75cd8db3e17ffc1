"""The calendar of a year for the page: months of weeks of days, with what each day is and by which notice."""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.calendar import known_years, published_years
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, CalendarDay, Period
from jiaoheng.bureau.core.periods import TERM, academic_year
from jiaoheng.bureau.core.scope import scope_of

_NEAR = 5  # years of the chooser before and after the shown one


@dataclass(frozen=True, slots=True)
class Day:
    """One day. `look`: "", off (weekend), holiday, extra (调休上班); `words` for screen readers and on hover."""

    day: dt.date
    look: str
    name: str
    words: str
    workday: bool
    schoolday: bool
    source: str


@dataclass(frozen=True, slots=True)
class Month:
    """A month from Monday weeks; None where a week reaches outside it."""

    name: str
    workdays: int
    weeks: tuple[tuple[Day | None, ...], ...]


@dataclass(frozen=True, slots=True)
class Term:
    """One term of an academic year."""

    name: str
    first: dt.date
    last: dt.date


@dataclass(frozen=True, slots=True)
class YearPage:
    """A year of the calendar; no months where the year is not entered."""

    year: int
    years: tuple[int, ...]
    months: tuple[Month, ...]
    workdays: int
    offs: tuple[tuple[str, str], ...]  # holiday → its days: 国庆节, 10 月 1 日至 8 日
    terms: tuple[Term, ...]
    term_year: int
    spring: dt.date | None  # first day of the spring term of `term_year`
    published: bool  # whether the year can be seeded
    may_edit: bool


def year_page(account: Account, year: int) -> YearPage:
    """One year for one reader; the terms are those of the academic years that meet in it."""
    days = {one.day: one for one in CalendarDay.objects.filter(day__year=year)}
    today = clock.today()
    months = tuple(_month(year, number, days) for number in range(1, 13)) if days else ()
    term_year = academic_year(today) if year == today.year else year
    found = Period.objects.filter(kind=TERM, starts_on__lt=dt.date(year + 1, 9, 1), ends_on__gt=dt.date(year, 1, 1))
    spring = Period.objects.filter(code=f"T{term_year}-2").first()
    known = [one for one in known_years() if abs(one - year) <= _NEAR]
    years = sorted({*known, today.year, today.year + 1, year})
    return YearPage(
        year=year,
        years=tuple(years),
        months=months,
        workdays=sum(month.workdays for month in months),
        offs=_offs(days),
        terms=tuple(
            Term(one.name, one.starts_on, one.ends_on - dt.timedelta(days=1)) for one in found.order_by("starts_on")
        ),
        term_year=term_year,
        spring=spring.starts_on if spring is not None else None,
        published=year in published_years(),
        may_edit=may_edit(account),
    )


def may_edit(account: Account) -> bool:
    """The calendar binds every deadline: who opens rounds for the county keeps it."""
    return any(root.level == "county" for root in scope_of(account, Can.ROUNDS).roots)


def day_of(day: dt.date) -> Day | None:
    """One day of the table; None where its year is not entered."""
    found = CalendarDay.objects.filter(pk=day).first()
    return _day(found) if found is not None else None


def _month(year: int, number: int, days: dict[dt.date, CalendarDay]) -> Month:
    weeks = tuple(
        tuple(_day(days[one]) if one.month == number and one in days else None for one in week)
        for week in calendar.Calendar().monthdatescalendar(year, number)
    )
    return Month(f"{number} 月", sum(day.workday for week in weeks for day in week if day is not None), weeks)


def _day(one: CalendarDay) -> Day:
    weekend = one.day.weekday() >= 5
    look = "extra" if one.is_workday and weekend else "" if one.is_workday else "holiday" if one.name else "off"
    work = "上班" if one.is_workday else "放假" if one.name or not weekend else "休息"
    school = "" if one.is_schoolday == one.is_workday else "，上课" if one.is_schoolday else "，不上课"
    words = f"{one.day.month} 月 {one.day.day} 日，{work}{school}" + (f"，{one.name}" if one.name else "")
    return Day(one.day, look, one.name, words, one.is_workday, one.is_schoolday, one.source)


def _offs(days: dict[dt.date, CalendarDay]) -> tuple[tuple[str, str], ...]:
    """Holidays and worked weekends in a row, as a notice says them."""
    runs: list[tuple[str, dt.date, dt.date]] = []
    for day in sorted(days):
        one = days[day]
        weekend = day.weekday() >= 5
        if not one.name or (one.is_workday and not weekend):
            continue
        if runs and runs[-1][0] == one.name and runs[-1][2] + dt.timedelta(days=1) == day:
            runs[-1] = (one.name, runs[-1][1], day)
        else:
            runs.append((one.name, day, day))
    return tuple((name, _span(first, last)) for name, first, last in runs)


def _span(first: dt.date, last: dt.date) -> str:
    head = f"{first.month} 月 {first.day} 日"
    if first == last:
        return head
    return f"{head}至 {last.day} 日" if first.month == last.month else f"{head}至 {last.month} 月 {last.day} 日"
