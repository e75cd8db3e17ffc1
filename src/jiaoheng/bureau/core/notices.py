"""Lines that tell a person what changed. Derived from what happened elsewhere, so they leave no entries of their own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import ROLES, Can
from jiaoheng.bureau.core.models import Account, Membership, Notice, Unit, UnitPath
from jiaoheng.bureau.core.tree import holds


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """One line of the home page's third part."""

    id: int
    at: dt.datetime
    title: str
    text: str
    link: str
    mood: str


def notify(
    accounts: Iterable[Account | int], title: str, text: str = "", link: str = "", mood: str = "", key: str = ""
) -> None:
    """Tell people one thing. With a `key`, what a person was told once is not told again, however often it runs.

    `link` is an address of this server. Call it inside the action, so that the line stands or falls with it.
    """
    ids = {one if isinstance(one, int) else one.pk for one in accounts}
    at = clock.now()
    lines = [
        Notice(account_id=one, at=at, title=title[:200], text=text[:500], link=link[:200], mood=mood, key=key[:120])
        for one in sorted(ids)
    ]
    Notice.objects.bulk_create(lines, batch_size=500, ignore_conflicts=bool(key))


def unseen(account: Account, limit: int = 50) -> list[NoticeLine]:
    """What a person has not looked at yet, newest first."""
    return _lines(Notice.objects.filter(account=account, seen_at__isnull=True), limit)


def recent(account: Account, limit: int = 50) -> list[NoticeLine]:
    """Everything a person was told, newest first."""
    return _lines(Notice.objects.filter(account=account), limit)


def mark_seen(account: Account, ids: Sequence[int] | None = None) -> int:
    """Put lines away: the given ones, or all; those of other people stay. How many there were."""
    lines = Notice.objects.filter(account=account, seen_at__isnull=True)
    if ids is not None:
        lines = lines.filter(pk__in=list(ids))
    return int(lines.update(seen_at=clock.now()))


def receivers_of(unit: Unit, what: Can | str, day: dt.date | None = None) -> list[Account]:
    """Who is addressed for a unit: the open accounts with a role there (a key of ROLES), or with any role that `can`.

    At the county the offices below it count too. Roles that are narrowed to some registers answer for no unit.
    """
    day = day or clock.today()
    if isinstance(what, Can):
        roles = [key for key, role in ROLES.items() if what in role.can and not role.registers]
    else:
        roles = [ROLES[what].key]
    places = Q(unit=unit, role__in=roles)
    if unit.level == Unit.Level.COUNTY:
        wide = [key for key in roles if ROLES[key].reach == "parent"]
        offices = UnitPath.objects.filter(holds(day), ancestor=unit, unit__level=Unit.Level.DEPARTMENT)
        places |= Q(unit_id__in=offices.values("unit_id"), role__in=wide)
    members = Membership.objects.filter(holds(day), places, account__closed_at__isnull=True)
    return list(Account.objects.filter(pk__in=members.values("account_id")).order_by("pk"))


def _lines(rows: Iterable[Notice], limit: int) -> list[NoticeLine]:
    newest = rows.order_by("-at", "-pk")[:limit]  # type: ignore[attr-defined]
    return [NoticeLine(one.pk, one.at, one.title, one.text, one.link, one.mood) for one in newest]
