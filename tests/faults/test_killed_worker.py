"""kill -9 of the worker while it reads and writes large imports; two workers on one queue."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from faults.comparing import Base, compare
from faults.conftest import QUICK, SEED
from faults.generator import Sender
from faults.site import Site, until

ROWS = 5_200  # more than are written while the person waits, and more bytes than are read so


def _jobs(site: Site, where: str = "1=1") -> list[Any]:
    base = Base(site)
    try:
        return base.rows(f"SELECT id, state, kind, attempts, worker FROM core_job WHERE {where}")  # noqa: S608
    finally:
        base.close()


def _kill_at_work(site: Site, worker: subprocess.Popen[bytes], chance: random.Random) -> bool:
    """Kill a worker some moments after it has taken a job; False where there is nothing left to take."""

    def at_work() -> str:
        if _jobs(site, f"state = 'running' AND worker LIKE '%:{worker.pid}:%'"):
            return "at work"
        return "" if _jobs(site, "state = 'waiting'") or not _done_writing(site) else "idle"

    found = until(at_work, "the worker takes a job", pause=0.02)
    time.sleep(chance.random() ** 1.5 * 1.5)
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait(30)
    return bool(found == "at work")


def _done_writing(site: Site) -> bool:
    return all(one.poll() is not None for one in site.running if "faults.generator" in one.args)


def _killed(site: Site, runs: int, tell: Callable[..., None], where: str) -> None:
    chance = random.Random(SEED)
    server = site.start()
    streams = 4 if runs > 4 else 1
    imports = -(-runs // streams)
    writing = site.write({"imports": streams}, [server.base], rows=ROWS, imports=imports)
    kills = 0
    while kills < runs:
        worker = site.worker()
        if not _kill_at_work(site, worker, chance):
            break
        kills += 1
        compare(site, site.books()).check()
    last = site.worker()
    until(lambda: writing.process.poll() is not None, "every file is read and confirmed", 900)
    sender = Sender(server.base, site.plan, "importer")

    def ended() -> bool:
        for batch, state in _batches(site):
            if state == "preview":  # its writing was interrupted: nothing of it is there, its owner runs it anew
                sender.page("POST", f"/imports/{batch}/rerun")
        return not _jobs(site, "state IN ('waiting', 'running')") and all(s == "done" for _, s in _batches(site))

    until(ended, "every import is done", 600, pause=1.0)
    last.terminate()
    last.wait(60)
    site.examine()
    found = compare(site, site.books())
    twice = [one for one in _jobs(site, "kind = 'import-write'") if one[1] != "done"]
    tell(f"kill -9 worker, large imports, {where}", kills, found, imports=len(_batches(site)))
    found.check()
    assert not twice
    assert kills >= min(runs, 2)
    assert found.counted["import acknowledged"] == streams * imports
    server.end()


def _batches(site: Site) -> list[Any]:
    base = Base(site)
    try:
        return base.rows("SELECT id, state FROM ledgers_importbatch")
    finally:
        base.close()


@pytest.mark.slow
def test_a_worker_that_is_killed_at_large_imports(on_sqlite: Site, runs: int, tell: Callable[..., None]) -> None:
    _killed(on_sqlite, runs, tell, "SQLite")


@pytest.mark.slow
def test_a_worker_on_postgres_that_is_killed_at_large_imports(
    on_postgres: Site, runs: int, tell: Callable[..., None]
) -> None:
    _killed(on_postgres, runs, tell, "PostgreSQL")


def _two_workers(site: Site, jobs: int, tell: Callable[..., None], where: str) -> None:
    def queue(what: str) -> None:
        words = [sys.executable, "-m", "faults.queueing", what, str(jobs), str(site.plan["unit"])]
        subprocess.run(words, env=site.environment, cwd=site.home, check=True, timeout=300)

    for what in ("read", "write"):
        queue(what)
        workers = [site.worker(), site.worker()]
        until(lambda: not _jobs(site, "state IN ('waiting', 'running')"), f"every job is done ({what})")
        for one in workers:
            one.terminate()
            one.wait(60)
    site.examine()
    jobs_there = _jobs(site)
    found = compare(site, [])
    done_by = {str(row[4]).split(":")[1] for row in jobs_there}
    tell(f"two workers on one queue, {where}", len(jobs_there), found, workers=len(done_by))
    found.check()
    assert [(state, attempts) for _pk, state, _kind, attempts, _worker in jobs_there] == [("done", 1)] * (2 * jobs)
    base = Base(site)
    rows = base.rows(
        "SELECT count(*) FROM ledgers_record c JOIN ledgers_registerrow r ON r.id = c.register_id WHERE r.name = 'f_roster'"
    )
    base.close()
    assert rows[0][0] == 5 * jobs


@pytest.mark.slow
def test_two_workers_do_each_job_once(on_sqlite: Site, tell: Callable[..., None]) -> None:
    _two_workers(on_sqlite, 2, tell, "SQLite")


@pytest.mark.slow
def test_two_workers_do_each_of_many_jobs_once(on_sqlite: Site, runs: int, tell: Callable[..., None]) -> None:
    _two_workers(on_sqlite, max(runs, QUICK), tell, "SQLite")


@pytest.mark.slow
def test_two_workers_on_postgres_do_each_job_once(on_postgres: Site, runs: int, tell: Callable[..., None]) -> None:
    _two_workers(on_postgres, max(runs, QUICK), tell, "PostgreSQL")
