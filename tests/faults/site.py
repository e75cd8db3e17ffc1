"""A bureau that is really started: its data folder, its server, its workers, its database; and how each is killed."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faults.accounts_book import Entry, entries

TESTS = Path(__file__).resolve().parents[1]
_PATIENCE = 180.0  # seconds: the machine may be busy


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(look: Callable[[], Any], what: str, seconds: float = _PATIENCE, pause: float = 0.05) -> Any:
    """Look until there is something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(pause)
    raise AssertionError(f"{what}: not within {seconds:.0f} s")


@dataclass
class Server:
    """A running `jiaoheng serve`, leader of a process group of its own."""

    process: subprocess.Popen[bytes]
    port: int
    said: Path

    @property
    def base(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def kill(self, *, all_at_once: bool = True) -> None:
        """kill -9 of the server, its processes and its worker; or of the master alone, whose orphans leave by themselves."""
        if all_at_once:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        else:
            self.process.kill()
        self.process.wait(30)

    def end(self) -> None:
        """As a service manager does."""
        self.process.terminate()
        try:
            self.process.wait(40)
        finally:
            self.kill()


@dataclass
class Site:
    """One base with everything that runs on it."""

    home: Path
    plan: dict[str, Any]
    more: dict[str, str] = field(default_factory=dict)
    seed: int = 0
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _examiner: subprocess.Popen[str] | None = None
    notes: Path | None = None  # where the generators' ledgers lie, if not beside the data
    _book_number: int = 0

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.home / "data"

    @property
    def _notes(self) -> Path:
        return self.notes or self.home

    @property
    def is_sqlite(self) -> bool:
        """Which database."""
        return "DATABASE_URL" not in self.more

    @property
    def environment(self) -> dict[str, str]:
        """Of every process."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("JIAOHENG_", "DATABASE_", "DJANGO_", "PYTEST_"))
        }
        return {
            **kept,
            "JIAOHENG_ENV": "demo",
            "JIAOHENG_DATA": str(self.data),
            "JIAOHENG_LIMITS": "0",
            "JIAOHENG_API_LIMIT": "1000000",
            "JIAOHENG_BACKUP_KEY_FILE": str(self.home / "backup.key"),
            "PYTHONPATH": os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH", "")])]),
            "no_proxy": "*",
            **self.more,
        }

    def start(self, *, worker: bool = False, wait: bool = True, **more: str) -> Server:
        """`jiaoheng serve`, answering."""
        port = free_port()
        said = self.home / f"server-{port}.log"
        command = [
            sys.executable,
            "-m",
            "jiaoheng",
            "serve",
            "--port",
            str(port),
            "--worker" if worker else "--no-worker",
        ]
        with said.open("wb") as out:
            made = subprocess.Popen(
                command, env={**self.environment, **more}, stdout=out, stderr=out, cwd=self.home, start_new_session=True
            )
        self.running.append(made)
        server = Server(made, port, said)
        if wait:
            self.ready(server)
        return server

    def ready(self, server: Server) -> None:
        """Wait until it can work."""

        def look() -> bool:
            if server.process.poll() is not None:
                raise AssertionError(f"the server ended: {server.said.read_text(encoding='utf-8')[-2000:]}")
            try:
                with urllib.request.urlopen(f"{server.base}/readyz", timeout=20) as answer:  # noqa: S310 (our own address)
                    return bool(answer.status == 200)
            except (OSError, urllib.error.URLError):
                return False

        until(look, "the server answers", pause=0.1)

    def worker(self, **more: str) -> subprocess.Popen[bytes]:
        """`jiaoheng worker`."""
        with (self.home / "worker.log").open("ab") as out:
            made = subprocess.Popen(
                [sys.executable, "-m", "jiaoheng", "worker"], env={**self.environment, **more}, stdout=out, stderr=out,
                cwd=self.home, start_new_session=True,
            )  # fmt: skip
        self.running.append(made)
        return made

    def command(self, *words: str, expect: int | None = 0, **more: str) -> subprocess.CompletedProcess[str]:
        """A command of the program, to its end."""
        done = subprocess.run(
            [sys.executable, "-m", "jiaoheng", *words], env={**self.environment, **more}, capture_output=True, text=True,
            cwd=self.home, timeout=600, check=False,
        )  # fmt: skip
        if expect is not None:
            assert done.returncode == expect, (
                f"{words}: {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
            )
        return done

    def begin(self, *words: str, **more: str) -> subprocess.Popen[bytes]:
        """A command of the program, not waited for."""
        made = subprocess.Popen(
            [sys.executable, "-m", "jiaoheng", *words], env={**self.environment, **more}, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, cwd=self.home, start_new_session=True,
        )  # fmt: skip
        self.running.append(made)
        return made

    def examine(self) -> dict[str, Any]:
        """Doctor and trail of the base as it is now. AssertionError where either finds something broken."""
        if self._examiner is None:
            self._examiner = subprocess.Popen(
                [sys.executable, "-m", "faults.examiner"], env=self.environment, text=True, cwd=self.home,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        assert self._examiner.stdin is not None
        assert self._examiner.stdout is not None
        self._examiner.stdin.write("look\n")
        self._examiner.stdin.flush()
        line = self._examiner.stdout.readline()
        assert line, "the examiner ended"
        found: dict[str, Any] = json.loads(line)
        bad = [one for one in found["doctor"]["findings"] if one["state"] == "bad" and one["key"] != "disk"]
        assert not bad, bad
        assert found["whole"], found["audit"]
        return found

    def write(self, streams: dict[str, int], bases: list[str], **settings: Any) -> Generator:
        """Start a generator of writes, with a ledger of its own."""
        self._book_number += 1
        name = f"r{self._book_number}"
        body = {
            "run": f"{name}x{self.seed % 1000}", "seed": self.seed, "plan": self.plan, "bases": bases, "streams": streams,
            "book": str(self._notes / f"{name}.book"), "stop": str(self._notes / f"{name}.stop"),
            "bulk": [], "single": [], "merging": [], **settings,
        }  # fmt: skip
        path = self._notes / f"{name}.json"
        path.write_text(json.dumps(body), encoding="utf-8")
        made = subprocess.Popen(
            [sys.executable, "-m", "faults.generator", str(path)], env=self.environment, cwd=self.home,
            start_new_session=True,
        )  # fmt: skip
        self.running.append(made)
        return Generator(made, Path(body["book"]), Path(body["stop"]))

    def books(self) -> list[Entry]:
        """Every write of every generator so far."""
        return [one for path in sorted(self._notes.glob("r*.book")) for one in entries(path)]

    def end(self) -> None:
        """End what was started here."""
        if self._examiner is not None:
            self._examiner.kill()
            self._examiner.wait()
            self._examiner = None
        for one in self.running:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(one.pid, signal.SIGKILL)
            one.wait(30)
        self.running.clear()


@dataclass
class Generator:
    """A running generator."""

    process: subprocess.Popen[bytes]
    book: Path
    stop: Path

    def until_asked(self, *kinds: str, many: int = 1) -> None:
        """Wait until it has asked for so many writes of some kinds (or has ended)."""

        def look() -> bool:
            found = [one for one in self.known() if not kinds or one.kind in kinds]
            return len(found) >= many or self.process.poll() is not None

        until(look, f"{many} of {kinds} are asked", pause=0.02)

    def known(self) -> list[Entry]:
        """Its ledger as it is now."""
        return list(entries(self.book))

    def end(self) -> list[Entry]:
        """Let it come to its end; its ledger."""
        self.stop.touch()
        self.process.wait(_PATIENCE)
        assert self.process.returncode == 0
        return list(entries(self.book))


def make_base(home: Path, runs: int, **more: str) -> dict[str, Any]:
    """The small county in a new data folder below `home`; its plan."""
    home.mkdir(parents=True, exist_ok=True)
    site = Site(home, {}, dict(more))
    done = subprocess.run(
        [sys.executable, "-m", "faults.county", str(runs)],
        env=site.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    plan: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    (home / "plan.json").write_text(done.stdout.splitlines()[-1], encoding="utf-8")
    site.command("backup", "--new-key", expect=None)
    return plan


def copied(base: Path, home: Path, seed: int, **more: str) -> Site:
    """A copy of a base's data folder, for one test."""
    home.mkdir(parents=True, exist_ok=True)
    shutil.copytree(base / "data", home / "data")
    shutil.copy(base / "backup.key", home / "backup.key")
    return Site(home, json.loads((base / "plan.json").read_text(encoding="utf-8")), dict(more), seed)


def moments(seed: int, runs: int, longest: float) -> Iterator[float]:
    """Random seconds, the same for the same seed; short ones as often as long ones."""
    source = random.Random(seed)
    for _ in range(runs):
        yield source.random() ** 1.5 * longest


@dataclass
class Postgres:
    """A PostgreSQL server of its own, as durable as one is by default."""

    home: Path
    port: int
    program: Path
    as_user: tuple[str, ...]

    @classmethod
    def make(cls) -> Postgres | None:
        """A new server on a free port, None where PostgreSQL is not installed."""
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        which = shutil.which("initdb")
        if not found and which is None:
            return None
        program = found[-1] if found else Path(str(which)).parent
        home = Path(tempfile.mkdtemp(prefix="faults-pg-"))
        as_user: tuple[str, ...] = ()
        if os.geteuid() == 0:  # it refuses to run as root
            shutil.chown(home, "postgres")
            as_user = ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups")
        made = cls(home, free_port(), program, as_user)
        made._run("initdb", "-D", str(home / "data"), "-U", "jiaoheng", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        made.start()
        return made

    @property
    def url(self) -> str:
        """For DATABASE_URL."""
        return self.url_of("postgres")

    def url_of(self, name: str) -> str:
        """The address of one of its bases."""
        return f"postgres://jiaoheng@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        """`pg_ctl start`. fsync stays off: the machine does not fall here, and a commit is written when it is answered."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.home} -c fsync=off"
        self._run("pg_ctl", "-D", str(self.home / "data"), "-w", "-l", str(self.home / "log"), "-o", options, "start")

    def stop(self) -> None:
        """`pg_ctl stop -m immediate`: no checkpoint, every connection cut."""
        self._run("pg_ctl", "-D", str(self.home / "data"), "-m", "immediate", "stop")

    def copy_base(self, name: str, source: str) -> None:
        """A copy of a base that nobody is connected to, file by file.

        Copied through the write-ahead log, a sequence that is stopped soon after gives the numbers out once more that it
        had given since: its next values count as logged already (PostgreSQL 15; no bureau is copied so).
        """
        address = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "jiaoheng")
        self._run("createdb", *address, "-T", source, "--strategy=file_copy", name)

    def end(self) -> None:
        """Stop and remove."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def _run(self, name: str, *words: str) -> None:
        subprocess.run(
            [*self.as_user, str(self.program / name), *words], check=True, cwd=self.home, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, timeout=120,
        )  # fmt: skip
