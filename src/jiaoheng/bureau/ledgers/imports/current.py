"""The records as they stand, for comparing a file with them, and a fingerprint that any change of them changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from django.db.models import Count, Max, Q, QuerySet

from jiaoheng.bureau.core.models import Period
from jiaoheng.bureau.ledgers import bulk, sealing
from jiaoheng.bureau.ledgers.imports.scope import Ground
from jiaoheng.bureau.ledgers.models import RecordVersion, RegisterRow
from jiaoheng.bureau.ledgers.models.records import CURRENT
from jiaoheng.registers.differences import Current
from jiaoheng.registers.judging import previous_key
from jiaoheng.registers.model import Data
from jiaoheng.registers.workbook_reading_model import Filled

_NOTHING: dict[int, Data] = {}


def _standing(register: RegisterRow, period: Period | None, unit_ids: Collection[int]) -> QuerySet[RecordVersion]:
    rows = RecordVersion.objects.filter(CURRENT, register=register)
    rows = rows.filter(period=period) if period is not None else rows.filter(period__isnull=True)
    return rows.filter(unit_id__in=list(unit_ids)) if len(unit_ids) < 500 else rows


def current_records(register: RegisterRow, ground: Ground, codes: Collection[str], filled: Filled) -> list[Current]:
    """Records of the named units, and those that the file's hidden ids point at, as far as they lie in the ground.

    Versions that rows were made from come along, to tell who changed a cell.
    """
    by_id = {pk: code for code, pk in ground.ids.items()}
    wanted = {ground.ids[code] for code in codes if code in ground.ids}
    period = ground.period.code if ground.period is not None else ""
    rows: dict[int, tuple[int, Data, int]] = {}
    columns = ("record_id", "number", "data", "unit_id")
    if wanted:
        standing = _standing(register, ground.period, wanted).values_list(*columns)
        for record_id, number, data, unit_id in standing.iterator():
            if unit_id in wanted:
                rows[record_id] = (number, data, unit_id)
    pointed = {int(one) for one in filled.records if one and one.isascii() and one.isdigit() and len(one) < 19}
    for part in bulk.chunks(sorted(pointed - set(rows))):
        known = RecordVersion.objects.filter(CURRENT, register=register, record_id__in=part, period=ground.period)
        for record_id, number, data, unit_id in known.values_list(*columns):
            if unit_id in by_id:
                rows[record_id] = (number, data, unit_id)
    older = _older(ground, filled, {record_id: number for record_id, (number, _, _) in rows.items()})
    found = []
    for record_id in list(rows):
        number, data, unit_id = rows.pop(record_id)  # each content lies in memory once, not twice
        plain = sealing.opened(ground.schema, data)
        found.append(Current(str(record_id), number, plain, by_id[unit_id], period, older.get(record_id, _NOTHING)))
    return found


def _older(ground: Ground, filled: Filled, newest: dict[int, int]) -> dict[int, dict[int, Data]]:
    """For rows made from a version that is no longer the newest: that version's data."""
    wanted: dict[int, int] = {}
    for record, version in zip(filled.records, filled.versions, strict=True):
        if record and version and record.isdigit() and newest.get(int(record), 0) > version:
            wanted[int(record)] = version
    found: dict[int, dict[int, Data]] = defaultdict(dict)
    for part in bulk.chunks(wanted):
        rows = RecordVersion.objects.filter(record_id__in=part).values_list("record_id", "number", "data")
        for record_id, number, data in rows:
            if wanted[record_id] == number:
                found[record_id][number] = sealing.opened(ground.schema, data)
    return found


def previous_data(register: RegisterRow, ground: Ground, codes: Collection[str]) -> dict[tuple[str, ...], Data] | None:
    """Last period's records by unit and key, None where the register has no periods or no check asks for them."""
    schema, period = ground.schema, ground.period
    asks = any(one.jump is not None for one in schema.fields) or any("last" in one.rule for one in schema.checks)
    if period is None or not asks:
        return None
    before = Period.objects.filter(kind=period.kind, ends_on__lte=period.starts_on).order_by("-starts_on").first()
    if before is None:
        return {}
    ids = {ground.ids[code]: code for code in codes if code in ground.ids}
    rows = _standing(register, before, ids).values_list("unit_id", "data")
    found = ((unit_id, sealing.opened(schema, data)) for unit_id, data in rows if unit_id in ids)
    return {previous_key(ids[unit_id], data, schema.key): data for unit_id, data in found}


def fingerprint(register: RegisterRow, period: Period | None, unit_ids: Iterable[int]) -> str:
    """Changes whenever a record of these units in this period is written: number of versions and the newest of them."""
    units = list(unit_ids)
    rows = RecordVersion.objects.filter(register=register)
    rows = rows.filter(period=period) if period is not None else rows.filter(period__isnull=True)
    if len(units) < 500:
        rows = rows.filter(unit_id__in=units)
    found = rows.aggregate(count=Count("pk"), newest=Max("pk"), standing=Count("pk", filter=Q(valid_to__isnull=True)))
    return f"{found['count']}-{found['newest'] or 0}-{found['standing']}"
