"""M01 一校一册: the tree with its dated changes, and a school's page with all its facts."""  # noqa: N999

from __future__ import annotations

import datetime as dt
import re

import pytest

from scenarios.conftest import Demo, plain, served

SCHOOL = "桐岭镇桐花小学"


def standing(demo: Demo, period: tuple[str, str], school: str) -> list[dict[str, object]]:
    """The classes of a school in a term."""
    return [row for unit, row in demo.rows("classes", period) if unit == demo.county.by_name[school].code]


def test_m01_a_schools_page_says_its_classes_and_pupils(demo: Demo) -> None:
    classes = standing(demo, ("term", "2026-1"), SCHOOL)
    pupils = sum(int(str(row["total"])) for row in classes)
    page = plain(demo.office("department").text(demo.office("department").unit(SCHOOL)))
    assert f"班数 {len(classes)} 个" in page
    assert f"在校生 {pupils} 名" in page
    for row in classes:
        assert re.search(rf"{re.escape(str(row['class_name']))} {row['total']}\b", page), row["class_name"]


def test_m01_the_tree_has_every_unit_of_the_day(demo: Demo) -> None:
    office, today = demo.office("leader"), demo.county.now.date()
    listed = plain(office.text("/units/"))
    for one in demo.county.units:
        if one.level == "school" and one.open_on(today):
            assert one.name in listed
        elif one.level == "school":
            assert not re.search(rf" {one.name} ", listed), f"{one.name} has ended"


def test_m01_a_moved_school_stands_under_one_district_on_each_day(demo: Demo) -> None:
    office = demo.office("leader")
    move = next(one for one in demo.county.events if one.kind == "move")
    names = demo.county.by_code
    school = names[move.unit].name
    for day, code in ((move.happened_on - dt.timedelta(days=1), move.before), (move.happened_on, move.after)):
        page = plain(office.text(f"{office.unit(school)}?as_of={day.isoformat()}"))
        other = move.after if code == move.before else move.before
        head = page[: page.index("数据截至")] if "数据截至" in page else page[:600]
        assert names[code].name in head
        assert names[other].name not in head


def test_m01_merged_and_closed_schools_say_so(demo: Demo) -> None:
    office = demo.office("leader")
    for event in (one for one in demo.county.events if one.kind in ("merge", "close")):
        page = plain(office.text(office.unit(demo.county.by_code[event.unit].name)))
        assert f"{event.happened_on:%Y-%m-%d}" in page
        assert ("并入" if event.kind == "merge" else "撤销") in page


@pytest.mark.slow
def test_the_whole_county_has_the_figures_of_the_speeches(tmp_path_factory: pytest.TempPathFactory) -> None:
    """M01 114 schools, 9 + 2 = 11 classes, 349 + 28 = 377 pupils; M14 59; M22 5,544 of 69.8 %; M32 95 %; M38 1,300."""
    from scenarios.conftest import totals_page

    with served(tmp_path_factory.mktemp("whole") / "data", 1.0) as demo:
        office = demo.office("department")
        assert sum(one.level == "school" and one.open_on(demo.county.now.date()) for one in demo.county.units) == 114
        assert "114 所" in plain(office.text("/units/"))
        page = plain(office.text(office.unit(SCHOOL)))
        assert "班数 11 个" in page
        assert "在校生 377 名" in page
        assert demo.sums(totals_page(office, "posts", "2026—2027 学年"))["exchanged_out"] == "59"
        children = _number(demo.sums(totals_page(office, "preschool", "2026—2027 学年"))["children"])
        population = _number(demo.sums(totals_page(office, "preschool_population", "2026—2027 学年"))["total"])
        assert (children, round(100 * children / population, 1)) == (5544, 69.8)
        share = demo.shares("five_standards", totals_page(office, "party_branches", "2026—2027 学年"))["是"][1]
        assert round(float(share.removesuffix(" %"))) == 95
        assert office.count(f"/ledgers/publicity/?period={office.period('publicity', '2025—2026 学年')}") == 1300


def _number(shown: str) -> int:
    """A total as the page shows it, with its commas."""
    return int(shown.replace(",", ""))
