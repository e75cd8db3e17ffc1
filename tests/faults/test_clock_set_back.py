"""The clock is set back by an hour, again and again: two servers whose clocks are an hour apart write in turn.

The second server's clock is set by JIAOHENG_DEMO_NOW, which a demonstration alone takes (`core/demo_clock.py`): for the
base it is the same machine after its clock was set back.
"""

from __future__ import annotations

import datetime as dt
import random
import signal
import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from faults.comparing import Base, Found, compare
from faults.conftest import QUICK, SEED
from faults.county import PEOPLE
from faults.generator import Sender
from faults.site import Site, until

HOUR = dt.timedelta(hours=1)


def _back() -> str:
    return (dt.datetime.now(dt.UTC) - HOUR).isoformat()


def _in_turn(site: Site, bases: list[str], number: int, chance: random.Random) -> None:
    """A record and its changes, an approval of two levels, by turns before and after the clock was set back."""
    clerks = [Sender(base, site.plan, "clerk") for base in bases]
    body = {"unit": site.plan["unit"], "values": {"code": f"clock-{number}", "name": "时钟", "points": "1"}}
    made = clerks[0].api("POST", f"/registers/{PEOPLE}/records", json=body)
    assert made.status_code == 201, made.text
    record = made.json()["id"]
    for version in range(1, 4):
        one = clerks[chance.randrange(2) if version > 1 else 1]
        values = {"points": str(version * 10)}
        done = one.api("PATCH", f"/records/{record}", json={"values": values}, headers={"If-Match": f'"{version}"'})
        assert done.status_code == 200, done.text
    filing = site.plan["rounds"][number // 6]["filings"][number % 6][0]
    for who, base in (("district", bases[0]), ("office", bases[1])):
        sender = Sender(base, site.plan, who)
        seen = sender.api("GET", f"/filings/{filing}").headers["ETag"]
        passed = sender.api("POST", f"/filings/{filing}/approve", json={}, headers={"If-Match": seen})
        assert passed.status_code == 200, passed.text
    for base in bases:  # whoever is signed in stays so
        assert Sender(base, site.plan, "clerk").page("GET", "/").status_code == 200


def _check_order(site: Site) -> int:
    """Everything that was written stands in the order of its writing."""
    base = Base(site)
    try:
        moments = [row[0] for row in base.rows("SELECT at FROM core_auditentry ORDER BY number")]
        assert all(one <= other for one, other in pairwise(moments)), "audit entries go back"
        assert not base.rows("SELECT id FROM ledgers_recordversion WHERE valid_to < valid_from")
        sql = "SELECT record_id, valid_from FROM ledgers_recordversion ORDER BY record_id, number"
        rows = base.rows(sql)
        for (record, begin), (other, later) in pairwise(rows):
            assert record != other or begin <= later, f"record {record} goes back"
        steps = base.rows("SELECT filing_id, at FROM ledgers_filingstep ORDER BY filing_id, id")
        for (filing, at), (other, later) in pairwise(steps):
            assert filing != other or at <= later, f"filing {filing} goes back"
        return len(moments)
    finally:
        base.close()


def _deadline_holds(site: Site, bases: list[str]) -> None:
    """A date that has passed before the clock was set back has passed after it too."""
    round_ = site.plan["rounds"][-1]
    office, page = Sender(bases[0], site.plan, "office"), f"/rounds/{site.plan['rounds'][-1]['id']}/deadline"
    assert office.page("POST", page, data={"act": "close", "reason": "到期"}).status_code in (302, 303)
    filing = round_["filings"][0][0]
    answers = []
    for base in bases:
        sender = Sender(base, site.plan, "office")
        seen = sender.api("GET", f"/filings/{filing}")
        answers.append((seen.json()["closed_why"], seen.json()["state"]))
    assert answers[0] == answers[1], answers


def _dead_worker_is_noticed(site: Site) -> None:
    """A lease of before the clock was set back does not hold a dead worker's job for an hour."""
    base = Base(site)
    row = base.rows("SELECT 1 FROM core_job WHERE state = 'running'")
    base.close()
    assert row
    until(lambda: _interrupted(site), "the dead worker's job reads interrupted", 150, pause=0.5)


def _interrupted(site: Site) -> bool:
    base = Base(site)
    try:
        return bool(base.rows("SELECT 1 FROM core_job WHERE state = 'interrupted'"))
    finally:
        base.close()


def _set_back(site: Site, runs: int, tell: Callable[..., None], where: str, *, worker: bool) -> None:
    chance = random.Random(SEED)
    first, second = site.start(wait=False), site.start(wait=False, JIAOHENG_DEMO_NOW=_back())
    for one in (first, second):
        site.ready(one)
    bases = [first.base, second.base]
    for number in range(runs):
        _in_turn(site, bases, number, chance)
    entries = _check_order(site)
    _deadline_holds(site, bases)
    found = Found()
    if worker:
        before = site.worker()
        writing = site.write({"imports": 1}, [first.base], rows=5_200, imports=1)

        def at_work() -> bool:
            base = Base(site)
            try:
                return bool(base.rows("SELECT 1 FROM core_job WHERE state = 'running'"))
            finally:
                base.close()

        until(at_work, "a job runs", pause=0.01)
        before.send_signal(signal.SIGKILL)
        before.wait(30)
        time.sleep(0.2)
        if at_work():
            after = site.worker(JIAOHENG_DEMO_NOW=_back())
            _dead_worker_is_noticed(site)
            after.terminate()
            after.wait(60)
        writing.stop.touch()
        writing.process.wait(120)
        found = compare(site, site.books())
    site.examine()
    tell(f"clock set back an hour, {where}", 3 * runs, found, entries=entries)
    found.check()
    for one in (first, second):
        one.end()


@pytest.mark.slow
def test_a_clock_that_is_set_back_mixes_nothing_up(on_sqlite: Site, tell: Callable[..., None]) -> None:
    _set_back(on_sqlite, QUICK, tell, "SQLite", worker=False)


@pytest.mark.slow
def test_a_clock_that_is_set_back_many_times(on_sqlite: Site, runs: int, tell: Callable[..., None]) -> None:
    _set_back(on_sqlite, runs, tell, "SQLite", worker=True)


@pytest.mark.slow
def test_a_clock_that_is_set_back_on_postgres(on_postgres: Site, runs: int, tell: Callable[..., None]) -> None:
    _set_back(on_postgres, runs, tell, "PostgreSQL", worker=False)
