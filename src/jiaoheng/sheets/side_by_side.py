"""A large xlsx read by two processes at once: one takes the facts and guards, the other the cells.

The second one is not guarded against far cells; it may die of one (its memory is bounded), and then the first has the
reason with sheet and cell. Whatever does not fit together is read again in the plain way, one step after the other.
"""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from jiaoheng.sheets.limits import Limits
from jiaoheng.sheets.raw_sheets import RefusalError
from jiaoheng.sheets.reader_process import ReaderProcess
from jiaoheng.sheets.sniff import ZIPS
from jiaoheng.sheets.taken_file import TakenFile, with_facts
from jiaoheng.sheets.wire import WireError, unpack_findings
from jiaoheng.sheets.workbook import Sheet

LARGE = 1_500_000  # bytes of packed workbook; below it a second process costs more than it saves


class _Facts(threading.Thread):
    """Collects the facts from the second process."""

    def __init__(self, reader: ReaderProcess, path: Path, limits: Limits) -> None:
        super().__init__(name="read-facts", daemon=True)
        self.heads: list[dict[str, Any]] = []
        self.whole = False
        self._job = (reader.helper(), path, limits)
        self._other = reader

    def run(self) -> None:
        reader, path, limits = self._job
        try:
            self.heads = [head for head, _ in reader.frames(path, limits, "facts")]
            self.whole = True
        except (RefusalError, ValueError):  # ValueError: the pipe was closed under us because reading was given up
            return
        if self.heads[-1].get("refused"):
            self._other.stop()  # nobody needs the cells any more


def read_side_by_side(reader: ReaderProcess, path: Path, label: str, limits: Limits) -> TakenFile | None:
    """The file, read or refused for its facts; None where it should be read in the plain way."""
    if (os.cpu_count() or 1) < 2 or not _is_archive(path):
        return None
    facts = _Facts(reader, path, limits)
    facts.start()
    taken: TakenFile | None = TakenFile(label, limits)
    assert taken is not None  # noqa: S101 (for the type checker)
    try:
        for head, body in reader.frames(path, limits, "cells"):
            taken.take(head, body)
    except (RefusalError, WireError, KeyError, TypeError, ValueError, IndexError):
        taken = None
    finally:
        facts.join()
    if not facts.whole:
        return None
    end = facts.heads[-1]
    if end.get("refused"):
        refused = TakenFile(label, limits)
        refused.refused = unpack_findings(end["refused"])
        refused.sha256 = str(facts.heads[0].get("sha256", ""))
        return refused
    if taken is None or taken.refused or any(one.severity == "error" for one in taken.findings):
        return None
    return _joined(taken, facts.heads)


def _is_archive(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4).startswith(ZIPS)
    except OSError:
        return False


def _joined(taken: TakenFile, heads: list[dict[str, Any]]) -> TakenFile | None:
    """The cells with their facts; None where they are not of the same file or leave each other's bounds."""
    if taken.format != "xlsx" or heads[0].get("sha256") != taken.sha256:
        return None
    known = {str(head["name"]): head for head in heads if head.get("t") == "facts"}
    if set(known) != {sheet.name for sheet in taken.sheets}:
        return None
    sheets: list[Sheet] = []
    for sheet in taken.sheets:
        rows, columns = len(sheet.rows), len(sheet.rows[0]) if sheet.rows else 0
        facts = with_facts(sheet.file, sheet.name, sheet.rows, known[sheet.name])
        empty = (*facts.error_cells, *facts.formulas_without_value)
        if any(row >= rows or column >= columns for row, column in empty):
            return None
        errors = dict(facts.error_cells) | sheet.error_cells
        if any(sheet.rows[row][column] is not None for row, column in errors):
            return None
        sheets.append(replace(facts, hidden=sheet.hidden, merged=sheet.merged, error_cells=errors))
    taken.sheets = sheets
    return taken
