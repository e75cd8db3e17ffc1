"""A file's rows against the current records: new, changed (cell by cell), same, wrong; and what the file does not have.

Pure functions on plain data. Nothing is ever deleted because a file lacks it, and a blank cell changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from jiaoheng.registers.masking import mask_field
from jiaoheng.registers.model import Data, Field, Register, Value, Wrong
from jiaoheng.registers.validation import Checked, Parsed


class RowState(StrEnum):
    """What an import would do with a row."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    WRONG = "wrong"


_NEW, _SAME = RowState.NEW, RowState.SAME  # a member's name is looked up slowly, and there is one a row


@dataclass(frozen=True, slots=True)
class Current:
    """A record as it stands. `older`: version → data, as far as the caller has it, to tell who changed a cell."""

    id: str
    version: int
    data: Data
    unit: str = ""
    period: str = ""
    older: Mapping[int, Data] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CellChange:
    """One value that the file changes; `new` None: cleared."""

    field: str
    old: Value | None
    new: Value | None


@dataclass(frozen=True, slots=True)
class Conflict:
    """A cell that somebody else changed since the file was made, and the file too, otherwise."""

    field: str
    base: Value | None  # as it was when the file was made; None where that is not known or was empty
    theirs: Value | None
    mine: Value | None


@dataclass(slots=True)  # not frozen: there is one a row, and freezing doubles the time of making it
class RowDifference:
    """One row of the file. `incomplete`: required fields it lacks, so that it can only be a draft."""

    row: int
    state: RowState
    record: Current | None
    data: Data  # the whole record afterwards
    changes: tuple[CellChange, ...] = ()
    wrongs: tuple[Wrong, ...] = ()
    incomplete: tuple[str, ...] = ()
    conflicts: tuple[Conflict, ...] = ()


@dataclass(frozen=True, slots=True)
class Differences:
    """All rows in the order of the file, and the records that the file does not have."""

    rows: tuple[RowDifference, ...]
    missing: tuple[Current, ...] = ()
    masked: Mapping[str, int] = field(default_factory=dict)  # field → masked cells, not taken

    def count(self, state: RowState) -> int:
        """Number of rows of one state."""
        return sum(row.state is state for row in self.rows)

    @property
    def cleared(self) -> int:
        """Number of values that would be emptied."""
        return sum(change.new is None for row in self.rows for change in row.changes)

    @property
    def conflicts(self) -> int:
        """Number of cells in conflict."""
        return sum(len(row.conflicts) for row in self.rows)

    @property
    def drafts(self) -> int:
        """Number of rows that can only be drafts."""
        return sum(bool(row.incomplete) for row in self.rows)

    def sentence(self, register: Register) -> str:
        """What the import would do, in one line: 新增 0，变更 1，相同 22。2 条在文件中没有，未作改动。"""
        states = Counter(row.state for row in self.rows)
        words = [f"新增 {states[RowState.NEW]}", f"变更 {states[RowState.CHANGED]}", f"相同 {states[RowState.SAME]}"]
        if states[RowState.WRONG]:
            words.append(f"有错 {states[RowState.WRONG]}")
        if self.cleared:
            words.append(f"清空 {self.cleared}")
        parts = ["，".join(words) + "。"]
        if self.conflicts:
            parts.append(f"{self.conflicts} 处在您下载之后已被他人改动，须选定。")
        if self.drafts:
            parts.append(f"{self.drafts} 条缺必填项，只能存为草稿。")
        if self.missing:
            parts.append(f"{len(self.missing)} 条在文件中没有，未作改动。")
        for name, cells in self.masked.items():
            parts.append(f"“{register.by_name[name].title}”有 {cells} 个脱敏值，未导入。")
        return "".join(parts)


@dataclass(slots=True)
class Matched:
    """Current record of each row (None: new), and rows that point nowhere or twice at the same record."""

    records: list[Current | None]
    wrongs: list[tuple[int, Wrong]] = field(default_factory=list)


def match(
    parsed: Parsed,
    current: Sequence[Current],
    *,
    records: Sequence[str | None] | None = None,
    units: Sequence[str | None] | None = None,
    periods: Sequence[str | None] | None = None,
    name_row: Callable[[int, str], str] | None = None,
) -> Matched:
    """Find the record of each row: by record id where the file has it, else by unit, period and key.

    Keys of records that are known by id already are not matched again. A record id that is not among `current` (another
    unit's, or gone) is a wrong row, never a new one.
    """
    register, count = parsed.register, parsed.count
    none: list[str | None] = [None] * count
    ids = records if records is not None else none
    found: list[Current | None] = [None] * count
    wrongs: list[tuple[int, Wrong]] = []
    by_id = {one.id: one for one in current}
    taken: dict[str, int] = {}
    for row, record in enumerate(ids):
        if not record:
            continue
        known = by_id.get(record)
        if known is None:
            told = "这一行的记录编号不在可改动的记录中"
            wrongs.append((row, Wrong("record-unknown", "", told, "请不要复制隐藏列；新增的行请清空记录编号")))
        elif taken.setdefault(record, row) != row:
            first = name_row(taken[record], "") if name_row is not None else f"第 {taken[record] + 1} 条"
            told = f"与 {first} 是同一条记录（多半是整行复制）"
            wrongs.append((row, Wrong("record-twice", "", told, "新增的行请另起一行填写，或清空记录编号")))
        else:
            found[row] = known
    by_key = _by_key(register, [one for one in current if one.id not in taken])
    if by_key:
        keys = _keys(parsed, units or none, periods or none)
        refused = {row for row, _ in wrongs}
        for row, key in enumerate(keys):
            if found[row] is None and row not in refused and None not in key[2:]:
                one = by_key.get(key)
                if one is not None and taken.setdefault(one.id, row) == row:
                    found[row] = one
    return Matched(found, wrongs)


