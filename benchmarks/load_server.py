"""What a load run is measured on: a copy of the demonstration, a PostgreSQL of its own, the installed server."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

JIAOHENG = str(Path(sys.executable).with_name("jiaoheng"))


def environment(data: Path, database: str = "") -> dict[str, str]:
    """Of every command: the folder, the base, nothing of whoever started the run but its limits and paths."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("JIAOHENG_", "DJANGO_"))}
    kept.pop("DATABASE_URL", None)
    kept |= {"JIAOHENG_ENV": "demo", "JIAOHENG_DATA": str(data)}
    return kept | ({"DATABASE_URL": database} if database else {})


def county(given: Path | None, folder: Path, scale: float) -> Path:
    """A demonstration that may be written into: the copy of one that is there, or one that is built."""
    data = folder / "data"
    if given is not None:
        shutil.copytree(given, data, ignore=shutil.ignore_patterns("logs", "snapshots", "static", "backups"))
        return data
    command = [JIAOHENG, "demo", "build", "--data", str(data), "--scale", str(scale)]
    subprocess.run(command, check=True, env=environment(data), stdout=subprocess.DEVNULL)
    return data


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def postgresql(folder: Path) -> Iterator[tuple[str, int]]:
    """A server of its own as it comes (fsync on, no tuning but the place of its socket): its address, its process."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin")) or [Path(shutil.which("initdb") or "/nowhere").parent]
    programs, home = found[-1], folder / "postgresql"
    if not (programs / "initdb").exists():
        raise SystemExit("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    home.mkdir()
    run = []
    if os.geteuid() == 0:  # the server refuses to run as root
        shutil.chown(home, "postgres", "postgres")
        folder.chmod(0o711)  # only this run's own folder: it must be passed through
        run = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
    data, port = home / "data", free_port()
    make = [
        *run,
        str(programs / "initdb"),
        "-D",
        str(data),
        "-U",
        "jiaoheng",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
    ]
    subprocess.run(make, check=True, cwd=home, stdout=subprocess.DEVNULL)
    control = [*run, str(programs / "pg_ctl"), "-D", str(data), "-w", "-l", str(home / "log")]
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={home}"
    subprocess.run([*control, "-o", options, "start"], check=True, cwd=home, stdout=subprocess.DEVNULL)
    try:
        process = int((data / "postmaster.pid").read_text().split()[0])
        yield f"postgres://jiaoheng@127.0.0.1:{port}/postgres", process
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], cwd=home, stdout=subprocess.DEVNULL, check=False)


class Meter(threading.Thread):
    """Processor seconds and memory of a process with all that come from it, looked at twice a second."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self.root, self.over = psutil.Process(root), threading.Event()
        self.busy: dict[int, float] = {}
        self.peak = 0  # bytes

    def run(self) -> None:
        while not self.over.wait(0.5):
            self._look()

    def _look(self) -> None:
        memory = 0
        try:
            family = [self.root, *self.root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        for one in family:
            try:
                times = one.cpu_times()
                self.busy[one.pid] = max(self.busy.get(one.pid, 0.0), times.user + times.system)
                memory += one.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        self.peak = max(self.peak, memory)

    @property
    def seconds(self) -> float:
        """So far. What lived for less than half a second is not in it."""
        self._look()
        return sum(self.busy.values())


@contextmanager
def served(data: Path, database: str, log: Path) -> Iterator[tuple[int, int]]:
    """`jiaoheng serve` with its worker: its port and its process."""
    port = free_port()
    command = [JIAOHENG, "serve", "--data", str(data), "--port", str(port)]
    with (
        log.open("wb") as out,
        subprocess.Popen(command, env=environment(data, database), stdout=out, stderr=out) as one,
    ):
        try:
            for _ in range(3_000):
                if one.poll() is not None:
                    raise SystemExit(log.read_text(encoding="utf-8", errors="replace"))
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                        if answer.status == 200:
                            break
                except OSError:
                    time.sleep(0.1)
            else:
                raise SystemExit("the server did not start: " + log.read_text(encoding="utf-8", errors="replace"))
            yield port, one.pid
        finally:
            one.terminate()
            one.wait(timeout=60)


def command(data: Path, database: str, *words: str) -> tuple[int, str]:
    """A `jiaoheng` command on the base: exit code, what it said."""
    done = subprocess.run(
        [JIAOHENG, *words], env=environment(data, database), capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr
