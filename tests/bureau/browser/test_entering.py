"""The second factor and the sign-in by another server as a person meets them, at both widths."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import segno
from axe_playwright_python.sync_playwright import Axe
from oidc_provider_mock import User, run_server_in_thread

from bureau.browser.kit import DESKTOP, PHONE, overflow, press, said, sign_in
from bureau.world import PASSWORD, World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import AuditEntry, SecondFactor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDTHS = pytest.mark.parametrize("phone", [False, True], ids=["1366", "360"])


def code_of(secret: str) -> str:
    """What a phone shows now, by RFC 6238 computed here."""
    moment = int(clock.now().timestamp())
    mac = hmac.new(base64.b32decode(secret), struct.pack(">Q", moment // 30), hashlib.sha1).digest()
    at = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def looked_at(page: Any, name: str, *, phone: bool) -> None:
    """Nothing sticks out, nothing is unreadable for a screen reader; a picture where a folder is named for it."""
    assert overflow(page) <= 0, page.url
    found = Axe().run(page).response["violations"]
    assert not found, [(one["id"], [node["html"] for node in one["nodes"]][:2]) for one in found]
    folder = os.environ.get("JIAOHENG_SHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}-{'360' if phone else '1366'}.png", full_page=True)


@WIDTHS
def test_a_second_factor_from_the_picture_to_the_recovery_code(
    county: World, settings: Any, opened: Callable[..., Any], at: Callable[..., Any], phone: bool
) -> None:
    """Scan, a wrong code, the right one, ten recovery codes; the next day a wrong code, a right one; once a recovery code."""
    settings.SECOND_FACTOR = True
    at(2025, 9, 15, 9)
    person = county["股长"]
    page = opened(phone=phone)

    def enter() -> None:
        page.goto("/login/")
        page.fill("#username", person.username)
        page.fill("#password", PASSWORD)
        page.get_by_role("button", name="登录", exact=True).click()
        page.wait_for_url("**/login/code/**")

    enter()
    assert page.url.split("?")[0].endswith("/login/code/new")
    secret = page.locator("form code").inner_text().replace(" ", "")
    assert re.fullmatch(r"[A-Z2-7]{32}", secret)
    issuer = quote("教衡")
    address = f"otpauth://totp/{issuer}:{person.username}?secret={secret}&issuer={issuer}&digits=6&period=30"
    wanted = segno.make(address, error="m").svg_data_uri(scale=5, border=3, dark="#000", light="#fff")
    picture = page.get_by_role("img", name="二维码")
    assert picture.get_attribute("src") == wanted
    assert picture.evaluate("e => e.complete && e.naturalWidth > 100")
    looked_at(page, "factor-new", phone=phone)

    page.fill("#code", "000000" if code_of(secret) != "000000" else "000001")
    press(page, "设置好了")
    assert "验证码不对" in page.get_by_role("alert").inner_text()
    assert not SecondFactor.objects.get(account=person).confirmed_at
    looked_at(page, "factor-new-wrong", phone=phone)
    page.goto("/rounds/")
    assert "/login/code/new" in page.url  # nothing opens before it is set up

    assert page.locator("form code").inner_text().replace(" ", "") == secret  # the scanned picture still holds
    page.fill("#code", code_of(secret))
    press(page, "设置好了")
    codes = page.locator("#codes code").all_inner_texts()
    assert len(set(codes)) == 10
    looked_at(page, "factor-codes", phone=phone)
    press(page, "已经抄好", role="link")
    assert page.url.endswith("/rounds/")  # where he wanted to go

    at(2025, 9, 16, 9)
    page.context.clear_cookies()
    enter()
    page.fill("#code", "12345")
    press(page, "进入")
    assert "验证码不对" in page.get_by_role("alert").inner_text()
    looked_at(page, "factor-code-wrong", phone=phone)
    page.fill("#code", code_of(secret))
    press(page, "进入")
    assert "/login/" not in page.url

    page.context.clear_cookies()
    enter()
    page.fill("#code", codes[3])
    press(page, "进入")
    assert "用掉一个恢复码" in page.inner_text("body")
    page.context.clear_cookies()
    enter()
    page.fill("#code", codes[3])
    press(page, "进入")
    assert "验证码不对" in page.get_by_role("alert").inner_text()
    assert AuditEntry.objects.filter(action="factor.recovery").count() == 1


@pytest.fixture
def provider() -> Iterator[str]:
    """Another server that knows a clerk and somebody who has no account here."""
    people = [
        User(sub="a1", claims={"preferred_username": "u006"}),
        User(sub="a2", claims={"preferred_username": "nobody"}),
    ]
    with run_server_in_thread(user_claims=people) as server:
        yield f"http://localhost:{server.server_port}"


@WIDTHS
def test_in_by_another_server(
    county: World, settings: Any, chromium: Any, served: str, provider: str, at: Callable[..., Any], phone: bool
) -> None:
    """The button, the other server's own page, back in; a stranger comes back to a sentence and stays outside."""
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_SECRET = provider, "jiaoheng", "geheim"
    at(2025, 9, 15, 9)
    context = chromium.new_context(viewport=PHONE if phone else DESKTOP, locale="zh-CN", base_url=served)
    context.set_default_timeout(30_000)
    page, faults = context.new_page(), []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if "Content Security Policy" in line.text else None)

    def come(sub: str) -> None:
        page.goto("/login/?next=/ledgers/")
        press(page, "用统一身份登录", role="link")
        assert page.url.startswith(provider)
        page.fill("input[name=sub]", sub)
        page.locator("form", has=page.locator("input[name=sub]")).get_by_role("button").first.click()
        page.wait_for_url(f"{served}/**")
        page.wait_for_load_state("load")

    page.goto("/login/")
    looked_at(page, "oidc-login", phone=phone)
    come("a2")
    assert "/ledgers/" not in page.url
    looked_at(page, "oidc-stranger", phone=phone)
    page.goto("/ledgers/")
    assert "/login/" in page.url
    come("a1")
    assert page.url == f"{served}/ledgers/"
    assert "甲填报" in page.inner_text("body")
    assert said(page)
    context.close()
    assert not faults


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole report of a small exam, as the command writes it."""
    from typer.testing import CliRunner

    from jiaoheng.cli.main import app
    from jiaoheng.exams.sample import make_sample

    folder = tmp_path_factory.mktemp("exam")
    make_sample(folder / "in", schools=4, pupils=240, seed=3)
    done = CliRunner().invoke(app, ["exam", "report", str(folder / "in"), "--out", str(folder / "out"), "--yes"])
    assert done.exit_code == 0, done.output
    return folder / "out"


def test_the_report_runs_inside_its_sandbox(
    county: World, settings: Any, chromium: Any, served: str, report: Path, tmp_path: Path, at: Callable[..., Any]
) -> None:
    """Charts are drawn, its own script runs, and neither our cookies nor our pages can be reached from it."""
    import shutil

    at(2025, 9, 15, 9)
    settings.DATA = tmp_path
    shutil.copytree(report, tmp_path / "exams" / "期中")
    context = chromium.new_context(viewport=DESKTOP, locale="zh-CN", base_url=served)
    page, faults = context.new_page(), []
    sign_in(page, county["局长"])
    page.on("pageerror", lambda error: faults.append(f"error {error}"))
    page.on("console", lambda line: faults.append(line.text) if line.type in ("error", "warning") else None)
    answer = page.goto("/exams/期中/report.html")
    page.wait_for_load_state("load")
    assert answer.status == 200
    assert answer.headers["content-security-policy"].startswith("sandbox ")
    drawn = page.evaluate(
        "[...document.querySelectorAll('svg')].filter(e => e.getBoundingClientRect().width > 150 &&"
        " e.querySelectorAll('path, rect, line, circle').length > 5).length"
    )
    assert drawn >= 3
    assert page.evaluate("window.origin") == "null"  # a place of its own: no session, no storage of ours
    assert page.evaluate("(() => { try { return document.cookie } catch (e) { return e.name } })()") == "SecurityError"
    reached = page.evaluate("fetch('/me', {credentials: 'include'}).then(r => r.status, e => e.name)")
    assert reached == "TypeError"
    page.mouse.wheel(0, 4_000)
    folder = os.environ.get("JIAOHENG_SHOTS")
    if folder:
        page.screenshot(path=Path(folder) / "report.png")
    context.close()
    assert [one for one in faults if f"{served}/me" not in one] == []  # those are of our own try to reach it
    assert len(faults) >= 1
