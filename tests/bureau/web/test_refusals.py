"""What an answer to a refusal carries: the sentence and what finds the place, never the content of a record."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.refusals import ConflictError, RefusedError
from jiaoheng.bureau.web import refusals

pytestmark = pytest.mark.django_db
ID_NUMBER, NAME = "110105201501011234", "张三丰"


@dataclass(frozen=True)
class _Preview:
    note: str = NAME


def conflict() -> ConflictError:
    """A conflict that carries all that one may carry, and more."""
    return ConflictError(
        "version-moved",
        "李四 已改过这条记录",
        record_id=7,
        newest=3,
        who="李四",
        at=clock.beijing(2025, 10, 20, 10),
        data={"id_number": ID_NUMBER, "name": NAME},
        rows=({"mine": ID_NUMBER},),
        preview=_Preview(),
        changed=[NAME],
        current={"name": NAME},
        version={"name": NAME},  # a name that may pass, with what must not
    )


def asked(**heads: str) -> Any:
    """A request of a person or program; `heads`: HTTP_ACCEPT and the like."""
    request = RequestFactory().post("/records/7/edit", **heads)
    request.user, request.session, request.htmx = AnonymousUser(), {}, bool(heads.get("HTTP_HX_REQUEST"))
    return request


def test_json_of_a_conflict_holds_numbers_the_name_and_the_moment_alone() -> None:
    answer = refusals.told(asked(HTTP_ACCEPT="application/json"), conflict())
    assert answer is not None
    assert answer.status_code == 409
    body = json.loads(answer.content)
    assert body["code"] == "version-moved"
    assert body["message"] == "李四 已改过这条记录"
    assert set(body["detail"]) == {"record_id", "newest", "who", "at"}
    assert (body["detail"]["record_id"], body["detail"]["newest"], body["detail"]["who"]) == (7, 3, "李四")


@pytest.mark.parametrize("heads", [{"HTTP_ACCEPT": "application/json"}, {"HTTP_HX_REQUEST": "true"}, {}])
def test_no_form_of_the_answer_holds_what_the_record_says(heads: dict[str, str]) -> None:
    answer = refusals.told(asked(**heads), conflict())
    assert answer is not None
    text = answer.content.decode()
    assert "李四 已改过这条记录" in text
    for secret in (ID_NUMBER, NAME, "id_number", "preview"):
        assert secret not in text


def test_places_of_a_refusal_stay_in_the_answer() -> None:
    error = RefusedError("wrong", "要改 1 处", places={"name": "请填姓名"})
    answer = refusals.told(asked(HTTP_ACCEPT="application/json"), error)
    assert answer is not None
    assert json.loads(answer.content) == {"code": "wrong", "message": "要改 1 处", "places": {"name": "请填姓名"}}
