"""What a list shows, or its ticked rows, as rows to download: the same rows, order and columns as the screen (P20)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import Account, Period
from jiaoheng.bureau.ledgers.exports import Chosen, Head, Ticked, ticked
from jiaoheng.bureau.ledgers.list_words import query_words
from jiaoheng.bureau.ledgers.listing_columns import Layout, layout_of
from jiaoheng.bureau.ledgers.listing_query import ListQuery
from jiaoheng.bureau.ledgers.listing_rows import chosen, is_narrow, order_column, walk
from jiaoheng.bureau.ledgers.models import RegisterRow

_STEP = 5_000  # rows of the order fetched together


def from_list(account: Account, register: RegisterRow, query: ListQuery) -> Chosen:
    """Every row of a list in its order, with the columns chosen on the screen (all of them where none were)."""
    layout = _layout(register, query)
    rows = list(_order(account, layout, query))
    fields = tuple(name for name in query.columns if name in layout.fields)
    return Chosen(rows, query_words(layout, query), query.as_of, fields or None, _period(query))


def from_ticked(account: Account, register: RegisterRow, query: ListQuery, ids: Sequence[int]) -> Ticked:
    """The ticked rows in the screen's order, those that its present filter hides last."""
    shown = [one.record_id for one in _order(account, _layout(register, query), query)]
    return ticked(account, register, shown, ids)


def _layout(register: RegisterRow, query: ListQuery) -> Layout:
    return layout_of(register, clock.local(query.as_of).date() if query.as_of else clock.today())


def _order(account: Account, layout: Layout, query: ListQuery) -> Iterator[Head]:
    rows, column = chosen(account, layout, query), order_column(layout, query)
    narrow = is_narrow(account, layout, query)
    for part in walk(rows, column, query.descending, _STEP, narrow, Head._fields):
        for row in part:
            yield Head._make(row[:-1])


def _period(query: ListQuery) -> Period | None:
    return Period.objects.filter(pk=query.period_id).first() if query.period_id is not None else None
