"""Tokens for programs: what they may do, who they act as, how often, and what their owner sees of them."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
from dataclasses import dataclass

from django.conf import settings
from django.db.models import F

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.access import whole_number
from jiaoheng.bureau.core.models import Account, ApiToken
from jiaoheng.bureau.core.passwords import check_ready
from jiaoheng.bureau.core.refusals import ForbiddenError, NotFoundError

SCOPES = {"read": "读取", "write": "填写和审核", "export": "整表下载"}
LONGEST = 366  # days
PREFIX = "jh_"
A_MINUTE = 600  # requests of one token, where the settings do not say
_SHAPE = re.compile(r"jh_[0-9A-Za-z_-]{43}")
_WINDOW = 60  # seconds
INVALID = "令牌无效、已到期或已停用，请在“账号与密码”下的“接口令牌”另发一个"


class BadTokenError(Exception):
    """401: the token opens nothing. One sentence for unknown, ended, revoked ones and those of closed accounts."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a request acts as, and by which token."""

    account: Account
    token: ApiToken


@dataclass(frozen=True, slots=True)
class TokenLine:
    """A token in its owner's list. `state`: 在用, 已到期, 已停用."""

    id: int
    name: str
    ending: str
    scopes: str
    created_at: dt.datetime
    expires_at: dt.datetime
    used_at: dt.datetime | None
    state: str
    holds: bool


def new_secret() -> str:
    """A token as it is shown once."""
    return PREFIX + secrets.token_urlsafe(32)


def hash_of(secret: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(secret.encode()).hexdigest()


def caller_of(secret: str) -> Caller:
    """Who a token acts as. Raises BadTokenError; its sentence differs only for an owner with a first password."""
    if not _SHAPE.fullmatch(secret):
        raise BadTokenError(INVALID)
    token = ApiToken.objects.select_related("owner").filter(hash=hash_of(secret), revoked_at__isnull=True).first()
    if token is None or token.expires_at <= clock.now() or not token.owner.is_active:
        raise BadTokenError(INVALID)
    try:
        check_ready(token.owner)
    except ForbiddenError as error:
        raise BadTokenError(str(error)) from error
    return Caller(token.owner, token)


def check_scope(token: ApiToken, scope: str) -> None:
    """Raises ForbiddenError where the token was not made for this."""
    if scope not in token.scopes:
        has = "、".join(SCOPES[one] for one in SCOPES if one in token.scopes)
        raise ForbiddenError(f"令牌“{token.name}”只能{has}，不能{SCOPES[scope]}；要用请另发一个令牌")


def count_use(token: ApiToken) -> int:
    """Count one request in the present minute; seconds to wait where it is one too many, else 0.

    One small update a request, of the token's own row: two servers count together.
    """
    now = clock.now()
    start = now.replace(second=0, microsecond=0)
    mine = ApiToken.objects.filter(pk=token.pk)
    most = int(getattr(settings, "API_REQUESTS_A_MINUTE", A_MINUTE))
    if token.window_at == start:
        if token.window_count >= most:
            return _WINDOW - int((now - start).total_seconds())
        mine.update(window_count=F("window_count") + 1)
    else:
        mine.update(window_at=start, window_count=1, used_at=now)
    return 0


def tokens_of(account: Account) -> list[TokenLine]:
    """A person's tokens, newest first."""
    now = clock.now()
    return [_line(one, now) for one in ApiToken.objects.filter(owner=account).order_by("-created_at", "-pk")]


def _line(one: ApiToken, now: dt.datetime) -> TokenLine:
    state = "已停用" if one.revoked_at is not None else "已到期" if one.expires_at <= now else "在用"
    scopes = "、".join(SCOPES[scope] for scope in SCOPES if scope in one.scopes)
    return TokenLine(
        one.pk, one.name, one.ending, scopes, one.created_at, one.expires_at, one.used_at, state, state == "在用"
    )


def access_token(account: Account, token_id: object) -> ApiToken:
    """A token of one's own; another person's is a missing thing."""
    found = ApiToken.objects.filter(pk=whole_number(token_id), owner=account).first()
    if found is None:
        raise NotFoundError
    return found
