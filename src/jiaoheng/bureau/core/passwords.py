"""Passwords: the ones we give on a slip, and what we ask of the ones people choose."""

from __future__ import annotations

import secrets

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.password_rules import shortest_of
from jiaoheng.bureau.core.refusals import ForbiddenError, RefusedError

# no 0 O 1 l I: a slip is read from paper. 12 of 31 letters are 59 bits
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
_GROUPS, _GROUP = 3, 4
_WORDS = {
    "password_of_here": "是单位名称、代码或常用词加数字，容易被猜到",
    "password_too_common": "太常见，容易被猜到",
    "password_too_similar": "与账号太相近",
    "password_entirely_numeric": "全是数字",
}


def slip_password() -> str:
    """A first password for a slip: 7kmq-w3xt-p9ra."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))


def check_new_password(account: Account, password: str, again: str | None = None) -> None:
    """Raises RefusedError with a sentence at the field where the password will not do."""
    if again is not None and password != again:
        raise _refused("again", "两次输入的新密码不一样，请重新输入")
    if account.has_usable_password() and account.check_password(password):
        raise _refused("password", "新密码与原密码相同，请另选一个")
    try:
        validate_password(password, account)
    except ValidationError as error:
        least = shortest_of(account)
        words = _WORDS | {"password_too_short": f"不足 {least} 位"}
        why = "、".join(words.get(str(one.code), "不合要求") for one in error.error_list)
        raise _refused("password", f"新密码{why}，请另选一个：至少 {least} 位，最好是一句只有自己知道的话") from None


def check_ready(account: Account) -> None:
    """For doors without a page (API tokens): raises ForbiddenError until the first password is changed."""
    if account.must_change_password:
        raise ForbiddenError("首次登录请先修改密码，改好后再办理")


def _refused(field: str, told: str) -> RefusedError:
    return RefusedError("password", told, places={field: told})
