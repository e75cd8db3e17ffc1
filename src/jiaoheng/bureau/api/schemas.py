"""Shapes of what the API takes and gives. Dates are days (2025-09-01), moments have a zone; numbers with a point are
exact texts ("95.5"); a value that is not there is not in `values`."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import BeforeValidator, ConfigDict, Field

MOST_ID = 10**15
Id = Annotated[int, Field(ge=1, le=MOST_ID)]
BodyId = Annotated[int, Field(ge=1, le=MOST_ID, strict=True)]
Reason = Annotated[str, Field(max_length=500, description="为什么，写入历史")]
Version = Annotated[int, Field(ge=1, le=MOST_ID, strict=True, description="看到的是第几版；也可以写在 If-Match 里")]


class Given(Schema):
    """What is sent: a name that is not known is refused, not left out."""

    model_config = ConfigDict(extra="forbid")


def _exact(value: Any) -> Any:
    """A number with a point as the text it was sent as."""
    if not isinstance(value, dict):
        return value
    return {name: str(one) if isinstance(one, Decimal) else one for name, one in value.items()}


Typed = dict[
    Annotated[str, Field(max_length=60)],
    Annotated[str, Field(max_length=20_000)] | bool | int | float | list[Annotated[str, Field(max_length=200)]] | None,
]
Values = Annotated[
    Typed, BeforeValidator(_exact), Field(description="字段名 → 值；没有写的字段不动，写 null 清空", max_length=300)
]


class Named(Schema):
    """A thing by its id with its name of the day."""

    id: int
    name: str


class Problem(Schema):
    """RFC 9457. `places`: where (a field, a parameter) → what is wrong there and what to do."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    places: dict[str, str] | None = None
    conflict: dict[str, Any] | None = None


class UnitOut(Schema):
    """One unit on the day asked for."""

    id: int
    code: str
    level: Literal["county", "department", "district", "school", "class"]
    name: str
    short_name: str
    kind: str
    ownership: str
    locality: str
    township: str
    parent_id: int | None
    starts_on: dt.date
    ends_on: dt.date | None


class UnitsOut(Schema):
    """One page of units; `next`: the `cursor` of the next page, null on the last."""

    items: list[UnitOut]
    next: str | None


class EventOut(Schema):
    """One line of a unit's history."""

    on: dt.date
    words: str


class UnitDetailOut(UnitOut):
    """A unit with what stands above it, what became of it, and its history."""

    path: list[Named]
    ended: str
    successor_id: int | None
    history: list[EventOut]


class MembershipOut(Schema):
    """Where one is what."""

    unit_id: int
    unit_name: str
    role: str
    role_title: str
    starts_on: dt.date
    ends_on: dt.date | None


class TokenOut(Schema):
    """The token of the request."""

    name: str
    scopes: list[str]
    expires_at: dt.datetime


class MeOut(Schema):
    """Whom the token acts as."""

    id: int
    username: str
    name: str
    home: Named | None
    memberships: list[MembershipOut]
    token: TokenOut


class PeriodOut(Schema):
    """`ends_on` is the first day after it."""

    id: int
    kind: Literal["year", "term", "month", "week", "day"]
    code: str
    name: str
    starts_on: dt.date
    ends_on: dt.date
    parent_id: int | None


class PeriodsOut(Schema):
    """One page of periods."""

    items: list[PeriodOut]
    next: str | None


class CodeTableOut(Schema):
    """One table in the list."""

    name: str
    title: str


class CodeOut(Schema):
    """One choice between two days (half-open); a code whose label changed stands twice."""

    code: str
    label: str
    starts_on: dt.date | None
    ends_on: dt.date | None


class CodesOut(CodeTableOut):
    """A table with its choices."""

    items: list[CodeOut]


class JobOut(Schema):
    """One of one's own jobs."""

    id: str
    kind: str
    title: str
    state: Literal["waiting", "running", "done", "failed", "interrupted", "cancelled"]
    done: int
    total: int
    message: str
    created_at: dt.datetime
    finished_at: dt.datetime | None


class ChangeOut(Schema):
    """One field of an entry, as shown that day."""

    title: str
    old: str
    new: str


class EntryOut(Schema):
    """One entry of the trail, in words."""

    number: int
    at: dt.datetime
    who: str
    verb: str
    what: str
    door: str
    count: int
    reason: str
    sentence: str
    object_type: str
    object_id: str
    unit_id: int | None
    changes: list[ChangeOut]


class EntriesOut(Schema):
    """One page of the trail, newest first."""

    items: list[EntryOut]
    next: str | None


class HitOut(Schema):
    """One thing found."""

    kind: str
    id: str
    register_name: str
    name: str
    where: str


class FileOut(Schema):
    """One stored file; its bytes are at `/files/{id}/content`."""

    id: str
    name: str
    kind: str
    media_type: str
    size: int
    sha256: str
    unit_id: int
    created_at: dt.datetime
