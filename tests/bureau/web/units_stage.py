"""Classes and teachers of the small county in two years, written on their days, for the pages of units."""

from __future__ import annotations

import datetime as dt
from typing import Any

from bureau.world import World
from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.periods import ensure_periods, period_of
from jiaoheng.bureau.ledgers.actions_registers import do_load_pack
from jiaoheng.bureau.ledgers.changes import Change
from jiaoheng.bureau.ledgers.models import RegisterRow
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.bureau.ledgers.writing import Batch, write
from jiaoheng.registers.loading import load_shipped

LAST, NOW = dt.date(2024, 9, 10), dt.date(2025, 9, 10)


def set_up(world: World) -> None:
    """甲: 60 and 40 pupils (last year 50 and 50), 2 of them 随班就读, 4 teachers; 乙: 30; 丙: 45; 直 sent nothing."""
    with clock.at(clock.beijing(2024, 9, 1)):
        do_load_pack(load_shipped(), acting_user=None)
    ensure_periods(2023)
    ensure_periods(2024)
    ensure_periods(2025)
    classes(world, "甲", LAST, [50, 50])
    classes(world, "乙", LAST, [33])
    classes(world, "甲", NOW, [60, 40], inclusive=1)
    classes(world, "乙", NOW, [30])
    classes(world, "丙", NOW, [45])
    put(world, "teachers", "甲", NOW, [teacher(number) for number in range(4)] + [teacher(9) | {"status": "7"}])


def classes(world: World, unit: str, day: dt.date, totals: list[int], inclusive: int = 0) -> list[int]:
    """One record a class of a school in the term of a day."""
    rows = [
        {
            "class_code": f"{unit}{number}",
            "grade": "01",
            "class_name": f"一（{number}）班",
            "class_kind": "1",
            "boys": total - 10,
            "girls": 10,
            "total": total,
            "boarders": 0,
            "inclusive_pupils": inclusive,
        }
        for number, total in enumerate(totals, start=1)
    ]
    return put(world, "classes", unit, day, rows)


def teacher(number: int) -> dict[str, Any]:
    """A full-time teacher on duty."""
    return {"staff_number": f"T{number}", "name": f"教师{number}", "full_time": True, "status": "1"}


def put(world: World, register: str, unit: str, day: dt.date, rows: list[dict[str, Any]]) -> list[int]:
    """Records written at ten o'clock of a day; their ids."""
    row = RegisterRow.objects.get(name=register)
    schema = schema_of(row, day)
    period = None if str(schema.period) == "none" else period_of(str(schema.period), day)
    batch = Batch(row, schema, period, None, "load")

    @audit.action
    def do_put(*, acting_user: object) -> list[int]:
        audit.note("put", actor=None)
        written = write(batch, [Change(world[unit].pk, one) for one in rows], day=day)
        return [one.record_id for one in written]

    with clock.at(clock.beijing(day.year, day.month, day.day, 10)):
        return do_put(acting_user=None)
