"""What a writer is asked to do with one record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import Period
from jiaoheng.bureau.ledgers import sealing
from jiaoheng.registers.model import Data, Register, Value


def period_day(period: Period | None, at: dt.datetime | None = None) -> dt.date:
    """The day whose tree, schema and choices a record belongs to: the period's last day, or today while it runs.

    `at`: the moment of writing where it is not now (the demo, a move of house).
    """
    if period is None:
        return clock.local(at).date() if at else clock.today()
    last: dt.date = period.ends_on - dt.timedelta(days=1)
    return min(last, max(period.starts_on, clock.today()))


@dataclass(slots=True)  # not frozen: there is one a row, and freezing doubles the time of making it
class Change:
    """A new record (`record_id` None), new content of one, or its deletion (`data` None).

    `base` is the version number that the person saw; a record that has moved on since is refused, None takes any.
    """

    unit_id: int
    data: Data | None
    record_id: int | None = None
    base: int | None = None
    restored_from: int | None = None
    device_seq: int | None = None  # the device's own count of its edits: later ones win over its own earlier ones


@dataclass(slots=True)
class Written:
    """What one change became: the record, the number of its new version, whether it was new."""

    record_id: int
    number: int
    is_new: bool


def key_of(register: Register, data: Mapping[str, Value]) -> str:
    """The key of a record within unit and period: its key fields' values, "" for a register of one record each.

    Protected fields give their keyed hash: the key lies beside the record in the clear.
    """
    if register.has_sealed_key:
        parts = ((sealing.key_part(register, name, data.get(name)), data.get(name)) for name in register.key)
        return "\x1f".join(_text(value) if part is None else part for part, value in parts)[:300]
    return "\x1f".join(_text(data.get(name)) for name in register.key)[:300]


def keys_of(register: Register, rows: Sequence[Data]) -> list[str]:
    """`key_of` for many records."""
    if not register.key:
        return [""] * len(rows)
    if len(register.key) > 1 or register.has_sealed_key:
        return [key_of(register, data) for data in rows]
    name = register.key[0]
    values = [data.get(name) for data in rows]
    return [value[:300] if type(value) is str else _text(value)[:300] for value in values]


def _text(value: Value | None) -> str:
    if value is None:
        return ""
    return "、".join(value) if isinstance(value, list) else str(value)


def carried(register: Register, data: Mapping[str, Value]) -> Data:
    """Content of an earlier schema version under this version's names; values of dropped fields stay where they are."""
    made: Data = dict(data)
    for one in register.fields:
        if one.name in made:
            continue
        for old in one.renamed_from:
            if old in made:
                made[one.name] = made.pop(old)
                break
    return made
