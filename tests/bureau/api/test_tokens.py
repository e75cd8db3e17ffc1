"""Tokens: made by a person for his own rights, shown once, scoped, ending; closed accounts and first passwords."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from bureau.api.kit import Program, token_of
from bureau.world import World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.actions_tokens import do_make_token, do_revoke_token
from jiaoheng.bureau.core.models import ApiToken, AuditEntry
from jiaoheng.bureau.core.refusals import NotFoundError, RefusedError

pytestmark = pytest.mark.django_db


def test_a_token_acts_as_its_owner(world: World, noon: dt.datetime) -> None:
    me = Program(world["甲填报"]).get("/me")
    assert (me["name"], me["home"]["name"]) == ("甲填报", "东镇甲小学")
    assert [(one["role"], one["unit_name"]) for one in me["memberships"]] == [("clerk", "东镇甲小学")]
    assert me["token"]["scopes"] == ["read", "write", "export"]


def test_p25_a_token_is_shown_once_and_kept_as_a_hash(world: World, noon: dt.datetime) -> None:
    client = Client()
    client.force_login(world["甲填报"])
    made = client.post("/me/tokens", {"name": "校园平台", "scopes": ["read"], "last_day": "2025-12-31"})
    row = ApiToken.objects.get()
    text = made.content.decode()
    secret = text[text.index("jh_") :][:46]
    assert made["Cache-Control"] == "no-store"
    assert Program(token=secret).get("/me")["token"]["name"] == "校园平台"
    assert secret not in "".join(str(value) for value in row.__dict__.values())
    later = client.get("/me/tokens").content.decode()
    assert "jh_" not in later
    assert all(words in later for words in ("校园平台", f"…{secret[-4:]}", "读取", "12 月 31 日", "在用"))
    entry = AuditEntry.objects.get(action="token.make")
    assert secret not in str(entry.changes) + entry.object_name


def test_p25_a_read_token_that_posts_is_forbidden(world: World, noon: dt.datetime, roster: Any) -> None:
    program = Program(world["甲填报"], "read")
    unit = world["甲"].pk
    told = program.post("/registers/t_roster/records", {"unit": unit, "values": {"code": "1", "name": "张"}}, 403)
    assert told["detail"] == "令牌“试验”只能读取，不能填写和审核；要用请另发一个令牌"
    program.send("GET", "/registers/t_roster/file", status=403)


def test_p25_a_closed_account_opens_nothing_at_the_next_request(world: World, noon: dt.datetime) -> None:
    program = Program(world["甲填报"])
    program.get("/me")
    world["甲填报"].closed_at = clock.now()
    world["甲填报"].save()
    told = program.get("/me", 401)
    assert told["detail"].startswith("令牌无效")
    assert program.send("GET", "/me")["WWW-Authenticate"].startswith("Bearer")


def test_p27_a_first_password_opens_no_api(world: World, noon: dt.datetime) -> None:
    program = Program(world["甲填报"])
    world["甲填报"].must_change_password = True
    world["甲填报"].save()
    assert "先修改密码" in program.get("/me", 401)["detail"]


@pytest.mark.parametrize("token", ["", "x", "jh_" + "a" * 43, "jh_" + "b" * 4000, "jh_\x00", "令牌"])
def test_what_is_no_token_gets_one_answer(world: World, noon: dt.datetime, token: str) -> None:
    heads = {"HTTP_AUTHORIZATION": f"Bearer {token}".encode().decode("latin-1")} if token else {}
    response = Client().get("/api/v1/me", **heads)
    assert response.status_code == 401
    assert response.json()["detail"].startswith("令牌无效")


def test_expired_and_revoked_tokens_get_the_answer_of_unknown_ones(world: World, noon: dt.datetime) -> None:
    unknown = Program(token="jh_" + "c" * 43).send("GET", "/me", status=401).content
    program = Program(world["甲填报"])
    with clock.at(clock.beijing(2025, 10, 15, 23, 59, 58)):
        program.get("/me")
    with clock.at(clock.beijing(2025, 10, 16)):
        assert program.send("GET", "/me", status=401).content == unknown
    row = ApiToken.objects.get()
    do_revoke_token(row.pk, acting_user=world["甲填报"])
    assert program.send("GET", "/me", status=401).content == unknown
    with pytest.raises(RefusedError, match="已停用"):
        do_revoke_token(row.pk, acting_user=world["甲填报"])


def test_another_persons_token_is_a_missing_thing(world: World, noon: dt.datetime) -> None:
    token_of(world["乙填报"])
    row = ApiToken.objects.get()
    with pytest.raises(NotFoundError):
        do_revoke_token(row.pk, acting_user=world["甲填报"])
    client = Client()
    client.force_login(world["甲填报"])
    assert client.post(f"/me/tokens/{row.pk}/revoke").status_code == 404
    assert "试验" not in client.get("/me/tokens").content.decode()
    client.force_login(world["乙填报"])
    assert client.post(f"/me/tokens/{row.pk}/revoke").status_code == 303
    assert "已停用" in client.get("/me/tokens").content.decode()


@pytest.mark.parametrize(
    ("name", "scopes", "day", "place"),
    [
        ("", ["read"], "2025-10-01", "name"),
        ("x" * 41, ["read"], "2025-10-01", "name"),
        ("甲", [], "2025-10-01", "scopes"),
        ("甲", ["read", "root"], "2025-10-01", "scopes"),
        ("甲", ["read"], "2025-09-14", "last_day"),
        ("甲", ["read"], "2026-09-16", "last_day"),
        ("甲", ["read"], "明天", "last_day"),
    ],
)
def test_a_wrong_wish_is_told_at_its_place(
    world: World, noon: dt.datetime, name: str, scopes: list[str], day: str, place: str
) -> None:
    client = Client()
    client.force_login(world["甲填报"])
    answer = client.post("/me/tokens", {"name": name, "scopes": scopes, "last_day": day})
    assert answer.status_code == 400
    assert f'href="#{place}"' in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_a_person_keeps_few_tokens(world: World, noon: dt.datetime) -> None:
    for _ in range(20):
        token_of(world["甲填报"])
    with pytest.raises(RefusedError, match="最多 20 个"):
        do_make_token("又一个", ["read"], dt.date(2025, 10, 1), acting_user=world["甲填报"])


def test_too_many_requests_of_one_token_wait_and_the_others_do_not(
    world: World, noon: dt.datetime, settings: Any
) -> None:
    settings.API_REQUESTS_A_MINUTE = 5
    one, other = Program(world["甲填报"]), Program(world["甲填报"])
    with clock.at(clock.beijing(2025, 9, 15, 12, 0, 20)):
        for _ in range(5):
            one.get("/me")
        refused = one.send("GET", "/me", status=429)
        assert refused["Retry-After"] == "40"
        assert refused.json()["detail"] == "这个令牌一分钟内的请求太多，请 40 秒后再试"
        other.get("/me")
    with clock.at(clock.beijing(2025, 9, 15, 12, 1)):
        one.get("/me")


def test_a_session_opens_nothing(world: World, noon: dt.datetime) -> None:
    """A browser's sign-in is no token: nothing to forge from another page."""
    client = Client()
    client.force_login(world["甲填报"])
    assert client.get("/api/v1/me").status_code == 401
