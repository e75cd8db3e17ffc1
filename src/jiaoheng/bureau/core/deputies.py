"""Standing in for somebody who is away: his memberships, copied for a while; and whose name stands under an action."""

from __future__ import annotations

import datetime as dt

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import ROLES, Can
from jiaoheng.bureau.core.models import Account, Membership, Unit
from jiaoheng.bureau.core.tree import Line, holds, lines_at


def stands_in(account: Account, day: dt.date | None = None) -> bool:
    """Whether an account stands in for anybody on a day."""
    members = Membership.objects.filter(holds(day or clock.today()), account=account, deputy_of__isnull=False)
    return bool(members.exists())


def acting_for(account: Account, unit_id: int | None, day: dt.date | None = None) -> Account | None:
    """Whom an account stands in for when it writes at a unit; None where its own rights carry it.

    Own rights carry it when an own membership gives more than reading there.
    """
    if unit_id is None:
        return None
    day = day or clock.today()
    members = list(
        Membership.objects.filter(holds(day), account=account).select_related("unit", "deputy_of").order_by("pk")
    )
    if not any(member.deputy_of_id for member in members):
        return None
    line = lines_at([unit_id], day).get(unit_id, Line(unit_id=unit_id))
    there = [member for member in members if _writes_at(member, line)]
    if not there or any(member.deputy_of_id is None for member in there):
        return None
    found: Account = there[0].deputy_of
    return found


def _writes_at(member: Membership, line: Line) -> bool:
    role = ROLES.get(member.role)
    if role is None or not role.can - {Can.READ}:
        return False
    if role.reach == "parent" and member.unit.level == Unit.Level.DEPARTMENT:
        return line.county_id is not None  # an office's reach is its county, and a server holds one
    return member.unit_id in line.ids()


def stand_ins_of(account: Account) -> list[Membership]:
    """The memberships that others hold now or later in this account's place."""
    running = Membership.objects.filter(deputy_of=account, ends_on__gt=clock.today())
    return list(running.select_related("account", "unit").order_by("starts_on", "account_id", "pk"))


def candidates(account: Account) -> list[Account]:
    """Who can stand in: colleagues of the same unit; inside the bureau, of any of its offices."""
    if account.home is None:
        return []
    people = Account.objects.filter(closed_at__isnull=True).exclude(pk=account.pk)
    bureau = (Unit.Level.COUNTY, Unit.Level.DEPARTMENT)
    near = {"home__level__in": bureau} if account.home.level in bureau else {"home": account.home}
    people = people.filter(**near)
    return list(people.select_related("home").order_by("name", "pk"))
