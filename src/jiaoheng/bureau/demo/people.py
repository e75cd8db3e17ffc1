"""Accounts of the county with their roles. One known password, hashed once: argon2 for each would take minutes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from django.contrib.auth.hashers import make_password

from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.models import Account, Membership, Unit
from jiaoheng.bureau.demo.words import PASSWORD
from jiaoheng.registers.county import CountyAccount


@audit.action
def do_add_people(
    people: Sequence[CountyAccount], units: Mapping[str, Unit], *, acting_user: Account | None
) -> dict[str, Account]:
    """Add accounts and memberships; returns user name → account. Only people of the sign-in page keep their password."""
    password, now = make_password(PASSWORD), clock.now()
    made = {one.username: _account(one, units, password, now) for one in people}
    Account.objects.bulk_create(made.values(), batch_size=200)
    Membership.objects.bulk_create(
        [
            Membership(
                account=made[one.username],
                role=member.role,
                unit=units[member.unit],
                starts_on=member.starts_on,
                ends_on=member.ends_on,
            )
            for one in people
            for member in one.memberships
        ],
        batch_size=200,
    )
    audit.note("accounts.import", actor=acting_user, about=("account", "", "各单位账号"), count=len(made))
    return made


def _account(one: CountyAccount, units: Mapping[str, Unit], password: str, now: dt.datetime) -> Account:
    closed = one.closed_on
    return Account(
        username=one.username,
        name=one.name,
        phone=one.phone,
        home=units[one.home],
        password=password,
        must_change_password=not one.demo,
        is_system_admin=one.demo == "admin",
        created_at=now,
        closed_at=clock.beijing(closed.year, closed.month, closed.day) if closed else None,
    )
