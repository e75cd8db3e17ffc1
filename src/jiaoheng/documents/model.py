"""What a report is made of, before it becomes a page, a Word file, a workbook or JSON.

Numbers stay exact (int, Fraction) until a renderer prints them half-up with the column's digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Any


class Kind(StrEnum):
    """How a column's values are printed."""

    TEXT = "text"
    COUNT = "count"  # integer with thousands separator in prose, plain in tables
    NUMBER = "number"  # decimal with `digits`
    PERCENT = "percent"  # the value is a share (0.235); printed 23.50 with % in the head
    SIGNED = "signed"  # number with its sign, − for minus
    SIGNED_PERCENT = "signed_percent"  # change of a share, printed in percentage points with sign
    RANK = "rank"
    INTERVAL = "interval"  # value is Interval


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate's interval; printed `72.1–75.9`, that of a difference `0.2 至 1.4` whatever its signs."""

    low: float
    high: float
    difference: bool = False


@dataclass(frozen=True, slots=True)
class Missing:
    """No value, and why: printed —, the reason on hover, as a note in Word and Excel."""

    reason: str


@dataclass(frozen=True, slots=True)
class Suppressed:
    """Withheld because few people are behind it: printed *."""

    reason: str = "人数少于 5，为保护个人不显示"


@dataclass(frozen=True, slots=True)
class Dim:
    """A value of few people (n < 10): printed grey and never ranked."""

    value: int | float | Fraction


Value = None | str | int | float | Fraction | Interval | Missing | Suppressed | Dim


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column: stable key (also in summary.json), label, optional upper head, unit in the head, print rule."""

    key: str
    label: str
    kind: Kind = Kind.TEXT
    digits: int = 2
    group: str = ""  # columns that follow each other with the same group share an upper head
    unit: str = ""  # 分, %, 名
    definition: str = ""  # key in the definitions chapter
    width: int = 0  # characters; 0 = by content


@dataclass(frozen=True, slots=True)
class Table:
    """A table. Rows have one value per column. `emphasis` rows (county line) are drawn bold."""

    key: str  # stable, e.g. "school_scores.语文"
    title: str
    columns: tuple[TableColumn, ...]
    rows: tuple[tuple[Value, ...], ...]
    note: str = ""
    emphasis: frozenset[int] = frozenset()  # row indexes
    sheet: str = ""  # sheet of tables.xlsx it goes to (tables of one sheet stand under each other); "" = own
    head_rows: int = 1  # leading columns that stay in view: always the first; kept for wide tables
    wide: bool = False  # lay out on a landscape page in Word


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture with its finding as title and its definition as subtitle; the table beside it is named."""

    key: str
    title: str  # the finding
    subtitle: str  # the definition
    spec: Mapping[str, Any]  # Vega-Lite, without title, width by container
    alt: str
    table: str = ""  # key of the table with the same figures
    height: int = 320  # px


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text. `strong` is the answer sentence of a section."""

    text: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Bullets:
    """Short sentences, one a line."""

    items: tuple[str, ...]
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """One headline number: label, printed value, unit, one line of context, definition key."""

    label: str
    value: str
    unit: str = ""
    context: str = ""
    definition: str = ""


@dataclass(frozen=True, slots=True)
class KeyFigures:
    """A row of headline numbers."""

    figures: tuple[KeyFigure, ...]


class Tone(StrEnum):
    """How a note reads: with a word and a shape, never by colour alone."""

    INFO = "info"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Note:
    """A set-off remark (small numbers, an assumption, a limit of what may be said)."""

    text: str
    tone: Tone = Tone.INFO


Block = Paragraph | Bullets | KeyFigures | Note | Table | Chart


@dataclass(frozen=True, slots=True)
class Section:
    """A chapter or part. `level` 1 is a chapter."""

    key: str
    title: str
    blocks: tuple[Block, ...] = ()
    children: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True)
class Definition:
    """How one statistic is computed, as printed in the definitions chapter and keyed in summary.json."""

    key: str
    name: str
    text: str  # formula and edge rules in Chinese
    source: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report, ready for any renderer."""

    title: str
    organisation: str  # 发文机关 / 编制单位
    date: str  # as printed: 2026年4月28日
    subtitle: str = ""
    document_number: str = ""
    sections: tuple[Section, ...] = ()
    definitions: tuple[Definition, ...] = ()
    notice: str = ""  # who may see it: printed on the first page and in the page foot
    watermark: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)  # versions, files with hashes, settings used

    def tables(self) -> Sequence[Table]:
        """Every table in reading order."""
        found: list[Table] = []

        def walk(sections: Sequence[Section]) -> None:
            for section in sections:
                found.extend(block for block in section.blocks if isinstance(block, Table))
                walk(section.children)

        walk(self.sections)
        return found
