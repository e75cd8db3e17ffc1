"""The list of a register for one account: filtered, sorted, paged by key, as shown texts (never protected values).

A page, an export and the API read through the same functions, so that a file holds the rows of the screen in the same
order (P20).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.limits import limits_of
from jiaoheng.bureau.core.models import Account, Period
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.core.tree import names_at
from jiaoheng.bureau.ledgers.access import access_register
from jiaoheng.bureau.ledgers.changes import carried
from jiaoheng.bureau.ledgers.listing_columns import PERIOD, UNIT, VERSION, Column, Layout, layout_of
from jiaoheng.bureau.ledgers.listing_query import MOST, PAGE, ListQuery, cursor_of, cursor_text
from jiaoheng.bureau.ledgers.listing_rows import chosen, is_narrow, order_column, part, walk
from jiaoheng.bureau.ledgers.listing_text import text_notice
from jiaoheng.bureau.ledgers.masking_rules import ABSENT, identity_words, shown
from jiaoheng.bureau.ledgers.registry import schema_versions
from jiaoheng.registers.model import Data, Field, FieldType, Value
from jiaoheng.registers.sealed import Sealed

_WALK = 2_000  # rows that an export reads at a time


@dataclass(frozen=True, slots=True)
class Cell:
    """One value as shown. `why`: for a missing one, why there is none."""

    text: str
    missing: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a list; `cells` in the order of the columns."""

    record_id: int
    number: int
    name: str
    unit_id: int
    unit_name: str
    period_name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page. `after`: to be given for the next page, "" on the last; `total`: of all pages."""

    register: str
    title: str
    columns: tuple[Column, ...]
    all_columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    total: int
    after: str
    notice: str
    as_of_words: str
    query: ListQuery


def list_page(
    account: Account, register: str, query: ListQuery, *, after: str = "", size: int = PAGE, with_count: bool = True
) -> ListPage:
    """One page of a register's records. NotFoundError without any reading right; RefusedError `column-protected`,
    `column-unsortable`, `column-unknown`, `filter-value`, `list-parameter` (400)."""
    layout = _layout(account, register, query)
    columns = columns_of(layout, query)
    rows = chosen(account, layout, query)
    order = order_column(layout, query)
    place = cursor_of(after) if after else None
    size = max(1, min(size, MOST, limits_of(account).page_rows))
    found = part(rows, order, query.descending, place, size + 1, is_narrow(account, layout, query))
    more, found = len(found) > size, found[:size]
    total = (rows.count() if more or after else len(found)) if with_count else 0
    return ListPage(
        register=layout.row.name,
        title=layout.schema.title,
        columns=columns,
        all_columns=tuple(layout.columns.values()),
        rows=tuple(Printer(layout, columns).rows(found)),
        total=total,
        after=cursor_text(found[-1][-1], found[-1][0]) if more else "",
        notice=text_notice(layout, query.text, empty=not found) if query.text else "",
        as_of_words=f"{clock.words(query.as_of)} 的情况" if query.as_of else "",
        query=query,
    )


def count(account: Account, register: str, query: ListQuery) -> int:
    """How many records a list holds."""
    return int(chosen(account, _layout(account, register, query), query).count())


def iter_rows(account: Account, register: str, query: ListQuery) -> Iterator[Row]:
    """Every row of a list, as the pages show them and in their order, without holding them all."""
    layout = _layout(account, register, query)
    printer = Printer(layout, columns_of(layout, query))
    for found in _walk(account, layout, query):
        yield from printer.rows(found)


def iter_records(account: Account, register: str, query: ListQuery) -> Iterator[tuple[int, int, int | None, Data]]:
    """(record id, unit id, period id, stored values under the names of the day) in the list's order, for exports
    that make typed cells. Protected values are in it: the caller masks them or notes the full export."""
    layout = _layout(account, register, query)
    for found in _walk(account, layout, query):
        for record_id, _number, unit_id, period_id, version, data, *_rest in found:
            yield record_id, unit_id, period_id, _content(layout, version, data)


def _walk(account: Account, layout: Layout, query: ListQuery) -> Iterator[Sequence[tuple[Any, ...]]]:
    rows, narrow = chosen(account, layout, query), is_narrow(account, layout, query)
    return walk(rows, order_column(layout, query), query.descending, _WALK, narrow)


def list_columns(account: Account, register: str, query: ListQuery) -> tuple[Column, ...]:
    """The chosen columns of a list."""
    return columns_of(_layout(account, register, query), query)


def columns_of(layout: Layout, query: ListQuery) -> tuple[Column, ...]:
    """The columns asked for, else the register's own choice. RefusedError `column-unknown`."""
    found = []
    for name in query.columns or layout.own_choice:
        if name not in layout.columns:
            raise RefusedError("column-unknown", f"没有“{name[:40]}”这一列，请重新选择列")
        found.append(layout.columns[name])
    return tuple(found)


