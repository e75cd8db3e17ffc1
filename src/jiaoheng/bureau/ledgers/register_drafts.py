"""A person's proposals of registers that are not in force yet."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.ledgers.models import RegisterDraft

_MOST = 20


@dataclass(frozen=True, slots=True)
class DraftLine:
    """One proposal in the list."""

    id: int
    title: str
    file: str
    fields: int
    changed_at: dt.datetime


def register_drafts(account: Account) -> list[DraftLine]:
    """One's own proposals, newest first."""
    rows = RegisterDraft.objects.filter(owner=account).select_related("attachment").order_by("-changed_at")[:_MOST]
    return [
        DraftLine(
            one.pk,
            str(one.schema["title"]),
            one.attachment.name if one.attachment is not None else "",
            len(one.schema["fields"]),
            one.changed_at,
        )
        for one in rows
    ]
