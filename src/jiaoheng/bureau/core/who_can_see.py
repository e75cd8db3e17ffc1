"""Who can see a unit, and by which membership: the question of everybody who is asked to hand something in."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import ROLES, Can, Role
from jiaoheng.bureau.core.models import Membership, Unit
from jiaoheng.bureau.core.tree import holds, line_at, names_at

WORDS: dict[Can, str] = {
    Can.READ: "查看",
    Can.FILL: "填报",
    Can.APPROVE_DISTRICT: "学区审核",
    Can.APPROVE_COUNTY: "县级审定",
    Can.ROUNDS: "采集",
    Can.REGISTERS: "设置台账",
    Can.UNITS: "调整单位",
    Can.ACCOUNTS: "管理账号",
    Can.UNMASK: "查看证件号",
    Can.EXPORT_FULL: "导出证件号",
    Can.AUDIT: "操作记录",
}


@dataclass(frozen=True, slots=True)
class Seer:
    """A person, and the membership that lets him in."""

    account_id: int
    name: str
    username: str
    role: str  # its title
    where: str  # name of the membership's unit
    since: dt.date
    until: dt.date | None
    can: tuple[str, ...]  # in words
    stands_in_for: str = ""
    registers: tuple[str, ...] = ()  # where the role opens these registers only


def who_can_see(unit: Unit, register: str | None = None, day: dt.date | None = None) -> list[Seer]:
    """Everybody whose membership opens a unit (and there a register) on a day, from the county down.

    Who may ask is for the caller to check (AUDIT or ACCOUNTS at the unit).
    """
    day = day or clock.today()
    line = line_at(unit, day)
    narrow = {key for key, role in ROLES.items() if not _opens(role, register)}
    wide = [key for key, role in ROLES.items() if role.reach == "parent"]
    above = Q(unit_id__in=line.ids())
    if line.county_id is not None:
        in_county = Q(unit__up_paths__ancestor_id=line.county_id) & holds(day, "unit__up_paths__")
        above |= Q(role__in=wide, unit__level=Unit.Level.DEPARTMENT) & in_county
    members = (
        Membership.objects.filter(holds(day), above, account__closed_at__isnull=True)
        .exclude(role__in=narrow)
        .select_related("account", "unit", "deputy_of")
        .distinct()
    )
    found = list(members)
    names = names_at([member.unit_id for member in found], day)
    order = {Unit.Level.COUNTY: 0, Unit.Level.DEPARTMENT: 1, Unit.Level.DISTRICT: 2, Unit.Level.SCHOOL: 3}
    found.sort(key=lambda one: (order.get(one.unit.level, 4), one.unit_id, list(ROLES).index(one.role), one.account_id))
    return [_seer(member, names.get(member.unit_id, "")) for member in found]


def _opens(role: Role, register: str | None) -> bool:
    return Can.READ in role.can and (register is None or not role.registers or register in role.registers)


def _seer(member: Membership, where: str) -> Seer:
    role = ROLES[member.role]
    return Seer(
        account_id=member.account_id,
        name=member.account.name,
        username=member.account.username,
        role=role.title,
        where=where,
        since=member.starts_on,
        until=member.ends_on,
        can=tuple(words for can, words in WORDS.items() if can in role.can),
        stands_in_for=member.deputy_of.name if member.deputy_of is not None else "",
        registers=role.registers,
    )
