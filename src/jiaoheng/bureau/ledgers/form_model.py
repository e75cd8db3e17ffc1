"""A form as plain data: what a page needs to show the fields of one record, ready worded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import Account, Period, Unit
from jiaoheng.bureau.core.refusals import ForbiddenError, RefusedError
from jiaoheng.bureau.core.tree import name_of
from jiaoheng.bureau.ledgers.access import access_record
from jiaoheng.bureau.ledgers.actions_drafts import marks_of
from jiaoheng.bureau.ledgers.changes import carried
from jiaoheng.bureau.ledgers.checking import Place, read_entry, sentence
from jiaoheng.bureau.ledgers.drafts import DraftShown, draft_of, shown_draft
from jiaoheng.bureau.ledgers.field_forms import FieldForm, Remark, field_form
from jiaoheng.bureau.ledgers.locks import check_open
from jiaoheng.bureau.ledgers.masking_rules import identity_words
from jiaoheng.bureau.ledgers.models import CellComment, Filing, RecordVersion, RegisterRow
from jiaoheng.bureau.ledgers.previous import period_before, previous_data
from jiaoheng.bureau.ledgers.record_places import place_at, place_of_new
from jiaoheng.bureau.ledgers.rounds.deadlines import limit_of
from jiaoheng.registers.model import Data


@dataclass(frozen=True, slots=True)
class Section:
    """Fields under one heading; the heading is empty where the register has no groups."""

    title: str
    fields: tuple[FieldForm, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One line of the summary on top of a form, with the field that it links to."""

    field: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Form:
    """One record's form. `base`: version that is open (None for a new record), to be sent back with the values.

    `locked`: the sentence that says why it cannot be changed now, "" where it can. `draft`: what the person had typed
    before; with `typed_from_draft` the fields show it.
    """

    register: str
    title: str
    description: str
    unit_id: int
    unit_name: str
    period_id: int | None
    period_name: str
    record_id: int | None
    record_name: str
    base: int | None
    day: dt.date
    schema_version: int
    sections: tuple[Section, ...]
    problems: tuple[Problem, ...]
    locked: str
    draft: DraftShown | None
    typed_from_draft: bool
    returned: tuple[Remark, ...]
    due_words: str
    previous_name: str

    @property
    def fields(self) -> tuple[FieldForm, ...]:
        """Every field, section by section."""
        return tuple(one for section in self.sections for one in section.fields)


def new_form(
    account: Account,
    register: RegisterRow,
    unit: Unit,
    period: Period | None,
    *,
    typed: Mapping[str, Any] | None = None,
    places: Mapping[str, str] | None = None,
    with_draft: bool = True,
) -> Form:
    """The form of a new record, or of the one record that a unit has for the period where the register has no key.

    `typed` and `places`: what was sent and what RefusedError.places said of it. Raises NotFoundError, ForbiddenError.
    """
    place = place_of_new(register, unit, period, account)
    if not place.schema.key:
        standing = _only_record(place)
        if standing is not None:
            return edit_form(account, standing.record_id, typed=typed, places=places, with_draft=with_draft)
    return _form(account, place, None, typed, places, with_draft)


def edit_form(
    account: Account,
    record_id: object,
    *,
    typed: Mapping[str, Any] | None = None,
    places: Mapping[str, str] | None = None,
    base: int | None = None,
    with_draft: bool = True,
) -> Form:
    """The form of a record (readers get it locked). `base`: the version it was opened with, where it is shown again."""
    record, version = access_record(account, record_id)
    place = place_at(record.register, record.unit, record.period, record)
    if base is not None and base != version.number:
        version = RecordVersion.objects.filter(record=record, number=base).first() or version
    return _form(account, place, version, typed, places, with_draft)


def _only_record(place: Place) -> RecordVersion | None:
    rows = RecordVersion.objects.filter(register=place.row, unit=place.unit, period=place.period)
    found: RecordVersion | None = rows.filter(valid_to__isnull=True, deleted=False).first()
    return found


