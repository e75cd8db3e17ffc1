"""Whose figures a page shows: the unit chosen in the switcher, always one of the person's own."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import ROLES
from jiaoheng.bureau.core.models import Account, Unit
from jiaoheng.bureau.core.scope import memberships_of
from jiaoheng.bureau.core.tree import names_at

KEY = "unit"


@dataclass(frozen=True, slots=True)
class Place:
    """A unit of the switcher: its name, and the roles that the person has there."""

    unit_id: int
    name: str
    roles: str


def places_of(account: Account) -> list[Place]:
    """The units of a person's memberships today, each once, in the order in which they began."""
    roles: dict[int, list[str]] = {}
    for member in memberships_of(account).order_by("starts_on", "pk"):
        roles.setdefault(member.unit_id, []).append(ROLES[member.role].title)
    names = names_at(list(roles), clock.today())
    return [Place(unit_id, names.get(unit_id, ""), "、".join(titles)) for unit_id, titles in roles.items()]


def current_place(request: HttpRequest) -> Place | None:
    """The chosen unit, else the first one; None for an account without any membership."""
    places = places_of(request.user)
    chosen = request.session.get(KEY)
    return next((place for place in places if place.unit_id == chosen), places[0] if places else None)


def current_unit(request: HttpRequest) -> Unit | None:
    """The unit of `current_place`."""
    place = current_place(request)
    return Unit.objects.get(pk=place.unit_id) if place is not None else None
