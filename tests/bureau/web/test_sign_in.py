"""The door: who gets in, who is locked, what a session and a refusal are worth."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from axes.models import AccessAttempt
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import Client
from django.urls import include, path

from bureau.world import PASSWORD, World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.actions_accounts import do_close_account, do_reset_password, do_unlock
from jiaoheng.bureau.core.models import Account, AuditEntry
from jiaoheng.bureau.core.refusals import ConflictError, ForbiddenError, NotFoundError, RefusedError

NEW = "青槐县的新密码7"
_raise: list[Exception] = []


def probe(request: HttpRequest, what: str = "") -> HttpResponse:
    """A page that answers, or raises what a test laid ready."""
    if _raise:
        raise _raise[0]
    return JsonResponse({"who": request.user.name})


urlpatterns = [
    path("probe/", probe, name="probe"),
    path("api/probe/", probe),
    path("", include("jiaoheng.bureau.urls")),
]
handler404 = "jiaoheng.bureau.web.refusals.missing"
handler403 = "jiaoheng.bureau.web.refusals.forbidden"
handler500 = "jiaoheng.bureau.web.refusals.fault"


@pytest.fixture(autouse=True)
def probes(settings: object) -> Iterator[None]:
    """The program's addresses, and one page of ours."""
    settings.ROOT_URLCONF = __name__  # type: ignore[attr-defined]
    _raise.clear()
    yield
    _raise.clear()


def enter(client: Client, username: str, password: str = PASSWORD, **more: object) -> HttpResponse:
    return client.post("/login/", {"username": username, "password": password}, **more)


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("number").values_list("action", flat=True))


def test_signing_in_and_out_leaves_entries(world: World, client: Client) -> None:
    answer = enter(client, " U006 ")
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.get("/probe/").json() == {"who": "甲填报"}
    assert "no-store" in client.get("/probe/")["Cache-Control"]
    assert client.post("/logout/")["Location"] == "/login/"
    assert client.get("/probe/")["Location"] == "/login/?next=%2Fprobe%2F"
    assert actions() == ["sign_in", "sign_out"]
    assert AuditEntry.objects.get(number=1).actor_name == "甲填报（东镇甲小学）"
    assert AuditEntry.objects.get(number=1).door == "page"


@pytest.mark.parametrize(
    ("wanted", "goes"),
    [
        ("/probe/?a=1", "/probe/?a=1"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("http://testserver/probe/", "/"),
        ("", "/"),
    ],
)
def test_next_leads_to_this_server_only(world: World, client: Client, wanted: str, goes: str) -> None:
    answer = client.post("/login/", {"username": "u006", "password": PASSWORD, "next": wanted})
    assert answer["Location"] == goes


def test_the_sign_in_page_is_a_page(world: World, client: Client) -> None:
    answer = client.get("/login/", {"next": "/probe/"})
    text = answer.content.decode()
    assert answer.status_code == 200
    assert 'name="next" value="/probe/"' in text
    assert "青槐县教育局" in text


def test_p26_five_wrong_passwords_lock_one_and_not_the_office(world: World) -> None:
    office = {"REMOTE_ADDR": "203.0.113.7"}
    colleagues = [
        Account.objects.create(username=f"t{n}", name=f"师{n}", home=world["甲"], must_change_password=False,
                               password=world["甲填报"].password, created_at=clock.now())
        for n in range(29)
    ]  # fmt: skip
    for again in range(5):
        answer = enter(Client(**office), "u006", "错的密码")
        assert answer.status_code == (429 if again == 4 else 400)
    assert "锁定 15 分钟" in answer.content.decode()
    assert enter(Client(**office), "u006").status_code == 429
    assert enter(Client(**office), " U006").status_code == 429
    assert enter(Client(REMOTE_ADDR="203.0.113.8"), "u006").status_code == 302
    for one in colleagues:
        assert enter(Client(**office), one.username).status_code == 302
    found = actions()
    assert (found.count("sign_in.failed"), found.count("account.lock"), found.count("sign_in")) == (5, 1, 30)


def test_p26_the_lock_ends_after_fifteen_minutes(world: World, client: Client) -> None:
    for _ in range(5):
        enter(client, "u006", "错的密码")
    assert enter(client, "u006").status_code == 429
    AccessAttempt.objects.update(attempt_time=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=14))
    assert enter(client, "u006").status_code == 429
    AccessAttempt.objects.update(attempt_time=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=15, seconds=1))
    assert enter(client, "u006").status_code == 302


