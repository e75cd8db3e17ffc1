"""Persons of a filing: who fills, who heads, who looks at it in the district and the county; in bulk."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from jiaoheng.bureau.core.models import Account, Membership, Unit
from jiaoheng.bureau.core.tree import descendants_at, holds
from jiaoheng.bureau.ledgers.bulk import chunks
from jiaoheng.bureau.ledgers.models import Round

FILLERS = {
    "school": ("clerk", "principal"),
    "class": ("class_teacher",),
    "district": ("district",),
    "department": ("department",),
}
HEADS = {
    "school": ("principal",),
    "class": ("class_teacher",),
    "district": ("district",),
    "department": ("department",),
}
_ASKED = {"admin", *(role for roles in (*FILLERS.values(), *HEADS.values()) for role in roles)}


@dataclass(frozen=True)
class Staff:
    """(unit id, role) → open accounts with that role there today, in order of their numbers; teachers are not in it."""

    members: Mapping[tuple[int, str], Sequence[Account]] = field(default_factory=dict)

    def first_of(self, unit_id: int | None, roles: Iterable[str]) -> list[Account]:
        """The accounts of the first role that anybody has at the unit."""
        for role in roles:
            found = self.members.get((unit_id or 0, role), ())
            if found:
                return list(found)
        return []

    def fillers(self, unit_id: int | None, level: str) -> list[Account]:
        """Who fills for a unit: its clerks, else its principal; a class: its teacher; a district: its people."""
        return self.first_of(unit_id, FILLERS.get(level, ("department",)))

    def heads(self, unit_id: int | None, level: str) -> list[Account]:
        """Who heads a unit."""
        return self.first_of(unit_id, HEADS.get(level, ("department",)))


def staff_of(unit_ids: Iterable[int | None], day: dt.date) -> Staff:
    """The people of units on a day; closed accounts are left out. One query for 900 units."""
    found: dict[tuple[int, str], list[Account]] = defaultdict(list)
    for part in chunks({one for one in unit_ids if one is not None}):
        members = Membership.objects.filter(holds(day), unit_id__in=part, account__closed_at__isnull=True)
        members = members.filter(role__in=_ASKED)
        # a phone is nothing that anybody is chosen by, and each would be decrypted
        for member in members.select_related("account").defer("account__phone").order_by("account_id"):
            found[member.unit_id, member.role].append(member.account)
    return Staff(found)


def county_people(round_: Round, day: dt.date) -> list[Account]:
    """Who answers for a round in the county: the office's people, else who opened it, else the other offices."""
    if round_.office_id is not None:
        office = staff_of([round_.office_id], day).first_of(round_.office_id, ("department",))
        if office:
            return office
    if round_.created_by.closed_at is None:
        return [round_.created_by]
    ids = list(
        descendants_at(round_.scope_unit_id, day).filter(level=Unit.Level.DEPARTMENT).values_list("pk", flat=True)
    )
    staff = staff_of([*ids, round_.scope_unit_id], day)
    return [one for (_, role), accounts in staff.members.items() if role in ("department", "admin") for one in accounts]
