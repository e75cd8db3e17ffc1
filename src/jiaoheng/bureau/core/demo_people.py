"""Who can be entered with one press on the demo's sign-in page: one account a role."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import ROLES
from jiaoheng.bureau.core.models import Account, Membership
from jiaoheng.bureau.core.tree import holds, names_at

PREFIX = "demo-"  # accounts made for the demo: demo-clerk; where there is none, the first account of the role


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """A button on the demo's sign-in page."""

    role: str
    title: str
    says: str
    where: str


def demo_account(role: str) -> Account | None:
    """The account behind a button; None where nobody has the role."""
    members = Membership.objects.filter(holds(clock.today()), role=role, account__closed_at__isnull=True)
    members = members.filter(account__must_change_password=False).select_related("account")
    # a class teacher is a teacher too: who has the role alone shows it better
    members = members.annotate(roles=Count("account__memberships")).order_by("roles", "account_id")
    found = members.filter(account__username__startswith=PREFIX).first() or members.first()
    return found.account if found is not None else None


def demo_people() -> list[DemoPerson]:
    """The buttons, in the order of the table of rights."""
    found = [(role, account) for role in ROLES.values() if (account := demo_account(role.key)) is not None]
    names = names_at([account.home_id for _, account in found], clock.today())
    return [DemoPerson(role.key, role.title, role.says, names.get(account.home_id, "")) for role, account in found]
