"""The state machine over records, rounds and approval: a short run always, a long one by `make test-long`."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from bureau.machine.machine import Filings

ALL = list(HealthCheck)


@pytest.mark.django_db
def test_records_rounds_and_approval() -> None:
    """The same examples every time."""
    profile = settings(
        max_examples=8, stateful_step_count=25, deadline=None, derandomize=True, database=None,
        suppress_health_check=ALL,
    )  # fmt: skip
    run_state_machine_as_test(Filings, settings=profile)


@pytest.mark.slow
@pytest.mark.django_db
def test_records_rounds_and_approval_long() -> None:
    """Other examples every time; a failure prints its steps."""
    profile = settings(
        max_examples=120,
        stateful_step_count=60,
        deadline=None,
        database=None,
        suppress_health_check=ALL,
        phases=[Phase.generate],  # making a failing run shorter takes longer than reading it
    )
    run_state_machine_as_test(Filings, settings=profile)
