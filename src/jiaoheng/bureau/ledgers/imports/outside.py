"""What only the database knows of a file's rows: references that exist nowhere, unique values that others have, ended
units. Asked for all rows at once."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Unit
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import line_at, name_of
from jiaoheng.bureau.ledgers import bulk, sealing
from jiaoheng.bureau.ledgers.imports.scope import Ground
from jiaoheng.bureau.ledgers.models import RecordVersion, RegisterRow
from jiaoheng.bureau.ledgers.models.records import CURRENT
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.bureau.ledgers.slots import slot_key
from jiaoheng.registers.differences import RowDifference, RowState
from jiaoheng.registers.judging import Judged
from jiaoheng.registers.masking import mask_field
from jiaoheng.registers.model import Field, Register, Value, Wrong
from jiaoheng.sheets.places import Problem, Severity

_QUOTED = re.compile("“(.+)”")


def with_outside(judged: Judged, register: RegisterRow, ground: Ground, account: Account) -> Judged:
    """The same with what the database adds: rows that are wrong by it, and ended units called by their names."""
    wrongs = _wrongs(judged, register, ground)
    problems = [_ended_unit(one, account, ground.day) for one in judged.problems]
    problems += [
        Problem(one.code, Severity.ERROR, judged.filled.place(row, one.field), one.message, one.remedy)
        for row in sorted(wrongs)
        for one in wrongs[row]
    ]
    if not wrongs:
        return replace(judged, problems=tuple(problems))
    rows = tuple(
        replace(row, state=RowState.WRONG, wrongs=(*row.wrongs, *wrongs[row.row])) if row.row in wrongs else row
        for row in judged.differences.rows
    )
    return replace(judged, differences=replace(judged.differences, rows=rows), problems=tuple(problems))


def _wrongs(judged: Judged, register: RegisterRow, ground: Ground) -> Mapping[int, list[Wrong]]:
    found: dict[int, list[Wrong]] = defaultdict(list)
    schema = ground.schema
    for one in schema.fields:
        if one.name not in judged.filled.cells or not (one.reference or one.unique):
            continue
        rows = [row for row in judged.differences.rows if _touches(row, one.name)]
        values = {row.data[one.name] for row in rows if not isinstance(row.data[one.name], list)}
        if one.reference and values:
            there = _referenced(one, values)
            for row in rows if there is not None else ():
                if row.data[one.name] not in there:  # type: ignore[operator]
                    found[row.row].append(_unknown(one, row.data[one.name]))
        if one.unique and values:
            holders = _holders(register, schema, ground, one, values)
            for row in rows:
                mine = row.record.id if row.record is not None else ""
                other = next((pk for pk in holders.get(row.data[one.name], ()) if str(pk) != mine), None)
                if other is not None:
                    told = f"{one.title}“{mask_field(row.data[one.name], one)}”与另一条记录（编号 {other}）相同"
                    found[row.row].append(Wrong("value-repeated", one.name, told, "这一项不能重复，请核对后改正"))
    return found


def _touches(row: RowDifference, name: str) -> bool:
    """Whether a row brings a value of a field: all of a new row, the changed ones of another."""
    if name not in row.data or row.state is RowState.SAME:
        return False
    return row.record is None or any(one.field == name for one in row.changes)


def _unknown(one: Field, value: Value) -> Wrong:
    title = RegisterRow.objects.get(name=one.reference.partition(".")[0]).title
    told = f"“{mask_field(value, one)}”在“{title}”里没有"
    return Wrong("reference-unknown", one.name, told, f"请核对，或先在“{title}”里登记")


def _referenced(one: Field, values: Iterable[Any]) -> set[Any] | None:
    """Which of the values stand in the register referred to; None where that register is not in use here."""
    name, _dot, target = one.reference.partition(".")
    row = RegisterRow.objects.filter(name=name).first()
    schema = schema_of(row) if row is not None else None
    if schema is None or target not in schema.by_name:
        return None
    standing = RecordVersion.objects.filter(CURRENT, register=row)
    return {value for _, value in _with_values(standing, schema, schema.by_name[target], values)}


def _holders(
    register: RegisterRow, schema: Register, ground: Ground, one: Field, values: Iterable[Any]
) -> dict[Any, list[int]]:
    standing = RecordVersion.objects.filter(CURRENT, register=register, period=ground.period)
    found: dict[Any, list[int]] = defaultdict(list)
    for record_id, value in _with_values(standing, schema, one, values):
        found[value].append(record_id)
    return found


def _with_values(standing: Any, schema: Register, one: Field, values: Iterable[Any]) -> Iterable[tuple[int, Any]]:
    """(record id, value) of the records that have one of the values, by the index column where there is one."""
    slot = schema.slots.get(one.name)
    for part in bulk.chunks(values, 500):
        if slot is not None:
            rows = standing.filter(**{f"s{slot}__in": [slot_key(one, value) for value in part]})
        elif one.is_sealed:
            yield from _sealed_with(standing, schema, one, part)
            continue
        else:
            rows = standing.filter(**{f"data__{one.name}__in": part})
        for record_id, data in rows.values_list("record_id", "data"):
            yield record_id, data.get(one.name)


def _sealed_with(standing: Any, schema: Register, one: Field, part: Iterable[Any]) -> Iterable[tuple[int, Any]]:
    """`_with_values` for protected values: by their keyed hashes, told by the values that were asked for."""
    asked = {sealing.digest_of(schema, one, value): value for value in part}
    rows = standing.filter(sealing.with_values(schema, one, asked.values()))
    for record_id, data in rows.values_list("record_id", "data"):
        found = data.get(one.name)
        if found is not None and (value := asked.get(sealing.digest_of(schema, one, found))) is not None:
            yield record_id, value


def _ended_unit(problem: Problem, account: Account, day: dt.date) -> Problem:
    """A unit that one may read and that does not stand on the day is called by its name and date."""
    quoted = _QUOTED.search(problem.message) if problem.code == "unit-unknown" else None
    unit = Unit.objects.filter(code=quoted[1]).first() if quoted is not None else None
    if unit is None or not scope_of(account, Can.READ).covers(line_at(unit, day)):
        return problem
    name = name_of(unit, day)
    if day < unit.starts_on:
        told = f"“{name}”自 {unit.starts_on:%Y-%m-%d} 起才设立，{day:%Y-%m-%d} 的台账不应有它"
    elif unit.ends_on is not None and unit.ends_on <= day:
        told = f"“{name}”已于 {unit.ends_on:%Y-%m-%d} 撤并，{day:%Y-%m-%d} 的台账不应有它"
    else:
        return problem
    return replace(problem, code="unit-not-standing", message=told, remedy="请删去这一行，或核对单位代码")
