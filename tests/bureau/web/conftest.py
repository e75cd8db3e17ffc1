"""The ground of the permission walk, laid once a module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from bureau.web.walk_stage import NOW, Ground, make_ground
from jiaoheng.bureau.core import clock


@pytest.fixture(scope="module")
def laid(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The ground, made once for the module inside a transaction that is rolled back at its end."""
    from django.conf import settings

    from jiaoheng.bureau.ledgers import registry

    data = tmp_path_factory.mktemp("walk")
    names = ("DATA", "FILES", "ANCHOR", "SNAPSHOTS")
    kept = {name: getattr(settings, name) for name in names}
    for name, below in zip(names, ("", "files", "anchor.log", "snapshots"), strict=True):
        setattr(settings, name, data / below)
    with django_db_blocker.unblock(), transaction.atomic(), clock.at(NOW):
        registry.forget()
        try:
            ground = make_ground()
            _exam_report(data)
            yield ground, {name: getattr(settings, name) for name in names}
        finally:
            transaction.set_rollback(True)
            registry.forget()
            for name, value in kept.items():
                setattr(settings, name, value)


@pytest.fixture
def ground(laid: Any, settings: Any) -> Iterator[Ground]:
    """The ground with its own folders and its own moment."""
    found, folders = laid
    for name, value in folders.items():
        setattr(settings, name, value)
    with clock.at(NOW):
        yield found


def _exam_report(data: Any) -> None:
    folder = data / "exams" / "2025-autumn"
    folder.mkdir(parents=True)
    (folder / "report.html").write_text("<p>全县成绩</p>", encoding="utf-8")
