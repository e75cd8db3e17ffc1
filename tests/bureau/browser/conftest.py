"""A real browser at a real server: real clicks, desktop and phone, served as `jiaoheng serve` does it."""

from __future__ import annotations

import datetime as dt
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bureau.browser.kit import DESKTOP, PHONE, sign_in, watch
from bureau.world import PASSWORD, World, make_world

# the browser's driver runs an event loop in this thread, which Django would take for asynchronous code
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.fixture(scope="session")
def served(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """The address of the bureau's own server on a free port: waitress, compressed static files, no worker."""
    import waitress
    from django.core.management import call_command

    from jiaoheng.bureau.wsgi import application

    call_command("collectstatic", interactive=False, verbosity=0)
    # WhiteNoise listed the folder when the application was made, before anything lay there
    application.load_middleware()
    server = waitress.create_server(application, host="127.0.0.1", port=0, threads=8, ident=None)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()
    thread.join(timeout=10)


@pytest.fixture
def county(transactional_db: None, served: str) -> World:
    """The small county with calendar and periods, as a browser can reach it."""
    from jiaoheng.bureau.core.calendar import seed_calendar
    from jiaoheng.bureau.core.periods import ensure_periods

    world = make_world()
    seed_calendar(range(2024, 2027))
    for year in (2024, 2025):
        ensure_periods(year)
    return world


@pytest.fixture
def shown(county: World) -> World:
    """That county with every shipped register."""
    from jiaoheng.bureau.ledgers.actions_registers import load_pack
    from jiaoheng.registers.loading import load_shipped

    load_pack(load_shipped(), acting_user=None)
    return county


@pytest.fixture
def at() -> Iterator[Callable[..., dt.datetime]]:
    """`at(2025, 10, 13, 9)` sets the clock of the server and of the test, Beijing time, until it is set again."""
    from jiaoheng.bureau.core import clock

    running: list[Any] = []

    def stop() -> None:
        while running:
            running.pop().__exit__(None, None, None)

    def set_to(*parts: int) -> dt.datetime:
        stop()
        moment = clock.beijing(*parts)
        one = clock.at(moment, everywhere=True)
        one.__enter__()
        running.append(one)
        return moment

    yield set_to
    stop()


Opened = Callable[..., Any]


@pytest.fixture
def opened(chromium: Any, served: str) -> Iterator[Opened]:
    """`opened(account, phone=False)` gives a page of a fresh browser profile, signed in through the sign-in form.

    At the end no page may have had an error of a script or a request to another server.
    """
    contexts = []
    faults: list[str] = []

    def open_page(account: Any = None, *, phone: bool = False, password: str = PASSWORD, context: Any = None) -> Any:
        context = context or chromium.new_context(
            viewport=PHONE if phone else DESKTOP,
            has_touch=phone,
            is_mobile=phone,
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            base_url=served,
            accept_downloads=True,
        )
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        watch(page, served, faults)
        if account is not None:
            sign_in(page, account, password)
        return page

    open_page.faults = faults  # type: ignore[attr-defined]
    yield open_page
    for context in contexts:
        context.close()
    assert not faults
