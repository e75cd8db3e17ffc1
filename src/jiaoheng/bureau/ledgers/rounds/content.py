"""The records of a filing: now, as of a moment, and of the period before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Count, Q, QuerySet

from jiaoheng.bureau.core.models import Period
from jiaoheng.bureau.ledgers.bulk import chunks
from jiaoheng.bureau.ledgers.changes import carried
from jiaoheng.bureau.ledgers.models import Filing, RecordVersion, Round
from jiaoheng.registers.model import Data, Register


def rows_of(round_: Round, at: dt.datetime | None = None) -> QuerySet[RecordVersion]:
    """Record versions of a round's register and period: the newest, or those of a moment."""
    rows = RecordVersion.objects.filter(register_id=round_.register_id, period_id=round_.period_id, deleted=False)
    if at is None:
        return rows.filter(valid_to__isnull=True)
    return rows.filter(held_at(at))


def held_at(at: dt.datetime) -> Q:
    """The half-open condition: a version said so at a moment."""
    return Q(valid_from__lte=at) & (Q(valid_to__isnull=True) | Q(valid_to__gt=at))


def records_of(filing: Filing, at: dt.datetime | None = None) -> list[RecordVersion]:
    """The records of one filing in the order they were made."""
    return list(rows_of(filing.round, at).filter(unit_id=filing.unit_id).order_by("record_id"))


def counts_of(round_: Round, unit_ids: Iterable[int]) -> dict[int, int]:
    """Unit id → number of its current records in a round; one grouped query for 900 units."""
    found: dict[int, int] = {}
    for part in chunks(dict.fromkeys(unit_ids)):
        rows = rows_of(round_).filter(unit_id__in=part).order_by()
        found.update(dict(rows.values_list("unit_id").annotate(count=Count("pk"))))
    return found


def period_before(period: Period | None) -> Period | None:
    """The period of the same kind just before one."""
    if period is None:
        return None
    rows = Period.objects.filter(kind=period.kind, ends_on__lte=period.starts_on)
    found: Period | None = rows.order_by("-ends_on").first()
    return found


def counts_before(round_: Round, unit_ids: Iterable[int]) -> dict[int, int]:
    """Unit id → number of its records of the period before: what a list register is expected to hold again."""
    before = period_before(round_.period)
    if before is None:
        return {}
    found: dict[int, int] = {}
    for part in chunks(dict.fromkeys(unit_ids)):
        rows = RecordVersion.objects.filter(
            register_id=round_.register_id, period=before, deleted=False, valid_to__isnull=True, unit_id__in=part
        ).order_by()
        found.update(dict(rows.values_list("unit_id").annotate(count=Count("pk"))))
    return found


def previous_data(filing: Filing, schema: Register, rows: Sequence[RecordVersion]) -> list[Data | None]:
    """For each record the record with the same key of the period before, as its data; None where there is none."""
    before = period_before(filing.round.period)
    if before is None or not rows:
        return [None] * len(rows)
    old = RecordVersion.objects.filter(
        register_id=filing.round.register_id,
        period=before,
        unit_id=filing.unit_id,
        deleted=False,
        valid_to__isnull=True,
    )
    earlier = [carried(schema, one.data) for one in old]
    by_key = {_key(schema, one): one for one in earlier}
    return [by_key.get(_key(schema, carried(schema, row.data))) for row in rows]


def _key(schema: Register, data: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(str(data.get(name)) for name in schema.key)
