"""Keeping and dropping drafts: text as typed, one draft for each form of a person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.models import Account, Period, Unit
from jiaoheng.bureau.ledgers.changes import carried
from jiaoheng.bureau.ledgers.checking import places, read_entry
from jiaoheng.bureau.ledgers.drafts import DraftShown, access_draft, draft_of, shown_draft
from jiaoheng.bureau.ledgers.models import Draft, Record, RecordVersion, RegisterRow
from jiaoheng.bureau.ledgers.record_places import place_at, place_of_new, place_of_record
from jiaoheng.bureau.ledgers.rounds.touching import touch


@audit.action
def do_save_draft(
    register: RegisterRow,
    unit: Unit,
    period: Period | None,
    typed: Mapping[str, Any],
    *,
    record: Record | None = None,
    base: int | None = None,
    device_at: dt.datetime | None = None,
    note: str = "",
    acting_user: Account,
) -> DraftShown:
    """Keep what was typed, wrong or not, with remarks at what is wrong. `device_at`: the device's own time.

    Raises NotFoundError and ForbiddenError like a saving would; a closed round still lets a draft be kept.
    """
    if record is None:
        place = place_of_new(register, unit, period, acting_user)
    else:
        place_of_record(record.pk, acting_user)
        place = place_at(register, unit, period, record)
    Account.objects.select_for_update(no_key=True).filter(pk=acting_user.pk).values_list("pk", flat=True).first()
    draft = draft_of(acting_user, register, unit, period, record)
    if draft is None:
        draft = Draft(account=acting_user, register=register, unit=unit, period=period, record=record)
    draft.typed = {name: value for name, value in typed.items() if name in place.schema.by_name}
    draft.base_version, draft.note = base, note
    draft.saved_at, draft.device_at = clock.now(), device_at
    draft.save()
    touch(register, unit, period, clock.now())
    shown = shown_draft(draft, marks_of(draft))
    about = ("draft", draft.pk, f"{register.title} 草稿")
    audit.note("draft.save", actor=acting_user, about=about, unit_id=unit.pk, count=len(draft.typed))
    return shown


@audit.action
def do_drop_draft(draft_id: object, *, acting_user: Account) -> None:
    """Throw away a draft of one's own. Raises NotFoundError for another person's."""
    draft = access_draft(acting_user, draft_id)
    about = ("draft", draft.pk, f"{draft.register.title} 草稿")
    audit.note("draft.drop", actor=acting_user, about=about, unit_id=draft.unit_id)
    draft.delete()


def marks_of(draft: Draft) -> Mapping[str, str]:
    """Field → what is wrong with what was typed or is still missing: the list that a submission would give."""
    place = place_at(draft.register, draft.unit, draft.period, draft.record)
    base = None
    if draft.record is not None:
        version = RecordVersion.objects.filter(record=draft.record, number=draft.base_version).first()
        base = carried(place.schema, version.data) if version is not None else None
    entry = read_entry(place, draft.typed, base=base, previous=None, account=draft.account)
    return places(entry.blocking)
