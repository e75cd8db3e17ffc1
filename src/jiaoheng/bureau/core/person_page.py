"""One person's page: where he stands, each role with what it allows, what the reader may do about it, what happened."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.audit_search import AuditLine, history_of
from jiaoheng.bureau.core.capabilities import ROLES, Can
from jiaoheng.bureau.core.granting import check_giving, check_managing, may_give
from jiaoheng.bureau.core.models import Account, Membership, Unit
from jiaoheng.bureau.core.people import PersonLine, person_lines
from jiaoheng.bureau.core.refusals import ForbiddenError, NotFoundError, RefusedError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.second_factor import factor_of
from jiaoheng.bureau.core.tree import facts_at, names_at
from jiaoheng.bureau.core.who_can_see import WORDS

Options = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Role:
    """One membership. `state`: 在任, 未到任, 已结束."""

    membership_id: int
    title: str
    where: str
    unit_id: int
    since: dt.date
    until: dt.date | None
    state: str
    can: tuple[str, ...]
    says: str
    stands_in_for: str
    may_end: bool


@dataclass(frozen=True, slots=True)
class PersonPage:
    """What a manager of accounts sees of a person."""

    line: PersonLine
    created_at: dt.datetime
    roles: tuple[Role, ...]
    units: Options  # at which a role may be added
    role_options: Options
    why_not: str  # why password and closing are not for this reader, "" where they are
    own: bool
    second_factor: bool
    history: tuple[AuditLine, ...]


def person_page(actor: Account, other: Account) -> PersonPage:
    """The page of a person that the reader has opened through `access_account`."""
    today = clock.today()
    members = list(
        Membership.objects.filter(account=other).select_related("unit", "deputy_of").order_by("-starts_on", "-pk")
    )
    names = names_at([one.unit_id for one in members], today)
    return PersonPage(
        line=person_lines([other])[0],
        created_at=other.created_at,
        roles=tuple(_role(actor, other, one, names.get(one.unit_id, ""), today) for one in members),
        units=units_to_give(actor, other.home),
        role_options=roles_to_choose(),
        why_not=_why_not(actor, other),
        own=actor.pk == other.pk,
        second_factor=factor_of(other) is not None,
        history=history_of(actor, "account", other.pk, 50),
    )


def units_to_give(actor: Account, home: Unit | None) -> Options:
    """Units at which the reader manages accounts, by level and name; of classes only those of the person's school."""
    today = clock.today()
    inside = scope_of(actor, Can.ACCOUNTS)
    units = list(inside.units(today).exclude(level=Unit.Level.CLASS))
    if home is not None and home.level == Unit.Level.SCHOOL:
        units += list(inside.units(today, Unit.Level.CLASS).filter(up_paths__ancestor_id=home.pk).distinct())
    facts = facts_at([one.pk for one in units], today)
    order = [level.value for level in Unit.Level]
    units.sort(key=lambda one: (order.index(one.level), facts[one.pk].sort_key if one.pk in facts else "", one.pk))
    return tuple((str(one.pk), facts[one.pk].name if one.pk in facts else one.code) for one in units)


def roles_to_choose() -> Options:
    """Every role: one that the reader cannot give, or that does not fit the unit, is refused at the field."""
    return tuple((role.key, role.title) for role in ROLES.values())


def _role(actor: Account, other: Account, one: Membership, where: str, today: dt.date) -> Role:
    role = ROLES[one.role]
    running = one.ends_on is None or one.ends_on > today
    state = "已结束" if not running else "未到任" if one.starts_on > today else "在任"
    return Role(
        membership_id=one.pk,
        title=role.title,
        where=where,
        unit_id=one.unit_id,
        since=one.starts_on,
        until=one.ends_on,
        state=state,
        can=tuple(words for can, words in WORDS.items() if can in role.can),
        says=role.says,
        stands_in_for=one.deputy_of.name if one.deputy_of is not None else "",
        may_end=running and actor.pk != other.pk and may_give(actor, role, one.unit) and _gives(actor, other, one),
    )


def _gives(actor: Account, other: Account, one: Membership) -> bool:
    try:
        check_giving(actor, other, ROLES[one.role], one.unit)
    except (RefusedError, ForbiddenError, NotFoundError):
        return False
    return True


def _why_not(actor: Account, other: Account) -> str:
    if actor.pk == other.pk:
        return "自己的密码在“账号与密码”里改；自己的角色请上级管理员办理"
    try:
        check_managing(actor, other)
    except ForbiddenError as error:
        return str(error)
    return ""
