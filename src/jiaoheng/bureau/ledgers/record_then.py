"""One record as it stood at the end of a day, under the heads of that day."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.ledgers.access import access_record
from jiaoheng.bureau.ledgers.masking_rules import shown
from jiaoheng.bureau.ledgers.models import RecordVersion
from jiaoheng.bureau.ledgers.registry import schema_numbered


@dataclass(frozen=True, slots=True)
class Then:
    """The record on that day: its version (None: it was not there) and (title, shown text) of every field."""

    day: dt.date
    number: int | None
    author: str
    facts: tuple[tuple[str, str], ...]


def record_then(account: Account, record_id: object, day: dt.date) -> Then:
    """The version that held at the end of `day`. Raises NotFoundError where the record may not be read."""
    record, _newest = access_record(account, record_id)
    at = clock.at_end_of(day)
    held = Q(valid_from__lte=at) & (Q(valid_to__isnull=True) | Q(valid_to__gt=at))
    version = RecordVersion.objects.filter(held, record=record).order_by("-number").first()
    if version is None or version.deleted:
        return Then(day, None, "", ())
    schema = schema_numbered(record.register, version.schema_version)
    facts = [(one.title, shown(schema, one, version.data.get(one.name), day)) for one in schema.fields]
    return Then(day, version.number, version.author_name, tuple(facts))
