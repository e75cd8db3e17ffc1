"""The power goes at random moments while everything is written, on SQLite.

What is simulated. Every process is stopped at once (SIGSTOP) and the data folder is copied as a disk would hold it if
only what was synced had reached it:

- The write-ahead log: with `synchronous=FULL` a commit is synced before it is answered, so its frames are there; what
  stands behind the last commit is dropped, cut off in the middle of a frame, or overwritten with noise.
- The database file: pages that the log holds may have been on their way (a checkpoint); any of them is noise in part.
- Files of records: one whose bytes and names (its own, and the folders above) were not synced is missing, cut off or
  whole, by chance. Which were synced is told by a note that `os.fsync` leaves in these processes (`powered/`).
- The anchors of the trail, which are not synced: the tail is cut off anywhere.

Then the copy is examined and compared with the ledger as it was known at that moment. A control cuts the log off before
its last commit, as `synchronous=NORMAL` may lose it: there the comparison has to find the loss.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import struct
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from faults.accounts_book import entries
from faults.comparing import compare
from faults.conftest import QUICK, SEED
from faults.site import Server, Site, moments

STREAMS = {"records": 2, "photos": 2, "imports": 1, "bulk": 1}
_HEAD, _FRAME = 32, 24


def _frames(log: bytes) -> list[tuple[int, int, bool]]:
    """(offset, page, whether it ends a commit) of the frames that belong to the log's present round."""
    if len(log) < _HEAD:
        return []
    size = struct.unpack(">I", log[8:12])[0]
    found = []
    for offset in range(_HEAD, len(log) - _FRAME - size + 1, _FRAME + size):
        page, after = struct.unpack(">II", log[offset : offset + 8])
        if log[offset + 8 : offset + 16] != log[16:24]:
            break  # of an earlier round: it was written over from the start
        found.append((offset, page, after > 0))
    return found


def _cut_base(data: Path, copy: Path, chance: random.Random, back: int) -> int:
    """Base and log as the disk holds them; `back`: so many commits are lost too (the control). How many bytes were cut."""
    name = "jiaoheng.sqlite3"
    base, place = bytearray((data / name).read_bytes()), data / f"{name}-wal"
    log = place.read_bytes() if place.exists() else b""
    frames = _frames(log)
    size = struct.unpack(">I", log[8:12])[0] if frames else 4096
    commits = [number for number, (_offset, _page, ends) in enumerate(frames) if ends]
    kept = commits[: len(commits) - back] if back else commits
    end = frames[kept[-1]][0] + _FRAME + size if kept else min(len(log), _HEAD)
    tail = bytearray(log[end:])
    if back or chance.random() < 0.3:
        tail = bytearray()
    elif tail:
        tail = tail[: chance.randrange(len(tail))]
        if chance.random() < 0.5 and tail:
            start = chance.randrange(len(tail))
            tail[start:] = chance.randbytes(len(tail) - start)
    if not back:
        for page in {page for _offset, page, _ends in frames[: kept[-1] + 1]} if kept else set():
            if chance.random() < 0.3 and page * size <= len(base):
                half = (page - 1) * size + chance.randrange(size)
                base[half : page * size] = chance.randbytes(page * size - half)
    (copy / name).write_bytes(base)
    (copy / f"{name}-wal").write_bytes(log[:end] + tail)
    return len(log) - end - len(tail)


def _cut_files(site: Site, copy: Path, synced: Path, chance: random.Random) -> int:
    """The files that a row may name; how many were not on the disk yet."""
    known: dict[int, tuple[int, float]] = {}
    for line in synced.read_text(encoding="ascii").splitlines():
        inode, size, at = line.split()
        known[int(inode)] = (int(size), float(at))
    root, late = site.data / "files", 0
    for path in sorted(root.rglob("*")):
        if not path.is_file():
            continue
        stat, target = path.stat(), copy / "files" / path.relative_to(root)
        size, at = known.get(stat.st_ino, (-1, 0.0))
        above = [one for one in path.parents if one == root or root in one.parents]
        whole = size == stat.st_size and all(known.get(one.stat().st_ino, (0, -1.0))[1] >= at for one in above)
        late += not whole
        what = "whole" if whole else chance.choice(["missing", "short", "whole"])
        if what == "missing":
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        content = path.read_bytes()
        target.write_bytes(content if what == "whole" else content[: chance.randrange(len(content) + 1)])
    return late


