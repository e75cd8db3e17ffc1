"""The classes of a sheet's rows with what must be told or asked about them, and the answers given for rows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from jiaoheng.sheets.answers import FULL_MARKS, IGNORE, TAKE, Answers
from jiaoheng.sheets.reading_model import RowClass
from jiaoheng.sheets.sheet_grid import Grid


@dataclass(slots=True)
class RowClasses:
    """The class of every row, labels of the rows that are not pupils, and what must be asked about rows."""

    classes: npt.NDArray[np.uint8]
    labels: dict[int, str] = field(default_factory=dict)
    nameless: list[int] = field(default_factory=list)  # scores without any name or number
    changed_headers: list[int] = field(default_factory=list)  # a header in the middle with other columns
    doubtful: list[int] = field(default_factory=list)  # read as pupils, though the name is a footer's word
    hidden: list[int] = field(default_factory=list)  # hidden rows that are pupils
    sections: dict[int, str] = field(default_factory=dict)  # title lines between pupils

    @property
    def pupils(self) -> npt.NDArray[np.int64]:
        """Rows of pupils, top to bottom."""
        return np.flatnonzero(self.classes == RowClass.PUPIL).astype(np.int64)


def apply_answers(grid: Grid, first: int, out: RowClasses, answers: Answers) -> None:
    """Answers for single rows and for hidden rows go over everything else."""
    sheet_answer = answers.rows.get(grid.place().sheet_key)
    for row in sorted(grid.sheet.hidden_rows):
        if row < len(out.classes) and out.classes[row] == RowClass.PUPIL:
            out.hidden.append(row)
            if sheet_answer == IGNORE:
                out.classes[row] = RowClass.SKIPPED
    prefix = grid.place().sheet_key + "|"
    meaning = {TAKE: RowClass.PUPIL, IGNORE: RowClass.SKIPPED, FULL_MARKS: RowClass.FULL_MARK}
    for key, answer in answers.rows.items():
        tail = key.removeprefix(prefix) if key.startswith(prefix) else ""
        if tail.isdigit() and answer in meaning and first <= int(tail) - 1 < len(out.classes):
            row = int(tail) - 1
            out.classes[row] = meaning[answer]
            if row in out.nameless:
                out.nameless.remove(row)
