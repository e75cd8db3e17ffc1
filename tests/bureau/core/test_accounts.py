"""Accounts one by one: making, closing, passwords, unlocking; and what nobody may do to somebody stronger."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import openpyxl
import pytest

from bureau.world import PASSWORD, World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.account_names import initials
from jiaoheng.bureau.core.actions_accounts import (
    do_add_account,
    do_change_own_password,
    do_close_account,
    do_reopen_account,
    do_reset_password,
    do_set_admin,
    do_unlock,
)
from jiaoheng.bureau.core.actions_accounts_roles import do_add_membership
from jiaoheng.bureau.core.models import Account, AuditEntry, Membership
from jiaoheng.bureau.core.passwords import slip_password
from jiaoheng.bureau.core.people import find_people
from jiaoheng.bureau.core.refusals import ForbiddenError, NotFoundError, RefusedError
from jiaoheng.bureau.core.slips import Slip, keep, take, write_slips


def newest() -> AuditEntry:
    return AuditEntry.objects.order_by("-number")[0]


def test_a_schools_first_clerk_signs_in_by_the_school_code(world: World, noon: dt.datetime) -> None:
    account, slip = do_add_account("赵敏", world["乙"], "clerk", acting_user=world["东学区"])
    assert account.username == slip.username == "2199000002"
    assert account.check_password(slip.password)
    assert account.must_change_password
    assert (slip.unit, slip.role) == ("东镇乙小学", "学校填报员")
    second, _ = do_add_account("钱敏", world["乙"], "clerk", acting_user=world["东学区"])
    assert second.username.startswith("qm")
    assert second.username[2:].isdigit()
    entry = newest()
    assert (entry.action, entry.object_name, entry.unit_id) == (
        "account.add",
        f"钱敏（{second.username}）",
        world["乙"].pk,
    )
    assert slip.password not in str(list(AuditEntry.objects.values()))


def test_the_same_person_gets_the_same_name_and_a_namesake_another(world: World) -> None:
    first, _ = do_add_account("王伟", world["甲"], "teacher", acting_user=None, phone="13900000001")
    other, _ = do_add_account("王伟", world["乙"], "teacher", acting_user=None, phone="13900000001")
    assert first.username[:2] == other.username[:2] == "ww"
    assert first.username != other.username
    name = first.username
    Membership.objects.filter(account=first).delete()
    first.delete()
    again, _ = do_add_account("王伟", world["甲"], "teacher", acting_user=None, phone="13900000001")
    assert again.username == name


@pytest.mark.parametrize(
    ("name", "letters"),
    [("王伟", "ww"), ("欧阳春花", "oych"), ("Ali Khan", "ak"), ("阿依古丽·买买提", "ayglmmt"), ("—", "u")],
)
def test_initials(name: str, letters: str) -> None:
    assert initials(name) == letters


def test_a_taken_user_name_and_an_empty_name_are_refused(world: World) -> None:
    with pytest.raises(RefusedError, match="账号“u001”已有人使用"):
        do_add_account("赵敏", world["乙"], "clerk", acting_user=None, username=" U001 ")
    with pytest.raises(RefusedError, match="姓名应为 1 到 40 个字"):
        do_add_account("　", world["乙"], "clerk", acting_user=None)


def test_accounts_are_made_inside_ones_own_reach_only(world: World) -> None:
    before = Account.objects.count()
    with pytest.raises(NotFoundError):
        do_add_account("赵敏", world["丙"], "clerk", acting_user=world["东学区"])
    with pytest.raises(ForbiddenError, match="权限超出"):
        do_add_account("赵敏", world["甲"], "principal", acting_user=world["甲填报"])
    with pytest.raises(NotFoundError):
        do_add_account("赵敏", world["甲"], "teacher", acting_user=world["甲教师"])
    assert Account.objects.count() == before


def test_closing_ends_roles_and_keeps_the_account(world: World, noon: dt.datetime) -> None:
    clerk = world["甲填报"]
    with pytest.raises(RefusedError, match="要写明原因"):
        do_close_account(clerk, acting_user=world["甲校长"], reason=" ")
    do_close_account(clerk, acting_user=world["甲校长"], reason="调离")
    clerk.refresh_from_db()
    assert not clerk.is_active
    assert [member.ends_on for member in Membership.objects.filter(account=clerk)] == [dt.date(2025, 9, 15)]
    entry = newest()
    assert entry.reason == "调离"
    assert entry.changes[0]["old"] == "东镇甲小学 学校填报员"
    with pytest.raises(RefusedError, match="已于 2025-09-15 停用"):
        do_close_account(clerk, acting_user=world["甲校长"], reason="调离")
    slip = do_reopen_account(clerk, acting_user=world["东学区"], reason="调回")
    clerk.refresh_from_db()
    assert clerk.is_active
    assert clerk.must_change_password
    assert clerk.check_password(slip.password)
    assert not Membership.objects.filter(account=clerk, ends_on__isnull=True).exists()


def test_nobody_closes_himself(world: World) -> None:
    with pytest.raises(RefusedError, match="不能停用自己的账号"):
        do_close_account(world["甲校长"], acting_user=world["甲校长"], reason="试")


@pytest.mark.parametrize("act", [do_reset_password, do_close_account])
def test_a_weaker_person_does_not_take_over_a_stronger_account(world: World, act: object) -> None:
    given = {"reason": "试"}
    with pytest.raises(ForbiddenError, match="甲校长是东镇甲小学的校长，权限超出您在这里的权限"):
        act(world["甲校长"], acting_user=world["甲填报"], **given)  # type: ignore[operator]
    do_set_admin(world["甲教师"], True, acting_user=None)
    with pytest.raises(ForbiddenError, match="系统管理员"):
        act(world["甲教师"], acting_user=world["甲校长"], **given)  # type: ignore[operator]
    assert world["甲校长"].check_password(PASSWORD)


def test_a_new_slip_replaces_the_password_and_is_told_once(world: World, noon: dt.datetime) -> None:
    clerk = world["甲填报"]
    slip = do_reset_password(clerk, acting_user=world["甲校长"])
    clerk.refresh_from_db()
    assert clerk.check_password(slip.password)
    assert clerk.must_change_password
    assert newest().action == "password.reset"
    token = keep([slip], world["甲校长"])
    with pytest.raises(NotFoundError):
        take(token, world["东学区"])
    assert take(token, world["甲校长"]) == [slip]
    for wrong in (token, "", "../x", "nothing"):
        with pytest.raises(NotFoundError):
            take(wrong, world["甲校长"])
    late = keep([slip], world["甲校长"])
    with clock.at(noon + dt.timedelta(minutes=31)), pytest.raises(NotFoundError):
        take(late, world["甲校长"])


def test_slips_are_text_in_a_workbook(tmp_path: Path) -> None:
    slips = [Slip("王伟", "东镇甲小学", "教师", "2199000001", "7kmq-w3xt-p9ra"), Slip("=1+1", "甲", "教师", "u2", "x")]
    write_slips(tmp_path / "slips.xlsx", slips)
    sheet = openpyxl.load_workbook(tmp_path / "slips.xlsx")["账号条"]
    rows = list(sheet.iter_rows(min_row=2, values_only=True))
    assert rows[0][:5] == ("东镇甲小学", "王伟", "教师", "2199000001", "7kmq-w3xt-p9ra")
    assert sheet["B3"].value == "=1+1"
    assert sheet["B3"].data_type == "s"


def test_slip_passwords_differ_and_read_from_paper() -> None:
    made = {slip_password() for _ in range(500)}
    assert len(made) == 500
    assert not set("".join(made)) & set("0O1lI")


def test_changing_ones_own_password(world: World, noon: dt.datetime) -> None:
    clerk = world["甲填报"]
    clerk.must_change_password = True
    clerk.save()
    for given, field, told in (
        (("错", "青槐县的新密码7", "青槐县的新密码7"), "old", "原密码不对"),
        ((PASSWORD, "青槐县的新密码7", "青槐县的新密码8"), "again", "两次输入的新密码不一样"),
        ((PASSWORD, "ab1", "ab1"), "password", "不足 8 位"),
        ((PASSWORD, "password123", "password123"), "password", "太常见"),
        ((PASSWORD, PASSWORD, PASSWORD), "password", "与原密码相同"),
    ):
        with pytest.raises(RefusedError) as refused:
            do_change_own_password(*given, acting_user=clerk)
        assert told in refused.value.places[field]
    assert clerk.must_change_password
    do_change_own_password(PASSWORD, "青槐县的新密码7", "青槐县的新密码7", acting_user=clerk)
    clerk.refresh_from_db()
    assert clerk.check_password("青槐县的新密码7")
    assert not clerk.must_change_password
    assert clerk.password_changed_at == noon


def test_system_administrators_are_named_by_each_other(world: World) -> None:
    with pytest.raises(ForbiddenError, match="只有系统管理员"):
        do_set_admin(world["甲填报"], True, acting_user=world["局长"])
    do_set_admin(world["管理员"], True, acting_user=None)
    with pytest.raises(RefusedError, match="不能改变自己"):
        do_set_admin(world["管理员"], False, acting_user=world["管理员"])
    do_set_admin(world["局长"], True, acting_user=world["管理员"])
    assert newest().changes == [{"field": "admin", "title": "系统管理员", "old": "否", "new": "是"}]


def test_unlocking_leaves_an_entry(world: World) -> None:
    do_unlock(world["甲填报"], acting_user=world["甲校长"])
    assert (newest().action, newest().object_id) == ("account.unlock", str(world["甲填报"].pk))


@pytest.mark.parametrize("act", [do_reset_password, do_close_account, do_unlock])
def test_an_account_of_another_school_is_missing(world: World, act: object) -> None:
    given = {} if act is do_unlock else {"reason": "试"}
    Membership.objects.filter(account=world["乙填报"]).delete()  # without a role it is no freer to take
    with pytest.raises(NotFoundError):
        act(world["乙填报"], acting_user=world["甲校长"], **given)  # type: ignore[operator]
    with pytest.raises(NotFoundError):
        do_add_membership(world["乙填报"], "clerk", world["甲"], acting_user=world["甲校长"])
    assert world["乙填报"].check_password(PASSWORD)


def test_people_are_listed_for_those_who_manage_them(world: World, noon: dt.datetime) -> None:
    do_close_account(world["甲教师"], acting_user=None, reason="调离")
    do_reset_password(world["甲班主任"], acting_user=None)
    found = find_people(world["东学区"])
    assert {one.name: one.state for one in found.people} == {
        "东学区": "在用", "乡镇": "在用", "甲校长": "在用", "甲填报": "在用", "甲班主任": "未首次登录", "乙填报": "在用",
    }  # fmt: skip
    clerk = next(one for one in found.people if one.name == "甲填报")
    assert (clerk.home, clerk.roles, clerk.username) == ("东镇甲小学", ("东镇甲小学 学校填报员",), "u006")
    assert [one.name for one in find_people(world["东学区"], closed=True).people] == ["甲教师"]
    assert [one.name for one in find_people(world["东学区"], text="甲填").people] == ["甲填报"]
    assert [one.name for one in find_people(world["东学区"], text="U006").people] == ["甲填报"]
    assert [one.name for one in find_people(world["东学区"], role="clerk").people] == ["甲填报", "乙填报"]
    assert {one.home for one in find_people(world["东学区"], unit_id=world["甲"].pk).people} == {
        "东镇甲小学",
        "一（1）班",
    }
    assert find_people(world["东学区"], unit_id=world["丙"].pk).people == ()
    assert find_people(world["局长"]).people == ()


def test_people_are_paged_by_key(world: World) -> None:
    seen: list[str] = []
    after = ""
    for _ in range(9):
        page = find_people(world["管理员"], after=after, limit=4)
        seen += [one.username for one in page.people]
        after = page.next
        if not after:
            break
    assert len(seen) == len(set(seen)) == page.total == len(world.people)