def _cut(site: Site, server: Server, synced: Path, chance: random.Random, back: int = 0) -> tuple[Site, int, int]:
    """The site as it would be met after the power came back."""
    home = site.home / "cut"
    shutil.rmtree(home / "data", ignore_errors=True)
    (home / "data").mkdir(parents=True)
    os.killpg(server.process.pid, signal.SIGSTOP)
    try:
        moment = time.time()
        dropped = _cut_base(site.data, home / "data", chance, back)
        late = _cut_files(site, home / "data", synced, chance)
        for name in ("secret-key", "data-keys-made"):
            shutil.copy(site.data / name, home / "data" / name)
        shutil.copytree(site.data / "keys", home / "data" / "keys")
        anchors = (site.data / "audit-anchor.log").read_bytes()
        (home / "data" / "audit-anchor.log").write_bytes(anchors[: len(anchors) - chance.randrange(250)])
    finally:
        os.killpg(server.process.pid, signal.SIGCONT)
    (home / "moment").write_text(str(moment), encoding="ascii")
    return Site(home, site.plan, {}, site.seed), dropped, late


def _known(site: Site, cut: Site) -> list[object]:
    moment = float((cut.home / "moment").read_text(encoding="ascii"))
    return [one for path in sorted(site.home.glob("r*.book")) for one in entries(path, moment)]


def _cut_again_and_again(site: Site, runs: int, tell: Callable[..., None]) -> None:
    chance, synced = random.Random(SEED), site.home / "synced"
    site.more |= {
        "FAULTS_SYNCED": str(synced),
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent / "powered"), site.environment["PYTHONPATH"]]),
    }
    server, examiner = site.start(), None
    rounds, total, late = site.plan["rounds"], 0, 0
    writing = site.write(STREAMS, [server.base], rows=300, bulk=rounds[runs // 3 + 1 :][:6])
    for number, pause in enumerate(moments(SEED, runs, 1.0)):
        writing.until_asked("record", many=sum(one.kind == "record" for one in writing.known()) + 3)
        time.sleep(pause)
        cut, dropped, open_ = _cut(site, server, synced, chance)
        cut._examiner = examiner
        total, late = total + dropped, late + open_
        cut.examine()
        examiner = cut._examiner
        found = compare(cut, _known(site, cut))
        found.check()
        if number == runs - 1 > QUICK:
            again = cut.start()  # it is served again, and says nothing of a repair by hand
            again.end()
            cut.command("audit", "verify")
    lost = 0
    for _ in range(min(runs, 3)):  # the control: the comparison sees what a base without synced commits would lose
        writing.until_asked(many=len(writing.known()) + 6)
        control, _dropped, _open = _cut(site, server, synced, chance, back=6)
        lost += len((gone := compare(control, _known(site, control))).lost) + len(gone.half)
    writing.end()
    server.end()
    if examiner is not None:
        examiner.kill()
        examiner.wait()
    tell("power cut, SQLite", runs, found, bytes_dropped=total, files_not_synced=late, control_lost=lost)
    assert lost
    assert found.counted["record acknowledged"] >= runs


def test_a_power_cut_loses_nothing_that_was_answered(on_sqlite: Site, tell: Callable[..., None]) -> None:
    _cut_again_and_again(on_sqlite, QUICK, tell)


@pytest.mark.slow
def test_many_power_cuts(on_sqlite: Site, runs: int, tell: Callable[..., None]) -> None:
    _cut_again_and_again(on_sqlite, runs, tell)
