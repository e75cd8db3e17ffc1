"""What stands round a list: periods, units, filters, views, columns, and what the person may do with the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Period, Unit
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import facts_at
from jiaoheng.bureau.ledgers.grid import fits_table
from jiaoheng.bureau.ledgers.list_words import Chip, chips
from jiaoheng.bureau.ledgers.listing import list_page
from jiaoheng.bureau.ledgers.listing_columns import Column, Layout, layout_of
from jiaoheng.bureau.ledgers.listing_query import ListQuery
from jiaoheng.bureau.ledgers.models import RecordVersion, RegisterRow, Round
from jiaoheng.bureau.ledgers.models.records import CURRENT
from jiaoheng.bureau.ledgers.views import ViewShown, views_of
from jiaoheng.registers.model import PeriodKind

_MOST_PERIODS = 24


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a chooser."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Sorting:
    """A column's head: where a press on it leads, and how the list is sorted by it now."""

    column: Column
    link: str
    state: str  # ascending, descending, ""


@dataclass(frozen=True, slots=True)
class Bound:
    """A filterable column with what is asked of it now."""

    column: Column
    low: str
    high: str
    value: str


@dataclass(frozen=True, slots=True)
class ChipLink:
    """A condition in words and the address of the list without it."""

    words: str
    link: str


@dataclass(frozen=True, slots=True)
class ListShell:
    """The frame of a list page."""

    periods: Sequence[Option]
    units: Sequence[Option]
    bounds: Sequence[Bound]
    chips: Sequence[ChipLink]
    views: Sequence[tuple[ViewShown, str]]
    heads: Sequence[Sorting]
    query: str  # the present question as URL parameters
    pairs: Sequence[tuple[str, str]]
    may_fill: bool
    may_grid: bool  # its rows can be typed in a table
    may_manage: bool
    may_full: bool
    has_protected: bool
    open_rounds: Sequence[tuple[int, str]]


def list_shell(account: Account, register: RegisterRow, query: ListQuery, columns: Sequence[Column]) -> ListShell:
    """The frame for one person and question."""
    layout = layout_of(register, clock.local(query.as_of).date() if query.as_of else clock.today())
    pairs = query.as_pairs()
    rounds = Round.objects.filter(register=register, closed_at__isnull=True).order_by("-due_at")[:5]
    return ListShell(
        periods=_periods(layout, query),
        units=_units(account, query),
        bounds=[_bound(layout, query, name) for name in layout.slots if name in layout.columns],
        chips=[_chip(one) for one in chips(layout, query)],
        views=[(one, _link(one.query)) for one in views_of(account, register)],
        heads=[_head(layout, query, one) for one in columns],
        query=urlencode(pairs),
        pairs=pairs,
        may_fill=bool(scope_of(account, Can.FILL)),
        may_grid=fits_table(register),
        may_manage=bool(scope_of(account, Can.ROUNDS)),
        may_full=bool(scope_of(account, Can.EXPORT_FULL)),
        has_protected=any(column.protected for column in layout.columns.values()),
        open_rounds=[(one.pk, one.title) for one in rounds],
    )


def _link(query: ListQuery) -> str:
    return "?" + urlencode(query.as_pairs())


def _chip(one: Chip) -> ChipLink:
    return ChipLink(one.words, _link(one.without))


def _periods(layout: Layout, query: ListQuery) -> list[Option]:
    kind = layout.schema.period
    if kind is PeriodKind.NONE:
        return []
    rows = Period.objects.filter(kind=kind.value, starts_on__lte=clock.today()).order_by("-starts_on")[:_MOST_PERIODS]
    return [Option(str(one.pk), one.name, one.pk == query.period_id) for one in rows]


def _units(account: Account, query: ListQuery) -> list[Option]:
    """The districts and schools of the person's scope, where there are several."""
    inside = scope_of(account, Can.READ).units()
    wanted = inside.filter(level__in=[Unit.Level.DISTRICT, Unit.Level.SCHOOL])
    levels = dict(wanted.values_list("pk", "level"))
    facts = facts_at(levels, clock.today())
    order = sorted(facts.values(), key=lambda one: (levels[one.unit_id] != Unit.Level.DISTRICT, one.sort_key))
    found = [Option(str(one.unit_id), one.name, one.unit_id == query.unit_id) for one in order]
    return found if len(found) > 1 else []


def _bound(layout: Layout, query: ListQuery, name: str) -> Bound:
    asked = {one.operator: one.values for one in query.filters if one.field == name}
    value = asked.get("is") or asked.get("begins") or asked.get("in") or ("",)
    return Bound(layout.columns[name], (asked.get("from") or ("",))[0], (asked.get("to") or ("",))[0], value[0])


def _head(layout: Layout, query: ListQuery, column: Column) -> Sorting:
    if not column.sortable:
        return Sorting(column, "", "")
    here = query.sort == column.name
    state = ("descending" if query.descending else "ascending") if here else ""
    return Sorting(column, _link(replace(query, sort=column.name, descending=here and not query.descending)), state)


def default_period(register: RegisterRow) -> int | None:
    """The newest period that has records, which a list opens with; None for a standing register."""
    newest = (
        RecordVersion.objects.filter(CURRENT, register=register, period__isnull=False)
        .order_by("-period__starts_on")
        .values_list("period_id", flat=True)
        .first()
    )
    return int(newest) if newest is not None else None


@dataclass(frozen=True, slots=True)
class Picked:
    """A ticked record of a bulk change: its name, unit and the version that the person saw."""

    record_id: int
    number: int
    name: str
    unit_name: str


def picked_rows(account: Account, register: RegisterRow, ids: Sequence[int]) -> list[Picked]:
    """The ticked records that one may read, as a bulk change lists them."""
    found = list_page(account, register.name, ListQuery(record_ids=tuple(ids)), size=500, with_count=False)
    return [Picked(row.record_id, row.number, row.name, row.unit_name) for row in found.rows]
