"""The rows behind a list: scope, conditions and a total order that both databases keep, blanks always last (P25)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce

from jiaoheng.bureau.core.access import access_unit
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Unit
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.ledgers.listing_columns import Layout
from jiaoheng.bureau.ledgers.listing_query import Filter, ListQuery
from jiaoheng.bureau.ledgers.listing_text import text_condition
from jiaoheng.bureau.ledgers.models import RecordVersion
from jiaoheng.bureau.ledgers.models.records import CURRENT
from jiaoheng.bureau.ledgers.slots import slot_key
from jiaoheng.registers.model import Field, FieldType, PeriodKind, Wrong
from jiaoheng.registers.values import Reader

_COLUMNS = ("record_id", "number", "unit_id", "period_id", "schema_version", "data", "pk")
_LAST = "\U0010ffff"  # after every key that begins alike
Versions = Any  # a QuerySet of RecordVersion (Django is untyped here)


def chosen(account: Account, layout: Layout, query: ListQuery) -> Versions:
    """The versions that a list holds, in no order: what one may read, at the moment asked, with every condition.

    Raises NotFoundError for a unit that one may not open: its name would stand over the list.
    """
    rows = RecordVersion.objects.filter(register=layout.row)
    if query.as_of is None:
        rows = rows.filter(CURRENT)
    else:
        ends = Q(valid_to__isnull=True) | Q(valid_to__gt=query.as_of)
        rows = rows.filter(ends, valid_from__lte=query.as_of, deleted=False)
    if query.period_id is not None:
        rows = rows.filter(period_id=query.period_id)
    elif layout.schema.period is PeriodKind.NONE and (not query.filters or is_narrow(account, layout, query)):
        # true of all of them: it lets the index reach the school; a filtered list of many schools goes by its columns
        rows = rows.filter(period__isnull=True)
    rows = rows.filter(scope_of(account, Can.READ).rows(layout.row.name))
    if query.unit_id is not None:
        rows = rows.filter(_under(access_unit(account, query.unit_id)))
    if query.record_ids:
        rows = rows.filter(record_id__in=query.record_ids)
    for one in query.filters:
        rows = rows.filter(_condition(layout, one))
    if query.text.strip():
        rows = rows.filter(text_condition(layout, query.text, current=query.as_of is None))
    return rows


def _under(unit: Unit) -> Q:
    if unit.level in (Unit.Level.COUNTY, Unit.Level.DISTRICT, Unit.Level.SCHOOL, Unit.Level.CLASS):
        return Q(**{f"{unit.level}_id": unit.pk})
    return Q(unit_id=unit.pk)


def slot_of(layout: Layout, name: str, wish: str) -> str:
    """The index column of a field. RefusedError: `column-protected` (400) or `column-unsortable`."""
    slot = layout.slots.get(name)
    if slot is not None:
        return f"s{slot}"
    one = layout.fields.get(name)
    if one is not None and one.sensitive:
        raise RefusedError("column-protected", f"“{one.title}”是受保护的列，不能{wish}；可以输入完整号码查找")
    title = one.title if one is not None else name
    raise RefusedError("column-unsortable", f"“{title[:40]}”不能{wish}，请换一列")


def _condition(layout: Layout, asked: Filter) -> Q:
    column = slot_of(layout, asked.field, "筛选")
    one = layout.fields[asked.field]
    if asked.operator == "blank":
        return Q(**{f"{column}__isnull": True})
    if asked.operator == "filled":
        return Q(**{f"{column}__isnull": False})
    keys = [_key(layout, one, text) for text in asked.values]
    if asked.operator == "from":
        return Q(**{f"{column}__gte": keys[0]})
    if asked.operator == "to":
        return Q(**{f"{column}__lte": keys[0]})
    if asked.operator == "begins":
        return Q(**{f"{column}__gte": keys[0], f"{column}__lt": keys[0] + _LAST})
    if len(keys) == 1:
        return Q(**{column: keys[0]})
    return Q(**{f"{column}__in": keys})


def _key(layout: Layout, one: Field, text: str) -> str:
    """The key of a filter's value, read as the field reads what is typed; a choice that has ended is a choice still."""
    if one.codes:
        table = layout.schema.codes_of(one)
        labels = {item.label: item.code for item in table.items} if table is not None else {}
        return slot_key(one, labels.get(text, text)) or ""
    if one.type is FieldType.STRING:
        return slot_key(one, text) or ""
    value = Reader(one, layout.schema, layout.day).read(text)
    if isinstance(value, Wrong) or value is None or not isinstance(value, (str, int, bool)):
        raise RefusedError("filter-value", f"“{one.title}”的筛选值“{text[:40]}”无法识别，请改正后再筛选")
    return slot_key(one, value) or ""


