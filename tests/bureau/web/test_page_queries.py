"""Each kind of page asks the database a bounded number of questions, as many for one row as for many."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bureau.web.walk_kit import entered
from bureau.web.walk_stage import Ground, _write
from jiaoheng.bureau.ledgers.models import RegisterRow

pytestmark = pytest.mark.django_db
MORE = 25  # rows that come between the two requests

# page: (role, address with the kind and side of the thing in it, most queries)
PAGES = {
    "home": ("clerk", "/", 30),
    "home of the office": ("department", "/", 30),
    "home of a leader": ("leader", "/", 30),
    "home of a district": ("district", "/", 30),
    "rounds": ("department", "/rounds/", 20),
    "board": ("department", "/rounds/{round:县}/", 40),
    "board for a leader": ("leader", "/rounds/{round:县}/", 40),
    "filing": ("clerk", "/filings/{filing:甲}/", 35),
    "filing for the office": ("department", "/filings/{filing:甲}/", 35),
    "registers": ("leader", "/ledgers/", 14),
    "list": ("leader", "/ledgers/roster/", 30),
    "list, sorted and filtered": ("clerk", "/ledgers/roster/?sort=-points&f.points.from=1", 30),
    "record": ("clerk", "/records/{record:甲}/", 30),
    "form": ("clerk", "/records/{record:甲}/edit", 25),
    "new form": ("clerk", "/ledgers/roster/new", 28),
    "about": ("clerk", "/ledgers/roster/about", 15),
    "import": ("clerk", "/imports/{import:甲}/", 15),
    "school": ("leader", "/units/{unit:甲}/", 65),
    "district": ("leader", "/units/{unit:东}/", 70),
    "county": ("admin", "/units/{unit:县}/", 70),
    "units": ("leader", "/units/", 20),
    "people": ("admin", "/people/", 20),
    "person": ("admin", "/people/{account:甲}/", 32),
    "search": ("leader", "/search?q=记号", 20),
    "audit": ("admin", "/audit/", 15),
    "calendar": ("leader", "/calendar/", 20),
    "me": ("clerk", "/me", 18),
}


def address(ground: Ground, pattern: str) -> str:
    head, brace, rest = pattern.partition("{")
    if not brace:
        return pattern
    kind, side = rest.partition("}")[0].split(":")
    return f"{head}{ground.things[kind][side]}{rest.partition('}')[2]}"


def test_pages_ask_a_bounded_number_of_questions(ground: Ground) -> None:
    """One stage for all pages: making it costs more than asking them."""
    clients = {role: entered(ground, role) for role, _path, _most in PAGES.values()}

    def count(name: str) -> int:
        role, pattern, _most = PAGES[name]
        path = address(ground, pattern)
        assert clients[role].get(path).status_code == 200, name
        with CaptureQueriesContext(connection) as seen:
            clients[role].get(path)
        return len(seen)

    before = {name: count(name) for name in PAGES}
    assert {name: found for name, found in before.items() if found > PAGES[name][2]} == {}
    many = [{"name": f"甲{number:03d}", "points": number + 1} for number in range(MORE)]
    for register in ("roster", "activities"):
        rows = [{"name": row["name"]} for row in many] if register == "activities" else many
        _write(RegisterRow.objects.get(name=register), ground.world["甲"], rows, acting_user=ground.world["甲填报"])
    for number in range(MORE):
        ground.stage.fill("甲", name=f"二（{number}）班", pupils=40)
    after = {name: count(name) for name in PAGES}
    assert {name: (before[name], found) for name, found in after.items() if found > before[name]} == {}
