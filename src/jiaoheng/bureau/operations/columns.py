"""A table's columns and the one form in which a backup writes their values, whatever database they come from.

| kind | form in the backup (JSON) |
|---|---|
| boolean | true, false |
| integer, float | number |
| decimal, text | text |
| datetime | `2025-09-15 04:00:00.000000`, UTC |
| date, time | ISO text |
| uuid | 32 hex digits |
| json | text of the JSON value |
| binary | base64 |
| duration | microseconds |
"""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_KINDS = {
    "BooleanField": "boolean",
    "NullBooleanField": "boolean",
    "DateTimeField": "datetime",
    "DateField": "date",
    "TimeField": "time",
    "JSONField": "json",
    "UUIDField": "uuid",
    "BinaryField": "binary",
    "DecimalField": "decimal",
    "FloatField": "float",
    "DurationField": "duration",
}
_INTEGERS = ("IntegerField", "AutoField")
Turn = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Table:
    """Name, and name and kind of each column; `auto` is the column that counts by itself, "" where none does."""

    name: str
    columns: tuple[tuple[str, str], ...]
    key: str
    auto: str = ""


def table_of(model: Any) -> Table:
    """A model's table."""
    options = model._meta
    columns = tuple((field.column, _kind(field)) for field in options.local_concrete_fields)
    auto = options.pk.column if options.pk.get_internal_type().endswith("AutoField") else ""
    return Table(options.db_table, columns, options.pk.column, auto)


def _kind(field: Any) -> str:
    while field.remote_field is not None and getattr(field, "target_field", None) is not None:
        field = field.target_field
    internal = field.get_internal_type()
    if internal in _KINDS:
        return _KINDS[internal]
    return "integer" if internal.endswith(_INTEGERS) else "text"


def turns_out(table: Table, vendor: str) -> list[tuple[int, Turn]]:
    """Per column that needs it: index, and the function from the driver's value to the backup's."""
    maker = _from_sqlite if vendor == "sqlite" else _from_postgresql
    return [(index, turn) for index, (_name, kind) in enumerate(table.columns) if (turn := maker(kind)) is not None]


def turns_in(table: Table, vendor: str) -> list[tuple[int, Turn]]:
    """Per column that needs it: index, and the function from the backup's value to the driver's."""
    maker = _to_sqlite if vendor == "sqlite" else _to_postgresql
    return [(index, turn) for index, (_name, kind) in enumerate(table.columns) if (turn := maker(kind)) is not None]


def _from_sqlite(kind: str) -> Turn | None:
    turns: dict[str, Turn] = {
        "boolean": bool,
        "datetime": _moment_text,
        "decimal": str,
        "binary": lambda value: base64.b64encode(value).decode(),
    }
    return turns.get(kind)


def _moment_text(value: str) -> str:
    """SQLite's text of a moment, always with its microseconds."""
    return value if "." in value else f"{value}.000000"


def _from_postgresql(kind: str) -> Turn | None:
    turns: dict[str, Turn] = {
        "datetime": lambda value: value.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
        "date": lambda value: value.isoformat(),
        "time": lambda value: value.isoformat(),
        "uuid": lambda value: value.hex,
        "json": lambda value: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False),
        "decimal": str,
        "binary": lambda value: base64.b64encode(bytes(value)).decode(),
        "duration": lambda value: value // dt.timedelta(microseconds=1),
        "text": str,  # inet too
    }
    return turns.get(kind)


def _to_sqlite(kind: str) -> Turn | None:
    turns: dict[str, Turn] = {
        # as Django writes it: no fraction where there is none, or two moments that are equal would not compare so
        "datetime": lambda value: value.removesuffix(".000000"),
        "binary": base64.b64decode,
    }
    return turns.get(kind)


def _to_postgresql(kind: str) -> Turn | None:
    turns: dict[str, Turn] = {
        "datetime": lambda value: f"{value}+00",
        "binary": base64.b64decode,
        "duration": lambda value: f"{value} microseconds",
    }
    return turns.get(kind)