def test_p26_empty_names_lock_nobody(world: World, client: Client) -> None:
    for given in ({}, {"username": ""}, {"username": "  ", "password": "x"}, {"username": "u006"}):
        for _ in range(5):
            answer = client.post("/login/", given)
            assert answer.status_code == 400
            assert "请填写账号和密码" in answer.content.decode()
    assert not AccessAttempt.objects.exists()
    assert enter(client, "u006").status_code == 302


def test_p26_an_unknown_name_gets_the_same_text(world: World) -> None:
    def body(name: str) -> str:
        text = enter(Client(), name, "错的密码").content.decode()
        return "".join(line for line in text.split("\n") if "csrf" not in line.lower()).replace(name, "")

    do_close_account(world["乙填报"], acting_user=None, reason="调离")
    known = body("u006")
    assert known == body("nobody") == body("u007")
    failed = AuditEntry.objects.filter(action="sign_in.failed").order_by("number")
    assert [entry.object_name for entry in failed] == ["甲填报（u006）", "不存在的账号", "乙填报（u007）"]
    for _ in range(4):
        answer = enter(Client(), "nobody", "错的密码")
    assert answer.status_code == 429


def test_p26_the_schools_administrator_unlocks(world: World, client: Client) -> None:
    for _ in range(5):
        enter(client, "u006", "错的密码")
    assert enter(client, "u006").status_code == 429
    do_unlock(world["甲填报"], acting_user=world["甲校长"])
    assert enter(client, "u006").status_code == 302


@pytest.mark.parametrize("proxies", [0, 1])
def test_p26_a_forged_forwarded_head_changes_nothing(world: World, settings: object, proxies: int) -> None:
    settings.AXES_IPWARE_PROXY_COUNT = proxies  # type: ignore[attr-defined]
    seen = "198.51.100.4"  # what our own proxy saw and wrote last

    def head(number: int) -> dict[str, str]:
        forged = f"10.9.9.{number}"
        return {"HTTP_X_FORWARDED_FOR": f"{forged}, {seen}" if proxies else forged}

    for number in range(5):
        answer = enter(Client(REMOTE_ADDR="203.0.113.7"), "u006", "错的密码", **head(number))
    assert answer.status_code == 429
    assert enter(Client(REMOTE_ADDR="203.0.113.7"), "u006", **head(9)).status_code == 429
    if proxies:
        other = {"HTTP_X_FORWARDED_FOR": f"{seen}, 198.51.100.5"}
        assert enter(Client(REMOTE_ADDR="203.0.113.7"), "u006", **other).status_code == 302


def test_p27_the_first_sign_in_reaches_only_the_change_of_password(world: World, client: Client) -> None:
    slip = do_reset_password(world["甲填报"], acting_user=world["甲校长"])
    assert enter(client, "u006", slip.password)["Location"] == "/password/"
    assert client.get("/probe/")["Location"] == "/password/"
    for answer in (client.post("/probe/"), client.get("/api/probe/"), client.get("/probe/", HTTP_HX_REQUEST="true")):
        assert answer.status_code == 403
        assert "首次登录请先修改密码" in answer.content.decode()
    assert client.get("/password/").status_code == 200
    wrong = client.post("/password/", {"old": slip.password, "password": "1", "again": "1"})
    assert wrong.status_code == 400
    assert "不足 8 位" in wrong.content.decode()
    assert client.post("/password/", {"old": slip.password, "password": NEW, "again": NEW})["Location"] == "/"
    assert client.get("/probe/").json() == {"who": "甲填报"}


def test_a_change_of_password_ends_the_other_sessions(world: World) -> None:
    here, there = Client(), Client()
    enter(here, "u006")
    enter(there, "u006")
    here.post("/password/", {"old": PASSWORD, "password": NEW, "again": NEW})
    assert here.get("/probe/").status_code == 200
    assert there.get("/probe/").status_code == 302
    do_reset_password(world["甲填报"], acting_user=world["甲校长"])
    assert here.get("/probe/").status_code == 302


def test_p25_a_closed_accounts_open_page_goes_to_the_sign_in(world: World, client: Client) -> None:
    enter(client, "u006")
    assert client.get("/probe/").status_code == 200
    do_close_account(world["甲填报"], acting_user=world["甲校长"], reason="调离")
    assert client.get("/probe/")["Location"].startswith("/login/")
    assert client.post("/probe/")["Location"] == "/login/"
    answer = client.get("/probe/", HTTP_HX_REQUEST="true")
    assert (answer.status_code, answer["X-Sign-In"]) == (401, "/login/")
    assert enter(client, "u006").status_code == 400


