"""`jiaoheng retention …`: terms of keeping."""

from __future__ import annotations

import typer

from jiaoheng.cli.on_base import run_on_base

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command("preview", help="列出保存期已满的记录和将要去掉的列，不改动数据。")
def preview() -> None:
    """What a run would do."""
    run_on_base(_preview)


@app.command("run", help="去掉保存期已满的记录里的个人信息，只留数字。不能撤销；后台每天也会做一次。")
def run() -> None:
    """Now."""
    run_on_base(_now)


def _preview() -> int:
    from jiaoheng.bureau.ledgers.retention import due
    from jiaoheng.cli.console import OK, say

    found = due()
    for one in found:
        say(f"{one.sentence}。")
    if not found:
        say("没有保存期已满的记录。")
    return OK


def _now() -> int:
    from jiaoheng.bureau.ledgers.retention import run as work
    from jiaoheng.cli.console import OK, say

    say(f"完成：{work(acting_user=None):,} 条记录去掉了个人信息。")
    return OK
