"""The columns of a register's list: those of the day, then what earlier versions had and later ones dropped (P18)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from jiaoheng.bureau.ledgers.models import RegisterRow
from jiaoheng.bureau.ledgers.registry import newest_schema, schema_of, schema_versions
from jiaoheng.registers.model import Field, FieldType, Register

UNIT, PERIOD, VERSION = "unit", "period", "schema_version"  # columns that are no fields
_FIXED = {UNIT: "单位", PERIOD: "期次", VERSION: "表样版本"}
_OWN_CHOICE = 8  # columns of a list that nobody has chosen
_NUMBERS = (FieldType.INTEGER, FieldType.NUMBER)


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `sortable` also means that it can be filtered; `choices`: code and label of the day, for filters."""

    name: str
    title: str
    unit: str = ""
    numeric: bool = False
    sortable: bool = False
    protected: bool = False
    dropped: bool = False
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """What a list of a register can show on a day. `schema`: of that day; `slots`: field → index column of the base."""

    row: RegisterRow
    schema: Register
    day: dt.date
    fields: dict[str, Field]
    owners: dict[str, Register]  # field → the schema that it comes from
    slots: dict[str, int]
    columns: dict[str, Column]

    @property
    def own_choice(self) -> tuple[str, ...]:
        """The columns shown where nobody chose: unit, name of the record, filterable ones, then the first others."""
        named = [one.name for one in self.schema.identity_fields]
        named += [one.name for one in self.schema.fields if one.filter and one.name not in named]
        named += [one.name for one in self.schema.fields if one.type is not FieldType.FILE and one.name not in named]
        return (UNIT, *named[:_OWN_CHOICE])


def layout_of(row: RegisterRow, day: dt.date) -> Layout:
    """The columns of a register on a day: heads of that day, dropped fields of earlier versions behind them."""
    schema = schema_of(row, day)
    fields = {one.name: one for one in schema.fields}
    owners = dict.fromkeys(fields, schema)
    renamed = {old for one in schema.fields for old in one.renamed_from}
    for version in reversed([one for one in schema_versions(row) if one.version < schema.version]):
        for one in version.fields:
            if one.name not in fields and one.name not in renamed:
                fields[one.name], owners[one.name] = one, version
    slots = _slots(newest_schema(row), schema)
    columns = {UNIT: Column(UNIT, _FIXED[UNIT])}
    for name, one in fields.items():
        columns[name] = _column(owners[name], one, day, name in slots, name not in schema.by_name)
    columns[PERIOD] = Column(PERIOD, _FIXED[PERIOD])
    columns[VERSION] = Column(VERSION, _FIXED[VERSION], numeric=True)
    return Layout(row, schema, day, fields, owners, slots, columns)


def _slots(newest: Register, schema: Register) -> dict[str, int]:
    """The index columns are laid out by the newest version; a field that it renamed keeps its column."""
    found = dict(newest.slots)
    for one in newest.fields:
        for old in one.renamed_from:
            if one.name in newest.slots and old in schema.by_name:
                found[old] = newest.slots[one.name]
    protected = {one.name for one in schema.fields if one.sensitive}
    return {name: slot for name, slot in found.items() if name in schema.by_name and name not in protected}


def _column(schema: Register, one: Field, day: dt.date, sortable: bool, dropped: bool) -> Column:
    table = schema.codes_of(one)
    choices: Sequence[tuple[str, str]] = ()
    if table is not None and sortable:
        codes = dict.fromkeys(item.code for item in table.items)
        choices = [(code, table.label(code, day)) for code in codes]
    elif one.type is FieldType.BOOLEAN:
        choices = (("true", "是"), ("false", "否"))
    return Column(
        one.name, one.title, one.unit, one.type in _NUMBERS, sortable, bool(one.sensitive), dropped, tuple(choices)
    )
