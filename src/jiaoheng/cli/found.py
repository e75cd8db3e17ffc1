"""`jiaoheng init`: from an empty data folder to a county that can be served."""

from __future__ import annotations

import os
from pathlib import Path

import typer

Units = typer.Option(
    None, "--units", metavar="文件", help="各单位的 CSV（UTF-8）：代码、层级、名称、上级代码、类别、办别、城乡、乡镇。"
)
Data = typer.Option(None, "--data", metavar="文件夹", help="数据文件夹，默认取环境变量 JIAOHENG_DATA。")


def init(
    name: str = typer.Option(..., "--name", metavar="名称", help="县的名称，如 青槐县。", show_default=False),
    code: str = typer.Option(..., "--code", metavar="代码", help="县的代码，如六位行政区划代码。", show_default=False),
    admin: str = typer.Option(..., "--admin", metavar="姓名", help="第一个系统管理员的姓名。", show_default=False),
    units: Path = Units,
    data: Path = Data,
) -> None:
    """新建一个县：建库、校历、台账定义、各单位和第一个系统管理员。"""
    from jiaoheng.cli.console import guarded

    if data is not None:
        os.environ["JIAOHENG_DATA"] = str(data)
    raise typer.Exit(guarded(lambda: _init(name, code, admin, units)))


def _init(name: str, code: str, admin: str, units: Path | None) -> int:
    from jiaoheng.bureau.setup import start_django
    from jiaoheng.cli.console import OK, Refusal, say

    start_django()
    from jiaoheng.bureau.core.refusals import RefusedError
    from jiaoheng.bureau.operations.founding import found
    from jiaoheng.bureau.operations.upgrading import upgrade

    try:
        upgrade(tell=say)
        made = found(name, code, admin, units=units)
    except RefusedError as refused:
        raise Refusal(f"{refused}。") from refused
    say(f"已建好{name}：{made.units} 个单位，校历和台账定义已装入。")
    slip = made.slip
    say(f"系统管理员 {slip.name}　账号 {slip.username}　初始密码 {slip.password}　首次登录请改密码（只显示这一次）")
    return OK
