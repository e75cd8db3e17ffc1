"""One record as a program sees it: its values at a version or a moment, protected ones masked, and its history."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import Account, Unit
from jiaoheng.bureau.core.refusals import NotFoundError
from jiaoheng.bureau.core.tree import name_of
from jiaoheng.bureau.ledgers.access import access_record
from jiaoheng.bureau.ledgers.listing_values import open_value
from jiaoheng.bureau.ledgers.masking_rules import identity_words
from jiaoheng.bureau.ledgers.models import Record, RecordVersion
from jiaoheng.bureau.ledgers.registry import schema_numbered
from jiaoheng.registers.model import Data


@dataclass(frozen=True, slots=True)
class RecordValues:
    """A version of a record under the names of its own schema."""

    record_id: int
    register: str
    version: int
    schema_version: int
    unit: Unit
    unit_name: str
    period_id: int | None
    period_code: str
    name: str
    deleted: bool
    changed_at: dt.datetime
    changed_by: str
    reason: str
    values: Data


def record_values(account: Account, record_id: object, as_of: dt.datetime | None = None) -> RecordValues:
    """The newest version, or the one that held at a moment. NotFoundError for what may not be read or was not there."""
    record, version = access_record(account, record_id)
    if as_of is not None:
        version = _version_at(record, as_of)
    return values_of(record, version)


def values_of(record: Record, version: RecordVersion) -> RecordValues:
    """One version of a record that the caller has opened."""
    schema = schema_numbered(record.register, version.schema_version)
    day = clock.local(version.valid_from).date()
    return RecordValues(
        record_id=record.pk,
        register=record.register.name,
        version=version.number,
        schema_version=version.schema_version,
        unit=record.unit,
        unit_name=name_of(record.unit, day),
        period_id=record.period_id,
        period_code=record.period.code if record.period is not None else "",
        name=identity_words(schema, version.data, day),
        deleted=version.deleted,
        changed_at=version.valid_from,
        changed_by=version.author_name,
        reason=version.reason,
        values={
            name: open_value(schema, schema.by_name[name], value, day)
            for name, value in version.data.items()
            if name in schema.by_name
        },
    )


def _version_at(record: Record, moment: dt.datetime) -> RecordVersion:
    held = Q(valid_from__lte=moment) & (Q(valid_to__isnull=True) | Q(valid_to__gt=moment))
    found = RecordVersion.objects.filter(held, record=record).order_by("-number").first()
    if found is None:
        raise NotFoundError
    return found
