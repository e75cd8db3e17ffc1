"""Collecting what is wrong, mended or open in one sheet; equal notes are joined, errors stay one a cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from jiaoheng.sheets.places import Choice, Place, Problem, Question, Severity
from jiaoheng.sheets.sheet_grid import Grid

SHOWN_PLACES = 8  # cells named in a joined note; all of them are in the annotated workbook's marks


def cells_named(places: Sequence[Place]) -> str:
    """E5、E7、E9 等 30 处; fewer are all named."""
    names = [place.cell for place in places[:SHOWN_PLACES]]
    more = f" 等 {len(places)} 处" if len(places) > SHOWN_PLACES else ""
    return "、".join(names) + more


@dataclass(slots=True)
class Findings:
    """The problems and questions of a sheet while it is being read."""

    grid: Grid
    problems: list[Problem] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    _joined: dict[tuple[str, Severity, str, str], list[Place]] = field(default_factory=dict)

    def error(self, code: str, message: str, remedy: str = "", *, row: int = -1, column: int = -1) -> None:
        """Something that stops the report, at one place (0-based row and column)."""
        self.problems.append(Problem(code, Severity.ERROR, self.grid.place(row, column), message, remedy))

    def warn(self, code: str, message: str, remedy: str = "", *, row: int = -1, column: int = -1) -> None:
        """Something to look at, at one place."""
        self.problems.append(Problem(code, Severity.WARNING, self.grid.place(row, column), message, remedy))

    def note(self, code: str, message: str, remedy: str = "", *, row: int = -1, column: int = -1) -> None:
        """Something that was mended or left out, at one place."""
        self.problems.append(Problem(code, Severity.NOTE, self.grid.place(row, column), message, remedy))

    def joined(
        self, code: str, severity: Severity, message: str, remedy: str = "", *, row: int = -1, column: int = -1
    ) -> None:
        """One of many equal things: joined with the others of the same words into one problem."""
        self._joined.setdefault((code, severity, message, remedy), []).append(self.grid.place(row, column))

    def ask(
        self,
        code: str,
        key: tuple[str, ...],
        text: str,
        *,
        places: Sequence[Place],
        choices: Sequence[tuple[str, str]] = (),
        default: str | None = None,
    ) -> None:
        """A question that blocks the report until it is answered or its default is taken."""
        options = tuple(Choice(value, label) for value, label in choices)
        self.questions.append(
            Question(code, key, places[0], text, options, default, blocking=True, places=tuple(places))
        )

    def all_problems(self) -> tuple[Problem, ...]:
        """Every problem, joined ones with their cells named; errors first, then by place."""
        out = list(self.problems)
        for (code, severity, message, remedy), places in self._joined.items():
            told = message if len(places) == 1 else f"{message}（{cells_named(places)}）"
            out.append(Problem(code, severity, places[0], told, remedy))
        order = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}
        return tuple(sorted(out, key=lambda found: (order[found.severity], found.place.row, found.place.column)))