def is_narrow(account: Account, layout: Layout, query: ListQuery) -> bool:
    """Whether a list is of one school or less: then its rows are fetched by their unit and sorted, since walking the
    whole register in order to find them would take longer."""
    low = (Unit.Level.SCHOOL, Unit.Level.CLASS)
    if query.unit_id is not None:
        return Unit.objects.filter(pk=query.unit_id, level__in=low).exists()
    return all(root.level in low for root in scope_of(account, Can.READ).roots)


def order_column(layout: Layout, query: ListQuery) -> str | None:
    """The index column by which a list is ordered; None: by record."""
    if query.sort:
        return slot_of(layout, query.sort, "排序")
    for one in layout.schema.identity_fields:
        if one.name in layout.slots:
            return f"s{layout.slots[one.name]}"
    return None


def part(
    rows: Versions,
    column: str | None,
    descending: bool,
    after: tuple[str | None, int] | None,
    size: int,
    narrow: bool = False,
    columns: Sequence[str] = _COLUMNS,
) -> list[tuple[Any, ...]]:
    """The next `size` rows behind a place, as tuples of the columns and the sort key: valued ones first, then blanks.

    Two queries rather than one, so that each walks an index and neither database's own idea of blanks matters.
    `narrow`: see `is_narrow`; the order is then written so that no index offers it. `columns`: record_id first.
    """
    found: list[tuple[Any, ...]] = []
    names = (*columns, column) if column is not None else columns
    if column is not None and (after is None or after[0] is not None):
        valued, place = rows.filter(**{f"{column}__isnull": False}), column
        if narrow:
            valued, place = valued.alias(order_key=Coalesce(F(column), Value(""))), "order_key"
        if after is not None:
            valued = valued.filter(_behind(place, descending, *after))
        key = F(place)
        order = (key.desc(), F("record_id").desc()) if descending else (key.asc(), F("record_id").asc())
        found = list(valued.order_by(*order).values_list(*names)[:size])
        after = None
    if len(found) < size:
        blank = rows.filter(**{f"{column}__isnull": True}) if column is not None else rows
        if after is not None:
            blank = blank.filter(record_id__gt=after[1])
        more = blank.order_by("record_id").values_list(*columns)[: size - len(found)]
        found += [(*one, None) for one in more]
    return found


def _behind(column: str, descending: bool, key: str | None, record_id: int) -> Q:
    side = "lt" if descending else "gt"
    beyond = Q(**{f"{column}__{side}": key}) | Q(**{column: key, f"record_id__{side}": record_id})
    return Q(**{f"{column}__{side}e": key}) & beyond  # the first half is what an index can seek


def walk(
    rows: Versions,
    column: str | None,
    descending: bool,
    size: int,
    narrow: bool = False,
    columns: Sequence[str] = _COLUMNS,
) -> Iterator[Sequence[tuple[Any, ...]]]:
    """Every row in the list's order, in parts; a row added or deleted meanwhile repeats and skips none of the others."""
    after: tuple[str | None, int] | None = None
    while True:
        found = part(rows, column, descending, after, size, narrow, columns)
        if found:
            yield found
        if len(found) < size:
            return
        after = (found[-1][-1], found[-1][0])
