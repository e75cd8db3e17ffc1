"""One school's pupils as rows, before anybody lays them out as a sheet."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from jiaoheng.exams.sample_county import County
from jiaoheng.exams.sample_exam import SampleExam, SampleSubject
from jiaoheng.sheets.reading_model import ScoreState


@dataclass(slots=True)
class PupilRow:
    """A pupil of a school; `marks` holds a number, or the ScoreState that stands for none, per subject."""

    pupil: int  # position in the county
    student_number: str
    exam_number: str
    name: str
    sex: str
    klass: int
    track: str
    combination: str
    marks: dict[str, int | float | ScoreState]

    @property
    def total(self) -> int | float | None:
        """What a school writes as the total: the sum of what there is; nothing where there is nothing."""
        numbers = [mark for mark in self.marks.values() if not isinstance(mark, ScoreState)]
        if not numbers:
            return None
        total = sum(numbers)
        return int(total) if float(total).is_integer() else total


@dataclass(slots=True)
class SchoolRows:
    """A school with its pupils in order of class and seat."""

    index: int
    name: str
    district: str
    grade: str  # 九年级, 高三
    full: dict[str, int]
    pupils: list[PupilRow]

    @property
    def classes(self) -> dict[int, list[PupilRow]]:
        """Pupils by number of the class."""
        found: dict[int, list[PupilRow]] = {}
        for row in self.pupils:
            found.setdefault(row.klass, []).append(row)
        return found


def school_rows(county: County, exam: SampleExam, index: int) -> SchoolRows:
    """The rows of one school of this exam."""
    members = np.flatnonzero(county.school == index)
    marks = {name: _numbers(subject, members) for name, subject in exam.subjects.items()}
    pupils = [
        PupilRow(
            int(pupil),
            county.student_numbers[pupil],
            county.exam_numbers[pupil],
            county.names[pupil],
            "女" if county.girl[pupil] else "男",
            int(county.klass[pupil]),
            county.track[pupil],
            county.combination[pupil],
            {name: column[at] for name, column in marks.items()},
        )
        for at, pupil in enumerate(members)
    ]
    full = {name: subject.full for name, subject in exam.subjects.items()}
    grade = str(county.exam["grade"])
    return SchoolRows(index, county.schools[index], county.districts[index], grade, full, pupils)


def _numbers(subject: SampleSubject, members: npt.NDArray[np.intp]) -> list[int | float | ScoreState]:
    found: list[int | float | ScoreState] = []
    for value, state in zip(subject.values[members].tolist(), subject.states[members].tolist(), strict=True):
        found.append(mark(value, subject.step) if state == ScoreState.SCORED else ScoreState(state))
    return found


def mark(value: int, step: Fraction) -> int | float:
    """A score in steps as the number that stands in a cell."""
    exact = value * step
    return exact.numerator if exact.denominator == 1 else float(exact)
