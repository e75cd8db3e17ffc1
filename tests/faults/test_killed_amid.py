"""kill -9 of the server in the middle of one kind of write: the file read, its rows written, a round passed, units merged.

`test_killed_server.py` kills while all kinds run beside each other; here the moment is drawn within the time that this
kind takes on this machine, and only kills that cut one off (asked for and not answered) are counted.
"""

from __future__ import annotations

import random
import statistics
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from faults.comparing import Base, Found, compare
from faults.conftest import SEED
from faults.site import Generator, Site, until

STREAMS = {"start": "imports", "import": "imports", "bulk": "bulk", "merger": "mergers", "workbook": "workbooks"}
KINDS = tuple(STREAMS)
_PATIENCE = 6  # attempts for each kill that shall count


def _left(site: Site) -> dict[str, Any]:
    """Rounds that still wait for somebody, units that still stand alone."""
    base = Base(site)
    waiting = {row[0] for row in base.rows("SELECT round_id FROM ledgers_filing WHERE state IN ('district', 'county')")}
    ended = {row[0] for row in base.rows("SELECT id FROM core_unit WHERE ends_on IS NOT NULL")}
    base.close()
    return {
        "bulk": [one for one in site.plan["rounds"] if one["id"] in waiting],
        "merging": [unit for unit in site.plan["merging"] if unit not in ended],
    }


def _until_it_runs(writing: Generator, kind: str) -> None:
    """Wait until a write of the kind is asked for and not yet answered."""

    def look() -> bool:
        return any(one.kind == kind and one.status is None for one in writing.known()) or (
            writing.process.poll() is not None
        )

    until(look, f"a {kind} is under way", pause=0.002)


def _took(entries: list[Any], kind: str) -> list[float]:
    return [one.answered_at - one.at for one in entries if one.kind == kind and one.done]


def _killed_amid(site: Site, kind: str, runs: int) -> tuple[Found, Counter[str]]:
    """Kill until `runs` writes of the kind were cut off; what is in the base, and how the cut ones ended."""
    chance, seen = random.Random(f"{SEED} {kind}"), Counter[str]()
    times = [0.3]
    for _attempt in range(_PATIENCE * runs):
        left = _left(site)
        if seen["cut"] >= runs or not left["bulk" if kind == "workbook" else kind if kind == "bulk" else "merging"]:
            break
        server = site.start()
        rows = chance.randrange(1_500, 4_500) if kind == "import" else chance.randrange(50, 2_000)
        writing = site.write({"records": 1, STREAMS[kind]: 1}, [server.base], rows=rows, **left)
        _until_it_runs(writing, kind)
        time.sleep(chance.random() * statistics.median(times))
        server.kill(all_at_once=chance.random() < 0.8)
        entries = writing.end()
        times += _took(entries, kind)
        cut = [one for one in entries if one.kind == kind and one.open]
        seen["killed"] += 1
        seen["cut"] += bool(cut)
        compare(site, site.books()).check()
        seen["whole"] += sum(_is_there(site, one) for one in cut)
    server = site.start()
    site.examine()
    server.end()
    site.command("audit", "verify")
    return compare(site, site.books()), seen


def _is_there(site: Site, one: Any) -> bool:
    """Whether a write that was cut off is in the base (`compare` has seen that it is there whole or not at all)."""
    if one.kind not in ("import", "bulk", "merger"):
        return False
    alone = compare(site, [one])
    alone.check()
    base = Base(site)
    try:
        if one.kind == "import":
            return dict(base.rows("SELECT id, state FROM ledgers_importbatch"))[one.asked["import"]] == "done"
        if one.kind == "merger":
            went = base.rows("SELECT unit_id FROM core_unitsuccession WHERE kind = 'merge'")
            return one.asked["unit"] in {row[0] for row in went}
        steps = base.rows("SELECT filing_id, level FROM ledgers_filingstep WHERE kind = 'approve'")
        return (one.asked["filings"][0], one.asked["level"]) in {tuple(row) for row in steps}
    finally:
        base.close()


def _all_there(site: Site, kind: str, runs: int, tell: Callable[..., None], where: str) -> None:
    found, seen = _killed_amid(site, kind, runs)
    tell(f"kill -9 server amid: {kind}, {where}", seen["killed"], found, **seen)
    found.check()
    assert seen["cut"] >= min(runs, 20), seen


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_is_killed_amid(on_sqlite: Site, runs: int, tell: Callable[..., None], kind: str) -> None:
    _all_there(on_sqlite, kind, runs, tell, "SQLite")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_server_on_postgres_that_is_killed_amid(
    on_postgres: Site, runs: int, tell: Callable[..., None], kind: str
) -> None:
    _all_there(on_postgres, kind, runs, tell, "PostgreSQL")
