"""Days and times of forms: a date field and a time field beside it, Beijing time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.utils.dateparse import parse_date, parse_time

from jiaoheng.bureau.core import clock


def day_from(values: Mapping[str, str], name: str) -> dt.date | None:
    """The day of a date field; None where nothing readable stands in it."""
    try:
        return parse_date(values.get(name, "").strip())
    except ValueError:  # 2026-02-31
        return None


def moment_from(values: Mapping[str, str], name: str) -> dt.datetime | None:
    """The moment of `name`_date and `name`_time; without a time the last second of the day. None: no readable date."""
    day = day_from(values, f"{name}_date")
    if day is None:
        return None
    text = values.get(f"{name}_time", "").strip()
    if not text:
        return clock.at_end_of(day)
    try:
        time = parse_time(text)
    except ValueError:
        time = None
    if time is None:
        return None
    return clock.beijing(day.year, day.month, day.day, time.hour, time.minute, time.second)


def written(moment: dt.datetime, name: str) -> dict[str, str]:
    """What the two fields show for a moment."""
    local = clock.local(moment)
    return {f"{name}_date": f"{local:%Y-%m-%d}", f"{name}_time": f"{local:%H:%M}"}
