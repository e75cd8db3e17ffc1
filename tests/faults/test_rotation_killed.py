"""`jiaoheng keys rotate` is killed at random moments, then finished by one more run."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable

import pytest

from faults.comparing import Base, compare
from faults.conftest import QUICK, SEED
from faults.site import Site

_A_KEY = 5  # kills between two new keys


def _sealed_with(site: Site) -> Counter[str]:
    base = Base(site)
    used: Counter[str] = Counter()
    for (data,) in base.rows("SELECT data FROM ledgers_recordversion"):
        content = json.loads(data) if isinstance(data, str) else data
        for value in content.values():
            if isinstance(value, dict) and "c" in value:
                used[value["c"].split(":", 1)[0]] += 1
    base.close()
    return used


def _rotated(site: Site, runs: int, tell: Callable[..., None], where: str) -> None:
    chance, longest = random.Random(SEED), 0.0
    server = site.start()
    before = sum(_sealed_with(site).values())
    assert before
    wave = 0
    for number in range(runs):
        if number % _A_KEY == 0:
            if wave:
                site.command("keys", "rotate")
                assert len(_sealed_with(site)) == 1
            site.command("keys", "add")
            wave += 1
            begin = time.monotonic()
            site.command("keys", "list", expect=None)
            longest = time.monotonic() - begin  # what loading the program takes on this machine
        writing = site.write({"records": 1, "imports": 1}, [server.base], rows=30, pause=0.1)
        rotating = site.begin("keys", "rotate")
        time.sleep(longest * 0.7 + chance.random() * longest)
        alive = rotating.poll() is None
        with contextlib.suppress(ProcessLookupError):  # it came to its end before
            os.killpg(rotating.pid, signal.SIGKILL)
        rotating.wait(30)
        writing.end()
        compare(site, site.books()).check()
        if alive:
            site.examine()
    site.command("keys", "rotate")
    used = _sealed_with(site)
    site.examine()
    found = compare(site, site.books())
    site.command("audit", "verify")
    tell(f"key rotation killed, {where}", runs, found, keys=wave, sealed=sum(used.values()))
    found.check()
    assert sum(used.values()) == before
    assert len(used) == 1
    assert site.command("keys", "list").returncode == 0
    server.end()


@pytest.mark.slow
def test_a_rotation_of_keys_that_is_killed_is_finished_by_the_next(on_sqlite: Site, tell: Callable[..., None]) -> None:
    _rotated(on_sqlite, QUICK, tell, "SQLite")


@pytest.mark.slow
def test_a_rotation_of_keys_that_is_killed_many_times(on_sqlite: Site, runs: int, tell: Callable[..., None]) -> None:
    _rotated(on_sqlite, runs, tell, "SQLite")


@pytest.mark.slow
def test_a_rotation_of_keys_on_postgres_that_is_killed_many_times(
    on_postgres: Site, runs: int, tell: Callable[..., None]
) -> None:
    _rotated(on_postgres, runs, tell, "PostgreSQL")
