"""Notices, their receivers, who can see a unit, and stand-ins."""

from __future__ import annotations

import datetime as dt

import pytest

from bureau.world import START, World
from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.actions_accounts import do_close_account
from jiaoheng.bureau.core.actions_deputies import do_end_deputy, do_set_deputy
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.deputies import candidates
from jiaoheng.bureau.core.models import Account, AuditEntry, Membership, Notice
from jiaoheng.bureau.core.notices import mark_seen, notify, receivers_of, recent, unseen
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import line_at
from jiaoheng.bureau.core.who_can_see import who_can_see


def colleague(world: World, name: str, role: str, unit: str) -> Account:
    account = Account.objects.create(username=f"x-{name}", name=name, home=world[unit], created_at=clock.now())
    Membership.objects.create(account=account, role=role, unit=world[unit], starts_on=START)
    return account


def names(accounts: list[Account]) -> list[str]:
    return [account.name for account in accounts]


def test_a_notice_with_a_key_is_told_once_however_often_it_runs(world: World, noon: dt.datetime) -> None:
    both = [world["甲填报"], world["甲校长"]]
    for _ in range(96):
        notify(both, "学校办学条件 还有 3 天截止", link="/rounds/1/", mood="look", key="round-1-step-3")
    notify([world["甲填报"].pk, world["甲填报"]], "两处被退回", mood="back")
    lines = unseen(world["甲填报"])
    assert [(line.title, line.mood) for line in lines] == [
        ("两处被退回", "back"),
        ("学校办学条件 还有 3 天截止", "look"),
    ]
    assert lines[0].at == noon
    assert len(unseen(world["甲校长"])) == 1
    assert AuditEntry.objects.count() == 0


def test_putting_away_leaves_the_lines_of_others(world: World) -> None:
    notify([world["甲填报"], world["甲校长"]], "一")
    notify([world["甲填报"]], "二", key="k")
    foreign = unseen(world["甲校长"])[0].id
    first = unseen(world["甲填报"])[0].id
    assert mark_seen(world["甲填报"], [first, foreign]) == 1
    assert [line.title for line in unseen(world["甲填报"])] == ["一"]
    assert mark_seen(world["甲填报"]) == 1
    assert len(recent(world["甲填报"])) == 2
    assert len(unseen(world["甲校长"])) == 1
    notify([world["甲填报"]], "二", key="k")  # told before: stays away
    assert unseen(world["甲填报"]) == []
    assert Notice.objects.count() == 3


@pytest.mark.parametrize(
    ("unit", "what", "expected"),
    [
        ("甲", "clerk", ["甲填报"]),
        ("甲", Can.FILL, ["甲校长", "甲填报"]),
        ("甲101", Can.FILL, ["甲班主任"]),
        ("甲", Can.READ, ["甲校长", "甲填报"]),
        ("东", Can.APPROVE_DISTRICT, ["东学区"]),
        ("县", Can.APPROVE_COUNTY, ["股长"]),
        ("县", Can.ACCOUNTS, ["管理员"]),
        ("县", "leader", ["局长"]),
        ("乙", "principal", []),
    ],
)
def test_who_is_addressed_for_a_unit(world: World, unit: str, what: Can | str, expected: list[str]) -> None:
    assert names(receivers_of(world[unit], what)) == expected


def test_a_closed_account_and_an_ended_role_receive_nothing(world: World, noon: dt.datetime) -> None:
    do_close_account(world["甲填报"], acting_user=None, reason="调离")
    Membership.objects.filter(account=world["乙填报"]).update(ends_on=dt.date(2025, 9, 15))
    assert receivers_of(world["甲"], "clerk") == receivers_of(world["乙"], "clerk") == []
    assert names(receivers_of(world["乙"], "clerk", dt.date(2025, 9, 14))) == ["乙填报"]


def test_who_can_see_names_the_membership_that_lets_in(world: World, noon: dt.datetime) -> None:
    seen = {one.name: (one.role, one.where) for one in who_can_see(world["甲"])}
    assert seen == {
        "局长": ("局领导", "青槐县"), "管理员": ("管理员", "青槐县"), "股长": ("股室", "基础教育股"), "督学": ("督学", "基础教育股"),
        "东学区": ("学区", "东镇学区"), "乡镇": ("乡镇", "东镇学区"), "甲校长": ("校长", "东镇甲小学"),
        "甲填报": ("学校填报员", "东镇甲小学"), "甲教师": ("教师", "东镇甲小学"),
    }  # fmt: skip
    assert "甲教师" not in {one.name for one in who_can_see(world["甲"], "pupils")}
    assert "甲教师" in {one.name for one in who_can_see(world["甲"], "activities")}
    assert "甲班主任" in {one.name for one in who_can_see(world["甲101"])}
    principal = next(one for one in who_can_see(world["甲"]) if one.name == "甲校长")
    assert principal.can == ("查看", "填报", "管理账号", "查看证件号", "操作记录")


