"""Rows for an export: records of several versions of a register under the columns of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

from jiaoheng.registers.model import Data, Field, FieldType, Register, Value


@dataclass(slots=True)  # not frozen: there is one a row, and freezing doubles the time of making it
class ExportRow:
    """One record as it is exported; `schema`: version of the register under which it was stored (0: the present one)."""

    data: Data
    record: str = ""
    version: int = 0
    unit: str = ""
    unit_name: str = ""
    period: str = ""
    schema: int = 0


class ExportRows(Sequence[ExportRow]):
    """Rows whose contents are fetched part by part, so that a long export never lies in memory whole.

    heads: the rows without data; fetch(start, stop): the data of a part of them.
    """

    def __init__(self, heads: Sequence[ExportRow], fetch: Callable[[int, int], Sequence[Data]]) -> None:
        self.heads = heads
        self._fetch = fetch

    def __len__(self) -> int:
        return len(self.heads)

    @overload
    def __getitem__(self, index: int) -> ExportRow: ...
    @overload
    def __getitem__(self, index: slice) -> list[ExportRow]: ...
    def __getitem__(self, index: int | slice) -> ExportRow | list[ExportRow]:
        if isinstance(index, int):
            place = index if index >= 0 else len(self) + index
            return self[place : place + 1][0]
        start, stop, step = index.indices(len(self))
        made = [
            ExportRow(data, one.record, one.version, one.unit, one.unit_name, one.period, one.schema)
            for one, data in zip(self.heads[start:stop], self._fetch(start, stop), strict=True)
        ]
        return made[::step]


def heads_of(rows: Sequence[ExportRow]) -> Sequence[ExportRow]:
    """The rows as far as their data is not needed."""
    return rows.heads if isinstance(rows, ExportRows) else rows


def parts_of(rows: Sequence[ExportRow], size: int) -> Iterator[Sequence[ExportRow]]:
    """The rows in parts, in order."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


@dataclass(frozen=True, slots=True)
class ExportNote:
    """What the first sheet says: the filter in words, as of when, who made it and when."""

    filter: str = ""
    as_of: str = ""
    made_by: str = ""
    made_at: str = ""
    watermark: str = ""


def carried(data: Data, register: Register) -> Data:
    """An older version's record under the names of `register`: renamed fields follow, others stay as they are."""
    renamed = {old: one.name for one in register.fields for old in one.renamed_from}
    if not renamed.keys() & data.keys():
        return data
    moved: dict[str, Value] = {}
    for name, value in data.items():
        moved.setdefault(renamed.get(name, name), value)
    return moved


def export_fields(
    register: Register, versions: Sequence[Register], schemas: set[int], names: Sequence[str] | None
) -> list[Field]:
    """The columns: the register's fields, then those that only older versions of the rows had.

    names: the columns chosen, in their order; a name that is no field is left out.
    """
    fields = {one.name: one for one in register.fields}
    renamed = {old for one in register.fields for old in one.renamed_from}
    for version in sorted(versions, key=lambda one: -one.version):
        if version.version in schemas:
            for one in version.fields:
                if one.name not in renamed:
                    fields.setdefault(one.name, one)
    chosen = list(fields.values()) if names is None else [fields[name] for name in names if name in fields]
    return [one for one in chosen if one.type is not FieldType.FILE]


def having(register: Register, versions: Sequence[Register], fields: Sequence[Field]) -> Mapping[int, frozenset[str]]:
    """Schema version → names (as exported) of the columns that it has."""
    found: dict[int, frozenset[str]] = {}
    present = {old: one.name for one in register.fields for old in one.renamed_from}
    for version in versions:
        found[version.version] = frozenset(present.get(one.name, one.name) for one in version.fields)
    found[register.version] = found[0] = frozenset(one.name for one in register.fields)
    return found
