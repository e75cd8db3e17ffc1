"""Workbooks for import tests: made by hand, or by our own template and then edited."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl

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
