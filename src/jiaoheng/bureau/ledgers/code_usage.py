"""Where the choices of a code table are used: fields of registers, and how many current records hold a choice."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import F

from jiaoheng.bureau.ledgers.models import RecordVersion, RegisterRow
from jiaoheng.bureau.ledgers.models.records import CURRENT
from jiaoheng.bureau.ledgers.registry import schema_versions
from jiaoheng.registers.model import Field, FieldType
from jiaoheng.registers.sealed import Sealed


@dataclass(frozen=True, slots=True)
class Use:
    """A field of a register that takes its choices from the table; `records`: current ones that hold the choice."""

    register: str
    title: str
    field: str
    field_title: str
    records: int


def fields_of_table(table: str) -> list[tuple[RegisterRow, Field]]:
    """Every field that uses a table in any version of a register, once a field name (its newest head)."""
    found: list[tuple[RegisterRow, Field]] = []
    for row in RegisterRow.objects.order_by("title"):
        named = {one.name: one for version in schema_versions(row) for one in version.fields if one.codes == table}
        found += [(row, one) for one in named.values()]
    return found


def uses_of(table: str, code: str) -> list[Use]:
    """The fields of a table with the number of current records that hold a code."""
    return [
        Use(row.name, row.title, one.name, one.title, _count(row, one, code, current=True))
        for row, one in fields_of_table(table)
    ]


def was_used(table: str, code: str) -> bool:
    """Whether any version of any record, old ones included, holds a code."""
    return any(_count(row, one, code, current=False) for row, one in fields_of_table(table))


def _count(row: RegisterRow, one: Field, code: str, *, current: bool) -> int:
    versions = RecordVersion.objects.filter(register=row, **{f"data__{one.name}__isnull": False})
    if current:
        versions = versions.filter(CURRENT)
    if one.is_sealed:
        found = versions.values_list(F(f"data__{one.name}"), flat=True).iterator()
        values = (each.open() if isinstance(each, Sealed) else each for each in found)
        return sum(code in value if isinstance(value, list) else code == value for value in values)
    if one.type is FieldType.ARRAY:
        return sum(code in value for value in versions.values_list(F(f"data__{one.name}"), flat=True).iterator())
    return int(versions.filter(**{f"data__{one.name}": code}).count())
