"""Writing memberships: each role stands for itself, adding or ending one leaves the others as they are."""

from __future__ import annotations

import datetime as dt

from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.access import access_account, whole_number
from jiaoheng.bureau.core.actions_accounts import end_membership
from jiaoheng.bureau.core.granting import check_giving, check_reach, role_of
from jiaoheng.bureau.core.models import Account, Membership, Unit
from jiaoheng.bureau.core.refusals import ForbiddenError, NotFoundError, RefusedError
from jiaoheng.bureau.core.tree import name_of


def access_membership(account: Account, membership_id: object) -> Membership:
    """A membership of a person whose account one manages. Raises NotFoundError."""
    found = Membership.objects.select_related("account", "unit").filter(pk=whole_number(membership_id)).first()
    if found is None:
        raise NotFoundError
    access_account(account, found.account_id)
    return found


@audit.action
def do_add_membership(
    account: Account,
    role: str,
    unit: Unit,
    *,
    acting_user: Account | None,
    starts_on: dt.date | None = None,
    ends_on: dt.date | None = None,
    reason: str = "",
) -> Membership:
    """Give an account a role at a unit from a day (today) on, up to, not including, `ends_on`.

    Raises RefusedError (closed account, the same role already, dates), NotFoundError, ForbiddenError.
    """
    kind, start = role_of(role), starts_on or clock.today()
    where = name_of(unit, clock.today())
    if account.closed_at is not None:
        raise RefusedError("account-closed", f"{account.name}的账号已停用，请先恢复")
    if ends_on is not None and ends_on <= start:
        told = f"结束日 {ends_on.isoformat()} 应晚于开始日 {start.isoformat()}"
        raise RefusedError("membership-days", told, places={"ends_on": told})
    check_reach(acting_user, account)
    check_giving(acting_user, account, kind, unit)
    for other in Membership.objects.filter(account=account, role=role, unit=unit):
        if (ends_on is None or other.starts_on < ends_on) and (other.ends_on is None or other.ends_on > start):
            told = f"{account.name}自 {other.starts_on.isoformat()} 起已是{where}的{kind.title}"
            raise RefusedError("membership-there", told, places={"role": told})
    made = Membership.objects.create(account=account, role=role, unit=unit, starts_on=start, ends_on=ends_on)
    _note("membership.add", acting_user, account, made, old=None, new=_words(made, where), reason=reason)
    return made


@audit.action
def do_end_membership(
    membership: Membership, *, acting_user: Account | None, day: dt.date | None = None, reason: str = ""
) -> None:
    """Take a role away from a day (today) on; from then on the next request goes without it.

    Raises RefusedError where it has ended; ForbiddenError for a role that one could not give.
    """
    today = clock.today()
    end = day or today
    where = name_of(membership.unit, today)
    kind = role_of(membership.role)
    if membership.ends_on is not None and membership.ends_on <= end:
        told = f"{where}的{kind.title}已于 {membership.ends_on.isoformat()} 结束"
        raise RefusedError("membership-ended", told)
    if end < today:
        raise RefusedError("membership-days", f"结束日 {end.isoformat()} 已过，请填今天或以后的日子")
    account = membership.account
    if acting_user is not None and acting_user.pk == account.pk:
        raise ForbiddenError("不能取消自己的角色，请上级管理员办理")
    if acting_user is not None:
        check_giving(acting_user, account, kind, membership.unit)
    old = _words(membership, where)
    _note("membership.end", acting_user, account, membership, old=old, new=f"{end.isoformat()} 止", reason=reason)
    end_membership(membership, end)


def _words(member: Membership, where: str) -> str:
    until = f"，至 {member.ends_on.isoformat()}" if member.ends_on else ""
    return f"{where} {role_of(member.role).title}，自 {member.starts_on.isoformat()}{until}"


def _note(
    action: str,
    actor: Account | None,
    account: Account,
    member: Membership,
    *,
    old: str | None,
    new: str | None,
    reason: str,
) -> None:
    audit.note(
        action,
        actor=actor,
        about=("account", account.pk, f"{account.name}（{account.username}）"),
        unit_id=member.unit_id,
        changes=[{"field": "role", "title": "角色", "old": old, "new": new}],
        reason=reason,
    )
