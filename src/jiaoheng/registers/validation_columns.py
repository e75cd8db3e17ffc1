"""Whole columns of raw cells → stored values, a column at a time: each different cell is looked at once.

Plain texts, whole numbers and short decimals take a path without a call a cell; only what is odd goes to the `Reader`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import compress, filterfalse
from typing import Any

import numpy as np

from jiaoheng.registers.masking import mask
from jiaoheng.registers.model import CheckLevel, Field, FieldType, Register, Value, Wrong
from jiaoheng.registers.validation_checks import faults
from jiaoheng.registers.validation_numbers import inside, number_column
from jiaoheng.registers.values import CLEAR_WORD, CLEARED, MASKED, Reader, show, shown_cell
from jiaoheng.registers.values_numbers import plain
from jiaoheng.sheets.workbook import Cell

# texts that reading leaves as they are: no blanks, stars, quotes or full-width forms
_PLAIN = re.compile(r"[0-9A-Za-z\u4e00-\u9fff·\-]+")
_PLAIN_ID = re.compile(r"[0-9A-Z]+")
_ALL_PLAIN = re.compile(r"[0-9A-Za-z\u4e00-\u9fff·\-\n]+")
_ALL_PLAIN_IDS = re.compile(r"[0-9A-Z\n]+")
_SAFE = 10**15


@dataclass(slots=True)
class Column:
    """One field's values for all rows; None: blank, cleared, masked or wrong.

    `wrongs`: row → what is wrong (a value with only a warning is kept). `ended`: row → code that no longer holds.
    """

    values: list[Value | None]
    cleared: set[int] = field(default_factory=set)
    masked: set[int] = field(default_factory=set)
    wrongs: dict[int, list[Wrong]] = field(default_factory=dict)
    ended: dict[int, Value] = field(default_factory=dict)


def read_column(
    cells: Sequence[Cell], one: Field, register: Register, at: dt.date, digits: Mapping[int, int] | None = None
) -> Column:
    """Read and check one column: form, codes, bounds, length, pattern, named check.

    `digits`: row → digits to which the cell's number format pads. Nothing is said about blanks here.
    """
    reader = Reader(one, register, at)
    column = Column([])
    if digits:
        cells = [
            str(int(cell)).zfill(digits[row]) if row in digits and isinstance(cell, (int, float)) else cell
            for row, cell in enumerate(cells)
        ]
    if one.type is FieldType.FILE:
        return Column([None] * len(cells))
    numbers = number_column(cells, one)
    if numbers is not None and not any(_out_of_bounds(value, one, register, at) for value in numbers[1]):
        return Column(numbers[0])
    different = _different(cells)
    if different is None:  # values that cannot be hashed alike (1, 1.0 and True): keyed by their type too
        keys: list[Any] = list(zip(map(type, cells), cells, strict=True))
        by_type: dict[Any, Any] = {key: reader.read(key[1]) for key in set(keys)}
        column.values = _sorted_out(column, list(map(by_type.__getitem__, keys)), cells, one, register, at)
        return column
    if one.type is FieldType.STRING and reader.codes is None and _all_plain(different, one):
        column.values = list(cells)  # type: ignore[arg-type]  # texts and None
        judged = _judge(different, one, register, at)
        if judged:
            _sorted_out(column, column.values, cells, one, register, at, judged)
        return column
    table = _table(different, reader)
    values = list(map(table.__getitem__, cells))
    odd = any(type(value) not in _STORED for value in table.values()) if len(table) < len(cells) else True
    judged = _judge(table.values(), one, register, at)
    if not odd and not judged:
        column.values = values
        return column
    column.values = _sorted_out(column, values, cells, one, register, at, judged)
    return column


_STORED = frozenset({str, int, bool, list, type(None)})


def _different(cells: Sequence[Cell]) -> set[Cell] | None:
    """The different cells; None where equal ones of different types could be confused (1 and True)."""
    kinds = set(map(type, cells))
    if bool in kinds and (int in kinds or float in kinds):
        return None
    return set(cells)


def _all_plain(different: set[Cell], one: Field) -> bool:
    """Whether every text of a column is stored as it stands."""
    texts: Any = different - {None} if None in different else different
    if len(texts) < 64 or CLEAR_WORD in texts or "" in texts or set(map(type, texts)) != {str}:
        return False
    whole = "\n".join(texts)  # one look at all of them takes a third of the time of a look at each
    fast = _ALL_PLAIN_IDS if one.check else _ALL_PLAIN
    return whole.count("\n") == len(texts) - 1 and fast.fullmatch(whole) is not None


def _table(different: set[Cell], reader: Reader) -> dict[Cell, Any]:
    """Different cell → what it means."""
    one = reader.field
    table: dict[Cell, Any] = {}
    rest: Any = different
    if reader.codes is None and len(different) > 64:
        kinds = set(map(type, different)) - {type(None)}
        if one.type is FieldType.STRING and kinds == {str}:
            fast = _PLAIN_ID if one.check else _PLAIN
            texts: list[Any] = [cell for cell in different if cell is not None]
            table = {cell: cell for cell in filter(fast.fullmatch, texts)}
            table.pop(CLEAR_WORD, None)
        elif kinds == {float} and one.type in (FieldType.INTEGER, FieldType.NUMBER):
            table = _fast_numbers([cell for cell in different if cell is not None], one)  # type: ignore[misc]
        rest = different.difference(table) if table else different
    read: Callable[[Cell], Any] = reader.read
    for cell in rest:
        table[cell] = read(cell)
    return table


def _fast_numbers(numbers: list[float], one: Field) -> dict[Cell, Any]:
    """Float cells that are whole (integers) or have few digits (decimals)."""
    array = np.array(numbers, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        whole = np.isfinite(array) & (array == np.floor(array)) & (np.abs(array) < _SAFE)
    chosen = list(compress(numbers, whole.tolist()))
    integers = array[whole].astype(np.int64).tolist()
    if one.type is FieldType.INTEGER:
        return dict(zip(chosen, integers, strict=True))
    table: dict[Cell, Any] = dict(zip(chosen, map(str, integers), strict=True))
    limit = 15 if one.decimals is None else one.decimals
    for number in compress(numbers, (~whole).tolist()):
        text = repr(number)
        if len(text) <= 15 and "e" not in text and "n" not in text and len(text) - text.index(".") - 1 <= limit:
            table[number] = text
    return table


def _judge(values: Any, one: Field, register: Register, at: dt.date) -> dict[Any, Wrong]:
    """Stored value (as a hashable) → what is wrong with it, for the rules of a single value."""
    found: dict[Any, Wrong] = {}
    bounded = one.minimum is not None or one.maximum is not None
    if one.type is FieldType.STRING and not one.codes:
        if not (one.check or one.pattern or one.min_length is not None or one.max_length is not None):
            return found
        texts = [value for value in values if type(value) is str]
        if not isinstance(values, set):
            texts = list(set(texts))
        for text, wrong in _judge_texts(texts, one, at):
            found.setdefault(text, wrong)
    elif bounded:
        kept = {value for value in values if type(value) in (str, int)}
        for value in _near_bounds(kept, one):
            outside = _out_of_bounds(value, one, register, at)
            if outside is not None:
                found[value] = outside
    return found


def _near_bounds(values: set[Any], one: Field) -> Any:
    """The values that are not clearly inside the bounds; what is near is judged exactly."""
    if one.type not in (FieldType.INTEGER, FieldType.NUMBER):
        return values
    low, high = inside(one)
    return [value for value in values if not low < float(value) < high]


def _judge_texts(texts: list[str], one: Field, at: dt.date) -> list[tuple[str, Wrong]]:
    found: list[tuple[str, Wrong]] = []
    if one.min_length is not None or one.max_length is not None:
        least, most = one.min_length or 0, one.max_length if one.max_length is not None else 10**9
        words = (
            f"{least} 至 {most} 字"
            if least and one.max_length is not None
            else (f"最少 {least} 字" if least else f"最多 {most} 字")
        )
        for text in texts if max(map(len, texts), default=0) > most or least else ():
            if not least <= len(text) <= most:
                told = f"“{shown_cell(text)}”有 {len(text)} 字，应为{words}"
                found.append((text, Wrong("wrong-length", one.name, told, "请改正")))
    if one.pattern:
        pattern = re.compile(one.pattern)
        words = one.pattern_words or f"{one.title}的规定形式"
        found += [
            (text, Wrong("wrong-pattern", one.name, f"“{shown_cell(text)}”不合要求，应为{words}", "请改正"))
            for text in filterfalse(pattern.fullmatch, texts)
        ]
    if one.check:
        found += [
            (text, Wrong(f"check-{one.check.replace('_', '-')}", one.name, told, "请核对后改正", level))
            for text, (told, level) in faults(one.check, texts, at).items()
        ]
    return found


def _out_of_bounds(value: Value, one: Field, register: Register, at: dt.date) -> Wrong | None:
    low, high = one.minimum, one.maximum
    mine: Any
    shown = show(value, one, register, at)
    if isinstance(low, Decimal) or isinstance(high, Decimal):
        mine = Decimal(value) if isinstance(value, (int, str)) and _numeric(value) else None
        if mine is None:
            return None
        low_text, high_text = _plain(low), _plain(high)
    else:
        mine = str(value)[:10]
        low = low.isoformat()[: len(mine)] if low is not None else None  # type: ignore[assignment]
        high = high.isoformat()[: len(mine)] if high is not None else None  # type: ignore[assignment]
        low_text, high_text = str(low), str(high)
    if low is not None and mine < low:
        return Wrong(
            "below-minimum",
            one.name,
            f"“{shown}”小于下限 {low_text} {one.unit}".rstrip(),
            _between(low, high, low_text, high_text, one),
        )
    if high is not None and mine > high:
        return Wrong(
            "above-maximum",
            one.name,
            f"“{shown}”大于上限 {high_text} {one.unit}".rstrip(),
            _between(low, high, low_text, high_text, one),
        )
    return None


def _between(low: Any, high: Any, low_text: str, high_text: str, one: Field) -> str:
    if low is not None and high is not None:
        return f"请填 {low_text} 至 {high_text} 之间的值"
    return f"请填不小于 {low_text} 的值" if low is not None else f"请填不大于 {high_text} 的值"


def _plain(bound: Any) -> str:
    return plain(bound) if isinstance(bound, Decimal) else str(bound)


def _numeric(value: Value) -> bool:
    try:
        Decimal(value)  # type: ignore[arg-type]
    except (ArithmeticError, ValueError, TypeError):
        return False
    return True


def _sorted_out(
    column: Column,
    values: list[Any],
    cells: Sequence[Cell],
    one: Field,
    register: Register,
    at: dt.date,
    judged: dict[Any, Wrong] | None = None,
) -> list[Value | None]:
    """Take wrongs, cleared and masked cells out of a column's values."""
    if judged is None:
        judged = _judge([value for value in values if type(value) in (str, int)], one, register, at)
    kept: list[Value | None] = values
    if one.sensitive:
        judged = {value: _hushed(wrong, str(value), one) for value, wrong in judged.items()}
    for row, value in enumerate(values):
        kind = type(value)
        if kind is Wrong:
            column.wrongs[row] = [_hushed(value, shown_cell(cells[row]), one) if one.sensitive else value]
            if value.code == "code-ended":
                column.ended[row] = _ended_value(cells[row], one, register)
            kept[row] = None
        elif value is CLEARED:
            column.cleared.add(row)
            kept[row] = None
        elif value is MASKED:
            column.masked.add(row)
            kept[row] = None
        elif judged and kind is not list and value in judged and kind is not bool:
            wrong = judged[value]
            column.wrongs[row] = [wrong]
            if wrong.level is CheckLevel.BLOCK:
                kept[row] = None
    return kept


def _hushed(wrong: Wrong, text: str, one: Field) -> Wrong:
    """A remark on a protected value quotes its mask: previews, logs and marked copies are read by others too."""
    return replace(wrong, message=wrong.message.replace(text, mask(text, one.sensitive))) if text else wrong


def _ended_value(cell: Cell, one: Field, register: Register) -> Value:
    """The code of a cell whose choice has ended, so that a record which has it already may keep it."""
    table = register.codes_of(one)
    assert table is not None  # noqa: S101 (only fields with codes have ended choices)
    days = sorted({item.until - dt.timedelta(days=1) for item in table.items if item.until is not None}, reverse=True)
    for day in days:
        value = Reader(one, register, day).read(cell)
        if isinstance(value, (str, list)):
            return value
    return ""
