"""Moving house: SQLite → PostgreSQL with one command, and back through a backup, every row the same."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.operations.moving import MARK, move
from jiaoheng.bureau.operations.upgrading import check_may_run

ROOT = Path(__file__).resolve().parents[3]
HAS_SERVER = bool(shutil.which("initdb") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb")))

ROUND_TRIP = """
set -eu
NEW="$DATABASE_URL"; unset DATABASE_URL
export JIAOHENG_DATA="$PWD/one"
jiaoheng demo build --data one --scale 0.01 >/dev/null 2>&1
mkdir -p one/files/ab/cd && printf x > one/files/ab/cd/abcd.bin
jiaoheng move "$NEW" >move.txt
if jiaoheng serve --port 1 2>refused.txt; then exit 7; fi
jiaoheng upgrade 2>moved.txt && exit 8
if jiaoheng move "$NEW" 2>again.txt; then exit 9; fi
DATABASE_URL="$NEW" jiaoheng backup backup.jhb >backup.txt
DATABASE_URL="$NEW" jiaoheng audit verify >verify.txt
export JIAOHENG_DATA="$PWD/two"
jiaoheng restore backup.jhb >restore.txt
"""


def rows(path: Path) -> dict[str, list[Any]]:
    """Everything in an SQLite file, read without the program; JSON as values."""
    left_out = {"django_session", "django_migrations"}
    with sqlite3.connect(path) as base:
        names = [row[0] for row in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {}
        for name in names:
            if name not in left_out and not name.startswith("sqlite_"):
                every = f'SELECT * FROM "{name}"'  # noqa: S608
                found[name] = sorted(([_value(one) for one in row] for row in base.execute(every)), key=repr)
        found["sqlite_sequence"] = sorted(
            (
                [*row]
                for row in base.execute("SELECT name, seq FROM sqlite_sequence")
                if row[0] not in left_out and row[1]
            ),
            key=repr,
        )
    return found


def _value(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("{", "[", '"'):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


@pytest.mark.skipif(not HAS_SERVER, reason="no PostgreSQL server installed here")
@pytest.mark.skipif("DATABASE_URL" in os.environ, reason="runs once, with the SQLite suite")
def test_there_and_back_again(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    shim = tmp_path / "bin" / "jiaoheng"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m jiaoheng "$@"\n')
    shim.chmod(0o755)
    (tmp_path / "trip.sh").write_text(ROUND_TRIP)
    given = {name: value for name, value in os.environ.items() if not name.startswith(("JIAOHENG", "DJANGO"))}
    given |= {
        "PATH": f"{tmp_path / 'bin'}:{given['PATH']}",
        "PYTHONPATH": str(ROOT / "src"),
        "JIAOHENG_ENV": "demo",
        "JIAOHENG_KEYS": str(tmp_path / "keys"),
        "JIAOHENG_BACKUP_KEY_FILE": os.environ["JIAOHENG_BACKUP_KEY_FILE"],
    }
    command = ["bash", str(ROOT / "scripts" / "postgres.sh"), "bash", "trip.sh"]
    done = subprocess.run(command, cwd=tmp_path, env=given, capture_output=True, text=True, timeout=420)
    assert done.returncode == 0, done.stdout + done.stderr
    before, after = rows(tmp_path / "one" / "jiaoheng.sqlite3"), rows(tmp_path / "two" / "jiaoheng.sqlite3")
    # the backup's own entry was written after it was made: it is in neither
    assert set(before) == set(after)
    for name in before:
        assert before[name] == after[name], name
    assert sum(map(len, before.values())) > 10_000
    assert "逐行核对一致" in (tmp_path / "move.txt").read_text("utf-8")
    assert "已搬到 PostgreSQL" in (tmp_path / "moved.txt").read_text("utf-8")
    assert (tmp_path / "two" / "files" / "ab" / "cd" / "abcd.bin").read_bytes() == b"x"
    assert (tmp_path / "verify.txt").read_text("utf-8").startswith("完整")
    told = "".join((tmp_path / name).read_text("utf-8") for name in ("again.txt", "moved.txt"))
    assert "Traceback" not in told


@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_moved_is_told_before_anything_is_done(settings: Any) -> None:
    if connection.vendor != "sqlite":
        with pytest.raises(RefusedError) as refused:
            move("postgres://x@127.0.0.1:1/x")
        assert refused.value.code == "move-not-sqlite"
        return
    for address in ("sqlite:///x", "mysql://x@y/z", "nonsense", ""):
        with pytest.raises(RefusedError) as refused:
            move(address)
        assert refused.value.code == "move-address"


@pytest.mark.django_db(transaction=True)
def test_a_base_that_was_moved_away_is_not_run_again(settings: Any) -> None:
    (settings.DATA / MARK).write_text(json.dumps({"to": "db/jiaoheng", "at": "2025-09-15T00:00:00+00:00"}))
    if connection.vendor != "sqlite":
        check_may_run()
        return
    with pytest.raises(RefusedError) as refused:
        check_may_run()
    assert refused.value.code == "moved-away"
    assert "db/jiaoheng" in str(refused.value)
