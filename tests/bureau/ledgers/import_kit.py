"""Workbooks for import tests: made by hand, or by our own template and then edited."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl

from bureau.world import World
from jiaoheng.bureau.core import audit
from jiaoheng.bureau.ledgers.changes import Change
from jiaoheng.bureau.ledgers.imports.answering import defaults, do_answer_questions
from jiaoheng.bureau.ledgers.imports.confirming import do_confirm_import
from jiaoheng.bureau.ledgers.imports.starting import do_start_import, preview_of
from jiaoheng.bureau.ledgers.models import ImportBatch, RecordVersion
from jiaoheng.bureau.ledgers.models.records import CURRENT
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.bureau.ledgers.writing import Batch, write

HEADS = ["学号", "姓名", "班级", "积分"]

Upload = tuple[Any, str]


def sheet(rows: Sequence[Sequence[Any]], name: str = "表.xlsx", title: str = "表") -> Upload:
    """A plain workbook of these rows, as an upload."""
    return sheets({title: rows}, name)


def sheets(content: dict[str, Sequence[Sequence[Any]]], name: str = "表.xlsx") -> Upload:
    """A plain workbook of several sheets, as an upload."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in content.items():
        made = book.create_sheet(title)
        for row in rows:
            made.append(list(row))
    out = io.BytesIO()
    book.save(out)
    out.seek(0)
    return out, name


def opened(path: Path) -> Upload:
    """A file on the disk as an upload."""
    return io.BytesIO(path.read_bytes()), path.name


def head_row(made: Any) -> int:
    """The row of the heads in one of our workbooks: the one below the hidden ids."""
    for row in range(1, 6):
        if any(str(cell.value or "").startswith("jh:") for cell in made[row]):
            return row + 1
    raise AssertionError("no ids")


def column_of(made: Any, field: str) -> int:
    """The column of a field in one of our workbooks, by its hidden id."""
    ids = made[head_row(made) - 1]
    return next(cell.column for cell in ids if cell.value == f"jh:{field}")


def data_sheet(book: Any) -> Any:
    """The sheet of one of our workbooks that holds the rows."""
    for made in book.worksheets:
        for row in range(1, 6):
            if any(str(cell.value or "").startswith("jh:") for cell in made[row]):
                return made
    raise AssertionError("no data sheet")


def start(
    world: World, register: Any, upload: Upload, who: str = "甲填报", unit: str = "甲", **more: Any
) -> ImportBatch:
    return do_start_import(register, world[unit], [upload], acting_user=world[who], **more)


def accept(batch: ImportBatch, world: World, who: str = "甲填报") -> None:
    """Answer what is open with the defaults."""
    answers = defaults(preview_of(batch))
    if answers:
        do_answer_questions(batch, answers, acting_user=world[who])


def bring(world: World, register: Any, rows: list[list[Any]], **more: Any) -> ImportBatch:
    batch = start(world, register, sheet([HEADS, *rows]), **more)
    accept(batch, world, more.get("who", "甲填报"))
    return do_confirm_import(batch, acting_user=world[more.get("who", "甲填报")])


def now_stands(register: Any) -> list[dict[str, Any]]:
    rows = RecordVersion.objects.filter(CURRENT, register=register).order_by("record_id")
    return [one.data for one in rows]


@audit.action
def edit(register: Any, record: Any, who: Any, *, acting_user: Any, **values: Any) -> None:
    """What another person does meanwhile."""
    version = RecordVersion.objects.get(record=record, valid_to__isnull=True)
    data = {**version.data, **values}
    change = Change(version.unit_id, data, version.record_id, version.number)
    write(Batch(register, schema_of(register), None, who, "form"), [change])
    audit.note("test.edit", actor=who)
