"""What arrives from the reading process about one file, put together and checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jiaoheng.sheets.limits import Limits
from jiaoheng.sheets.places import Place, Problem, Severity
from jiaoheng.sheets.raw_sheets import Finding
from jiaoheng.sheets.sniff import FORMAT_NAMES, promised
from jiaoheng.sheets.wire import SheetDecoder, WireError, unpack_findings
from jiaoheng.sheets.workbook import Cell, Sheet, SourceFile


class TakenFile:
    """What has arrived from the reading process about one file."""

    def __init__(self, label: str, limits: Limits) -> None:
        self.refused: list[Finding] = []
        self.sha256 = ""
        self.findings: list[Finding] = []
        self.sheets: list[Sheet] = []
        self.format = ""
        self._label = label
        self._left = 2 * limits.cells  # rows are padded to the sheet's width after they arrived
        self._sheets_left = limits.sheets
        self._size = 0
        self._encoding: str | None = None
        self._name = ""
        self._decoder = SheetDecoder(self._left)

    def take(self, head: dict[str, Any], body: bytes) -> None:
        """Take in one frame."""
        kind = head["t"]
        if kind == "block":
            self._decoder.add(head, body)
        elif kind == "sheet":
            self._sheets_left -= 1
            if self._sheets_left < 0:
                raise WireError("more sheets than allowed")
            self._name = str(head["name"])
            self._decoder = SheetDecoder(self._left)
        elif kind == "end_sheet":
            self.findings += unpack_findings(head["findings"])
            sheet = _sheet(self._label, self._name, self._decoder, head)
            self._left -= len(sheet.rows) * (len(sheet.rows[0]) if sheet.rows else 0)
            self.sheets.append(sheet)
        elif kind == "bytes":
            self.sha256, self._size = str(head["sha256"]), int(head["size"])
        elif kind == "file":
            self.format = str(head["format"])
            self._encoding = None if head["encoding"] is None else str(head["encoding"])
        elif kind == "end":
            self.findings += unpack_findings(head["findings"])
            self.refused = unpack_findings(head.get("refused", []))
            self.format = str(head.get("format") or self.format)
        else:
            raise WireError("unknown frame")

    def source(self, path: Path, size: int, refused: list[Finding]) -> SourceFile:
        """The file as far as it was understood; a refused one has no sheets."""
        findings = refused or self.findings
        problems = [_problem(self._label, finding) for finding in findings]
        if self.sheets and not refused and not promised(path.name, self.format):
            told = f"扩展名是 {path.suffix}，内容其实是{FORMAT_NAMES[self.format]}；已按内容读取"
            remedy = "请核对读入的数据；下次请在 Excel 或 WPS 中另存为 xlsx"
            problems.append(Problem("extension-lies", Severity.NOTE, Place(self._label), told, remedy))
        return SourceFile(
            path=str(path),
            label=self._label,
            sha256=self.sha256,
            size=self._size or size,
            true_format=self.format,
            encoding=self._encoding,
            sheets=() if refused else tuple(self.sheets),
            problems=tuple(problems),
        )


def _sheet(label: str, name: str, decoder: SheetDecoder, head: dict[str, Any]) -> Sheet:
    errors = [(int(row), int(column)) for row, column, _ in head["errors"]]
    rows = decoder.finish(int(head["rows"]), int(head["columns"]), errors)
    return with_facts(label, name, rows, head)


def with_facts(label: str, name: str, rows: Sequence[Sequence[Cell]], head: dict[str, Any]) -> Sheet:
    """A sheet of these rows with the facts of a frame, as far as they lie inside the rows.

    Errors and formulas may lie outside (then the rows do not belong to these facts); raises KeyError, TypeError or
    ValueError for a frame that holds no facts.
    """
    high, wide = len(rows), len(rows[0]) if rows else 0
    return Sheet(
        file=label,
        name=name,
        rows=rows,
        hidden=bool(head["hidden"]),
        hidden_rows=frozenset(int(row) for row in head["hidden_rows"] if row < high),
        hidden_columns=frozenset(int(column) for column in head["hidden_columns"] if column < wide),
        filtered=bool(head["filtered"]),
        merged=tuple(((int(a), int(b)), (int(c), int(d))) for a, b, c, d in head["merged"]),
        zero_formats={
            (row, column): int(digits)
            for row, column, digits in head["zeros"]
            if 0 <= row < high and 0 <= column < wide and type(rows[row][column]) in (int, float)
        },
        percents=frozenset(
            (int(row), int(column))
            for row, column in head.get("percents", ())
            if 0 <= row < high and 0 <= column < wide and type(rows[row][column]) in (int, float)
        ),
        formulas_without_value=frozenset((int(row), int(column)) for row, column in head["formulas"]),
        error_cells={(int(row), int(column)): str(text) for row, column, text in head["errors"]},
    )


def _problem(label: str, finding: Finding) -> Problem:
    place = Place(label, finding.sheet, finding.row, finding.column)
    return Problem(finding.code, Severity(finding.severity), place, finding.message, finding.remedy)
