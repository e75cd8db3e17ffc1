"""`jiaoheng demo build`: the synthetic county in a data folder, to be served and tried out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from jiaoheng.bureau.demo.building import Built

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Data = typer.Option(..., "--data", metavar="文件夹", help="数据文件夹，应为空的或还没有。", show_default=False)


@app.callback()
def demo() -> None:
    """演示：虚构的一个县，可以放心改。"""


@app.command("build", help="把虚构的一个县装进一个空的数据文件夹：单位、账号、三年台账、正在采集的轮次。")
def build(
    data: Path = Data,
    scale: float = typer.Option(1.0, "--scale", min=0.01, max=1.0, metavar="比例", help="县有多大，1 为全县。"),
) -> None:
    """0 built; 2 where this is no demo environment or the folder holds data."""
    from jiaoheng.cli.console import guarded

    raise typer.Exit(guarded(lambda: run_build(data, scale)))


def run_build(data: Path, scale: float) -> int:
    """Make the tables, build, tell the numbers."""
    from jiaoheng.cli.console import OK, Refusal, counted_progress

    os.environ["JIAOHENG_DATA"] = str(data)
    os.environ.setdefault("JIAOHENG_ENV", "demo")
    from jiaoheng.bureau.setup import start_django

    start_django()
    from django.core.management import call_command

    from jiaoheng.bureau.core.refusals import RefusedError
    from jiaoheng.bureau.demo.building import build as make
    from jiaoheng.bureau.demo.guard import check_allowed

    try:
        check_allowed()
        data.mkdir(parents=True, exist_ok=True)
        call_command("migrate", interactive=False, verbosity=0)
        with counted_progress() as progress:
            built = make(scale=scale, progress=progress)
    except RefusedError as refused:
        raise Refusal(f"{refused}。") from refused
    _tell(built, data)
    return OK


def _tell(built: Built, data: Path) -> None:
    from jiaoheng.bureau.demo.words import PASSWORD
    from jiaoheng.cli.console import say

    county = built.county
    rows = sum(len(one.rows) for one in county.batches)
    say(f"{county.name}：{built.counts['单位']} 个单位，{built.counts['账号']} 个账号，{rows} 行台账（含各版）")
    say("用时：" + "，".join(f"{name} {seconds:.1f} 秒" for name, seconds in built.seconds.items()))
    base = data / "jiaoheng.sqlite3"
    if base.is_file():
        say(f"数据库：{base.stat().st_size / 1e6:.0f} MB")
    if built.slips is not None:
        say(f"待导入的文件：{built.slips}")
    people = "，".join(f"{one.username}（{one.name}）" for one in county.accounts if one.demo)
    say(f"账号：{people}；密码都是 {PASSWORD}，登录页也可一键进入")
