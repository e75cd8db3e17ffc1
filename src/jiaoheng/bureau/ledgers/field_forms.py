"""One field of a form: widget, choices of the day, current text, last period's value, remarks. Plain data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jiaoheng.bureau.ledgers.masking_rules import shown
from jiaoheng.registers.masking import mask_field
from jiaoheng.registers.model import Data, Field, FieldType, Register, Value
from jiaoheng.registers.sealed import Sealed
from jiaoheng.registers.values import show

FEW = 4  # so many choices are buttons side by side; more are a list
_KINDS = {
    FieldType.STRING: "text",
    FieldType.INTEGER: "integer",
    FieldType.NUMBER: "number",
    FieldType.BOOLEAN: "radio",
    FieldType.DATE: "date",
    FieldType.DATETIME: "datetime",
    FieldType.TIME: "time",
    FieldType.YEAR: "year",
    FieldType.YEARMONTH: "month",
    FieldType.ARRAY: "checkboxes",
    FieldType.FILE: "file",
}
_KEYBOARDS = {"phone": "tel", "mobile": "tel", "email": "email", "bank_card": "numeric", "postcode": "numeric"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice. `ended`: it no longer holds and stands here only because the record has it."""

    value: str
    label: str
    chosen: bool
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Remark:
    """What an approver wrote: at a field, or at the whole filing (field empty)."""

    field: str
    text: str
    by: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class FieldForm:
    """One field ready to be shown.

    `kind`: text, textarea, integer, number, radio, select, checkboxes, date, datetime, time, year, month, file, photo,
    secret. `text`: what stands in the input; `chosen`: of checkboxes and files. A secret field's input is empty:
    `masked` is shown beside it, typing replaces the value, leaving it blank keeps it. `keyboard`: HTML inputmode.
    """

    name: str
    kind: str
    title: str
    help: str
    unit: str
    required: bool
    text: str
    chosen: tuple[str, ...]
    choices: tuple[Choice, ...]
    masked: str
    previous: str
    previous_text: str
    error: str
    warning: str
    remarks: tuple[Remark, ...]
    keyboard: str
    max_length: int | None
    low: str
    high: str
    carry: bool


def field_form(
    register: Register,
    one: Field,
    day: dt.date,
    data: Data,
    *,
    typed: Mapping[str, Any] | None = None,
    previous: Data | None = None,
    error: str = "",
    warning: str = "",
    remarks: Sequence[Remark] = (),
) -> FieldForm:
    """One field with the record's value, or with what was typed over it; `previous`: last period's content."""
    value = data.get(one.name)
    before = (previous or {}).get(one.name)
    text, chosen = _current(register, one, day, value, typed)
    kind = kind_of(register, one, day)
    return FieldForm(
        name=one.name,
        kind=kind,
        title=one.title,
        help=one.help,
        unit=one.unit,
        required=one.required or one.name in register.key,
        text=text,
        chosen=chosen,
        choices=_choices(register, one, day, value, (text, *chosen)),
        masked=mask_field(value, one) if one.sensitive else "",
        previous=shown(register, one, before, day),
        previous_text="" if one.sensitive else input_text(register, one, day, before),
        error=error,
        warning=warning,
        remarks=tuple(remarks),
        keyboard=_keyboard(one, kind),
        max_length=one.max_length,
        low="" if one.minimum is None else str(one.minimum),
        high="" if one.maximum is None else str(one.maximum),
        carry=one.carry,
    )


def kind_of(register: Register, one: Field, day: dt.date) -> str:
    """Which widget a field gets: the one that its schema asks for, else by type and number of choices."""
    if one.sensitive:
        return "secret"
    if one.type is FieldType.FILE:
        return "photo" if one.widget == "photo" else "file"
    if one.type is FieldType.ARRAY:
        return "checkboxes"
    table = register.codes_of(one)
    if table is not None:
        return one.widget if one.widget in ("radio", "select") else _listed(len(table.valid(day)))
    if one.type is FieldType.STRING and one.widget == "textarea":
        return "textarea"
    return _KINDS[one.type]


def _listed(count: int) -> str:
    return "radio" if count <= FEW else "select"


def input_text(register: Register, one: Field, day: dt.date, value: Value | None) -> str:
    """A stored value as the text of its input: codes stay codes, moments are Beijing time."""
    if value is None or isinstance(value, list):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if one.type is FieldType.DATETIME:
        return show(value, one, register, day).replace(" ", "T")
    return str(value)


def _current(
    register: Register, one: Field, day: dt.date, value: Value | None, typed: Mapping[str, Any] | None
) -> tuple[str, tuple[str, ...]]:
    if typed is not None and one.name in typed:
        given = typed[one.name]
        if isinstance(given, (list, tuple)):
            return "", tuple(str(item) for item in given)
        if isinstance(given, bool):
            return ("true" if given else "false"), ()
        return ("" if given is None else str(given)), ()
    if one.sensitive:
        return "", ()
    if isinstance(value, list):
        return "", tuple(value)
    return input_text(register, one, day, value), ()


def _choices(
    register: Register, one: Field, day: dt.date, value: Value | None, current: Sequence[str]
) -> tuple[Choice, ...]:
    """The choices that hold on the day, and behind them those that the record has though they ended."""
    if one.type is FieldType.BOOLEAN:
        words = (("true", "是"), ("false", "否"))
        picked = {"是": "true", "否": "false"}.get(current[0], current[0])
        return tuple(Choice(key, label, key == picked) for key, label in words)
    table = register.codes_of(one)
    if table is None:
        return ()
    valid = table.valid(day)
    picked_ones = set(current)
    found = [Choice(code, label, bool(picked_ones & {code, label})) for code, label in valid.items()]
    if isinstance(value, Sealed):  # what a protected field holds is not offered
        value = None
    held = value if isinstance(value, list) else [str(value)] if value is not None else []
    for code in held:
        if code in valid:
            continue
        end = table.ended(code, day)
        since = f"（{end:%Y-%m-%d} 停用）" if end is not None else "（此时未启用）"
        found.append(Choice(code, f"{table.label(code, day)}{since}", code in picked_ones, ended=True))
    return tuple(found)


def _keyboard(one: Field, kind: str) -> str:
    if kind == "integer":
        return "numeric"
    if kind == "number":
        return "decimal"
    return _KEYBOARDS.get(one.check, "")
