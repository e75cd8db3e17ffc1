"""P01, P02 as far as the tree goes: adding, renaming, moving on a day; codes; stale previews."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bureau.world import START, World
from jiaoheng.bureau.core.actions_units import do_add_unit, do_change_facts, do_move_unit, do_rename_unit
from jiaoheng.bureau.core.models import AuditEntry, UnitEdge, UnitPath, UnitSuccession
from jiaoheng.bureau.core.refusals import ConflictError, ForbiddenError, NotFoundError, RefusedError
from jiaoheng.bureau.core.tree import lines_at, names_at
from jiaoheng.bureau.core.tree_writing import Seed, rebuild_paths
from jiaoheng.bureau.core.unit_codes import code_fault
from jiaoheng.bureau.core.unit_preview import preview_move

DAY = dt.date(2025, 9, 1)
EVE = dt.date(2025, 8, 31)
WHY = "县政府批复"


def test_p01_a_moved_school_stands_under_one_district_on_each_day(world: World, noon: object) -> None:
    school, east, west = world["甲"], world["东"], world["西"]
    do_move_unit(school, west, acting_user=world["管理员"], day=DAY, reason=WHY, document="青政发〔2025〕8号")
    assert lines_at([school.pk], EVE)[school.pk].district_id == east.pk
    assert lines_at([school.pk], DAY)[school.pk].district_id == west.pk
    room = world["甲101"]
    assert lines_at([room.pk], EVE)[room.pk].district_id == east.pk
    assert lines_at([room.pk], DAY)[room.pk].district_id == west.pk
    assert lines_at([room.pk], DAY)[room.pk].county_id == world["县"].pk
    entry = AuditEntry.objects.order_by("-number")[0]
    assert entry.changes[0]["new"] == "东镇甲小学：东镇学区 → 西镇学区，自 2025-09-01 起"
    assert entry.reason == WHY
    row = UnitSuccession.objects.get(kind="move")
    assert (row.unit, row.before, row.after, row.happened_on) == (school, east, west, DAY)


def test_a_back_dated_move_ends_where_the_next_one_begins(world: World, noon: object) -> None:
    school, east, west = world["甲"], world["东"], world["西"]
    do_move_unit(school, west, acting_user=None, day=DAY, reason=WHY)
    do_move_unit(school, world["县"], acting_user=None, day=dt.date(2023, 9, 1), reason=WHY)
    edges = UnitEdge.objects.filter(unit=school).order_by("starts_on").values_list("parent", "starts_on", "ends_on")
    assert list(edges) == [
        (east.pk, START, dt.date(2023, 9, 1)),
        (world["县"].pk, dt.date(2023, 9, 1), DAY),
        (west.pk, DAY, None),
    ]
    assert lines_at([school.pk], EVE)[school.pk].district_id is None


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["甲", "乙", "甲101"]),
            st.sampled_from(["东", "西", "县", "乙", "丙"]),
            st.integers(1, 1500),
        ),
        max_size=6,
    )
)
@pytest.mark.django_db
def test_the_closure_says_what_the_edges_say(world: World, noon: object, moves: list[tuple[str, str, int]]) -> None:
    """On every day the ancestors by the closure are those one gets by walking the edges up."""
    for name, parent, offset in moves:
        try:
            do_move_unit(
                world[name], world[parent], acting_user=None, day=START + dt.timedelta(days=offset), reason=WHY
            )
        except RefusedError:
            continue
    edges = list(UnitEdge.objects.all())
    days = {START, dt.date(2026, 1, 1)} | {edge.starts_on for edge in edges} | {dt.date(2024, 12, 31)}
    for name in ("甲", "乙", "甲101", "甲102"):
        unit = world[name]
        for day in days:
            walked, at = {unit.pk}, unit.pk
            while above := [
                e for e in edges if e.unit_id == at and e.starts_on <= day and (not e.ends_on or day < e.ends_on)
            ]:
                assert len(above) == 1
                at = above[0].parent_id
                walked.add(at)
            paths = [
                p
                for p in UnitPath.objects.filter(unit=unit)
                if p.starts_on <= day and (not p.ends_on or day < p.ends_on)
            ]
            assert sorted(p.ancestor_id for p in paths) == sorted(walked)


def test_rebuilding_changes_nothing_that_is_right(world: World) -> None:
    columns = ("unit", "ancestor", "depth", "starts_on", "ends_on")
    before = sorted(UnitPath.objects.values_list(*columns), key=str)
    rebuild_paths([world["县"].pk])
    assert sorted(UnitPath.objects.values_list(*columns), key=str) == before


def test_a_rename_leaves_last_years_name(world: World, noon: object) -> None:
    do_rename_unit(world["甲"], "青槐县第一小学", acting_user=world["管理员"], day=DAY, reason=WHY)
    assert names_at([world["甲"].pk], EVE)[world["甲"].pk] == "东镇甲小学"
    assert names_at([world["甲"].pk], DAY)[world["甲"].pk] == "青槐县第一小学"
    do_change_facts(world["甲"], acting_user=None, day=DAY, reason=WHY, locality="1")
    assert names_at([world["甲"].pk], DAY)[world["甲"].pk] == "青槐县第一小学"
    with pytest.raises(RefusedError, match="没有要变更的内容"):
        do_change_facts(world["甲"], acting_user=None, day=DAY, reason=WHY, locality="1")
    with pytest.raises(RefusedError, match="标识码 2199000001 作废"):
        do_change_facts(world["甲"], acting_user=None, day=DAY, reason=WHY, kind="312")


def test_a_stale_preview_is_refused(world: World, noon: object) -> None:
    school, west = world["甲"], world["西"]
    shown = preview_move(school, west, DAY)
    assert shown.changes[0] == "东镇甲小学：东镇学区 → 西镇学区，自 2025-09-01 起"
    do_rename_unit(school, "青槐县第一小学", acting_user=None, day=DAY, reason=WHY)
    with pytest.raises(ConflictError, match="再核对一次") as caught:
        do_move_unit(school, west, acting_user=None, day=DAY, reason=WHY, basis=shown.basis)
    again = caught.value.detail["preview"]
    do_move_unit(school, west, acting_user=None, day=DAY, reason=WHY, basis=again.basis)
    assert lines_at([school.pk], DAY)[school.pk].district_id == west.pk


@pytest.mark.parametrize(
    ("unit", "parent", "day", "says"),
    [
        ("甲", "东", DAY, "已隶属东镇学区"),
        ("甲", "乙", DAY, "上级应是学区或县"),
        ("甲101", "西", DAY, "上级应是学校"),
        ("甲", "西", dt.date(2019, 1, 1), "自 2020-09-01 起才设立"),
    ],
)
def test_moves_that_are_refused(world: World, unit: str, parent: str, day: dt.date, says: str) -> None:
    with pytest.raises(RefusedError, match=says):
        do_move_unit(world[unit], world[parent], acting_user=None, day=day, reason=WHY)


def test_reason_and_right(world: World, noon: object) -> None:
    with pytest.raises(RefusedError, match="事由"):
        do_move_unit(world["甲"], world["西"], acting_user=world["管理员"], day=DAY, reason=" ")
    with pytest.raises(ForbiddenError):
        do_move_unit(world["甲"], world["西"], acting_user=world["局长"], day=DAY, reason=WHY)
    with pytest.raises(NotFoundError):
        do_move_unit(world["甲"], world["西"], acting_user=world["丙填报"], day=DAY, reason=WHY)


@pytest.mark.parametrize(
    ("level", "code", "kind", "says"),
    [
        ("school", "21990000", "211", "应为 10 位数字，现为 8 位"),
        ("school", "9999000011", "", "不是学校类别"),
        ("school", "3199000011", "211", "应以 21（小学）开头"),
        ("school", "2199000011", "211", None),
        ("district", "T 09", "", "字母或连字符"),
        ("class", "2199000001-101", "", None),
    ],
)
def test_codes(level: str, code: str, kind: str, says: str | None) -> None:
    fault = code_fault(level, code, kind)
    assert fault is None if says is None else says in (fault or "")


def test_adding_and_a_code_that_was_given(world: World, noon: object) -> None:
    seed = Seed("2199000011", "school", "东镇新小学", "T01", DAY, kind="211")
    made = do_add_unit(seed, acting_user=world["管理员"], reason=WHY)
    assert lines_at([made.pk], DAY)[made.pk].district_id == world["东"].pk
    with pytest.raises(RefusedError, match="代码 2199000011 属于东镇新小学"):
        do_add_unit(seed, acting_user=world["管理员"], reason=WHY)
    with pytest.raises(RefusedError, match="没有代码为“T99”的上级"):
        do_add_unit(Seed("2199000012", "school", "新", "T99", DAY), acting_user=None, reason=WHY)
