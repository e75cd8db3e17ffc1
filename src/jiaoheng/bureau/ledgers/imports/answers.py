"""What the uploader said about a file: answers to its questions, corrected cells; kept with the import as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jiaoheng.registers.template_marks import UNIT
from jiaoheng.registers.workbook_reading_model import Filled

Key = tuple[str, ...]
FILES, CONFLICT, HEADS = "files", "conflict", "heads"
LEFT_OUT = "忽略"
MINE, THEIRS = "mine", "theirs"


@dataclass(slots=True)
class Said:
    """Answers by question key; `cells`: place key → corrected text; `seen`: record id → version a preview showed.

    kept: something was said since the file was judged, so that the preview does not hold it yet.
    """

    answers: dict[Key, str] = field(default_factory=dict)
    cells: dict[str, str] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    kept: bool = False

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Said:
        """From an import's `answers`."""
        return cls(
            {tuple(key): value for key, value in stored.get("answers", [])},
            dict(stored.get("cells", {})),
            dict(stored.get("seen", {})),
            bool(stored.get("kept")),
        )

    def stored(self) -> dict[str, Any]:
        """For an import's `answers`."""
        return {
            "answers": [[list(key), value] for key, value in self.answers.items()],
            "cells": self.cells,
            "seen": self.seen,
            **({"kept": True} if self.kept else {}),
        }


def correct(filled: Filled, cells: Mapping[str, str]) -> None:
    """Put corrected texts into the raw cells, at the places that `Place.key` names; other places are left alone."""
    if not cells:
        return
    rows = {(filled.place(row).sheet_key, filled.row_of[row]): row for row in _rows_named(filled, cells)}
    for key, text in cells.items():
        sheet_key, _, cell = key.rpartition("|")
        letters = cell.rstrip("0123456789")
        row = rows.get((sheet_key, int(cell[len(letters) :] or 0)))
        if row is None:
            continue
        column = _number(letters)
        for name, at in filled.column_of[filled.sheet_of[row]].items():
            if at != column:
                continue
            if name == UNIT:
                filled.units[row] = text or None
            elif name in filled.cells:
                filled.cells[name][row] = text or None
                filled.digits.get(name, {}).pop(row, None)


def _rows_named(filled: Filled, cells: Mapping[str, str]) -> list[int]:
    numbers = {int(digits) for key in cells if (digits := key.rpartition("|")[2].lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))}
    return [row for row, number in enumerate(filled.row_of) if number in numbers]


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number
