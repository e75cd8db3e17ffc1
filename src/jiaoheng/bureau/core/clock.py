"""The one clock. Tests set it, the demo shifts it; nothing else asks the system for the time."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from contextvars import ContextVar
from zoneinfo import ZoneInfo

BEIJING = ZoneInfo("Asia/Shanghai")
_set: ContextVar[dt.datetime | None] = ContextVar("clock", default=None)
_process: list[dt.datetime | None] = [None]  # for threads of a test server, which see no context of the test
_floor: ContextVar[dt.datetime | None] = ContextVar("floor", default=None)  # of an action, see `not_before`
_shift: list[dt.timedelta] = [dt.timedelta(0)]  # of a demo, whose data stand at a day of their own


def now() -> dt.datetime:
    """The present moment, aware, in UTC."""
    fixed = _set.get() or _process[0]
    if fixed is not None:
        return fixed
    moment, floor = dt.datetime.now(dt.UTC) + _shift[0], _floor.get()
    return moment if floor is None or moment > floor else floor


def is_set() -> bool:
    """Whether the clock stands at a moment that was set (`at`)."""
    return (_set.get() or _process[0]) is not None


@contextlib.contextmanager
def not_before(moment: dt.datetime | None) -> Iterator[None]:
    """Let the clock of a block not run before a moment: what is written there follows what was written then."""
    if moment is None:
        yield
        return
    token = _floor.set(moment)
    try:
        yield
    finally:
        _floor.reset(token)


def shift(by: dt.timedelta) -> None:
    """Let this process's clock run ahead (or behind) of the system's: the demo, at its start (`core/demo_clock.py`)."""
    _shift[0] = by


def today() -> dt.date:
    """Today in Beijing, whatever zone the server's system has."""
    return now().astimezone(BEIJING).date()


def local(moment: dt.datetime) -> dt.datetime:
    """An aware moment as Beijing time."""
    return moment.astimezone(BEIJING)


def day_words(day: dt.date, seen_on: dt.date | None = None) -> str:
    """11 月 24 日; with the year where it is not the one of the day it is said on (today)."""
    year = "" if day.year == (seen_on or today()).year else f"{day.year} 年 "
    return f"{year}{day.month} 月 {day.day} 日"


def words(moment: dt.datetime) -> str:
    """11 月 24 日 16:21, Beijing time, as a sentence says it; with the year where it is not this one."""
    own = local(moment)
    return f"{day_words(own.date())} {own:%H:%M}"


def at_end_of(day: dt.date) -> dt.datetime:
    """23:59:59 Beijing time of a day, in UTC: when a deadline given as a day has its last second."""
    return dt.datetime.combine(day, dt.time(23, 59, 59), BEIJING).astimezone(dt.UTC)


def beijing(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> dt.datetime:
    """A moment given as Beijing wall time, in UTC."""
    return dt.datetime(year, month, day, hour, minute, second, tzinfo=BEIJING).astimezone(dt.UTC)


@contextlib.contextmanager
def at(moment: dt.datetime, *, everywhere: bool = False) -> Iterator[None]:
    """Set the clock for a block; `everywhere` for other threads of the process too (test servers)."""
    token = _set.set(moment.astimezone(dt.UTC))
    before = _process[0]
    if everywhere:
        _process[0] = moment.astimezone(dt.UTC)
    try:
        yield
    finally:
        _set.reset(token)
        _process[0] = before
