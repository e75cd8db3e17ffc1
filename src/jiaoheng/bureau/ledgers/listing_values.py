"""The list of a register as values for programs: the rows, order, filters and rights of `listing`, protected columns masked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.limits import limits_of
from jiaoheng.bureau.core.models import Account, Period
from jiaoheng.bureau.core.tree import names_at
from jiaoheng.bureau.ledgers.access import access_register
from jiaoheng.bureau.ledgers.changes import carried
from jiaoheng.bureau.ledgers.listing import columns_of
from jiaoheng.bureau.ledgers.listing_columns import Layout, layout_of
from jiaoheng.bureau.ledgers.listing_query import MOST, PAGE, ListQuery, cursor_of, cursor_text
from jiaoheng.bureau.ledgers.listing_rows import chosen, is_narrow, order_column, part, walk
from jiaoheng.bureau.ledgers.masking_rules import identity_words, shown
from jiaoheng.registers.model import Data, Field, Register, Value

_WALK = 5_000  # rows read at a time


@dataclass(frozen=True, slots=True)
class ValueRow:
    """One record: stored values under the names of the day; absent ones are not in it, protected ones are masked."""

    record_id: int
    version: int
    unit_id: int
    unit_name: str
    period_id: int | None
    period_code: str
    schema_version: int
    name: str
    values: Data


@dataclass(frozen=True, slots=True)
class ValuePage:
    """One page; `after` leads to the next, "" on the last. `total`: of all pages, None where it was not asked for."""

    fields: tuple[str, ...]
    rows: tuple[ValueRow, ...]
    total: int | None
    after: str


def values_page(
    account: Account, register: str, query: ListQuery, *, after: str = "", size: int = PAGE, with_count: bool = False
) -> ValuePage:
    """As `listing.list_page`, with the same refusals."""
    layout = _layout(account, register, query)
    fields = fields_of(layout, query)
    rows = chosen(account, layout, query)
    size = max(1, min(size, MOST, limits_of(account).page_rows))
    place = cursor_of(after) if after else None
    order = order_column(layout, query)
    found = part(rows, order, query.descending, place, size + 1, is_narrow(account, layout, query))
    more, found = len(found) > size, found[:size]
    return ValuePage(
        fields=tuple(one.name for one in fields),
        rows=tuple(_Reader(layout, fields).rows(found)),
        total=rows.count() if with_count else None,
        after=cursor_text(found[-1][-1], found[-1][0]) if more else "",
    )


def iter_values(account: Account, register: str, query: ListQuery) -> Iterator[list[ValueRow]]:
    """Every row of the list in parts, without holding them all; what is wrong with the query is refused at the call."""
    layout = _layout(account, register, query)
    reader = _Reader(layout, fields_of(layout, query))
    rows, narrow = chosen(account, layout, query), is_narrow(account, layout, query)
    found = walk(rows, order_column(layout, query), query.descending, _WALK, narrow)
    return (list(reader.rows(one)) for one in found)


def list_fields(account: Account, register: str, query: ListQuery) -> list[Field]:
    """The fields of a list in order, dropped ones of earlier versions last."""
    return fields_of(_layout(account, register, query), query)


def fields_of(layout: Layout, query: ListQuery) -> list[Field]:
    """The fields asked for, else all. RefusedError `column-unknown`."""
    if not query.columns:
        return list(layout.fields.values())
    return [layout.fields[one.name] for one in columns_of(layout, query) if one.name in layout.fields]


def open_value(schema: Register, one: Field, value: Value, day: Any) -> Value:
    """A stored value as a program sees it: as it is, or masked where the column is protected."""
    return shown(schema, one, value, day) if one.sensitive else value


def _layout(account: Account, register: str, query: ListQuery) -> Layout:
    row = access_register(account, register)
    return layout_of(row, clock.local(query.as_of).date() if query.as_of else clock.today())


class _Reader:
    """Rows of the base as values; keeps the names it has looked up."""

    def __init__(self, layout: Layout, fields: Sequence[Field]) -> None:
        self.layout, self.fields = layout, fields
        self.units: dict[int, str] = {}
        self.periods: dict[int | None, str] = {}

    def rows(self, found: Sequence[tuple[Any, ...]]) -> Iterator[ValueRow]:
        layout = self.layout
        if units := {one[2] for one in found} - set(self.units):
            self.units |= names_at(units, layout.day)
        if periods := {one[3] for one in found if one[3] is not None} - set(self.periods):
            self.periods |= dict(Period.objects.filter(pk__in=periods).values_list("pk", "code"))
        for record_id, number, unit_id, period_id, version, data, *_rest in found:
            content = data if version == layout.schema.version else carried(layout.schema, data)
            values = {
                one.name: open_value(layout.owners[one.name], one, content[one.name], layout.day)
                for one in self.fields
                if one.name in content
            }
            yield ValueRow(
                record_id,
                number,
                unit_id,
                self.units.get(unit_id, ""),
                period_id,
                self.periods.get(period_id, ""),
                version,
                identity_words(layout.schema, content, layout.day),
                values,
            )