def test_a_session_ends_after_eight_idle_hours_and_not_before(world: World, client: Client) -> None:
    start = clock.beijing(2025, 9, 15, 8)
    with clock.at(start):
        enter(client, "u006")
    for hours in (7, 14, 21):
        with clock.at(start + dt.timedelta(hours=hours)):
            assert client.get("/probe/").status_code == 200
    with clock.at(start + dt.timedelta(hours=29, seconds=1)):
        assert client.get("/probe/").status_code == 302


def test_signing_in_on_the_spot_answers_in_json(world: World, client: Client) -> None:
    asks = {"HTTP_ACCEPT": "application/json"}
    refused = enter(client, "u006", "错的密码", **asks)
    assert (refused.status_code, refused.json()["message"]) == (400, "账号或密码不对，请重新输入")
    answer = enter(client, "u006", **asks)
    assert answer.json()["account"] == world["甲填报"].pk
    assert answer.json()["csrf"]


def test_missing_and_foreign_are_one_body(world: World, client: Client) -> None:
    enter(client, "u006")
    mark = lambda answer: [line for line in answer.content.decode().split("\n") if "csrf" not in line.lower()]  # noqa: E731
    missing = client.get("/no-such-page/")
    _raise.append(NotFoundError())
    foreign = client.get("/probe/")
    assert (missing.status_code, foreign.status_code) == (404, 404)
    assert mark(missing) == mark(foreign)
    assert client.get("/api/probe/").json() == client.get("/api/none/").json()
    assert "no-such-page" not in missing.content.decode()


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (ForbiddenError("只有甲小学可以填报"), 403, "只有甲小学可以填报"),
        (RefusedError("late", "采集已截止", places={"x": "已截止"}), 400, "采集已截止"),
        (ConflictError("changed", "已被李改过", mine=1), 409, "已被李改过"),
    ],
)
def test_refusals_have_their_page_part_and_json(
    world: World, client: Client, error: Exception, status: int, told: str
) -> None:
    enter(client, "u006")
    _raise.append(error)
    pages = [client.get("/probe/"), client.get("/probe/", HTTP_HX_REQUEST="true"), client.get("/api/probe/")]
    assert [answer.status_code for answer in pages] == [status] * 3
    assert all(told in answer.content.decode() for answer in pages)
    assert "<html" in pages[0].content.decode()
    assert "<html" not in pages[1].content.decode()
    assert pages[2].json()["detail"] == told


def test_a_fault_shows_nothing_of_the_request(world: World) -> None:
    client = Client(raise_request_exception=False)
    enter(client, "u006")
    _raise.append(ValueError("990000201204070001"))
    answer = client.post("/probe/?q=秘密", {"id": "990000201204070001"})
    text = answer.content.decode()
    assert answer.status_code == 500
    assert "系统出错" in text
    assert "990000201204070001" not in text
    assert "秘密" not in text


def test_a_form_without_its_mark_is_told_in_chinese(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = enter(client, "u006")
    assert answer.status_code == 403
    assert "请返回上一页刷新" in answer.content.decode()


def test_the_system_settings_have_no_door_of_their_own(world: World, client: Client) -> None:
    assert client.get("/settings/login/?next=/settings/")["Location"] == "/login/?next=%2Fsettings%2F"


def test_the_demo_offers_one_account_a_role(world: World, client: Client, settings: object) -> None:
    settings.DEMO = True  # type: ignore[attr-defined]
    text = client.get("/login/").content.decode()
    for title in ("局领导", "学校填报员", "管理员"):
        assert f"<b>{title}</b>" in text
    assert client.post("/login/demo/", {"role": "clerk"})["Location"] == "/"
    assert client.get("/probe/").json() == {"who": "甲填报"}
    assert client.post("/login/demo/", {"role": "king"}).status_code == 404


def test_production_has_no_demo_door(world: World, client: Client, settings: object) -> None:
    settings.DEMO = False  # type: ignore[attr-defined]
    text = client.get("/login/").content.decode()
    assert "演示" not in text
    assert "甲填报" not in text
    assert client.post("/login/demo/", {"role": "clerk"}).status_code == 404
    assert client.get("/probe/").status_code == 302


@pytest.mark.parametrize(("environment", "demo"), [("production", "False"), ("demo", "True"), (None, "False")])
def test_only_the_environment_demo_opens_it(environment: str | None, demo: str) -> None:
    import os
    import subprocess
    import sys

    env = {**os.environ, "JIAOHENG_SECRET_KEY": "x"}
    env.pop("JIAOHENG_ENV", None)
    if environment is not None:
        env["JIAOHENG_ENV"] = environment
    code = "from jiaoheng.bureau import settings; print(settings.DEMO)"
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == demo
