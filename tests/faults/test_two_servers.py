"""Two servers on one base: the same write sent to both at the same moment is done once, and both tell the same."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
import requests

from faults.comparing import Base, compare
from faults.conftest import QUICK, SEED
from faults.county import PEOPLE
from faults.generator import Sender
from faults.site import Site


def _at_once(*asks: Callable[[], requests.Response]) -> list[requests.Response]:
    """Both at the same moment."""
    start = threading.Barrier(len(asks))
    found: list[Any] = [None] * len(asks)

    def run(number: int, ask: Callable[[], requests.Response]) -> None:
        start.wait(30)
        found[number] = ask()

    threads = [threading.Thread(target=run, args=(number, ask)) for number, ask in enumerate(asks)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(120)
    return found


def _pairs(site: Site, bases: list[str], number: int, chance: random.Random) -> None:
    clerks = [Sender(base, site.plan, "clerk") for base in bases]
    code = f"pair-{number}"
    body = {"unit": site.plan["unit"], "values": {"code": code, "name": "两处同时", "points": "1"}}
    made = _at_once(
        *(
            lambda one=one: one.api(
                "POST", f"/registers/{PEOPLE}/records", json=body, headers={"Idempotency-Key": code}
            )
            for one in clerks
        )
    )
    assert all(one.status_code in (200, 201, 409) for one in made), [one.text for one in made]
    kept = [one for one in made if one.ok]
    assert kept
    assert len({one.json()["id"] for one in kept}) == 1
    record, points = kept[0].json()["id"], [chance.randrange(2, 500), chance.randrange(500, 999)]
    changed = _at_once(
        *(
            lambda one=one, value=value: one.api(
                "PATCH", f"/records/{record}", json={"values": {"points": str(value)}}, headers={"If-Match": '"1"'}
            )
            for one, value in zip(clerks, points, strict=True)
        )
    )
    assert sorted(one.status_code for one in changed) == [200, 409], [one.text for one in changed]
    winner = points[[one.status_code for one in changed].index(200)]
    assert clerks[0].api("GET", f"/records/{record}").json()["values"]["points"] in (winner, str(winner))
    filing = site.plan["rounds"][number // 6]["filings"][number % 6][0]
    district = [Sender(base, site.plan, "district") for base in bases]
    seen = district[0].api("GET", f"/filings/{filing}").headers["ETag"]
    passed = _at_once(
        *(
            lambda one=one: one.api("POST", f"/filings/{filing}/approve", json={}, headers={"If-Match": seen})
            for one in district
        )
    )
    assert sorted(one.status_code for one in passed) == [200, 409], [one.text for one in passed]


def _two(site: Site, runs: int, tell: Callable[..., None], where: str) -> None:
    servers = [site.start(wait=False), site.start(wait=False)]
    for one in servers:
        site.ready(one)
    bases = [one.base for one in servers]
    chance = random.Random(SEED)
    for number in range(runs):
        _pairs(site, bases, number, chance)
    writing = site.write({"records": 2, "photos": 2, "imports": 2}, bases, rows=100)
    writing.until_asked(many=6 * runs)
    writing.end()
    site.examine()
    found = compare(site, site.books())
    base = Base(site)
    doubled = base.rows(
        "SELECT key, count(*) FROM ledgers_record WHERE deleted_at IS NULL GROUP BY register_id, unit_id, period_id, key HAVING count(*) > 1"
    )
    base.close()
    tell(f"two servers at once, {where}", runs, found, pairs=3 * runs)
    found.check()
    assert not doubled
    for one in servers:
        one.end()


@pytest.mark.slow
def test_two_servers_that_start_at_once_on_one_base(on_sqlite: Site, tell: Callable[..., None]) -> None:
    _two(on_sqlite, QUICK, tell, "SQLite")


@pytest.mark.slow
def test_two_servers_on_one_base_many_times(on_sqlite: Site, runs: int, tell: Callable[..., None]) -> None:
    _two(on_sqlite, runs, tell, "SQLite")


@pytest.mark.slow
def test_two_servers_on_one_postgres_base(on_postgres: Site, runs: int, tell: Callable[..., None]) -> None:
    _two(on_postgres, runs, tell, "PostgreSQL")
