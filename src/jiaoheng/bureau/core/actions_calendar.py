"""Editing the calendar: seed published years, enter a new year's notice, mark days and vacations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.calendar import ONE_DAY, seed_calendar
from jiaoheng.bureau.core.models import Account, CalendarDay
from jiaoheng.bureau.core.refusals import RefusedError

WORDS = {True: "上班", False: "放假"}
SCHOOL_WORDS = {True: "上课", False: "不上课"}


@audit.action
def do_seed_calendar(*, acting_user: Account | None, years: range | None = None) -> int:
    """Enter the published years (or some of them); days that the office edited stay. Returns the days added."""
    added = seed_calendar(years)
    audit.note("calendar-seed", actor=acting_user, about=("calendar", "", "工作日历"), count=added)
    return added


@audit.action
def do_enter_year(
    year: int, exceptions: Mapping[dt.date, tuple[bool, str]], *, acting_user: Account | None, source: str
) -> None:
    """Enter a year from its official notice: Monday to Friday with the notice's holidays and worked weekend days.

    `exceptions`: day → (do people work, name). `source`: the notice's number; without one the year is refused, for a
    calendar is never guessed.
    """
    if not source.strip():
        raise RefusedError("source-missing", f"录入 {year} 年工作日历要写明依据的通知文号", places={"source": "请填写"})
    wrong = [day for day in exceptions if day.year != year]
    if wrong:
        raise RefusedError("calendar-year", f"{min(wrong)} 不在 {year} 年，请改正日期", places={"days": "请改正"})
    now, day, made = clock.now(), dt.date(year, 1, 1), []
    while day.year == year:
        works, name = exceptions.get(day, (day.weekday() < 5, ""))
        made.append(
            CalendarDay(day=day, is_workday=works, is_schoolday=works, name=name, source=source[:100], changed_at=now)
        )
        day += ONE_DAY
    CalendarDay.objects.filter(day__year=year).delete()
    CalendarDay.objects.bulk_create(made, batch_size=500)
    audit.note(
        "calendar-year",
        actor=acting_user,
        about=("calendar", year, f"{year} 年工作日历"),
        count=len(made),
        reason=source,
    )


@audit.action
def do_set_day(
    day: dt.date,
    *,
    acting_user: Account | None,
    reason: str,
    is_workday: bool | None = None,
    is_schoolday: bool | None = None,
    name: str | None = None,
) -> None:
    """Change one day of a year that is entered. None leaves a mark as it is."""
    found = CalendarDay.objects.filter(pk=day).first()
    if found is None:
        raise RefusedError("calendar-missing", f"工作日历没有 {day.year} 年，请先录入这一年，再改 {day}")
    changes = []
    if is_workday is not None and is_workday != found.is_workday:
        changes.append(_change("is_workday", "工作日", WORDS[found.is_workday], WORDS[is_workday]))
        found.is_workday = is_workday
    if is_schoolday is not None and is_schoolday != found.is_schoolday:
        changes.append(_change("is_schoolday", "上课日", SCHOOL_WORDS[found.is_schoolday], SCHOOL_WORDS[is_schoolday]))
        found.is_schoolday = is_schoolday
    if name is not None and name != found.name:
        changes.append(_change("name", "说明", found.name, name))
        found.name = name[:40]
    found.source, found.changed_at = reason[:100], clock.now()
    found.save()
    audit.note("calendar-day", actor=acting_user, about=("calendar", day, str(day)), changes=changes, reason=reason)


@audit.action
def do_set_vacation(first: dt.date, last: dt.date, name: str, *, acting_user: Account | None, reason: str = "") -> int:
    """Mark the school days from `first` to `last` (included) as vacation. Returns the days changed."""
    if last < first:
        raise RefusedError(
            "vacation-order", f"假期最后一天 {last} 早于第一天 {first}，请改正", places={"last": "请改正"}
        )
    days = CalendarDay.objects.filter(day__gte=first, day__lte=last, is_schoolday=True)
    count = int(days.update(is_schoolday=False, name=name[:40], changed_at=clock.now()))
    about = ("calendar", first, f"{name} {first} 至 {last}")
    audit.note("calendar-vacation", actor=acting_user, about=about, count=count, reason=reason)
    return count


def _change(field: str, title: str, old: str, new: str) -> dict[str, str]:
    return {"field": field, "title": title, "old": old, "new": new}
