"""Seeing one protected value, with a purpose; and exports that hold them. Both leave an entry (P06)."""

from __future__ import annotations

from jiaoheng.bureau.core import audit
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.refusals import ForbiddenError, NotFoundError, RefusedError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.ledgers import sealing
from jiaoheng.bureau.ledgers.access import access_record
from jiaoheng.bureau.ledgers.changes import carried
from jiaoheng.bureau.ledgers.masking_rules import identity_words, shown
from jiaoheng.bureau.ledgers.models import RegisterRow
from jiaoheng.bureau.ledgers.record_places import place_at
from jiaoheng.registers.values import show

SHORTEST = 2  # characters of a purpose


@audit.action
def do_unmask(record_id: object, field: str, purpose: str, *, acting_user: Account) -> str:
    """The full value of one protected field of one record, as shown. The entry says who, whose, which, what for.

    NotFoundError where the record may not be read, ForbiddenError without the right, RefusedError `purpose-missing`,
    `field-unprotected`.
    """
    record, version = access_record(acting_user, record_id)
    name = record.register.name
    if not scope_of(acting_user, Can.UNMASK).covers(version, name):
        raise ForbiddenError("您没有查看完整号码的权限，请由校长或主管股室查看")
    purpose = check_purpose(purpose)
    place = place_at(record.register, record.unit, record.period, record)
    one = place.schema.by_name.get(field)
    data = carried(place.schema, version.data)
    value = data.get(field)
    if one is None or value is None:
        raise NotFoundError
    if not one.sensitive:
        raise RefusedError("field-unprotected", f"“{one.title}”不是受保护的项，直接看就行")
    audit.note(
        "record.unmask",
        actor=acting_user,
        about=("record", record.pk, f"{record.register.title} {identity_words(place.schema, data, place.day)}"),
        unit_id=record.unit_id,
        changes=[
            {"field": one.name, "title": one.title, "old": shown(place.schema, one, value, place.day), "new": None}
        ],
        reason=purpose,
    )
    return show(sealing.content_of(version, place.schema)[field], one, place.schema, place.day)


@audit.action
def do_note_full_export(register: RegisterRow, count: int, purpose: str, *, acting_user: Account) -> None:
    """Leave the entry of an export with full numbers, with the number of records, before its file is made.

    ForbiddenError without the right; RefusedError `purpose-missing`.
    """
    if not scope_of(acting_user, Can.EXPORT_FULL):
        raise ForbiddenError("您没有导出完整号码的权限，导出的号码是遮盖的")
    about = ("register", register.name, f"{register.title} 含完整号码 {count:,} 人")
    audit.note("export.full", actor=acting_user, about=about, count=count, reason=check_purpose(purpose))


def check_purpose(purpose: str) -> str:
    """The purpose without blanks at its ends. RefusedError where there is none."""
    found = purpose.strip()
    if len(found) < SHORTEST:
        raise RefusedError("purpose-missing", "请写明查看的用途，例如“核对学籍”", places={"purpose": "请填写"})
    return found[:200]
