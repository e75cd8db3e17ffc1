"""`jiaoheng accounts …`: the first administrator of a new server, and help where nobody can sign in any more."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from jiaoheng.bureau.core.models import Account
    from jiaoheng.bureau.core.slips import Slip

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
Who = typer.Argument(..., metavar="账号", help="登录用的账号。", show_default=False)


@app.command("add-admin", help="新建一个系统管理员，显示他的账号条（只显示这一次）。")
def add_admin(
    name: str = typer.Option(..., "--name", metavar="姓名", help="管理员的姓名。", show_default=False),
    unit: str = typer.Option(..., "--unit", metavar="代码", help="县的单位代码。", show_default=False),
) -> None:
    """Account with the role admin at the county, and the system settings."""
    _run(lambda: _add_admin(name, unit))


@app.command("reset", help="给一个账号发新的账号条；他别处的登录随之退出。")
def reset(username: str = Who) -> None:
    """New first password."""
    _run(lambda: _reset(username))


@app.command("unlock", help="解除输错密码的锁定。")
def unlock(username: str = Who) -> None:
    """Take the lock off."""
    _run(lambda: _unlock(username))


@app.command("factor-reset", help="解除一个账号的二次验证（手机和恢复码都丢失时）；下次登录重新设置。")
def factor_reset(username: str = Who) -> None:
    """Take the second factor off: who reaches the server's command line reaches its database too."""
    _run(lambda: _factor_reset(username))


def _run(work: Callable[[], None]) -> None:
    from jiaoheng.cli.console import OK, Refusal, guarded

    def job() -> int:
        from jiaoheng.bureau.setup import start_django

        start_django()
        from jiaoheng.bureau.core.refusals import ForbiddenError, RefusedError

        try:
            work()
        except (RefusedError, ForbiddenError) as error:
            raise Refusal(f"{error}。") from error
        return OK

    raise typer.Exit(guarded(job))


def _add_admin(name: str, code: str) -> None:
    from jiaoheng.bureau.core.actions_accounts import do_add_account, do_set_admin
    from jiaoheng.bureau.core.models import Unit
    from jiaoheng.cli.console import Refusal

    unit = Unit.objects.filter(code=code).first()
    if unit is None:
        raise Refusal(f"没有代码为“{code}”的单位。请先建立单位，或核对代码。")
    account, slip = do_add_account(name, unit, "admin", acting_user=None)
    do_set_admin(account, True, acting_user=None)
    _show(slip)


def _reset(username: str) -> None:
    from jiaoheng.bureau.core.actions_accounts import do_reset_password

    _show(do_reset_password(_account(username), acting_user=None))


def _unlock(username: str) -> None:
    from jiaoheng.bureau.core.actions_accounts import do_unlock
    from jiaoheng.cli.console import say

    do_unlock(_account(username), acting_user=None)
    say(f"已解锁：{username}。")


def _factor_reset(username: str) -> None:
    from jiaoheng.bureau.core.actions_second_factor import do_reset_factor
    from jiaoheng.cli.console import say

    do_reset_factor(_account(username), acting_user=None, reason="服务器命令")
    say(f"已解除二次验证：{username}。")


def _account(username: str) -> Account:
    from jiaoheng.bureau.core.models import Account
    from jiaoheng.cli.console import Refusal

    found = Account.objects.filter(username=username.strip().lower()).first()
    if found is None:
        raise Refusal(f"没有账号“{username}”。请核对账号。")
    return found


def _show(slip: Slip) -> None:
    from jiaoheng.cli.console import say

    say(f"{slip.name}　账号 {slip.username}　初始密码 {slip.password}　首次登录请改密码")
