"""M22 学前: children in kindergartens over the population of three to five, and what became of each licence."""  # noqa: N999

from __future__ import annotations

from collections import Counter
from fractions import Fraction

from jiaoheng.methods.numbers import percent
from scenarios.conftest import Demo, totals_page

YEAR, NAME = ("year", "2026"), "2026—2027 学年"


def test_m22_children_and_population_give_the_gross_rate(demo: Demo) -> None:
    office = demo.office("department")
    children = sum(int(str(row["children"])) for _, row in demo.rows("preschool", YEAR))
    population = sum(int(str(row["total"])) for _, row in demo.rows("preschool_population", YEAR))
    shown = int(demo.sums(totals_page(office, "preschool", NAME))["children"].replace(",", ""))
    below = int(demo.sums(totals_page(office, "preschool_population", NAME))["total"].replace(",", ""))
    assert (shown, below) == (children, population)
    assert 50 < 100 * shown / below < 90
    said = f"<span data-ratio>{percent(Fraction(children, population), 1)} %</span>"
    for register in ("preschool", "preschool_population"):
        assert said in totals_page(office, register, NAME)
    assert said in office.text(office.unit(demo.county.name))


def test_m22_public_interest_share_and_licences(demo: Demo) -> None:
    rows = [row for _, row in demo.rows("preschool", YEAR)]
    page = totals_page(demo.office("department"), "preschool", NAME)
    for field in ("inclusive_kind", "decision"):
        counts = sorted(Counter(str(row[field]) for row in rows if row.get(field) is not None).values())
        shown = demo.shares(field, page)
        assert sorted(count for label, (count, _) in shown.items() if label != "未填") == counts, field
        parts = [float(part.removesuffix(" %")) for label, (_, part) in shown.items() if label != "未填"]
        assert abs(sum(parts) - 100) < 0.3
