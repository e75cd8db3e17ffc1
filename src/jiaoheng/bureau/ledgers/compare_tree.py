"""What happened to the tree between two days, seen from one unit: who came, who went, who went into whom."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from django.db.models import QuerySet

from jiaoheng.bureau.core.models import Unit, UnitPath, UnitSuccession
from jiaoheng.bureau.core.tree import descendants_at, names_at

Kind = UnitSuccession.Kind


class Placed(Protocol):
    """A row with its anchor unit and its own line of ancestors."""

    @property
    def anchor(self) -> int:
        """The school of the row, else its unit."""
        ...

    @property
    def line(self) -> Mapping[str, int | None]:
        """Column → ancestor id."""
        ...


@dataclass(frozen=True, slots=True)
class Changes:
    """`both`: units that stand under the unit in the later tree and were there (under whom ever) in the earlier one."""

    column: str
    marks: tuple[str, ...]
    successor: Mapping[int, int]  # merged unit → the unit that has its rows now
    both: frozenset[int]
    parted: tuple[str, ...]  # units of which only a part came from the earlier tree: nothing like for like


def may_have_changed(unit: Unit, day_before: dt.date, day_after: dt.date) -> bool:
    """Whether `changes_between` can find a mark: only where a unit that changed ever stood under this one."""
    pairs = _happened(day_before, day_after).values_list("unit_id", "other_id")
    touched = {pk for pair in pairs for pk in pair if pk is not None}
    return unit.pk in touched or UnitPath.objects.filter(ancestor=unit, unit_id__in=touched).exists()


def _happened(day_before: dt.date, day_after: dt.date) -> QuerySet[UnitSuccession]:
    found = UnitSuccession.objects.filter(happened_on__gt=day_before, happened_on__lte=day_after)
    return found.exclude(kind=Kind.RENAME)


def changes_between(
    unit: Unit, before: Sequence[Placed], after: Sequence[Placed], day_before: dt.date, day_after: dt.date
) -> Changes:
    """The changes of the tree after `day_before` up to and including `day_after` that concern a unit.

    Where a unit has rows, their own lines say where it stood; where it has none, the tree of the day does.
    """
    column = "unit_id" if unit.level == Unit.Level.DEPARTMENT else f"{unit.level}_id"
    rows = list(_happened(day_before, day_after).select_related("unit", "other").order_by("happened_on", "pk"))
    successor = _successors(rows)
    inside_before = _inside(unit, column, before, day_before)
    inside_after = _inside(unit, column, after, day_after)
    split = {row.other_id: row for row in rows if row.kind == Kind.SPLIT and row.other_id is not None}
    existed = _existed({*inside_before, *inside_after, *(row.anchor for row in before)}, day_before)
    both = frozenset(one for one in inside_after if one in existed or one in split or one in successor.values())
    names = names_at([pk for row in rows for pk in (row.unit_id, row.other_id)], day_after)
    marks: list[str] = []
    parted: list[str] = []
    for row in rows:
        mark = _mark(row, unit, inside_before, inside_after, successor, names)
        if mark is None:
            continue
        marks.append(mark)
        if row.kind == Kind.SPLIT:
            parted.append(names.get(row.other_id, ""))
    return Changes(column, tuple(dict.fromkeys(marks)), successor, both, tuple(parted))


def _mark(
    row: UnitSuccession,
    unit: Unit,
    before: set[int],
    after: set[int],
    successor: Mapping[int, int],
    names: Mapping[int, str],
) -> str | None:
    """The words of one change for a unit, None where it stays inside or outside."""
    name = names.get(row.unit_id, "")
    if row.kind == Kind.MOVE:
        now = successor.get(row.unit_id, row.unit_id)
        was, stays = row.unit_id in before, now in after
        if was == stays:
            return None
        return f"{name} 划出" if was else f"{name} 划入"
    if row.kind == Kind.MERGE:
        receiver = successor.get(row.unit_id, row.unit_id)
        was, stays = row.unit_id in before, receiver in after
        if unit.pk == row.unit_id:
            return f"并入 {names.get(row.other_id, '')}"
        if was and not stays:
            return f"{name} 并入 {names.get(row.other_id, '')}"
        return f"{name} 并入" if stays and not was else None
    if row.kind == Kind.SPLIT:
        source, made = row.unit_id in after or row.unit_id in before, row.other_id in after
        if source and made:
            return None
        if source:
            return f"{names.get(row.other_id, '')} 分出"
        return f"由 {name} 分出" if made else None
    if row.kind == Kind.CLOSE and row.unit_id in before:
        return f"{name} 撤销"
    return None


def _successors(rows: Iterable[UnitSuccession]) -> dict[int, int]:
    """Merged unit → the unit that in the end has its rows."""
    made: dict[int, int] = {}
    for row in rows:
        if row.kind == Kind.MERGE and row.other_id is not None:
            for old, new in made.items():
                if new == row.unit_id:
                    made[old] = row.other_id
            made[row.unit_id] = row.other_id
    return made


def _inside(unit: Unit, column: str, rows: Sequence[Placed], day: dt.date) -> set[int]:
    """The schools (units above or beside schools as themselves) under a unit: by their rows, else by the day's tree."""
    placed = {row.anchor: row.line.get(column) == unit.pk for row in rows}
    tree = set(descendants_at(unit.pk, day).exclude(level=Unit.Level.CLASS).values_list("pk", flat=True))
    return {one for one in tree if placed.get(one, True)} | {one for one, is_in in placed.items() if is_in}


def _existed(unit_ids: Iterable[int], day: dt.date) -> set[int]:
    wanted, found = list(unit_ids), set()
    for start in range(0, len(wanted), 500):
        rows = Unit.objects.filter(pk__in=wanted[start : start + 500], starts_on__lte=day)
        found |= set(rows.values_list("pk", flat=True))
    return found
