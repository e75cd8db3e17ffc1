"""Writing stand-ins: 我外出."""

from __future__ import annotations

import datetime as dt

from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.deputies import candidates, stand_ins_of
from jiaoheng.bureau.core.models import Account, Membership
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.core.tree import holds

LONGEST = 90  # days; who is away longer hands his post over


@audit.action
def do_set_deputy(
    deputy: Account, starts_on: dt.date, last_day: dt.date, *, acting_user: Account, reason: str = ""
) -> list[Membership]:
    """Let a colleague stand in from a day up to and including another, with all of one's own rights of that time.

    Rights that one has by standing in for somebody else are not passed on. Raises RefusedError with a sentence.
    """
    _check(acting_user, deputy, starts_on, last_day)
    until = last_day + dt.timedelta(days=1)
    own = Membership.objects.filter(account=acting_user, deputy_of__isnull=True, starts_on__lt=until)
    made = []
    for member in own.order_by("pk"):
        start = max(starts_on, member.starts_on)
        end = min(until, member.ends_on) if member.ends_on else until
        has = Membership.objects.filter(holds(start), account=deputy, role=member.role, unit_id=member.unit_id)
        if start >= end or has.exists():
            continue
        made.append(
            Membership.objects.create(
                account=deputy,
                role=member.role,
                unit_id=member.unit_id,
                starts_on=start,
                ends_on=end,
                deputy_of=acting_user,
            )
        )
    if not made:
        told = f"{deputy.name}在这些天里已有您的全部角色，不用再委托"
        raise RefusedError("deputy-has-all", told, places={"deputy": told})
    days = f"{starts_on.isoformat()} 至 {last_day.isoformat()}"
    audit.note(
        "deputy.add",
        actor=acting_user,
        about=("account", deputy.pk, deputy.name),
        unit_id=acting_user.home_id,
        changes=[{"field": "days", "title": "代办时间", "old": None, "new": days}],
        count=len(made),
        reason=reason,
    )
    return made


@audit.action
def do_end_deputy(deputy: Account, *, acting_user: Account, reason: str = "") -> int:
    """Take the rights back, from now on; how many memberships ended. Raises RefusedError where there is none."""
    members = [member for member in stand_ins_of(acting_user) if member.account_id == deputy.pk]
    if not members:
        raise RefusedError("deputy-none", f"{deputy.name}现在没有代您办理，无需收回")
    today = clock.today()
    for member in members:
        if member.starts_on >= today:
            member.delete()  # it never held a whole day; the entry keeps what was
        else:
            member.ends_on = today
            member.save(update_fields=["ends_on"])
    audit.note(
        "deputy.end",
        actor=acting_user,
        about=("account", deputy.pk, deputy.name),
        unit_id=acting_user.home_id,
        count=len(members),
        reason=reason,
    )
    return len(members)


def _check(account: Account, deputy: Account, starts_on: dt.date, last_day: dt.date) -> None:
    told = ""
    place = "last_day"
    if last_day < starts_on:
        told = f"结束日 {last_day.isoformat()} 早于开始日 {starts_on.isoformat()}，请改正"
    elif last_day < clock.today():
        told = f"结束日 {last_day.isoformat()} 已过，请填今天或以后的日子"
    elif (last_day - starts_on).days >= LONGEST:
        told = f"委托最长 {LONGEST} 天，更久请上级管理员调整角色"
    elif deputy.pk not in {one.pk for one in candidates(account)}:
        told, place = f"只能委托本单位在用的账号，{deputy.name}不是，请另选", "deputy"
    if told:
        raise RefusedError("deputy-days" if place == "last_day" else "deputy-who", told, places={place: told})
