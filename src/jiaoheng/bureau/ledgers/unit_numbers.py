"""What the registers of classes and teachers say of schools on a day: raw numbers, for the pages of units.

Classes are those of the term that holds on the day (else of the term before, where nobody has filed yet); teachers
are those whose record stood so at the end of the day. One read of each register serves every unit of a page.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.models import Count

from jiaoheng.bureau.core.models import Period, Unit
from jiaoheng.bureau.core.periods import TERM
from jiaoheng.bureau.ledgers.compare import Row
from jiaoheng.bureau.ledgers.snapshot_columns import Column
from jiaoheng.bureau.ledgers.unit_rows import PLACES, Source, held, names_of, reader, sources, texts, under
from jiaoheng.packs import load

CLASSES, TEACHERS = "classes", "teachers"
ON_STAFF = ("1", "2", "3", "4", "5")  # 在岗, 借调外单位, 交流支教, 长期病假, 产假: codes of `teacher_status`
_NUMBERS = ("total", "boarders", "inclusive_pupils")
_PART = 5_000  # rows fetched at a time


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One class as filed; `places`: ids of its county, district and school."""

    record_id: int
    places: tuple[int | None, ...]
    grade: str
    name: str
    total: int | None
    boarders: int | None
    inclusive: int | None


@dataclass(frozen=True, slots=True)
class Size:
    """Sums over some schools; None where no row has a value."""

    classes: int | None
    pupils: int | None
    largest: int | None
    large: int | None  # classes from 大班额 on, the super ones included
    huge: int | None  # 超大班额
    boarders: int | None
    inclusive: int | None
    teachers: int | None

    @property
    def mean(self) -> Fraction | None:
        """Pupils of a class."""
        return Fraction(self.pupils, self.classes) if self.pupils is not None and self.classes else None

    @property
    def ratio(self) -> Fraction | None:
        """Pupils of a teacher."""
        return Fraction(self.pupils, self.teachers) if self.pupils is not None and self.teachers else None


@dataclass(frozen=True, slots=True)
class Numbers:
    """Everything that was read for a day."""

    day: dt.date
    term: Period | None
    rows: tuple[ClassRow, ...]
    teachers: Mapping[tuple[int | None, ...], int] | None
    bands: tuple[int, int]  # 大班额, 超大班额 from

    def classes_of(self, unit: Unit) -> list[ClassRow]:
        """The classes that stand under a county, district or school."""
        at = place_of(unit)
        return [row for row in self.rows if row.places[at] == unit.pk] if at is not None else []

    def size_of(self, unit: Unit) -> Size:
        """The sums under one unit."""
        at = place_of(unit)
        staff = None
        if at is not None and self.teachers is not None:
            found = [count for places, count in self.teachers.items() if places[at] == unit.pk]
            staff = sum(found) if found else None
        return _size(self.classes_of(unit), staff, self.bands)

    def by_unit(self, level: str) -> dict[int, Size]:
        """Unit id → sums, of every unit of a level that has a row."""
        at = _LEVELS.index(level)
        rows: dict[int, list[ClassRow]] = {}
        staff: dict[int, int] = {}
        for row in self.rows:
            if (pk := row.places[at]) is not None:
                rows.setdefault(pk, []).append(row)
        for places, count in (self.teachers or {}).items():
            if (pk := places[at]) is not None:
                staff[pk] = staff.get(pk, 0) + count
        return {pk: _size(rows.get(pk, ()), staff.get(pk), self.bands) for pk in rows.keys() | staff.keys()}

    def schools_with_classes(self, unit: Unit) -> set[int]:
        """The schools under a unit that have filed classes."""
        return {pk for row in self.classes_of(unit) if (pk := row.places[2]) is not None}


_LEVELS = (Unit.Level.COUNTY, Unit.Level.DISTRICT, Unit.Level.SCHOOL)


def place_of(unit: Unit) -> int | None:
    """Which of a row's places names the unit; None for units that no class stands under."""
    return _LEVELS.index(unit.level) if unit.level in _LEVELS else None


def states(days: Iterable[dt.date] = ()) -> dict[str, Source]:
    """Register → its source, marked at the ends of the days that will be asked for."""
    return sources((CLASSES, TEACHERS), days)


def numbers_on(
    day: dt.date,
    *,
    as_of: dt.date | None = None,
    term: Period | None = None,
    state: Mapping[str, Source] | None = None,
    within: Unit | None = None,
) -> Numbers:
    """Read both registers for a day. `as_of`: classes as they stand at the end of that day (the day itself).

    `term`: this term and no other; else the one of the day, or the one before where it has no class yet. `state`: of
    `states`, where it was asked for already. `within`: only the classes below this unit.
    """
    at = as_of or day
    known = states({day, at}) if state is None else state
    wanted = [term] if term is not None else _terms(day)
    chosen: Period | None = None
    rows: tuple[ClassRow, ...] = ()
    for one in wanted:
        chosen, rows = one, _classes(known.get(CLASSES), one.pk, at, within)
        if rows:
            break
    return Numbers(day, chosen, rows, _teachers(known.get(TEACHERS), day), bands_on(day))


