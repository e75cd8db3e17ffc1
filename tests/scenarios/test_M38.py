"""M38 宣传: reports by medium and level, a year and the years before."""  # noqa: N999

from __future__ import annotations

from collections import Counter

import pytest

from scenarios.conftest import Demo, totals_page

YEARS = {"2024": "2024—2025 学年", "2025": "2025—2026 学年", "2026": "2026—2027 学年"}


@pytest.mark.parametrize("year", YEARS)
def test_m38_reports_by_medium_and_level(demo: Demo, year: str) -> None:
    rows = [row for _, row in demo.rows("publicity", ("year", year))]
    office = demo.office("leader")
    assert office.count(f"/ledgers/publicity/?period={office.period('publicity', YEARS[year])}") == len(rows)
    page = totals_page(office, "publicity", YEARS[year])
    for field in ("medium", "level"):
        counts = Counter(str(row[field]) for row in rows)
        assert sorted(count for count, _ in demo.shares(field, page).values()) == sorted(counts.values()), field


def test_m38_a_school_counts_its_own(demo: Demo) -> None:
    account = next(one for one in demo.county.accounts if one.demo == "principal")
    mine = [row for unit, row in demo.rows("publicity", ("year", "2025")) if unit == account.home]
    office = demo.office("principal")
    listed = office.text("/ledgers/publicity/?period=all")
    assert "宣传信息" in listed
    every = sum(unit == account.home for year in YEARS for unit, _ in demo.rows("publicity", ("year", year)))
    assert office.count("/ledgers/publicity/?period=all") == every >= len(mine)
