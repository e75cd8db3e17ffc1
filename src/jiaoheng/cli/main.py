"""The command line `jiaoheng`. Heavy imports happen inside the commands, so that help comes at once."""

from __future__ import annotations

import os
import sys

import typer

from jiaoheng import __version__
from jiaoheng.cli import accounts, audit, demo, exam, keys, ledger, pack, retention, roster
from jiaoheng.cli.backups import backup, move, restore, upgrade
from jiaoheng.cli.console import FAULT
from jiaoheng.cli.doctor import doctor
from jiaoheng.cli.found import init
from jiaoheng.cli.growth import growth
from jiaoheng.cli.serve import serve
from jiaoheng.cli.usage import ChineseGroup
from jiaoheng.cli.worker import worker

app = typer.Typer(
    name="jiaoheng",
    cls=ChineseGroup,
    help="教衡：县级教育局的台账、考试、考核与报告。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(accounts.app, name="accounts", help="账号：新建系统管理员，发新的账号条，解锁。")
app.add_typer(audit.app, name="audit", help="操作记录：核对是否完整，归档。")
app.add_typer(demo.app, name="demo", help="演示：把虚构的一个县装进空的数据文件夹。")
app.add_typer(exam.app, name="exam", help="一次考试：检查成绩文件，生成质量分析报告。")
app.add_typer(keys.app, name="keys", help="密钥：列出，新增，用新密钥重新加密。")
app.add_typer(ledger.app, name="ledger", help="台账：导入、导出、取模板。")
app.add_typer(retention.app, name="retention", help="保存期：列出到期的记录，去掉其中的个人信息。")
app.add_typer(roster.app, name="roster", help="名册交换：OneRoster 1.2 的检查、导出、导入。")
app.add_typer(pack.app, name="pack", help="台账包：检查和装入台账、代码表的定义。")

app.command("growth")(growth)
app.command("init")(init)
app.command("backup")(backup)
app.command("restore")(restore)
app.command("move")(move)
app.command("upgrade")(upgrade)
app.command("doctor")(doctor)
app.command("serve")(serve)
app.command("worker")(worker)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"jiaoheng {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="显示版本号。"),
) -> None:
    """教衡：县级教育局的台账、考试、考核与报告。"""


def run() -> None:
    """Entry point of the installed command."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # an office PC's console may not be UTF-8
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        app()
    except SystemExit as end:
        if end.code == FAULT:
            # Python replaces the code by the signal's where Ctrl-C met code run from text (dataclasses on import),
            # though the interruption was caught and told
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(FAULT)
        raise
