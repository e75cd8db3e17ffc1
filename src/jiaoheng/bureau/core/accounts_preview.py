"""Judging a workbook of people: who is new, who has an account, what is wrong, each with its cell. Nothing is written."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.account_names import user_name
from jiaoheng.bureau.core.accounts_file import PersonRow
from jiaoheng.bureau.core.capabilities import ROLES, Can
from jiaoheng.bureau.core.granting import fits, may_give
from jiaoheng.bureau.core.models import Account, Membership, Unit
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import Line, lines_at, names_at

NEW, ROLE, SAME, WRONG = "new", "role", "same", "wrong"
STATES = {NEW: "新建", ROLE: "增加角色", SAME: "已有", WRONG: "有误"}
_PHONE = re.compile(r"\+?\d{5,15}")
_BY_TITLE = {role.title: role for role in ROLES.values()}


@dataclass(frozen=True, slots=True)
class Judged:
    """One line's verdict. `told` names the cell, what is there, what is right."""

    row: PersonRow
    state: str
    told: str = ""
    column: str = ""  # of what is wrong
    unit_id: int = 0
    unit_name: str = ""
    home_id: int = 0
    role: str = ""
    account_id: int = 0  # of who has one already
    username: str = ""  # that it has, or will get
    first_row: int = 0  # of a person with several lines: the line that makes the account (0: this one)


class _Wrong(Exception):  # noqa: N818 (a verdict)
    def __init__(self, column: str, told: str) -> None:
        super().__init__(told)
        self.column = column


@dataclass(slots=True)
class _Base:
    """What is known before the lines are judged, in a few queries whatever their number."""

    actor: Account
    units: dict[str, Unit]
    names: dict[int, str]
    lines: dict[int, Line]
    people: dict[tuple[int, str], list[Account]]
    roles: set[tuple[int, str, int]]
    gives: dict[tuple[str, int], bool]
    taken: set[str]


def judge(actor: Account, rows: Sequence[PersonRow]) -> list[Judged]:
    """The verdict of each line, as the base stands now. The same file gives the same user names every time."""
    base = _base(actor, rows)
    found: list[Judged] = []
    seen: dict[tuple[int, str, str], Judged] = {}
    roles: dict[tuple[int, str, str, str, int], int] = {}
    for row in rows:
        try:
            found.append(_judge(base, row, seen, roles))
        except _Wrong as wrong:
            told = f"{row.place(wrong.column)}：{wrong}"
            found.append(Judged(row, WRONG, told, wrong.column))
    return found


def home_of(unit: Unit, line: Line | None) -> int:
    """Where a person belongs: a class's teacher to the school, which stays when the class leaves."""
    if unit.level == Unit.Level.CLASS and line is not None and line.school_id is not None:
        return line.school_id
    return int(unit.pk)


def _base(actor: Account, rows: Sequence[PersonRow]) -> _Base:
    today = clock.today()
    codes = {row.unit for row in rows}
    inside = scope_of(actor, Can.ACCOUNTS).units()
    units: dict[str, Unit] = {}
    wanted = sorted(codes)
    for part in (wanted[start : start + 500] for start in range(0, len(wanted), 500)):
        units.update({unit.code: unit for unit in inside.filter(code__in=part)})
    people: dict[tuple[int, str], list[Account]] = defaultdict(list)
    accounts = list(Account.objects.select_related("home").order_by("pk"))
    names = {row.name for row in rows}
    near = [one for one in accounts if one.name in names and one.home is not None]
    lines = lines_at([unit.pk for unit in units.values()] + [one.home_id for one in near], today)
    for one in near:
        people[home_of(one.home, lines.get(one.home_id)), one.name].append(one)
    members = Membership.objects.filter(account_id__in=[one.pk for one in near][:30_000])
    running = [one for one in members if one.ends_on is None or one.ends_on > today]
    return _Base(
        actor=actor,
        units=units,
        names=names_at([unit.pk for unit in units.values()], today),
        lines=lines,
        people=people,
        roles={(one.account_id, one.role, one.unit_id) for one in running},
        gives={},
        taken={one.username for one in accounts},
    )


