"""The bureau's calendar: the table binds the working-day functions; a year that is not in it is never guessed."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

import chinese_calendar
from chinese_calendar.constants import holidays
from django.db.models import Count, Max

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import CalendarDay
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.methods import working_days
from jiaoheng.methods.working_days import CalendarGapError, WorkCalendar, calendar_of

SOURCE = "国务院办公厅关于部分节假日安排的通知"
ONE_DAY = dt.timedelta(days=1)
HOLIDAYS = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "National Day": "国庆节",
    "Mid-autumn Festival": "中秋节",
    "Anti-Fascist 70th Day": "抗战胜利纪念日",
}


def published_years() -> range:
    """The years whose official notice the seeding library holds."""
    years = {day.year for day in holidays}
    return range(min(years), max(years) + 1)


def seed_calendar(years: range | None = None) -> int:
    """Put published years into the table; days that are there stay as the office edited them. Returns days added.

    RefusedError for a year without a published notice. To be called inside an audited action.
    """
    wanted = years if years is not None else published_years()
    published = published_years()
    missing = [year for year in wanted if year not in published]
    if missing:
        raise RefusedError("calendar-missing", _gap(missing[0]))
    known = set(
        CalendarDay.objects.filter(
            day__gte=dt.date(wanted.start, 1, 1), day__lt=dt.date(wanted.stop, 1, 1)
        ).values_list("day", flat=True)
    )
    made = [day for year in wanted for day in _seed_days(year) if day.day not in known]
    CalendarDay.objects.bulk_create(made, batch_size=500)
    return len(made)


def _seed_days(year: int) -> list[CalendarDay]:
    made = []
    day, now = dt.date(year, 1, 1), clock.now()
    while day.year == year:
        works = chinese_calendar.is_workday(day)
        name = ""
        if works and day.weekday() >= 5:
            name = "调休上班"
        elif not works:
            holiday = chinese_calendar.get_holiday_detail(day)[1]
            name = HOLIDAYS.get(holiday or "", holiday or "")
        made.append(
            CalendarDay(day=day, is_workday=works, is_schoolday=works, name=name, source=SOURCE, changed_at=now)
        )
        day += ONE_DAY
    return made


def work_calendar() -> WorkCalendar:
    """The calendar of the table; kept in the process until a day of it changes, in whichever process."""
    found = CalendarDay.objects.aggregate(count=Count("pk"), newest=Max("changed_at"))
    return _calendar((int(found["count"]), str(found["newest"])))


@lru_cache(maxsize=2)
def _calendar(stamp: tuple[int, str]) -> WorkCalendar:
    return calendar_of(CalendarDay.objects.values_list("day", "is_workday"))


def known_years() -> list[int]:
    """The years that the table covers whole, for the page of the calendar and its warning."""
    return sorted(work_calendar().years)


def workday_shifted(day: dt.date, count: int) -> dt.date:
    """The working day `count` working days after (before, for a negative count) a day; 0 is the day itself.

    RefusedError where a year on the way has no published calendar.
    """
    try:
        return working_days.shifted(work_calendar(), day, count)
    except CalendarGapError as error:
        raise RefusedError("calendar-missing", _gap(error.year)) from error


def add_working_days(moment: dt.datetime, count: int) -> dt.datetime:
    """The last second, Beijing time, of the `count`-th working day after the day of a moment: a deadline."""
    return clock.at_end_of(workday_shifted(clock.local(moment).date(), count))


def working_days_between(first: dt.date, last: dt.date) -> int:
    """Working days after `first` up to and including `last`; negative where `last` is earlier. Refuses like above."""
    try:
        return working_days.between(work_calendar(), first, last)
    except CalendarGapError as error:
        raise RefusedError("calendar-missing", _gap(error.year)) from error


def is_workday(day: dt.date) -> bool:
    """Whether the offices work on a day. RefusedError for a year without a calendar."""
    try:
        return work_calendar().is_workday(day)
    except CalendarGapError as error:
        raise RefusedError("calendar-missing", _gap(error.year)) from error


def _gap(year: int) -> str:
    return f"工作日历没有 {year} 年：该年放假安排尚未录入，不能推算工作日。请在通知发布后到“工作日历”录入 {year} 年各日"