def clashes(parsed: Parsed, matched: Matched, current: Sequence[Current]) -> list[tuple[int, Wrong]]:
    """Unique values that a record outside the file has already."""
    found: list[tuple[int, Wrong]] = []
    inside = {record.id for record in matched.records if record is not None}
    for one in parsed.register.fields:
        if not one.unique or one.name not in parsed.columns or parsed.register.key == (one.name,):
            continue
        held = {repr(r.data[one.name]) for r in current if one.name in r.data and r.id not in inside}
        for row, value in enumerate(parsed.columns[one.name].values):
            if value is not None and held and repr(value) in held:
                told = f"{one.title}“{mask_field(value, one)}”已有一条记录"
                found.append((row, Wrong("value-repeated", one.name, told, "这一项不能重复，请核对后改正")))
    return found


def _by_key(register: Register, current: Sequence[Current]) -> dict[Any, Current]:
    return {(one.unit, one.period, *(one.data.get(name) for name in register.key)): one for one in current}


def _keys(parsed: Parsed, units: Sequence[str | None], periods: Sequence[str | None]) -> list[Any]:
    nothing: list[Value | None] = [None] * parsed.count
    columns = [parsed.columns[name].values if name in parsed.columns else nothing for name in parsed.register.key]
    owners, times = [unit or "" for unit in units], [period or "" for period in periods]
    return list(zip(owners, times, *columns, strict=True))


def settle(parsed: Parsed, matched: Matched, versions: Sequence[int | None]) -> None:
    """Take back what a stale file did not itself change, so that it never undoes what others did since.

    Where a row was made from an older version whose data is known, a value equal to that version's was not edited: it
    is treated as blank. Changes `parsed` in place.
    """
    for row, (record, version) in enumerate(zip(matched.records, versions, strict=True)):
        if record is None or version is None or version >= record.version or version not in record.older:
            continue
        base = record.older[version]
        for name, column in parsed.columns.items():
            if column.values[row] is not None and column.values[row] == base.get(name):
                column.values[row] = None


def compare(
    checked: Checked,
    matched: Matched,
    *,
    current: Sequence[Current] = (),
    versions: Sequence[int | None] | None = None,
    scope: set[tuple[str, str]] | None = None,
) -> Differences:
    """The differences of all rows. `checked` is of the rows with their records as base.

    current: the records to look for what the file lacks, all of them or those of `scope` (unit, period) alone;
    versions: of the records that the rows were made from.
    """
    for row, wrong in matched.wrongs:
        checked.add(row, wrong)
    rows = [
        _row(row, checked, record, versions[row] if versions is not None else None)
        for row, record in enumerate(matched.records)
    ]
    present = {record.id for record in matched.records if record is not None}
    missing = tuple(
        one for one in current if one.id not in present and (scope is None or (one.unit, one.period) in scope)
    )
    return Differences(tuple(rows), missing, dict(checked.masked))


def _row(row: int, checked: Checked, record: Current | None, version: int | None) -> RowDifference:
    data = checked.data[row]
    if record is None and row not in checked.wrongs and row not in checked.incomplete:
        return RowDifference(row, _NEW, None, data)
    wrongs = tuple(checked.wrongs.get(row, ()))
    incomplete = checked.incomplete.get(row, ())
    if record is None:
        state = RowState.WRONG if wrongs and checked.blocked(row) else RowState.NEW
        return RowDifference(row, state, None, data, (), wrongs, incomplete)
    if not wrongs and data == record.data:
        return RowDifference(row, _SAME, record, data, (), (), incomplete)
    changes = tuple(
        CellChange(name, record.data.get(name), data.get(name))
        for name in {**record.data, **data}
        if record.data.get(name) != data.get(name)
    )
    conflicts = _conflicts(record, version, changes)
    state = RowState.CHANGED if changes else RowState.SAME
    if checked.blocked(row):
        state = RowState.WRONG
    return RowDifference(row, state, record, data, changes, wrongs, incomplete, conflicts)


def _conflicts(record: Current, version: int | None, changes: Sequence[CellChange]) -> tuple[Conflict, ...]:
    """Changed cells that somebody else changed since; every changed cell where the older data is not known."""
    if version is None or version >= record.version:
        return ()
    base = record.older.get(version)
    if base is None:
        return tuple(Conflict(one.field, None, one.old, one.new) for one in changes)
    return tuple(
        Conflict(one.field, base.get(one.field), one.old, one.new) for one in changes if base.get(one.field) != one.old
    )


def shown_change(change: CellChange, one: Field, texts: tuple[str, str]) -> str:
    """`45 → 46`; protected fields say only what their mask shows. `texts`: both values as people read them."""
    if one.sensitive:
        texts = (mask_field(change.old, one), mask_field(change.new, one))
    return f"{texts[0] or '空'} → {texts[1] or '清空'}"
