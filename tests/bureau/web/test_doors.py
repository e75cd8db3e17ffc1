"""The outer doors: nobody comes in without signing in, no post from elsewhere, no way out to elsewhere, safe heads."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils.module_loading import import_string

from bureau.web.walk_kit import ask, entered
from bureau.web.walk_stage import ACTORS, ID_NUMBERS, MISSING, Ground
from bureau.web.walk_table import ROUTES, Route
from bureau.world import PASSWORD
from jiaoheng.bureau.core.models import Attachment, AuditEntry

pytestmark = pytest.mark.django_db
_TEMPLATES = Path(__file__).resolve().parents[3] / "src/jiaoheng/bureau/web/templates"
_OUTSIDE = ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "http:evil.example")


def _address(ground: Ground, name: str, route: Route) -> str:
    kind = route.kinds[0] if route.kinds else ""
    fixed = {"register": "roster", "codes": MISSING["name"], "exam": "2025-autumn"}
    value = fixed.get(kind) or next(iter(ground.things.get(kind, {"": ""}).values()))
    return reverse(name, kwargs={**({route.argument: value} if route.argument else {}), **route.more})


def test_without_signing_in_every_page_asks_for_it(ground: Ground) -> None:
    client, entries = Client(), AuditEntry.objects.count()
    for name, route in ROUTES.items():
        if route.open:
            continue
        address = _address(ground, name, route)
        for method in ("get", "post"):
            answer, body, written = ask(client, method, address, {})
            assert answer.status_code == 302, f"{method} {name}: {answer.status_code}"
            assert answer["Location"].startswith("/login/"), name
            assert not body, name
            assert not written, name
        told = client.post(address, {}, headers={"accept": "application/json"})
        assert told.status_code == 401, name
    for name in ("settings/", "settings/core/account/", "settings/ledgers/registerrow/"):
        assert client.get(f"/{name}").status_code == 302
    assert AuditEntry.objects.count() == entries


def test_the_system_settings_open_for_no_role(ground: Ground) -> None:
    for role in ACTORS:
        client = entered(ground, role)
        for address in ("/settings/", "/settings/core/account/", "/settings/core/membership/add/"):
            answer = client.get(address, follow=True)
            assert "系统设置" not in answer.content.decode() or answer.status_code == 403, (role, address)


def test_no_post_without_the_forms_own_mark(ground: Ground) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ground.world["甲填报"], backend="django.contrib.auth.backends.ModelBackend")
    asked = 0
    for name, route in ROUTES.items():
        if route.post is None:
            continue
        answer, body, written = ask(client, "post", _address(ground, name, route), route.sent)
        asked += 1
        assert answer.status_code == 403, f"{name}: {answer.status_code}"
        assert "刷新" in body.decode(), name
        assert not written, name
    assert asked > 40


@pytest.mark.parametrize("elsewhere", _OUTSIDE)
def test_no_address_leads_out_of_the_office(ground: Ground, elsewhere: str) -> None:
    answer = Client().post("/login/", {"username": "u006", "password": PASSWORD, "next": elsewhere})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert elsewhere not in Client().get("/login/", {"next": elsewhere}).content.decode()
    clerk = entered(ground, "clerk")
    assert clerk.get("/login/", {"next": elsewhere})["Location"] == "/"
    dropped, _, _ = ask(clerk, "post", f"/drafts/{ground.things['draft']['甲']}/drop", {"next": elsewhere})
    assert (dropped.status_code, dropped["Location"]) == (303, "/")
    district = entered(ground, "district")
    onward, _, _ = ask(district, "post", f"/filings/{ground.things['filing']['甲']}/approve", {"next": elsewhere})
    assert "evil" not in onward.headers.get("Location", "")


def test_every_answer_carries_safe_heads(ground: Ground) -> None:
    clerk = entered(ground, "clerk")
    photo = f"/files/{ground.things['photo']['甲']}"
    for address in ("/", "/ledgers/roster/", f"/units/{MISSING['number']}/", photo, "/login/"):
        answer = clerk.get(address) if address != "/login/" else Client().get(address)
        assert answer["X-Content-Type-Options"] == "nosniff", address
        assert answer["X-Frame-Options"] == "DENY", address
        assert answer["Referrer-Policy"] == "same-origin", address
        assert "no-store" in answer["Cache-Control"] or "no-cache" in answer["Cache-Control"], address
    served = clerk.get(photo)
    assert served["Content-Type"] == "image/png"
    cookie = Client().post("/login/", {"username": "u006", "password": PASSWORD}).cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


_INLINE = {
    "script": re.compile(r"<script(?![^>]*\bsrc=)", re.IGNORECASE),
    "style element": re.compile(r"<style\b", re.IGNORECASE),
    "style attribute": re.compile(r"<[^>]*\sstyle\s*=", re.IGNORECASE),
    "on…": re.compile(r"<[^>]*\son[a-z]+\s*=\s*[\"']", re.IGNORECASE),
    "javascript:": re.compile(r"(?:href|src|action)\s*=\s*[\"']?\s*javascript:", re.IGNORECASE),
    "another server": re.compile(r"(?:src|href)\s*=\s*[\"'](?:https?:)?//", re.IGNORECASE),
}


def test_no_inline_script_or_style_in_any_template() -> None:
    found = []
    files = sorted(_TEMPLATES.rglob("*.html"))
    assert len(files) > 20
    for file in files:
        text = re.sub(
            r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}", "", file.read_text(encoding="utf-8"), flags=re.DOTALL
        )
        found += [f"{file.name}: {name}" for name, what in _INLINE.items() if what.search(text)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("role", ["department", "clerk", "admin"])
def test_no_inline_script_or_style_in_any_rendered_page(ground: Ground, role: str) -> None:
    client, found, count = entered(ground, role), [], 0
    for name, route in ROUTES.items():
        if route.get is None:
            continue
        answer, body, _ = ask(client, "get", _address(ground, name, route), {})
        if "text/html" in answer.headers.get("Content-Type", "") and name != "exam_file":
            count += 1
            found += [f"{name}: {what}" for what, inside in _INLINE.items() if inside.search(body.decode())]
    assert count > 20
    assert not found, "\n".join(found)


def _broken(*_given: Any, **_named: Any) -> None:
    raise ValueError(f"secret {ID_NUMBERS['甲']}")


@contextmanager
def _server_log() -> Iterator[io.StringIO]:
    """The lines of the server's log as the settings write them."""
    written = io.StringIO()
    shaped = settings.LOGGING["formatters"]["json"]
    handler = logging.StreamHandler(written)
    handler.setFormatter(import_string(shaped["()"])())
    loggers = [logging.getLogger(name) for name in ("", "django.request", "django.security")]
    levels = [one.level for one in loggers]
    loggers[0].addHandler(handler)
    for one in loggers:
        one.setLevel(logging.INFO)
    try:
        yield written
    finally:
        loggers[0].removeHandler(handler)
        for one, level in zip(loggers, levels, strict=True):
            one.setLevel(level)


