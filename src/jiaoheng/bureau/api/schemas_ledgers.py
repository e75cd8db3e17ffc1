"""Shapes of registers, records, rounds and filings."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import AfterValidator, Field

from jiaoheng.bureau.api.schemas import MOST_ID, BodyId, Given, Named, Reason, Values, Version

Seen = Annotated[int, Field(ge=0, le=MOST_ID, strict=True, description="看到的是第几版；也可以写在 If-Match 里")]
State = Literal["empty", "draft", "district", "county", "returned", "approved"]


class RegisterOut(Schema):
    """One register, counted inside one's reading scope."""

    name: str
    title: str
    description: str
    office: str
    version: int
    effective_from: dt.date
    level: str
    period: str
    records: int
    units: int
    changed_at: dt.datetime | None


class FieldOut(Schema):
    """One field. `filter`: can be filtered and sorted; `protected`: shown masked only."""

    name: str
    type: str
    title: str
    help: str
    unit: str
    group: str
    required: bool
    unique: bool
    minimum: str | None
    maximum: str | None
    max_length: int | None
    decimals: int | None
    codes: str
    reference: str
    filter: bool
    protected: bool


class SchemaOut(Schema):
    """One version of a register. `key`: what with unit and period makes a record unique."""

    name: str
    title: str
    version: int
    effective_from: dt.date
    level: str
    period: str
    key: list[str]
    description: str
    columns: list[FieldOut]


class RowOut(Schema):
    """One record of a list."""

    id: int
    version: int
    unit_id: int
    unit_name: str
    period_id: int | None
    period: str
    schema_version: int
    name: str
    values: dict[str, Any]


class RowsOut(Schema):
    """One page of records; `total` only where `count=true` was asked."""

    items: list[RowOut]
    next: str | None
    total: int | None


class RecordOut(Schema):
    """A version of a record under the names of its own schema; deleted ones have their history too."""

    id: int
    register_name: str
    version: int
    schema_version: int
    unit: Named
    period_id: int | None
    period: str
    name: str
    deleted: bool
    changed_at: dt.datetime
    changed_by: str
    reason: str
    values: dict[str, Any]


class ChangedOut(Schema):
    """One field of one version, as shown that day."""

    field: str
    title: str
    old: str
    new: str


class MomentOut(Schema):
    """One line of a record's timeline; `version` is null for a step of its filing."""

    kind: str
    at: dt.datetime
    who: str
    door: str
    sentence: str
    reason: str
    version: int | None
    restored_from: int | None
    changes: list[ChangedOut]


class HistoryOut(Schema):
    """The life of a record, newest first."""

    items: list[MomentOut]


class SavedOut(Schema):
    """What became of a writing. `repeated`: this very request had come before; `unchanged`: nothing to write."""

    id: int
    version: int
    created: bool
    repeated: bool
    unchanged: bool
    warnings: dict[str, str]


class RecordIn(Given):
    """A new record. `unit` is an id; `period` a code (Y2025, T2025-1, M2025-09 …), left out for standing registers."""

    unit: BodyId
    period: Annotated[str, Field(max_length=16)] | None = None
    values: Values
    reason: Reason = ""


class RecordChange(Given):
    """Changed fields of a record, made on version `base` (or the one in If-Match)."""

    values: Values
    base: Version | None = None
    reason: Reason = ""


class RestoreIn(Given):
    """Fields to put back to what an earlier version said."""

    version: Version
    names: Annotated[list[Annotated[str, Field(max_length=60)]], Field(min_length=1, max_length=300)]
    base: Version | None = None
    reason: Reason = ""


class RoundOut(Schema):
    """One collection, counted inside one's reading scope."""

    id: int
    title: str
    register_name: str
    period: str
    office: str
    due: str
    owed: int
    filed: int
    approved: int
    late: int
    rate: str
    open: bool


class TallyOut(Schema):
    """How many units stand there."""

    place: str
    words: str
    count: int


class BoardRowOut(Schema):
    """One unit of the board."""

    filing_id: int
    version: int
    unit_id: int
    unit_name: str
    district: str
    place: str
    state: str
    filled: int
    owed: int | None
    submitted: str
    timing: str


class OutsideOut(Schema):
    """A unit that is not asked, and why."""

    unit_id: int
    unit_name: str
    why: str


class BoardOut(Schema):
    """The figures of a round for the reader."""

    id: int
    title: str
    sentence: str
    due: str
    owed: int
    filed: int
    rate: str
    tallies: list[TallyOut]
    rows: list[BoardRowOut]
    outside: list[OutsideOut]


class FilingOut(Schema):
    """What one unit owes in a round; `version` goes with every action."""

    id: int
    version: int
    round_id: int
    round: str
    register_name: str
    period: str
    unit: Named
    state: State
    words: str
    zero_report: bool
    submitted_at: dt.datetime | None
    approved_as_of: dt.datetime | None


class FilingsOut(Schema):
    """One page of filings."""

    items: list[FilingOut]
    next: str | None


class StepOut(Schema):
    """One line of a filing's history; `counts` is false for an earlier content."""

    at: dt.datetime
    who: str
    words: str
    reason: str
    counts: bool


class RemarkOut(Schema):
    """A remark at a cell."""

    record_id: int | None
    field: str
    place: str
    words: str
    settled: bool


class FilingDetailOut(FilingOut):
    """A filing with its way, remarks, and what one may do with it now."""

    due: str
    closed_why: str
    may: list[str]
    history: list[StepOut]
    remarks: list[RemarkOut]


class SubmitIn(Given):
    """Hand in what is there; `sentences`: place (`record:field`) → why the value differs so much."""

    version: Seen | None = None
    zero_report: Annotated[bool, Field(strict=True)] = False
    sentences: Annotated[
        dict[Annotated[str, Field(max_length=100)], Annotated[str, Field(max_length=500)]], Field(max_length=2000)
    ] = {}


class StepIn(Given):
    """A decision on the filing as it was seen."""

    version: Seen | None = None
    reason: Reason = ""


class RemarkIn(Given):
    """A remark at one cell."""

    record_id: BodyId | None = None
    field: Annotated[str, Field(max_length=60)] = ""
    text: Annotated[str, Field(min_length=1, max_length=500)]


def _in_reach(value: dt.datetime) -> dt.datetime:
    if not 1900 <= value.year <= 2200:  # beyond, a change of zone leaves what a calendar can hold
        raise ValueError("year")
    return value


class ReturnIn(Given):
    """Send back with a reason, remarks at cells and a date for the correction."""

    version: Seen | None = None
    reason: Reason
    remarks: Annotated[list[RemarkIn], Field(max_length=500)] = []
    due_at: Annotated[dt.datetime, AfterValidator(_in_reach)] | None = None
