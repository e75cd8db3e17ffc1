"""C23: working days from the table; a year that is not entered is refused."""

from __future__ import annotations

import datetime as dt

import pytest

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.actions_calendar import do_enter_year, do_seed_calendar, do_set_day, do_set_vacation
from jiaoheng.bureau.core.calendar import add_working_days, known_years, workday_shifted, working_days_between
from jiaoheng.bureau.core.models import CalendarDay
from jiaoheng.bureau.core.refusals import RefusedError

pytestmark = pytest.mark.django_db


def test_c23_five_working_days_end_with_the_last_second_of_beijing() -> None:
    do_seed_calendar(acting_user=None, years=range(2024, 2026))
    due = add_working_days(clock.beijing(2024, 9, 27, 16), 5)
    assert due == dt.datetime(2024, 10, 10, 15, 59, 59, tzinfo=dt.UTC)


def test_reminder_days_around_the_national_holiday() -> None:
    do_seed_calendar(acting_user=None, years=range(2025, 2026))
    due = dt.date(2025, 10, 10)
    assert [workday_shifted(due, n) for n in (-3, -1, 1, 3)] == [
        dt.date(2025, 9, 29), dt.date(2025, 10, 9), dt.date(2025, 10, 11), dt.date(2025, 10, 14),
    ]  # fmt: skip
    assert working_days_between(dt.date(2025, 9, 29), due) == 3


def test_a_year_without_a_published_calendar_is_refused() -> None:
    do_seed_calendar(acting_user=None, years=range(2026, 2027))
    with pytest.raises(RefusedError, match="没有 2027 年") as caught:
        add_working_days(clock.beijing(2026, 12, 30), 5)
    assert caught.value.code == "calendar-missing"
    with pytest.raises(RefusedError, match="没有 2027 年"):
        do_seed_calendar(acting_user=None, years=range(2027, 2028))


def test_the_office_enters_the_year_from_its_notice() -> None:
    notice = {dt.date(2027, 1, 1): (False, "元旦"), dt.date(2027, 1, 3): (True, "调休上班")}
    with pytest.raises(RefusedError, match="文号"):
        do_enter_year(2027, notice, acting_user=None, source=" ")
    do_enter_year(2027, notice, acting_user=None, source="国办发明电〔2026〕0号")
    assert known_years() == [2027]
    assert workday_shifted(dt.date(2027, 1, 1), 1) == dt.date(2027, 1, 3)


def test_an_edited_day_counts_at_once_and_seeding_keeps_it() -> None:
    do_seed_calendar(acting_user=None, years=range(2025, 2026))
    assert workday_shifted(dt.date(2025, 9, 15), 1) == dt.date(2025, 9, 16)
    do_set_day(dt.date(2025, 9, 16), acting_user=None, reason="县庆", is_workday=False, name="县庆")
    assert workday_shifted(dt.date(2025, 9, 15), 1) == dt.date(2025, 9, 17)
    assert do_seed_calendar(acting_user=None, years=range(2025, 2026)) == 0
    assert CalendarDay.objects.get(pk=dt.date(2025, 9, 16)).name == "县庆"


def test_vacation_takes_school_days_and_no_working_days() -> None:
    do_seed_calendar(acting_user=None, years=range(2025, 2026))
    count = do_set_vacation(dt.date(2025, 7, 7), dt.date(2025, 7, 13), "暑假", acting_user=None)
    assert count == 5
    day = CalendarDay.objects.get(pk=dt.date(2025, 7, 7))
    assert (day.is_workday, day.is_schoolday) == (True, False)
