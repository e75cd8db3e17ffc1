"""P02: merge, split and close; nothing that hung on the unit is lost."""

from __future__ import annotations

import datetime as dt

import pytest

from bureau.world import START, World
from jiaoheng.bureau.core import clock, hanging
from jiaoheng.bureau.core.actions_units import do_add_unit, do_rename_unit
from jiaoheng.bureau.core.actions_units_ends import (
    do_close_unit,
    do_merge_unit,
    do_reopen_unit,
    do_split_unit,
    turn_day,
)
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.hanging import Ending, Hanger, Hanging
from jiaoheng.bureau.core.models import Account, Membership, Unit, UnitSuccession
from jiaoheng.bureau.core.refusals import ConflictError, RefusedError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.search import index_units, search
from jiaoheng.bureau.core.tree import descendants_at, lines_at
from jiaoheng.bureau.core.tree_writing import Seed
from jiaoheng.bureau.core.unit_preview import preview_close, preview_merge

DAY = dt.date(2025, 9, 1)
EVE = dt.date(2025, 8, 31)
WHY = "县政府批复并校"


def staff(world: World, unit: str, count: int) -> list[Account]:
    made = []
    for number in range(count):
        account = Account.objects.create(
            username=f"{unit}{number}", name=f"职员{number}", home=world[unit], created_at=clock.now()
        )
        Membership.objects.create(account=account, role="teacher", unit=world[unit], starts_on=START)
        made.append(account)
    return made


def test_p02_preview_counts_people_and_they_wait_at_the_county(world: World, noon: object) -> None:
    staff(world, "乙", 2)
    shown = preview_merge(world["乙"], world["甲"], DAY)
    people = next(one for one in shown.hanging if one.key == "accounts")
    assert people.count == 3
    assert "青槐县" in people.goes
    counts = do_merge_unit(
        world["乙"], world["甲"], acting_user=world["管理员"], day=DAY, reason=WHY, basis=shown.basis
    )
    assert counts["accounts"] == 3
    clerk = Account.objects.get(pk=world["乙填报"].pk)
    assert clerk.home == world["县"]
    assert clerk.is_active
    assert not scope_of(clerk, Can.READ)
    assert Membership.objects.filter(account=clerk).count() == 1


def test_p02_the_merged_unit_ends_and_its_code_stays_used(world: World, noon: object) -> None:
    do_merge_unit(world["乙"], world["甲"], acting_user=None, day=DAY, reason=WHY)
    unit = Unit.objects.get(pk=world["乙"].pk)
    assert unit.ends_on == DAY
    assert unit.pk in lines_at([unit.pk], EVE)
    assert unit.pk not in lines_at([unit.pk], DAY)
    assert not descendants_at(world["县"].pk, DAY).filter(pk=unit.pk).exists()
    with pytest.raises(RefusedError, match=r"属于东镇乙小学（2025-09-01 撤并）"):
        do_add_unit(Seed(unit.code, "school", "新校", "T01", DAY), acting_user=None, reason=WHY)
    row = UnitSuccession.objects.get(kind="merge")
    assert (row.unit, row.other, row.happened_on) == (unit, world["甲"], DAY)


def test_p02_classes_go_along_on_the_day(world: World, noon: object) -> None:
    do_merge_unit(world["甲"], world["丙"], acting_user=None, day=DAY, reason=WHY)
    room = world["甲101"].pk
    before, after = lines_at([room], EVE)[room], lines_at([room], DAY)[room]
    assert (before.school_id, before.district_id) == (world["甲"].pk, world["东"].pk)
    assert (after.school_id, after.district_id) == (world["丙"].pk, world["西"].pk)


