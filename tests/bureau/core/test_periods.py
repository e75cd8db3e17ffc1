"""Periods nest, follow one another and have names."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import pytest

from jiaoheng.bureau.core.actions_periods import do_set_term_border
from jiaoheng.bureau.core.models import Period
from jiaoheng.bureau.core.periods import ensure_periods, period_of, previous, year_before
from jiaoheng.bureau.core.refusals import RefusedError

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("kind", "day", "code", "name"),
    [
        ("year", dt.date(2025, 9, 1), "Y2025", "2025—2026 学年"),
        ("year", dt.date(2025, 8, 31), "Y2024", "2024—2025 学年"),
        ("term", dt.date(2025, 9, 1), "T2025-1", "2025 年秋季学期"),
        ("term", dt.date(2026, 3, 1), "T2025-2", "2026 年春季学期"),
        ("month", dt.date(2025, 12, 31), "M2025-12", "2025 年 12 月"),
        ("week", dt.date(2025, 9, 8), "W2025-37", "2025 年第 37 周"),
        ("week", dt.date(2025, 9, 1), "W2025-36", "2025 年第 36 周"),
        ("week", dt.date(2027, 1, 1), "W2026-53", "2026 年第 53 周"),
        ("week", dt.date(2026, 9, 2), "W2026-36", "2026 年第 36 周"),
        ("day", dt.date(2025, 9, 1), "D2025-09-01", "2025 年 9 月 1 日"),
    ],
)
def test_period_of_a_day(kind: str, day: dt.date, code: str, name: str) -> None:
    found = period_of(kind, day)
    assert (found.code, found.name) == (code, name)
    assert found.starts_on <= day < found.ends_on


def test_each_kind_covers_a_year_without_gap_or_overlap_and_nests() -> None:
    ensure_periods(2025)
    ensure_periods(2025)
    assert Period.objects.filter(kind="day").count() == 365
    for kind in ("term", "month", "week", "day"):
        rows = list(Period.objects.filter(kind=kind).order_by("starts_on"))
        assert all(one.ends_on == other.starts_on for one, other in pairwise(rows))
    for period in Period.objects.exclude(kind="year").select_related("parent"):
        assert period.parent is not None
        assert period.parent.starts_on <= period.starts_on < period.parent.ends_on


@pytest.mark.parametrize(
    ("code", "kind", "day", "before", "last_year"),
    [
        ("T2025-1", "term", dt.date(2025, 10, 1), "T2024-2", "T2024-1"),
        ("Y2025", "year", dt.date(2025, 10, 1), "Y2024", "Y2024"),
        ("M2026-01", "month", dt.date(2026, 1, 5), "M2025-12", "M2025-01"),
        ("W2026-53", "week", dt.date(2026, 12, 30), "W2026-52", "W2025-52"),
        ("D2024-02-29", "day", dt.date(2024, 2, 29), "D2024-02-28", "D2023-02-28"),
    ],
)
def test_before_and_last_year(code: str, kind: str, day: dt.date, before: str, last_year: str) -> None:
    period = period_of(kind, day)
    assert (period.code, previous(period).code, year_before(period).code) == (code, before, last_year)


def test_the_office_moves_the_border_of_the_terms() -> None:
    do_set_term_border(2025, dt.date(2026, 2, 24), acting_user=None)
    assert period_of("term", dt.date(2026, 2, 23)).code == "T2025-1"
    assert period_of("term", dt.date(2026, 2, 24)).code == "T2025-2"
    assert period_of("month", dt.date(2026, 2, 24)).parent.code == "T2025-1"
    with pytest.raises(RefusedError, match="不在 2025—2026 学年内"):
        do_set_term_border(2025, dt.date(2026, 9, 1), acting_user=None)
