"""Who wrote the rows of a unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jiaoheng.bureau.core.models import Account
from jiaoheng.registers.county import County

_FIRST = ("class_teacher", "clerk", "district")  # of several roles at one unit, who writes


@dataclass(frozen=True)
class Authors:
    """Unit code → account, for every unit that has rows: its own writer, else the one of the unit above it."""

    of: Mapping[str, Account]
    office: Account

    @classmethod
    def make(cls, county: County, accounts: Mapping[str, Account]) -> Authors:
        """From the accounts of the county. The office in charge writes where nobody else does."""
        found: dict[str, Account] = {}
        for role in reversed(_FIRST):
            for one in county.accounts:
                found |= {member.unit: accounts[one.username] for member in one.memberships if member.role == role}
        for unit in county.units:  # parents first
            if unit.code not in found and unit.parent in found:
                found[unit.code] = found[unit.parent]
        office = next(accounts[one.username] for one in county.accounts if one.demo == "department")
        return cls(found, office)

    def __call__(self, unit: str) -> Account:
        """Who writes the rows of a unit, by its code."""
        return self.of.get(unit, self.office)
