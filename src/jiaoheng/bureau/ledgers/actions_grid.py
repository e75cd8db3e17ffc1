"""Saving a table of rows that were typed or pasted: everything, or nothing with every mistake at its cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jiaoheng.bureau.core import audit
from jiaoheng.bureau.core.models import Account, Period, Unit
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.ledgers.changes import Change, carried, key_of
from jiaoheng.bureau.ledgers.checking import Entry, Place, read_entry, sentence
from jiaoheng.bureau.ledgers.grid import MOST_ROWS, GridLine, grid_place
from jiaoheng.bureau.ledgers.models import RegisterRow
from jiaoheng.bureau.ledgers.record_places import check_place_open, place_of_record
from jiaoheng.bureau.ledgers.saving import finish
from jiaoheng.bureau.ledgers.writing import moved
from jiaoheng.registers.model import Data


@dataclass(frozen=True, slots=True)
class GridSaved:
    """How many rows became new records, changed one, or said what was there already."""

    new: int
    changed: int
    same: int


@dataclass(frozen=True, slots=True)
class _Plan:
    row: int
    place: Place
    entry: Entry
    before: Data
    record_id: int | None
    number: int | None


@audit.action
def do_save_grid(
    register: RegisterRow,
    unit: Unit,
    period: Period | None,
    lines: Sequence[GridLine],
    *,
    acting_user: Account,
) -> GridSaved:
    """Write every row that is not blank, all or none. A blank cell of a row that was there empties that field.

    RefusedError `grid-empty`, `grid-too-many`, `values-wrong` (places: "row|field" → sentence, the row as it came,
    counted from 0), `key-taken`; those of `grid_place` and `locks`.
    """
    wanted = [(row, line) for row, line in enumerate(lines) if not line.blank]
    if not wanted:
        raise RefusedError("grid-empty", "表格里还没有内容，请先填写或粘贴")
    if len(wanted) > MOST_ROWS:
        raise RefusedError(
            "grid-too-many", f"一次最多保存 {MOST_ROWS} 行，现在有 {len(wanted)} 行；更多的请用 Excel 导入"
        )
    new = grid_place(acting_user, register, unit, period)
    check_place_open(new, acting_user)
    wrong: dict[str, str] = {}
    plans = [_plan(new, row, line, acting_user, wrong) for row, line in wanted]
    ready = [one for one in plans if one is not None]
    _twice(ready, wrong)
    if wrong:
        raise RefusedError("values-wrong", f"有 {len(wrong)} 格要改正，一行也没有保存", places=wrong)
    told = [_write(one, acting_user) for one in ready]
    saved = GridSaved(told.count("new"), told.count("changed"), told.count("same"))
    audit.note("record.grid", actor=acting_user, about=("register", register.pk, register.title), unit_id=unit.pk,
               count=saved.new + saved.changed)  # fmt: skip
    return saved


def _plan(
    new: Place,
    row: int,
    line: GridLine,
    account: Account,
    wrong: dict[str, str],
) -> _Plan | None:
    """A row judged at its record's place, or at the place of new ones."""
    place, before, number = new, {}, None
    if line.record_id is not None:
        place, version = place_of_record(line.record_id, account)
        if (place.row.pk, place.unit.pk, place.period) != (new.row.pk, new.unit.pk, new.period):
            raise RefusedError("register-other", "有一行属于别的台账或单位，请重新打开表格")
        if version.number != line.base:
            wrong[f"{row}|"] = f"{moved(version)}。请重新打开表格再改这一行"
            return None
        before, number = carried(place.schema, version.data), version.number
    entry = read_entry(place, line.values, base=before, previous=None, account=account)
    for one in entry.blocking:
        wrong.setdefault(f"{row}|{one.field}", sentence(one))
    return _Plan(row, place, entry, before, line.record_id, number)


def _twice(plans: Sequence[_Plan], wrong: dict[str, str]) -> None:
    """Two rows of the table that would be one record."""
    seen: dict[str, int] = {}
    for one in plans:
        key = key_of(one.place.schema, one.entry.data)
        if not key:
            continue
        first = seen.setdefault(key, one.row)
        if first != one.row:
            wrong.setdefault(f"{one.row}|{one.place.schema.key[0]}", f"与第 {first + 1} 行相同，同一条只能有一行")


def _write(one: _Plan, account: Account) -> str:
    if one.record_id is not None and one.entry.data == one.before:
        return "same"
    change = Change(one.place.unit.pk, one.entry.data, one.record_id, one.number)
    try:
        finish(one.place, change, one.before, one.entry.data, source="form", reason="", account=account)
    except RefusedError as refused:
        places = {f"{one.row}|{name}": told for name, told in refused.places.items()}
        raise RefusedError(refused.code, f"第 {one.row + 1} 行：{refused}", places=places) from refused
    return "new" if one.record_id is None else "changed"
