"""Writing accounts: make, close, reopen, unlock, passwords, system administrators."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.hashers import make_password

from jiaoheng.bureau.core import audit, clock, signed_in
from jiaoheng.bureau.core.account_names import free_name
from jiaoheng.bureau.core.capabilities import ROLES
from jiaoheng.bureau.core.granting import check_giving, check_managing, check_reach, role_of
from jiaoheng.bureau.core.locking import forget_failures
from jiaoheng.bureau.core.models import Account, Membership, Unit
from jiaoheng.bureau.core.passwords import check_new_password, slip_password
from jiaoheng.bureau.core.refusals import ForbiddenError, RefusedError
from jiaoheng.bureau.core.slips import Slip
from jiaoheng.bureau.core.tree import name_of
from jiaoheng.sheets.text import name_key


@audit.action
def do_add_account(
    name: str,
    home: Unit,
    role: str,
    *,
    acting_user: Account | None,
    phone: str = "",
    at: Unit | None = None,
    starts_on: dt.date | None = None,
    username: str = "",
) -> tuple[Account, Slip]:
    """One account with its first role (at `at`, else at its home), and the slip with its first password.

    Raises RefusedError (bad name, taken user name, misfit), NotFoundError, ForbiddenError (see `granting`).
    """
    name = name_key(name)
    if not name or len(name) > 40:
        raise RefusedError("account-name", "姓名应为 1 到 40 个字", places={"name": "请填写姓名"})
    kind, place = role_of(role), at or home
    check_giving(acting_user, None, kind, place)
    username = username.strip().lower() or free_name(name, place, role, phone)
    if Account.objects.filter(username=username).exists():
        told = f"账号“{username}”已有人使用，请另取一个"
        raise RefusedError("account-taken", told, places={"username": told})
    password = slip_password()
    account = Account(username=username, name=name, phone=phone, home=home, created_at=clock.now())
    account.password = make_password(password)
    account.save()
    day = starts_on or clock.today()
    Membership.objects.create(account=account, role=role, unit=place, starts_on=day)
    where = name_of(place, clock.today())
    audit.note(
        "account.add",
        actor=acting_user,
        about=("account", account.pk, f"{name}（{username}）"),
        unit_id=home.pk,
        changes=[{"field": "role", "title": "角色", "old": None, "new": f"{where} {kind.title}"}],
    )
    return account, Slip(name, name_of(home, clock.today()), kind.title, username, password)


@audit.action
def do_close_account(account: Account, *, acting_user: Account | None, reason: str) -> None:
    """Close: its open pages go to the sign-in, its roles and stand-ins end; nothing is deleted, the name is not reused.

    Raises RefusedError without a reason, for oneself, or where it is closed already; ForbiddenError.
    """
    _check_reason(reason, "停用账号")
    if acting_user is not None and acting_user.pk == account.pk:
        raise RefusedError("account-own", "不能停用自己的账号，请上级管理员办理")
    if account.closed_at is not None:
        raise RefusedError("account-closed", f"{account.name}的账号已于 {_day(account.closed_at)} 停用")
    check_managing(acting_user, account)
    today, ended = clock.today(), []
    for member in Membership.objects.filter(account=account) | Membership.objects.filter(deputy_of=account):
        if member.ends_on is not None and member.ends_on <= today:
            continue
        ended.append(f"{name_of(member.unit, today)} {ROLES[member.role].title}")
        end_membership(member, today)
    account.closed_at = clock.now()
    account.save(update_fields=["closed_at"])
    signed_in.end_all(account)
    _note(
        "account.close", acting_user, account, [_change("roles", "角色", "、".join(ended) or None, None)], reason=reason
    )


@audit.action
def do_reopen_account(account: Account, *, acting_user: Account | None, reason: str) -> Slip:
    """Open a closed account again, with a new first password and without roles: they are given anew."""
    _check_reason(reason, "恢复账号")
    if account.closed_at is None:
        raise RefusedError("account-open", f"{account.name}的账号正在使用，无需恢复")
    check_managing(acting_user, account)
    changes = [_change("closed", "停用日期", _day(account.closed_at), None)]
    account.closed_at = None
    password = _give_password(account, ["closed_at"])
    _note("account.reopen", acting_user, account, changes, reason=reason)
    return _slip(account, password)


@audit.action
def do_change_own_password(old: str, new: str, again: str, *, acting_user: Account) -> None:
    """Change one's own password; every other session of the account ends. Raises RefusedError at the field."""
    if not acting_user.check_password(old):
        raise RefusedError("password-old", "原密码不对", places={"old": "原密码不对，请重新输入"})
    check_new_password(acting_user, new, again)
    acting_user.password = make_password(new)
    acting_user.must_change_password = False
    acting_user.password_changed_at = clock.now()
    acting_user.save(update_fields=["password", "must_change_password", "password_changed_at"])
    _note("password.change", acting_user, acting_user, [])


