"""One numeric field of a register for a unit in two periods, across a tree that changed between them (P01, P02).

A value is the sum over the rows that stand under the unit by their own ancestor columns: last year's figure keeps last
year's tree. Where units came or went in between, the change is marked 口径变化 and a second comparison is given on the
later tree: rows of the units (and of those merged into them) that stand under the unit in the later period, wherever
they stood in the earlier one.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from django.db.models import Q, QuerySet
from django.db.models.fields.json import KT

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import Period, Unit
from jiaoheng.bureau.core.tree import name_of
from jiaoheng.bureau.ledgers.compare_tree import Changes, changes_between
from jiaoheng.bureau.ledgers.models import RecordVersion, RegisterRow
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.methods.numbers import half_up, text
from jiaoheng.registers.model import Field

NONE = "—"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two sums with their change, exact and as printed; None where no row has a value, which is not 0."""

    before: Decimal | None
    after: Decimal | None
    before_rows: int
    after_rows: int
    decimals: int = 0

    @property
    def change(self) -> Decimal | None:
        """Absolute change."""
        return None if self.before is None or self.after is None else self.after - self.before

    @property
    def ratio(self) -> Fraction | None:
        """Relative change; None where there is nothing to divide by."""
        change = self.change
        return None if change is None or not self.before else Fraction(change) / Fraction(self.before)

    @property
    def before_text(self) -> str:
        """The earlier value as printed."""
        return NONE if self.before is None else text(self.before, self.decimals, grouped=True)

    @property
    def after_text(self) -> str:
        """The later value as printed."""
        return NONE if self.after is None else text(self.after, self.decimals, grouped=True)

    @property
    def change_text(self) -> str:
        """−115, +5, 0."""
        return NONE if self.change is None else text(self.change, self.decimals, signed=True, grouped=True)

    @property
    def percent_text(self) -> str:
        """−57.5 %, half up to two decimals, without zeros at the end."""
        if self.ratio is None:
            return NONE
        value = half_up(self.ratio * 100, 2).normalize()
        places = max(0, -int(value.as_tuple().exponent))
        return f"{text(value, places, signed=True)} %"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure of a unit in two periods. `marks` not empty: 口径变化, and `like` is the comparison on one tree.

    `like` is None where a split inside a unit leaves nothing to compare; `why_not` says so.
    """

    unit_name: str
    field_title: str
    measure: str
    before_period: str
    after_period: str
    as_written: Pair
    marks: tuple[str, ...]
    like: Pair | None
    why_not: str = ""

    @property
    def scope_changed(self) -> bool:
        """Whether 口径变化 is to be shown."""
        return bool(self.marks)

    @property
    def mark_text(self) -> str:
        """口径变化：S 划出; "" where the tree did not change."""
        return f"口径变化：{'，'.join(self.marks)}" if self.marks else ""

    @property
    def sentence(self) -> str:
        """东镇学区在校生 200 → 85 名，−115（−57.5 %），口径变化：S 划出；同口径 80 → 85，+5（+6.25 %）."""
        made = f"{self.unit_name}{self.field_title} {_pair_words(self.as_written, self.measure)}"
        if not self.marks:
            return made
        if self.like is None:
            tail = f"；{self.why_not}"
        elif self.like.before is None and self.like.after is None:  # the unit itself went into another one
            tail = ""
        else:
            tail = f"；同口径 {_pair_words(self.like, self.measure)}"
        return f"{made}，{self.mark_text}{tail}"


@dataclass(frozen=True, slots=True)
class Row:
    """A record's value with the units it counts for; `anchor` is its school where it has one, else its unit."""

    anchor: int
    line: Mapping[str, int | None]
    value: Decimal | None


def compare(
    unit: Unit,
    register: RegisterRow,
    field: str,
    before: Period,
    after: Period,
    *,
    as_of: dt.datetime | None = None,
    rows: Callable[[Period], QuerySet[RecordVersion]] | None = None,
    days: tuple[dt.date, dt.date] | None = None,
    read: Callable[[Period], list[Row]] | None = None,
) -> Comparison:
    """Compare a numeric field of a register for a unit between two periods.

    `as_of`: versions that held at that moment (now). `rows`: instead, the record versions to take for a period (the
    approved ones of a round). `days`: the reference days of the two periods, where they are not their last days.
    `read`: every row of the register in a period, where the caller has them already.
    Raises KeyError for a field the register does not have.
    """
    schema = schema_of(register, after.ends_on - dt.timedelta(days=1))
    found = schema.by_name[field]
    take = rows or (lambda period: versions_at(register, period, as_of))
    first, second = (read(period) if read else values_of(take(period), found) for period in (before, after))
    day_before, day_after = days or (_last_day(before), _last_day(after))
    changes = changes_between(unit, first, second, day_before, day_after)
    decimals = _decimals([*first, *second], found)
    like, why_not = _like(changes, first, second, decimals)
    mine_first = [row for row in first if row.line.get(changes.column) == unit.pk]
    mine_second = [row for row in second if row.line.get(changes.column) == unit.pk]
    return Comparison(
        unit_name=name_of(unit, day_after),
        field_title=found.title,
        measure=found.unit,
        before_period=before.name,
        after_period=after.name,
        as_written=pair_of(mine_first, mine_second, decimals),
        marks=changes.marks,
        like=like,
        why_not=why_not,
    )


