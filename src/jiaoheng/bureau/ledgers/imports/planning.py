"""What an import would write, row by row, after the answers about conflicts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from jiaoheng.bureau.ledgers.imports.answers import CONFLICT, MINE, Key
from jiaoheng.bureau.ledgers.imports.preview import PlannedRow
from jiaoheng.bureau.ledgers.masking_rules import identity_words, shown
from jiaoheng.registers.differences import CellChange, Conflict, RowDifference, RowState
from jiaoheng.registers.judging import Judged
from jiaoheng.registers.model import Data
from jiaoheng.sheets.places import Choice, Question


@dataclass(slots=True)
class Plan:
    """Rows to write, the cells that change, the conflicts still open."""

    rows: list[PlannedRow] = field(default_factory=list)
    changes: list[tuple[RowDifference, CellChange]] = field(default_factory=list)
    new: int = 0
    changed: int = 0
    same: int = 0
    drafts: int = 0
    cleared: int = 0
    conflicts: int = 0
    questions: list[Question] = field(default_factory=list)


def plan_of(judged: Judged, ids: Mapping[str, int], answers: Mapping[Key, str], at: dt.date) -> Plan:
    """Sort the judged rows. A conflict answered with the other's value is no change; an open one is a question."""
    plan = Plan()
    wrong, units = RowState.WRONG, judged.units
    for row in judged.differences.rows:
        if row.state is wrong:
            continue
        unit = units[row.row]
        if unit is None:
            continue
        if row.record is None and not row.incomplete:
            plan.rows.append(PlannedRow(ids[unit], row.data))
            plan.new += 1
            continue
        data, changes = row.data, row.changes
        if row.conflicts:
            plan.questions += _open(judged, row, answers, at)
            data, changes = _settled(row, answers)
            plan.conflicts += len(row.conflicts)
        if row.record is not None and not changes:
            plan.same += 1
            continue
        plan.cleared += sum(one.new is None for one in changes)
        plan.changes += [(row, one) for one in changes]
        record = int(row.record.id) if row.record is not None else None
        version = row.record.version if row.record is not None else None
        plan.rows.append(PlannedRow(ids[unit], data, record, version, row.incomplete))
        if row.incomplete:
            plan.drafts += 1
        else:
            plan.changed += 1
    return plan


def conflict_key(row: RowDifference, one: Conflict) -> Key:
    """The key of a conflict's question; it holds for this version of the other's value only."""
    assert row.record is not None  # noqa: S101 (a new row has no conflict)
    return (CONFLICT, row.record.id, one.field, str(row.record.version))


def _open(judged: Judged, row: RowDifference, answers: Mapping[Key, str], at: dt.date) -> Iterator[Question]:
    schema = judged.filled.register
    for one in row.conflicts:
        key = conflict_key(row, one)
        if key in answers:
            continue
        title = schema.by_name[one.field].title
        texts = {
            name: shown(schema, schema.by_name[one.field], value, at) or "空"
            for name, value in (("theirs", one.theirs), ("mine", one.mine), ("base", one.base))
        }
        name = identity_words(schema, row.data, at)
        text = f"“{name}”的{title}在您下载之后已被他人由 {texts['base']} 改为 {texts['theirs']}，文件中是 {texts['mine']}。用哪个？"
        choices = (Choice("theirs", f"留现在的 {texts['theirs']}"), Choice(MINE, f"用文件中的 {texts['mine']}"))
        yield Question("cell-moved", key, judged.filled.place(row.row, one.field), text, choices, "theirs")


def _settled(row: RowDifference, answers: Mapping[Key, str]) -> tuple[Data, tuple[CellChange, ...]]:
    """The row with the cells given up that were answered for (or are still open in favour of) the other's value."""
    data: Data = dict(row.data)
    given_up = {one.field: one.theirs for one in row.conflicts if answers.get(conflict_key(row, one)) != MINE}
    for name, theirs in given_up.items():
        if theirs is None:
            data.pop(name, None)
        else:
            data[name] = theirs
    return data, tuple(one for one in row.changes if one.field not in given_up)
