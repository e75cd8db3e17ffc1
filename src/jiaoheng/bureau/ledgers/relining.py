"""Rows that were written under a tree which a back-dated change has since put right.

A row's ancestor columns are derived from its unit and its reference day. Rows whose day is before the change keep
theirs; rows of that day or later get the ancestors that now hold, and so the right people see them. Their content and
history are not touched. Rows of a unit that was merged away before their day stand under the receiver.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from django.db.models import Q, QuerySet

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.hanging import Ending
from jiaoheng.bureau.core.models import Account, SearchEntry, UnitSuccession
from jiaoheng.bureau.core.tree import Line, lines_at
from jiaoheng.bureau.ledgers.bulk import chunks
from jiaoheng.bureau.ledgers.models import Filing, RecordVersion

COLUMNS = ("county_id", "district_id", "school_id", "class_id")
ONE_DAY = dt.timedelta(days=1)


def reline(unit_ids: Sequence[int], day: dt.date, ending: Ending | None, actor: Account | None) -> int:
    """Correct record versions, filings and search entries of units from a day on. Returns the rows corrected."""
    receivers = _receivers(unit_ids)
    ids = list(dict.fromkeys([*unit_ids, *receivers]))
    return reline_records(ids, day, receivers) + reline_filings(ids, day)


def _receivers(unit_ids: Sequence[int]) -> dict[int, int]:
    """Units that went into one of these, at once or by way of others → the one that has their later rows now."""
    found: dict[int, int] = {}
    layer = list(unit_ids)
    while layer:
        rows: list[tuple[int, int]] = []
        for part in chunks(layer):
            merges = UnitSuccession.objects.filter(kind=UnitSuccession.Kind.MERGE, other_id__in=part)
            rows += merges.values_list("unit_id", "other_id")
        layer = [unit_id for unit_id, _ in rows if unit_id not in found]
        for unit_id, other_id in rows:
            found.setdefault(unit_id, found.get(other_id, other_id))
    for unit_id, other_id in found.items():
        found[unit_id] = found.get(other_id, other_id)
    return found


def reline_records(unit_ids: Sequence[int], day: dt.date, receivers: dict[int, int]) -> int:
    """Record versions whose reference day is `day` or later; their search entries follow."""
    asked = _reference_days(unit_ids)
    groups: dict[tuple[int, dt.date], list[tuple[int, int, tuple[int | None, ...]]]] = defaultdict(list)
    columns = ("pk", "record_id", "unit_id", "register_id", "period_id", "valid_from", *COLUMNS)
    begin = dt.datetime.combine(day, dt.time(), clock.BEIJING)
    late = {place[2] for place, at in asked.items() if at >= day}  # asked after the period itself was over
    touched = Q(period__isnull=True, valid_from__gte=begin) | Q(period__ends_on__gt=day) | Q(period_id__in=late)
    for part in chunks(unit_ids):
        rows = RecordVersion.objects.filter(touched, unit_id__in=part)
        periods = _periods(rows)
        for pk, record_id, unit_id, register_id, period_id, valid_from, *line in rows.values_list(*columns):
            written = clock.local(valid_from).date()
            at = asked.get((unit_id, register_id, period_id)) or _period_day(periods.get(period_id), written)
            if at >= day:
                groups[unit_id, at].append((pk, record_id, tuple(line)))
    wanted = _lines(groups, receivers)
    wrong: dict[tuple[int | None, ...], list[tuple[int, int]]] = defaultdict(list)
    for place, found in groups.items():
        right = wanted.get(place)
        if right is None:
            continue
        for pk, record_id, line in found:
            if line != right:
                wrong[right].append((pk, record_id))
    for right, ids in wrong.items():
        values = dict(zip(COLUMNS, right, strict=True))
        for part in chunks(pk for pk, _ in ids):
            RecordVersion.objects.filter(pk__in=part).update(**values)
            newest = RecordVersion.objects.filter(pk__in=part, valid_to__isnull=True).values_list(
                "record_id", flat=True
            )
            entries = SearchEntry.objects.filter(kind="record", object_id__in=[str(one) for one in newest])
            entries.update(**values)
    return sum(len(ids) for ids in wrong.values())


def reline_filings(unit_ids: Sequence[int], day: dt.date) -> int:
    """Filings of rounds whose reference date is `day` or later."""
    count = 0
    for part in chunks(unit_ids):
        rows = Filing.objects.filter(unit_id__in=part, round__reference_date__gte=day).select_related("round")
        changed = []
        by_day: dict[dt.date, list[Filing]] = defaultdict(list)
        for row in rows:
            by_day[row.round.reference_date].append(row)
        for at, found in by_day.items():
            lines = lines_at([row.unit_id for row in found], at)
            for row in found:
                right = lines.get(row.unit_id)
                if right is None or _of(right) == tuple(getattr(row, column) for column in COLUMNS):
                    continue
                for column, value in zip(COLUMNS, _of(right), strict=True):
                    setattr(row, column, value)
                changed.append(row)
        Filing.objects.bulk_update(changed, list(COLUMNS), batch_size=200)
        count += len(changed)
    return count


def _of(line: Line) -> tuple[int | None, ...]:
    return tuple(getattr(line, column) for column in COLUMNS)


def _reference_days(unit_ids: Sequence[int]) -> dict[tuple[int, int, int | None], dt.date]:
    """(unit, register, period) → the reference date of the newest round that asks the unit for it."""
    found: dict[tuple[int, int, int | None], dt.date] = {}
    for part in chunks(unit_ids):
        rows = Filing.objects.filter(unit_id__in=part).order_by("round__opens_at", "round_id")
        names = ("unit_id", "round__register_id", "round__period_id", "round__reference_date")
        for unit_id, register_id, period_id, at in rows.values_list(*names):
            found[unit_id, register_id, period_id] = at
    return found


def _periods(rows: QuerySet[RecordVersion]) -> dict[int | None, tuple[dt.date, dt.date]]:
    names = ("period_id", "period__starts_on", "period__ends_on")
    found = rows.filter(period__isnull=False).values_list(*names).distinct()
    return {period_id: (starts_on, ends_on) for period_id, starts_on, ends_on in found}


def _period_day(period: tuple[dt.date, dt.date] | None, written: dt.date) -> dt.date:
    """The day the writer took, see changes.period_day: the period's last day, or that of the writing while it ran."""
    if period is None:
        return written
    return min(period[1] - ONE_DAY, max(period[0], written))


def _lines(
    places: dict[tuple[int, dt.date], list[tuple[int, int, tuple[int | None, ...]]]], receivers: dict[int, int]
) -> dict[tuple[int, dt.date], tuple[int | None, ...]]:
    """(unit, day) → ancestor columns that hold; those of the receiver where the unit had gone into it by then."""
    by_day: dict[dt.date, set[int]] = defaultdict(set)
    for unit_id, at in places:
        by_day[at] |= {unit_id} | ({receivers[unit_id]} if unit_id in receivers else set())
    made = {}
    for at, ids in by_day.items():
        lines = lines_at(ids, at)
        for unit_id in ids:
            line = lines.get(unit_id) or lines.get(receivers.get(unit_id, 0))
            if line is not None:
                made[unit_id, at] = _of(line)
    return made
