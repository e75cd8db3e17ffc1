"""Row scope, applied in one place: the subtrees in which an account has a capability, as a condition on fact rows.

Fact rows (records, filings, search entries) carry the ids of their ancestors at their own date, so a scope is one
condition on level columns and holds for last year's rows of a school that has moved since.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import ROLES, Can, roles_that
from jiaoheng.bureau.core.models import Account, Membership, Unit, UnitPath
from jiaoheng.bureau.core.tree import Line, holds

_asked: ContextVar[dict[tuple[int, dt.date], list[Membership]] | None] = ContextVar("memberships", default=None)
_counties: ContextVar[dict[tuple[int, dt.date], int | None] | None] = ContextVar("counties", default=None)


@dataclass(frozen=True, slots=True)
class Root:
    """One subtree: the unit at its top, its level, and the registers it is narrowed to (empty: all)."""

    unit_id: int
    level: str
    registers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """The subtrees in which one capability holds."""

    roots: tuple[Root, ...]

    def rows(self, register: str | None = None, *, prefix: str = "") -> Q:
        """Condition on rows with county_id, district_id, school_id, class_id and unit_id columns."""
        found = Q(pk__in=[])
        for root in self.roots:
            if root.registers and register not in root.registers:
                continue
            column = "unit_id" if root.level == Unit.Level.DEPARTMENT else f"{root.level}_id"
            found |= Q(**{prefix + column: root.unit_id})
        return found

    def covers(self, line: Line | Any, register: str | None = None) -> bool:
        """Whether a line of ancestors (or a row that has its columns) lies in a subtree."""
        for root in self.roots:
            if root.registers and register not in root.registers:
                continue
            column = "unit_id" if root.level == Unit.Level.DEPARTMENT else f"{root.level}_id"
            if getattr(line, column, None) == root.unit_id:
                return True
        return False

    def units(self, day: dt.date | None = None, level: str | None = None) -> QuerySet[Unit]:
        """The units inside on a day: what every chooser, type-ahead and filter offers."""
        day = day or clock.today()
        inside = UnitPath.objects.filter(holds(day), ancestor_id__in=[root.unit_id for root in self.roots])
        units = Unit.objects.filter(pk__in=inside.values("unit_id"))
        return units.filter(level=level) if level else units

    def __bool__(self) -> bool:
        return bool(self.roots)


def memberships_of(account: Account, day: dt.date | None = None) -> QuerySet[Membership]:
    """The memberships that hold on a day (today)."""
    return Membership.objects.filter(holds(day or clock.today()), account=account).select_related("unit")


@contextlib.contextmanager
def remembered() -> Iterator[None]:
    """Within one request the memberships of a person are asked for once: every door of a page needs them.

    A change of memberships inside the request empties what was remembered (`forget`); the next request asks anew.
    """
    token, counties = _asked.set({}), _counties.set({})
    try:
        yield
    finally:
        _asked.reset(token)
        _counties.reset(counties)


def forget() -> None:
    """Memberships have changed: ask for them again."""
    for asked in (_asked.get(), _counties.get()):
        if asked is not None:
            asked.clear()


def members_today(account: Account) -> list[Membership]:
    """The memberships that hold today, asked for once in a request."""
    return _members(account, clock.today())


def _members(account: Account, day: dt.date) -> list[Membership]:
    asked = _asked.get()
    key = (account.pk, day)
    if asked is not None and key in asked:
        return asked[key]
    found = list(memberships_of(account, day))
    if asked is not None:
        asked[key] = found
    return found


def _county_of(office: Unit, day: dt.date) -> int | None:
    asked = _counties.get()
    if asked is not None and (office.pk, day) in asked:
        return asked[office.pk, day]
    above = UnitPath.objects.filter(holds(day), unit=office, ancestor__level=Unit.Level.COUNTY).first()
    found = above.ancestor_id if above is not None else None
    if asked is not None:
        asked[office.pk, day] = found
    return found


def scope_of(account: Account, can: Can, day: dt.date | None = None) -> Scope:
    """Where an account has a capability. Two roles never melt into one: each capability has its own subtrees."""
    if not account.is_active:
        return Scope(())
    day = day or clock.today()
    roots: set[Root] = set()
    roles = set(roles_that(can))
    for member in _members(account, day):
        if member.role not in roles:
            continue
        role, unit = ROLES[member.role], member.unit
        if role.reach == "parent" and unit.level == Unit.Level.DEPARTMENT:
            county = _county_of(unit, day)
            if county is not None:
                roots.add(Root(county, Unit.Level.COUNTY, role.registers))
        else:
            roots.add(Root(unit.pk, unit.level, role.registers))
    return Scope(tuple(sorted(roots, key=lambda root: (root.level, root.unit_id))))
