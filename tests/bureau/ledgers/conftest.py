"""Shared by the tests of ledgers."""

from __future__ import annotations

from typing import Any

import pytest

from bureau.ledgers.registers_for_tests import ROSTER, store
from bureau.world import World


@pytest.fixture
def roster(world: World, noon: Any) -> Any:
    """The roster of pupils as a loaded register; the clock stands at noon."""
    return store(ROSTER)
