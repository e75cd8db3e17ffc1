"""An untrusted file after parsing, before anybody has understood it: sheets of plain cells."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from jiaoheng.sheets.places import Problem

Cell = None | str | float | int | bool | dt.datetime | dt.date | dt.time | dt.timedelta
Position = tuple[int, int]  # 0-based row, column


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet. Rows start at the sheet's first row, columns at A; every row has the same length.

    Empty cells are None. Text is as in the file (not trimmed). Numbers are float or int.
    """

    file: str  # the label shown to the user (name, or relative path where names repeat)
    name: str  # "" for text files
    rows: Sequence[Sequence[Cell]]
    hidden: bool = False
    hidden_rows: frozenset[int] = frozenset()  # 0-based
    hidden_columns: frozenset[int] = frozenset()
    filtered: bool = False  # an autofilter hides some of the rows
    merged: tuple[tuple[Position, Position], ...] = ()  # inclusive corners
    zero_formats: dict[Position, int] = field(default_factory=dict)  # numeric cell shown with leading zeros → digits
    percents: frozenset[Position] = frozenset()  # numeric cell shown as per cent: 0.955 seen as 95.5 % (xlsx)
    formulas_without_value: frozenset[Position] = frozenset()
    error_cells: dict[Position, str] = field(default_factory=dict)  # "#N/A", "#REF!" …; the cell itself is None


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of the user: what it truly is, its hash, its sheets, and what could not be read."""

    path: str
    label: str
    sha256: str
    size: int  # bytes
    true_format: str  # xlsx, xls, csv, tsv, html, …: by content
    encoding: str | None  # of text files
    sheets: tuple[Sheet, ...]
    problems: tuple[Problem, ...] = ()
