"""Shared by the tests of the API."""

from __future__ import annotations

from typing import Any

import pytest

from bureau.ledgers.registers_for_tests import CONDITIONS, ROSTER, store, year
from bureau.world import World


@pytest.fixture
def roster(world: World, noon: Any) -> Any:
    """The roster of pupils as a loaded register; the clock stands at noon."""
    return store(ROSTER)


@pytest.fixture
def conditions(world: World, noon: Any) -> Any:
    """The yearly form of a school; its period is 2025."""
    year(2025)
    return store(CONDITIONS)
