"""The rows of classes and teachers behind a unit's figures, straight from the records: no copy of a register is made.

`Source` carries the register with a mark of its state at some moments. Equal marks mean equal rows, so what was read
for a moment is kept until the mark changes; a past moment's mark stays the same when somebody writes today.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import Count, Max, Q, QuerySet
from django.db.models.fields.json import KT

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import Unit, UnitPath, UnitSuccession
from jiaoheng.bureau.ledgers.models import RecordVersion, RegisterRow
from jiaoheng.bureau.ledgers.models.records import CURRENT
from jiaoheng.bureau.ledgers.registry import versions_of_several
from jiaoheng.bureau.ledgers.snapshot_columns import Column, columns_of, version_on
from jiaoheng.registers.model import FieldType, Register

PLACES = ("county_id", "district_id", "school_id")


@dataclass(frozen=True, slots=True)
class Source:
    """A register that is loaded; `marks`: its state at the ends of some days."""

    register: RegisterRow
    marks: Mapping[dt.date, str]
    versions: Sequence[Register] = field(repr=False)

    def columns(self, day: dt.date) -> dict[str, Column]:
        """Name → column of the schemas known on a day: renamed fields under their newest name."""
        number = version_on(self.versions, day)
        return {one.name: one for one in columns_of(self.versions) if one.since <= number}

    def mark(self, day: dt.date) -> str:
        """The state of the register at the end of a day; days that were not asked for have the newest one's."""
        return self.marks.get(day) or self.marks[max(self.marks)]


def sources(names: Iterable[str], days: Iterable[dt.date]) -> dict[str, Source]:
    """Register → source with its marks at the end of each of the days and today, in six queries at most."""
    rows = {row.pk: row for row in RegisterRow.objects.filter(name__in=list(names))}
    wanted = sorted({*days, clock.today()})
    versions = versions_of_several(list(rows.values()))
    stamps = _stamps(list(rows), wanted)
    tree = _tree_stamp()
    made = {}
    for pk, row in rows.items():
        if versions[pk]:
            schemas = tuple(one.version for one in versions[pk])
            marks = {day: repr((pk, schemas, stamps.get((pk, day)), tree)) for day in wanted}
            made[row.name] = Source(row, marks, versions[pk])
    return made


def unmarked(names: Iterable[str]) -> dict[str, Source]:
    """Register → source without marks, in two queries: for rows that are read anew every time."""
    rows = {row.pk: row for row in RegisterRow.objects.filter(name__in=list(names))}
    versions = versions_of_several(list(rows.values()))
    return {row.name: Source(row, {}, versions[pk]) for pk, row in rows.items() if versions[pk]}


def _tree_stamp() -> tuple[Any, ...]:
    """A back-dated change of the tree corrects the ancestors of rows in place, and always leaves one of these."""
    paths = UnitPath.objects.aggregate(count=Count("pk"), newest=Max("pk"))
    return paths["count"], paths["newest"], UnitSuccession.objects.aggregate(newest=Max("pk"))["newest"]


def _stamps(registers: Sequence[int], days: Sequence[dt.date]) -> dict[tuple[int, dt.date], Any]:
    """(register, day) → how many versions began by its end, and the newest of them with what it says.

    The content too: rows of a transaction that was rolled back leave their numbers to others.
    """
    counts = {f"n{at}": Count("pk", filter=_begun(day)) for at, day in enumerate(days)}
    newest = {f"m{at}": Max("pk", filter=_begun(day)) for at, day in enumerate(days)}
    found = RecordVersion.objects.filter(register__in=registers).order_by()
    rows = {row["register"]: row for row in found.values("register").annotate(**counts, **newest)}
    last = {row[f"m{at}"] for row in rows.values() for at in range(len(days))} - {None}
    said = {
        one[0]: one[1:]
        for one in RecordVersion.objects.filter(pk__in=last).values_list("pk", "valid_from", "author_name", "data")
    }
    return {
        (pk, day): (row[f"n{at}"], row[f"m{at}"], said.get(row[f"m{at}"]))
        for pk, row in rows.items()
        for at, day in enumerate(days)
    }


def _begun(day: dt.date) -> Q:
    return Q(valid_from__lte=moment_of(day))


def moment_of(day: dt.date) -> dt.datetime:
    """The last moment of a day."""
    return clock.at_end_of(day).replace(microsecond=999_999)


def held(source: Source, day: dt.date) -> QuerySet[RecordVersion]:
    """The versions of a register that held at the end of a day."""
    rows = RecordVersion.objects.filter(register=source.register).order_by()
    if day >= clock.today():
        return rows.filter(CURRENT)  # nothing is written ahead of time; these rows have an index
    moment = moment_of(day)
    return rows.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=moment), valid_from__lte=moment, deleted=False)


def under(rows: QuerySet[RecordVersion], unit: Unit) -> QuerySet[RecordVersion]:
    """Those below a county, district or school, by their own lines."""
    return rows.filter(**{f"{unit.level}_id": unit.pk})


def texts(rows: QuerySet[RecordVersion], columns: Sequence[Column]) -> QuerySet[RecordVersion]:
    """Add `c0_0`…: the values of the columns as text, under every name that the field ever had."""
    wanted = {
        f"c{at}_{which}": KT(f"data__{name}")
        for at, column in enumerate(columns)
        for which, name in enumerate(column.names)
    }
    return rows.annotate(**wanted)


def names_of(columns: Sequence[Column]) -> list[str]:
    """The annotations of `texts`, in the order of the columns."""
    return [f"c{at}_{which}" for at, column in enumerate(columns) for which in range(len(column.names))]


def reader(columns: Sequence[Column]) -> Callable[[Sequence[Any]], list[Any]]:
    """What turns one row of `names_of` into one value a column."""
    places, start = [], 0
    for column in columns:
        places.append((start, start + len(column.names), _CASTS.get(column.type, str)))
        start += len(column.names)

    def values(found: Sequence[Any]) -> list[Any]:
        made = []
        for first, end, cast in places:
            text = found[first]
            if text is None and end > first + 1:
                text = next((one for one in found[first:end] if one is not None), None)
            made.append(None if text is None else cast(text))
        return made

    return values


def _integer(text: Any) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _decimal(text: Any) -> Decimal | None:
    try:
        return Decimal(str(text))
    except InvalidOperation:
        return None


def _truth(text: Any) -> bool:
    return str(text) == "true"


_CASTS: Mapping[FieldType, Callable[[Any], Any]] = {
    FieldType.INTEGER: _integer,
    FieldType.NUMBER: _decimal,
    FieldType.BOOLEAN: _truth,
}
