"""What a writer is asked to do with one record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jiaoheng.registers.model import Data, Register, Value


@dataclass(frozen=True, slots=True)
class Change:
    """A new record (`record_id` None), new content of one, or its deletion (`data` None).

    `base` is the version number that the person saw; a record that has moved on since is refused, None takes any.
    """

    unit_id: int
    data: Data | None
    record_id: int | None = None
    base: int | None = None
    restored_from: int | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What one change became: the record, the number of its new version, whether it was new."""

    record_id: int
    number: int
    is_new: bool


def key_of(register: Register, data: Mapping[str, Value]) -> str:
    """The key of a record within unit and period: its key fields' values, "" for a register of one record each."""
    return "\x1f".join(_text(data.get(name)) for name in register.key)[:300]


def _text(value: Value | None) -> str:
    if value is None:
        return ""
    return "、".join(value) if isinstance(value, list) else str(value)
