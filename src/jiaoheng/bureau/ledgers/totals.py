"""Totals of a register's numbers for a unit and a period, with how many of the owed units stand behind them.

A total is of what is there: 0 is a value, a unit that sent nothing is none, a mean is over the values that are there.
The provisional total takes what stands in the base now, the approved one what was approved (P16).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.models import Max

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import Period, Unit
from jiaoheng.bureau.core.tree import descendants_at, names_at
from jiaoheng.bureau.ledgers.models import Filing, RecordVersion, RegisterRow, Round
from jiaoheng.bureau.ledgers.models.records import CURRENT
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.bureau.ledgers.snapshot import snapshot
from jiaoheng.bureau.ledgers.snapshot_columns import version_on
from jiaoheng.methods.numbers import text
from jiaoheng.registers.model import Field, FieldType, Register, Sensitive

MISSING = "—"
COUNTED = {"school": "校", "class": "班", "district": "个学区", "department": "个股室", "county": "县"}


@dataclass(frozen=True, slots=True)
class FieldTotal:
    """One numeric field over the records: exact, and as printed (half up; “—” where no value is there)."""

    name: str
    title: str
    unit: str
    count: int
    sum: Decimal | None
    mean: Fraction | None
    sum_words: str
    mean_words: str


@dataclass(frozen=True, slots=True)
class Totals:
    """The numbers of a register for a unit and period. `missing`: names of owed units that sent nothing."""

    fields: tuple[FieldTotal, ...]
    records: int
    reported: int
    owed: int
    missing: tuple[str, ...]
    unreviewed: int  # units whose records changed after their approval
    approved: bool
    level: str  # of the units that report

    def field(self, name: str) -> FieldTotal:
        """The total of one field. KeyError where it is no number."""
        for one in self.fields:
            if one.name == name:
                return one
        raise KeyError(name)

    @property
    def rate_words(self) -> str:
        """已报 2/3, or 已审 2/3 for approved figures."""
        return _rate_words(self.reported, self.owed, self.approved)

    @property
    def unreviewed_words(self) -> str:
        """1 校有未审修改; empty where there is none."""
        return f"{self.unreviewed} {COUNTED.get(self.level, '个单位')}有未审修改" if self.unreviewed else ""


@dataclass(frozen=True, slots=True)
class _Reporting:
    reported: int
    owed: int
    missing: tuple[str, ...]
    unreviewed: int


def totals(
    register: RegisterRow,
    unit: Unit,
    period: Period | None = None,
    *,
    approved: bool = False,
    fields: Sequence[str] | None = None,
) -> Totals:
    """Sum, count and mean of the numeric fields over the unit's subtree (`fields`: only these).

    period None: a standing register.
    """
    schema = schema_of(register, _last_day(period))
    chosen = [one for one in schema.fields if _is_number(one) and (fields is None or one.name in fields)]
    table = snapshot(register, period=period, approved=approved)
    column = "_unit" if unit.level == Unit.Level.DEPARTMENT else f"_{unit.level}"
    table = table.filter(table[column] == unit.pk)
    chosen = [one for one in chosen if one.name in table.columns]
    wanted: dict[str, Any] = {"n": table.count()}
    for one in chosen:
        number = table[one.name]
        exact = number.cast("decimal(38, 0)") if one.type is FieldType.INTEGER else number
        wanted |= {f"s_{one.name}": exact.sum(), f"c_{one.name}": number.count()}
    row = table.aggregate(**wanted).to_polars().to_dicts()[0]
    level = str(schema.level)
    said = _reporting(register, unit, period, approved)
    if said is None:
        there = set(table.select("_unit").distinct().to_polars()["_unit"].to_list())
        said = _by_records(there, unit, level, period)
    return Totals(
        tuple(_total(one, row[f"s_{one.name}"], row[f"c_{one.name}"]) for one in chosen),
        row["n"],
        said.reported,
        said.owed,
        said.missing,
        said.unreviewed,
        approved,
        level,
    )


def filed_words(register: RegisterRow, schemas: Sequence[Register], unit: Unit, period: Period) -> str:
    """`Totals.rate_words` of the provisional figures alone, without reading a number. `schemas`: the register's."""
    filings = _filings(register, unit, period)
    if filings:
        owed = {one.unit_id for one in filings}
        return _rate_words(len({one.unit_id for one in filings if one.content > 0}), len(owed), approved=False)
    column = "unit_id" if unit.level == Unit.Level.DEPARTMENT else f"{unit.level}_id"
    rows = RecordVersion.objects.filter(CURRENT, register=register, period=period, **{column: unit.pk}).order_by()
    number = version_on(schemas, _last_day(period))
    level = next(str(one.level) for one in schemas if one.version == number)
    said = _by_records(set(rows.values_list("unit_id", flat=True).distinct()), unit, level, period)
    return _rate_words(said.reported, said.owed, approved=False)


