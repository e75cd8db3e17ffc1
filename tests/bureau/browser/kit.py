"""What the browser tests share: signing in, pressing, downloading, measuring."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bureau.world import PASSWORD

DESKTOP = {"width": 1366, "height": 768}
PHONE = {"width": 360, "height": 740}


def watch(page: Any, served: str, faults: list[str]) -> None:
    """Note errors of scripts and requests that leave the server."""
    page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))
    page.on(
        "console",
        lambda line: (
            faults.append(f"{page.url}: {line.text}")
            if line.type == "error" and "Failed to load resource" not in line.text
            else None
        ),
    )
    page.on(
        "request",
        lambda one: (
            None if one.url.startswith((served, "data:", "blob:")) else faults.append(f"{page.url} asked {one.url}")
        ),
    )
    page.on("response", lambda one: faults.append(f"{page.url} got 500 from {one.url}") if one.status >= 500 else None)


def sign_in(page: Any, account: Any, password: str = PASSWORD) -> None:
    """Through the form, as a person does."""
    page.goto("/login/")
    page.fill("#username", account.username)
    page.fill("#password", password)
    page.get_by_role("button", name="登录", exact=True).click()
    page.wait_for_url("**/")


def overflow(page: Any) -> int:
    """How many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def press(page: Any, name: str, *, role: str = "button", exact: bool = False, **more: Any) -> None:
    """Press what is called so and wait for what it leads to."""
    page.get_by_role(role, name=name, exact=exact, **more).first.click()
    page.wait_for_load_state("load")


def download(page: Any, act: Callable[[], None], folder: Path) -> Path:
    """The file that an action brings, under its own name."""
    with page.expect_download() as waited:
        act()
    path = folder / waited.value.suggested_filename
    waited.value.save_as(path)
    return path


def said(page: Any) -> str:
    """The text of the page's main part."""
    return str(page.inner_text("#main"))
