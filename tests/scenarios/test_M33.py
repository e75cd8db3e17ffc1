"""M33 学生成长: habits, reading, fitness and arts of each pupil a term; the county sees shares, a school its pupils."""  # noqa: N999

from __future__ import annotations

from collections import Counter
from fractions import Fraction

from scenarios.conftest import Demo, plain, totals_page

TERM, NAME = ("term", "2025-2"), "2026 年春季学期"


def test_m33_shares_of_fitness_and_habits(demo: Demo) -> None:
    rows = [row for _, row in demo.rows("pupil_development", TERM)]
    page = totals_page(demo.office("department"), "pupil_development", NAME)
    for field in ("fitness_grade", "habit_life", "habit_learning"):
        counts = Counter(str(row[field]) for row in rows if row.get(field) is not None)
        shown = {label: one for label, one in demo.shares(field, page).items() if label != "未填"}
        assert sorted(count for count, _ in shown.values()) == sorted(counts.values()), field
    read = [int(str(row["books_read"])) for row in rows if row.get("books_read") is not None]
    assert int(demo.sums(page)["books_read"].replace(",", "")) == sum(read)
    assert f"{float(Fraction(sum(read), len(read))):.2f}" in plain(page)


def test_m33_numbers_of_pupils_are_covered(demo: Demo) -> None:
    office = demo.office("department")
    rows = office.csv("pupil_development", period=office.period("pupil_development", NAME))
    assert len(rows) == len(demo.rows("pupil_development", TERM))
    assert all("*" in row["学籍号"] for row in rows if row["学籍号"])


def test_m33_a_school_sees_its_own(demo: Demo) -> None:
    account = next(one for one in demo.county.accounts if one.demo == "principal")
    mine = [row for unit, row in demo.rows("pupil_development", TERM) if unit == account.home]
    assert demo.office("principal").count("/ledgers/pupil_development/?period=all") == len(mine)
