"""Shared fixtures. Files of `../shared` are test input only and may be absent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# no timed assertions: a busy machine must not fail a test
settings.register_profile("jiaoheng", deadline=None)
settings.load_profile("jiaoheng")

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """One browser for all tests of a process: its driver's event loop allows no second one beside it."""
    sync_api = pytest.importorskip("playwright.sync_api")
    if not Path(CHROMIUM).exists():
        pytest.skip("Chromium is not on this machine")
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, headless=True)
        yield browser
        browser.close()


def _folder(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"the folder ../shared/{name} is not on this machine")
    return folder


@pytest.fixture(scope="session")
def shared_cases() -> Path:
    """Small inputs with the right value."""
    return _folder("cases")


@pytest.fixture(scope="session")
def shared_real() -> Path:
    """Real files of people who do this job."""
    return _folder("real")
