"""One small demonstration, built once for the module and taken away again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SCALE = 0.05


@pytest.fixture(scope="module")
def demo(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """What `build` made, with `data` as the folder that anchor and files went to."""
    from django.conf import settings
    from django.core.management import call_command

    from jiaoheng.bureau.demo.building import build
    from jiaoheng.bureau.ledgers import registry

    data: Path = tmp_path_factory.mktemp("demo")
    kept = {name: getattr(settings, name) for name in ("DATA", "ANCHOR", "FILES")}
    settings.DATA, settings.ANCHOR, settings.FILES = data, data / "audit-anchor.log", data / "files"
    with django_db_blocker.unblock():
        registry.forget()
        try:
            yield build(scale=SCALE)
        finally:
            for name, value in kept.items():
                setattr(settings, name, value)
            call_command("flush", interactive=False, verbosity=0)
            registry.forget()


@pytest.fixture
def standing(demo: Any, db: None, settings: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The demonstration at its own moment, with its own folder."""
    from jiaoheng.bureau.core import clock

    settings.DATA = demo.slips.parent.parent
    settings.ANCHOR = settings.DATA / "audit-anchor.log"
    with clock.at(demo.county.now):
        yield demo
