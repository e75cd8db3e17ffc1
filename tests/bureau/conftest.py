"""The bureau's tests: a small county with people, a clock that can be set, an anchor of the test's own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from bureau.world import World, make_world


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path: Path, settings: object) -> None:
    """Each test has its own anchor and files."""
    settings.ANCHOR = tmp_path / "audit-anchor.log"  # type: ignore[attr-defined]
    settings.FILES = tmp_path / "files"  # type: ignore[attr-defined]
    settings.SNAPSHOTS = tmp_path / "snapshots"  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def fresh_registry() -> None:
    """A rolled-back test's row numbers come again in the next one: nothing may stay in the process's caches."""
    from jiaoheng.bureau.ledgers import registry, unit_numbers

    registry.forget()
    unit_numbers.forget()


@pytest.fixture
def world(db: None) -> World:
    """A county with two districts, schools and people, on 2025-09-15."""
    return make_world()


@pytest.fixture
def noon() -> Iterator[dt.datetime]:
    """The clock stands at 2025-09-15 12:00 Beijing time."""
    from jiaoheng.bureau.core import clock

    moment = clock.beijing(2025, 9, 15, 12)
    with clock.at(moment):
        yield moment
