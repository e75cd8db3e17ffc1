"""An upgrade takes a backup first; a newer base is left alone; a start after a crash repairs itself. As real commands."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.skipif("DATABASE_URL" in os.environ, reason="runs once, with the SQLite suite")


class Machine:
    """A data folder and the commands on it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "data"
        given = {name: value for name, value in os.environ.items() if not name.startswith(("JIAOHENG", "DJANGO"))}
        self.environment = given | {
            "PYTHONPATH": str(ROOT / "src"),
            "JIAOHENG_ENV": "demo",
            "JIAOHENG_DATA": str(self.data),
            "JIAOHENG_KEYS": str(folder / "keys"),
            "JIAOHENG_BACKUP_KEY_FILE": str(folder / "backup.key"),
        }

    def run(self, *words: str, code: int = 0) -> str:
        done = subprocess.run(self.words(*words), env=self.environment, capture_output=True, text=True, timeout=240)
        told = done.stdout + done.stderr
        assert done.returncode == code, told
        assert "Traceback" not in told
        return told

    def words(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "jiaoheng", *words]

    def base(self) -> sqlite3.Connection:
        return sqlite3.connect(self.data / "jiaoheng.sqlite3", isolation_level=None)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    made = Machine(tmp_path_factory.mktemp("machine"))
    made.run("init", "--name", "青槐县", "--code", "990100", "--admin", "王芳")
    return made


def test_an_upgrade_takes_a_backup_first_and_it_can_be_restored(machine: Machine) -> None:
    """One step back, in a table that a backup leaves out, as an older version would stand there."""
    assert "已是本程序的版本" in machine.run("upgrade")
    with machine.base() as base:
        base.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
        base.execute("DROP TABLE django_session")
    told = machine.run("upgrade")
    assert "已做好编号" in told  # there was no key yet
    assert "升级前已备份" in told
    (backup,) = (machine.data / "backups").glob("*.jhb")
    assert (machine.folder / "backup.key").stat().st_mode & 0o777 == 0o600
    with machine.base() as base:
        assert base.execute("SELECT count(*) FROM django_session").fetchone() == (0,)
    other = Machine(machine.folder)
    other.environment["JIAOHENG_DATA"] = str(machine.folder / "restored")
    told = other.run("restore", str(backup))
    assert "已升级" in told
    assert "操作记录完整" in told
    assert "backups" not in {path.name for path in (machine.folder / "restored").iterdir()}


def test_a_newer_base_is_refused_and_left_alone(machine: Machine) -> None:
    with machine.base() as base:
        base.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('core', '9999_future', '2030-01-01')")
    try:
        for words in (("serve", "--port", str(free_port())), ("upgrade",)):
            told = machine.run(*words, code=2)
            assert "9999_future" in told
            assert "没有改动任何数据" in told
        assert "9999_future" in machine.run("doctor", code=1)
    finally:
        with machine.base() as base:
            base.execute("DELETE FROM django_migrations WHERE name = '9999_future'")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int, path: str = "/readyz", seconds: float = 90) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            time.sleep(0.3)
    return False


def children(pid: int) -> list[int]:
    import psutil

    return [one.pid for one in psutil.Process(pid).children(recursive=True)]


def gone(pids: list[int], seconds: float = 40) -> bool:
    import psutil

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids):
            return True
        time.sleep(0.2)
    return False


@pytest.mark.parametrize("kind", ["gunicorn", "waitress"])
def test_the_server_ends_with_its_worker_at_a_signal(machine: Machine, kind: str) -> None:
    port = free_port()
    words = machine.words("serve", "--port", str(port), "--server", kind)
    server = subprocess.Popen(words, env=machine.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        assert answers(port)
        assert "已被别的程序占用" in machine.run("serve", "--port", str(port), code=2)
        below = children(server.pid)
        assert below
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0
        assert gone(below)
    finally:
        server.kill()
        server.wait()
    assert "Traceback" not in server.stdout.read().decode()  # type: ignore[union-attr]


def test_the_start_after_a_crash_repairs_itself(machine: Machine) -> None:
    half = machine.data / "files" / "ab" / ".abcd.part"
    half.parent.mkdir(parents=True, exist_ok=True)
    half.write_bytes(b"half a file")
    os.utime(half, (1, 1))
    young = half.with_name(".young.part")
    young.write_bytes(b"another server writes this one")
    with machine.base() as base:
        base.execute(
            "INSERT INTO core_job (id, kind, title, arguments, state, done, total, message, result, attempts, created_at,"
            " lease_until, worker, cancel_asked) VALUES ('00000000000000000000000000000001', 'import-read', '读文件', '{}',"
            " 'running', 10, 100, '', '{}', 1, '2025-09-15 00:00:00', '2025-09-15 00:00:30', 'dead', 0)"
        )
    assert "没了动静" in machine.run("doctor", code=2)
    port = free_port()
    server = subprocess.Popen(
        machine.words("serve", "--port", str(port), "--no-worker"), env=machine.environment, stdout=subprocess.PIPE
    )
    try:
        assert answers(port)
    finally:
        server.terminate()
        said = server.communicate(timeout=60)[0].decode()
    assert "清理了 1 个没有写完的临时文件" in said
    assert "1 个执行到一半的任务已标为中断" in said
    assert (half.exists(), young.exists()) == (False, True)
    with machine.base() as base:
        assert base.execute("SELECT state FROM core_job").fetchall() == [("interrupted",)]
        base.execute("DELETE FROM core_job")
    young.unlink()
