"""Deleting a record, taking it back, going back to a version field by field, changing many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jiaoheng.bureau.core import audit
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.refusals import ConflictError, RefusedError
from jiaoheng.bureau.ledgers.access import access_record
from jiaoheng.bureau.ledgers.changes import Change, carried, key_of
from jiaoheng.bureau.ledgers.checking import Entry, Place, Typed, read_entry, refuse_wrong, sentence
from jiaoheng.bureau.ledgers.listing_columns import Column, layout_of
from jiaoheng.bureau.ledgers.masking_rules import identity_words
from jiaoheng.bureau.ledgers.models import RecordVersion, RegisterRow
from jiaoheng.bureau.ledgers.record_places import check_place_open, place_of_record
from jiaoheng.bureau.ledgers.registry import schema_numbered
from jiaoheng.bureau.ledgers.saving import Saved, finish
from jiaoheng.bureau.ledgers.writing import holder_of_key, moved
from jiaoheng.registers.model import Data, Register

MOST_AT_ONCE = 2_000  # records of one bulk edit; more go by Excel, with its preview


@audit.action
def do_delete_record(record_id: object, *, base: int | None, reason: str, acting_user: Account | None) -> Saved:
    """Delete a record: its history stays, its key is free. `base`: the version that was open (None: any).

    RefusedError `reason-missing`, those of `locks`; ConflictError `version-moved`.
    """
    place, version = place_of_record(record_id, acting_user)
    check_place_open(place, acting_user)
    if not reason.strip():
        raise RefusedError("reason-missing", "请写明删除的原因", places={"reason": "请填写"})
    _check_base(version, base)
    data = carried(place.schema, version.data)
    change = Change(place.unit.pk, None, version.record_id, version.number)
    written = finish(
        place, change, data, {}, source="form", reason=reason.strip(), account=acting_user, action="record.delete"
    )
    return Saved(written.record_id, written.number, False)


@audit.action
def do_restore_deleted(record_id: object, *, reason: str = "", acting_user: Account | None) -> Saved:
    """Take a deleted record back as it was. RefusedError `key-taken` names the record that has its key now (P22)."""
    place, version = place_of_record(record_id, acting_user, deleted=True)
    check_place_open(place, acting_user)
    data = carried(place.schema, version.data)
    other = holder_of_key(place.row, place.unit.pk, place.period, key_of(place.schema, data))
    if other is not None:
        newer = RecordVersion.objects.get(record=other, number=other.number)
        name = identity_words(place.schema, carried(place.schema, newer.data), place.day)
        raise RefusedError(
            "key-taken",
            f"不能恢复：“{name or place.row.title}”（编号 {other.pk}）已用了同样的关键项，请改那一条，或先删除它",
        )
    change = Change(place.unit.pk, data, version.record_id, version.number, restored_from=version.number - 1)
    written = finish(
        place, change, {}, data, source="restore", reason=reason, account=acting_user, action="record.undelete"
    )
    return Saved(written.record_id, written.number, False)


@audit.action
def do_restore_fields(
    record_id: object,
    number: int,
    names: Sequence[str],
    *,
    base: int | None,
    reason: str = "",
    acting_user: Account | None,
) -> Saved:
    """Put chosen fields back to what version `number` said; the others stay (P22). Marked 还原自 第 n 版.

    RefusedError `version-missing`, `field-unknown`, `values-wrong`; ConflictError `version-moved` where the record is no
    longer at `base`.
    """
    place, version = place_of_record(record_id, acting_user)
    check_place_open(place, acting_user)
    _check_base(version, base)
    old = RecordVersion.objects.filter(record_id=version.record_id, number=number).first()
    if old is None:
        raise RefusedError("version-missing", f"这条记录没有第 {number} 版，请重新打开历史")
    unknown = [name for name in names if name not in place.schema.by_name]
    if unknown or not names:
        raise RefusedError("field-unknown", f"现在的表样没有“{'、'.join(unknown) or '所选'}”这一项，请重新选择")
    before, then = carried(place.schema, version.data), carried(place.schema, old.data)
    data = {name: value for name, value in before.items() if name not in names}
    data |= {name: then[name] for name in names if name in then}
    if data == before:
        raise RefusedError("same-values", f"第 {number} 版的这几项与现在相同，不用还原")
    held = {
        **data,
        **{name: then[name] for name in names if name in then},
    }  # an ended choice of that version may return
    changed = {name: then[name] for name in names if name in then and before.get(name) != then[name]}
    entry = read_entry(place, changed, base=held, previous=None, account=acting_user)
    refuse_wrong(entry)
    change = Change(place.unit.pk, entry.data, version.record_id, version.number, restored_from=number)
    written = finish(
        place, change, before, entry.data, source="restore", reason=reason, account=acting_user, action="record.restore"
    )
    return Saved(written.record_id, written.number, False)


def common_columns(account: Account, record_ids: Sequence[int]) -> list[Column]:
    """The columns that all chosen records have and that may be changed at once: what a bulk edit offers (P18)."""
    found: dict[str, Column] | None = None
    for schema, row in _schemas_of(account, record_ids):
        unique = {*schema.key, *(one.name for one in schema.fields if one.unique or one.sensitive)}
        layout = layout_of(row, schema.effective_from)
        own = {name: layout.columns[name] for name in schema.by_name if name not in unique}
        found = own if found is None else {name: one for name, one in found.items() if name in own}
    return list((found or {}).values())


def _schemas_of(account: Account, record_ids: Sequence[int]) -> list[tuple[Register, RegisterRow]]:
    seen: dict[tuple[int, int], tuple[Register, RegisterRow]] = {}
    for record_id in record_ids:
        record, version = access_record(account, record_id, Can.FILL)
        key = (record.register_id, version.schema_version)
        if key not in seen:
            seen[key] = (schema_numbered(record.register, version.schema_version), record.register)
    return list(seen.values())


@audit.action
def do_change_many(bases: Mapping[int, int], values: Typed, *, reason: str = "", acting_user: Account) -> list[Saved]:
    """Give the same values to many records, all or none. `bases`: record id → version that was shown.

    RefusedError `too-many`, `column-not-common`, `values-wrong` (places: "record id|field" → sentence), those of
    `locks`; ConflictError `version-moved` names the first record that was changed since.
    """
    if len(bases) > MOST_AT_ONCE:
        told = f"一次最多改 {MOST_AT_ONCE:,} 条，所选 {len(bases):,} 条；更多的请用 Excel 导入"
        raise RefusedError("too-many", told)
    offered = {one.name for one in common_columns(acting_user, list(bases))}
    strange = [name for name in values if name not in offered]
    if strange or not values:
        raise RefusedError("column-not-common", "只能改所选记录都有的列，请重新选择", places=dict.fromkeys(strange, ""))
    plans = []
    wrong: dict[str, str] = {}
    for record_id, base in bases.items():
        place, version = place_of_record(record_id, acting_user)
        check_place_open(place, acting_user)
        _check_base(version, base)
        before = carried(place.schema, version.data)
        entry = read_entry(place, values, base=before, previous=None, account=acting_user)
        for one in entry.blocking:
            wrong[f"{record_id}|{one.field}"] = f"编号 {record_id}：{sentence(one)}"
        plans.append((place, version, before, entry))
    if wrong:
        raise RefusedError("values-wrong", f"有 {len(wrong)} 处要改正，一条也没有改", places=wrong)
    saved = [_put(*plan, reason, acting_user) for plan in plans]
    audit.note("record.change_many", actor=acting_user, count=sum(not one.unchanged for one in saved), reason=reason)
    return saved


def _put(place: Place, version: RecordVersion, before: Data, entry: Entry, reason: str, account: Account) -> Saved:
    if entry.data == before:
        return Saved(version.record_id, version.number, False, unchanged=True)
    change = Change(place.unit.pk, entry.data, version.record_id, version.number)
    written = finish(place, change, before, entry.data, source="form", reason=reason, account=account)
    return Saved(written.record_id, written.number, False)


def _check_base(version: RecordVersion, base: int | None) -> None:
    if base is not None and version.number != base:
        raise ConflictError("version-moved", moved(version), newest=version.number, record_id=version.record_id)
