"""Tables as CSV that a spreadsheet opens without running anything in it, and that reads back exactly."""

from __future__ import annotations

import csv
from pathlib import Path

from jiaoheng.documents.model import Dim, Interval, Kind, Table, TableColumn, Value
from jiaoheng.documents.printing import head, interval_end, printed
from jiaoheng.documents.safe_text import neutralise, unneutralise


def write_csv(table: Table, path: Path) -> None:
    """Write a table as UTF-8 with BOM and CRLF (opens right in Excel and WPS).

    Numbers are printed half-up with an ASCII minus and stay numbers; texts that a spreadsheet would run get a leading
    apostrophe (undone by `read_csv`). An interval takes two columns. Raises OSError as it comes.
    """
    with Path(path).open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([neutralise(name) for column in table.columns for name in _heads(column)])
        for row in table.rows:
            cells: list[str] = []
            for column, value in zip(table.columns, row, strict=True):
                cells += _cells(value, column)
            writer.writerow(cells)


def read_csv(path: Path) -> list[list[str]]:
    """Rows of a CSV written by `write_csv` with exactly one apostrophe taken back where one was added."""
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        return [[unneutralise(cell) for cell in row] for row in csv.reader(file)]


def _heads(column: TableColumn) -> list[str]:
    label, unit = head(column)
    name = f"{column.group} {label}".strip() if column.group else label
    unit = f"（{unit}）" if unit else ""
    if column.kind is Kind.INTERVAL:
        return [f"{name}下限{unit}", f"{name}上限{unit}"]
    return [name + unit]


def _cells(value: Value, column: TableColumn) -> list[str]:
    inner = value.value if isinstance(value, Dim) else value
    cell = printed(value, column)
    if isinstance(inner, Interval) and cell.order is not None:
        return [_plain(interval_end(end, column)) for end in (inner.low, inner.high)]
    if cell.order is not None:
        texts = [_plain(cell.text)]
    else:
        texts = [neutralise(inner) if isinstance(inner, str) else neutralise(cell.text)]
    return texts * 2 if column.kind is Kind.INTERVAL else texts


def _plain(number: str) -> str:
    """A printed number that a program reads: ASCII minus, no plus sign (that would be a formula)."""
    return number.replace("−", "-").removeprefix("+")
