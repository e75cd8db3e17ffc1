"""Working days: a set of days, nothing guessed."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiaoheng.methods.working_days import CalendarGapError, between, calendar_of, shifted


def _year(year: int, off: set[dt.date], on: set[dt.date]) -> list[tuple[dt.date, bool]]:
    days = [dt.date(year, 1, 1) + dt.timedelta(days=n) for n in range(366)]
    return [(day, day in on or (day.weekday() < 5 and day not in off)) for day in days if day.year == year]


NATIONAL = {dt.date(2024, 10, day) for day in range(1, 8)}
CALENDAR = calendar_of(_year(2024, NATIONAL, {dt.date(2024, 9, 29), dt.date(2024, 10, 12)}))


def test_c23_five_working_days_over_the_national_holiday() -> None:
    assert shifted(CALENDAR, dt.date(2024, 9, 27), 5) == dt.date(2024, 10, 10)


def test_backwards_the_day_itself_is_not_counted() -> None:
    assert shifted(CALENDAR, dt.date(2024, 10, 10), -3) == dt.date(2024, 9, 30)
    assert shifted(CALENDAR, dt.date(2024, 10, 5), 0) == dt.date(2024, 10, 5)


def test_a_year_that_is_not_covered_is_an_error() -> None:
    with pytest.raises(CalendarGapError, match="2025"):
        shifted(CALENDAR, dt.date(2024, 12, 30), 5)
    with pytest.raises(CalendarGapError):
        CALENDAR.is_workday(dt.date(2023, 1, 3))


def test_a_year_with_a_missing_day_is_not_covered() -> None:
    days = [pair for pair in _year(2024, NATIONAL, set()) if pair[0] != dt.date(2024, 7, 1)]
    assert not calendar_of(days).years


@given(st.dates(dt.date(2024, 2, 1), dt.date(2024, 6, 1)), st.integers(0, 60))
def test_between_counts_what_shifted_went(day: dt.date, count: int) -> None:
    end = shifted(CALENDAR, day, count)
    assert between(CALENDAR, day, end) == count
    assert between(CALENDAR, end, day) == -count
