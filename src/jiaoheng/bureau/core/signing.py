"""Entries of signing in and out. What was typed as a name is kept only where it is an account: it may be a password."""

from __future__ import annotations

from jiaoheng.bureau.core import audit
from jiaoheng.bureau.core.models import Account

_UNKNOWN = "不存在的账号"


def note_signed_in(account: Account) -> None:
    """An entry: signed in."""
    audit.note("sign_in", actor=account, about=_about(account), unit_id=account.home_id)


def note_signed_out(account: Account) -> None:
    """An entry: signed out."""
    audit.note("sign_out", actor=account, about=_about(account), unit_id=account.home_id)


def note_failed(username: str) -> None:
    """An entry: a wrong password, or an unknown name."""
    _note_try("sign_in.failed", username)


def note_locked(username: str) -> None:
    """An entry: this was one wrong password too many."""
    _note_try("account.lock", username)


def _note_try(action: str, username: str) -> None:
    account = Account.objects.filter(username=username).first()
    if account is None:
        audit.note(action, actor=None, about=("account", "", _UNKNOWN))
    else:
        audit.note(action, actor=None, about=_about(account), unit_id=account.home_id)


def _about(account: Account) -> tuple[str, object, str]:
    return ("account", account.pk, f"{account.name}（{account.username}）")
