"""The workbook that the demonstration's clerk is about to hand in: his template, filled in with the typical slips."""

from __future__ import annotations

from pathlib import Path

import openpyxl

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.tree import name_of
from jiaoheng.bureau.demo.rows import Ground
from jiaoheng.bureau.demo.words import FILES, SLIPS
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.registers.county import County
from jiaoheng.registers.template import FIRST_ROW, ID_ROW, TemplateRow, write_template
from jiaoheng.registers.template_marks import PREFIX


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
        rows=[TemplateRow(county.slips_row)],
        at=clock.local(county.now).date(),
        made_at=clock.local(county.now),
    )
    book = openpyxl.load_workbook(path)
    sheet = book.active
    columns = {cell.value: cell.column for cell in sheet[ID_ROW + 1]}
    for one in county.mistakes:
        sheet.cell(FIRST_ROW + 1, columns[PREFIX + one.field]).value = one.typed or None
    book.save(path)
    return path