def test_who_can_see_agrees_with_the_scope(world: World) -> None:
    for unit in world.units.values():
        for register in (None, "pupils", "activities"):
            told = {one.account_id for one in who_can_see(unit, register, START) if register or not one.registers}
            line = line_at(unit, START)
            is_open = {
                account.pk
                for account in Account.objects.all()
                if scope_of(account, Can.READ, START).covers(line, register)
            }
            assert told == is_open, (unit.code, register)


def test_a_stand_in_has_the_rights_for_these_days_only(world: World, noon: dt.datetime) -> None:
    zhang, li = world["甲校长"], colleague(world, "李", "teacher", "甲")
    line = line_at(world["甲"], START)
    made = do_set_deputy(li, dt.date(2025, 9, 16), dt.date(2025, 9, 18), acting_user=zhang, reason="外出培训")
    assert [(one.role, one.ends_on, one.deputy_of) for one in made] == [("principal", dt.date(2025, 9, 19), zhang)]
    for day, may in ((15, False), (16, True), (18, True), (19, False)):
        assert scope_of(li, Can.FILL, dt.date(2025, 9, day)).covers(line) is may
    seer = next(one for one in who_can_see(world["甲"], day=dt.date(2025, 9, 17)) if one.stands_in_for)
    assert (seer.name, seer.role, seer.stands_in_for, seer.until) == ("李", "校长", "甲校长", dt.date(2025, 9, 19))


def test_the_name_under_an_action_tells_whose_right_it_is(world: World, noon: dt.datetime) -> None:
    zhang, li = world["甲校长"], colleague(world, "李", "class_teacher", "甲102")
    li.home = world["甲"]
    li.save()
    do_set_deputy(li, dt.date(2025, 9, 15), dt.date(2025, 9, 15), acting_user=zhang)

    def signed(unit: str | None) -> str:
        audit.note("record.change", actor=li, unit_id=world[unit].pk if unit else None)
        return str(AuditEntry.objects.order_by("-number")[0].actor_name)

    assert signed("甲") == signed("甲101") == "李（代甲校长）"
    assert signed("甲102") == signed(None) == signed("乙") == "李（东镇甲小学）"
    with clock.at(noon + dt.timedelta(days=1)):
        assert signed("甲") == "李（东镇甲小学）"


def test_rights_of_a_stand_in_are_not_passed_on(world: World, noon: dt.datetime) -> None:
    zhang, li, wu = world["甲校长"], colleague(world, "李", "teacher", "甲"), colleague(world, "吴", "clerk", "甲")
    today = dt.date(2025, 9, 15)
    do_set_deputy(li, today, today, acting_user=zhang)
    made = do_set_deputy(wu, today, today, acting_user=li)
    assert [one.role for one in made] == ["teacher"]
    assert do_end_deputy(li, acting_user=zhang) == 1
    assert not scope_of(li, Can.FILL)
    with pytest.raises(RefusedError, match="没有代您办理"):
        do_end_deputy(li, acting_user=zhang)


def test_whom_and_when_a_stand_in_may_be(world: World, noon: dt.datetime) -> None:
    zhang, today = world["甲校长"], dt.date(2025, 9, 15)
    assert {one.name for one in candidates(zhang)} == {"甲填报", "甲教师"}
    assert "甲校长" not in {one.name for one in candidates(world["局长"])}
    for deputy, start, last, told in (
        ("乙填报", today, today, "只能委托本单位在用的账号"),
        ("甲教师", today, dt.date(2025, 9, 14), "早于开始日"),
        ("甲教师", dt.date(2025, 9, 1), dt.date(2025, 9, 2), "已过"),
        ("甲教师", today, dt.date(2025, 12, 14), "委托最长 90 天"),
    ):
        with pytest.raises(RefusedError, match=told):
            do_set_deputy(world[deputy], start, last, acting_user=zhang)
    do_set_deputy(world["甲教师"], today, today, acting_user=zhang)
    with pytest.raises(RefusedError, match="已有您的全部角色"):
        do_set_deputy(world["甲教师"], today, today, acting_user=zhang)


def test_closing_an_account_ends_its_stand_ins(world: World, noon: dt.datetime) -> None:
    do_set_deputy(world["甲教师"], dt.date(2025, 9, 10), dt.date(2025, 9, 20), acting_user=world["甲校长"])
    assert scope_of(world["甲教师"], Can.FILL)
    do_close_account(world["甲校长"], acting_user=None, reason="退休")
    assert not scope_of(world["甲教师"], Can.FILL)
