"""A form's or API call's own key: the same post again is answered with the same record (P09)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from jiaoheng.bureau.core import clock, secrets
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.refusals import ConflictError
from jiaoheng.bureau.ledgers.models import ResendKey

LONGEST = 64


def content_hash(parts: Mapping[str, Any]) -> str:
    """Keyed hash over what was sent: a plain one of few unknown digits could be found by trying them."""
    sent = orjson.dumps(dict(parts), option=orjson.OPT_SORT_KEYS, default=str)
    return secrets.digest_of("resend", sent.decode())


def answered(account: Account, key: str, content: str) -> ResendKey | None:
    """The earlier answer to this very post, None where the key is new. To be called inside an action.

    Posts of one account with a key queue here, so that ten at the same moment see the first one's answer. Raises
    ConflictError where the key was used for other content.
    """
    Account.objects.select_for_update(no_key=True).filter(pk=account.pk).values_list("pk", flat=True).first()
    found: ResendKey | None = ResendKey.objects.filter(account=account, key=key[:LONGEST]).first()
    if found is not None and found.content != content:
        moment = clock.local(found.at)
        raise ConflictError(
            "resend-other-content",
            f"这份表已于 {moment:%Y-%m-%d %H:%M:%S} 提交过（编号 {found.record_id}），这次内容不同，没有存入；"
            "这次的内容已留作草稿，请打开那条记录核对后再改",
            record_id=found.record_id,
            number=found.version,
            at=found.at,
        )
    return found


def remember(account: Account, key: str, content: str, record_id: int, number: int) -> None:
    """Keep the answer of a post, in the transaction that wrote the record."""
    ResendKey.objects.create(
        account=account, key=key[:LONGEST], content=content, record_id=record_id, version=number, at=clock.now()
    )
