"""`jiaoheng accounts …`: the first administrator of a new server, and help where nobody can sign in any more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from jiaoheng.bureau.core.models import Account, Unit
    from jiaoheng.bureau.core.slips import Slip

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
EARLY = dt.date(1990, 9, 1)  # a county stands before everything that may be brought in from earlier years
Who = typer.Argument(..., metavar="账号", help="登录用的账号。", show_default=False)


@app.command("add-admin", help="新建一个系统管理员，显示他的账号条（只显示这一次）。")
def add_admin(
    name: str = typer.Option(..., "--name", metavar="姓名", help="管理员的姓名。", show_default=False),
    unit: str = typer.Option(..., "--unit", metavar="代码", help="县的单位代码。", show_default=False),
    county: str = typer.Option(
        "",
        "--county",
        metavar="县名",
        help="新装的服务器还没有单位时写上：先以这个名称和代码建县。",
        show_default=False,
    ),
) -> None:
    """Account with the role admin at the county, and the system settings."""
    _run(lambda: _add_admin(name, unit, county))


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


def _add_admin(name: str, code: str, county: str) -> None:
    from jiaoheng.bureau.core.actions_accounts import do_add_account, do_set_admin
    from jiaoheng.bureau.core.models import Unit
    from jiaoheng.cli.console import Refusal

    unit = Unit.objects.filter(code=code).first()
    if unit is None and county:
        unit = _first_county(county, code)
    if unit is None:
        raise Refusal(f"没有代码为“{code}”的单位。请核对代码；新装的服务器请加 --county 县名，先建县。")
    account, slip = do_add_account(name, unit, "admin", acting_user=None)
    do_set_admin(account, True, acting_user=None)
    _show(slip)


def _first_county(name: str, code: str) -> Unit:
    """The root of the tree. Every other unit is made on the pages."""
    from jiaoheng.bureau.core.actions_units import do_add_unit
    from jiaoheng.bureau.core.models import Unit
    from jiaoheng.bureau.core.tree_writing import Seed
    from jiaoheng.cli.console import Refusal

    if Unit.objects.filter(level=Unit.Level.COUNTY).exists():
        raise Refusal(f"已有县一级单位，代码不是“{code}”。请核对代码。")
    seed = Seed(code=code, level=Unit.Level.COUNTY, name=name, parent="", starts_on=EARLY)
    return do_add_unit(seed, acting_user=None, reason="新装服务器")


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
