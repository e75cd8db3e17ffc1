"""The sortable form of a record's filterable fields, as it lies in the slot columns of its version."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jiaoheng.methods.sort_keys import number_key, text_key
from jiaoheng.registers.model import SLOTS, Data, Field, FieldType, Register, Value

_SHORT = 60
_LENGTHS = [f"{length:02d}" for length in range(_SHORT + 1)]
_SMALL = 10**15
_NUMBERS = frozenset({FieldType.INTEGER, FieldType.NUMBER})
Keys = list[str | None]


def slot_key(one: Field, value: Value | None) -> str | None:
    """Key of one stored value, None for an absent one."""
    if value is None or isinstance(value, list):
        return None
    if isinstance(value, bool):
        return "1" if value else "0"
    return _maker(one)(value)


def _maker(one: Field) -> Callable[[str | int], str]:
    return _number if one.type in _NUMBERS else _text


def _number(value: str | int) -> str:
    """`number_key`, with a short way for the usual small count."""
    if isinstance(value, int) and 0 <= value < _SMALL:
        return f"0{value:018d}."
    return number_key(value)


def _text(value: str | int) -> str:
    """`text_key`, with a short way for codes that are one number: a roster has as many of them as rows."""
    text = str(value)
    if text.isdigit() and text.isascii() and len(text) <= _SHORT:
        bare = text.lstrip("0") or "0"
        return f"{len(bare):02d}{bare}"
    return text_key(text)


def _text_keys(texts: Sequence[str]) -> Keys:
    """`_text` of many; codes of the usual form without a call each."""
    if max(map(len, texts), default=0) <= _SHORT:
        whole = "".join(texts)
        if whole.isdigit() and whole.isascii() and "" not in texts:
            return [_LENGTHS[len(bare)] + bare for bare in [text.lstrip("0") or "0" for text in texts]]
    return list(map(_text, texts))


def slot_keys(register: Register, data: Data) -> Keys:
    """The SLOTS column values of a record."""
    made: Keys = [None] * SLOTS
    for name, slot in register.slots.items():
        made[slot] = slot_key(register.by_name[name], data.get(name))
    return made


def slot_columns(register: Register, rows: Sequence[Data]) -> list[Keys]:
    """The SLOTS columns of many records: each different value of a column is turned into its key once."""
    columns: list[Keys] = [[None] * len(rows) for _ in range(SLOTS)]
    for name, slot in register.slots.items():
        one = register.by_name[name]
        values = [row.get(name) for row in rows]
        if set(map(type, values)) == {str} and one.type not in _NUMBERS:
            texts: list[Any] = values
            different = set(texts)
            if len(different) * 2 > len(texts):  # nearly each its own: a dictionary of them would be in vain
                columns[slot] = _text_keys(texts)
            else:
                known = dict(zip(different, _text_keys(list(different)), strict=True))
                columns[slot] = list(map(known.__getitem__, texts))
            continue
        try:
            keys = {value: slot_key(one, value) for value in set(values)}
        except TypeError:  # a list where none belongs
            columns[slot] = [slot_key(one, value) for value in values]
            continue
        if True in keys or False in keys:  # a truth value and 1 are the same dictionary key
            columns[slot] = [slot_key(one, value) for value in values]
        else:
            columns[slot] = [keys[value] for value in values]
    return columns
