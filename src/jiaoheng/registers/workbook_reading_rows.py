"""The data rows of one sheet: what is no data (blank rows, sums, signatures, repeated heads) is left out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jiaoheng.registers.template_marks import MARKS, RECORD, UNIT_NAME
from jiaoheng.registers.values import NOT_CALCULATED
from jiaoheng.registers.values_numbers import from_float, plain
from jiaoheng.sheets.text import fold, is_blank
from jiaoheng.sheets.workbook import Cell, Sheet

_SUM = re.compile(r"^\s*(?:合\s*计|总\s*计|小\s*计|共\s*计|平\s*均(?:值|分|数)?)\s*[:：]?\s*$")
_FOOT = re.compile(
    r"^\s*(?:注\s*[:：\d一]|说明\s*[:：]|备注\s*[:：]|填表(?:人|日期|时间|单位|说明)|填报(?:人|日期|时间|说明)|制表|审核(?:人|意见)?\s*[:：]|"
    r"负责人|单位负责人|校长签|联系(?:人|电话)\s*[:：]|经办人|盖\s*章|（盖章）|\(盖章\)|签\s*[字名章]|分管领导)"
)
_TALL = 5_000  # rows of a merged area that are filled down


@dataclass(slots=True)
class Block:
    """Columns of one sheet's data rows. `rows` are 0-based sheet rows; `left_out`: 0-based row → why."""

    rows: list[int]
    columns: dict[str, list[Cell]]
    digits: dict[str, dict[int, int]] = field(default_factory=dict)  # by position in `rows`
    left_out: dict[int, str] = field(default_factory=dict)
    filled_down: int = 0


def data_block(sheet: Sheet, header: int, columns: Mapping[str, int]) -> Block:
    """The data below the header. `columns`: name → 0-based column."""
    start = header + 1
    whole = list(zip(*sheet.rows[start:], strict=True)) if len(sheet.rows) > start else []
    count = len(sheet.rows) - start if whole else 0
    found: dict[str, list[Cell]] = {
        name: list(whole[at]) if at < len(whole) else [None] * count for name, at in columns.items()
    }
    left_out = _not_data(sheet, whole, header, columns, found)
    filled = _fill_down(sheet, start, columns, found)
    _special(sheet, start, columns, found)
    keep = _filled_rows(found, count)
    if len(keep) < count or left_out:
        keep = [row for row in keep if row + start not in left_out]
        found = {name: [cells[row] for row in keep] for name, cells in found.items()}
    rows = [row + start for row in keep]
    block = Block(rows, found, {}, left_out, filled)
    if sheet.zero_formats:
        _digits(sheet, columns, block)
    return block


def _filled_rows(found: Mapping[str, Sequence[Cell]], count: int) -> list[int]:
    """Rows with something in a data column; the record columns of an emptied row do not count."""
    data = [cells for name, cells in found.items() if name not in MARKS]
    if not data:
        return []
    open_rows: Sequence[int] = range(count)
    keep: list[int] = []
    for cells in data:
        different = set(cells)
        texts = [cell for cell in different if type(cell) is str]
        blanks: set[Cell] = set() if all(map(str.strip, texts)) else {text for text in texts if not text.strip()}
        if None in different:
            blanks.add(None)
        if not blanks:
            keep += open_rows
            open_rows = []
            break
        still = [row for row in open_rows if cells[row] in blanks]
        if len(still) < len(open_rows):
            gone = set(still)
            keep += [row for row in open_rows if row not in gone]
        open_rows = still
    keep.sort()
    return keep


def _not_data(
    sheet: Sheet,
    whole: Sequence[Sequence[Cell]],
    header: int,
    columns: Mapping[str, int],
    found: Mapping[str, Sequence[Cell]],
) -> dict[int, str]:
    """Rows that are sums, signatures, notes or a repeated head: 0-based sheet row → what it is."""
    if not columns:
        return {}
    data_columns = [at for name, at in columns.items() if name not in MARKS] or list(columns.values())
    last = min(min(data_columns), min(columns.values())) if RECORD not in columns else min(data_columns)
    records = found.get(RECORD)
    left: dict[int, str] = {}
    for at in {*range(min(last + 1, len(whole))), columns.get(UNIT_NAME, 0)}:
        if at >= len(whole):
            continue
        head_text = sheet.rows[header][at]
        words: dict[Cell, str] = {}
        for cell in set(whole[at]):
            if not isinstance(cell, str):
                continue
            if _SUM.match(cell):
                words[cell] = "合计行"
            elif _FOOT.match(cell):
                words[cell] = "表尾"
            elif isinstance(head_text, str) and fold(cell) == fold(head_text) and len(cell) > 1:
                words[cell] = "重复的表头"
        if not words:
            continue
        for row, cell in enumerate(whole[at]):
            if cell in words and not (records and records[row]) and _fits(sheet, row + header + 1, header, words[cell]):
                left.setdefault(row + header + 1, words[cell])
    return left


def _fits(sheet: Sheet, row: int, header: int, what: str) -> bool:
    """A repeated head repeats most heads; a foot has little beside it; a sum is a sum."""
    cells = [(at, cell) for at, cell in enumerate(sheet.rows[row]) if not is_blank(cell)]
    if what == "重复的表头":
        heads = sheet.rows[header]
        same = sum(
            isinstance(c, str) and isinstance(heads[at], str) and fold(c) == fold(str(heads[at])) for at, c in cells
        )
        return same * 2 > len(cells)
    return what == "合计行" or not any(isinstance(cell, (int, float)) for _, cell in cells)


def _fill_down(sheet: Sheet, start: int, columns: Mapping[str, int], found: dict[str, list[Cell]]) -> int:
    """Cells merged over several rows of one column hold for each of the rows."""
    by_column = {at: name for name, at in columns.items()}
    count = 0
    for (top, left), (bottom, right) in sheet.merged:
        name = by_column.get(left)
        if name is None or left != right or top < start or bottom <= top or bottom - top > _TALL:
            continue
        cells = found[name]
        for row in range(top + 1, min(bottom + 1, start + len(cells))):
            if cells[row - start] is None:
                cells[row - start] = cells[top - start]
                count += 1
    return count


def _special(sheet: Sheet, start: int, columns: Mapping[str, int], found: dict[str, list[Cell]]) -> None:
    """Error cells and formulas without a stored result are told at their cells; per cents are taken as shown."""
    by_column = {at: name for name, at in columns.items()}
    marks: list[tuple[int, int, str]] = [(row, at, text) for (row, at), text in sheet.error_cells.items()]
    marks += [(row, at, NOT_CALCULATED) for row, at in sheet.formulas_without_value]
    for row, at, text in marks:
        name = by_column.get(at)
        if name is not None and row >= start and row - start < len(found[name]) and found[name][row - start] is None:
            found[name][row - start] = text
    for row, at in sheet.percents:
        name = by_column.get(at)
        cell = found[name][row - start] if name is not None and start <= row < start + len(found[name]) else None
        if name is not None and isinstance(cell, float | int) and not isinstance(cell, bool):
            found[name][row - start] = f"{plain(from_float(float(cell)) * 100)}%"  # as the person sees it


def _digits(sheet: Sheet, columns: Mapping[str, int], block: Block) -> None:
    position = {row: number for number, row in enumerate(block.rows)}
    by_column = {at: name for name, at in columns.items()}
    for (row, at), digits in sheet.zero_formats.items():
        if at in by_column and row in position:
            block.digits.setdefault(by_column[at], {})[position[row]] = digits
