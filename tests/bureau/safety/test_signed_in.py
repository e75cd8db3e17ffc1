"""Where one is signed in: lines with device words, ended one by one or all; passwords by role; tries counted."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from bureau.world import PASSWORD, World
from jiaoheng.bureau.core import clock, tallies
from jiaoheng.bureau.core.actions_accounts import do_reset_password
from jiaoheng.bureau.core.models import SignedIn, Tally
from jiaoheng.bureau.core.passwords import check_new_password
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.core.signed_in import device_words

pytestmark = pytest.mark.django_db
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"
WECHAT = "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/116 MicroMessenger/8.0.47"


def enter(username: str, agent: str = CHROME) -> Client:
    client = Client(HTTP_USER_AGENT=agent)
    assert client.post("/login/", {"username": username, "password": PASSWORD}).status_code == 302
    return client


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (CHROME, "Windows 上的 Chrome"),
        (WECHAT, "安卓 上的 微信"),
        (CHROME.replace("Safari/537.36", "Safari/537.36 Edg/126.0"), "Windows 上的 Edge"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Mobile Safari/604.1",
            "iPhone 上的 Safari",
        ),
        ("curl/8.0", "未知设备"),
        ("", "未知设备"),
        ("<script>alert(1)</script>", "未知设备"),
    ],
)
def test_devices_in_words(agent: str, words: str) -> None:
    assert device_words(agent) == words


def test_one_line_a_browser_and_ending_one(world: World) -> None:
    here, phone = enter("u006"), enter("u006", WECHAT)
    page = here.get("/me").content.decode()
    assert "Windows 上的 Chrome" in page
    assert "安卓 上的 微信" in page
    line = SignedIn.objects.get(device="安卓 上的 微信")
    assert here.post("/me", {"act": "leave", "line": line.pk}).status_code == 302
    assert phone.get("/")["Location"].startswith("/login/")
    assert here.get("/").status_code == 200


def test_ending_all_others(world: World) -> None:
    here, others, foreign = enter("u006"), [enter("u006") for _ in range(3)], enter("u007")
    here.post("/me", {"act": "leave-others"})
    assert [one.get("/").status_code for one in others] == [302] * 3
    assert here.get("/").status_code == foreign.get("/").status_code == 200


@pytest.mark.parametrize("line", ["foreign", "999999", "", "x", "9" * 40, "-1", "１"])
def test_lines_of_others_are_missing(world: World, line: str) -> None:
    here, foreign = enter("u006"), enter("u007")
    if line == "foreign":
        line = str(SignedIn.objects.get(account=world["乙填报"]).pk)
    assert here.post("/me", {"act": "leave", "line": line}).status_code == 404
    assert foreign.get("/").status_code == 200


def test_signing_out_a_new_password_and_a_reset_end_lines(world: World) -> None:
    one, two = enter("u006"), enter("u006")
    one.post("/logout/")
    assert SignedIn.objects.filter(account=world["甲填报"]).count() == 1
    third = enter("u006")
    new = "槐树下的新钟声77"
    third.post("/password/", {"old": PASSWORD, "password": new, "again": new})
    assert two.get("/").status_code == 302
    assert third.get("/").status_code == 200
    do_reset_password(world["甲填报"], acting_user=world["甲校长"])
    assert third.get("/").status_code == 302
    assert not SignedIn.objects.filter(account=world["甲填报"]).exists()


def test_a_session_without_its_line_opens_nothing(world: World) -> None:
    client = enter("u006")
    SignedIn.objects.all().delete()
    assert client.get("/")["Location"].startswith("/login/")


def test_last_use_is_noted_every_five_minutes(world: World) -> None:
    start = clock.beijing(2025, 9, 15, 12)
    with clock.at(start):
        client = enter("u006")
    for minutes, noted in ((4, 0), (6, 6), (10, 6), (12, 12)):
        with clock.at(start + dt.timedelta(minutes=minutes)):
            client.get("/")
        assert SignedIn.objects.get().used_at == start + dt.timedelta(minutes=noted)


@pytest.mark.parametrize(
    ("who", "password", "said"),
    [
        ("管理员", "槐树下钟声42990", ""),
        ("管理员", "槐树下钟声4299", "不足 10 位"),
        ("甲填报", "槐树下钟声429", ""),
        ("甲填报", "槐树下钟声4", "不足 8 位"),
        ("甲填报", "password123", "太常见"),
        ("甲填报", "教育局20252025", "单位名称、代码或常用词"),
        ("甲填报", "jyj@2025!!", "单位名称、代码或常用词"),
        ("甲填报", "jiaoyuju2025", "单位名称、代码或常用词"),
        ("甲填报", "青槐县2025!", "单位名称、代码或常用词"),
        ("甲填报", "qinghuaixian1", "单位名称、代码或常用词"),
        ("甲填报", "qhx12345678", "单位名称、代码或常用词"),
        ("甲填报", "东镇甲小学123", "单位名称、代码或常用词"),
        ("甲填报", "2199000001", "单位名称、代码或常用词"),
        ("甲填报", "ＪＹＪ１２３４５６", "单位名称、代码或常用词"),
    ],
)
def test_passwords(world: World, who: str, password: str, said: str) -> None:
    if not said:
        check_new_password(world[who], password)
        return
    with pytest.raises(RefusedError) as refused:
        check_new_password(world[who], password)
    assert said in str(refused.value)


def test_thirty_wrong_tries_from_many_addresses(world: World) -> None:
    with clock.at(clock.beijing(2025, 9, 15, 12)):
        for number in range(30):
            away = Client(REMOTE_ADDR=f"203.0.113.{number}")
            assert away.post("/login/", {"username": "u006", "password": "错"}).status_code == 400
        answer = Client(REMOTE_ADDR="203.0.113.99").post("/login/", {"username": "u006", "password": PASSWORD})
        assert (answer.status_code, answer["Retry-After"]) == (429, "900")
        assert "输错次数太多，请 15 分钟后再试" in answer.content.decode()
        assert enter("u007")
        assert not Tally.objects.filter(name__contains="u006").exists()
    with clock.at(clock.beijing(2025, 9, 15, 12, 16)):
        assert enter("u006")


def test_a_lock_says_for_how_long(world: World, client: Client) -> None:
    answers = [client.post("/login/", {"username": "u006", "password": "错"}) for _ in range(5)]
    assert (answers[-1].status_code, answers[-1]["Retry-After"]) == (429, "900")


def test_windows_begin_anew_and_are_swept(db: Any) -> None:
    start = clock.beijing(2025, 9, 15, 12)
    with clock.at(start):
        assert [tallies.count_one("x", 60, 2) for _ in range(4)] == [0, 0, 60, 60]
        assert tallies.waiting("x", 60, 2) == 60
    with clock.at(start + dt.timedelta(seconds=59)):
        assert tallies.count_one("x", 60, 2) == 1
    with clock.at(start + dt.timedelta(seconds=60)):
        assert tallies.count_one("x", 60, 2) == 0
        assert tallies.sweep() == 0
    with clock.at(start + dt.timedelta(days=3)):
        assert tallies.sweep() == 2