def test_p02_refusals_name_the_unit(world: World, noon: object) -> None:
    with pytest.raises(RefusedError, match="东镇甲小学不能并入东镇甲小学自己"):
        preview_merge(world["甲"], world["甲"], DAY)
    do_merge_unit(world["乙"], world["甲"], acting_user=None, day=DAY, reason=WHY)
    ended = Unit.objects.get(pk=world["乙"].pk)
    with pytest.raises(RefusedError, match="接收单位东镇乙小学已于 2025-09-01 撤并"):
        do_merge_unit(world["丙"], ended, acting_user=None, day=dt.date(2025, 9, 10), reason=WHY)
    with pytest.raises(RefusedError, match="东镇乙小学已于 2025-09-01 撤并"):
        do_merge_unit(ended, world["甲"], acting_user=None, day=dt.date(2025, 9, 10), reason=WHY)
    with pytest.raises(RefusedError, match="同一层级"):
        preview_merge(world["丙"], world["东"], DAY)


def test_a_merge_of_a_later_day_is_carried_out_on_that_day(world: World, noon: object) -> None:
    later = dt.date(2025, 10, 1)
    do_merge_unit(world["乙"], world["甲"], acting_user=None, day=later, reason=WHY)
    clerk = Account.objects.get(pk=world["乙填报"].pk)
    assert clerk.home == world["乙"]
    assert scope_of(clerk, Can.FILL)
    with clock.at(clock.beijing(2025, 10, 1, 1)):
        assert not scope_of(clerk, Can.FILL)
        assert turn_day(later) == 1
        turn_day(later)
        assert Account.objects.get(pk=clerk.pk).home == world["县"]
    assert turn_day(dt.date(2026, 1, 1)) == 0


def test_districts_merge_with_their_schools(world: World, noon: object) -> None:
    do_merge_unit(world["东"], world["西"], acting_user=None, day=DAY, reason="学区合并")
    schools = descendants_at(world["西"].pk, DAY, "school")
    assert {one.pk for one in schools} == {world[name].pk for name in ("甲", "乙", "丙")}
    assert {one.pk for one in descendants_at(world["东"].pk, EVE, "school")} == {world["甲"].pk, world["乙"].pk}
    assert Account.objects.get(pk=world["甲填报"].pk).home == world["甲"]


def test_a_split_takes_classes_along(world: World, noon: object) -> None:
    seed = Seed("2199000021", "school", "东镇丁小学", "T01", DAY, kind="211")
    made = do_split_unit(world["甲"], seed, [world["甲102"]], acting_user=world["管理员"], reason="分校")
    room, other = world["甲102"].pk, world["甲101"].pk
    assert lines_at([room], DAY)[room].school_id == made.pk
    assert lines_at([room], EVE)[room].school_id == world["甲"].pk
    assert lines_at([other], DAY)[other].school_id == world["甲"].pk
    with pytest.raises(RefusedError, match="不属于东镇乙小学"):
        do_split_unit(
            world["乙"],
            Seed("2199000022", "school", "戊", "T01", DAY),
            [world["甲101"]],
            acting_user=None,
            reason="分校",
        )


def test_closing_and_taking_it_back(world: World, noon: object) -> None:
    shown = preview_close(world["甲"], DAY)
    assert "2 个班级同日撤销：一（1）班、一（2）班" in shown.changes
    do_close_unit(world["甲"], acting_user=world["管理员"], day=DAY, reason="生源不足", basis=shown.basis)
    assert not lines_at([world["甲"].pk, world["甲101"].pk], DAY)
    assert not scope_of(world["甲班主任"], Can.READ)
    with pytest.raises(RefusedError, match="仍有 1 个下属单位：西镇丙小学"):
        do_close_unit(world["西"], acting_user=None, day=DAY, reason="撤并")
    unit = Unit.objects.get(pk=world["甲"].pk)
    do_reopen_unit(unit, acting_user=world["管理员"], reason="暂缓撤销")
    assert lines_at([unit.pk], DAY)[unit.pk].district_id == world["东"].pk
    with pytest.raises(RefusedError, match="没有被撤销"):
        do_reopen_unit(unit, acting_user=None, reason="再来")