def _judge(
    base: _Base,
    row: PersonRow,
    seen: dict[tuple[int, str, str], Judged],
    roles: dict[tuple[int, str, str, str, int], int],
) -> Judged:
    unit, role = _checked(base, row)
    home = home_of(unit, base.lines.get(unit.pk))
    person = (home, row.name, row.phone)
    double = roles.setdefault((*person, role, unit.pk), row.row)
    if double != row.row:
        raise _Wrong("name", f"{row.name}与第 {double} 行相同，请删去一行，或填手机区分两个人")
    where = base.names.get(unit.pk, "")
    account, told = _find(base, row, home)
    shared = {"unit_id": unit.pk, "unit_name": where, "home_id": home, "role": role}
    if account is not None:
        has = (account.pk, role, unit.pk) in base.roles
        state = SAME if has else ROLE
        return Judged(row, state, told, account_id=account.pk, username=account.username, **shared)
    if person in seen:
        first = seen[person]
        return Judged(row, ROLE, told, username=first.username, first_row=first.row.row, **shared)
    username = user_name(row.name, unit, role, row.phone, base.taken)
    base.taken.add(username)
    seen[person] = Judged(row, NEW, told, username=username, **shared)
    return seen[person]


def _checked(base: _Base, row: PersonRow) -> tuple[Unit, str]:
    if not row.name:
        raise _Wrong("name", "姓名是空的，请填写")
    if len(row.name) > 40:
        raise _Wrong("name", f"姓名有 {len(row.name)} 个字，最多 40 个，请改正")
    if not row.unit:
        raise _Wrong("unit", "单位代码是空的，请填写；代码见模板的“单位”表")
    unit = base.units.get(row.unit)
    if unit is None:
        raise _Wrong("unit", f"单位代码“{row.unit}”：无此单位，请按模板的“单位”表改正")
    role = _BY_TITLE.get(row.role) or ROLES.get(row.role)
    if role is None:
        raise _Wrong("role", f"角色“{row.role}”不在列表中，应为：{'、'.join(_BY_TITLE)}")
    if not fits(role, unit):
        level = dict(Unit.Level.choices())[unit.level]
        raise _Wrong("role", f"角色“{role.title}”不设在{level}（{base.names.get(unit.pk, '')}），请改单位代码或角色")
    key = (role.key, unit.pk)
    if key not in base.gives:
        base.gives[key] = may_give(base.actor, role, unit)
    if not base.gives[key]:
        raise _Wrong("role", f"“{role.title}”的权限超出您在{base.names.get(unit.pk, '')}的权限，请上级管理员办理")
    if row.phone and not _PHONE.fullmatch(row.phone):
        raise _Wrong("phone", f"手机“{row.phone}”不是电话号码，请改正或留空")
    return unit, role.key


def _find(base: _Base, row: PersonRow, home: int) -> tuple[Account | None, str]:
    """The account of the person of a line, and what is to be known about it."""
    everybody = base.people.get((home, row.name), [])
    open_ones = [one for one in everybody if one.closed_at is None]
    exact = [one for one in open_ones if one.phone == row.phone]
    near = exact or [one for one in open_ones if not one.phone or not row.phone]
    if len(near) == 1:
        return near[0], ""
    if len(near) > 1:
        raise _Wrong("phone", f"本单位有 {len(near)} 个{row.name}有账号，请填手机区分")
    if open_ones:
        others = "、".join(one.username for one in open_ones)
        return None, f"本单位另有同名的人（账号 {others}），手机不同，按两个人办"
    if everybody:
        return None, f"原账号 {everybody[-1].username} 已停用，另建新账号"
    return None, ""
