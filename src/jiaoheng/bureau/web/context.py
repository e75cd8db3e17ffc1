"""What the frame of every page shows: rooms, unit switcher, person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Unit
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import name_of
from jiaoheng.bureau.web.current import current_place, switcher


@dataclass(frozen=True, slots=True)
class Room:
    """One entry of the main navigation."""

    name: str
    url: str
    here: bool


_ROOMS = (
    ("待办", "home", (), None),
    ("台账", "ledgers", ("/ledgers", "/records", "/imports"), Can.READ),
    ("采集", "rounds", ("/rounds", "/filings"), Can.READ),
    ("学校", "units", ("/units",), Can.READ),
    ("考试", "exams", ("/exams",), Can.READ),
    ("人员", "people", ("/people",), Can.ACCOUNTS),
    ("操作记录", "audit", ("/audit",), Can.AUDIT),
)


def shell(request: HttpRequest) -> dict[str, Any]:
    """Names for the frame of a page; little for someone who has not signed in."""
    county = Unit.objects.filter(level=Unit.Level.COUNTY).order_by("pk").first()
    frame: dict[str, Any] = {"county_name": name_of(county, clock.today()), "demo": settings.DEMO, "now": clock.now()}
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return frame
    path = request.path
    rooms = []
    for name, url_name, starts, can in _ROOMS:
        if can is not None and not scope_of(user, can):
            continue
        here = path == "/" if not starts else path.startswith(starts)
        rooms.append(Room(name, reverse(url_name), here))
    frame.update(rooms=rooms, places=switcher(request), place=current_place(request))
    return frame
