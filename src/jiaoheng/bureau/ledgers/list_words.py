"""A list's question in words: what the sheet 说明 of a download says, and the chips over the list."""

from __future__ import annotations

from dataclasses import dataclass, replace

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import Period, Unit
from jiaoheng.bureau.core.tree import name_of
from jiaoheng.bureau.ledgers.listing_columns import Layout
from jiaoheng.bureau.ledgers.listing_query import Filter, ListQuery

_WORDS = {
    "is": "是",
    "in": "是",
    "from": "不低于",
    "to": "不超过",
    "begins": "开头是",
    "blank": "未填",
    "filled": "已填",
}


@dataclass(frozen=True, slots=True)
class Chip:
    """One condition in words, and the query without it."""

    words: str
    without: ListQuery


def filter_words(layout: Layout, one: Filter) -> str:
    """班数 不低于 12; codes by their labels."""
    column = layout.columns.get(one.field)
    title = column.title if column is not None else one.field
    labels = dict(column.choices) if column is not None else {}
    values = "、".join(labels.get(value, value) for value in one.values)
    return f"{title} {_WORDS[one.operator]} {values}".strip()


def chips(layout: Layout, query: ListQuery) -> list[Chip]:
    """Every condition of a query, each with the query that leaves it out."""
    made = []
    if query.unit_id is not None:
        unit = Unit.objects.filter(pk=query.unit_id).first()
        made.append(Chip(name_of(unit, layout.day), replace(query, unit_id=None)))
    for one in query.filters:
        rest = tuple(other for other in query.filters if other is not one)
        made.append(Chip(filter_words(layout, one), replace(query, filters=rest)))
    if query.text:
        made.append(Chip(f"含“{query.text}”", replace(query, text="")))
    if query.as_of is not None:
        made.append(Chip(f"{clock.local(query.as_of):%Y-%m-%d} 的情况", replace(query, as_of=None)))
    return made


def query_words(layout: Layout, query: ListQuery) -> str:
    """The whole question in one line, "全部" where there is no condition."""
    words = [chip.words for chip in chips(layout, query)]
    if query.period_id is not None:
        period = Period.objects.filter(pk=query.period_id).first()
        words.insert(0, period.name if period is not None else "")
    return "，".join(word for word in words if word) or "全部"
