"""The answers of the exam's settings that concern the understanding of sheets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

TAKE = "采用"
IGNORE = "忽略"
FULL_MARKS = "满分"


@dataclass(frozen=True, slots=True)
class Answers:
    """What a person declared. Keys are texts or places as in `Place.key`; scores in thousandths of a mark."""

    marks: Mapping[str, str] = field(default_factory=dict)  # "/" or "语文|/" → a state word or a number
    columns: Mapping[str, str] = field(default_factory=dict)  # header text or file|sheet|C → role or subject
    sheets: Mapping[str, str] = field(default_factory=dict)  # file|sheet → 采用, 忽略, 前次考试 or a subject
    rows: Mapping[str, str] = field(default_factory=dict)  # file|sheet|17 → 采用, 忽略, 满分; file|sheet → hidden rows
    cells: Mapping[str, str] = field(default_factory=dict)  # file|sheet|E17 → corrected text
    accept: Mapping[str, str] = field(default_factory=dict)  # other confirmations by question code
    full_marks: Mapping[str, int] = field(default_factory=dict)  # subject → thousandths
    scaled: frozenset[str] = frozenset()  # subjects whose scores are already scaled
    aliases: Mapping[str, str] = field(default_factory=dict)  # a bureau's own word for a subject → subject
    grade: str | None = None
