"""Working days over a given set of them: nothing is guessed from weekdays, for the state moves its days every year.

A calendar is the set of working days and the years it covers whole. A count that would leave those years is an error:
the official notice of a year comes out in November before it, and Monday to Friday is wrong around every holiday.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

ONE_DAY = dt.timedelta(days=1)


class CalendarGapError(LookupError):
    """A year whose days are not known; `year` says which."""

    def __init__(self, year: int) -> None:
        super().__init__(f"no calendar for {year}")
        self.year = year


@dataclass(frozen=True)
class WorkCalendar:
    """The working days of whole years."""

    workdays: frozenset[dt.date]
    years: frozenset[int] = field(default_factory=frozenset)

    @cached_property
    def ordered(self) -> tuple[dt.date, ...]:
        """The working days, earliest first."""
        return tuple(sorted(self.workdays))

    def is_workday(self, day: dt.date) -> bool:
        """Whether people work on a day. CalendarGapError for a year that is not covered."""
        if day.year not in self.years:
            raise CalendarGapError(day.year)
        return day in self.workdays


def calendar_of(days: Iterable[tuple[dt.date, bool]]) -> WorkCalendar:
    """A calendar from (day, is it a working day); a year counts as covered when each of its days is there."""
    known = dict(days)
    years = set()
    for year in {day.year for day in known}:
        length = (dt.date(year + 1, 1, 1) - dt.date(year, 1, 1)).days
        if sum(day.year == year for day in known) == length:
            years.add(year)
    return WorkCalendar(frozenset(day for day, works in known.items() if works), frozenset(years))


def shifted(calendar: WorkCalendar, day: dt.date, count: int) -> dt.date:
    """The working day `count` working days after a day (before it for a negative count); 0 is the day itself.

    The day itself is never counted, whether people work on it or not. CalendarGapError where a day on the way is
    not covered.
    """
    step = ONE_DAY if count > 0 else -ONE_DAY
    left = abs(count)
    while left:
        day += step
        left -= calendar.is_workday(day)
    return day


def between(calendar: WorkCalendar, first: dt.date, last: dt.date) -> int:
    """Working days after `first` up to and including `last`; negative where `last` is the earlier one.

    So `between(c, day, shifted(c, day, n)) == n` for n ≥ 0.
    """
    if last < first:
        return -between(calendar, last, first)
    day, count = first, 0
    while day < last:
        day += ONE_DAY
        count += calendar.is_workday(day)
    return count
