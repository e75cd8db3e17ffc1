"""The list of people whose accounts one manages: where they belong, what they may, whether they can sign in."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import ROLES, Can
from jiaoheng.bureau.core.locking import locks_of
from jiaoheng.bureau.core.models import Account, Membership, UnitPath
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import holds, names_at


@dataclass(frozen=True, slots=True)
class PersonLine:
    """One person of the list."""

    account_id: int
    name: str
    username: str
    phone: str
    home: str
    roles: tuple[str, ...]  # 东镇甲小学 学校填报员
    state: str  # 在用, 未首次登录, 锁定至 14:05, 停用 2025-09-15
    locked: bool
    closed: bool


@dataclass(frozen=True, slots=True)
class People:
    """A page of people by user name; `next` is the `after` of the next page, "" on the last."""

    people: tuple[PersonLine, ...]
    total: int
    next: str


def find_people(
    account: Account,
    *,
    text: str = "",
    role: str = "",
    unit_id: int | None = None,
    closed: bool = False,
    after: str = "",
    limit: int = 50,
) -> People:
    """The accounts inside the ACCOUNTS scope: by a part of the name or the user name, by role, below a unit."""
    today = clock.today()
    rows = _inside(account, today).filter(closed_at__isnull=not closed)
    if text.strip():
        rows = rows.filter(Q(name__contains=text.strip()) | Q(username__startswith=text.strip().lower()))
    if role:
        rows = rows.filter(pk__in=Membership.objects.filter(holds(today), role=role).values("account_id"))
    if unit_id is not None:
        below = UnitPath.objects.filter(holds(today), ancestor_id=unit_id)
        rows = rows.filter(home_id__in=below.values("unit_id"))
    total = rows.count()
    part = list(rows.filter(username__gt=after).order_by("username")[: limit + 1])
    more = len(part) > limit
    lines = person_lines(part[:limit])
    return People(lines, total, lines[-1].username if more else "")


def person_lines(accounts: Sequence[Account]) -> tuple[PersonLine, ...]:
    """People in words, in a few queries whatever their number."""
    today = clock.today()
    members = defaultdict(list)
    for member in Membership.objects.filter(holds(today), account__in=accounts).order_by("starts_on", "pk"):
        members[member.account_id].append(member)
    units = [one.unit_id for found in members.values() for one in found]
    names = names_at([*units, *(one.home_id for one in accounts)], today)
    locks = locks_of([one.username for one in accounts])
    return tuple(
        PersonLine(
            account_id=one.pk,
            name=one.name,
            username=one.username,
            phone=one.phone,
            home=names.get(one.home_id, ""),
            roles=tuple(f"{names.get(had.unit_id, '')} {ROLES[had.role].title}" for had in members[one.pk]),
            state=_state(one, locks.get(one.username)),
            locked=one.username in locks and one.closed_at is None,
            closed=one.closed_at is not None,
        )
        for one in accounts
    )


def _inside(account: Account, today: dt.date) -> QuerySet[Account]:
    inside = scope_of(account, Can.ACCOUNTS).units(today)
    return Account.objects.filter(home_id__in=inside.values("pk"))


def _state(account: Account, locked_until: dt.datetime | None) -> str:
    if account.closed_at is not None:
        return f"停用 {clock.local(account.closed_at).date().isoformat()}"
    if locked_until is not None:
        return f"锁定至 {clock.local(locked_until):%H:%M}"
    return "未首次登录" if account.must_change_password else "在用"
