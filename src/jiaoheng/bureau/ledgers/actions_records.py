"""Writing one record: new or changed, by form or API, checked, locked, audited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from jiaoheng.bureau.core import audit
from jiaoheng.bureau.core.models import Account, Period, Unit
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.ledgers import merging, resend
from jiaoheng.bureau.ledgers.changes import Change
from jiaoheng.bureau.ledgers.checking import Entry, Place, Typed, read_entry, refuse_wrong, sentence
from jiaoheng.bureau.ledgers.merging import MINE, Sides
from jiaoheng.bureau.ledgers.models import RegisterRow
from jiaoheng.bureau.ledgers.previous import previous_data
from jiaoheng.bureau.ledgers.record_places import check_place_open, place_of_new, place_of_record, record_at
from jiaoheng.bureau.ledgers.saving import Answered, Saved, answering, finish
from jiaoheng.registers.model import Data


@answering
@audit.action
def do_save_record(
    register: RegisterRow,
    unit: Unit,
    period: Period | None,
    values: Typed,
    *,
    record_id: object = None,
    base: int | None = None,
    reason: str = "",
    resend_key: str = "",
    source: str = "form",
    device_seq: int | None = None,
    acting_user: Account | None,
) -> Saved:
    """Store a new record, or a new version of one (`record_id`, with `base`: the version number that was open).

    `values`: field → text as typed or stored value; fields that are not in it stay. Raises NotFoundError and
    ForbiddenError by the access doors, RefusedError `values-wrong` with every problem at its place, `key-taken`,
    `version-missing` or a sentence of `locks`, ConflictError `version-moved` (three columns in `detail["rows"]`) or
    `resend-other-content`; what a conflict kept out is left as a draft.
    """
    place, newest = _open_place(register, unit, period, record_id, acting_user)
    content = resend.content_hash({"values": dict(values), "record": place.record and place.record.pk, "unit": unit.pk})
    if resend_key and acting_user is not None:
        known = resend.answered(acting_user, resend_key, content)
        if known is not None:
            raise Answered(Saved(known.record_id, known.version, known.version == 1, repeated=True))
    check_place_open(place, acting_user)
    if place.record is None:
        entry = _entry(place, values, None, acting_user)
        refuse_wrong(entry)
        saved = _store(place, Change(unit.pk, entry.data), {}, entry, source, reason, acting_user)
    else:
        if base is None:
            raise RefusedError("version-missing", "没有说明是在哪一版上改的，请重新打开这条记录再改")
        sides = merging.sides_of(place.record, place.schema, base, acting_user, device_seq)
        if sides is None or newest is None:
            raise RefusedError("version-missing", f"这条记录没有第 {base} 版，请重新打开这条记录再改")
        entry = _entry(place, values, sides.original, acting_user)
        if sides.others is not None:
            raise merging.conflict(place.record, place.schema, sides, entry.data, place.day)
        saved = _put_mine(place, sides, entry, values, device_seq, source, reason, acting_user)
    if resend_key and acting_user is not None:
        resend.remember(acting_user, resend_key, content, saved.record_id, saved.number)
    return saved


@answering
@audit.action
def do_merge_mine(
    register: RegisterRow,
    unit: Unit,
    period: Period | None,
    values: Typed,
    *,
    record_id: object,
    base: int,
    over: int,
    choices: Mapping[str, str] | None = None,
    reason: str = "",
    source: str = "form",
    device_seq: int | None = None,
    acting_user: Account | None,
) -> Saved:
    """只改我改的: put only the fields that I changed against version `base` onto version `over`, which I was shown.

    `choices`: field → "mine" or "theirs" for fields that both changed. Raises ConflictError `merge-choose` where one is
    missing, `version-moved` where the record has moved beyond `over` too, else as `do_save_record`.
    """
    place, newest = _open_place(register, unit, period, record_id, acting_user)
    check_place_open(place, acting_user)
    sides = merging.sides_of(record_at(place), place.schema, base, acting_user, device_seq)
    if sides is None or newest is None:
        raise RefusedError("version-missing", f"这条记录没有第 {base} 版，请重新打开这条记录再改")
    entry = _entry(place, values, sides.original, acting_user)
    if sides.number != over:
        raise merging.conflict(record_at(place), place.schema, sides, entry.data, place.day)
    mine, chosen = merging.mine_in(sides, entry.data), choices or {}
    open_ones = [name for name in mine if merging.must_choose(sides, mine, name) and name not in chosen]
    if open_ones:
        raise merging.conflict(record_at(place), place.schema, sides, entry.data, place.day, code="merge-choose")
    given_up = [name for name in mine if merging.must_choose(sides, mine, name) and chosen[name] != MINE]
    kept_values = {name: value for name, value in values.items() if name not in given_up}
    return _put_mine(place, sides, entry, kept_values, device_seq, source, reason, acting_user, given_up)


def _open_place(
    register: RegisterRow, unit: Unit, period: Period | None, record_id: object, account: Account | None
) -> tuple[Place, int | None]:
    """The place of a record and its newest number, by the access doors; a record is locked until the end."""
    if record_id in (None, ""):
        return place_of_new(register, unit, period, account), None
    place, version = place_of_record(record_id, account)
    if place.row.pk != register.pk:
        raise RefusedError("register-other", f"这条记录属于“{place.row.title}”，请从那份台账打开它")
    return place, version.number


def _entry(place: Place, values: Typed, base: Data | None, account: Account | None) -> Entry:
    """What the record would become; jumps are judged against the last period's record of the same key."""
    entry = read_entry(place, values, base=base, previous=None, account=account)
    before = previous_data(place.row, place.schema, place.period, place.unit.pk, entry.data)
    if before is None:
        return entry
    return read_entry(place, values, base=base, previous=before, account=account)


def _put_mine(
    place: Place,
    sides: Sides,
    entry: Entry,
    values: Typed,
    device_seq: int | None,
    source: str,
    reason: str,
    account: Account | None,
    given_up: list[str] | None = None,
) -> Saved:
    """Write what I changed onto the newest content, checked as a whole; nothing to change is no new version."""
    mine = {name: value for name, value in merging.mine_in(sides, entry.data).items() if name not in (given_up or [])}
    record = record_at(place)
    if not mine:
        refuse_wrong(entry)
        raise Answered(Saved(record.pk, sides.number, False, unchanged=True))
    known = {name: value for name, value in values.items() if name not in place.schema.by_name or name in mine}
    for name, value in mine.items():
        known.setdefault(name, value)
    whole = _entry(place, known, dict(sides.newest), account)
    told = {one.field for one in whole.blocking}
    left = tuple(one for one in entry.blocking if one.field not in told and one.field not in (given_up or []))
    refuse_wrong(replace(whole, wrongs=(*whole.wrongs, *left)))
    change = Change(place.unit.pk, whole.data, record.pk, sides.number, device_seq=device_seq)
    return _store(place, change, sides.newest, whole, source, reason, account)


def _store(
    place: Place, change: Change, old: Data, entry: Entry, source: str, reason: str, account: Account | None
) -> Saved:
    written = finish(place, change, old, entry.data, source=source, reason=reason, account=account)
    warnings = tuple((one.field, sentence(one)) for one in entry.warnings)
    return Saved(written.record_id, written.number, written.is_new, warnings)
