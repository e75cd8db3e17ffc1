"""How moments are said in sentences: the one place, `clock.words`."""

from __future__ import annotations

import datetime as dt

from jiaoheng.bureau.core import clock


def test_a_moment_of_this_year_has_no_year_and_no_noughts() -> None:
    with clock.at(clock.beijing(2026, 11, 28, 10)):
        assert clock.words(clock.beijing(2026, 9, 4, 8, 5)) == "9 月 4 日 08:05"
        assert clock.words(clock.beijing(2025, 12, 31, 23, 59)) == "2025 年 12 月 31 日 23:59"


def test_the_day_is_beijings_and_not_that_of_the_zone_it_is_stored_in() -> None:
    with clock.at(clock.beijing(2026, 1, 1, 0, 30)):
        assert clock.words(dt.datetime(2025, 12, 31, 16, 30, tzinfo=dt.UTC)) == "1 月 1 日 00:30"
        assert clock.day_words(dt.date(2025, 12, 31)) == "2025 年 12 月 31 日"
        assert clock.day_words(dt.date(2025, 12, 31), dt.date(2025, 1, 5)) == "12 月 31 日"
