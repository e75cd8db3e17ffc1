"""How far a unit has filled: required values of a form, records of a list against the period before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count

from jiaoheng.bureau.core.models import Period
from jiaoheng.bureau.ledgers.bulk import chunks
from jiaoheng.bureau.ledgers.changes import carried
from jiaoheng.bureau.ledgers.models import Filing, RecordVersion, Round
from jiaoheng.bureau.ledgers.rounds.content import counts_before, counts_of, rows_of
from jiaoheng.registers.model import Data, Register


@dataclass(frozen=True, slots=True)
class Progress:
    """`filled` of `owed` in `unit` of measure; `owed` None where nobody knows how many there should be."""

    filled: int
    owed: int | None
    unit: str

    @property
    def missing(self) -> str:
        """What is missing, for 待办: 26 项，还没开始; 6 条，上期 24 条."""
        if self.owed is None:
            return f"已填 {self.filled:,} {self.unit}" if self.filled else "还没开始"
        if self.filled == 0:
            return f"{self.owed:,} {self.unit}，还没开始" if self.owed else "还没开始"
        if self.unit == "项":
            left = self.owed - self.filled
            return f"{left:,} 项必填，共 {self.owed:,} 项" if left > 0 else "已填完，待提交"
        return f"已填 {self.filled:,} {self.unit}，上期 {self.owed:,} {self.unit}"


def progress_of(round_: Round, schema: Register, unit_ids: Iterable[int]) -> dict[int, Progress]:
    """Unit id → progress; two grouped queries for a list register, one of rows for a form."""
    ids = list(dict.fromkeys(unit_ids))
    if schema.key:
        there, before = counts_of(round_, ids), counts_before(round_, ids)
        return {one: Progress(there.get(one, 0), before.get(one), "条") for one in ids}
    required = [one.name for one in schema.fields if one.required]
    filled: Mapping[int, int] = {}
    for part in chunks(ids):
        rows = rows_of(round_).filter(unit_id__in=part).values_list("unit_id", "data")
        filled = {**filled, **{unit_id: _filled(schema, required, data) for unit_id, data in rows}}
    return {one: Progress(filled.get(one, 0), len(required), "项") for one in ids}


def _filled(schema: Register, required: Sequence[str], data: Data) -> int:
    """Required fields that have a value, in a record of whichever version of the schema."""
    there = carried(schema, data)
    return sum(name in there for name in required)


def progress_many(filings: Sequence[Filing], schemas: Mapping[str, Register]) -> dict[int, Progress]:
    """Filing id → progress for filings of many rounds and few units (待办): three queries. Rounds need period and register.

    schemas: register name → schema.
    """
    befores = _befores({one.round.period for one in filings if one.round.period is not None})
    periods = {one.round.period_id for one in filings} | set(befores.values())
    rows = RecordVersion.objects.filter(
        unit_id__in={one.unit_id for one in filings},
        register_id__in={one.round.register_id for one in filings},
        valid_to__isnull=True,
        deleted=False,
    )
    dated = rows.filter(period_id__in=periods - {None}) | rows.filter(period_id__isnull=True)
    counted = dated.order_by().values_list("register_id", "period_id", "unit_id").annotate(count=Count("pk"))
    counts = {(register, period, unit): count for register, period, unit, count in counted}
    forms = {one.round.register_id for one in filings if not schemas[one.round.register.name].key}
    data = {}
    if forms:
        for row in dated.filter(register_id__in=forms):
            data[row.register_id, row.period_id, row.unit_id] = row.data
    found = {}
    for one in filings:
        schema, round_ = schemas[one.round.register.name], one.round
        place = (round_.register_id, round_.period_id, one.unit_id)
        if schema.key:
            before = counts.get((round_.register_id, befores.get(round_.period_id), one.unit_id))
            found[one.pk] = Progress(counts.get(place, 0), before if round_.period_id in befores else None, "条")
        else:
            required = [each.name for each in schema.fields if each.required]
            there = data.get(place, {})
            found[one.pk] = Progress(_filled(schema, required, there), len(required), "项")
    return found


def _befores(periods: Iterable[Period]) -> dict[int | None, int]:
    """Period id → id of the period of its kind just before it, in one query."""
    wanted = list(periods)
    if not wanted:
        return {}
    first = min(one.starts_on for one in wanted) - dt.timedelta(days=366)
    last = max(one.starts_on for one in wanted)
    kinds = {one.kind for one in wanted}
    rows = Period.objects.filter(kind__in=kinds, ends_on__gte=first, ends_on__lte=last).order_by("ends_on")
    earlier = list(rows)
    found: dict[int | None, int] = {}
    for one in wanted:
        for row in earlier:
            if row.kind == one.kind and row.ends_on <= one.starts_on:
                found[one.pk] = row.pk
    return found
