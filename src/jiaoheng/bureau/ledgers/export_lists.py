"""A list as it is on the screen, chosen for export: the same rows in the same order, the filter in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import Account, Period, Unit
from jiaoheng.bureau.core.tree import names_at
from jiaoheng.bureau.ledgers.exports import Chosen, Ticked
from jiaoheng.bureau.ledgers.listing_columns import Layout, layout_of
from jiaoheng.bureau.ledgers.listing_query import Filter, ListQuery
from jiaoheng.bureau.ledgers.listing_rows import chosen, is_narrow, order_column, walk
from jiaoheng.bureau.ledgers.models import RegisterRow
from jiaoheng.registers.model import Data

_AT_ONCE = 2_000
_WORDS = {
    "is": "是",
    "in": "是",
    "from": "不小于",
    "to": "不大于",
    "begins": "开头是",
    "blank": "未填",
    "filled": "已填",
}


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of a list with what an export needs of its version."""

    record_id: int
    number: int
    unit_id: int
    period_id: int | None
    schema_version: int
    data: Data


def listed(account: Account, register: RegisterRow, query: ListQuery) -> Chosen:
    """Every row of a list with its present filter, sort and columns."""
    layout = _layout(register, query)
    order = order_column(layout, query)
    parts = walk(chosen(account, layout, query), order, query.descending, _AT_ONCE, is_narrow(account, layout, query))
    rows = [Listed(*one[:6]) for part in parts for one in part]
    fields = tuple(name for name in query.columns if name in layout.fields) or None
    period = Period.objects.filter(pk=query.period_id).first() if query.period_id else None
    return Chosen(rows, filter_words(layout, query), query.as_of, fields, period)


def ticked_in(account: Account, register: RegisterRow, query: ListQuery, ids: Sequence[int]) -> Ticked:
    """The ticked rows: those of the present filter in its order, then those that it hides, which are counted."""
    shown = listed(account, register, replace(query, record_ids=tuple(ids)))
    present = {row.record_id for row in shown.rows}
    away = tuple(one for one in dict.fromkeys(ids) if one not in present)
    rows = list(shown.rows)
    if away:
        bare = ListQuery(columns=query.columns, as_of=query.as_of, record_ids=away)
        rows += listed(account, register, bare).rows
    words = f"勾选的 {len(rows)} 条" + (f"（其中 {len(rows) - len(present)} 条不在当前筛选）" if away else "")
    return Ticked(replace(shown, rows=rows, filter=words), len(rows) - len(present))


def filter_words(layout: Layout, query: ListQuery) -> str:
    """The filter as the sheet 说明 says it: 2025 学年，东镇学区，性别是女，按姓名倒序."""
    words = []
    if query.period_id:
        words += Period.objects.filter(pk=query.period_id).values_list("name", flat=True)
    if query.unit_id and Unit.objects.filter(pk=query.unit_id).exists():
        words += names_at([query.unit_id], layout.day).values()
    words += [_filter(layout, one) for one in query.filters]
    if query.text:
        words.append(f"含“{query.text}”")
    if query.sort in layout.fields:
        words.append(f"按{layout.fields[query.sort].title}{'倒序' if query.descending else '排序'}")
    return "，".join(words)


def _filter(layout: Layout, one: Filter) -> str:
    title = layout.fields[one.field].title if one.field in layout.fields else one.field
    column = layout.columns.get(one.field)
    labels = dict(column.choices) if column is not None else {}
    return f"{title}{_WORDS.get(one.operator, one.operator)}{'、'.join(labels.get(v, v) for v in one.values)}"


def _layout(register: RegisterRow, query: ListQuery) -> Layout:
    day: dt.date = clock.local(query.as_of).date() if query.as_of else clock.today()
    return layout_of(register, day)
