"""合计: the numbers and choices of a register for one unit and period, added up, with how many have reported beside them.

One question to the snapshot for each kind of column; nothing protected is counted here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Period, Unit
from jiaoheng.bureau.core.refusals import NotFoundError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import line_at, name_of
from jiaoheng.bureau.ledgers.models import RegisterRow, Round
from jiaoheng.bureau.ledgers.ratios import Ratio, ratios_of
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.bureau.ledgers.snapshot import snapshot
from jiaoheng.bureau.ledgers.totals import COUNTED, FieldTotal, Totals, totals
from jiaoheng.methods.numbers import text
from jiaoheng.registers.model import Field, FieldType, Register, Sensitive

UNSAID = "未填"
_TRUTH = {True: "是", False: "否"}


@dataclass(frozen=True, slots=True)
class Share:
    """One choice of a column: how many records say so, and its part of those that say anything."""

    label: str
    count: int
    part: str  # 95.0 %


@dataclass(frozen=True, slots=True)
class Shares:
    """One column of choices; `said` records have a value."""

    name: str
    title: str
    said: int
    rows: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class ListTotals:
    """A page of totals."""

    unit_id: int
    unit_name: str
    totals: Totals
    said: str  # 已报 2/3; where nobody asked, how many units have records
    missing: tuple[str, ...]  # asked and sent nothing
    shares: tuple[Shares, ...]
    ratios: tuple[Ratio, ...]  # rates that this register is a part of
    approved: Totals | None  # the same as it stood at the last approval of each unit; None where no round asked

    @property
    def lines(self) -> list[tuple[FieldTotal, FieldTotal | None]]:
        """Each number with its approved one beside."""
        if self.approved is None:
            return [(one, None) for one in self.totals.fields]
        beside = {one.name: one for one in self.approved.fields}
        return [(one, beside.get(one.name)) for one in self.totals.fields]


def list_totals(account: Account, register: RegisterRow, unit: Unit, period: Period | None) -> ListTotals:
    """The totals of what stands in the base now, beside them those of what was approved where a round asked.

    Raises NotFoundError where the reader does not read all of it.

    An office's totals are its county's.
    """
    today = clock.today()
    if unit.level == Unit.Level.DEPARTMENT:
        unit = Unit.objects.get(pk=line_at(unit, today).county_id)
    if not scope_of(account, Can.READ).covers(line_at(unit, today), register.name):
        raise NotFoundError
    found = totals(register, unit, period)
    schema = schema_of(register, min(today, period.ends_on) if period is not None else today)
    asked = Round.objects.filter(register=register, period=period).exists()
    said = found.rate_words if asked else f"{found.reported} {COUNTED.get(found.level, '个单位')}有记录"
    missing = found.missing if asked else ()
    rates = ratios_of(account, unit, today, period=period, register=register.name) if period is not None else ()
    approved = totals(register, unit, period, approved=True) if asked else None
    return ListTotals(
        unit.pk, name_of(unit, today), found, said, missing, _shares(register, schema, unit, period), rates, approved
    )


def _shares(register: RegisterRow, schema: Register, unit: Unit, period: Period | None) -> tuple[Shares, ...]:
    table = snapshot(register, period=period)
    table = table.filter(table[f"_{unit.level}"] == unit.pk)
    made = []
    for one in schema.fields:
        if not _is_choice(one) or one.name not in table.columns:
            continue
        counted = table.group_by(one.name).aggregate(n=table.count()).to_polars().to_dicts()
        made.append(_column(schema, one, {row[one.name]: row["n"] for row in counted}))
    return tuple(made)


def _is_choice(one: Field) -> bool:
    listed = one.type is FieldType.STRING and bool(one.codes)
    return one.filter and one.sensitive is Sensitive.NONE and (listed or one.type is FieldType.BOOLEAN)


def _column(schema: Register, one: Field, counts: dict[object, int]) -> Shares:
    said = sum(number for value, number in counts.items() if value is not None)
    order: Sequence[tuple[object, str]] = list(_TRUTH.items())
    if one.codes:
        items = schema.tables[one.codes].items if one.codes in schema.tables else ()
        order = [(item.code, item.label) for item in {item.code: item for item in items}.values()]
        known = {code for code, _ in order}
        order = [*order, *((value, str(value)) for value in counts if value is not None and value not in known)]
    rows = [
        Share(label, counts[value], text(Fraction(100 * counts[value], said), 1) + " %")
        for value, label in order
        if counts.get(value)
    ]
    if counts.get(None):
        rows.append(Share(UNSAID, counts[None], ""))
    return Shares(one.name, one.title, said, tuple(rows))
