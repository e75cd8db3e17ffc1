"""`jiaoheng keys …`: the keys of protected data."""

from __future__ import annotations

import typer

from jiaoheng.cli.on_base import run_on_base

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command("list", help="列出密钥、各用在多少条记录上，以及要办的事。")
def list_() -> None:
    """2 where there is something to do."""
    run_on_base(_list)


@app.command("add", help="新增一把密钥，此后写入的内容用它加密；旧密钥仍留着读旧内容。")
def add() -> None:
    """The file gets a line; the server takes it up by itself."""
    run_on_base(_add)


@app.command("rotate", help="用最新的密钥重新加密已有的内容，也加密升级前未加密的内容。可随时中断，再运行会接着做。")
def rotate() -> None:
    """In parts, each whole."""
    run_on_base(_rotate)


def _list() -> int:
    from jiaoheng.bureau.ledgers.key_use import key_state
    from jiaoheng.cli.console import BAD_INPUT, OK, say

    state = key_state()
    for one in state.keys:
        say(f"{one.key_id}　用于 {one.rows:,} 条记录、{one.files:,} 个附件" + ("　现在用它加密" if one.seals else ""))
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
