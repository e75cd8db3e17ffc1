"""Making and revoking one's own tokens."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.models import Account, ApiToken
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.core.tokens import LONGEST, SCOPES, access_token, hash_of, new_secret

MOST = 20  # tokens of one person that hold at a time
_NAME = 40


@audit.action
def do_make_token(
    name: str, scopes: Collection[str], last_day: dt.date, *, acting_user: Account
) -> tuple[ApiToken, str]:
    """Make a token of one's own that holds up to and including a day; the token itself is given this once.

    Raises RefusedError (`token-wrong`, places `name`, `scopes`, `last_day`; `token-many`).
    """
    name = name.strip()
    places = {}
    if not name or len(name) > _NAME:
        places["name"] = f"请写明给哪个系统用，最多 {_NAME} 个字"
    if not scopes or not set(scopes) <= set(SCOPES):
        places["scopes"] = "请至少选一种用途"
    today = clock.today()
    if not today <= last_day < today + dt.timedelta(days=LONGEST):
        until = today + dt.timedelta(days=LONGEST - 1)
        places["last_day"] = f"到期日请选 {today.isoformat()} 至 {until.isoformat()} 之间的一天"
    if places:
        raise RefusedError("token-wrong", "令牌没有生成，请改正", places=places)
    now = clock.now()
    held = ApiToken.objects.filter(owner=acting_user, revoked_at__isnull=True, expires_at__gt=now).count()
    if held >= MOST:
        raise RefusedError("token-many", f"您已有 {held} 个在用的令牌，最多 {MOST} 个，请先停用不用的")
    secret = new_secret()
    made = ApiToken.objects.create(
        owner=acting_user,
        name=name,
        scopes=[one for one in SCOPES if one in scopes],
        hash=hash_of(secret),
        ending=secret[-4:],
        created_at=now,
        expires_at=clock.at_end_of(last_day),
    )
    _note("token.make", made, acting_user)
    return made, secret


@audit.action
def do_revoke_token(token_id: object, *, acting_user: Account) -> ApiToken:
    """End one of one's own tokens at once. RefusedError `token-ended` where it is ended already."""
    token = access_token(acting_user, token_id)
    if token.revoked_at is not None:
        raise RefusedError("token-ended", f"令牌“{token.name}”已停用，不用再停")
    token.revoked_at = clock.now()
    token.save(update_fields=["revoked_at"])
    _note("token.revoke", token, acting_user)
    return token


def _note(action: str, token: ApiToken, actor: Account) -> None:
    until = f"{clock.local(token.expires_at):%Y-%m-%d}"
    scopes = "、".join(SCOPES[one] for one in token.scopes)
    changes = [{"field": "scopes", "title": "用途", "old": None, "new": scopes}]
    changes.append({"field": "expires_at", "title": "到期", "old": None, "new": until})
    audit.note(
        action,
        actor=actor,
        about=("token", token.pk, token.name),
        unit_id=actor.home_id,
        changes=changes if action == "token.make" else (),
    )
