"""Whose figures a page shows: the unit chosen in the switcher, always one of the person's own."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import ROLES
from jiaoheng.bureau.core.models import Account, Unit
from jiaoheng.bureau.core.scope import members_today
from jiaoheng.bureau.core.tree import names_at

KEY = "unit"
_FOUND = "_jiaoheng_places"


@dataclass(frozen=True, slots=True)
class Place:
    """A unit of the switcher: its name, and the roles that the person has there."""

    unit_id: int
    name: str
    roles: str


def places_of(account: Account) -> list[Place]:
    """The units of a person's memberships today, each once, in the order in which they began."""
    roles: dict[int, list[str]] = {}
    for member in sorted(members_today(account), key=lambda one: (one.starts_on, one.pk)):
        roles.setdefault(member.unit_id, []).append(ROLES[member.role].title)
    names = names_at(list(roles), clock.today())
    return [Place(unit_id, names.get(unit_id, ""), "、".join(titles)) for unit_id, titles in roles.items()]


def switcher(request: HttpRequest) -> list[Place]:
    """`places_of` the person who asks, found once in a request: the frame, the crumbs and the page need them."""
    found: list[Place] | None = getattr(request, _FOUND, None)
    if found is None:
        found = places_of(request.user)
        setattr(request, _FOUND, found)
    return found


def current_place(request: HttpRequest) -> Place | None:
    """The chosen unit, else the first one; None for an account without any membership."""
    places = switcher(request)
    chosen = request.session.get(KEY)
    return next((place for place in places if place.unit_id == chosen), places[0] if places else None)


def current_unit(request: HttpRequest) -> Unit | None:
    """The unit of `current_place`."""
    place = current_place(request)
    return Unit.objects.get(pk=place.unit_id) if place is not None else None
