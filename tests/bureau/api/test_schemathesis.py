"""The published schema as an opponent: generated requests through WSGI, no fault, every answer as published."""

from __future__ import annotations

import os
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from bureau.api.kit import token_of
from bureau.ledgers.registers_for_tests import CONDITIONS, ROSTER, store, year
from bureau.ledgers.rounds_stage import OPENS, make_stage
from bureau.world import make_world
from jiaoheng.bureau.api.app import api
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import Job
from jiaoheng.bureau.ledgers.actions_records import do_save_record

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    response_headers_conformance, unsupported_method,
]  # fmt: skip
FEW = int(os.environ.get("API_EXAMPLES", "4"))  # of each operation in `make test`
MANY = 150


def operations() -> list[str]:
    paths = api.get_openapi_schema(path_prefix="/api/v1/")["paths"]
    return sorted(one["operationId"] for methods in paths.values() for one in methods.values())


@pytest.fixture
def stage(db: None, settings: Any) -> Any:
    """A county with a roster, a form, an open round; ids 1, 2, 3 … are there, so that a guess finds something."""
    settings.API_REQUESTS_A_MINUTE = 10**9
    for signal in (
        request_started,
        request_finished,
    ):  # as Django's own test client does: the test holds the connection
        signal.disconnect(close_old_connections)
    world = make_world()
    with clock.at(OPENS, everywhere=True):
        roster = store(ROSTER)
        store(CONDITIONS)
        year(2025)
        for number in range(5):
            do_save_record(roster, world["甲"], None, {"code": str(number), "name": "张"}, acting_user=world["甲填报"])
        Job.objects.create(kind="x", title="试", owner=world["股长"], created_at=clock.now())
        made = make_stage(world)
        made.open()
        made.fill("甲", teachers=45, classes=11)
        made.submit("甲")
        yield world
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def run(name: str, token: str, examples: int) -> None:
    """Generated requests for one operation, as the chief of the office."""
    from django.core.wsgi import get_wsgi_application

    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())
    found = next(one.ok() for one in schema.get_all_operations() if one.ok().definition.raw["operationId"] == name)

    @settings(
        max_examples=examples, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=found.as_strategy())
    def one(case: Any) -> None:
        answer = case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKS)
        seen.add(answer.status_code)

    seen: set[int] = set()
    one()
    assert seen
    assert not seen & {401, 429}, "the token must open, or nothing was tried"


@pytest.mark.parametrize("name", operations())
def test_an_operation_answers_as_published(stage: Any, name: str) -> None:
    run(name, token_of(stage["股长"]), FEW)


@pytest.mark.slow
@pytest.mark.parametrize("who", ["股长", "甲填报", "东学区"])
@pytest.mark.parametrize("name", operations())
def test_an_operation_answers_as_published_to_many(stage: Any, name: str, who: str) -> None:
    run(name, token_of(stage[who]), MANY)
