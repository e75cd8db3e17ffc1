"""Where a writing goes: the access doors, the schema and day that hold there, the lock of a round."""

from __future__ import annotations

import datetime as dt

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Period, Unit
from jiaoheng.bureau.core.refusals import ForbiddenError, NotFoundError, RefusedError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import line_at
from jiaoheng.bureau.ledgers.access import access_record, newest_version, whose_right
from jiaoheng.bureau.ledgers.changes import period_day
from jiaoheng.bureau.ledgers.checking import Place
from jiaoheng.bureau.ledgers.locks import check_open, filing_of
from jiaoheng.bureau.ledgers.models import Filing, Record, RecordVersion, RegisterRow
from jiaoheng.bureau.ledgers.registry import schema_of


def reference_day(filing: Filing | None, period: Period | None) -> dt.date:
    """The day whose tree, schema and choices hold: the round's reference date, else the period's own day."""
    if filing is None:
        return period_day(period)
    day: dt.date = filing.round.reference_date
    return day


def place_at(register: RegisterRow, unit: Unit, period: Period | None, record: Record | None = None) -> Place:
    """The place without any check of rights."""
    filing = filing_of(register, unit, period)
    day = reference_day(filing, period)
    return Place(register, schema_of(register, day), unit, period, day, record, filing)


def place_of_new(register: RegisterRow, unit: Unit, period: Period | None, account: Account | None) -> Place:
    """The place of a new record. Raises NotFoundError for a unit one may not read, ForbiddenError without the right."""
    place = place_at(register, unit, period)
    if account is not None:
        line = line_at(unit, place.day)
        if not scope_of(account, Can.READ).covers(line, register.name):
            raise NotFoundError
        if not scope_of(account, Can.FILL).covers(line, register.name):
            raise ForbiddenError(whose_right(account, Can.FILL))
    _check_shape(place)
    return place


def _check_shape(place: Place) -> None:
    """The unit is of the register's level, the period of its kind."""
    if str(place.unit.level) != str(place.schema.level):
        raise RefusedError(
            "unit-level", f"“{place.row.title}”按{_LEVEL_WORDS[str(place.schema.level)]}填报，请选对单位"
        )
    kind = place.period.kind if place.period is not None else "none"
    if kind != str(place.schema.period):
        raise RefusedError("period-kind", f"“{place.row.title}”的期次不对，请重新选择期次")


_LEVEL_WORDS = {str(level.value): level.label for level in Unit.Level}


def place_of_record(
    record_id: object, account: Account | None, can: Can = Can.FILL, *, deleted: bool = False
) -> tuple[Place, RecordVersion]:
    """The place of a record and its newest version, locked until the transaction ends.

    Raises NotFoundError, ForbiddenError; RefusedError `record-deleted` (or `record-living` with `deleted`).
    """
    if account is not None:
        record, _seen = access_record(account, record_id, can)
    else:
        record = Record.objects.select_related("register", "unit", "period").get(pk=record_id)
    Record.objects.select_for_update().filter(pk=record.pk).values_list("pk", flat=True).first()
    version = newest_version(record)
    if version.deleted and not deleted:
        raise RefusedError(
            "record-deleted",
            f"这条记录已由 {version.author_name} 于 {clock.words(version.valid_from)} 删除；还要用的，请先在历史里恢复",
        )
    if deleted and not version.deleted:
        raise RefusedError("record-living", "这条记录没有删除，不用恢复")
    return place_at(record.register, record.unit, record.period, record), version


def check_place_open(place: Place, account: Account | None) -> None:
    """Raise the sentence of `locks` where the place's round does not take changes now."""
    check_open(place.row, place.unit, place.period, account, clock.now())


def record_at(place: Place) -> Record:
    """The record of a place that has one."""
    if place.record is None:
        raise NotFoundError
    return place.record
