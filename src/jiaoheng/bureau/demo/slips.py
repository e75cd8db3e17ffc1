"""The workbook that the demonstration's clerk is about to hand in: his template, filled in with the typical slips."""

from __future__ import annotations

from pathlib import Path

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.tree import name_of
from jiaoheng.bureau.demo.rows import Ground
from jiaoheng.bureau.demo.words import FILES, SLIPS
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.registers.county import County
from jiaoheng.registers.template import TemplateRow, write_template


def write_slips(folder: Path, county: County, ground: Ground) -> Path:
    """Write the workbook into `folder`/演示文件 and return its path. Raises OSError as it comes."""
    first = county.mistakes[0]
    register, unit, period = ground.register(first.register), ground.units[first.unit], ground.period(first.period)
    schema = schema_of(register, clock.local(county.now).date())
    path = folder / FILES / SLIPS
    path.parent.mkdir(parents=True, exist_ok=True)
    write_template(
        schema,
        path,
        unit_code=unit.code,
        unit_name=name_of(unit, clock.local(county.now).date()),
        period=period.code if period is not None else "",
        rows=[TemplateRow(county.slips_row, typed={one.field: one.typed for one in county.mistakes})],
        at=clock.local(county.now).date(),
        made_at=clock.local(county.now),
    )
    return path
