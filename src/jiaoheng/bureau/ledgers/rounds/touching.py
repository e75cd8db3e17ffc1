"""A filing learns that its unit works on it. Called inside the action that writes the records."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from jiaoheng.bureau.core.models import Period, Unit
from jiaoheng.bureau.ledgers.bulk import chunks
from jiaoheng.bureau.ledgers.models import Filing, RegisterRow


def touch(register: RegisterRow, unit: Unit, period: Period | None, at: dt.datetime) -> None:
    """A unit has written a record: its filings of that register and period are touched, an empty one becomes a draft."""
    touch_many(register, [unit.pk], period, at)


def touch_many(register: RegisterRow, unit_ids: Iterable[int], period: Period | None, at: dt.datetime) -> None:
    """`touch` for the units of an import. The state's number stays: no decision rests on 未开始 becoming 填报中."""
    for part in chunks(dict.fromkeys(unit_ids)):
        filings = Filing.objects.filter(round__register=register, unit_id__in=part)
        filings = filings.filter(round__period=period) if period else filings.filter(round__period__isnull=True)
        filings.filter(state=Filing.State.EMPTY).update(state=Filing.State.DRAFT)
        filings.filter(state__in=[Filing.State.DRAFT, Filing.State.RETURNED]).update(touched_at=at)
