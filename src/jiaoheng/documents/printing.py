"""How a table's values are printed: one rule for page, Word, workbook and CSV."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from jiaoheng.documents.model import Dim, Interval, Kind, Missing, Suppressed, Table, TableColumn, Value
from jiaoheng.documents.safe_text import one_line
from jiaoheng.methods import numbers

DASH = "—"
STAR = "*"
NO_DATA = "没有数据"
_PERCENT_KINDS = frozenset({Kind.PERCENT, Kind.SIGNED_PERCENT})
_SIGNED_KINDS = frozenset({Kind.SIGNED, Kind.SIGNED_PERCENT})
_WHOLE_KINDS = frozenset({Kind.COUNT, Kind.RANK})
_MARKED = frozenset({Missing, Suppressed, Dim})
_UNITS = {Kind.PERCENT: "%", Kind.SIGNED_PERCENT: "个百分点"}


@dataclass(frozen=True, slots=True)
class Printed:
    """A printed cell: its text, why there is no value, whether it is grey, and the number to sort by."""

    text: str
    reason: str = ""
    dim: bool = False
    order: float | None = None


def is_numeric(column: TableColumn) -> bool:
    """Whether the column is set right-aligned."""
    return column.kind is not Kind.TEXT


def printed(value: Value, column: TableColumn) -> Printed:
    """The cell as a person reads it: half-up with the column's digits, — with its reason, * for few people."""
    dim = isinstance(value, Dim)
    if isinstance(value, Dim):
        value = value.value
    if isinstance(value, Missing):
        return Printed(DASH, one_line(value.reason) or NO_DATA)
    if isinstance(value, Suppressed):
        return Printed(STAR, one_line(value.reason))
    if isinstance(value, str):
        return Printed(one_line(value), dim=dim)
    if isinstance(value, Interval):
        if not all(math.isfinite(end) for end in (value.low, value.high)):
            return Printed(DASH, NO_DATA)
        ends = (interval_end(value.low, column), interval_end(value.high, column))
        # a dash between negative numbers reads like a minus
        words = value.difference or min(value.low, value.high) < 0 or column.kind in _SIGNED_KINDS
        joint = " 至 " if words else "–"
        return Printed(joint.join(ends), dim=dim, order=value.low)
    if value is None or not _finite(value):
        return Printed("" if column.kind is Kind.TEXT else DASH, "" if column.kind is Kind.TEXT else NO_DATA)
    return Printed(number_text(value, column), dim=dim, order=float(value))


def number_text(value: int | float | Fraction, column: TableColumn) -> str:
    """A number with the column's digits; shares of PERCENT columns as percentages without the sign."""
    if not _finite(value):
        return DASH
    if column.kind in _WHOLE_KINDS or column.kind is Kind.TEXT:
        if isinstance(value, int):
            return str(int(value)).replace("-", "−")
        exact = numbers.to_fraction(value)
        return str(exact.numerator).replace("-", "−") if exact.denominator == 1 else numbers.text(exact, column.digits)
    signed = column.kind in _SIGNED_KINDS
    if column.kind in _PERCENT_KINDS:
        return numbers.percent(value, column.digits, signed)
    return numbers.text(value, column.digits, signed)


def interval_end(value: float, column: TableColumn) -> str:
    """One end of an interval with the column's digits; ends are in the unit of the column's head, never scaled."""
    return numbers.text(value, column.digits)


def stored_number(value: int | float | Fraction, column: TableColumn) -> int | float:
    """The number for a spreadsheet cell: unrounded where its display equals our print, else the printed number.

    A spreadsheet rounds the 15 digits that it shows half up, so 2.675 kept in binary may print 2.67 or 2.68.
    A share stays a share (the cell's format is a percentage); a change of a share is stored in percentage points.
    """
    changed = column.kind is Kind.SIGNED_PERCENT
    numerator, denominator = numbers.ratio_of(value)
    if changed:
        numerator *= 100
    if numerator % denominator == 0:
        return numerator // denominator
    digits = column.digits
    shift = 2 if column.kind is Kind.PERCENT else 0
    as_float = numerator / denominator  # rounded once, from the exact value
    steps = abs(as_float * 10 ** (digits + shift))
    if steps < 1e9 and abs(steps % 1 - 0.5) > 1e-4:
        return as_float  # far from where two ways of rounding could part
    print_value = numbers.half_up(Fraction(numerator, denominator), digits + shift)
    shown = Decimal(f"{as_float:.15g}").quantize(Decimal(1).scaleb(-digits - shift), ROUND_HALF_UP)
    return as_float if shown == print_value else float(print_value)


def shown_digits(column: TableColumn) -> int:
    """Decimals of a column's whole numbers in a spreadsheet (counts that are not whole keep the column's digits)."""
    return 0 if column.kind in _WHOLE_KINDS or column.kind is Kind.TEXT else column.digits


def head(column: TableColumn) -> tuple[str, str]:
    """The column's label and its unit as printed in the head."""
    unit = column.unit or (
        "%" if column.kind is Kind.PERCENT else "个百分点" if column.kind is Kind.SIGNED_PERCENT else ""
    )
    return one_line(column.label), one_line(unit)


def head_groups(table: Table) -> list[tuple[str, list[TableColumn]]]:
    """Columns with the same upper head that follow each other; columns without one stand alone under ""."""
    groups: list[tuple[str, list[TableColumn]]] = []
    for column in table.columns:
        if column.group and groups and groups[-1][0] == column.group:
            groups[-1][1].append(column)
        else:
            groups.append((column.group, [column]))
    return groups


def reasons(table: Table) -> list[str]:
    """Why values are missing or withheld in a table, each once, in reading order (printed under it)."""
    found: dict[str, None] = {}
    for row in table.rows:
        if _MARKED.isdisjoint(map(type, row)):
            continue  # plain values only, as in nearly all rows
        for value in row:
            inner = value.value if isinstance(value, Dim) else value
            if isinstance(inner, Missing):
                found[f"{DASH} {one_line(inner.reason) or NO_DATA}"] = None
            elif isinstance(inner, Suppressed):
                found[f"{STAR} {one_line(inner.reason)}"] = None
    return list(found)


def has_dim(table: Table) -> bool:
    """Whether a table has values of few people (printed grey, explained under it)."""
    return any(Dim in map(type, row) for row in table.rows)


def foot_notes(table: Table) -> list[str]:
    """Everything printed under a table: its note, the reasons of — and *, and what grey means."""
    lines = [one_line(table.note)] if table.note else []
    lines += reasons(table)
    if has_dim(table):
        lines.append("灰色：人数不足 10，只列出，不排名。")
    return lines


def _finite(value: int | float | Fraction) -> bool:
    return not isinstance(value, float) or math.isfinite(value)
