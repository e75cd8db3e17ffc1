"""The sortable form of a record's filterable fields, as it lies in the slot columns of its version."""

from __future__ import annotations

from jiaoheng.methods.sort_keys import number_key, text_key
from jiaoheng.registers.model import SLOTS, Field, FieldType, Register, Value

_NUMBERS = frozenset({FieldType.INTEGER, FieldType.NUMBER})


def slot_key(one: Field, value: Value | None) -> str | None:
    """Key of one stored value, None for an absent one."""
    if value is None or isinstance(value, list):
        return None
    if isinstance(value, bool):
        return "1" if value else "0"
    if one.type in _NUMBERS:
        return number_key(value)
    return text_key(str(value))


def slot_keys(register: Register, data: dict[str, Value]) -> list[str | None]:
    """The SLOTS column values of a record."""
    made: list[str | None] = [None] * SLOTS
    for name, slot in register.slots.items():
        made[slot] = slot_key(register.by_name[name], data.get(name))
    return made
