"""No page asks the database more often because there are more rows."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bureau.ledgers.registers_for_tests import ROSTER, store
from bureau.world import World
from jiaoheng.bureau.core import audit
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.ledgers.changes import Change
from jiaoheng.bureau.ledgers.models import RegisterRow
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.bureau.ledgers.writing import Batch, write

pytestmark = pytest.mark.django_db


def cost(client: Client, address: str, sent: dict[str, Any] | None = None) -> int:
    """Queries of one page, counted after a first look that fills the process's caches."""
    client.get(address, sent or {})
    with CaptureQueriesContext(connection) as counted:
        answer = client.get(address, sent or {})
        _ = answer.getvalue() if answer.streaming else answer.content
    return len(counted)


@audit.action
def put(count: int, unit: Any, start: int, *, acting_user: Account) -> None:
    """So many pupils."""
    row = RegisterRow.objects.get(name="t_roster")
    rows = [{"code": str(start + n), "name": f"张{start + n}", "class_name": "一班"} for n in range(count)]
    write(Batch(row, schema_of(row), None, acting_user, "form"), [Change(unit.pk, data) for data in rows])
    audit.note("record.create", actor=acting_user, about=("record", 1, ""), unit_id=unit.pk)


def test_no_list_grows_with_its_rows(world: World, noon: Any) -> None:
    clerk = Client()
    clerk.force_login(world["甲填报"], backend="django.contrib.auth.backends.ModelBackend")
    boss = Client()
    boss.force_login(world["管理员"], backend="django.contrib.auth.backends.ModelBackend")
    pages = [(clerk, "/ledgers/t_roster/"), (clerk, "/"), (clerk, f"/units/{world['甲'].pk}/"), (clerk, "/search?q=张"),
             (boss, "/people/"), (boss, "/audit/"), (boss, "/ledgers/"), (clerk, "/me")]  # fmt: skip
    store(ROSTER)
    put(3, world["甲"], 1, acting_user=world["甲填报"])
    before = [cost(client, address) for client, address in pages]
    put(60, world["甲"], 100, acting_user=world["甲填报"])
    for n in range(30):
        made = Account.objects.create(
            username=f"w{n}", name=f"师{n}", home=world["甲"], created_at=world["甲填报"].created_at
        )
        made.memberships.create(role="teacher", unit=world["甲"], starts_on="2020-09-01")
        audit.note("account.add", actor=world["管理员"], about=("account", made.pk, made.name), unit_id=world["甲"].pk)
    after = [cost(client, address) for client, address in pages]
    print(list(zip((address for _, address in pages), before, after, strict=True)))
    grown = [f"{address}: {a} → {b}" for (_, address), a, b in zip(pages, before, after, strict=True) if b > a]
    assert not grown, "\n".join(grown)
