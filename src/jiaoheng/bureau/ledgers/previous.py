"""What a unit said in the period before: the value beside a field, jumps, taking over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from jiaoheng.bureau.core.models import Period
from jiaoheng.bureau.ledgers.changes import carried, key_of
from jiaoheng.bureau.ledgers.models import RecordVersion, RegisterRow
from jiaoheng.bureau.ledgers.models.records import CURRENT
from jiaoheng.registers.model import Data, Register


def period_before(period: Period | None) -> Period | None:
    """The newest earlier period of the same kind."""
    if period is None:
        return None
    earlier = Period.objects.filter(kind=period.kind, starts_on__lt=period.starts_on)
    found: Period | None = earlier.order_by("-starts_on").first()
    return found


def previous_contents(
    row: RegisterRow, schema: Register, period: Period | None, unit_ids: Iterable[int]
) -> Mapping[tuple[int, str], Data]:
    """(unit id, key) → last period's content under this schema's names; empty for a standing register."""
    before = period_before(period)
    if before is None:
        return {}
    rows = RecordVersion.objects.filter(CURRENT, register=row, period=before, unit_id__in=list(unit_ids))
    found = {}
    for unit_id, data in rows.values_list("unit_id", "data"):
        content = carried(schema, data)
        found[unit_id, key_of(schema, content)] = content
    return found


def previous_data(row: RegisterRow, schema: Register, period: Period | None, unit_id: int, data: Data) -> Data | None:
    """Last period's content of the record that `data` is, None where there was none."""
    return previous_contents(row, schema, period, [unit_id]).get((unit_id, key_of(schema, data)))
