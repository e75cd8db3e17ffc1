"""A data folder, a backup key and a second, empty database of the test's own."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from jiaoheng.bureau.core import keys as data_keys


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything lies below the test's folder; the backup key beside it."""
    use_folder(settings, tmp_path / "一")
    path = tmp_path / "钥匙.key"
    path.write_bytes(base64.b64encode(os.urandom(32)))
    path.chmod(0o600)
    monkeypatch.setenv("JIAOHENG_KEYS", str(tmp_path / "数据钥匙"))
    data_keys.forget()
    monkeypatch.delenv("JIAOHENG_BACKUP_KEY", raising=False)
    monkeypatch.delenv("JIAOHENG_BACKUP_FOLDER", raising=False)
    monkeypatch.setenv("JIAOHENG_BACKUP_KEY_FILE", str(path))


def use_folder(settings: Any, data: Path) -> Path:
    """Make `data` the data folder."""
    data.mkdir(exist_ok=True)
    settings.DATA, settings.FILES, settings.SNAPSHOTS = data, data / "files", data / "snapshots"
    settings.ANCHOR = data / "audit-anchor.log"
    return data


@contextmanager
def second_base(path: Path, url: str = "") -> Iterator[str]:
    """An empty database under an alias of its own (SQLite at `path`, or `url`); closed and forgotten afterwards."""
    import dj_database_url
    from django.db import connections

    alias = f"second-{path.name}"
    basis = connections["default"].settings_dict
    made = {**basis, "NAME": str(path), "TEST": basis["TEST"]}
    if url:
        made.update(dj_database_url.parse(url), OPTIONS={})
    elif basis["ENGINE"].endswith("postgresql"):
        made.update(ENGINE="django.db.backends.sqlite3", OPTIONS={"init_command": "PRAGMA journal_mode=WAL;"})
    connections.databases[alias] = made
    open_up(connections[alias])
    try:
        yield alias
    finally:
        connections[alias].close()
        del connections[alias]
        del connections.databases[alias]


def open_up(connection: Any) -> None:
    """Let a test reach a base beside its own: Django's guard knows only those that it made itself."""

    def ensure() -> None:
        if connection.connection is None:
            with connection.wrap_database_errors:
                connection.connect()

    connection.ensure_connection = ensure


@contextmanager
def as_default(alias: str) -> Iterator[None]:
    """For a block the program's own database is the second one: what reads by the models reads there."""
    from django.db import connections

    first, second = connections["default"], connections[alias]
    connections["default"] = second
    try:
        yield
    finally:
        connections["default"] = first
