"""A record's page as plain data: title, state, what may be done, facts with the state of each cell, history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.refusals import ForbiddenError, RefusedError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import name_of
from jiaoheng.bureau.ledgers.access import access_record
from jiaoheng.bureau.ledgers.changes import carried
from jiaoheng.bureau.ledgers.checking import Place
from jiaoheng.bureau.ledgers.history import Moment, history_of
from jiaoheng.bureau.ledgers.locks import check_open
from jiaoheng.bureau.ledgers.masking_rules import ABSENT, identity_words, shown
from jiaoheng.bureau.ledgers.models import CellComment, Filing, RecordVersion
from jiaoheng.bureau.ledgers.previous import previous_data
from jiaoheng.bureau.ledgers.record_places import place_at
from jiaoheng.registers.model import Data, Field, FieldType, Value

APPROVED, PENDING, RETURNED = "已审", "未审", "退回"


_OPEN = (Filing.State.EMPTY, Filing.State.DRAFT, Filing.State.RETURNED)


@dataclass(frozen=True, slots=True)
class Fact:
    """One value. `state`: 已审, 未审, 退回, or "" where no round asks. `approved`: the approved text where it differs."""

    field: str
    title: str
    text: str
    unit: str
    missing: bool
    numeric: bool
    protected: bool
    can_unmask: bool
    files: tuple[str, ...]
    state: str
    approved: str
    remarks: tuple[str, ...]
    previous: str


@dataclass(frozen=True, slots=True)
class Group:
    """Facts under one heading."""

    title: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class RecordPage:
    """Everything a record's page shows. `why_not`: the sentence beside a missing edit button, "" where there is one."""

    record_id: int
    number: int
    register: str
    register_title: str
    title: str
    unit_id: int
    unit_name: str
    period_id: int | None
    period_name: str
    state: str
    deleted: bool
    can_edit: bool
    can_delete: bool
    can_restore: bool
    why_not: str
    changed_by: str
    changed_at: dt.datetime
    groups: tuple[Group, ...]
    history: tuple[Moment, ...]
    to_submit: int | None  # the filing in which this reader still has to hand the record in
    to_submit_words: str
    may_audit: bool  # whether this reader may ask who changed it


def record_page(account: Account, record_id: object) -> RecordPage:
    """The page of one record, a deleted one too. Raises NotFoundError where it may not be read."""
    record, version = access_record(account, record_id)
    place = place_at(record.register, record.unit, record.period, record)
    data = carried(place.schema, version.data)
    filing = place.filing
    why_not = _why_not(account, version)
    open_still = filing is not None and filing.state in _OPEN and not why_not and not version.deleted
    facts = _facts(account, place, version, data)
    groups: dict[str, list[Fact]] = {}
    for one, fact in zip(place.schema.fields, facts, strict=True):
        groups.setdefault(one.group, []).append(fact)
    return RecordPage(
        record_id=record.pk,
        number=version.number,
        register=record.register.name,
        register_title=place.schema.title,
        title=identity_words(place.schema, data, place.day) or place.schema.title,
        unit_id=record.unit_id,
        unit_name=name_of(record.unit, place.day),
        period_id=record.period_id,
        period_name=record.period.name if record.period is not None else "",
        state="已删除" if version.deleted else Filing.State(filing.state).label if filing is not None else "",
        deleted=version.deleted,
        can_edit=not why_not and not version.deleted,
        can_delete=not why_not and not version.deleted,
        can_restore=not why_not and version.deleted,
        why_not=why_not,
        changed_by=version.author_name,
        changed_at=version.valid_from,
        groups=tuple(Group(title, tuple(members)) for title, members in groups.items()),
        history=tuple(history_of(account, record_id)),
        to_submit=filing.pk if filing is not None and open_still else None,
        to_submit_words=f"写入台账不等于提交：“{filing.round.title}”还没有提交。"
        if filing is not None and open_still
        else "",
        may_audit=scope_of(account, Can.AUDIT).covers(version, record.register.name),
    )


def _why_not(account: Account, version: RecordVersion) -> str:
    record = version.record
    try:
        check_open(record.register, record.unit, record.period, account, clock.now())
    except (RefusedError, ForbiddenError) as refused:
        return str(refused)
    return ""


def _facts(account: Account, place: Place, version: RecordVersion, data: Data) -> list[Fact]:
    record, filing = version.record, place.filing
    approved = approved_content(place, version)
    remarks = _remarks(version, filing)
    unmask = scope_of(account, Can.UNMASK).covers(version, record.register.name)
    before = previous_data(record.register, place.schema, record.period, record.unit_id, data) or {}
    found = []
    for one in place.schema.fields:
        value = data.get(one.name)
        said = remarks.get(one.name, ())
        approved_value = approved.get(one.name) if approved is not None else None
        differs = approved is not None and approved_value != value
        old = (shown(place.schema, one, approved_value, place.day) or ABSENT) if differs else ""
        found.append(
            Fact(
                field=one.name,
                title=one.title,
                text=shown(place.schema, one, value, place.day) or ABSENT,
                unit=one.unit if value is not None else "",
                missing=value is None,
                numeric=one.type in (FieldType.INTEGER, FieldType.NUMBER),
                protected=bool(one.sensitive),
                can_unmask=bool(one.sensitive) and value is not None and unmask,
                files=_files(one, value),
                state=RETURNED if said else _state(filing, differs, approved is not None),
                approved=old,
                remarks=tuple(said),
                previous=shown(place.schema, one, before.get(one.name), place.day),
            )
        )
    return found


def _files(one: Field, value: Value | None) -> tuple[str, ...]:
    if one.type is FieldType.FILE and not one.sensitive and isinstance(value, list):
        return tuple(value)
    return ()


def _state(filing: Filing | None, differs: bool, was_approved: bool) -> str:
    """A cell is approved where it is as it was approved: an approval belongs to a content."""
    if filing is None:
        return ""
    return APPROVED if was_approved and not differs else PENDING


def approved_content(place: Place, version: RecordVersion) -> Data | None:
    """What the record said in the content that was approved last; None where it was in none."""
    filing = place.filing
    if filing is None or filing.approved_as_of is None:
        return None
    moment = filing.approved_as_of
    rows = RecordVersion.objects.filter(record=version.record, valid_from__lte=moment, deleted=False)
    found = rows.order_by("-number").first()
    if found is None or (found.valid_to is not None and found.valid_to <= moment):
        return None
    return carried(place.schema, found.data)


def _remarks(version: RecordVersion, filing: Filing | None) -> Mapping[str, Sequence[str]]:
    if filing is None:
        return {}
    found: dict[str, list[str]] = {}
    rows = CellComment.objects.filter(filing=filing, record=version.record, settled_at__isnull=True)
    for one in rows.order_by("at", "pk"):
        found.setdefault(one.field, []).append(f"{one.by_name} {clock.words(one.at)}：{one.text}")
    return found