def _rate_words(reported: int, owed: int, approved: bool) -> str:
    return f"{'已审' if approved else '已报'} {reported}/{owed}"


def _is_number(one: Field) -> bool:
    return one.type in (FieldType.INTEGER, FieldType.NUMBER) and one.sensitive is Sensitive.NONE and not one.codes


def _total(one: Field, found: Decimal | None, count: int) -> FieldTotal:
    if not count or found is None:
        return FieldTotal(one.name, one.title, one.unit, 0, None, None, MISSING, MISSING)
    total = Decimal(found)
    mean = Fraction(total) / count
    if one.type is FieldType.INTEGER:
        digits = 0
    elif one.decimals is not None:
        digits = one.decimals
    else:
        digits = max(0, -int(total.normalize().as_tuple().exponent))
    return FieldTotal(
        one.name,
        one.title,
        one.unit,
        count,
        total,
        mean,
        text(total, digits, grouped=True),
        text(mean, max(digits + 1, 2), grouped=True),
    )


def _last_day(period: Period | None) -> dt.date:
    if period is None:
        return clock.today()
    today = clock.today()
    return min(max(today, period.starts_on), period.ends_on - dt.timedelta(days=1))


def _filings(register: RegisterRow, unit: Unit, period: Period | None) -> list[Filing]:
    column = "unit_id" if unit.level == Unit.Level.DEPARTMENT else f"{unit.level}_id"
    found = Filing.objects.filter(round__register=register, dropped_on__isnull=True, **{column: unit.pk})
    if period is not None:
        return list(found.filter(round__period=period))
    newest = Round.objects.filter(register=register, period__isnull=True).order_by("-opens_at", "-pk").first()
    return list(found.filter(round=newest)) if newest is not None else []


def _reporting(register: RegisterRow, unit: Unit, period: Period | None, approved: bool) -> _Reporting | None:
    """By the rounds that asked; None where nobody asked."""
    filings = _filings(register, unit, period)
    if not filings:
        return None
    owed = {one.unit_id for one in filings}
    done = {one.unit_id for one in filings if (one.approved_as_of is not None if approved else one.content > 0)}
    seen: dict[int, dt.datetime] = {}
    for one in filings:
        if one.approved_as_of is not None:
            seen[one.unit_id] = max(one.approved_as_of, seen.get(one.unit_id, one.approved_as_of))
    versions = RecordVersion.objects.filter(register=register, unit_id__in=list(seen))
    versions = versions.filter(period=period) if period is not None else versions.filter(period__isnull=True)
    changed = versions.order_by().values_list("unit_id").annotate(at=Max("valid_from"))
    unreviewed = sum(at > seen[unit_id] for unit_id, at in changed)
    return _Reporting(len(done), len(owed), _names(owed - done), unreviewed)


def _by_records(there: set[int], unit: Unit, level: str, period: Period | None) -> _Reporting:
    """Nobody asked: every unit of the level owes, who has a record (`there`) has reported."""
    owed = set(descendants_at(unit.pk, _last_day(period), level).values_list("pk", flat=True))
    return _Reporting(len(there), len(owed | there), _names(owed - there), 0)


def _names(units: set[int]) -> tuple[str, ...]:
    names = names_at(units, clock.today())
    return tuple(sorted(names.get(one, str(one)) for one in units))
