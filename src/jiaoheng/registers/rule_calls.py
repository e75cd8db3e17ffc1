"""The functions a rule may call."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from jiaoheng.registers.rule_parts import Kind, Part, Row, apply, both


def years_between(birth: dt.date, day: dt.date) -> int:
    """Full years 周岁 from a birth date to a day; one born on 29 February is a year older on 1 March."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


@dataclass(frozen=True, slots=True)
class Call:
    """A function: kinds of its arguments (None: any), how many may be left out, what it makes."""

    takes: tuple[Kind | None, ...]
    make: Callable[[Sequence[Part]], Part]
    optional: int = 0
    more: bool = False  # the last argument may be repeated


def _age(parts: Sequence[Part]) -> Part:
    day = parts[1] if len(parts) > 1 else Part(Kind.DATE, lambda row: row.today)
    return both(parts[0], day, Kind.NUMBER, years_between)


def _blank(parts: Sequence[Part]) -> Part:
    inner = parts[0].run
    return Part(Kind.TRUTH, lambda row: inner(row) is None)


def _filled(parts: Sequence[Part]) -> Part:
    inner = parts[0].run
    return Part(Kind.TRUTH, lambda row: inner(row) is not None)


def _extreme(choose: Callable[[list[Any]], Any]) -> Callable[[Sequence[Part]], Part]:
    def make(parts: Sequence[Part]) -> Part:
        runs = [part.run for part in parts]

        def run(row: Row) -> Any:
            values = [one(row) for one in runs]
            return None if any(value is None for value in values) else choose(values)

        return Part(Kind.NUMBER, run)

    return make


def _length(parts: Sequence[Part]) -> Part:
    return apply(parts[0], Kind.NUMBER, len)


def _has(parts: Sequence[Part]) -> Part:
    return both(parts[0], parts[1], Kind.TRUTH, lambda members, one: one in members)


def _starts(parts: Sequence[Part]) -> Part:
    return both(parts[0], parts[1], Kind.TRUTH, lambda text, start: text.startswith(start))


def _ends(parts: Sequence[Part]) -> Part:
    return both(parts[0], parts[1], Kind.TRUTH, lambda text, end: text.endswith(end))


CALLS: dict[str, Call] = {
    "age": Call((Kind.DATE, Kind.DATE), _age, optional=1),
    "blank": Call((None,), _blank),
    "filled": Call((None,), _filled),
    "abs": Call((Kind.NUMBER,), lambda parts: apply(parts[0], Kind.NUMBER, abs)),
    "min": Call((Kind.NUMBER,), _extreme(min), more=True),
    "max": Call((Kind.NUMBER,), _extreme(max), more=True),
    "sum": Call((Kind.NUMBER,), _extreme(sum), more=True),
    "year": Call((Kind.DATE,), lambda parts: apply(parts[0], Kind.NUMBER, lambda day: day.year)),
    "month": Call((Kind.DATE,), lambda parts: apply(parts[0], Kind.NUMBER, lambda day: day.month)),
    "length": Call((Kind.TEXT,), _length),
    "count": Call((Kind.LIST,), _length),
    "has": Call((Kind.LIST, Kind.TEXT), _has),
    "starts": Call((Kind.TEXT, Kind.TEXT), _starts),
    "ends": Call((Kind.TEXT, Kind.TEXT), _ends),
}
"""`last(field)` is not among them: it is about a field's name and not about a value, so the parser knows it."""
