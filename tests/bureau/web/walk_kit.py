"""What the tests of the permission walk share: the laid ground, a browser a role, one request that is taken back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from bureau.web.walk_stage import ACTORS, NOW, Ground, make_ground
from jiaoheng.bureau.core import clock

_MARK = re.compile(rb'(csrfmiddlewaretoken" value="|X-CSRFToken": "|name="resend_key" value=")[^"]*')
_WRITES = re.compile(r'\s*(?:INSERT INTO|UPDATE|DELETE FROM) "(\w+)"', re.IGNORECASE)
_SESSIONS = "django_session"  # the visitor's own drawer


@pytest.fixture(scope="module")
def laid(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The ground, made once for the module inside a transaction that is rolled back at its end."""
    from django.conf import settings

    from jiaoheng.bureau.ledgers import registry

    data = tmp_path_factory.mktemp("walk")
    names = ("DATA", "FILES", "ANCHOR", "SNAPSHOTS")
    kept = {name: getattr(settings, name) for name in names}
    for name, below in zip(names, ("", "files", "anchor.log", "snapshots"), strict=True):
        setattr(settings, name, data / below)
    with django_db_blocker.unblock(), transaction.atomic(), clock.at(NOW):
        registry.forget()
        try:
            ground = make_ground()
            _exam_report(data)
            yield ground, {name: getattr(settings, name) for name in names}
        finally:
            transaction.set_rollback(True)
            registry.forget()
            for name, value in kept.items():
                setattr(settings, name, value)


@pytest.fixture
def ground(laid: Any, settings: Any) -> Iterator[Ground]:
    """The ground with its own folders and its own moment."""
    found, folders = laid
    for name, value in folders.items():
        setattr(settings, name, value)
    with clock.at(NOW):
        yield found


def _exam_report(data: Any) -> None:
    folder = data / "exams" / "2025-autumn"
    folder.mkdir(parents=True)
    (folder / "report.html").write_text("<p>全县成绩</p>", encoding="utf-8")


def entered(ground: Ground, role: str) -> Client:
    """The browser of a role's person."""
    client = Client(raise_request_exception=True)
    client.force_login(ground.world[ACTORS[role]], backend="django.contrib.auth.backends.ModelBackend")
    return client


def own_unit(ground: Ground, role: str) -> int:
    """The unit of the role's person."""
    return int(ground.world[ACTORS[role]].home_id)


@contextmanager
def taken_back() -> Iterator[list[str]]:
    """Whatever is done inside is undone; the list names the tables that were written."""
    written: list[str] = []

    def watch(execute: Any, sql: str, *rest: Any) -> Any:
        found = _WRITES.match(sql)
        if found and found[1] != _SESSIONS:
            written.append(found[1])
        return execute(sql, *rest)

    with transaction.atomic(), connection.execute_wrapper(watch):
        yield written
        transaction.set_rollback(True)


def ask(client: Client, method: str, address: str, sent: dict[str, Any]) -> tuple[Any, bytes, list[str]]:
    """Status and headers, body without its one-time marks, tables written."""
    with taken_back() as written:
        answer = getattr(client, method)(address, sent)
        body = answer.getvalue() if getattr(answer, "streaming", False) else answer.content
    return answer, _MARK.sub(rb"\1", body), written
