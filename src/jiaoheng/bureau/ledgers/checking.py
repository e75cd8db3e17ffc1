"""One record from what was typed (or sent) to what it would become, with everything that is wrong told at its field."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jiaoheng.bureau.core.access import access_attachment
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Period, Unit
from jiaoheng.bureau.core.refusals import NotFoundError, RefusedError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.ledgers import sealing
from jiaoheng.bureau.ledgers.models import Filing, Record, RecordVersion, RegisterRow
from jiaoheng.bureau.ledgers.models.records import CURRENT
from jiaoheng.bureau.ledgers.slots import slot_key
from jiaoheng.registers.masking import mask_field
from jiaoheng.registers.model import CheckLevel, Data, Field, FieldType, Register, Value, Wrong
from jiaoheng.registers.validation import check_rows, parse_rows

Typed = Mapping[str, Any]  # field → text as typed, list of codes or ids, or a stored value; None or "" empties it


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands: register, unit, period, the schema and day that hold for it, and the record if it is one."""

    row: RegisterRow
    schema: Register
    unit: Unit
    period: Period | None
    day: dt.date
    record: Record | None = None
    filing: Filing | None = None  # of the newest round that asks for it


@dataclass(frozen=True, slots=True)
class Entry:
    """What a record would become."""

    data: Data
    wrongs: tuple[Wrong, ...]

    @property
    def blocking(self) -> tuple[Wrong, ...]:
        """What keeps it from being stored."""
        return tuple(one for one in self.wrongs if one.level is CheckLevel.BLOCK)

    @property
    def warnings(self) -> tuple[Wrong, ...]:
        """What the person should look at again."""
        return tuple(one for one in self.wrongs if one.level is CheckLevel.WARN)


def read_entry(
    place: Place, typed: Typed, *, base: Data | None, previous: Data | None, account: Account | None
) -> Entry:
    """The whole record after `typed`: fields that are not in it keep the base's values.

    A blank empties a field, but a blank or masked protected value keeps it: its form shows no value to begin with.
    """
    schema = place.schema
    base = sealing.opened(schema, base) if base is not None else None
    previous = sealing.opened(schema, previous) if previous is not None else None
    known = {name: value for name, value in typed.items() if name in schema.by_name}
    wrongs = [Wrong("field-unknown", name, f"没有“{name}”这一项", "请删去") for name in typed if name not in known]
    kept: Data = dict(base or {})
    cells: dict[str, list[Any]] = {}
    for name, value in known.items():
        one = schema.by_name[name]
        if one.type is FieldType.FILE:
            wrongs.extend(_take_files(one, value, kept, account))
        elif value is None or (isinstance(value, (str, list)) and not _has_text(value)):
            if value is None or not one.sensitive:
                kept.pop(name, None)
                cells[name] = [None]
        else:
            cells[name] = ["、".join(value) if isinstance(value, list) else value]
    checked = check_rows(
        parse_rows(schema, cells, at=place.day)
        if cells
        else parse_rows(schema, {schema.fields[0].name: [None]}, at=place.day),
        base=[kept],
        previous=[previous],
        today=place.day,
    )
    wrongs.extend(checked.wrongs.get(0, ()))
    told = {one.field for one in wrongs}
    wrongs += [
        Wrong("value-missing", name, f"必填的“{schema.by_name[name].title}”空着", "请填写")
        for name in checked.incomplete.get(0, ())
        if name not in told
    ]
    data = checked.data[0]
    wrongs.extend(_outside(place, data, base or {}, account))
    order = {one.name: number for number, one in enumerate(schema.fields)}
    return Entry(data, tuple(sorted(wrongs, key=lambda one: order.get(one.field, -1))))


def _has_text(value: str | Sequence[str]) -> bool:
    return bool(value.strip()) if isinstance(value, str) else bool(value)