def test_the_page_of_a_fault_shows_nothing(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jiaoheng.bureau.web.views.home.todo_of", _broken)
    client = entered(ground, "clerk")
    client.raise_request_exception = False
    page = client.get("/")
    assert page.status_code == 500
    assert "系统出错" in page.content.decode()
    for word in ("secret", ID_NUMBERS["甲"], "Traceback", "ValueError", "jiaoheng/"):
        assert word not in page.content.decode()
    told = client.get("/", headers={"accept": "application/json"}).json()
    assert set(told) == {"code", "message"}


def test_p06_no_number_in_the_servers_log(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    number = ID_NUMBERS["甲"]
    principal, clerk = entered(ground, "principal"), entered(ground, "clerk")
    own, record = ground.world["甲"].pk, ground.things["record"]["甲"]
    with _server_log() as log:
        for client, method, address, sent in (
            (clerk, "post", "/ledgers/roster/new", {"unit": own, "f-name": "", "f-id_number": number}),
            (clerk, "post", "/ledgers/roster/new", {"unit": own, "f-name": "新生", "f-id_number": number}),
            (clerk, "post", "/drafts/", {"register": "roster", "unit": own, "f-id_number": number}),
            (clerk, "post", f"/records/{record}/edit", {"base": "9", "f-id_number": number}),
            (principal, "post", f"/records/{record}/reveal", {"field": "id_number", "purpose": "核对学籍"}),
            (principal, "post", f"/records/{record}/reveal", {"field": "id_number", "purpose": ""}),
            (clerk, "get", "/search", {"q": number}),
            (clerk, "get", "/ledgers/roster/", {"q": number}),
            (clerk, "get", "/ledgers/roster/", {"f.id_number.from": number}),
            (clerk, "get", f"/files/{number}", {}),
        ):
            ask(client, method, address, sent)
        monkeypatch.setattr("jiaoheng.bureau.web.views.home.todo_of", _broken)
        clerk.raise_request_exception = False
        assert clerk.get("/").status_code == 500
    lines = log.getvalue()
    assert "ValueError" in lines  # which fault and where, never what it carried
    assert not [one for one in lines.splitlines() if number in one]


def test_uploads_are_refused_by_size_and_kind_and_leave_nothing(ground: Ground) -> None:
    clerk, own, before = entered(ground, "clerk"), ground.world["甲"].pk, Attachment.objects.count()
    program = SimpleUploadedFile("照片.jpg", b"MZ\x90\x00" + b"\0" * 400, content_type="image/jpeg")
    large = SimpleUploadedFile("照片.jpg", b"\xff\xd8\xff" + b"\0" * (25 << 20), content_type="image/jpeg")
    for upload in (program, large):
        sent = {"unit": own, "f-name": "新生", "f-papers": upload, "many": "papers", "kind-papers": "photo"}
        answer = clerk.post("/ledgers/roster/new", sent)
        text = answer.content.decode()
        assert answer.status_code == 400
        assert re.search(r"\d+ MB", text)
        assert "新生" in text  # what was typed stays
    sheet = SimpleUploadedFile("名册.xlsx", b"MZ\x90\x00" + b"\0" * 400)
    answer = clerk.post("/ledgers/roster/import", {"unit": own, "files": sheet})
    assert answer.status_code in (303, 400)
    assert "这个文件" in clerk.get(answer.headers.get("Location", "/")).content.decode()
    assert Attachment.objects.filter(kind__in=("photo", "document")).count() <= before
