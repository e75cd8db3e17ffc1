"""Every route × every role × things of every side: what one may not read is missing, what one may only read is refused."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse

from bureau.web.walk_kit import ask, entered, own_unit
from bureau.web.walk_stage import ACTORS, ID_NUMBERS, MISSING, Ground
from bureau.web.walk_table import OWN, ROUTES, Route, may, reads

pytestmark = pytest.mark.django_db
_BOTH = ("clerk", "department")  # for these every route is asked for a missing thing as well


def sides(ground: Ground, kind: str) -> dict[str, Any]:
    """The things of a kind that there are, by side."""
    fixed = {"register": {"甲": "activities"}, "codes": {}, "exam": {"县": "2025-autumn"}}
    if kind == "unit":
        return {side: ground.things[kind][side] for side in ("县", "东", "西", "甲", "丙", "甲101")}
    return fixed[kind] if kind in fixed else ground.things[kind]


def missing(kind: str) -> Any:
    """An id of a kind that nothing has."""
    if kind in ("photo", "workbook", "result", "job"):
        return MISSING["uuid"]
    return MISSING["name"] if kind in ("register", "codes", "exam") else MISSING["number"]


def address(name: str, route: Route, value: Any = None) -> str:
    """The address of a route for a thing."""
    return reverse(name, kwargs={**({route.argument: value} if route.argument else {}), **route.more})


def methods(route: Route) -> list[tuple[str, tuple[Any, ...]]]:
    """The methods that a route has, with the rights they ask for."""
    return [(name, rights) for name, rights in (("get", route.get), ("post", route.post)) if rights is not None]


def test_every_route_is_in_the_table() -> None:
    from jiaoheng.bureau.web.urls import urlpatterns

    names = {one.name for one in urlpatterns}
    assert names == set(ROUTES), "a route without its line in walk_table.py, or a line without its route"
    for one in urlpatterns:
        parts = set(one.pattern.converters)
        route = ROUTES[one.name]
        assert parts == {*route.more, *filter(None, [route.argument])}, f"{one.name}: parts of the address"


@pytest.mark.parametrize("role", ACTORS)
def test_every_thing_through_every_route(ground: Ground, role: str) -> None:
    client, wrong, count = entered(ground, role), [], Counter[str]()
    blanks: dict[str, bytes] = {}
    for name, route in ROUTES.items():
        sent = {key: own_unit(ground, role) if one == OWN else one for key, one in route.sent.items()}
        for method, rights in methods(route):
            for kind in route.kinds:
                blank = _blank(client, address(name, route, missing(kind)), blanks)
                if role in _BOTH:
                    answer, body, _ = ask(client, method, address(name, route, missing(kind)), sent)
                    if (answer.status_code, body) != (404, blank) and may(role, rights, route):
                        wrong.append(f"{method} {name}: a missing {kind} gives {answer.status_code}")
                for side, value in sides(ground, kind).items():
                    answer, body, written = ask(client, method, address(name, route, value), sent)
                    where = f"{method} {name} {kind} of {side}"
                    count[str(answer.status_code)] += 1
                    wrong += [f"{where}: a number in full" for one in _in_full(role, name, side, body) if one]
                    if not reads(role, kind, side):
                        # who may never do this may be told so before the thing is looked for
                        early = answer.status_code == 403 and kind == "register_draft" and not may(role, rights, route)
                        if (answer.status_code, body) != (404, blank) and not early:
                            wrong.append(f"{where}: {answer.status_code}, unlike a missing one")
                        if written:
                            wrong.append(f"{where}: wrote {set(written)}")
                    else:
                        wrong += [f"{where}: {one}" for one in _read(role, method, rights, route, answer, written)]
    print(f"{role}: {len(ROUTES)} routes, {sum(count.values())} things asked, {dict(count)}")
    assert not wrong, "\n".join(wrong)


def _blank(client: Any, of: str, known: dict[str, bytes]) -> bytes:
    """The page of a missing thing; the navigation marks the room of its address."""
    room = of.split("/")[1]
    if room not in known:
        answer, known[room], _ = ask(client, "get", f"/{room}/there/is/nothing/here", {})
        assert answer.status_code == 404
    return known[room]


def _read(
    role: str, method: str, rights: tuple[Any, ...], route: Route, answer: Any, written: list[str]
) -> Iterator[str]:
    """What is wrong with the answer about a thing that the role reads."""
    status = answer.status_code
    if may(role, rights, route):
        if status in (403, 404) or status >= 500:
            yield f"{status} with the right"
    elif status != 403:
        yield f"{status} without the right"
    elif not re.search(r"<h1>没有办理权限</h1><p>[^<]{8,}</p>", answer.content.decode()):
        yield "403 without a sentence"
    if written and status == 403:
        yield f"403 and wrote {set(written)}"
    if method == "get" and written and not route.writes:
        yield f"a get wrote {set(written)}"


def _in_full(role: str, name: str, side: str, body: bytes) -> list[bool]:
    if name == "record_reveal" and reads(role, "record", side):
        return []
    return [one.encode() in body for one in ID_NUMBERS.values()]