def _layout(account: Account, register: str, query: ListQuery) -> Layout:
    row = access_register(account, register)
    return layout_of(row, clock.local(query.as_of).date() if query.as_of else clock.today())


def _content(layout: Layout, version: int, data: Data) -> Data:
    return data if version == layout.schema.version else carried(layout.schema, data)


@dataclass(slots=True)
class Printer:
    """Rows of the base as rows of a list; keeps the names and labels that it has looked up."""

    layout: Layout
    columns: Sequence[Column]
    units: dict[int, str] = field(default_factory=dict)
    periods: dict[int | None, str] = field(default_factory=dict)
    labels: dict[tuple[str, Any], Cell] = field(default_factory=dict)
    had: dict[int, frozenset[str]] = field(default_factory=dict)

    def rows(self, found: Sequence[tuple[Any, ...]]) -> Iterator[Row]:
        """Print a part of a list."""
        self._learn(found)
        layout = self.layout
        for record_id, number, unit_id, period_id, version, data, *_rest in found:
            content = _content(layout, version, data)
            unit, period = self.units.get(unit_id, ""), self.periods.get(period_id, "")
            fixed = {UNIT: unit, PERIOD: period, VERSION: str(version)}
            cells = tuple(
                Cell(fixed[one.name]) if one.name in fixed else self._cell(one.name, content.get(one.name), version)
                for one in self.columns
            )
            name = identity_words(layout.schema, content, layout.day)
            yield Row(record_id, number, name, unit_id, unit, period, cells)

    def _learn(self, found: Sequence[tuple[Any, ...]]) -> None:
        units = {one[2] for one in found} - set(self.units)
        if units:
            self.units.update(names_at(units, self.layout.day))
        periods = {one[3] for one in found if one[3] is not None} - set(self.periods)
        if periods:
            self.periods.update(Period.objects.filter(pk__in=periods).values_list("pk", "name"))
        if not self.had:
            versions = schema_versions(self.layout.row)
            self.had = {one.version: frozenset(_names(one.by_name, self.layout)) for one in versions}

    def _cell(self, name: str, value: Value | None, version: int) -> Cell:
        if value is None:
            asked = name in self.had.get(version, ())
            return _BLANK if asked else _NOT_ASKED
        if isinstance(value, Sealed):
            return Cell(str(value))
        key = (name, tuple(value) if isinstance(value, list) else (type(value), value))
        found = self.labels.get(key)
        if found is None:
            one, schema = self.layout.fields[name], self.layout.owners[name]
            found = Cell(even(shown(schema, one, value, self.layout.day), one))
            if len(self.labels) < _MOST_LABELS:
                self.labels[key] = found
        return found


def even(text: str, one: Field) -> str:
    """A number with its column's decimals, so that points stand under each other: 28.1 → 28.10 beside 20.32."""
    if one.type is not FieldType.NUMBER or not one.decimals or one.sensitive:
        return text
    whole, _point, rest = text.partition(".")
    return f"{whole}.{rest.ljust(one.decimals, '0')}" if whole.lstrip("-").replace(",", "").isdigit() else text


_BLANK = Cell(ABSENT, True, "未填")
_NOT_ASKED = Cell(ABSENT, True, "填报时的表样没有这一项")
_MOST_LABELS = 50_000


def _names(fields: Mapping[str, Any], layout: Layout) -> Iterator[str]:
    """The names of a version's fields, and what later versions call them."""
    renamed = {old: one.name for one in layout.schema.fields for old in one.renamed_from}
    for name in fields:
        yield name
        if name in renamed:
            yield renamed[name]


def as_of_day(day: dt.date) -> dt.datetime:
    """A day as a list's moment: its last second."""
    return clock.at_end_of(day)
