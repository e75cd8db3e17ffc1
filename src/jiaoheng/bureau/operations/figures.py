"""How the system runs today, for the office: people, slow pages, failed jobs, disk, backups. From logs and tables."""

from __future__ import annotations

import datetime as dt
import shutil
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Beat, Job, Unit
from jiaoheng.bureau.core.refusals import ForbiddenError
from jiaoheng.bureau.core.refused import refused_by_day
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.operations.alive import DUTY
from jiaoheng.bureau.operations.catalogue import newest_noted
from jiaoheng.bureau.operations.places import logs_folder

SLOW = 1000  # milliseconds
_SHOWN = 10
_GIGABYTE = 1 << 30
_WEEK = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class SlowPage:
    """One route of today with its counts and times, worded."""

    route: str
    count: int
    usual: str  # median
    slowest: str
    slow: int


@dataclass(frozen=True, slots=True)
class FailedJob:
    """One job that did not succeed."""

    id: str
    title: str
    state: str
    why: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """One way in which requests were refused in the last week."""

    words: str
    route: str
    today: int
    week: int


@dataclass(frozen=True, slots=True)
class Running:
    """Everything the page shows."""

    people: int
    requests: int
    faults: int
    slow: tuple[SlowPage, ...]
    jobs: tuple[FailedJob, ...]
    waiting: int
    disk: str
    backup: str
    backup_old: bool
    worker: str
    worker_silent: bool
    refused_words: str
    refused: tuple[RefusedLine, ...]


def running(account: Account) -> Running:
    """The figures of today. Raises ForbiddenError for whoever neither keeps the system nor audits the whole county."""
    if not may_see(account):
        raise ForbiddenError("运行情况由系统管理员和看得到全县操作记录的人查看")
    lines = _today()
    backup, backup_old = _backup()
    worker, silent = _worker()
    usage = shutil.disk_usage(settings.DATA)
    refused_words, refused = _refused()
    return Running(
        people=len({line["account"] for line in lines if line.get("account")}),
        requests=len(lines),
        faults=sum(int(line["status"]) >= 500 for line in lines),
        slow=_slow(lines),
        jobs=_failed(),
        waiting=Job.objects.filter(state=Job.State.WAITING).count(),
        disk=f"剩余 {usage.free / _GIGABYTE:.1f} GB，共 {usage.total / _GIGABYTE:.0f} GB",
        backup=backup,
        backup_old=backup_old,
        worker=worker,
        worker_silent=silent,
        refused_words=refused_words,
        refused=refused,
    )


def may_see(account: Account) -> bool:
    """Whether the page opens for a person."""
    if account.is_staff:
        return True
    return any(root.level == Unit.Level.COUNTY for root in scope_of(account, Can.AUDIT).roots)


def _today() -> list[dict[str, Any]]:
    path = logs_folder() / f"requests-{time.strftime('%Y-%m-%d')}.jsonl"
    if not path.is_file():
        return []
    found = []
    for line in path.read_bytes().splitlines():
        try:
            found.append(orjson.loads(line))
        except orjson.JSONDecodeError:
            continue  # the line that is being written
    return found


def _slow(lines: list[dict[str, Any]]) -> tuple[SlowPage, ...]:
    times: dict[str, list[float]] = defaultdict(list)
    for line in lines:
        times[str(line["route"])].append(float(line["ms"]))
    worst = sorted(times.items(), key=lambda one: max(one[1]), reverse=True)[:_SHOWN]
    return tuple(
        SlowPage(
            f"/{route}",
            len(taken),
            _seconds(sorted(taken)[len(taken) // 2]),
            _seconds(max(taken)),
            sum(one >= SLOW for one in taken),
        )
        for route, taken in worst
    )


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.2f} 秒"


def _failed() -> tuple[FailedJob, ...]:
    since = clock.now() - _WEEK
    states = [Job.State.FAILED, Job.State.INTERRUPTED]
    rows = Job.objects.filter(state__in=states, finished_at__gte=since).order_by("-finished_at")[:_SHOWN]
    return tuple(
        FailedJob(str(row.pk), row.title, Job.State(row.state).label, row.message, row.finished_at) for row in rows
    )


_REFUSALS = {
    400: "内容有误",
    401: "没有登录或令牌无效",
    403: "没有权限",
    404: "找不到或不在范围内",
    405: "方法不对",
    406: "格式给不出",
    409: "已被别人改过",
    413: "太大",
    414: "网址过长",
    415: "内容类型不对",
    428: "没有说明版本",
    429: "太频繁",
}


def _refused() -> tuple[str, tuple[RefusedLine, ...]]:
    """The sentence of the week, and the ways of refusal that came most often; the API's are among them."""
    by_day = refused_by_day()
    today = by_day[clock.today()]
    week: Counter[tuple[int, str]] = sum(by_day.values(), Counter())
    worst = sorted(week.items(), key=lambda one: (-one[1], one[0]))[:_SHOWN]
    lines = tuple(
        RefusedLine(
            _REFUSALS.get(status, str(status)), "（没有这个地址）" if route == "-" else route, today[key], count
        )
        for key, count in worst
        for status, route in (key,)
    )
    api = sum(count for (_status, route), count in week.items() if route.startswith("/api/"))
    return f"今天 {today.total():,} 次，近 7 天 {week.total():,} 次，其中接口 {api:,} 次", lines


def _backup() -> tuple[str, bool]:
    newest = newest_noted()
    if newest is None:
        return "还没有做过", True
    at = dt.datetime.fromisoformat(newest["at"])
    hours = (clock.now() - at).total_seconds() / 3600
    words = f"{clock.local(at):%m-%d %H:%M}，{newest['size'] / 1e6:.0f} MB，{Path(newest['path']).name}"
    return words, hours > 30


def _worker() -> tuple[str, bool]:
    seen = Beat.objects.filter(name=DUTY).values_list("ran_at", flat=True).first()
    if seen is None:
        return "没有运行", True
    silent = clock.now() - seen > dt.timedelta(minutes=5)
    return (f"上次有动静在 {clock.local(seen):%m-%d %H:%M}" if silent else "在运行"), silent