@audit.action
def do_reset_password(account: Account, *, acting_user: Account | None, reason: str = "") -> Slip:
    """A new slip for somebody who lost his password; his sessions and locks end. Raises ForbiddenError, RefusedError."""
    if acting_user is not None and acting_user.pk == account.pk:
        raise RefusedError("account-own", "自己的密码请在“账号与密码”中修改")
    if account.closed_at is not None:
        raise RefusedError("account-closed", f"{account.name}的账号已于 {_day(account.closed_at)} 停用，请先恢复")
    check_managing(acting_user, account)
    password = _give_password(account)
    forget_failures(account.username)
    _note("password.reset", acting_user, account, [], reason=reason)
    return _slip(account, password)


@audit.action
def do_unlock(account: Account, *, acting_user: Account | None) -> None:
    """Take the lock of wrong passwords off; the next right password works. Raises NotFoundError out of one's reach."""
    check_reach(acting_user, account)
    forget_failures(account.username)
    _note("account.unlock", acting_user, account, [])


@audit.action
def do_set_admin(account: Account, on: bool, *, acting_user: Account | None, reason: str = "") -> None:
    """Open or shut the system settings for an account. Only a system administrator may, and not for himself."""
    if acting_user is not None and not acting_user.is_staff:
        raise ForbiddenError("只有系统管理员可以指定系统管理员")
    if acting_user is not None and acting_user.pk == account.pk:
        raise RefusedError("account-own", "不能改变自己的系统管理员身份，请另一位系统管理员办理")
    old = bool(account.is_system_admin)
    account.is_system_admin = on
    account.save(update_fields=["is_system_admin"])
    words = {True: "是", False: "否"}
    _note("account.admin", acting_user, account, [_change("admin", "系统管理员", words[old], words[on])], reason=reason)


def end_membership(member: Membership, day: dt.date) -> None:
    """End a membership from a day on; one that would never have held a day goes (its audit entry keeps it)."""
    if member.starts_on >= day:
        member.delete()
    else:
        member.ends_on = day
        member.save(update_fields=["ends_on"])


def _give_password(account: Account, also: list[str] | None = None) -> str:
    password = slip_password()
    account.password = make_password(password)
    account.must_change_password = True
    account.save(update_fields=["password", "must_change_password", *(also or [])])
    signed_in.end_all(account)
    return password


def _slip(account: Account, password: str) -> Slip:
    return Slip(account.name, name_of(account.home, clock.today()), "", account.username, password)


def _check_reason(reason: str, what: str) -> None:
    if not reason.strip():
        raise RefusedError("reason-missing", f"{what}要写明原因", places={"reason": "请写明原因"})


def _day(moment: dt.datetime) -> str:
    return clock.local(moment).date().isoformat()


def _change(field: str, title: str, old: str | None, new: str | None) -> dict[str, str | None]:
    return {"field": field, "title": title, "old": old, "new": new}


def _note(
    action: str, actor: Account | None, account: Account, changes: list[dict[str, str | None]], reason: str = ""
) -> None:
    about = ("account", account.pk, f"{account.name}（{account.username}）")
    audit.note(action, actor=actor, about=about, unit_id=account.home_id, changes=changes, reason=reason)
