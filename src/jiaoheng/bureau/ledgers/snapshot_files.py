"""All versions of a register's records as one typed Parquet file, made once for each state of the register.

The file is named after the state: how many versions there are, which is the newest, which schemas hold. So a file is
never wrong, only superseded; two processes that make the same one at once replace it with an equal one. Where somebody
only added to the state of an older file, that file is carried on: on a busy day every question meets a new state.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from django.conf import settings
from django.db.models import Count, Max

from jiaoheng.bureau.core import durable
from jiaoheng.bureau.core.models import UnitPath, UnitSuccession
from jiaoheng.bureau.ledgers import snapshot_frames
from jiaoheng.bureau.ledgers.models import RecordVersion, RegisterRow
from jiaoheng.bureau.ledgers.snapshot_columns import Column, columns_of
from jiaoheng.registers.model import Register

if TYPE_CHECKING:
    import polars as pl

_LAYOUT = 1  # raise when the file's columns change
MOST_BYTES = 2 << 30
_GRACE = 600  # seconds that a superseded file stays: a query that began on it must end on it
_MOST_ADDED = 10_000  # versions by which an older file is carried on; more are read with all others
_TRIES = 3
_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


def parquet_of(row: RegisterRow, versions: Sequence[Register]) -> Path:
    """The file of the register's present state, made if it is not there."""
    path = _path(row, state_of(row))
    if path.is_file():
        _touch(path)
        return path
    with _locks[row.name]:  # who comes second waits for the first one's file instead of making it too
        return _made(row, columns_of(versions))


def _made(row: RegisterRow, columns: Sequence[Column]) -> Path:
    state = state_of(row)
    path = _path(row, state)
    if path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    older = _older(row, state, path.parent)
    if older is None:
        frame = snapshot_frames.whole(row, columns, state.newest)
    else:
        frame = snapshot_frames.carried_on(older[1], row, columns, older[0], state.newest)
    for _ in range(
        _TRIES
    ):  # what was written while the rows were fetched belongs to them: a record is closed and goes on
        later = state_of(row)
        if later == state:
            break
        if state_of(row, state.newest) == state:
            frame = snapshot_frames.carried_on(frame, row, columns, state.newest, later.newest)
        else:
            frame = snapshot_frames.whole(row, columns, later.newest)
        state = later
    path = _path(row, state)
    temporary = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        frame.write_parquet(temporary, compression="zstd", compression_level=1)
        durable.keep(temporary)  # a half file under a name that is never stale would be read for good
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    sweep(keep=path)
    return path


def _older(row: RegisterRow, state: State, folder: Path) -> tuple[int, pl.DataFrame] | None:
    """Newest version and rows of a file that the present state only adds to, and not much."""
    import polars as pl

    names = sorted((one for one in folder.glob("*-*.parquet")), key=lambda one: one.name, reverse=True)
    for one in names[:_TRIES]:
        number = one.name.partition("-")[0]
        if not number.isdigit() or int(number) > state.newest:
            continue
        # the file's own state, asked anew: a transaction that took an earlier number and ended later is in no such file
        if _path(row, state_of(row, int(number))) != one or snapshot_frames.added(row, int(number)) > _MOST_ADDED:
            continue
        try:
            return int(number), pl.read_parquet(one)
        except (OSError, pl.exceptions.PolarsError):
            continue
    return None


def sweep(keep: Path | None = None) -> int:
    """Remove superseded files that nobody touched for an hour, then the oldest while all are too large; how many."""
    files = sorted(_stats(_folder().rglob("*.parquet")), key=lambda one: one[1])
    newest = {path.parent: path for path, _at, _size in files}
    total, removed, limit = sum(size for _path, _at, size in files), 0, time.time() - _GRACE
    for path, at, size in files:
        if path == keep or at > limit:
            continue
        if newest[path.parent] != path or total > MOST_BYTES:
            path.unlink(missing_ok=True)
            total, removed = total - size, removed + 1
    for part, at, _size in _stats(_folder().rglob(".*.part")):
        if at < limit:  # of a process that was killed
            part.unlink(missing_ok=True)
            removed += 1
    return removed


def _folder() -> Path:
    return Path(settings.SNAPSHOTS)


def _stats(paths: Iterator[Path]) -> list[tuple[Path, float, int]]:
    found = []
    for path in paths:
        try:
            stat = path.stat()
        except FileNotFoundError:  # another process swept it
            continue
        found.append((path, stat.st_mtime, stat.st_size))
    return found


def _touch(path: Path) -> None:
    try:
        os.utime(path)
    except FileNotFoundError:
        return


@dataclass(frozen=True, slots=True)
class State:
    """What a file depends on. The count too: of two transactions the later number may be committed first."""

    newest: int
    mark: str


def state_of(row: RegisterRow, up_to: int | None = None) -> State:
    """The register's state now. `up_to`: of the versions up to this one, as they stand now."""
    stored = RecordVersion.objects.filter(register=row)
    if up_to is not None:
        stored = stored.filter(pk__lte=up_to)
    found = stored.aggregate(count=Count("pk"), newest=Max("pk"))
    last = stored.filter(pk=found["newest"]).values_list("valid_from", "author_name", "data").first()
    schemas = row.versions.order_by("number").values_list("hash", flat=True)
    # a back-dated change of the tree corrects the ancestors of rows in place (relining), and always leaves one of these
    paths = UnitPath.objects.aggregate(count=Count("pk"), newest=Max("pk"))
    moved = UnitSuccession.objects.aggregate(newest=Max("pk"))["newest"]
    parts = [_LAYOUT, found["count"], found["newest"], paths["count"], paths["newest"], moved, *schemas, repr(last)]
    return State(found["newest"] or 0, hashlib.sha256(orjson.dumps(parts)).hexdigest()[:32])


def _path(row: RegisterRow, state: State) -> Path:
    return _folder() / row.name / f"{state.newest:015d}-{state.mark}.parquet"