def bands_on(day: dt.date) -> tuple[int, int]:
    """From how many pupils on a class is large and super on a day (packs/class_size.yaml)."""
    for one in load("class_size")["bands"]:
        if one["from"] <= day and (one["until"] is None or day < one["until"]):
            return int(one["large"]), int(one["super"])
    newest = load("class_size")["bands"][-1]
    return int(newest["large"]), int(newest["super"])


def term_years_before(term: Period, years: int) -> Period | None:
    """The same term some years earlier; None where it was never set up."""
    year, half = term.code[1:].split("-")
    return Period.objects.filter(code=f"T{int(year) - years}-{half}").first()


def _terms(day: dt.date) -> list[Period]:
    return list(Period.objects.filter(kind=TERM, starts_on__lte=day).order_by("-starts_on")[:2])


_kept: dict[tuple[str, dt.date, int], Any] = {}
_MOST_KEPT = 24
_lock = threading.Lock()


def _once(key: tuple[str, dt.date, int], make: Callable[[], Any]) -> Any:
    """What was read for a state of a register, a day and a term: the newest ones stay in the process."""
    with _lock:
        found = _kept.pop(key, None)
    if found is None:
        found = make()
    with _lock:
        _kept[key] = found
        while len(_kept) > _MOST_KEPT:
            _kept.pop(next(iter(_kept)))
    return found


def forget() -> None:
    """Empty what this process keeps."""
    _kept.clear()


def _classes(source: Source | None, term_id: int, day: dt.date, within: Unit | None) -> tuple[ClassRow, ...]:
    if source is None:
        return ()
    if within is not None and within.level != Unit.Level.COUNTY:
        return _read_classes(source, term_id, day, within)
    found: tuple[ClassRow, ...] = _once(
        (source.mark(day), day, term_id), lambda: _read_classes(source, term_id, day, None)
    )
    return found


def classes_as_rows(state: Mapping[str, Source], term: Period, day: dt.date) -> list[Row]:
    """Every class of a term at the end of a day with its number of pupils, as `compare` takes it."""
    return [
        Row(
            school or 0,
            {"county_id": county, "district_id": district, "school_id": school},
            None if one.total is None else Decimal(one.total),
        )
        for one in _classes(state.get(CLASSES), term.pk, day, None)
        for county, district, school in (one.places,)
    ]


def _read_classes(source: Source, term_id: int, day: dt.date, within: Unit | None) -> tuple[ClassRow, ...]:
    known = source.columns(day)
    columns = [known[name] for name in ("grade", "class_name", *_NUMBERS) if name in known]
    rows = held(source, day).filter(period=term_id)
    rows = texts(under(rows, within) if within is not None else rows, columns)
    names, values = [one.name for one in columns], reader(columns)
    return tuple(
        _row(found[0], found[1:4], dict(zip(names, values(found[4:]), strict=True)))
        for found in rows.values_list("record_id", *PLACES, *names_of(columns)).iterator(_PART)
    )


def _row(record_id: int, places: tuple[int | None, ...], row: Mapping[str, Any]) -> ClassRow:
    return ClassRow(
        record_id,
        places,
        row.get("grade") or "",
        row.get("class_name") or "",
        *(row.get(name) for name in _NUMBERS),
    )


def _teachers(source: Source | None, day: dt.date) -> Mapping[tuple[int | None, ...], int] | None:
    """Full-time teachers on the staff, by the places of their school; None without such a register."""
    known = source.columns(day) if source is not None else {}
    if source is None or not {"full_time", "status"} <= set(known):
        return None
    columns = [known["full_time"], known["status"]]
    found: Mapping[tuple[int | None, ...], int] = _once(
        (source.mark(day), day, 0), lambda: _read_teachers(source, day, columns)
    )
    return found


def _read_teachers(source: Source, day: dt.date, columns: Sequence[Column]) -> Mapping[tuple[int | None, ...], int]:
    rows = texts(held(source, day), columns).values_list(*PLACES, *names_of(columns)).annotate(n=Count("pk"))
    made: dict[tuple[int | None, ...], int] = {}
    values = reader(columns)
    for found in rows:
        full_time, status = values(found[3:-1])
        if full_time and status in ON_STAFF:
            made[found[:3]] = made.get(found[:3], 0) + found[-1]
    return made


def _size(rows: Iterable[ClassRow], teachers: int | None, bands: tuple[int, int]) -> Size:
    found = list(rows)
    totals = [row.total for row in found if row.total is not None]
    large, huge = bands
    return Size(
        classes=len(found) or None,
        pupils=_sum(totals),
        largest=max(totals, default=None),
        large=sum(one >= large for one in totals) if totals else None,
        huge=sum(one >= huge for one in totals) if totals else None,
        boarders=_sum(row.boarders for row in found),
        inclusive=_sum(row.inclusive for row in found),
        teachers=teachers,
    )


def _sum(values: Iterable[int | None]) -> int | None:
    there = [one for one in values if one is not None]
    return sum(there) if there else None
