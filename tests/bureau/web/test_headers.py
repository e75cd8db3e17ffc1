"""The heads of every answer, pages without anything inline, cookies behind https and a proxy."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import NoReverseMatch, reverse

from bureau.web.walk_kit import ask, entered, own_unit
from bureau.web.walk_stage import ACTORS, Ground
from bureau.web.walk_table import OWN, ROUTES
from jiaoheng.bureau.web import headers

pytestmark = pytest.mark.django_db
_SOURCE = str(Path(headers.__file__).parents[3])


class Inline(HTMLParser):
    """Whatever in a page a strict policy would not run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at every tag."""
        named = dict(attrs)
        if tag == "style" or (tag == "script" and not named.get("src") and named.get("type") != "application/json"):
            self.found.append(f"<{tag}>")
        if tag in ("iframe", "object", "embed", "base"):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            outside = re.match(r"\s*(javascript:|https?:|//)", value or "", re.IGNORECASE)
            if name == "style" or name.startswith("on") or (name in ("href", "src", "action", "hx-get") and outside):
                self.found.append(f"{tag} {name}={value}")
            if name in ("hx-on", "hx-vals") and "js:" in (value or ""):
                self.found.append(f"{tag} {name}={value}")


def test_the_reader_of_pages_finds_what_is_inline() -> None:
    for text in ("<p style='a'>", "<script>1</script>", "<a onclick='x'>", "<a href='javascript:x'>", "<style>a</style>",
                 "<script src='https://cdn.example/x.js'></script>", "<base href='/'>"):  # fmt: skip
        reader = Inline()
        reader.feed(text)
        assert reader.found, text


def pages(ground: Ground, role: str) -> dict[str, str]:
    """Every page of the walk that a role gets, also refusals, by its address."""
    client, found = entered(ground, role), {}
    for name, route in ROUTES.items():
        for method, rights in (("get", route.get), ("post", route.post)):
            if rights is None or name == "logout":
                continue
            sent = {key: own_unit(ground, role) if one == OWN else one for key, one in route.sent.items()}
            for kind in route.kinds or ("",):
                things = list(ground.things.get(kind, {}).values())[:2] if kind else [None]
                if kind == "register":
                    things = ["activities"]
                if kind == "exam":
                    things = ["2025-autumn"]
                for value in things:
                    try:
                        address = reverse(name, kwargs={**({route.argument: value} if kind else {}), **route.more})
                    except NoReverseMatch:  # a page that this tree does not have
                        continue
                    answer, body, _ = ask(client, method, address, sent)
                    assert_heads(answer, f"{method} {address}")
                    if answer.get("Content-Type", "").startswith("text/html") and name != "exam_file":
                        found[f"{method} {address} {answer.status_code}"] = body.decode()
    return found


def assert_heads(answer: Any, where: str) -> None:
    """The heads that every answer has."""
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy, where
    if "sandbox" not in policy:
        assert "unsafe-inline" not in policy, where
        assert "unsafe-eval" not in policy, where
    assert answer["X-Content-Type-Options"] == "nosniff", where
    assert answer["X-Frame-Options"] == "DENY", where
    assert answer["Cross-Origin-Opener-Policy"] == answer["Cross-Origin-Resource-Policy"] == "same-origin", where
    assert answer["Referrer-Policy"] == "same-origin", where
    assert "camera=()" in answer["Permissions-Policy"], where


@pytest.mark.parametrize("role", ["admin", "department", "clerk", "district", "teacher"])
def test_no_page_has_anything_inline(ground: Ground, role: str) -> None:
    found = pages(ground, role)
    wrong = []
    for where, text in found.items():
        reader = Inline()
        reader.feed(text)
        wrong += [f"{where}: {one}" for one in reader.found]
    print(f"{role}: {len(found)} pages")
    assert len(found) > 40
    assert not wrong, "\n".join(wrong)


def test_all_roles_stand_on_the_stage() -> None:
    assert {"admin", "department", "clerk", "district", "teacher"} <= set(ACTORS)


def test_answers_before_signing_in(client: Client, db: None) -> None:
    for address in ("/login/", "/nothing-here", "/static/web/app.js", "/healthz", "/api/v1/units"):
        assert_heads(client.get(address), address)


def test_a_fault_has_the_heads_too(client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    from jiaoheng.bureau.web import sign_in

    client.raise_request_exception = False
    monkeypatch.setattr(sign_in, "login_page", lambda *_: 1 // 0)
    answer = client.get("/login/")
    assert answer.status_code == 500
    assert_heads(answer, "a fault")
    reader = Inline()
    reader.feed(answer.content.decode())
    assert reader.found == []


def test_the_exam_report_runs_in_a_place_of_its_own(ground: Ground) -> None:
    answer = entered(ground, "leader").get("/exams/2025-autumn/report.html")
    policy = answer["Content-Security-Policy"]
    assert answer.status_code == 200
    assert policy.startswith("sandbox ")
    assert "allow-same-origin" not in policy
    assert "connect-src" not in policy  # default 'none': it calls nobody
    assert "form-action 'none'" in policy


def test_the_settings_pages_have_a_policy_of_their_own(ground: Ground) -> None:
    from jiaoheng.bureau.core.models import Account

    Account.objects.filter(pk=ground.world[ACTORS["admin"]].pk).update(is_system_admin=True)
    answer = entered(ground, "admin").get("/settings/", follow=True)
    assert answer.status_code == 200
    policy = dict(part.strip().split(" ", 1) for part in answer["Content-Security-Policy"].split(";"))
    assert policy["script-src"] == "'self' 'unsafe-eval'"  # Alpine evaluates attributes; no inline script
    assert policy["default-src"] == policy["script-src-attr"] == policy["object-src"] == "'none'"
    assert "unsafe" not in policy["style-src"] + policy["style-src-elem"]
    styles = re.findall(r"<style[^>]*>(.*?)</style>", answer.content.decode(), re.DOTALL)
    wanted = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in styles]
    assert policy["style-src-elem"] == " ".join(["'self'", *(f"'sha256-{one}'" for one in wanted)])
    inline = [one for one in re.findall(r"<script(?![^>]*src=)[^>]*>", answer.content.decode()) if "json" not in one]
    assert inline == []


@pytest.mark.parametrize("role", ["clerk", "leader", ""])
def test_the_looser_policy_is_for_those_alone_who_open_the_settings(ground: Ground, role: str) -> None:
    client = entered(ground, role) if role else Client()
    for address in ("/settings/", "/settings/core/account/", "/settings/nothing/", "/settings/core/account/add/"):
        answer = client.get(address)
        assert answer.status_code != 200
        assert_heads(answer, f"{role} {address}")


def test_refusals_and_missing_pages_of_the_settings_keep_the_strict_policy(ground: Ground) -> None:
    from jiaoheng.bureau.core.models import Account

    Account.objects.filter(pk=ground.world[ACTORS["admin"]].pk).update(is_system_admin=True)
    client = entered(ground, "admin")
    for address in ("/settings/nothing/", "/settings/core/account/99999999/change/", "/settingsx/"):
        assert_heads(client.get(address), address)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, [False, "sessionid", False, 0]),
        ({"JIAOHENG_HTTPS": "1"}, [True, "__Host-session", False, 31_536_000]),
        ({"JIAOHENG_PROXIES": "1"}, [False, "sessionid", False, 0]),
        ({"JIAOHENG_HTTPS": "1", "JIAOHENG_PROXIES": "1"}, [True, "__Host-session", True, 31_536_000]),
    ],
)
def test_cookies_by_the_settings(tmp_path: Path, given: dict[str, str], wanted: list[Any]) -> None:
    script = (
        "import json; from jiaoheng.bureau.setup import start_django; start_django();"
        "from django.conf import settings as s;"
        "print(json.dumps([s.SESSION_COOKIE_SECURE and s.CSRF_COOKIE_SECURE, s.SESSION_COOKIE_NAME,"
        " s.SECURE_PROXY_SSL_HEADER is not None, s.SECURE_HSTS_SECONDS]))"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": _SOURCE, "JIAOHENG_DATA": str(tmp_path), **given}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == wanted


def test_a_proxy_head_of_a_stranger_makes_nothing_secure(client: Client, db: None) -> None:
    answer = client.get("/login/", HTTP_X_FORWARDED_PROTO="https")
    assert "Strict-Transport-Security" not in answer
    assert not answer.wsgi_request.is_secure()
