"""A disk that is full at random moments, under imports, photos, records and backups.

As root the data folder lies on a small tmpfs that is filled up; else the processes may write no file beyond its present
size (RLIMIT_FSIZE), which cuts every writing off in the same places.
"""

from __future__ import annotations

import contextlib
import os
import random
import resource
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from faults.accounts_book import Entry
from faults.comparing import compare
from faults.conftest import QUICK, SEED
from faults.site import Server, Site, copied, moments

STREAMS = {"records": 1, "photos": 1, "imports": 1}
_SIZE = 96 << 20


class Filled:
    """A tmpfs of its own, filled up by a file that lies beside the data."""

    def __init__(self, place: Path) -> None:
        self.ballast = place / "ballast"

    def fill(self, server: Server, spare: int) -> None:
        """Leave `spare` bytes."""
        free = shutil.disk_usage(self.ballast.parent).free
        with self.ballast.open("wb") as out, contextlib.suppress(OSError):
            os.posix_fallocate(out.fileno(), 0, max(1, free - spare))

    def clear(self, server: Server) -> None:
        """As an administrator does."""
        self.ballast.unlink(missing_ok=True)


class Limited:
    """No file of the server's processes may grow beyond a size."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def fill(self, server: Server, spare: int) -> None:
        """The write-ahead log and every new file of more than `spare` bytes are cut off."""
        self._limit(server, spare // 8)

    def clear(self, server: Server) -> None:
        """No limit."""
        self._limit(server, resource.RLIM_INFINITY)

    def _limit(self, server: Server, size: int) -> None:
        top = psutil.Process(server.process.pid)
        for one in [top, *top.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                resource.prlimit(one.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A mounted tmpfs, or an ordinary folder where nothing may be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", str(place)], capture_output=True, check=False
        ).returncode
    )
    yield place
    if mounted:
        subprocess.run(["umount", "-l", str(place)], check=False)


@pytest.fixture
def on_small_disk(sqlite_base: Path, small_disk: Path) -> Iterator[Site]:
    """A copy on the small disk."""
    site = copied(sqlite_base, small_disk / "site", SEED)
    site.notes = small_disk.parent / "notes"
    site.notes.mkdir()
    yield site
    site.end()


def full_again_and_again(
    site: Site, disk: Filled | Limited, runs: int, backups: bool = True
) -> tuple[list[Entry], Counter[str]]:
    """Fill, let be written, clear; after each time everything is as the ledger says."""
    chance, seen, books = random.Random(SEED), Counter[str](), []
    server = site.start()
    for number, pause in enumerate(moments(SEED, runs, 1.5)):
        writing = site.write(STREAMS, [server.base], rows=chance.randrange(20, 2000), pause=0.05)
        writing.until_asked(many=3)
        time.sleep(pause)
        disk.fill(server, chance.choice([0, 4096, 100_000, 1_000_000]))
        if backups and number % 4 == 0:
            made = site.command("backup", expect=None)
            seen[f"backup {made.returncode}"] += 1
            assert made.returncode == 0 or "磁盘" in made.stdout + made.stderr, made.stderr
        writing.until_asked(many=len(writing.known()) + 6)
        disk.clear(server)
        writing.until_asked(many=len(writing.known()) + 3)
        books = writing.end()
        for one in books:
            seen[f"{one.kind} {one.status}"] += 1
            if one.status is not None and one.status >= 400:
                assert one.status in (400, 507), (one, "a full disk is said as one")
                assert "磁盘已满" in one.answer["said"], one
        site.examine()
        compare(site, site.books()).check()
    server.end()
    half = list((site.data / "backups").glob("*.part")) if (site.data / "backups").is_dir() else []
    assert not half
    return books, seen


def _check(site: Site, disk: Filled | Limited, runs: int, tell: Callable[..., None], kind: str) -> None:
    _books, seen = full_again_and_again(site, disk, runs)
    found = compare(site, site.books())
    tell(kind, runs, found, answers=dict(seen))
    found.check()
    assert seen["record 507"] + seen["photo 400"] + seen["photo 507"] + seen["start 507"] > 0, seen


def _disk(place: Path) -> Filled | Limited:
    return Filled(place) if os.path.ismount(place) else Limited(place)


@pytest.mark.slow
def test_a_full_disk_refuses_in_a_sentence_and_loses_nothing(
    on_small_disk: Site, small_disk: Path, tell: Callable[..., None]
) -> None:
    _check(on_small_disk, _disk(small_disk), QUICK, tell, "full disk")


@pytest.mark.slow
def test_a_disk_that_is_full_many_times(
    on_small_disk: Site, small_disk: Path, runs: int, tell: Callable[..., None]
) -> None:
    _check(on_small_disk, _disk(small_disk), runs, tell, "full disk")
