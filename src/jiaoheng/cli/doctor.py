"""`jiaoheng doctor`: what is well, what is not, and what to do. Django is loaded inside the command."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from jiaoheng.bureau.operations.doctor.findings import Finding


Data = typer.Option(
    None, "--data", metavar="文件夹", help="数据文件夹，默认取环境变量 JIAOHENG_DATA，再默认 ./jiaoheng-data。"
)


def doctor(
    data: Path = Data,
    full: bool = typer.Option(False, "--full", help="细查：核对每个附件的内容、打开最近的备份。"),
    as_json: bool = typer.Option(False, "--json", help="结果写成 JSON，给监控程序用。"),
) -> None:
    """体检：磁盘、数据库、后台任务、时钟、密钥、字体、备份、操作记录、附件、数据。"""
    from jiaoheng.cli.console import guarded

    if data is not None:
        os.environ["JIAOHENG_DATA"] = str(data)
    raise typer.Exit(guarded(lambda: _examine(full, as_json)))


def _examine(full: bool, as_json: bool) -> int:
    """0 all well; 2 somebody should look; 1 something does not work."""
    from jiaoheng.bureau.setup import start_django

    start_django()
    from jiaoheng.bureau.operations.doctor.findings import Health
    from jiaoheng.bureau.operations.doctor.looking import examine, worst
    from jiaoheng.cli.console import BAD_INPUT, FAULT, OK

    found = examine(thorough=full)
    state = worst(found)
    if as_json:
        _as_json(found, state)
    else:
        _as_lines(found)
    return {Health.GOOD: OK, Health.LOOK: BAD_INPUT, Health.BAD: FAULT}[state]


def _as_json(found: list[Finding], state: str) -> None:
    import dataclasses
    import json

    from jiaoheng.cli.console import say

    body = {"state": str(state), "findings": [dataclasses.asdict(one) for one in found]}
    say(json.dumps(body, ensure_ascii=False, indent=1))


def _as_lines(found: list[Finding]) -> None:
    from jiaoheng.bureau.operations.doctor.findings import Health
    from jiaoheng.cli.console import say

    for one in found:
        say(f"{one.state.words}　{one.title}：{one.sentence}。".replace("。。", "。"))
        for detail in one.details:
            say(f"　　　　{detail}")
        if one.remedy:
            say(f"　　　　怎么办：{one.remedy.rstrip('。')}。")
    bad = sum(one.state is Health.BAD for one in found)
    look = sum(one.state is Health.LOOK for one in found)
    say(f"{len(found)} 项：故障 {bad}，注意 {look}，正常 {len(found) - bad - look}。")
