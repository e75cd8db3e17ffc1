"""What is no fault of ours and over soon: a full disk, a database that does not answer. Said as what it is."""

from __future__ import annotations

import errno
from dataclasses import dataclass

from django.db.utils import DatabaseError, InterfaceError, OperationalError

_FULL_STATES = ("53100",)  # PostgreSQL: disk_full
_AWAY_STATES = ("57P01", "57P02", "57P03", "53300", "08")  # shut down, crashed, starting, too many, no connection


@dataclass(frozen=True, slots=True)
class Outage:
    """Code, sentence and HTTP status of an outage."""

    code: str
    sentence: str
    status: int


FULL = Outage("disk-full", "服务器磁盘已满，刚才的内容没有存入。请告知管理员清理磁盘，之后再办一次", 507)
AWAY = Outage("database-away", "数据库暂时没有应答，刚才的内容不一定已存入。请稍后刷新核对，没有的再办一次", 503)
BUSY = Outage("database-busy", "数据库正忙，刚才的内容没有存入。请稍后再办一次", 503)


def outage_of(error: BaseException | None) -> Outage | None:
    """Which outage an exception, or one that it came from, tells of; None for a fault of ours."""
    seen = 0
    while error is not None and seen < 10:
        found = _outage(error)
        if found is not None:
            return found
        error, seen = error.__cause__ or error.__context__, seen + 1
    return None


def _outage(error: BaseException) -> Outage | None:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return FULL
    if not isinstance(error, DatabaseError | InterfaceError):
        return None
    text, state = str(error), str(getattr(error.__cause__, "sqlstate", "") or "")
    if "disk is full" in text or "disk I/O error" in text or state in _FULL_STATES:
        return FULL
    if "is locked" in text:
        return BUSY
    if state.startswith(_AWAY_STATES):
        return AWAY
    gone = ("connection", "server closed", "terminating", "consuming input failed")
    if isinstance(error, OperationalError | InterfaceError) and any(one in text.lower() for one in gone):
        return AWAY
    return None
