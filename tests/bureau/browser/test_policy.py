"""Chromium itself watches the content policy: nothing on the main pages breaks it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bureau.browser.kit import sign_in
from bureau.world import World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
_LISTEN = """
window.broken = [];
document.addEventListener("securitypolicyviolation", (e) => window.broken.push(e.violatedDirective + " " + e.blockedURI + " " + e.sourceFile + ":" + e.lineNumber));
"""
PAGES = ("/", "/ledgers/", "/ledgers/school_year/", "/rounds/", "/rounds/new", "/units/", "/exams/", "/people/", "/people/new",
         "/audit/", "/me", "/calendar/", "/registers/make", "/codes/", "/search?q=东")  # fmt: skip


def test_no_page_breaks_its_policy(shown: World, chromium: Any, served: str, at: Callable[..., Any]) -> None:
    at(2025, 10, 13, 9)
    shown["管理员"].is_system_admin = True
    shown["管理员"].save()
    context = chromium.new_context(base_url=served)
    context.add_init_script(_LISTEN)
    page, broken, seen, said = context.new_page(), [], 0, []
    page.on("console", lambda line: said.append(line.text) if "Content Security Policy" in line.text else None)
    sign_in(page, shown["管理员"])
    for address in (*PAGES, "/settings/", "/settings/core/account/"):
        answer = page.goto(address)
        page.wait_for_load_state("load")
        seen += answer.status == 200
        broken += [f"{address}: {one}" for one in page.evaluate("window.broken")]
    context.close()
    print(f"{seen} pages seen")
    assert seen >= 12
    assert broken == []
    assert said == []


def test_the_listener_hears_a_break(shown: World, chromium: Any, served: str) -> None:
    context = chromium.new_context(base_url=served)
    context.add_init_script(_LISTEN)
    page = context.new_page()
    page.goto("/login/")
    page.evaluate(
        "() => { const e = document.createElement('script'); e.textContent = 'window.ran = 1'; document.body.append(e); }"
    )
    page.wait_for_timeout(200)
    assert page.evaluate("window.ran") is None
    assert any("script-src" in one for one in page.evaluate("window.broken"))
    context.close()
