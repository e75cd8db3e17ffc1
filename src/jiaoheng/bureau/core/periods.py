"""Periods: academic years from 1 September with their terms, months, weeks and days.

| kind | code | name | holds |
|---|---|---|---|
| year | Y2025 | 2025—2026 学年 | 1 September up to the next |
| term | T2025-1, T2025-2 | 2025 年秋季学期, 2026 年春季学期 | parted at 1 February, or where the office puts it |
| month | M2025-09 | 2025 年 9 月 | |
| week | W2025-37 | 2025 年第 37 周 | ISO week, Monday to Sunday |
| day | D2025-09-01 | 2025 年 9 月 1 日 | |

Months lie in terms, terms in years; weeks and days belong to the term and month of their first day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db import transaction

from jiaoheng.bureau.core.models import Period

YEAR_STARTS = (9, 1)  # 学年: 1 September to 31 August
SPRING_STARTS = (2, 1)  # default border of the terms; the office moves it with do_set_term_border
ONE_DAY = dt.timedelta(days=1)
ONE_WEEK = dt.timedelta(days=7)

YEAR, TERM, MONTH, WEEK, DAY = (kind.value for kind in Period.Kind)


def academic_year(day: dt.date) -> int:
    """The calendar year in which the academic year of a day began."""
    return day.year if (day.month, day.day) >= YEAR_STARTS else day.year - 1


def ensure_periods(year: int) -> None:
    """See that an academic year has its periods; what is there stays as it is."""
    wanted = list(_periods(year))
    with transaction.atomic():
        known = {period.code: period for period in Period.objects.filter(code__in=[one[0].code for one in wanted])}
        for kind in (YEAR, TERM, MONTH, WEEK, DAY):
            fresh = []
            for period, parent in wanted:
                if period.kind == kind and period.code not in known:
                    period.parent = known.get(parent)
                    fresh.append(period)
            Period.objects.bulk_create(fresh, batch_size=200, ignore_conflicts=True)
            codes = [period.code for period in fresh]
            for start in range(0, len(codes), 500):
                for period in Period.objects.filter(code__in=codes[start : start + 500]):
                    known[period.code] = period


def period_of(kind: str, day: dt.date) -> Period:
    """The period of a kind that holds on a day; its academic year is made where it is not there yet."""
    found = _holding(kind, day)
    if found is None:
        ensure_periods(academic_year(day))
        if kind == WEEK and academic_year(day) != academic_year(monday := day - dt.timedelta(days=day.weekday())):
            ensure_periods(academic_year(monday))  # a week belongs to the year of its Monday
        found = _holding(kind, day)
    if found is None:
        raise LookupError(f"no {kind} holds on {day}")
    return found


def previous(period: Period) -> Period:
    """The period of the same kind just before: the term before, last week, yesterday."""
    return period_of(period.kind, period.starts_on - ONE_DAY)


def year_before(period: Period) -> Period:
    """The same period one year earlier: last year's autumn term, last year's September, last year's week 37."""
    if period.kind == TERM:
        year, half = period.code[1:].split("-")
        ensure_periods(int(year) - 1)
        return Period.objects.get(code=f"T{int(year) - 1}-{half}")
    if period.kind == WEEK:
        year, week, _ = period.starts_on.isocalendar()
        last = dt.date(year - 1, 12, 28).isocalendar().week  # 28 December always lies in the last ISO week
        return period_of(WEEK, dt.date.fromisocalendar(year - 1, min(week, last), 1))
    start = period.starts_on
    if (start.month, start.day) == (2, 29):
        start -= ONE_DAY
    return period_of(period.kind, start.replace(year=start.year - 1))


def _holding(kind: str, day: dt.date) -> Period | None:
    return Period.objects.filter(kind=kind, starts_on__lte=day, ends_on__gt=day).order_by("-starts_on").first()


def _periods(year: int) -> Iterator[tuple[Period, str]]:
    """Every period of an academic year with the code of its parent, parents first."""
    first, last = dt.date(year, *YEAR_STARTS), dt.date(year + 1, *YEAR_STARTS)
    known = {period.code: period for period in Period.objects.filter(code__in=[f"T{year}-1", f"T{year}-2"])}
    border = known[f"T{year}-2"].starts_on if f"T{year}-2" in known else dt.date(year + 1, *SPRING_STARTS)
    yield _period(YEAR, f"Y{year}", f"{year}—{year + 1} 学年", first, last), ""
    yield _period(TERM, f"T{year}-1", f"{year} 年秋季学期", first, border), f"Y{year}"
    yield _period(TERM, f"T{year}-2", f"{year + 1} 年春季学期", border, last), f"Y{year}"

    def term(day: dt.date) -> str:
        return f"T{year}-{1 if day < border else 2}"

    for number in range(12):
        start = dt.date(year + (8 + number) // 12, (8 + number) % 12 + 1, 1)
        end = (start + dt.timedelta(days=31)).replace(day=1)
        yield _period(MONTH, f"M{start:%Y-%m}", f"{start.year} 年 {start.month} 月", start, end), term(start)
    monday = first + dt.timedelta(days=-first.weekday() % 7)
    while monday < last:
        iso = monday.isocalendar()
        made = _period(WEEK, f"W{iso.year}-{iso.week:02d}", f"{iso.year} 年第 {iso.week} 周", monday, monday + ONE_WEEK)
        yield made, term(monday)
        monday += ONE_WEEK
    day = first
    while day < last:
        yield (
            _period(DAY, f"D{day}", f"{day.year} 年 {day.month} 月 {day.day} 日", day, day + ONE_DAY),
            f"M{day:%Y-%m}",
        )
        day += ONE_DAY


def _period(kind: str, code: str, name: str, starts_on: dt.date, ends_on: dt.date) -> Period:
    return Period(kind=kind, code=code, name=name, starts_on=starts_on, ends_on=ends_on)
