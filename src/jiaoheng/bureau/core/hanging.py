"""What hangs on a unit that ends, and where it goes: accounts here, drafts, filings and cases added by their apps.

An app adds a `Hanger` to `HANGING`: `look` counts for the preview and `move` carries out what the preview said. Both
must find nothing more to do when they come again: a change for a later day is carried out on that day. `RELINING`
holds functions that correct the ancestor columns of rows an app keeps.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db.models import Q

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import Account, Membership, Unit, UnitPath
from jiaoheng.bureau.core.search_index import index_accounts
from jiaoheng.bureau.core.tree import line_at, name_of


@dataclass(frozen=True, slots=True)
class Ending:
    """Units that end on a day: one with the classes that end with it, and the unit it goes into (None: closed)."""

    unit: Unit
    receiver: Unit | None
    day: dt.date
    also: tuple[Unit, ...] = ()

    @property
    def units(self) -> tuple[Unit, ...]:
        """All that end."""
        return (self.unit, *self.also)

    @property
    def due(self) -> bool:
        """Whether the day has come."""
        return self.day <= clock.today()

    @property
    def words(self) -> str:
        """乙已于 2025-09-01 并入甲."""
        name = name_of(self.unit, self.day)
        if self.receiver is None:
            return f"{name}已于 {self.day} 撤销"
        return f"{name}已于 {self.day} 并入{name_of(self.receiver, self.day)}"


@dataclass(frozen=True, slots=True)
class Hanging:
    """One kind of thing that hangs on the unit: how many, their names, where they go."""

    key: str
    title: str
    count: int
    goes: str
    names: tuple[str, ...] = ()
    basis: str = ""  # of what was counted: a preview is stale when it differs

    @property
    def sentence(self) -> str:
        """3 个账号：转到青槐县待分配，不再有权限."""
        return f"{self.count} {self.title}：{self.goes}"


@dataclass(frozen=True, slots=True)
class Hanger:
    """`at_once`: carried out at confirmation even where the day is still to come."""

    key: str
    look: Callable[[Ending], Hanging | None]
    move: Callable[[Ending, Account | None], int]
    at_once: bool = False


HANGING: list[Hanger] = []
RELINING: list[Callable[[Sequence[int], dt.date, Ending | None, Account | None], int]] = []


def look(ending: Ending) -> tuple[Hanging, ...]:
    """Everything that hangs on the ending units."""
    found = (hanger.look(ending) for hanger in HANGING)
    return tuple(one for one in found if one is not None)


def move(ending: Ending, actor: Account | None) -> dict[str, int]:
    """Carry out what the preview said, as far as the day has come. Returns key → count."""
    return {one.key: one.move(ending, actor) for one in HANGING if one.at_once or ending.due}


def reline(unit_ids: Sequence[int], day: dt.date, ending: Ending | None, actor: Account | None) -> int:
    """Correct the rows of units whose place from a day on has changed, in every app. Returns the rows corrected."""
    return sum(one(unit_ids, day, ending, actor) for one in RELINING)


def _accounts(ending: Ending) -> list[Account]:
    homes = [unit.pk for unit in ending.units]
    return list(Account.objects.filter(home_id__in=homes, closed_at__isnull=True).order_by("pk"))


def _memberships(ending: Ending) -> Q:
    """Memberships at the ending units, and those at its classes of people who belong to it."""
    ids = [unit.pk for unit in ending.units]
    below = UnitPath.objects.filter(ancestor_id__in=ids, starts_on__lt=ending.day).values("unit_id")
    still = Q(ends_on__isnull=True) | Q(ends_on__gt=max(ending.day, clock.today()))
    return still & (Q(unit_id__in=ids) | Q(account__home_id__in=ids, unit_id__in=below))


def county_of(unit: Unit, day: dt.date) -> Unit | None:
    """The county above a unit on a day."""
    county_id = line_at(unit, day).county_id
    return Unit.objects.filter(pk=county_id).first() if county_id else None


def _look_at_accounts(ending: Ending) -> Hanging | None:
    people = _accounts(ending)
    members = Membership.objects.filter(_memberships(ending)).order_by("pk")
    guests = members.exclude(account__home_id__in=[unit.pk for unit in ending.units])
    county = name_of(county_of(ending.unit, ending.day), ending.day)
    goes = f"转到{county}待分配，自 {ending.day} 起没有权限，不删除"
    count = guests.values("account_id").distinct().count()
    if count:
        goes += f"；另有 {count} 人在此任职，任职同日结束"
    basis = f"{[one.pk for one in people]}{list(members.values_list('pk', flat=True))}"
    if not people and not count:
        return None
    return Hanging("accounts", "个账号", len(people), goes, tuple(one.name for one in people), basis)


def _move_accounts(ending: Ending, actor: Account | None) -> int:
    """People wait at the county; what they may do at the unit ends on the day, or today where that day has passed."""
    people = [one.pk for one in _accounts(ending)]
    last = max(ending.day, clock.today())
    members = Membership.objects.filter(
        pk__in=list(Membership.objects.filter(_memberships(ending)).values_list("pk", flat=True))
    )
    members.filter(starts_on__gte=last).delete()  # never came into force: a right of no day
    members.filter(starts_on__lt=last).update(ends_on=last)
    if ending.due:
        Account.objects.filter(pk__in=people).update(home=county_of(ending.unit, ending.day - dt.timedelta(days=1)))
        index_accounts(Account.objects.filter(pk__in=people))
    return len(people)


HANGING.append(Hanger("accounts", _look_at_accounts, _move_accounts, at_once=True))
