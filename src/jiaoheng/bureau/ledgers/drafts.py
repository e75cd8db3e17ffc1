"""Drafts: what a person typed and has not submitted, read for that person only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.access import whole_number
from jiaoheng.bureau.core.models import Account, Period, Unit
from jiaoheng.bureau.core.refusals import NotFoundError
from jiaoheng.bureau.core.tree import name_of
from jiaoheng.bureau.ledgers.models import Draft, Record, RegisterRow


@dataclass(frozen=True, slots=True)
class DraftShown:
    """A draft as it is offered: its time by the server, the device's own time beside it, how many items it holds.

    `marks`: field → what is wrong with what was typed; `missing`: the fields that are still to be filled.
    """

    id: int
    register: str
    register_title: str
    unit_id: int
    unit_name: str
    period_id: int | None
    period_name: str
    record_id: int | None
    base_version: int | None
    typed: Mapping[str, Any]
    saved_at: dt.datetime
    device_at: dt.datetime | None
    note: str
    marks: Mapping[str, str]

    @property
    def count_words(self) -> str:
        """12 项: how many fields have something in them."""
        return f"{sum(1 for value in self.typed.values() if value not in (None, '', []))} 项"


def draft_of(
    account: Account, register: RegisterRow, unit: Unit, period: Period | None, record: Record | None
) -> Draft | None:
    """A person's own draft for one form, None where there is none."""
    rows = Draft.objects.filter(account=account, register=register, unit=unit, period=period, record=record)
    found: Draft | None = rows.order_by("-saved_at", "-pk").first()
    return found


def access_draft(account: Account, draft_id: object) -> Draft:
    """A draft of one's own; another person's is a missing thing (P08)."""
    related = ("register", "unit", "period", "record")
    found = Draft.objects.select_related(*related).filter(pk=whole_number(draft_id), account=account).first()
    if found is None:
        raise NotFoundError
    return found


def drafts_of(account: Account, register: RegisterRow | None = None) -> list[DraftShown]:
    """The drafts of a person, newest first, without judging their values."""
    rows = Draft.objects.select_related("register", "unit", "period").filter(account=account)
    if register is not None:
        rows = rows.filter(register=register)
    return [shown_draft(one, {}) for one in rows.order_by("-saved_at", "-pk")]


def shown_draft(draft: Draft, marks: Mapping[str, str]) -> DraftShown:
    """A draft with given remarks at its fields."""
    return DraftShown(
        draft.pk,
        draft.register.name,
        draft.register.title,
        draft.unit_id,
        name_of(draft.unit, clock.today()),
        draft.period_id,
        draft.period.name if draft.period is not None else "",
        draft.record_id,
        draft.base_version,
        draft.typed,
        draft.saved_at,
        draft.device_at,
        draft.note,
        marks,
    )
