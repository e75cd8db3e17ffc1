"""`jiaoheng keys …`: the keys of protected data."""

from __future__ import annotations

from collections.abc import Callable

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command("list", help="列出密钥、各用在多少条记录上，以及要办的事。")
def list_() -> None:
    """2 where there is something to do."""
    _run(_list)


@app.command("add", help="新增一把密钥，此后写入的内容用它加密；旧密钥仍留着读旧内容。")
def add() -> None:
    """The file gets a line; the server takes it up by itself."""
    _run(_add)


@app.command("rotate", help="用最新的密钥重新加密已有的内容，也加密升级前未加密的内容。可随时中断，再运行会接着做。")
def rotate() -> None:
    """In parts, each whole."""
    _run(_rotate)


def _run(work: Callable[[], int]) -> None:
    from jiaoheng.cli.console import Refusal, guarded

    def job() -> int:
        from jiaoheng.bureau.setup import start_django

        start_django()
        from jiaoheng.bureau.core.refusals import ForbiddenError, RefusedError

        try:
            return work()
        except (RefusedError, ForbiddenError) as error:
            raise Refusal(f"{error}。") from error

    raise typer.Exit(guarded(job))


def _list() -> int:
    from jiaoheng.bureau.ledgers.key_use import key_state
    from jiaoheng.cli.console import BAD_INPUT, OK, say

    state = key_state()
    for one in state.keys:
        say(f"{one.key_id}　用于 {one.rows:,} 条记录" + ("　现在用它加密" if one.seals else ""))
    for sentence in state.sentences:
        say(f"{sentence}。")
    return BAD_INPUT if state.plain or state.foreign else OK


def _add() -> int:
    from jiaoheng.bureau.core.actions_keys import do_add_key
    from jiaoheng.cli.console import OK, say

    made = do_add_key(acting_user=None)
    say(f"已新增密钥 {made}。请备份密钥文件，再运行 jiaoheng keys rotate。")
    return OK


def _rotate() -> int:
    from jiaoheng.bureau.ledgers.key_rotation import rotate as run
    from jiaoheng.cli.console import OK, say

    done = run(lambda what, count: say(f"{what}：已重新加密 {count:,} 条"), acting_user=None)
    say(f"完成：共重新加密 {done.rows:,} 条，现在都用密钥 {done.key_id}。")
    return OK
