"""Who may give which right where: inside one's own reach, never more than one has there, never to oneself."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import ROLES, Can, Role
from jiaoheng.bureau.core.models import Account, Membership, Unit
from jiaoheng.bureau.core.refusals import ForbiddenError, NotFoundError, RefusedError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import Line, line_at, name_of

_LEVEL = Unit.Level
_TITLES = dict(Unit.Level.choices())
# at which kinds of unit a role is given
LEVELS: dict[str, tuple[str, ...]] = {
    "leader": (_LEVEL.COUNTY,),
    "department": (_LEVEL.DEPARTMENT,),
    "research": (_LEVEL.DEPARTMENT,),
    "inspector": (_LEVEL.DEPARTMENT, _LEVEL.COUNTY),
    "district": (_LEVEL.DISTRICT,),
    "township": (_LEVEL.DISTRICT,),
    "principal": (_LEVEL.SCHOOL,),
    "clerk": (_LEVEL.SCHOOL,),
    "class_teacher": (_LEVEL.CLASS,),
    "teacher": (_LEVEL.SCHOOL,),
    "admin": (_LEVEL.COUNTY,),
}


def role_of(key: str) -> Role:
    """A role by key. Raises RefusedError where there is none."""
    if key not in ROLES:
        raise RefusedError("role-unknown", f"没有角色“{key}”，请从列表中选择", places={"role": "请从列表中选择角色"})
    return ROLES[key]


def fits(role: Role, unit: Unit) -> bool:
    """Whether a role is given at units of this level."""
    return unit.level in LEVELS[role.key]


def capabilities_at(account: Account, line: Line, day: dt.date | None = None) -> frozenset[Can]:
    """Everything an account may do with what lies at a line of ancestors."""
    return frozenset(can for can in Can if scope_of(account, can, day).covers(line))


def reach_of(role: Role, unit: Unit, day: dt.date) -> Line:
    """The top of the subtree that the role opens: the county for an office whose reach is its parent."""
    line = line_at(unit, day)
    if role.reach == "parent" and unit.level == _LEVEL.DEPARTMENT and line.county_id is not None:
        return Line(unit_id=line.county_id, county_id=line.county_id)
    return line


def may_give(actor: Account, role: Role, unit: Unit) -> bool:
    """Whether an account may give a role at a unit to somebody else.

    The county's administrator (who has UNITS there) gives any role; everybody else only what he has himself there.
    """
    top = reach_of(role, unit, clock.today())
    own = capabilities_at(actor, top)
    return Can.ACCOUNTS in own and (Can.UNITS in own or role.can <= own)


def roles_to_give(actor: Account, unit: Unit) -> list[Role]:
    """What the chooser of roles offers at a unit."""
    return [role for role in ROLES.values() if fits(role, unit) and may_give(actor, role, unit)]


def check_giving(actor: Account | None, receiver: Account | None, role: Role, unit: Unit) -> None:
    """Raises NotFoundError for a unit out of reach, ForbiddenError for a right one has not, RefusedError for a misfit."""
    if not fits(role, unit):
        levels = "、".join(_TITLES[level] for level in LEVELS[role.key])
        told = f"角色“{role.title}”只设在{levels}，{name_of(unit, clock.today())}是{_TITLES[unit.level]}"
        raise RefusedError("role-level", told + "，请另选单位或角色", places={"role": told})
    if actor is None:
        return
    if receiver is not None and receiver.pk == actor.pk:
        raise ForbiddenError("不能给自己增加角色，请上级管理员办理")
    if not scope_of(actor, Can.ACCOUNTS).covers(line_at(unit, clock.today())):
        raise NotFoundError
    if not may_give(actor, role, unit):
        raise ForbiddenError(f"“{role.title}”的权限超出您在这里的权限，请上级管理员办理")


def check_reach(actor: Account | None, other: Account) -> None:
    """Whether a person's account is one that `actor` manages. Raises NotFoundError."""
    if actor is None or actor.pk == other.pk:
        return
    if other.home is None or not scope_of(actor, Can.ACCOUNTS).covers(line_at(other.home, clock.today())):
        raise NotFoundError


def check_managing(actor: Account | None, other: Account) -> None:
    """Whether one may close an account, or take it over by a new password: never one that can do more than oneself.

    Raises NotFoundError for an account out of reach, ForbiddenError for a stronger one.
    """
    if actor is None:
        return
    check_reach(actor, other)
    if other.is_system_admin and not actor.is_staff:
        raise ForbiddenError(f"{other.name}是系统管理员，请系统管理员办理")
    today = clock.today()
    running = Q(ends_on__isnull=True) | Q(ends_on__gt=today)
    for member in Membership.objects.filter(running, account=other).select_related("unit"):
        if not may_give(actor, role_of(member.role), member.unit):
            where = name_of(member.unit, today)
            told = f"{other.name}是{where}的{ROLES[member.role].title}，权限超出您在这里的权限，请上级管理员办理"
            raise ForbiddenError(told)
