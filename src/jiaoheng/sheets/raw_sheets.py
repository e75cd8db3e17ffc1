"""What the reading process hands over: raw sheets, findings about a file, and the refusal of one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

RawCell = str | float | int | bool | dt.datetime | dt.date | dt.time | dt.timedelta  # "" is the empty cell
RawRow = list[RawCell]
Position = tuple[int, int]  # 0-based row, column


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem before it has a file label; row and column are 1-based, 0 for the whole sheet or file."""

    code: str
    severity: str  # "error" | "warning" | "note"
    message: str
    remedy: str = ""
    sheet: str = ""
    row: int = 0
    column: int = 0


class RefusalError(Exception):
    """The file cannot be read; carries the finding that says why and what to do."""

    def __init__(
        self, code: str, message: str, remedy: str = "", *, sheet: str = "", row: int = 0, column: int = 0
    ) -> None:
        super().__init__(message)
        self.true_format = ""  # where the file was recognised as something else than a table
        self.finding = Finding(code, "error", message, remedy, sheet, row, column)


@dataclass(slots=True)
class Facts:
    """What a sheet's cells do not say by themselves (0-based positions)."""

    hidden: bool = False
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    filtered: bool = False
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)  # first row, column, last row, column
    zero_formats: dict[Position, int] = field(default_factory=dict)
    percents: set[Position] = field(default_factory=set)  # numbers shown as per cent (xlsx)
    formulas: set[Position] = field(default_factory=set)  # without a stored value
    errors: dict[Position, str] = field(default_factory=dict)
    wrong_dimension: bool = False  # the declared size is no range at all, at which calamine stops


@dataclass(slots=True)
class RawSheet:
    """One sheet on its way out: rows come as an iterable so that a large sheet is never held as a whole."""

    name: str
    rows: Iterable[RawRow]
    facts: Facts
    findings: list[Finding] = field(default_factory=list)


@dataclass(slots=True)
class RawFile:
    """What was found out about a file before its sheets are read one after another."""

    true_format: str
    encoding: str | None
    sheets: Iterable[RawSheet]
    findings: list[Finding] = field(default_factory=list)


DAMAGED = "请用 Excel 或 WPS 打开该文件，另存为 xlsx 后再交"


def damaged(what: str, *, sheet: str = "") -> RefusalError:
    """A refusal for content that breaks its own format's rules; `what` says which."""
    return RefusalError("file-damaged", f"文件已损坏或不完整：{what}", DAMAGED, sheet=sheet)
