"""Bases of the fault runs: made once, copied for each test; and the table of what was seen."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from faults.comparing import Found
from faults.site import Postgres, Site, copied, make_base, until

RUNS = int(os.environ.get("JIAOHENG_FAULT_RUNS", "20"))
SEED = int(os.environ.get("JIAOHENG_FAULT_SEED", "2026"))
QUICK = 1


@pytest.fixture(scope="session")
def runs(request: pytest.FixtureRequest) -> int:
    """How often each kind is repeated: few where only the quick tests are asked for."""
    return QUICK if "not slow" in (request.config.option.markexpr or "") else RUNS


@pytest.fixture(scope="session")
def sqlite_base(tmp_path_factory: pytest.TempPathFactory, runs: int) -> Path:
    """The small county on SQLite, not to be written to."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # one base for all of them
    home, done = root / "county", root / "county-made"
    try:
        (root / "county-taken").mkdir()
    except FileExistsError:
        until(done.exists, "another process has made the county")
    else:
        make_base(home, max(runs, QUICK))
        done.touch()
    return home


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of these tests."""
    made = Postgres.make()
    if made is None:
        pytest.skip("PostgreSQL is not installed")
    yield made
    made.end()


@pytest.fixture(scope="session")
def postgres_base(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory, runs: int) -> Path:
    """The small county on PostgreSQL, in the base `postgres`."""
    home = tmp_path_factory.mktemp("county-pg")
    make_base(home, max(runs, QUICK), DATABASE_URL=postgres.url)
    return home


@pytest.fixture
def on_sqlite(sqlite_base: Path, tmp_path: Path) -> Iterator[Site]:
    """A copy to break."""
    site = copied(sqlite_base, tmp_path / "site", SEED)
    yield site
    site.end()


@pytest.fixture
def on_postgres(postgres: Postgres, postgres_base: Path, tmp_path: Path) -> Iterator[Site]:
    """A copy to break, on PostgreSQL."""
    name = f"site{time.time_ns()}"
    postgres.copy_base(name, "postgres")
    site = copied(postgres_base, tmp_path / "site", SEED, DATABASE_URL=postgres.url_of(name))
    yield site
    site.end()


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Write what a test saw into JIAOHENG_FAULT_TABLE, a line of JSON each: docs/assurance/faults.md is made of it."""
    begin = time.monotonic()

    def put(kind: str, runs: int, found: Found, **more: Any) -> None:
        where = os.environ.get("JIAOHENG_FAULT_TABLE")
        body = {
            "kind": kind, "runs": runs, "lost": len(found.lost), "doubled": len(found.doubled), "half": len(found.half),
            "unasked": len(found.unasked), "counted": dict(found.counted), "seconds": round(time.monotonic() - begin),
            "test": request.node.nodeid, **more,
        }  # fmt: skip
        if where:
            with Path(where).open("a", encoding="utf-8") as out:
                out.write(json.dumps(body, ensure_ascii=False) + "\n")

    return put
