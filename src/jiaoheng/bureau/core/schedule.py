"""Periodic duties. Each is claimed by moving its due time, so that any number of workers runs it once.

schedule.every("reminders", minutes=15, run=send_due_reminders)
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.sessions.models import Session

from jiaoheng.bureau.core import audit, clock, signed_in, tallies
from jiaoheng.bureau.core.actions_files import sweep_expired
from jiaoheng.bureau.core.files import SMALL_SUFFIX
from jiaoheng.bureau.core.models import Attachment, Beat

logger = logging.getLogger(__name__)

YOUNG = dt.timedelta(hours=24)  # a file without a row may belong to an upload that is under way


@dataclass(frozen=True, slots=True)
class Duty:
    """Something done every so often; `run` returns what it did, in a few words."""

    name: str
    every: dt.timedelta
    run: Callable[[], str]


DUTIES: dict[str, Duty] = {}


def every(name: str, *, minutes: int, run: Callable[[], str]) -> None:
    """Register a duty; the same name again replaces it."""
    DUTIES[name] = Duty(name, dt.timedelta(minutes=minutes), run)


def run_due(worker: str) -> list[str]:
    """Run the duties that are due and that no other worker has taken; names of those run.

    One whose turn is further off than its pace is due too: the clock was set back since it ran.
    """
    now, ran = clock.now(), []
    due = {beat.name: beat.due_at for beat in Beat.objects.all()}
    for name, duty in list(DUTIES.items()):
        if name not in due:
            beat, _new = Beat.objects.get_or_create(name=name, defaults={"due_at": now})
            due[name] = beat.due_at
        if (due[name] <= now or due[name] > now + duty.every) and _claim(duty, due[name], now, worker):
            _run(duty)
            ran.append(name)
    return ran


def _claim(duty: Duty, due_at: dt.datetime, now: dt.datetime, worker: str) -> bool:
    mine = Beat.objects.filter(name=duty.name, due_at=due_at)
    return bool(mine.update(due_at=now + duty.every, ran_at=now, worker=worker))


def _run(duty: Duty) -> None:
    try:
        with audit.through("worker"):
            said = duty.run()
    except Exception:
        logger.exception("duty %s failed", duty.name)
        said = "未成功，详见日志"
    Beat.objects.filter(name=duty.name).update(message=said[:500])


def expired_sessions() -> str:
    """Remove the sessions that have ended."""
    gone, _ = Session.objects.filter(expire_date__lt=clock.now()).delete()
    signed_in.sweep()
    tallies.sweep()
    return f"清理过期登录 {gone} 个"


def orphan_files() -> str:
    """Remove stored files that no attachment names, and attachments past their time."""
    root = Path(settings.FILES)
    expired = sweep_expired()
    known = set(Attachment.objects.values_list("path", flat=True))
    gone, border = 0, (clock.now() - YOUNG).timestamp()
    for path in root.rglob("*"):
        inside = path.relative_to(root)
        if inside.parts[0] in OWNERS and OWNERS[inside.parts[0]](inside.as_posix()):
            continue
        if (
            path.is_file()
            and inside.as_posix().removesuffix(SMALL_SUFFIX) not in known
            and path.stat().st_mtime < border
        ):
            path.unlink(missing_ok=True)
            gone += 1
    return f"清理过期文件 {expired} 个、无主文件 {gone} 个"


# folder below settings.FILES → whether a file of it still has its owner, for folders that other apps keep
OWNERS: dict[str, Callable[[str], bool]] = {}

every("sessions", minutes=60, run=expired_sessions)
every("orphans", minutes=24 * 60, run=orphan_files)
