"""Signing in by another server, against a real provider on this machine: who comes in, who does not, what a forged way is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.test import Client
from oidc_provider_mock import User, run_server_in_thread

from bureau.world import World
from jiaoheng.bureau.core.actions_accounts import do_close_account
from jiaoheng.bureau.core.models import Account, AuditEntry, Membership
from jiaoheng.bureau.web.oidc import account_of

pytestmark = pytest.mark.django_db
BACK = "http://testserver/login/oidc/back"


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """The address of a provider that knows three people."""
    people = [
        User(
            sub="a1", claims={"preferred_username": "U006", "name": "改过的姓名", "groups": ["admin"], "role": "admin"}
        ),
        User(sub="a2", claims={"preferred_username": "nobody-here"}),
        User(sub="a3", claims={"name": "无名"}),
        User(sub="a4", claims={"preferred_username": "u002"}),
    ]
    with run_server_in_thread(user_claims=people) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture(autouse=True)
def configured(settings: Any, provider: str) -> None:
    """The server knows the provider."""
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_SECRET = provider, "jiaoheng", "geheim"


def asked(client: Client, address: str = "/login/oidc/") -> str:
    """Where our server sends the browser to."""
    answer = client.get(address)
    assert answer.status_code == 302
    return str(answer["Location"])


def allowed(location: str, sub: str) -> str:
    """The way back that the provider gives after its own sign-in."""
    answer = requests.post(location, data={"sub": sub}, allow_redirects=False, timeout=10)
    assert answer.status_code in (302, 303), answer.text
    assert answer.headers["Location"].startswith(BACK)
    return answer.headers["Location"].removeprefix("http://testserver")


def test_in_by_the_other_server(world: World, client: Client, provider: str) -> None:
    rights = list(Membership.objects.values_list("account_id", "role", "unit_id").order_by("pk"))
    location = asked(client, "/login/oidc/?next=/ledgers/")
    sent = parse_qs(urlsplit(location).query)
    assert location.startswith(provider)
    assert {"state", "nonce", "code_challenge"} <= set(sent)
    assert sent["code_challenge_method"] == ["S256"]
    answer = client.get(allowed(location, "a1"))
    assert (answer.status_code, answer["Location"]) == (302, "/ledgers/")
    assert client.get("/").status_code == 200
    assert AuditEntry.objects.get(action="sign_in").actor_id == world["甲填报"].pk
    world["甲填报"].refresh_from_db()
    assert (world["甲填报"].name, world["甲填报"].is_system_admin) == ("甲填报", False)
    assert list(Membership.objects.values_list("account_id", "role", "unit_id").order_by("pk")) == rights


@pytest.mark.parametrize("sub", ["a2", "a3"])
def test_nobody_gets_an_account_by_it(world: World, client: Client, sub: str) -> None:
    before = Account.objects.count()
    answer = client.get(allowed(asked(client), sub))
    assert answer.status_code == 403
    assert "这里没有对应的账号" in answer.content.decode()
    assert client.get("/").status_code == 302
    assert Account.objects.count() == before


def test_a_closed_account_stays_closed(world: World, client: Client) -> None:
    do_close_account(world["甲填报"], acting_user=world["甲校长"], reason="调出")
    assert client.get(allowed(asked(client), "a1")).status_code == 403
    assert client.get("/").status_code == 302


def test_the_second_factor_is_asked_all_the_same(world: World, client: Client, settings: Any) -> None:
    settings.SECOND_FACTOR = True
    client.get(allowed(asked(client), "a4"))
    assert client.get("/")["Location"].startswith("/login/code/new")


def test_a_way_back_is_worth_nothing_in_another_browser(world: World, client: Client) -> None:
    way = allowed(asked(client), "a1")
    other = Client()
    assert other.get(way).status_code == 400  # the state is not its own
    asked(other)
    assert other.get(way).status_code == 400
    assert other.get("/").status_code == 302


def test_a_code_opens_once(world: World, client: Client) -> None:
    way = allowed(asked(client), "a1")
    assert client.get(way).status_code == 302
    client.post("/logout/")
    assert client.get(way).status_code == 400
    assert client.get("/").status_code == 302


@pytest.mark.parametrize(
    "way",
    ["", "?code=x", "?state=x", "?code=x&state=x", "?error=access_denied&state=x", "?state=" + "x" * 5000],
)
def test_forged_ways_back(world: World, client: Client, way: str) -> None:
    asked(client)
    answer = client.get(f"/login/oidc/back{way}")
    assert answer.status_code == 400
    assert "统一身份认证没有完成" in answer.content.decode()


def test_a_provider_that_does_not_answer(world: World, client: Client, settings: Any) -> None:
    settings.OIDC_ISSUER = "http://localhost:1"
    answer = client.get("/login/oidc/")
    assert answer.status_code == 502
    assert "请用账号登录" in answer.content.decode()


def test_next_leads_nowhere_else(world: World, client: Client) -> None:
    answer = client.get(allowed(asked(client, "/login/oidc/?next=https://evil.example/"), "a1"))
    assert answer["Location"] == "/"


def test_switched_off_it_does_not_exist(world: World, client: Client, settings: Any) -> None:
    assert "用统一身份登录" in client.get("/login/").content.decode()
    settings.OIDC_ISSUER = ""
    assert client.get("/login/oidc/").status_code == client.get("/login/oidc/back").status_code == 404
    assert "用统一身份登录" not in client.get("/login/").content.decode()


def test_a_mail_address_counts_only_where_it_was_checked(world: World, settings: Any) -> None:
    Account.objects.filter(pk=world["甲填报"].pk).update(username="a@b.example")
    settings.OIDC_CLAIM = "email"
    assert account_of({"email": "A@b.example", "email_verified": True}) == world["甲填报"]
    for claims in (
        {"email": "a@b.example"},
        {"email": "a@b.example", "email_verified": "true"},
        {"email": ["a@b.example"]},
    ):
        assert account_of(claims) is None