def test_a_unit_in_an_old_object_is_read_anew(world: World, noon: object) -> None:
    do_merge_unit(Unit.objects.get(pk=world["乙"].pk), world["甲"], acting_user=None, day=DAY, reason=WHY)
    with pytest.raises(RefusedError, match="东镇乙小学已于 2025-09-01 撤并"):
        do_merge_unit(world["乙"], world["甲"], acting_user=None, day=dt.date(2025, 9, 10), reason=WHY)


def test_people_who_wait_are_found_at_the_county(world: World, noon: object) -> None:
    do_merge_unit(world["乙"], world["甲"], acting_user=None, day=DAY, reason=WHY)
    hit = search(world["管理员"], "乙填报")[0].hits[0]
    assert hit.where == "青槐县"
    assert not search(world["东学区"], "乙填报")


def test_a_rename_of_a_later_day_is_found_on_that_day(world: World, noon: object) -> None:
    index_units(Unit.objects.all())
    later = dt.date(2025, 10, 1)
    do_rename_unit(world["东"], "城东学区", acting_user=None, day=later, reason="更名")
    assert search(world["局长"], "东镇甲")[0].hits[0].where == "东镇学区"
    with clock.at(clock.beijing(2025, 10, 1, 1)):
        turn_day(later)
        assert search(world["局长"], "东镇甲")[0].hits[0].where == "城东学区"
        assert search(world["局长"], "东镇学区")[0].hits[0].name == "城东学区"


def test_p02_another_apps_cases_are_counted_and_moved(
    world: World, noon: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the cases of a later app do: they stand in the preview, in its basis, and move with the confirmation."""
    owners = {"食堂燃气": world["乙"], "围墙": world["乙"], "操场": world["丙"]}

    def look(ending: Ending) -> Hanging | None:
        mine = tuple(name for name, unit in owners.items() if unit == ending.unit)
        return Hanging("cases", "件在办事项", len(mine), "转到接收单位", mine, str(mine)) if mine else None

    def move(ending: Ending, actor: Account | None) -> int:
        mine = [name for name, unit in owners.items() if unit == ending.unit and ending.receiver is not None]
        owners.update(dict.fromkeys(mine, ending.receiver))
        return len(mine)

    monkeypatch.setattr(hanging, "HANGING", [*hanging.HANGING, Hanger("cases", look, move)])
    shown = preview_merge(world["乙"], world["甲"], DAY)
    assert "2 件在办事项：转到接收单位" in [one.sentence for one in shown.hanging]
    owners["厕所"] = world["乙"]
    with pytest.raises(ConflictError, match="再核对一次"):
        do_merge_unit(world["乙"], world["甲"], acting_user=None, day=DAY, reason=WHY, basis=shown.basis)
    assert do_merge_unit(world["乙"], world["甲"], acting_user=None, day=DAY, reason=WHY)["cases"] == 3
    assert [unit == world["甲"] for unit in owners.values()] == [True, True, False, True]


def test_p03_choosers_hold_the_units_of_the_day(world: World, noon: object) -> None:
    do_close_unit(world["乙"], acting_user=None, day=DAY, reason=WHY)
    new = do_add_unit(
        Seed("2199000031", "school", "东镇新小学", "T01", dt.date(2026, 3, 1), kind="211"), acting_user=None, reason=WHY
    )
    do_close_unit(world["丙"], acting_user=None, day=dt.date(2025, 10, 20), reason=WHY)
    scope = scope_of(world["局长"], Can.READ)

    def offered(day: dt.date) -> set[int]:
        return set(scope.units(day, "school").values_list("pk", flat=True))

    first, second, third, direct = (world[name].pk for name in ("甲", "乙", "丙", "直"))
    assert offered(EVE) == {first, second, third, direct}
    assert offered(dt.date(2025, 10, 1)) == {first, third, direct}
    assert offered(dt.date(2025, 10, 20)) == {first, direct}
    assert offered(dt.date(2026, 3, 1)) == {first, direct, new.pk}
