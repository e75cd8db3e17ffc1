"""The capability table: for each role, capability and kind of unit exactly the subtree that is written down here."""

from __future__ import annotations

import datetime as dt

import pytest

from bureau.world import START, World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.actions_accounts_roles import do_add_membership, do_end_membership
from jiaoheng.bureau.core.capabilities import ROLES, Can
from jiaoheng.bureau.core.granting import LEVELS, roles_to_give
from jiaoheng.bureau.core.models import Account, Membership
from jiaoheng.bureau.core.refusals import ForbiddenError, NotFoundError, RefusedError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import line_at

# what lies under each unit of the world, itself included
BELOW = {
    "县": "县 股 东 西 甲 乙 丙 直 甲101 甲102",
    "股": "股",
    "东": "东 甲 乙 甲101 甲102",
    "甲": "甲 甲101 甲102",
    "甲101": "甲101",
}
AT = {"county": "县", "department": "股", "district": "东", "school": "甲", "class": "甲101"}
# role → the letters of its capabilities; the whole table, by hand and not from the code
LETTERS = {
    "r": Can.READ, "f": Can.FILL, "d": Can.APPROVE_DISTRICT, "c": Can.APPROVE_COUNTY, "o": Can.ROUNDS,
    "g": Can.REGISTERS, "u": Can.UNITS, "a": Can.ACCOUNTS, "m": Can.UNMASK, "x": Can.EXPORT_FULL, "t": Can.AUDIT,
}  # fmt: skip
TABLE = {
    "leader": "rt", "department": "rfcogmxt", "research": "r", "inspector": "r", "district": "rfdat", "township": "r",
    "principal": "rfmta", "clerk": "rfa", "class_teacher": "rf", "teacher": "r", "admin": "raugot",
}  # fmt: skip
PARENT = {"department", "research", "inspector"}  # at an office these reach the whole county
NARROW = {"teacher": ("activities", "documents")}


def person_with(world: World, role: str, unit: str) -> Account:
    account = Account.objects.create(
        username=f"probe-{role}-{world[unit].pk}", name="试", home=world[unit], created_at=clock.now()
    )
    Membership.objects.create(account=account, role=role, unit=world[unit], starts_on=START)
    return account


def test_the_table_knows_every_role_and_capability() -> None:
    assert set(TABLE) == set(ROLES) == set(LEVELS)
    assert set(LETTERS.values()) == set(Can)


@pytest.mark.parametrize("role", TABLE)
@pytest.mark.parametrize("level", AT)
def test_each_role_reaches_exactly_its_subtree(world: World, role: str, level: str) -> None:
    at = AT[level]
    account = person_with(world, role, at)
    top = "县" if role in PARENT and level == "department" else at
    register = NARROW.get(role, (None,))[0]
    for can in Can:
        expected = set(BELOW[top].split()) if can in {LETTERS[letter] for letter in TABLE[role]} else set()
        scope = scope_of(account, can)
        by_line = {name for name, unit in world.units.items() if scope.covers(line_at(unit, START), register)}
        by_query = {name for name, unit in world.units.items() if scope.units(START).filter(pk=unit.pk).exists()}
        assert by_line == by_query == expected, (role, level, can)


@pytest.mark.parametrize(
    ("register", "opens"), [("activities", True), ("documents", True), ("pupils", False), (None, False)]
)
def test_a_narrow_role_opens_its_registers_only(world: World, register: str | None, opens: bool) -> None:
    scope = scope_of(world["甲教师"], Can.READ)
    assert scope.covers(line_at(world["甲"], START), register) is opens


def test_a_closed_account_and_an_ended_membership_reach_nothing(world: World) -> None:
    clerk = world["甲填报"]
    Membership.objects.filter(account=clerk).update(ends_on=dt.date(2025, 9, 15))
    assert scope_of(clerk, Can.FILL, dt.date(2025, 9, 14))
    assert not scope_of(clerk, Can.FILL, dt.date(2025, 9, 15))
    leader = world["局长"]
    leader.closed_at = clock.now()
    assert not scope_of(leader, Can.READ)


