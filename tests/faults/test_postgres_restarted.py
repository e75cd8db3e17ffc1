"""PostgreSQL is stopped at once and started anew while everything is written; server and worker stay as they are."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable

import pytest

from faults.comparing import compare
from faults.conftest import QUICK, SEED
from faults.site import Postgres, Site, moments

STREAMS = {"records": 2, "photos": 1, "imports": 1, "approvals": 1, "bulk": 1, "mergers": 1}


def _restarted(site: Site, postgres: Postgres, runs: int, tell: Callable[..., None]) -> None:
    chance, seen = random.Random(SEED), Counter[str]()
    rounds, merging = site.plan["rounds"], site.plan["merging"]
    server = site.start()
    for number, pause in enumerate(moments(SEED, runs, 2.0)):
        single = rounds[number // 3]["filings"][number % 3 * 2 :][:2]
        bulk = rounds[runs // 3 + 1 + number :][:1]
        writing = site.write(
            STREAMS,
            [server.base],
            single=single,
            bulk=bulk,
            merging=merging[number:][:1],
            rows=chance.randrange(50, 1500),
        )
        writing.until_asked(many=5)
        writing.until_asked("record", many=2)  # the first of them is answered then
        time.sleep(pause)
        postgres.stop()
        time.sleep(chance.random())
        postgres.start()
        before = len(writing.known())
        writing.until_asked(many=before + 6)
        for one in writing.end():
            seen[f"{one.kind} {one.status}"] += 1
            assert one.status is None or one.status < 500 or one.status == 503, one
        site.examine()
        compare(site, site.books()).check()
    server.end()
    found = compare(site, site.books())
    tell("PostgreSQL stopped at once and started", runs, found, answers=dict(seen))
    found.check()
    assert found.counted["record acknowledged"] >= runs


@pytest.mark.slow
def test_a_database_that_is_started_anew_under_writes(
    on_postgres: Site, postgres: Postgres, tell: Callable[..., None]
) -> None:
    _restarted(on_postgres, postgres, QUICK, tell)


@pytest.mark.slow
def test_a_database_that_is_started_anew_many_times(
    on_postgres: Site, postgres: Postgres, runs: int, tell: Callable[..., None]
) -> None:
    _restarted(on_postgres, postgres, runs, tell)
