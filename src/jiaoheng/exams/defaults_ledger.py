"""What is noted while defaults are taken: assumptions, questions, problems; and how dated entries are chosen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from jiaoheng.exams.resolved import Assumption
from jiaoheng.sheets.places import Choice, Place, Problem, Question, Severity


@dataclass(slots=True)
class Ledger:
    """Collects in the order in which things come up."""

    assumptions: list[Assumption] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def assume(self, key: tuple[str, ...], value: str, text: str, source: str) -> None:
        """List a default that was taken."""
        self.assumptions.append(Assumption(key, value, text, source))

    def ask(
        self,
        code: str,
        key: tuple[str, ...],
        text: str,
        *,
        default: str | None,
        choices: Sequence[Choice] = (),
        places: Sequence[Place] = (),
        blocking: bool = True,
    ) -> None:
        """Ask; the first of `places` is where the question stands."""
        place = places[0] if places else Place()
        self.questions.append(Question(code, key, place, text, tuple(choices), default, blocking, tuple(places)))

    def warn(self, code: str, place: Place, message: str, remedy: str) -> None:
        """A contradiction that does not stop the report."""
        self.problems.append(Problem(code, Severity.WARNING, place, message, remedy))

    def error(self, code: str, place: Place, message: str, remedy: str) -> None:
        """A contradiction that stops the report."""
        self.problems.append(Problem(code, Severity.ERROR, place, message, remedy))


def in_force(entry: Mapping[str, Any], day: dt.date) -> bool:
    """Whether a dated entry holds on the day: from ≤ day < until."""
    start, end = entry["from"], entry["until"]
    return bool(start <= day and (end is None or day < end))


def fitting(entries: Sequence[Mapping[str, Any]], stage: str, grade: str, day: dt.date) -> Mapping[str, Any] | None:
    """The first entry for stage, grade and day; entries that name grades go before those that do not by their order."""
    for entry in entries:
        grades = entry.get("grades")
        if entry["stage"] == stage and (grades is None or grade in grades) and in_force(entry, day):
            return entry
    return None


def plain(value: Fraction) -> str:
    """An exact number as people write it: 120, 0.5."""
    if value.denominator == 1:
        return str(value.numerator)
    digits = 0
    scaled = value
    while scaled.denominator != 1 and digits < 6:
        scaled, digits = scaled * 10, digits + 1
    if scaled.denominator == 1:
        text = str(abs(scaled.numerator)).rjust(digits + 1, "0")
        return f"{'-' if value < 0 else ''}{text[:-digits]}.{text[-digits:]}"
    return f"{value.numerator}/{value.denominator}"


def percent(value: Fraction) -> str:
    """A share as people write it: 85%."""
    return plain(value * 100) + "%"