def _take_files(one: Field, value: Any, kept: Data, account: Account | None) -> list[Wrong]:
    """Put a list of attachment ids into the record; each must be a file that the person may open."""
    ids = [str(item) for item in (value if isinstance(value, list) else [value] if value else [])]
    before = kept.get(one.name)
    had = before if isinstance(before, list) else []
    for item in ids:
        if item in had or account is None:
            continue
        try:
            access_attachment(account, item)
        except NotFoundError:
            return [Wrong("file-unknown", one.name, f"“{one.title}”里有一个附件已不在", "请重新上传")]
    if ids:
        kept[one.name] = list(dict.fromkeys(ids))
    else:
        kept.pop(one.name, None)
    return []


def _outside(place: Place, data: Data, base: Data, account: Account | None) -> list[Wrong]:
    """What only the database knows of changed values: unique ones that another record has, references, units."""
    found = []
    for one in place.schema.fields:
        value = data.get(one.name)
        if value is None or value == base.get(one.name) or isinstance(value, list):
            continue
        wrong = None
        if one.unique:
            wrong = _repeated(place, one, value)
        if wrong is None and one.reference:
            wrong = _unreferenced(one, value)
        if wrong is None and one.check == "unit_code" and account is not None:
            wrong = _unknown_unit(one, value, account, place.day)
        if wrong is not None:
            found.append(wrong)
    return found


def _with_value(rows: Any, schema: Register, one: Field, value: Value) -> Any:
    slot = schema.slots.get(one.name)
    if slot is not None:
        return rows.filter(**{f"s{slot}": slot_key(one, value)})
    if one.is_sealed:
        return rows.filter(sealing.with_value(schema, one, value))
    return rows.filter(**{f"data__{one.name}": value})


def _repeated(place: Place, one: Field, value: Value) -> Wrong | None:
    rows = RecordVersion.objects.filter(CURRENT, register=place.row, period=place.period)
    if place.record is not None:
        rows = rows.exclude(record=place.record)
    other = _with_value(rows, place.schema, one, value).first()
    if other is None:
        return None
    told = f"{one.title}“{mask_field(value, one)}”与另一条记录（编号 {other.record_id}）相同"
    return Wrong("value-repeated", one.name, told, "这一项不能重复，请核对后改正")


def _unreferenced(one: Field, value: Value) -> Wrong | None:
    from jiaoheng.bureau.ledgers.registry import schema_of

    name, _dot, target = one.reference.partition(".")
    row = RegisterRow.objects.filter(name=name).first()
    if row is None:
        return None  # that register is not in use here
    schema = schema_of(row)
    if target not in schema.by_name:
        return None
    rows = RecordVersion.objects.filter(CURRENT, register=row)
    if _with_value(rows, schema, schema.by_name[target], value).exists():
        return None
    told = f"“{mask_field(value, one)}”在“{schema.title}”里没有"
    return Wrong("reference-unknown", one.name, told, f"请核对，或先在“{schema.title}”里登记")


def _unknown_unit(one: Field, value: Value, account: Account, day: dt.date) -> Wrong | None:
    if scope_of(account, Can.READ).units(day).filter(code=str(value)).exists():
        return None
    return Wrong("unit-unknown", one.name, f"无此单位：“{value}”", "请核对单位代码")


def sentence(one: Wrong) -> str:
    """What is wrong and what to do, as it stands at the field."""
    return f"{one.message}。{one.remedy}。" if one.remedy else f"{one.message}。"


def places(wrongs: Sequence[Wrong]) -> dict[str, str]:
    """Field → its sentences, in the order of the form; "" for the whole record."""
    found: dict[str, str] = {}
    for one in wrongs:
        told = sentence(one)
        if told not in found.get(one.field, ""):
            found[one.field] = found.get(one.field, "") + told
    return found


def refuse_wrong(entry: Entry) -> None:
    """Raise RefusedError with every blocking problem at its place; nothing where there is none."""
    if entry.blocking:
        found = places(entry.blocking)
        raise RefusedError("values-wrong", f"还有 {len(found)} 处要改正，改好后再提交", places=found)
