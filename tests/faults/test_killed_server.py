"""kill -9 of the server while everything is written: imports, approvals, mergers, workbooks, records, photos."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from faults.comparing import compare
from faults.conftest import QUICK, SEED
from faults.site import Site, moments

STREAMS = {"records": 1, "photos": 1, "imports": 1, "approvals": 1, "bulk": 1, "mergers": 1, "workbooks": 1}
KINDS = ("import", "approval", "bulk", "merger", "workbook", "photo", "record")


def killed_again_and_again(site: Site, runs: int, seed: int) -> Counter[str]:
    """Start, let everything be written, kill at a random moment, start anew, examine, compare; which kinds were in flight."""
    caught: Counter[str] = Counter()
    rounds, merging, chance = site.plan["rounds"], site.plan["merging"], random.Random(seed)
    server = site.start()
    for number, pause in enumerate(moments(seed, runs, 2.5)):
        aimed = KINDS[number % 5]
        single = rounds[number // 3]["filings"][number % 3 * 2 :][:2]
        bulk = rounds[runs // 3 + 1 + number :][:2]
        writing = site.write(
            STREAMS, [server.base], single=single, bulk=bulk, merging=merging[number:], rows=chance.randrange(50, 2500)
        )
        writing.until_asked(aimed)
        writing.until_asked("record", many=2)  # the first of them is answered then
        time.sleep(pause)
        server.kill(all_at_once=chance.random() < 0.8)
        for one in writing.end():
            caught[one.kind] += one.open
        server = site.start()
        site.examine()
        compare(site, site.books()).check()
    server.end()
    return caught


def _all_there(site: Site, runs: int, tell: Callable[..., None], kind: str) -> None:
    caught = killed_again_and_again(site, runs, SEED)
    found = compare(site, site.books())
    if runs > QUICK:
        site.command("audit", "verify")
    tell(kind, runs, found, caught=dict(caught))
    found.check()
    assert found.counted["record acknowledged"] >= runs


def test_a_server_that_is_killed_while_everything_is_written(on_sqlite: Site, tell: Callable[..., None]) -> None:
    _all_there(on_sqlite, QUICK, tell, "kill -9 server, SQLite")


@pytest.mark.slow
def test_a_server_that_is_killed_many_times(on_sqlite: Site, runs: int, tell: Callable[..., None]) -> None:
    _all_there(on_sqlite, runs, tell, "kill -9 server, SQLite")


@pytest.mark.slow
def test_a_server_on_postgres_that_is_killed_many_times(on_postgres: Site, runs: int, tell: Callable[..., Any]) -> None:
    _all_there(on_postgres, runs, tell, "kill -9 server, PostgreSQL")
