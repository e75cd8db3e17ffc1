"""What the tests of the permission walk share: a browser a role, one request that is taken back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.test import Client

from bureau.web.walk_stage import ACTORS, Ground

_MARK = re.compile(rb'(csrfmiddlewaretoken" value="|X-CSRFToken": "|name="resend_key" value=")[^"]*')
_WRITES = re.compile(r'\s*(?:INSERT INTO|UPDATE|DELETE FROM) "(\w+)"', re.IGNORECASE)
_SESSIONS = "django_session"  # the visitor's own drawer


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
