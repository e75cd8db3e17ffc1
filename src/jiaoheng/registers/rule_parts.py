"""The parts of which a rule between fields is built: typed functions over one row, each None where a value is missing.

Missing values spread: `a + b` without b is None, and a rule that comes out as None does not apply. `and` and `or` know
three values (false and missing is false; true or missing is true), so `blank(a) or a > 3` does what it says.
"""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from jiaoheng.registers.model import Data, Field, FieldType

_EXACT = Context(
    prec=60
)  # sums and products of register values stay exact; only a division is cut, far behind any bound


class Kind(StrEnum):
    """What a part gives; the value is the word used in messages."""

    NUMBER = "数"
    TEXT = "文字"
    DATE = "日期"
    TRUTH = "是非"
    LIST = "列表"


@dataclass(frozen=True, slots=True)
class Row:
    """What a rule may look at: the row, the same record one period earlier (None: there is none), the day."""

    data: Data
    today: dt.date
    last: Data | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A typed function of a row; `constant` holds a literal's own value."""

    kind: Kind
    run: Callable[[Row], Any]
    constant: Any = None
    members: tuple[Any, ...] = field(default=())  # of a list literal


_KINDS = {
    FieldType.STRING: Kind.TEXT,
    FieldType.INTEGER: Kind.NUMBER,
    FieldType.NUMBER: Kind.NUMBER,
    FieldType.BOOLEAN: Kind.TRUTH,
    FieldType.DATE: Kind.DATE,
    FieldType.DATETIME: Kind.TEXT,  # ISO text in UTC: its order is the order of time
    FieldType.TIME: Kind.TEXT,
    FieldType.YEAR: Kind.NUMBER,
    FieldType.YEARMONTH: Kind.TEXT,
    FieldType.ARRAY: Kind.LIST,
    FieldType.FILE: Kind.LIST,
}


def constant(kind: Kind, value: Any) -> Part:
    """A literal."""
    return Part(kind, lambda row: value, value)


def field_part(one: Field, last: bool = False) -> Part:
    """The value of a field in this row, or in the same record one period earlier."""
    name, convert = one.name, _converter(_KINDS[one.type])

    def run(row: Row) -> Any:
        data = row.last if last else row.data
        value = None if data is None else data.get(name)
        return None if value is None else convert(value)

    return Part(_KINDS[one.type], run)


def _converter(kind: Kind) -> Callable[[Any], Any]:
    if kind is Kind.NUMBER:
        return _number
    if kind is Kind.DATE:
        return _date
    return lambda value: value


def _number(value: Any) -> int | Decimal | None:
    if isinstance(value, int):
        return value
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _date(value: Any) -> dt.date | None:
    try:
        return dt.date.fromisoformat(str(value))
    except ValueError:
        return None


def _divide(left: Any, right: Any) -> Any:
    return None if right == 0 else _EXACT.divide(Decimal(left), Decimal(right))  # nothing over nothing is no data


def _shift(day: dt.date, days: Any) -> dt.date | None:
    try:
        return day + dt.timedelta(days=int(days))
    except OverflowError:
        return None


_PLUS = {"+": _EXACT.add, "-": _EXACT.subtract, "*": _EXACT.multiply}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def both(left: Part, right: Part, kind: Kind, join: Callable[[Any, Any], Any]) -> Part:
    """A function of two parts, None where either is missing."""
    first, second = left.run, right.run

    def run(row: Row) -> Any:
        one = first(row)
        if one is None:
            return None
        other = second(row)
        return None if other is None else join(one, other)

    return Part(kind, run)


def arithmetic(sign: str, left: Part, right: Part) -> Part | None:
    """`+ - * /` of numbers; dates may be subtracted and moved by days. None where the kinds do not fit."""
    if left.kind is right.kind is Kind.NUMBER:
        if sign == "/":
            return both(left, right, Kind.NUMBER, _divide)
        whole, exact = {"+": operator.add, "-": operator.sub, "*": operator.mul}[sign], _PLUS[sign]
        return both(
            left,
            right,
            Kind.NUMBER,
            lambda a, b: whole(a, b) if type(a) is type(b) is int else exact(Decimal(a), Decimal(b)),
        )
    if left.kind is Kind.DATE and right.kind is Kind.DATE and sign == "-":
        return both(left, right, Kind.NUMBER, lambda a, b: (a - b).days)
    if left.kind is Kind.DATE and right.kind is Kind.NUMBER and sign in "+-":
        return both(left, right, Kind.DATE, lambda a, b: _shift(a, b if sign == "+" else -b))
    return None


def comparison(sign: str, left: Part, right: Part) -> Part | None:
    """A comparison of two parts of one kind; lists and truths only for equality. None where the kinds do not fit."""
    if left.kind is not right.kind:
        return None
    if left.kind in (Kind.LIST, Kind.TRUTH) and sign not in ("==", "!="):
        return None
    return both(left, right, Kind.TRUTH, _COMPARE[sign])


def membership(left: Part, members: Sequence[Part], inside: bool) -> Part | None:
    """`left in [..]`. A list field is inside when all its members are. None where the kinds do not fit."""
    kind = Kind.TEXT if left.kind is Kind.LIST else left.kind
    if any(one.kind is not kind for one in members):
        return None
    allowed = {one.constant for one in members}
    first, many = left.run, left.kind is Kind.LIST

    def run(row: Row) -> bool | None:
        value = first(row)
        if value is None:
            return None
        return (allowed.issuperset(value) if many else value in allowed) is inside

    return Part(Kind.TRUTH, run)


def all_of(parts: Sequence[Part]) -> Part:
    """`and` with three values."""
    runs = [part.run for part in parts]

    def run(row: Row) -> bool | None:
        missing = False
        for one in runs:
            value = one(row)
            if value is None:
                missing = True
            elif not value:
                return False
        return None if missing else True

    return Part(Kind.TRUTH, run)


def any_of(parts: Sequence[Part]) -> Part:
    """`or` with three values."""
    runs = [part.run for part in parts]

    def run(row: Row) -> bool | None:
        missing = False
        for one in runs:
            value = one(row)
            if value is None:
                missing = True
            elif value:
                return True
        return None if missing else False

    return Part(Kind.TRUTH, run)


def apply(part: Part, kind: Kind, change: Callable[[Any], Any]) -> Part:
    """A function of one part, None where it is missing."""
    inner = part.run

    def run(row: Row) -> Any:
        value = inner(row)
        return None if value is None else change(value)

    return Part(kind, run)
