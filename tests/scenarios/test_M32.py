"""M32 支部: how many branches keep the five standards, by star, with the register behind."""  # noqa: N999

from __future__ import annotations

from collections import Counter

from scenarios.conftest import Demo, totals_page

YEAR, NAME = ("year", "2026"), "2026—2027 学年"


def test_m32_share_of_branches_that_keep_the_standards(demo: Demo) -> None:
    rows = [row for _, row in demo.rows("party_branches", YEAR)]
    page = totals_page(demo.office("leader"), "party_branches", NAME)
    count, part = demo.shares("five_standards", page)["是"]
    kept = sum(bool(row["five_standards"]) for row in rows)
    assert count == kept
    assert part == f"{100 * kept / len(rows):.1f} %"
    assert kept / len(rows) > 0.9
    stars = Counter(str(row["star"]) for row in rows)
    assert sorted(count for count, _ in demo.shares("star", page).values()) == sorted(stars.values())


def test_m32_a_filter_names_the_others(demo: Demo) -> None:
    office = demo.office("leader")
    period = office.period("party_branches", NAME)
    others = [row for _, row in demo.rows("party_branches", YEAR) if not row["five_standards"]]
    rows = office.csv("party_branches", period=period, **{"f.five_standards.is": "false"})
    assert sorted(row["支部名称"] for row in rows) == sorted(str(row["branch_name"]) for row in others)
