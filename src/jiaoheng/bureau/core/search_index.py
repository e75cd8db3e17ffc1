"""Writing the search index: entries with their grams, in bulk, replacing what stood there for the same things."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.bulk_rows import insert_rows, next_ids
from jiaoheng.bureau.core.models import Account, SearchEntry, SearchGram, Unit, UnitFacts
from jiaoheng.bureau.core.tree import Line, facts_at, line_at, lines_at, names_at
from jiaoheng.methods.grams import fold, grams_of_text, initials_of

_PART = 900  # parameters of one statement that every database takes
_BREAK = "\n"  # parts names, codes and initials inside `folded`
ENTRY_COLUMNS = (
    "id",
    "kind",
    "object_id",
    "register",
    "name",
    "folded",
    "where",
    "county_id",
    "district_id",
    "school_id",
    "class_id",
    "unit_id",
)
Row = tuple[object, str, Sequence[str], Line]  # object id, name, codes, line of its unit


@dataclass(frozen=True, slots=True)
class Folded:
    """What `SearchEntry.folded` says: folded names and codes, and the initials of the names."""

    name: str
    others: tuple[str, ...]  # earlier names, codes
    initials: tuple[str, ...]


def index_units(units: Iterable[Unit]) -> None:
    """Index units by name, short name, earlier names and code, with today's line; replaces their entries."""
    chosen = {unit.pk: unit for unit in units}
    today = clock.today()
    lines, facts = lines_at(chosen, today), facts_at(chosen, today)
    earlier: dict[int, list[str]] = {pk: [] for pk in chosen}
    for part in _parts(chosen):
        for row in UnitFacts.objects.filter(unit_id__in=part).order_by("starts_on"):
            earlier[row.unit_id] += [row.name, row.short_name, row.township]
    rows: list[tuple[Row, str]] = []
    for pk, unit in chosen.items():
        name = facts[pk].name if pk in facts else unit.code
        names = [one for one in dict.fromkeys(earlier[pk]) if one and one != name]
        line = lines.get(pk) or line_at(unit, today)
        rows.append(((pk, name, [*names, unit.code], line), ""))
    above = names_at({_above(row[0][3]) for row in rows}, today)
    _replace("unit", "", [(row, above.get(_above(row[3]) or 0, "")) for row, _ in rows], name_codes=True)


def index_accounts(accounts: Iterable[Account]) -> None:
    """Index people by name and user name, under the unit they belong to; closed accounts leave the index."""
    chosen = list(accounts)
    drop("account", [one.pk for one in chosen if one.closed_at is not None])
    open_ones = [one for one in chosen if one.closed_at is None]
    homes = {one.home_id for one in open_ones if one.home_id is not None}
    today = clock.today()
    lines, names = lines_at(homes, today), names_at(homes, today)
    rows = []
    for one in open_ones:
        line = lines.get(one.home_id) or Line(unit_id=one.home_id or 0)
        rows.append(((one.pk, one.name, [one.username], line), names.get(one.home_id, "")))
    _replace("account", "", rows)


def index_records(register_name: str, rows: Sequence[Row], *, fresh: bool = False, day: dt.date | None = None) -> None:
    """Index records of a register: (record id, name, codes, line of its unit); replaces their entries.

    `fresh` says that none of them stands in the index yet, which saves looking.
    """
    names = names_at({row[3].unit_id for row in rows}, day or clock.today())
    found = [(row, names.get(row[3].unit_id, "")) for row in rows]
    _replace("record", register_name, found, fresh=fresh)


def drop(kind: str, ids: Iterable[object]) -> None:
    """Take things out of the index."""
    for part in _parts(str(one) for one in ids):
        entries = SearchEntry.objects.filter(kind=kind, object_id__in=part)
        pks = list(entries.values_list("pk", flat=True))
        if pks:
            SearchGram.objects.filter(entry_id__in=pks)._raw_delete("default")
            SearchEntry.objects.filter(pk__in=pks)._raw_delete("default")


def unfold(folded: str) -> Folded:
    """The parts of a stored `folded` text."""
    names, initials = [*folded.split(_BREAK + _BREAK), ""][:2]
    first, *others = names.split(_BREAK)
    return Folded(first, tuple(others), tuple(one for one in initials.split(_BREAK) if one))


def _above(line: Line) -> int | None:
    """The unit that stands above the line's own, for the place shown beside a unit's name."""
    order = (line.county_id, line.district_id, line.school_id, line.class_id)
    ids = [one for one in order if one is not None and one != line.unit_id]
    return ids[-1] if ids else None


def _replace(
    kind: str, register: str, rows: Sequence[tuple[Row, str]], *, name_codes: bool = False, fresh: bool = False
) -> None:
    if not rows:
        return
    if not fresh:
        drop(kind, [row[0] for row, _ in rows])
    ids = next_ids(SearchEntry, len(rows))
    entries: list[tuple[Any, ...]] = []
    grams: list[tuple[str, int]] = []
    for entry_id, ((object_id, name, codes, line), where) in zip(ids, rows, strict=True):
        given = [one for one in codes if one]
        names = [name, *(one for one in given if name_codes)]
        initials = [made for one in names if (made := initials_of(one))]
        texts = [fold(name), *(fold(one) for one in given)]
        folded = (_BREAK.join(texts) + _BREAK + _BREAK + _BREAK.join(initials))[:300]
        ancestors = (line.county_id, line.district_id, line.school_id, line.class_id, line.unit_id)
        entries.append((entry_id, kind, str(object_id), register, name[:200], folded, where[:200], *ancestors))
        grams += [(gram, entry_id) for gram in grams_of_text(names, given)]
    insert_rows(SearchEntry, ENTRY_COLUMNS, entries)
    grams.sort()  # neighbours go into the same page of the index
    insert_rows(SearchGram, ("gram", "entry_id"), grams)


def _parts(ids: Iterable[Any]) -> Iterable[list[Any]]:
    chosen = list(ids)
    return (chosen[start : start + _PART] for start in range(0, len(chosen), _PART))
