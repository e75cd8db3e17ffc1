"""Which cell each problem and question is shown at, in what colour, with which words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jiaoheng.sheets.annotate_memory import Origin
from jiaoheng.sheets.ooxml_scan import SheetScan
from jiaoheng.sheets.places import Place, Problem, Question, Severity

# Unusual shades, so that no fill of the user's own is ever taken for one of ours.
ERROR_TINT = "FFFCC9C3"
QUESTION_TINT = "FFCFE3F6"
WARNING_TINT = "FFFDECB1"
_RANK = {ERROR_TINT: 0, QUESTION_TINT: 1, WARNING_TINT: 2}
TINTS = tuple(_RANK)
_WORDS = {Severity.ERROR: "错误", Severity.WARNING: "提醒"}

MAX_ROW, MAX_COLUMN = 1_048_576, 16_384
MAX_MARKS = 50_000  # per sheet
MAX_NOTES = 2_000  # per sheet; programs become slow with more
MAX_QUESTION_PLACES = 50  # per question
_MERGE_ROWS = 5_000  # a taller merged area is not followed

Cell = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Spot:
    """One remark at a row, column or cell of a sheet (1-based, 0 as in Place)."""

    row: int
    column: int
    tint: str
    text: str


@dataclass(slots=True)
class SheetMarks:
    """Colours and notes of one sheet by cell."""

    tints: dict[Cell, str] = field(default_factory=dict)
    notes: dict[Cell, str] = field(default_factory=dict)
    left_out: int = 0  # notes that were not written because there are too many


@dataclass(frozen=True, slots=True)
class Locator:
    """Leads a place of the original files to the sheet of this workbook."""

    origins: Mapping[str, Origin]  # sheet here → original
    label: str  # of this workbook

    def sheet(self, place: Place) -> str | None:
        """Name of the sheet here, None where the place is not in this workbook."""
        for name, origin in self.origins.items():
            if origin == (place.file, place.sheet):
                return name
        if place.sheet in self.origins and place.file in ("", self.label):
            return place.sheet
        files = {file for file, _ in self.origins.values()}
        if place.file in files | {self.label} and not place.sheet and len(self.origins) == 1 and place.row:
            return next(iter(self.origins))
        return None

    def shown(self, place: Place) -> str:
        """The place as read in this workbook."""
        name = self.sheet(place)
        if name is None:
            return str(place) or "全部文件"
        return f"工作表“{name}” {place.cell}".rstrip()

    def link(self, place: Place) -> str | None:
        """Target of a hyperlink inside this workbook."""
        name = self.sheet(place)
        if name is None:
            return None
        cell = Place(row=min(place.row, MAX_ROW) or 1, column=min(place.column, MAX_COLUMN) or 1).cell
        return f"'{name.replace(chr(39), chr(39) * 2)}'!{cell}"


def collect_spots(
    problems: Sequence[Problem], questions: Sequence[tuple[int, Question]], locator: Locator
) -> dict[str, list[Spot]]:
    """Sheet name here → what is to be shown in it; questions come with their number."""
    found: dict[str, list[Spot]] = {}
    memo: dict[tuple[str, str], str | None] = {}

    def put(place: Place, tint: str, text: str) -> None:
        if not (0 <= place.row <= MAX_ROW and 0 <= place.column <= MAX_COLUMN and (place.row or place.column)):
            return
        key = (place.file, place.sheet)
        if key not in memo:
            memo[key] = locator.sheet(place)
        name = memo[key]
        if name is not None:
            found.setdefault(name, []).append(Spot(place.row, place.column, tint, text))

    for problem in problems:
        if problem.severity in _WORDS:
            text = f"{_WORDS[problem.severity]}：{problem.message.rstrip('。')}。{problem.remedy}".rstrip("。") + "。"
            put(problem.place, ERROR_TINT if problem.severity is Severity.ERROR else WARNING_TINT, text)
    for number, question in questions:
        text = f"问题 {number}：{question.text.rstrip('。')}。请在工作表“待确认”中答复。".replace("？。", "？")
        for place in dict.fromkeys((question.place, *question.places[:MAX_QUESTION_PLACES])):
            put(place, QUESTION_TINT, text)
    return found


def needed(spots: Sequence[Spot]) -> tuple[set[int], set[int]]:
    """Rows and columns that the first pass over the sheet must look at."""
    return {spot.row for spot in spots if spot.row}, {spot.column for spot in spots if not spot.row}


def place_marks(spots: Sequence[Spot], scan: SheetScan, header: int | None) -> SheetMarks:
    """Cells for all spots: a row's first filled cell, a column's header cell, a merged area's first cell."""
    marks = SheetMarks()
    cells = [_cell(spot, scan, header) for spot in spots]
    anchors = _anchors(scan, set(cells))
    texts: dict[Cell, dict[str, None]] = {}
    order = sorted(range(len(spots)), key=lambda index: _RANK[spots[index].tint])
    for index in order:
        cell = anchors.get(cells[index], cells[index])
        if cell not in marks.tints and len(marks.tints) >= MAX_MARKS:
            continue
        marks.tints.setdefault(cell, spots[index].tint)
        texts.setdefault(cell, {})[spots[index].text] = None
    for cell, lines in texts.items():
        if len(marks.notes) < MAX_NOTES:
            marks.notes[cell] = "\n".join(lines)
        else:
            marks.left_out += 1
    return marks


def _cell(spot: Spot, scan: SheetScan, header: int | None) -> Cell:
    if spot.row and spot.column:
        return spot.row, spot.column
    if spot.row:
        row = scan.rows.get(spot.row)
        cells = row.cells if row is not None else []
        filled = next((cell.column for cell in cells if cell.filled), 1)
        return spot.row, filled
    return header or scan.first_in_column.get(spot.column, 1), spot.column


def _anchors(scan: SheetScan, cells: set[Cell]) -> dict[Cell, Cell]:
    by_row: dict[int, list[int]] = {}
    for row, column in cells:
        by_row.setdefault(row, []).append(column)
    found: dict[Cell, Cell] = {}
    for top, left, bottom, right in scan.merges:
        for row in range(top, min(bottom, top + _MERGE_ROWS) + 1):
            for column in by_row.get(row, ()):
                if left <= column <= right:
                    found[row, column] = (top, left)
    return found
