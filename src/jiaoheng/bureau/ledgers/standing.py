"""Standing registers (rosters that are kept up to date) on the day a unit moves or is merged.

A record of a period belongs to the tree of its period. A standing record goes on: from the day of the change it needs
a new version under the new ancestors, so that yesterday's snapshot keeps the old ones. Lists go to the receiver of a
merged unit; a register of one record each, and a record whose key the receiver already has, end with the unit.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.hanging import Ending
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.tree import Line, lines_at
from jiaoheng.bureau.ledgers.bulk import chunks
from jiaoheng.bureau.ledgers.changes import Change
from jiaoheng.bureau.ledgers.models import Record, RecordVersion
from jiaoheng.bureau.ledgers.models.records import CURRENT
from jiaoheng.bureau.ledgers.registry import schema_numbered
from jiaoheng.bureau.ledgers.relining import COLUMNS
from jiaoheng.bureau.ledgers.writing import Batch, write


def carry_over(unit_ids: Sequence[int], day: dt.date, ending: Ending | None, actor: Account | None) -> int:
    """Give standing records of units whose place has changed a version under today's ancestors. Safe to repeat."""
    if day > clock.today():
        return 0
    target = ending.receiver.pk if ending is not None and ending.receiver is not None else None
    gone = ending.unit.pk if ending is not None else None
    chosen: dict[tuple[int, int], list[tuple[RecordVersion, int]]] = defaultdict(list)
    taken = _keys_of(target)
    lines = lines_at({*unit_ids, *([target] if target else [])}, clock.today())
    for part in chunks(unit_ids):
        rows = RecordVersion.objects.filter(CURRENT, unit_id__in=part, period__isnull=True)
        for row in rows.select_related("record", "register").order_by("pk"):
            unit_id = target if row.unit_id == gone and target else row.unit_id
            line = lines.get(unit_id)
            if line is None or (unit_id == row.unit_id and _stands(row, line)):
                continue
            if unit_id != row.unit_id:
                if not row.record.key or (row.register_id, row.record.key) in taken:
                    continue
                taken.add((row.register_id, row.record.key))
            chosen[row.register_id, row.schema_version].append((row, unit_id))
    reason = ending.words if ending is not None else f"单位自 {day} 起划转"
    count = 0
    for found in chosen.values():
        first = found[0][0]
        schema = schema_numbered(first.register, first.schema_version)
        moved: dict[int, list[int]] = defaultdict(list)
        for row, unit_id in found:
            if unit_id != row.unit_id:
                moved[unit_id].append(row.record_id)
        for unit_id, record_ids in moved.items():
            for part in chunks(record_ids):
                Record.objects.filter(pk__in=part).update(unit_id=unit_id)
        changes = [Change(unit_id, row.data, row.record_id, row.number) for row, unit_id in found]
        write(Batch(first.register, schema, None, actor, "merge", reason[:500]), changes)
        count += len(changes)
    return count


def _stands(row: RecordVersion, line: Line) -> bool:
    return all(getattr(row, column) == getattr(line, column) for column in COLUMNS)


def _keys_of(unit_id: int | None) -> set[tuple[int, str]]:
    """(register, key) of the standing records that a unit has: a record with one of them cannot come to it."""
    if unit_id is None:
        return set()
    rows = Record.objects.filter(unit_id=unit_id, period__isnull=True, deleted_at__isnull=True)
    return set(rows.values_list("register_id", "key"))
