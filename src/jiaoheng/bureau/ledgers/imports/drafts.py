"""Rows that lack required columns (an older template) wait as drafts of their uploader."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.ledgers.imports.preview import PlannedRow
from jiaoheng.bureau.ledgers.imports.scope import Ground
from jiaoheng.bureau.ledgers.models import Draft, ImportBatch
from jiaoheng.registers.model import Data, Register
from jiaoheng.registers.values import written


def keep_drafts(batch: ImportBatch, rows: Sequence[PlannedRow], ground: Ground) -> list[int]:
    """Ids of the drafts; one that the owner has for the same record or key already is replaced."""
    if not rows:
        return []
    mine = Draft.objects.filter(account=batch.owner, register=batch.register, period=batch.period)
    old: dict[Any, Draft] = {_which(ground.schema, one.unit_id, one.record_id, one.typed): one for one in mine}
    made = []
    for row in rows:
        typed = _typed(ground, row.data)
        which = _which(ground.schema, row.unit, row.record, typed)
        draft = old.get(which) or Draft(
            account=batch.owner, register=batch.register, unit_id=row.unit, period=batch.period, record_id=row.record
        )
        draft.typed, draft.base_version, draft.saved_at = typed, row.version, clock.now()
        lacking = "、".join(ground.schema.by_name[name].title for name in row.draft)
        draft.note = f"来自导入“{batch.attachment.name}”，还缺{lacking}"[:200]
        draft.save()
        old[which] = draft
        made.append(draft.pk)
    return made


def _typed(ground: Ground, data: Data) -> dict[str, Any]:
    fields = ground.schema.by_name
    return {
        name: value if isinstance(value, list) else written(value, fields[name], ground.schema, ground.day)
        for name, value in data.items()
        if name in fields
    }


def _which(schema: Register, unit_id: int, record_id: int | None, typed: dict[str, Any]) -> Any:
    if record_id is not None:
        return record_id
    return (unit_id, *(str(typed.get(name, "")) for name in schema.key))
