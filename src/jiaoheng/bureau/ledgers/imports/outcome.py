"""What became of an import: done, undone, cancelled, in words."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from jiaoheng.bureau.ledgers.models import Filing, ImportBatch

_TONES = {"done": "done", "undone": "back", "cancelled": "none", "refused": "late"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of an import. `kept`: records that an undoing left, with who touched them since."""

    state: str
    words: str
    tone: str
    message: str
    at: dt.datetime | None
    may_undo: bool
    facts: tuple[tuple[str, str], ...]
    kept: tuple[str, ...]
    drafts: int
    filing_id: int | None  # that waits to be handed in
    round_id: int | None


def outcome_of(batch: ImportBatch) -> Outcome:
    """The words of an import that is over."""
    counts = batch.counts
    names = (
        ("new", "新增", "条"),
        ("changed", "改动", "条"),
        ("drafts", "存为草稿", "条"),
        ("same", "与台账相同", "条"),
        ("cleared", "清空", "格"),
        ("missing", "文件里没有，未动", "条"),
        ("masked", "脱敏值，未导入", "格"),
    )
    over = batch.state in (ImportBatch.State.DONE, ImportBatch.State.UNDONE)
    facts = tuple((word, f"{counts[name]:,} {unit}") for name, word, unit in names if over and counts.get(name))
    message = batch.message or ("文件还在核对，结果会出现在待办中" if batch.state == ImportBatch.State.READING else "")
    at = batch.undone_at or batch.confirmed_at or batch.created_at
    return Outcome(
        state=batch.state,
        words=ImportBatch.State(batch.state).label,
        tone=_TONES.get(batch.state, "none"),
        message=message if message.endswith("。") else f"{message}。",
        at=at,
        may_undo=batch.state == ImportBatch.State.DONE,
        facts=facts,
        kept=tuple(counts.get("kept", ())),
        drafts=len(counts.get("draft_ids", ())) if batch.state == ImportBatch.State.DONE else 0,
        filing_id=_filing(batch),
        round_id=batch.round_id,
    )


def _filing(batch: ImportBatch) -> int | None:
    """The unit's own filing of the round or period that the import was for, where it is not handed in yet."""
    rows = Filing.objects.filter(unit=batch.unit, round__register=batch.register)
    rows = rows.filter(round_id=batch.round_id) if batch.round_id else rows.filter(round__period=batch.period)
    waiting = (Filing.State.EMPTY, Filing.State.DRAFT, Filing.State.RETURNED)
    found = rows.filter(state__in=waiting, round__closed_at__isnull=True).order_by("-round_id")
    return found.values_list("pk", flat=True).first()
