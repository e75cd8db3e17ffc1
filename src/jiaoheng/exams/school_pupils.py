"""One school's pupils: class sheets for its teachers and slips for pupils, in the form that the rules allow."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from jiaoheng.documents.model import Kind, Table, TableColumn, Value
from jiaoheng.documents.printing import printed
from jiaoheng.documents.slips import Slip
from jiaoheng.exams.analysis import cells
from jiaoheng.exams.analysis.measure import Exam, scored
from jiaoheng.exams.analysis.subjects import levels_of
from jiaoheng.exams.lists import STATE_WORDS, People, score_cell
from jiaoheng.methods.histogram import ScoreHistogram
from jiaoheng.methods.ranks import pupil_ranks


class SchoolPupils:
    """Scores, levels and places of one school's pupils; another school's pupils are never looked at."""

    def __init__(self, exam: Exam, school: int) -> None:
        """`school`: code in `exam.units.schools`."""
        self.exam, self.school = exam, school
        self.people = People(exam)
        self.positions = np.flatnonzero(exam.units.schools.of_pupil == school)
        # monitoring: levels only; other exams show a school its own marks, so that teachers can teach from them
        self.shows_scores = not exam.gate.schools_by_level
        self.shows_ranks = self.shows_scores and not exam.gate.no_pupil_ranks_in_school
        self._cuts = {name: _level_cuts(exam, name) for name in exam.papers}
        paper = exam.papers[exam.main]
        # places among all who have a score: zeros put for absence take no place, and B5 cuts nobody's place off
        here = scored(paper)
        classes, schools = exam.units.classes, exam.units.schools
        counts = ScoreHistogram.build(paper.values, classes.of_pupil, len(classes), here, paper.step)
        self.class_ranks = pupil_ranks(counts, paper.values, classes.of_pupil, here)
        whole = counts.merge(exam.units.class_to("school"), len(schools))
        self.school_ranks = pupil_ranks(whole, paper.values, schools.of_pupil, here)

    def classes(self) -> list[tuple[str, list[int]]]:
        """Class name and its pupils in the order of the files."""
        codes = self.exam.units.classes.of_pupil[self.positions]
        return [
            (self.exam.units.classes.names[code], [int(p) for p in self.positions[codes == code]])
            for code in np.unique(codes)
        ]

    def class_tables(self) -> list[Table]:
        """A sheet a class: pupils with scores or levels of every subject and, where allowed, place in class and school."""
        return [self._class_table(name, pupils) for name, pupils in self.classes()]

    def _class_table(self, name: str, pupils: list[int]) -> Table:
        columns = [cells.word("pupil_id", "学号或考号"), cells.word("name", "姓名")]
        for paper in self.exam.papers:
            if self.shows_scores:
                digits = self.exam.digits(paper)
                columns.append(TableColumn(f"{paper}.score", "分数", Kind.NUMBER, digits, unit="分", group=paper))
            columns.append(cells.word(f"{paper}.level", "等级", "levels", group=paper))
        if self.shows_ranks:
            columns += [
                TableColumn("class_rank", "班内名次", Kind.RANK, 0, definition="rank"),
                TableColumn("school_rank", "校内名次", Kind.RANK, 0, definition="rank"),
            ]
        rows = [tuple(self._row(pupil)) for pupil in pupils]
        return Table(f"class.{name}", f"{name}成绩", tuple(columns), tuple(rows), sheet=name, wide=True)

    def _row(self, pupil: int) -> list[Value]:
        row: list[Value] = [*self.people.cells(pupil)[-2:]]
        for name, paper in self.exam.papers.items():
            if self.shows_scores:
                row.append(score_cell(paper, pupil))
            row.append(self.level(name, pupil) or STATE_WORDS[int(paper.states[pupil])])
        if self.shows_ranks:
            row += [cells.cell(int(rank) or None) for rank in (self.class_ranks[pupil], self.school_ranks[pupil])]
        return row

    def level(self, name: str, pupil: int) -> str:
        """The level of a pupil's score in a paper; empty without a score."""
        paper = self.exam.papers[name]
        if int(paper.states[pupil]) != 0:
            return ""
        mark = paper.step * int(paper.values[pupil])
        for level, cut in self._cuts[name]:
            if cut is not None and mark >= cut:
                return level
        return self._cuts[name][-1][0]

    def slips(self) -> list[tuple[str, list[Slip]]]:
        """A strip a pupil, by class: levels only where the rules ask for levels."""
        by_level = self.exam.gate.level_only
        made = []
        for name, pupils in self.classes():
            made.append((name, [self._slip(name, pupil, by_level) for pupil in pupils]))
        return made

    def _slip(self, class_name: str, pupil: int, by_level: bool) -> Slip:
        number, name = self.people.cells(pupil)[-2:]
        pairs = []
        for paper_name, paper in self.exam.papers.items():
            word = STATE_WORDS[int(paper.states[pupil])]
            value = self.level(paper_name, pupil) if by_level else self._mark(paper_name, pupil)
            pairs.append((paper_name, word or value))
        if self.shows_ranks and not by_level and self.class_ranks[pupil]:
            pairs += [("班内名次", str(self.class_ranks[pupil])), ("校内名次", str(self.school_ranks[pupil]))]
        school = self.exam.units.schools.names[self.school]
        return Slip(f"{school}　{class_name}　{name}　{number}", tuple(pairs))

    def _mark(self, name: str, pupil: int) -> str:
        paper = self.exam.papers[name]
        column = TableColumn("", "", Kind.NUMBER, self.exam.digits(name))
        return printed(paper.step * int(paper.values[pupil]), column).text


def _level_cuts(exam: Exam, name: str) -> tuple[tuple[str, Fraction | None], ...]:
    levels = levels_of(exam, name, exam.scores(name, "county").county)
    return tuple(zip(levels.names, levels.cuts, strict=True))
