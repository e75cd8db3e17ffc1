"""`jiaoheng roster …`: OneRoster 1.2 CSV sets: checked alone, exported and imported as one of the accounts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Archive = typer.Argument(..., metavar="名册.zip", help="OneRoster 1.2 CSV 的压缩包。", show_default=False)
Term = typer.Option(..., "--term", metavar="学期", help="学期代码，如 T2025-1。", show_default=False)
Who = typer.Option(..., "--as", metavar="账号", help="以哪个账号办理，按他的权限。", show_default=False)
Out = typer.Option(..., "--out", metavar="文件", help="写到哪里。", show_default=False)
Yes = typer.Option(False, "--yes", help="核对无误就写入；不加只核对。")


@app.command("check", help="检查一个名册压缩包是否合 OneRoster 1.2，列出每处问题的文件和行；不用数据库。")
def check(archive: Path = Archive) -> None:
    """0 whole, 2 problems."""
    from jiaoheng.cli.console import guarded

    raise typer.Exit(guarded(lambda: run_check(archive)))


@app.command("export", help="导出一个学期的单位、人员、班级、就读、课程、学期。")
def export(term: str = Term, account: str = Who, out: Path = Out) -> None:
    """What the account reads."""
    _run(lambda: run_export(term, account, out))


@app.command("import", help="核对并导入名册：改姓名、调班、结束就读；不新增人，不删除人。")
def import_(archive: Path = Archive, term: str = Term, account: str = Who, yes: bool = Yes) -> None:
    """0 done, 2 problems."""
    _run(lambda: run_import(archive, term, account, yes))


def _run(work: Callable[[], int]) -> None:
    from jiaoheng.cli.ledger import _run as run

    run(work)


def run_check(archive: Path) -> int:
    """Read and judge without any database."""
    from jiaoheng.cli.console import OK, say
    from jiaoheng.registers.oneroster.checking import check_roster
    from jiaoheng.registers.oneroster.model import Mode, RosterError
    from jiaoheng.registers.oneroster.reading import read_roster

    try:
        roster = read_roster(archive)
    except RosterError as error:
        return _tell(error)
    bulk = all(mode is Mode.BULK for mode in roster.modes.values() if mode is not Mode.ABSENT)
    problems = check_roster(roster)
    if problems and bulk:
        return _tell(RosterError(problems))
    if problems:  # a delta's references may be with the receiver
        own = [one for one in problems if "里没有" not in one.message]
        if own:
            return _tell(RosterError(own))
    say("合 OneRoster 1.2：" + "，".join(f"{name} {len(rows):,} 行" for name, rows in roster.rows.items()))
    return OK


def run_export(term: str, username: str, out: Path) -> int:
    """Write the archive."""
    from jiaoheng.bureau.core import audit
    from jiaoheng.bureau.ledgers.oneroster.actions import export_roster
    from jiaoheng.cli.console import OK, say
    from jiaoheng.cli.ledger import _account, _period
    from jiaoheng.registers.oneroster.model import RosterError

    account, period = _account(username), _period(term)
    assert period is not None  # noqa: S101 (the option is required)
    with audit.through("command"):
        try:
            made = export_roster(out, period, acting_user=account)
        except RosterError as error:
            return _tell(error)
    say(f"名册 {len(made.rows['users']):,} 人，就读 {len(made.rows['enrollments']):,} 条：{out}")
    return OK


def run_import(archive: Path, term: str, username: str, yes: bool) -> int:
    """Tell, and with `yes` write."""
    from jiaoheng.bureau.core import audit
    from jiaoheng.bureau.ledgers.oneroster.actions import do_import_roster, preview_roster
    from jiaoheng.cli.console import OK, say
    from jiaoheng.cli.ledger import _account, _period
    from jiaoheng.registers.oneroster.model import RosterError

    account, period = _account(username), _period(term)
    assert period is not None  # noqa: S101 (the option is required)
    with audit.through("command"):
        try:
            plan = preview_roster(archive, period, acting_user=account)
        except RosterError as error:
            return _tell(error)
        for one in plan.tallies:
            say(f"{one.title}：新 {one.new}，改 {one.changed}，同 {one.same}，结束 {one.ended}，缺 {one.missing}")
        for text in (*plan.questions, *plan.notes):
            say(text)
        if plan.edits and yes:
            do_import_roster(archive, period, acting_user=account)
            say(f"已改 {len(plan.edits)} 条")
        else:
            say(f"{plan.words}。" + ("加 --yes 写入。" if plan.edits else ""))
    return OK


def _tell(error: Exception) -> int:
    from jiaoheng.cli.console import BAD_INPUT, say

    say(str(error))
    return BAD_INPUT
