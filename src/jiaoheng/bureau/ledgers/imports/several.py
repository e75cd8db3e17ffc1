"""Several filled workbooks as one: rows follow each other, each keeps its own file in every message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from jiaoheng.registers.model import FieldType, Register
from jiaoheng.registers.workbook_reading_model import Filled
from jiaoheng.sheets.places import Place


@dataclass(slots=True)
class Together(Filled):
    """Rows of several files; `files`: for each sheet the file that it is of."""

    files: list[str] = field(default_factory=list)

    def place(self, row: int, name: str = "") -> Place:
        """Where a field's cell of a row stands, with its own file."""
        sheet = self.sheet_of[row]
        column = self.column_of[sheet].get(name, 0)
        return Place(self.files[sheet], self.sheets[sheet], self.row_of[row], column)


def together(register: Register, parts: Sequence[Filled], label: str) -> Filled:
    """One Filled of many; a single one stays as it is."""
    if len(parts) == 1:
        return parts[0]
    found = Together(label, register)
    for one in parts:
        _append(found, one)
    with_column = set(found.cells)
    found.missing = tuple(
        one.name for one in register.fields if one.name not in with_column and one.type is not FieldType.FILE
    )
    return found


def _append(found: Together, one: Filled) -> None:
    before, sheets = found.count, len(found.sheets)
    for name, cells in one.cells.items():
        found.cells.setdefault(name, [None] * before).extend(cells)
    for cells in found.cells.values():
        cells.extend([None] * (before + one.count - len(cells)))
    for name, digits in one.digits.items():
        found.digits.setdefault(name, {}).update({row + before: many for row, many in digits.items()})
    found.records += one.records
    found.versions += one.versions
    # a row without a unit belongs to the unit that its own file names
    own = (one.meta.unit if one.meta is not None else "") or one.unit_hint or None
    found.units += [own if unit is None else unit for unit in one.units]
    found.periods += one.periods
    found.sheets += one.sheets
    found.files += [one.file] * len(one.sheets)
    found.sheet_of += [sheet + sheets for sheet in one.sheet_of]
    found.row_of += one.row_of
    found.column_of += one.column_of
    found.headers.update(one.headers)
    found.not_taken += one.not_taken
    found.notes += [f"{one.file}：{note}" for note in one.notes]
    found.questions += one.questions
    found.problems += one.problems