def _form(
    account: Account,
    place: Place,
    version: RecordVersion | None,
    typed: Mapping[str, Any] | None,
    places: Mapping[str, str] | None,
    with_draft: bool,
) -> Form:
    data: Data = carried(place.schema, version.data) if version is not None else {}
    draft = draft_of(account, place.row, place.unit, place.period, place.record)
    errors = dict(places or {})
    from_draft = False
    if typed is None and draft is not None and with_draft:
        typed, from_draft = draft.typed, True
        errors = dict(marks_of(draft))
    before = previous_data(place.row, place.schema, place.period, place.unit.pk, data)
    warnings = _warnings(place, typed or {}, data, before, account)
    remarks = _remarks(place.filing, place)
    fields = [
        field_form(
            place.schema,
            one,
            place.day,
            data,
            typed=typed,
            previous=before,
            error=errors.get(one.name, ""),
            warning=warnings.get(one.name, ""),
            remarks=[remark for remark in remarks if remark.field == one.name],
        )
        for one in place.schema.fields
    ]
    earlier = period_before(place.period)
    return Form(
        register=place.row.name,
        title=place.schema.title,
        description=place.schema.description,
        unit_id=place.unit.pk,
        unit_name=name_of(place.unit, place.day),
        period_id=place.period.pk if place.period is not None else None,
        period_name=place.period.name if place.period is not None else "",
        record_id=place.record.pk if place.record is not None else None,
        record_name=identity_words(place.schema, data, place.day),
        base=version.number if version is not None else None,
        day=place.day,
        schema_version=place.schema.version,
        sections=_sections(place, fields),
        problems=_problems(place, errors),
        locked=_locked(account, place, version),
        draft=shown_draft(draft, errors if from_draft else {}) if draft is not None else None,
        typed_from_draft=from_draft,
        returned=tuple(one for one in remarks if not one.field),
        due_words=_due_words(place.filing),
        previous_name=earlier.name if before is not None and earlier is not None else "",
    )


def _sections(place: Place, fields: Sequence[FieldForm]) -> tuple[Section, ...]:
    groups: dict[str, list[FieldForm]] = {}
    for one, shown in zip(place.schema.fields, fields, strict=True):
        groups.setdefault(one.group, []).append(shown)
    return tuple(Section(title, tuple(members)) for title, members in groups.items())


def _problems(place: Place, errors: Mapping[str, str]) -> tuple[Problem, ...]:
    titles = {name: one.title for name, one in place.schema.by_name.items()}
    return tuple(Problem(name, titles.get(name, ""), text) for name, text in errors.items())


def _warnings(
    place: Place, typed: Mapping[str, Any], data: Data, before: Data | None, account: Account
) -> Mapping[str, str]:
    """Remarks that do not block, of what the form would become: jumps against the last period, doubtful values."""
    if not typed and not data:
        return {}
    entry = read_entry(place, typed, base=data, previous=before, account=account)
    return {one.field: sentence(one) for one in entry.warnings}


def _locked(account: Account, place: Place, version: RecordVersion | None) -> str:
    if version is not None and version.deleted:
        return f"这条记录已由 {version.author_name} 于 {clock.words(version.valid_from)} 删除，可以在历史里恢复"
    try:
        check_open(place.row, place.unit, place.period, account, clock.now())
    except (RefusedError, ForbiddenError) as refused:
        return str(refused)
    return ""


def _remarks(filing: Filing | None, place: Place) -> list[Remark]:
    """What approvers wrote at the cells of this record (or at the whole filing) and nobody has settled."""
    if filing is None:
        return []
    rows = CellComment.objects.filter(filing=filing, settled_at__isnull=True).order_by("at", "pk")
    return [
        Remark(one.field, one.text, one.by_name, one.at)
        for one in rows
        if one.record_id is None or (place.record is not None and one.record_id == place.record.pk)
    ]


def _due_words(filing: Filing | None) -> str:
    if filing is None:
        return ""
    return f"{clock.words(limit_of(filing.round, filing))} 截止"
