"""P01, P02: what a unit's page and its history say."""

from __future__ import annotations

import datetime as dt

from bureau.world import START, World
from jiaoheng.bureau.core.actions_units import do_move_unit, do_rename_unit
from jiaoheng.bureau.core.actions_units_ends import do_close_unit, do_merge_unit, do_split_unit
from jiaoheng.bureau.core.models import Unit
from jiaoheng.bureau.core.tree_writing import Seed
from jiaoheng.bureau.core.unit_history import history_of
from jiaoheng.bureau.core.unit_page import unit_page

DAY = dt.date(2025, 9, 1)
WHY = "县政府批复"


def fresh(world: World, name: str) -> Unit:
    return Unit.objects.get(pk=world[name].pk)


def test_p01_history_says_names_of_that_day(world: World, noon: object) -> None:
    do_move_unit(world["甲"], world["西"], acting_user=None, day=DAY, reason=WHY, document="青政发〔2025〕8号")
    do_rename_unit(world["西"], "城西学区", acting_user=None, day=dt.date(2025, 9, 10), reason="更名")
    do_rename_unit(world["甲"], "城西小学", acting_user=None, day=dt.date(2025, 9, 10), reason="更名")
    events = history_of(world["甲"])
    assert [(one.day, one.sentence) for one in events] == [
        (dt.date(2025, 9, 10), "名称：东镇甲小学 → 城西小学"),
        (DAY, "东镇学区 → 西镇学区"),
        (START, "设立东镇甲小学，代码 2199000001，隶属东镇学区"),
    ]
    assert (events[1].reason, events[1].document) == (WHY, "青政发〔2025〕8号")
    assert [one.day for one in history_of(world["甲"], until=dt.date(2025, 8, 31))] == [START]


def test_p02_the_page_of_a_merged_unit_says_where_it_went(world: World, noon: object) -> None:
    do_merge_unit(world["乙"], world["甲"], acting_user=None, day=DAY, reason=WHY)
    page = unit_page(fresh(world, "乙"))
    assert page.ended == "已并入东镇甲小学 2025-09-01"
    assert page.successor_id == world["甲"].pk
    assert not page.stands
    assert [one.name for one in page.crumbs] == ["青槐县", "东镇学区", "东镇乙小学"]
    assert page.history[0].sentence == "并入东镇甲小学"
    other = unit_page(fresh(world, "甲"))
    assert other.came_in == ("东镇乙小学 2025-09-01 并入",)
    assert other.history[0].sentence == "东镇乙小学并入"
    assert unit_page(fresh(world, "乙"), dt.date(2025, 8, 31)).ended == ""


def test_page_of_a_district_counts_what_is_below(world: World, noon: object) -> None:
    page = unit_page(world["东"], words={"kind": {"211": "小学"}})
    assert [(one.name, one.kind, one.counts) for one in page.children] == [
        ("东镇甲小学", "小学", "2 个班"),
        ("东镇乙小学", "小学", ""),
    ]
    assert page.counts == (("school", "2 所学校"), ("class", "2 个班"))
    assert page.facts == (("乡镇", "东镇"),)
    county = unit_page(world["县"])
    assert [one.level for one in county.children] == ["department", "district", "district", "school"]
    assert ("school", "4 所学校") in county.counts


def test_split_and_closure_are_told_from_both_sides(world: World, noon: object) -> None:
    seed = Seed("2199000021", "school", "东镇丁小学", "T01", DAY, kind="211")
    made = do_split_unit(world["甲"], seed, [world["甲102"]], acting_user=None, reason="分校")
    assert history_of(made)[0].sentence == "由东镇甲小学分出"
    assert history_of(world["甲"])[0].sentence == "分出东镇丁小学"
    assert history_of(world["甲102"])[0].sentence == "东镇甲小学 → 东镇丁小学"
    do_close_unit(world["丙"], acting_user=None, day=DAY, reason="生源不足")
    assert unit_page(fresh(world, "丙")).ended == "已撤销 2025-09-01"


def test_children_of_a_merged_school_say_so(world: World, noon: object) -> None:
    do_merge_unit(world["甲"], world["丙"], acting_user=None, day=DAY, reason=WHY)
    event = history_of(world["甲101"])[0]
    assert (event.sentence, event.reason) == ("东镇甲小学 → 西镇丙小学（随原上级并入）", WHY)
