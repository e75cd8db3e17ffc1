"""One-time codes: who needs them, what opens before them, what a code, a recovery code, a remembered browser are worth."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import re
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from bureau.world import PASSWORD, World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.actions_second_factor import do_reset_factor
from jiaoheng.bureau.core.capabilities import ROLES
from jiaoheng.bureau.core.models import AuditEntry, RecoveryCode, SecondFactor
from jiaoheng.bureau.core.refusals import ForbiddenError, NotFoundError, RefusedError
from jiaoheng.bureau.core.second_factor import needs_second_factor

pytestmark = pytest.mark.django_db
START = clock.beijing(2025, 9, 15, 12)


@pytest.fixture(autouse=True)
def asked(settings: Any) -> Iterator[None]:
    """The server asks for codes, at a clock that stands."""
    settings.SECOND_FACTOR = True
    with clock.at(START):
        yield


def code_of(factor: SecondFactor, seconds: int = 0) -> str:
    """The code that a phone shows, by RFC 6238 computed here independently."""
    moment = int((START + dt.timedelta(seconds=seconds)).timestamp())
    mac = hmac.new(base64.b32decode(factor.secret), struct.pack(">Q", moment // 30), hashlib.sha1).digest()
    at = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def enter(client: Client, username: str) -> Any:
    return client.post("/login/", {"username": username, "password": PASSWORD})


def enrolled(client: Client, username: str) -> tuple[SecondFactor, list[str]]:
    """Signed in, set up with a right code; the recovery codes that the page showed."""
    enter(client, username)
    page = client.get("/login/code/new").content.decode()
    assert 'src="data:image/svg+xml' in page
    factor = SecondFactor.objects.get(account__username=username)
    answer = client.post("/login/code/new", {"code": code_of(factor)})
    shown = re.findall(r"<code>([2-9a-z]{5}-[2-9a-z]{5})</code>", answer.content.decode())
    return SecondFactor.objects.get(pk=factor.pk), shown


def test_roles_that_see_the_county_need_it_and_only_they(world: World) -> None:
    need = {key for key, role in ROLES.items() if role.second_factor}
    assert need == {"leader", "department", "research", "inspector", "admin"}
    asked = {name for name, account in world.people.items() if needs_second_factor(account)}
    assert asked == {"局长", "股长", "督学", "管理员"}
    world["甲教师"].is_system_admin = True
    assert needs_second_factor(world["甲教师"])


def test_nothing_opens_before_it_is_set_up(world: World, client: Client) -> None:
    enter(client, "u002")
    for address in ("/", "/ledgers/", "/me", "/people/", "/settings/", "/tokens", "/password/"):
        answer = client.get(address)
        if address == "/password/":
            continue
        assert answer.status_code in (302, 404), address
        if answer.status_code == 302 and "/settings/" not in address:
            assert answer["Location"].startswith("/login/code/new"), address
    assert client.post("/seen").status_code == 403
    assert client.get("/", HTTP_HX_REQUEST="true").status_code == 403


def test_setting_up_and_signing_in_again(world: World, client: Client) -> None:
    factor, shown = enrolled(client, "u002")
    assert len(shown) == len(set(shown)) == 10
    assert client.get("/").status_code == 200
    stored = SecondFactor.objects.filter(pk=factor.pk).extra(select={"raw": "secret"}).values_list("raw", flat=True)[0]
    assert factor.secret not in stored  # it lies sealed
    assert not set(shown) & set(RecoveryCode.objects.values_list("hash", flat=True))
    assert client.get("/login/code/new").status_code == 302  # the codes are not shown a second time
    other = Client()
    enter(other, "u002")
    assert other.get("/")["Location"] == "/login/code/?next=%2F"
    assert other.get("/me")["Location"].startswith("/login/code/")
    assert other.post("/password/", {"old": PASSWORD}).status_code == 403
    with clock.at(START + dt.timedelta(seconds=60)):
        answer = other.post("/login/code/", {"code": code_of(factor, 60), "next": "/ledgers/"})
        assert (answer.status_code, answer["Location"]) == (302, "/ledgers/")
        assert other.get("/").status_code == 200


@pytest.mark.parametrize("shift", [-30, 0, 30])
def test_a_phone_may_be_half_a_minute_off(world: World, client: Client, shift: int) -> None:
    factor, _ = enrolled(client, "u002")
    with clock.at(START + dt.timedelta(seconds=300)):
        other = Client()
        enter(other, "u002")
        assert other.post("/login/code/", {"code": code_of(factor, 300 + shift)}).status_code == 302


@pytest.mark.parametrize("shift", [-90, -60, 60, 90])
def test_older_and_later_codes_do_not_open(world: World, client: Client, shift: int) -> None:
    factor, _ = enrolled(client, "u002")
    with clock.at(START + dt.timedelta(seconds=300)):
        other = Client()
        enter(other, "u002")
        assert other.post("/login/code/", {"code": code_of(factor, 300 + shift)}).status_code == 400


def test_no_code_is_taken_twice(world: World, client: Client) -> None:
    factor, _ = enrolled(client, "u002")
    other = Client()
    enter(other, "u002")
    assert other.post("/login/code/", {"code": code_of(factor)}).status_code == 400  # it confirmed the setting up
    assert other.get("/").status_code == 302


@pytest.mark.parametrize("typed", ["", "000", "abcdef", "１２３４５６", "0" * 500, "-12345", "0x1234"])
def test_what_is_no_code(world: World, client: Client, typed: str) -> None:
    enrolled(client, "u002")
    other = Client()
    enter(other, "u002")
    answer = other.post("/login/code/", {"code": typed})
    assert answer.status_code == 400
    assert "请等手机上换了新的 6 位数字再输" in answer.content.decode()


def test_five_wrong_codes_and_it_waits(world: World, client: Client) -> None:
    factor, _ = enrolled(client, "u002")
    other = Client()
    enter(other, "u002")
    states = [other.post("/login/code/", {"code": "000001"}).status_code for _ in range(5)]
    answer = other.post("/login/code/", {"code": code_of(factor, 30)})
    assert states == [400] * 5
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 900
    assert "手机丢失请用恢复码" in answer.content.decode()
    assert AuditEntry.objects.filter(action="factor.failed").count() == 5
    with clock.at(START + dt.timedelta(minutes=16)):
        assert other.post("/login/code/", {"code": code_of(factor, 960)}).status_code == 302


def test_each_recovery_code_opens_once(world: World, client: Client) -> None:
    _, shown = enrolled(client, "u002")
    for typed in (shown[0], shown[1].upper().replace("-", " ")):
        other = Client()
        enter(other, "u002")
        assert other.post("/login/code/", {"code": typed}).status_code == 302
        again = Client()
        enter(again, "u002")
        assert again.post("/login/code/", {"code": typed}).status_code == 400
    assert AuditEntry.objects.filter(action="factor.recovery").count() == 2


def test_codes_of_another_person_open_nothing(world: World, client: Client) -> None:
    _, shown = enrolled(client, "u002")
    other = Client()
    enrolled(other, "u001")
    third = Client()
    enter(third, "u001")
    assert third.post("/login/code/", {"code": shown[0]}).status_code == 400


def test_a_browser_is_remembered_only_where_the_server_says_so(world: World, client: Client, settings: Any) -> None:
    _, shown = enrolled(client, "u002")
    other = Client()
    enter(other, "u002")
    other.post("/login/code/", {"code": shown[0], "remember": "1"})
    assert "jh-device" not in other.cookies
    settings.SECOND_FACTOR_REMEMBER_DAYS = 7
    third = Client()
    enter(third, "u002")
    third.post("/login/code/", {"code": shown[1], "remember": "1"})
    mark = third.cookies["jh-device"]
    assert (mark["httponly"], mark["samesite"]) == (True, "Lax")
    third.post("/logout/")
    enter(third, "u002")
    assert third.get("/").status_code == 200
    foreign = Client()
    enrolled(Client(), "u001")
    foreign.cookies["jh-device"] = mark.value
    enter(foreign, "u001")
    assert foreign.get("/").status_code == 302  # another person's mark
    world["股长"].set_password("新的密码新的密码")
    world["股长"].save()
    third.post("/logout/")
    third.post("/login/", {"username": "u002", "password": "新的密码新的密码"})
    assert third.get("/").status_code == 302  # a new password ends it


def test_an_administrator_takes_it_off_with_a_reason(world: World, client: Client) -> None:
    enrolled(client, "u002")
    with pytest.raises(RefusedError):
        do_reset_factor(world["股长"], acting_user=world["管理员"], reason=" ")
    with pytest.raises((ForbiddenError, NotFoundError)):
        do_reset_factor(world["股长"], acting_user=world["甲校长"], reason="试")
    assert SecondFactor.objects.count() == 1
    do_reset_factor(world["股长"], acting_user=world["管理员"], reason="本人到场，身份证已核对")
    assert client.get("/")["Location"].startswith("/login/")  # signed out everywhere
    entry = AuditEntry.objects.get(action="factor.reset")
    assert (entry.actor_id, entry.reason) == (world["管理员"].pk, "本人到场，身份证已核对")
    enter(client, "u002")
    assert client.get("/")["Location"].startswith("/login/code/new")


def test_another_phone_and_new_codes_ask_for_a_code(world: World, client: Client) -> None:
    factor, shown = enrolled(client, "u002")
    for act in ("codes", "phone"):
        client.post("/login/code/change", {"act": act, "code": "000001"})
    assert SecondFactor.objects.filter(pk=factor.pk).exists()
    answer = client.post("/login/code/change", {"act": "codes", "code": shown[0]})
    new = re.findall(r"<code>([2-9a-z]{5}-[2-9a-z]{5})</code>", answer.content.decode())
    assert len(new) == 10
    assert not set(new) & set(shown)
    other = Client()
    enter(other, "u002")
    assert other.post("/login/code/", {"code": shown[1]}).status_code == 400  # old ones are void
    assert client.post("/login/code/change", {"act": "phone", "code": new[0]})["Location"] == "/login/code/new"
    assert not SecondFactor.objects.filter(pk=factor.pk).exists()
    assert client.get("/").status_code == 302


def test_a_clerk_of_a_school_is_not_asked(world: World, client: Client) -> None:
    enter(client, "u006")
    assert client.get("/").status_code == 200


def test_a_role_given_later_is_asked_from_the_next_page_on(world: World, client: Client) -> None:
    from jiaoheng.bureau.core.models import Membership

    enter(client, "u006")
    Membership.objects.create(
        account=world["甲填报"], role="inspector", unit=world["股"], starts_on=dt.date(2025, 9, 1)
    )
    assert client.get("/")["Location"].startswith("/login/code/new")