def test_p04_a_third_role_loses_neither_of_two(world: World, noon: dt.datetime) -> None:
    wang, admin = world["督学"], world["管理员"]
    do_add_membership(wang, "clerk", world["甲"], acting_user=admin)
    do_add_membership(wang, "township", world["西"], acting_user=admin)
    roles = set(Membership.objects.filter(account=wang).values_list("role", "unit_id"))
    assert roles == {("inspector", world["股"].pk), ("clerk", world["甲"].pk), ("township", world["西"].pk)}
    line = {name: line_at(world[name], START) for name in "甲乙"}
    assert scope_of(wang, Can.READ).covers(line["乙"])
    assert not scope_of(wang, Can.FILL).covers(line["乙"])
    assert scope_of(wang, Can.FILL).covers(line["甲"])
    filling = Membership.objects.get(account=wang, role="clerk")
    do_end_membership(filling, acting_user=admin, reason="调整分工")
    assert scope_of(wang, Can.READ).covers(line["甲"])
    assert not scope_of(wang, Can.FILL).covers(line["甲"])


# who → at which unit → which roles he may give there: never more than his own, the county's administrator all that fit
GIVES = {
    "管理员": {"县": "leader inspector admin", "股": "department research inspector", "东": "district township",
            "甲": "principal clerk teacher", "甲101": "class_teacher"},
    "东学区": {"县": "", "股": "", "东": "district township", "西": "", "甲": "clerk teacher", "丙": "", "甲101": "class_teacher"},
    "甲校长": {"东": "", "甲": "principal clerk teacher", "乙": "", "甲101": "class_teacher"},
    "甲填报": {"东": "", "甲": "clerk teacher", "乙": "", "甲101": "class_teacher"},
    "局长": {"县": "", "甲": ""},
    "股长": {"县": "", "股": "", "甲": ""},
    "甲班主任": {"甲101": ""},
}  # fmt: skip


@pytest.mark.parametrize("who", GIVES)
def test_nobody_gives_more_than_he_has(world: World, who: str) -> None:
    given = {at: {role.key for role in roles_to_give(world[who], world[at])} for at in GIVES[who]}
    assert given == {at: set(roles.split()) for at, roles in GIVES[who].items()}


def test_nobody_raises_himself(world: World) -> None:
    for who, role, at in (("甲填报", "clerk", "甲"), ("甲填报", "principal", "甲"), ("管理员", "department", "股")):
        with pytest.raises(ForbiddenError, match="不能给自己增加角色"):
            do_add_membership(world[who], role, world[at], acting_user=world[who])
    with pytest.raises(ForbiddenError, match="“校长”的权限超出您在这里的权限"):
        do_add_membership(world["甲教师"], "principal", world["甲"], acting_user=world["甲填报"])
    with pytest.raises(NotFoundError):
        do_add_membership(world["甲教师"], "clerk", world["乙"], acting_user=world["甲填报"])
    with pytest.raises(RefusedError, match="只设在班级，东镇甲小学是学校"):
        do_add_membership(world["甲教师"], "class_teacher", world["甲"], acting_user=world["甲填报"])
    with pytest.raises(RefusedError, match="没有角色“king”"):
        do_add_membership(world["甲教师"], "king", world["甲"], acting_user=world["管理员"])
    assert Membership.objects.count() == len(world.people)


def test_a_role_is_not_given_twice_at_one_time(world: World, noon: dt.datetime) -> None:
    with pytest.raises(RefusedError, match="自 2020-09-01 起已是东镇甲小学的学校填报员"):
        do_add_membership(world["甲填报"], "clerk", world["甲"], acting_user=world["甲校长"])
    with pytest.raises(RefusedError, match="应晚于开始日"):
        do_add_membership(
            world["甲教师"], "clerk", world["甲"], acting_user=world["甲校长"], ends_on=dt.date(2025, 9, 15)
        )


def test_a_role_given_and_taken_on_one_day_is_gone(world: World, noon: dt.datetime) -> None:
    made = do_add_membership(world["甲教师"], "clerk", world["甲"], acting_user=world["甲校长"])
    do_end_membership(made, acting_user=world["甲校长"])
    assert not scope_of(world["甲教师"], Can.FILL)
    member = Membership.objects.get(account=world["甲教师"])
    with pytest.raises(RefusedError, match="已过"):
        do_end_membership(member, acting_user=world["甲校长"], day=dt.date(2025, 9, 1))
