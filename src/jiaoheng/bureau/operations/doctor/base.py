"""The database: answers, whole, of this version; clock; jobs and worker; audit trail."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from django.conf import settings
from django.db import connection

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.audit_chain import verify
from jiaoheng.bureau.core.models import AuditEntry, Beat, Job
from jiaoheng.bureau.operations.alive import DUTY
from jiaoheng.bureau.operations.doctor.findings import Doctor, check
from jiaoheng.bureau.operations.moving import moved_to
from jiaoheng.bureau.operations.restore import unfinished
from jiaoheng.bureau.operations.schema_state import state_of, words_of

SILENT = dt.timedelta(minutes=5)
WAITING = dt.timedelta(minutes=15)
DRIFT = dt.timedelta(seconds=30)
LATELY = dt.timedelta(days=7)


@check("database", "数据库")
def database(doctor: Doctor) -> None:
    """Reachable, whole, written ahead; not moved away, not half restored."""
    if moved_to() and connection.vendor == "sqlite":
        doctor.bad(
            f"数据已搬到 PostgreSQL（{moved_to()}），这里连的仍是旧的 SQLite 文件", "设环境变量 DATABASE_URL 后再启动"
        )
    half = unfinished(connection)
    if half:
        doctor.bad(f"上次恢复“{half}”没有做完", f"再运行一次 jiaoheng restore {half}")
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            _sqlite(doctor, cursor)
        else:
            cursor.execute("SHOW server_version")
            doctor.good(f"PostgreSQL {cursor.fetchone()[0]} 有应答")


def _sqlite(doctor: Doctor, cursor: object) -> None:
    cursor.execute("PRAGMA integrity_check(5)" if doctor.thorough else "PRAGMA quick_check(5)")  # type: ignore[attr-defined]
    told = [row[0] for row in cursor.fetchall()]  # type: ignore[attr-defined]
    if told != ["ok"]:
        doctor.bad(
            "SQLite 文件有损坏", "停止服务，保留这个数据文件夹，把最近的备份恢复到新的数据文件夹", tuple(map(str, told))
        )
    cursor.execute("PRAGMA foreign_key_check")  # type: ignore[attr-defined]
    broken = cursor.fetchmany(5)  # type: ignore[attr-defined]
    if broken:
        places = tuple(f"{table} 第 {row} 行指向不存在的 {other}" for table, row, other, _ in broken)
        doctor.bad("有数据指向不存在的行", "保留现场，与最近的备份核对", places)
    cursor.execute("PRAGMA journal_mode")  # type: ignore[attr-defined]
    mode = str(cursor.fetchone()[0])  # type: ignore[attr-defined]
    if mode != "wal":
        doctor.look(
            f"SQLite 的日志方式是 {mode}，不是 wal，多人同时使用会变慢", "数据文件夹请放在本机硬盘上，不要放在网络盘"
        )
    elif told == ["ok"] and not broken:
        size = Path(connection.settings_dict["NAME"]).stat().st_size
        doctor.good(f"SQLite 文件完整（{size / 1e6:.0f} MB），边写边读正常")


@check("schema", "数据库版本")
def schema(doctor: Doctor) -> None:
    """Of this program's version."""
    state = state_of(connection)
    if state.unknown:
        doctor.bad(f"数据库由较新的版本升级过（{words_of(state.unknown[:3])}）", "安装那个版本或更新的版本")
    elif state.pending:
        doctor.bad(f"数据库还差 {len(state.pending)} 步升级", "运行 jiaoheng upgrade，它会先备份")
    else:
        doctor.good("数据库是本程序的版本")


@check("clock", "时钟")
def clock_(doctor: Doctor) -> None:
    """Not behind what was already written; near the database server's."""
    now = clock.now()
    newest = AuditEntry.objects.order_by("-number").values_list("at", flat=True).first()
    if newest is not None and newest > now + DRIFT:
        doctor.bad(
            f"系统时钟 {clock.local(now):%Y-%m-%d %H:%M} 比最新一条操作记录（{clock.local(newest):%Y-%m-%d %H:%M}）还早，被往回拨过",
            "校准系统时间（打开自动对时）；校准以前请不要审批和催办，时间先后会乱",
        )
        return
    if connection.vendor == "postgresql" and not settings.DEMO:
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            apart = abs(cursor.fetchone()[0] - clock.now())
        if apart > DRIFT:
            doctor.look(f"本机与数据库服务器的时钟相差 {apart.total_seconds():.0f} 秒", "两台机器都打开自动对时（NTP）")
            return
    doctor.good(f"时钟 {clock.local(now):%Y-%m-%d %H:%M}，没有往回走")


@check("worker", "后台任务")
def worker(doctor: Doctor) -> None:
    """A worker gave a sign of life; no job is stuck."""
    now = clock.now()
    seen = Beat.objects.filter(name=DUTY).values_list("ran_at", flat=True).first()
    if seen is None or now - seen > SILENT:
        when = f"上次是 {clock.local(seen):%m-%d %H:%M}" if seen else "还没有运行过"
        doctor.look(
            f"后台任务没有运行（{when}）：大文件导入和催办都在等它", "启动 jiaoheng serve（自带）或 jiaoheng worker"
        )
    else:
        doctor.good(f"后台任务在运行（{int((now - seen).total_seconds())} 秒前有动静）")
    stuck = Job.objects.filter(state=Job.State.RUNNING, lease_until__lt=now).count()
    if stuck:
        doctor.look(f"{stuck} 个任务执行到一半没了动静", "启动后台任务即可，它会把这些任务标为中断，由发起人重新执行")
    old = Job.objects.filter(state=Job.State.WAITING, created_at__lt=now - WAITING).count()
    if old:
        doctor.look(f"{old} 个任务排队超过 15 分钟", "核对后台任务是否在运行；任务多时可以多开一个 jiaoheng worker")
    failed = Job.objects.filter(state=Job.State.FAILED, finished_at__gte=now - LATELY).count()
    if failed:
        doctor.look(f"近 7 天有 {failed} 个任务未成功", "在“运行情况”页查看是哪些任务，原因写在任务里")


@check("audit", "操作记录")
def audit(doctor: Doctor) -> None:
    """The chain is whole."""
    verdict = verify()
    if not verdict.whole:
        doctor.bad(f"操作记录{verdict.sentence}", "保留现场，与备份核对，并报告主管领导")
    elif verdict.notes:
        doctor.look(f"操作记录{verdict.sentence}", "按提示补齐归档文件", verdict.notes)
    else:
        doctor.good(f"操作记录{verdict.sentence.split('，摘要')[0]}")
