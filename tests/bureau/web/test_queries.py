"""What a page may cost: at most so many queries a kind of page."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse

from bureau.web.walk_kit import entered
from bureau.web.walk_stage import Ground
from bureau.web.walk_table import ROUTES
from jiaoheng.bureau.core import limits

pytestmark = pytest.mark.django_db

# page → queries of the dearest role; a page that is not here may cost OTHERS
MOST = {"unit": 90, "round": 48, "record": 48}
OTHERS = 38


def cost(client: Client, address: str, sent: dict[str, Any] | None = None) -> int:
    """Queries of one page, counted after a first look that fills the process's caches."""
    client.get(address, sent or {})
    with CaptureQueriesContext(connection) as counted:
        answer = client.get(address, sent or {})
        _ = answer.getvalue() if answer.streaming else answer.content
    return len(counted)


@pytest.mark.parametrize("role", ["admin", "department", "clerk", "district"])
def test_each_kind_of_page_has_its_most(ground: Ground, role: str) -> None:
    client, wrong, table = entered(ground, role), [], []
    limits.forget()
    for name, route in ROUTES.items():
        if route.get is None or name in ("file", "exam_file", "healthz"):
            continue
        for kind in route.kinds or ("",):
            value = next(iter(ground.things.get(kind, {}).values()), "activities") if kind else None
            try:
                address = reverse(name, kwargs={**({route.argument: value} if kind else {}), **route.more})
            except NoReverseMatch:
                continue
            queries = cost(client, address)
            table.append((queries, name))
            if queries > MOST.get(name, OTHERS):
                wrong.append(f"{name}: {queries} queries, at most {MOST.get(name, OTHERS)}")
    print(role, sorted(table, reverse=True)[:12])
    assert len(table) > 25
    assert not wrong, "\n".join(wrong)
