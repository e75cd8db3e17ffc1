"""Where a sheet's header stands and which column is which field: by hidden ids, else by the words of the heads."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jiaoheng.registers.model import FieldType, Register
from jiaoheng.registers.template_marks import (
    MARKS,
    PREFIX,
    RECORD,
    TITLES,
    UNIT,
    UNIT_NAME,
    VERSION,
    head,
    head_key,
    split_unit,
)
from jiaoheng.registers.workbook_reading_model import Known
from jiaoheng.sheets.text import cell_text, fold
from jiaoheng.sheets.workbook import Cell, Sheet

_SEARCH = 20  # rows in which the header must begin
_NUMBERING = frozenset(map(fold, ("序号", "编号", "序", "No", "No.", "NO", "#", "行号")))
_UNIT_HEADS = {
    UNIT: ("单位代码", "学校代码", "学校标识码", "机构代码", "单位编码", "学校编码"),
    UNIT_NAME: ("单位名称", "学校名称", "学校", "单位", "填报单位", "所属学校", "学校（单位）"),
}
_NEAR = 0.75  # likeness of two heads from which one is proposed as default


@dataclass(slots=True)
class Heads:
    """One sheet's header. Columns are 0-based; `dropped`: field of another version → column."""

    row: int  # 0-based header row; data begins after it
    columns: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    unknown: dict[int, str] = field(default_factory=dict)  # column → head
    twice: list[tuple[str, int]] = field(default_factory=list)  # a field's further columns
    by_ids: bool = False
    by_head: dict[str, int] = field(default_factory=dict)  # fields known by their head alone


class Names:
    """All names and heads under which the register's fields may come."""

    def __init__(self, register: Register, known: Known) -> None:
        self.register = register
        self.fields: dict[str, str] = {}  # field name of any version → present name, "" where it is dropped
        self.words: dict[str, str] = {}
        for mark, title in TITLES.items():
            self.words[fold(title)] = mark
        for mark, words in _UNIT_HEADS.items():
            for word in words:
                self.words[head_key(word)] = mark
        versions = sorted(known.versions, key=lambda one: one.version)
        for name in register.dropped:
            self.fields[name] = ""
        for version in versions:
            for one in version.fields:
                self.fields.setdefault(one.name, "")
        for one in register.fields:
            for name in (one.name, *one.renamed_from):
                self.fields[name] = one.name
        self.old_titles: dict[str, str] = {}
        for version in versions:
            for one in version.fields:
                self.old_titles[one.name] = one.title
                self._words(one.title, one.unit, self.fields[one.name] or f"-{one.name}", one.name)
        for one in register.fields:
            self._words(one.title, one.unit, one.name, one.name)

    def _words(self, title: str, unit: str, target: str, name: str) -> None:
        self.words[head_key(title, unit)] = target
        self.words[fold(title)] = target
        self.words[fold(name)] = target
        if unit:
            self.words[fold(f"{title}（{unit}）")] = target

    def by_word(self, text: str) -> str | None:
        """Field or mark of a head; `-name` for a field that is dropped; None where it is not known."""
        found = self.words.get(head_key(text))
        if found is not None:
            return found
        title, unit = split_unit(text)
        if not unit:
            return None
        for one in self.register.fields:
            # another unit of measure (亩 for ㎡) would change every number: such a head is asked about
            if fold(title) == fold(one.title) and (not one.unit or fold(one.unit) == fold(unit)):
                return one.name
        return None

    def likely(self, text: str, free: Sequence[str]) -> str | None:
        """The free field whose title is most like a head, where it is like enough."""
        titles = {head_key(self.register.by_name[name].title): name for name in free}
        near = difflib.get_close_matches(head_key(text), list(titles), n=1, cutoff=_NEAR)
        return titles[near[0]] if near else None


def find_heads(sheet: Sheet, names: Names, answers: Mapping[int, str]) -> Heads | None:
    """The header of a sheet; None where it has none. `answers`: 0-based column → field name, as a person said."""
    row = _id_row(sheet.rows)
    heads = _by_ids(sheet, row, names) if row is not None else _by_words(sheet, names)
    if heads is None:
        return None
    for column, name in answers.items():
        if column in heads.unknown:
            heads.unknown.pop(column)
            if name in names.register.by_name and name not in heads.columns:
                heads.columns[name] = column
    return heads


def _id_row(rows: Sequence[Sequence[Cell]]) -> int | None:
    for number, row in enumerate(rows[:_SEARCH]):
        if any(isinstance(cell, str) and cell.startswith(PREFIX) for cell in row):
            return number
    return None


def _by_ids(sheet: Sheet, id_row: int, names: Names) -> Heads | None:
    ids = {
        column: cell.removeprefix(PREFIX).strip()
        for column, cell in enumerate(sheet.rows[id_row])
        if isinstance(cell, str) and cell.startswith(PREFIX)
    }
    row = next((n for n in range(id_row + 1, min(len(sheet.rows), id_row + 4)) if any(sheet.rows[n])), id_row)
    heads = Heads(row, by_ids=True)
    texts = _texts(sheet.rows[row]) if row != id_row else {}
    for column, name in ids.items():
        target = name if name in MARKS else names.fields.get(name)
        if target is None:
            heads.unknown[column] = texts.get(column, name)
        elif not target:
            heads.dropped.setdefault(name, column)
        else:
            _put(heads, target, column)
    for column, text in texts.items():
        if column not in ids:
            _by_word(heads, column, text, names)
    return heads


def _by_words(sheet: Sheet, names: Names) -> Heads | None:
    best: Heads | None = None
    for number, cells in enumerate(sheet.rows[:_SEARCH]):
        heads = Heads(number)
        for column, text in _texts(cells).items():
            _by_word(heads, column, text, names)
        if _score(heads) > (_score(best) if best is not None else 0):
            best = heads
    if best is None:
        return None
    fields = sum(name not in MARKS for name in best.columns)
    enough = min(2, len(names.register.fields))
    return best if fields + len(best.dropped) >= enough else None


def _score(heads: Heads) -> int:
    return 2 * sum(name not in MARKS for name in heads.columns) + len(heads.dropped) + len(heads.columns)


def _by_word(heads: Heads, column: int, text: str, names: Names) -> None:
    target = names.by_word(text)
    if target is None:
        if fold(text) not in _NUMBERING:
            heads.unknown[column] = text
    elif target.startswith("-"):
        heads.dropped.setdefault(target[1:], column)
    elif target in heads.columns and (target in MARKS or heads.by_ids):
        if target not in MARKS:
            heads.twice.append((target, column))
    else:
        if target not in MARKS:
            heads.by_head.setdefault(target, column)
        _put(heads, target, column)


def _put(heads: Heads, target: str, column: int) -> None:
    if target in heads.columns:
        heads.twice.append((target, column))
    else:
        heads.columns[target] = column


def _texts(row: Sequence[Cell]) -> dict[int, str]:
    found = {column: cell_text(cell) for column, cell in enumerate(row) if isinstance(cell, str)}
    return {column: text for column, text in found.items() if text}


def free_fields(heads: Heads, register: Register) -> list[str]:
    """Fields that have no column yet."""
    return [one.name for one in register.fields if one.name not in heads.columns and one.type is not FieldType.FILE]


def our_own(heads: Heads) -> bool:
    """Whether the sheet still carries our record columns."""
    return RECORD in heads.columns or VERSION in heads.columns


def expected_heads(register: Register) -> str:
    """The heads that a sheet should have, for a message."""
    shown = [head(one) for one in register.fields[:12]]
    return "、".join(shown) + (f" 等 {len(register.fields)} 列" if len(register.fields) > 12 else "")
