"""What is read of a filled workbook: columns of raw cells under field names, with the place of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from jiaoheng.registers.model import Register
from jiaoheng.registers.template_marks import TITLES, Meta
from jiaoheng.sheets.places import Place, Problem, Question, Severity
from jiaoheng.sheets.workbook import Cell

Key = tuple[str, ...]
IGNORE = "忽略"


@dataclass(frozen=True, slots=True)
class NotTaken:
    """A column whose values were not taken: its head, place, number of values and why."""

    title: str
    place: Place
    values: int
    reason: str


@dataclass(slots=True)
class Filled:
    """A filled workbook, understood as far as its columns. Rows of all sheets follow each other, counted from 0.

    `cells`: field → raw cells; `digits`: field → row → digits that the cell's number format pads zeros to.
    `records`, `versions`: of the records that the rows were made from; `units`, `periods`: raw cells or None.
    `column_of`: for each sheet field → 1-based column. `missing`: fields that no sheet has a column for.
    `not_taken`: columns with values that were left out. `notes`: sentences about versions and recognition.
    """

    file: str
    register: Register
    meta: Meta | None = None
    cells: dict[str, list[Cell]] = field(default_factory=dict)
    digits: dict[str, dict[int, int]] = field(default_factory=dict)
    records: list[str | None] = field(default_factory=list)
    versions: list[int | None] = field(default_factory=list)
    units: list[Cell] = field(default_factory=list)
    periods: list[str | None] = field(default_factory=list)
    sheets: list[str] = field(default_factory=list)
    sheet_of: list[int] = field(default_factory=list)
    row_of: list[int] = field(default_factory=list)  # 1-based
    column_of: list[dict[str, int]] = field(default_factory=list)
    headers: dict[tuple[str, str], int] = field(default_factory=dict)  # (file, sheet) → 1-based header row
    missing: tuple[str, ...] = ()
    not_taken: list[NotTaken] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unit_hint: str = ""  # a unit named above the table

    @property
    def count(self) -> int:
        """Number of data rows."""
        return len(self.row_of)

    @property
    def refused(self) -> bool:
        """Whether the file as a whole cannot be taken."""
        return any(problem.severity is Severity.ERROR for problem in self.problems)

    @property
    def open_questions(self) -> list[Question]:
        """Questions that must be answered, or given their default, before the rows count."""
        return [question for question in self.questions if question.blocking]

    def place(self, row: int, name: str = "") -> Place:
        """Where a field's cell of a row stands; the row alone where the sheet has no such column."""
        sheet = self.sheet_of[row]
        return Place(self.file, self.sheets[sheet], self.row_of[row], self.column_of[sheet].get(name, 0))

    def title(self, name: str) -> str:
        """A column's title for messages."""
        one = self.register.by_name.get(name)
        return one.title if one is not None else TITLES.get(name, name)


@dataclass(frozen=True, slots=True)
class Known:
    """What else may be needed to understand a file.

    `versions`: all versions of the register; `titles`: register name → title of all registers (to name another one's
    template); `units`: unit code → name of the units that the person may fill; `answers`: question key → answer.
    """

    versions: tuple[Register, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[Key, str] = field(default_factory=dict)
