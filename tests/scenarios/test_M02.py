"""M02 大班额: sizes of classes from 56 and from 66, by unit, with every class behind the number."""  # noqa: N999

from __future__ import annotations

import re
from fractions import Fraction

from jiaoheng.methods.numbers import percent
from scenarios.conftest import Demo, plain, totals_page

TERM, NAME = ("term", "2026-1"), "2026 年秋季学期"


def sizes(demo: Demo) -> list[int]:
    """The classes of this term's register, as far as it has been filled."""
    return [int(str(row["total"])) for _, row in demo.rows("classes", TERM)]


def test_m02_the_countys_page_counts_large_and_super_classes(demo: Demo) -> None:
    office, found = demo.office("department"), sizes(demo)
    page = plain(office.text(office.unit(demo.county.name)))
    said = re.search(r"班数 ([0-9,]+) 个，大班额 (\d+) 个，其中超大 (\d+) 个", page)
    assert said
    assert int(said[1].replace(",", "")) == len(found)
    assert int(said[2]) == sum(one >= 56 for one in found) > 0
    assert int(said[3]) == sum(one >= 66 for one in found)


def test_m02_the_register_gives_the_same_classes_by_name(demo: Demo) -> None:
    office, found = demo.office("department"), sizes(demo)
    period = office.period("classes", NAME)
    for floor in (56, 66):
        assert office.count(f"/ledgers/classes/?period={period}&f.total.from={floor}") == sum(
            one >= floor for one in found
        )
    rows = office.csv("classes", period=period, **{"f.total.from": "56"})
    assert sorted(int(row["合计"]) for row in rows) == sorted(one for one in found if one >= 56)


def test_m02_each_district_has_its_own(demo: Demo) -> None:
    office = demo.office("leader")
    codes = {one.code: one for one in demo.county.units}
    checked = 0
    for district in (one for one in demo.county.units if one.level == "district"):
        mine = [
            int(str(row["total"])) for unit, row in demo.rows("classes", TERM) if codes[unit].parent == district.code
        ]
        if not mine:
            continue
        page = plain(office.text(office.unit(district.name)))
        large = sum(one >= 56 for one in mine)
        assert f"班数 {len(mine)} 个，{f'大班额 {large} 个' if large else '没有大班额'}" in page, district.name
        checked += 1
    assert checked > 3


def test_m02_the_quota_is_set_against_what_the_classes_say(demo: Demo) -> None:
    """Done: what the schools with a quota had last autumn less what they have now, as far as they have filed."""
    plans = dict(demo.rows("large_class_plan", ("year", "2026")))
    assert plans
    now: dict[str, list[int]] = {}
    for unit, row in demo.rows("classes", TERM):
        now.setdefault(unit, []).append(int(str(row["total"])))
    there = [unit for unit in plans if unit in now]
    quota = sum(int(str(row["quota"])) for row in plans.values())
    before = sum(int(str(plans[unit]["large"])) for unit in there)
    left = sum(one >= 56 for unit in there for one in now[unit])
    office = demo.office("department")
    page = plain(office.text(office.unit(demo.county.name)))
    assert f"已报 {len(there)}/{len(plans)}" in page
    assert f"已消除 / 任务（控制数） {before - left} / {quota} 个" in page
    assert f"消除进度 {percent(Fraction(before - left, quota), 2)} %" in page
    assert f"还有大班额 {left} 个" in page
    entered = int(demo.sums(totals_page(office, "large_class_plan", "2026—2027 学年"))["quota"])
    assert entered == quota
