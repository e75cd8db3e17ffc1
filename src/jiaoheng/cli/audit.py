"""`jiaoheng audit …`: proof and archive of the trail. Django is loaded inside the commands."""

from __future__ import annotations

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command("verify", help="核对操作记录是否完整：逐条核对摘要链、链首和库外的锚记。")
def verify() -> None:
    """Exit code 0 where the chain is whole, 2 where it is not."""
    from jiaoheng.cli.console import guarded

    raise typer.Exit(guarded(_verify))


@app.command("archive", help="把到某一条为止的操作记录移入归档文件；归档本身也是一条记录。")
def archive(
    to: int = typer.Option(..., "--to", min=1, metavar="编号", help="归档到第几条。", show_default=False),
    reason: str = typer.Option("", "--reason", metavar="原因", help="为什么归档。", show_default=False),
) -> None:
    """Exit code 0 done, 2 where it cannot be."""
    from jiaoheng.cli.console import guarded

    raise typer.Exit(guarded(lambda: _archive(to, reason)))


def _verify() -> int:
    from jiaoheng.bureau.setup import start_django
    from jiaoheng.cli.console import BAD_INPUT, OK, say, tell

    start_django()
    from jiaoheng.bureau.core.audit_chain import verify as look

    verdict = look()
    if not verdict.whole:
        tell(f"{verdict.sentence}。请保留现场，并与备份核对。")
        return BAD_INPUT
    say(f"{verdict.sentence}。")
    for note in verdict.notes:
        tell(f"注意：{note}。")
    return OK


def _archive(to: int, reason: str) -> int:
    from jiaoheng.bureau.setup import start_django
    from jiaoheng.cli.console import OK, Refusal, say

    start_django()
    from jiaoheng.bureau.core.actions_audit import archive as move
    from jiaoheng.bureau.core.refusals import RefusedError

    try:
        path = move(to, acting_user=None, reason=reason)
    except RefusedError as error:
        raise Refusal(f"{error}。") from error
    say(f"已归档到第 {to} 条：{path.name}。")
    return OK
