"""Many rows of a register checked at once: form of each value, required ones, duplicates, rules between fields, jumps.

Two steps, because a file seldom holds whole records: `parse_rows` turns raw cells into values; the caller finds the
current record of each row (`differences.match`); `check_rows` judges what the records would become. `validate` does both
for rows that stand alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jiaoheng.registers.model import CheckLevel, Data, FieldType, Register, Value, Wrong
from jiaoheng.registers.validation_columns import Column, read_column
from jiaoheng.registers.validation_rows import broken_rules, duplicates, jumps
from jiaoheng.sheets.workbook import Cell


@dataclass(frozen=True, slots=True)
class Parsed:
    """Raw cells read column by column. `columns` holds only fields that were given."""

    register: Register
    at: dt.date  # the day whose codes hold: the period's reference date
    count: int
    columns: Mapping[str, Column]

    def given(self) -> list[Data]:
        """For each row the values that its cells hold; blank, cleared, masked and wrong ones are absent."""
        names = list(self.columns)
        if not names:
            return [{} for _ in range(self.count)]
        lists = [column.values for column in self.columns.values()]
        made: list[Data] = [dict(zip(names, row)) for row in zip(*lists, strict=True)]  # noqa: B905 (as many as names)
        for name, values in zip(names, lists, strict=True):
            if None in values:  # few columns have blanks: looking for them in every row would take longer
                for data, value in zip(made, values, strict=True):
                    if value is None:
                        del data[name]
        return made


@dataclass(slots=True)
class Checked:
    """What the rows would become and what is wrong with them; rows are counted from 0.

    `given`: what the file says (for a new row the same object as its data); `data`: the whole record afterwards (base with the given values, cleared ones gone).
    `incomplete`: row → required fields that the file has no column for (such a row can only be a draft).
    """

    given: list[Data]
    data: list[Data]
    wrongs: dict[int, list[Wrong]] = field(default_factory=dict)
    incomplete: dict[int, tuple[str, ...]] = field(default_factory=dict)
    cleared: dict[int, tuple[str, ...]] = field(default_factory=dict)
    masked: dict[str, int] = field(default_factory=dict)  # field → cells that held masked values and were not taken

    def add(self, row: int, wrong: Wrong) -> None:
        """Note one more thing."""
        self.wrongs.setdefault(row, []).append(wrong)

    def blocked(self, row: int) -> bool:
        """Whether a row cannot be stored."""
        return any(wrong.level is CheckLevel.BLOCK for wrong in self.wrongs.get(row, ()))

    @property
    def blocking(self) -> int:
        """Number of blocking remarks."""
        return sum(w.level is CheckLevel.BLOCK for found in self.wrongs.values() for w in found)


def parse_rows(
    register: Register,
    cells: Mapping[str, Sequence[Cell]],
    *,
    at: dt.date,
    digits: Mapping[str, Mapping[int, int]] | None = None,
) -> Parsed:
    """Raw cells by field name (columns of equal length) → stored values.

    `at`: the day whose choices hold. `digits`: field → row → digits to which a number cell's format pads zeros.
    Raises KeyError for a name that is no field, ValueError for columns of different length.
    """
    lengths = {len(column) for column in cells.values()}
    if len(lengths) > 1:
        raise ValueError(f"columns of different length: {sorted(lengths)}")
    columns = {
        name: read_column(column, register.by_name[name], register, at, (digits or {}).get(name))
        for name, column in cells.items()
        if register.by_name[name].type is not FieldType.FILE
    }
    return Parsed(register, at, lengths.pop() if lengths else 0, columns)


def check_rows(
    parsed: Parsed,
    *,
    units: Sequence[str | None] | None = None,
    base: Sequence[Data | None] | None = None,
    previous: Sequence[Data | None] | None = None,
    today: dt.date | None = None,
    name_row: Callable[[int, str], str] | None = None,
    once_each: bool = True,
) -> Checked:
    """Judge what the records become.

    units: unit code of each row (part of the key). base: the current record of each row, whose values stay where the
    file is blank. previous: last period's record (jumps, `last(field)`). today: for rules; `at` unless given.
    name_row(row, field): how a message names an earlier row, e.g. its cell A3. once_each: whether two rows of one unit
    need different keys.
    """
    register, given = parsed.register, parsed.given()
    cleared = _cleared(parsed)
    data = _merged(given, base, cleared)
    checked = Checked(given, data, {}, {}, cleared, _masked(parsed))
    for name, column in parsed.columns.items():
        for row, wrongs in column.wrongs.items():
            kept = _kept(base, row, name, column)
            for wrong in wrongs:
                if not (wrong.code == "code-ended" and kept):
                    checked.add(row, wrong)
            if kept:
                checked.data[row][name] = column.ended[row]
    _required(parsed, checked, base)
    namer = name_row or (lambda row, name: f"第 {row + 1} 行")
    for row, wrong in duplicates(register, data, units or [None] * parsed.count, namer, once_each):
        checked.add(row, wrong)
    for row, wrong in broken_rules(register, data, previous, today or parsed.at, parsed.at, checked.wrongs):
        checked.add(row, wrong)
    for row, wrong in jumps(register, data, previous, parsed.at):
        checked.add(row, wrong)
    return checked


def validate(
    register: Register,
    cells: Mapping[str, Sequence[Cell]],
    *,
    at: dt.date,
    units: Sequence[str | None] | None = None,
    previous: Sequence[Data | None] | None = None,
    name_row: Callable[[int, str], str] | None = None,
) -> Checked:
    """Check rows that stand alone (no current records). See `parse_rows` and `check_rows`."""
    return check_rows(parse_rows(register, cells, at=at), units=units, previous=previous, name_row=name_row)


def check_data(
    register: Register,
    data: Data,
    *,
    at: dt.date,
    base: Data | None = None,
    previous: Data | None = None,
    today: dt.date | None = None,
) -> list[Wrong]:
    """Check one record of stored values (a form, an API call); `base` is the record as it stands.

    Values are read again by their stored form, so that nothing can be stored that a file could not give.
    """
    known = {name: value for name, value in data.items() if name in register.by_name}
    strange = [Wrong("field-unknown", name, f"没有“{name}”这一项", "请删去") for name in data if name not in known]
    cells: dict[str, list[Any]] = {
        one.name: [_as_cell(known.get(one.name))] for one in register.fields if one.type is not FieldType.FILE
    }
    parsed = parse_rows(register, cells, at=at)
    files = {n: v for n, v in known.items() if register.by_name[n].type is FieldType.FILE}
    # what is absent from `data` is gone, so that only the ended choices of the base count, not its other values
    held = {name: value for name, value in (base or {}).items() if data.get(name) == value} | files
    return strange + check_rows(parsed, base=[held], previous=[previous], today=today).wrongs.get(0, [])


def _as_cell(value: Value | None) -> Cell:
    return "、".join(value) if isinstance(value, list) else value


def _cleared(parsed: Parsed) -> dict[int, tuple[str, ...]]:
    found: dict[int, list[str]] = {}
    for name, column in parsed.columns.items():
        for row in column.cleared:
            found.setdefault(row, []).append(name)
    return {row: tuple(names) for row, names in sorted(found.items())}


def _masked(parsed: Parsed) -> dict[str, int]:
    return {name: len(column.masked) for name, column in parsed.columns.items() if column.masked}


def _merged(
    given: list[Data], base: Sequence[Data | None] | None, cleared: Mapping[int, tuple[str, ...]]
) -> list[Data]:
    if base is None:
        return given
    merged = [{**old, **new} if old is not None else new for old, new in zip(base, given, strict=True)]
    for row, names in cleared.items():
        for name in names:
            merged[row].pop(name, None)
    return merged


def _kept(base: Sequence[Data | None] | None, row: int, name: str, column: Column) -> bool:
    """Whether a choice that has ended stands in the record already: it stays."""
    if base is None or row not in column.ended:
        return False
    old = base[row]
    return old is not None and old.get(name) == column.ended[row]


def _required(parsed: Parsed, checked: Checked, base: Sequence[Data | None] | None) -> None:
    """Required values that the record would lack, in the file's own columns and in those that it does not have."""
    incomplete: dict[int, list[str]] = {}
    for one in parsed.register.fields:
        if not one.required and one.name not in parsed.register.key:
            continue
        column = parsed.columns.get(one.name)
        if column is not None and base is None and None not in column.values:
            continue
        lacking = [row for row, data in enumerate(checked.data) if one.name not in data]
        for row in lacking:
            if column is None or (row in column.masked and base is None):
                incomplete.setdefault(row, []).append(one.name)
            elif row not in column.wrongs:
                what = "清空" if row in column.cleared else "空着"
                checked.add(row, Wrong("value-missing", one.name, f"必填的“{one.title}”{what}", "请填写"))
    checked.incomplete = {row: tuple(names) for row, names in sorted(incomplete.items())}
