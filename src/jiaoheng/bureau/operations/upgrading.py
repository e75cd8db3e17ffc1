"""Bringing the database to this program's version: never without a backup, never backwards."""

from __future__ import annotations

from collections.abc import Callable

from django.core.management import call_command
from django.db import connections

from jiaoheng import __version__
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.operations.archive import Progress, silent
from jiaoheng.bureau.operations.backup import back_up
from jiaoheng.bureau.operations.keys import find_key, key_path, make_key
from jiaoheng.bureau.operations.moving import moved_to
from jiaoheng.bureau.operations.restore import holds_people, unfinished
from jiaoheng.bureau.operations.schema_state import Node, state_of, words_of


def check_may_run(using: str = "default") -> None:
    """Raises RefusedError where this program must not touch the base: a newer one made it, it moved, it is half restored."""
    connection = connections[using]
    to = moved_to()
    if to and connection.vendor == "sqlite":
        raise RefusedError(
            "moved-away", f"这个数据文件夹的数据已搬到 PostgreSQL（{to}）。请设环境变量 DATABASE_URL 后启动"
        )
    half = unfinished(connection)
    if half:
        raise RefusedError("restore-unfinished", f"上次恢复“{half}”没有做完。请再运行一次 jiaoheng restore {half}")
    unknown = state_of(connection).unknown
    if unknown:
        raise RefusedError(
            "schema-newer",
            f"数据库已由较新的版本升级过（{words_of(unknown[:3])}），本程序是 {__version__}，没有改动任何数据。"
            "请安装那个版本或更新的版本；要退回旧版本，请把升级前的备份恢复到空的数据文件夹",
        )


def upgrade(
    *, backup_first: bool = True, tell: Callable[[str], None] = lambda _text: None, progress: Progress = silent
) -> tuple[Node, ...]:
    """Apply what is pending; before that a backup where there is anything to lose. The migrations applied.

    Raises RefusedError (see `check_may_run`, and those of `back_up`); nothing has changed then.
    """
    check_may_run()
    state = state_of(connections["default"])
    if not state.pending:
        return ()
    if not state.fresh and backup_first and holds_people(connections["default"]):
        if find_key() is None:
            made_key = make_key()
            tell(f"已做好编号 {made_key.name} 的备份密钥：{key_path()}。请复制到别处保存，没有它备份打不开。")
        made = back_up(noted=False, progress=progress)
        tell(f"升级前已备份：{made.path}（密钥 {made.key}）")
    call_command("migrate", interactive=False, verbosity=0)
    return state.pending
