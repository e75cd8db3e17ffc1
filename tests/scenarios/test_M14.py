"""M14 编制、交流: posts, gaps and exchange moves add up over the county, with the reporting rate beside."""  # noqa: N999

from __future__ import annotations

import re

from scenarios.conftest import Demo, plain, totals_page

YEAR, NAME = ("year", "2026"), "2026—2027 学年"
FIELDS = ("approved", "filled_posts", "vacant", "exchanged_out", "exchanged_in", "recruited", "retired")


def test_m14_exchange_and_posts_add_up(demo: Demo) -> None:
    rows = [row for _, row in demo.rows("posts", YEAR)]
    page = totals_page(demo.office("department"), "posts", NAME)
    printed = demo.sums(page)
    for field in FIELDS:
        assert int(printed[field].replace(",", "")) == sum(int(str(row[field])) for row in rows), field
    assert printed["exchanged_out"] == printed["exchanged_in"] != "0"
    assert re.search(rf"{len(rows)} 条 (?:已报 {len(rows)}/\d+|{len(rows)} 校有记录)", plain(page))


def test_m14_a_district_adds_its_own_schools(demo: Demo) -> None:
    office, own = demo.office("district"), demo.office("leader")
    account = next(one for one in demo.county.accounts if one.demo == "district")
    units = {one.code for one in demo.county.units if one.parent == account.home}
    mine = [row for unit, row in demo.rows("posts", YEAR) if unit in units]
    printed = demo.sums(totals_page(office, "posts", NAME))
    assert int(printed["exchanged_out"]) == sum(int(str(row["exchanged_out"])) for row in mine)
    whole = demo.sums(totals_page(own, "posts", NAME))
    assert int(printed["approved"].replace(",", "")) < int(whole["approved"].replace(",", ""))


def test_m14_recruits_are_in_the_file_too(demo: Demo) -> None:
    office = demo.office("department")
    rows = office.csv("posts", period=office.period("posts", NAME))
    assert sum(int(row["本学年招聘"]) for row in rows) == int(
        demo.sums(totals_page(office, "posts", NAME))["recruited"]
    )
