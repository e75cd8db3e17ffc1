"""`jiaoheng accounts …`: a new server gets its county and its first administrator; slips and locks from the command line."""

from __future__ import annotations

import re
from typing import Any

import pytest
from typer.testing import CliRunner

from bureau.world import World
from jiaoheng.bureau.core.models import Account, AuditEntry, Membership, Unit
from jiaoheng.cli.main import app

pytestmark = pytest.mark.django_db


def run(*words: str) -> Any:
    return CliRunner().invoke(app, ["accounts", *words])


def test_a_new_server_gets_its_county_and_its_administrator() -> None:
    refused = run("add-admin", "--name", "李明", "--unit", "330100")
    assert refused.exit_code == 2
    assert "--county" in refused.output
    made = run("add-admin", "--name", "李明", "--unit", "330100", "--county", "清河县")
    assert made.exit_code == 0, made.output
    county = Unit.objects.get()
    assert (county.code, county.level, county.facts.get().name) == ("330100", "county", "清河县")
    name, password = re.search(r"账号 (\S+)　初始密码 (\S+)", made.output).groups()  # type: ignore[union-attr]
    admin = Account.objects.get(username=name)
    assert admin.check_password(password)
    assert admin.must_change_password
    assert list(Membership.objects.values_list("account__username", "role", "unit__code")) == [
        (name, "admin", "330100")
    ]
    assert {"unit-add", "account.add"} <= set(AuditEntry.objects.values_list("action", flat=True))


def test_a_second_county_is_refused_and_a_known_one_taken(world: World) -> None:
    code = Unit.objects.get(level="county").code
    refused = run("add-admin", "--name", "李明", "--unit", "999999", "--county", "别县")
    assert refused.exit_code == 2
    assert "已有县一级单位" in refused.output
    assert run("add-admin", "--name", "李明", "--unit", code, "--county", "别名").exit_code == 0
    assert Unit.objects.filter(level="county").count() == 1


def test_a_slip_is_given_again_and_an_unknown_account_refused(world: World) -> None:
    before = Account.objects.get(username="u006").password
    made = run("reset", "u006")
    assert made.exit_code == 0, made.output
    assert "首次登录请改密码" in made.output
    assert Account.objects.get(username="u006").password != before
    assert run("unlock", "u006").exit_code == 0
    refused = run("reset", "nobody")
    assert refused.exit_code == 2
    assert "没有账号“nobody”" in refused.output
