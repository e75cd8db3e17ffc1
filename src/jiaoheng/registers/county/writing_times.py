"""When what was written: the calendar of the county's three school years."""

from __future__ import annotations

import datetime as dt

from jiaoheng.registers.county.rounds import moment

TODAY = dt.date(2026, 11, 28)
NOW = moment(TODAY, 9, 10)
TERMS = (("2024-1", 2024, False), ("2024-2", 2024, True), ("2025-1", 2025, False), ("2025-2", 2025, True))
THIS_TERM, THIS_YEAR = ("term", "2026-1"), ("year", "2026")
SIZES_OPENED, SIZES_DUE = dt.date(2026, 11, 9), dt.date(2026, 11, 20)
CONDITIONS_OPENED, CONDITIONS_DUE = dt.date(2026, 11, 16), dt.date(2026, 12, 4)


def term_day(year: int, spring: bool) -> dt.datetime:
    """When the class rows of an earlier term were written."""
    return moment(dt.date(year + 1, 3, 10), 15) if spring else moment(dt.date(year, 9, 25), 15)


def autumn(year: int, month: int = 9, day: int = 12, hour: int = 10) -> dt.datetime:
    """A morning in the autumn of a school year."""
    return moment(dt.date(year, month, day), hour)
