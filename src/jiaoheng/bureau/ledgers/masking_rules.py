"""How values of records are shown: in the words of a day, protected columns always masked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from jiaoheng.registers.masking import mask_field
from jiaoheng.registers.model import Data, Field, FieldType, Register, Value
from jiaoheng.registers.values import show
from jiaoheng.registers.values_numbers import exact, grouped

ABSENT = "—"
_NUMBERS = (FieldType.INTEGER, FieldType.NUMBER)


def shown(register: Register, one: Field, value: Value | None, at: dt.date) -> str:
    """A value for people: label of the day, masked where the column is protected, "" where there is none.

    What is counted or measured (a number with a unit) has a comma every three digits; a year or a number without a
    unit, which may be a name, has none.
    """
    if value is None:
        return ""
    if one.sensitive:
        return mask_field(value, one)
    if one.type in _NUMBERS and one.unit and one.unit != "年":
        return grouped(exact(value))
    return show(value, one, register, at)


def identity_words(register: Register, data: Mapping[str, Value], at: dt.date) -> str:
    """The name of a record: the shown values of its identity fields; "" where they are all absent."""
    parts = [shown(register, one, data.get(one.name), at) for one in register.identity_fields]
    return " ".join(part for part in parts if part)


def differences(register: Register, old: Data, new: Data, at: dt.date) -> list[dict[str, Any]]:
    """The changes between two contents as audit entries hold them: values as shown on that day, masked.

    A protected value whose mask did not change (another number with the same ends) is still told as changed.
    """
    made = []
    for one in register.fields:
        before, after = old.get(one.name), new.get(one.name)
        if before == after:
            continue
        told: dict[str, Any] = {
            "field": one.name,
            "title": one.title,
            "old": None if before is None else shown(register, one, before, at),
            "new": None if after is None else shown(register, one, after, at),
        }
        made.append(told)
    return made