def total(
    unit: Unit,
    register: RegisterRow,
    field: str,
    period: Period,
    *,
    as_of: dt.datetime | None = None,
    rows: QuerySet[RecordVersion] | None = None,
) -> tuple[Decimal | None, int]:
    """The sum of a field over a unit's own rows in a period, and how many rows have a value."""
    schema = schema_of(register, period.ends_on - dt.timedelta(days=1))
    taken = versions_at(register, period, as_of) if rows is None else rows
    column = "unit_id" if unit.level == Unit.Level.DEPARTMENT else f"{unit.level}_id"
    found = values_of(taken.filter(**{column: unit.pk}), schema.by_name[field])
    return _sum(found)


def versions_at(register: RegisterRow, period: Period, as_of: dt.datetime | None = None) -> QuerySet[RecordVersion]:
    """The record versions of a register and period that held at a moment (now)."""
    moment = as_of or clock.now()
    held = Q(valid_to__isnull=True) | Q(valid_to__gt=moment)
    return RecordVersion.objects.filter(held, register=register, period=period, deleted=False, valid_from__lte=moment)


def values_of(rows: QuerySet[RecordVersion], field: Field) -> list[Row]:
    """The field's value in each row, by the name it has or had; the database hands over that value only."""
    columns = ("county_id", "district_id", "school_id", "class_id", "unit_id")
    names = {f"v{number}": KT(f"data__{name}") for number, name in enumerate((field.name, *field.renamed_from))}
    made = []
    for found in rows.order_by().annotate(**names).values_list(*columns, *names):
        line = dict(zip(columns, found[:5], strict=True))
        given = next((one for one in found[5:] if one is not None and one != ""), None)
        made.append(Row(found[2] or found[4], line, None if given is None else Decimal(str(given))))
    return made


def pair_of(before: Iterable[Row], after: Iterable[Row], decimals: int) -> Pair:
    """Two sums side by side."""
    (one, one_rows), (other, other_rows) = _sum(before), _sum(after)
    return Pair(one, other, one_rows, other_rows, decimals)


def _sum(rows: Iterable[Row]) -> tuple[Decimal | None, int]:
    values = [row.value for row in rows if row.value is not None]
    return (sum(values, Decimal(0)) if values else None), len(values)


def _like(changes: Changes, first: Sequence[Row], second: Sequence[Row], decimals: int) -> tuple[Pair | None, str]:
    """The comparison on the later tree, or why there is none."""
    if not changes.marks:
        return None, ""
    if changes.parted:
        return None, f"{'、'.join(changes.parted)}分出前的数不能拆开，没有同口径数"
    by_anchor: dict[int, list[Row]] = defaultdict(list)
    for row in first:
        by_anchor[changes.successor.get(row.anchor, row.anchor)].append(row)
    before = [row for anchor in changes.both for row in by_anchor.get(anchor, ())]
    after = [row for row in second if changes.successor.get(row.anchor, row.anchor) in changes.both]
    return pair_of(before, after, decimals), ""


def _decimals(rows: Sequence[Row], field: Field) -> int:
    """As many decimals as the values have, at most those of the field."""
    found = max((-int(row.value.normalize().as_tuple().exponent) for row in rows if row.value is not None), default=0)
    return min(max(found, 0), field.decimals if field.decimals is not None else 6)


def _last_day(period: Period) -> dt.date:
    last: dt.date = period.ends_on - dt.timedelta(days=1)
    return min(last, max(period.starts_on, clock.today()))


def _pair_words(pair: Pair, measure: str) -> str:
    head = f"{pair.before_text} → {pair.after_text}"
    if measure:
        head += f" {measure}"
    return f"{head}，{pair.change_text}（{pair.percent_text}）" if pair.change is not None else head
