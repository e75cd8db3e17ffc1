"""Lists of pupils for the bureau only: who is meant by the counts of the report. No county rank stands in any of them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache

import numpy as np

from jiaoheng.documents.model import Kind, Missing, Table, TableColumn, Value
from jiaoheng.exams.analysis import cells
from jiaoheng.exams.analysis.groups import Groups
from jiaoheng.exams.analysis.line_counts import NamedLine, marks_of, named_lines
from jiaoheng.exams.analysis.measure import Exam
from jiaoheng.exams.analysis.movement_chapter import Moved
from jiaoheng.exams.analysis.papers import TOTAL, Paper
from jiaoheng.methods.histogram import Mask
from jiaoheng.methods.uneven import Uneven, drag_subjects

STATE_WORDS = {
    0: "",
    1: "空白",
    2: "缺考",
    3: "免考",
    4: "违纪",
    5: "未选",
    6: "缓考",
    7: "离校",
    8: "未确认",
    9: "有误",
}


def pupil_columns(exam: Exam) -> list[TableColumn]:
    """Who a pupil is: school, class, number, name."""
    columns = []
    if "district" in exam.units.known:
        columns.append(cells.word("district", "学区"))
    if "school" in exam.units.known:
        columns.append(cells.word("school", "学校"))
    if "class" in exam.units.known:
        columns.append(cells.word("class", "班级"))
    return [*columns, cells.word("pupil_id", "学号或考号"), cells.word("name", "姓名")]


class People:
    """The identifying cells of pupils, looked up by position."""

    def __init__(self, exam: Exam) -> None:
        """Take the columns once."""
        pupils = exam.roster.pupils
        names = [column.key for column in pupil_columns(exam)]
        number = (
            pupils["pupil_id"].to_list()
            if "exam_no" not in pupils.columns
            else [
                own or other
                for own, other in zip(pupils["pupil_id"].to_list(), pupils["exam_no"].to_list(), strict=True)
            ]
        )
        self._columns = [number if name == "pupil_id" else pupils[name].to_list() for name in names]

    def cells(self, pupil: int) -> list[Value]:
        """One pupil's identifying cells; empty where the files do not say."""
        return [column[pupil] or "" for column in self._columns]


def score_cell(paper: Paper, pupil: int) -> Value:
    """The pupil's score, or — with the state."""
    state = int(paper.states[pupil])
    if state:
        return Missing(STATE_WORDS[state])
    return _marks(int(paper.values[pupil]), paper.step.numerator, paper.step.denominator)


@cache
def _marks(steps: int, numerator: int, denominator: int) -> Fraction:
    """A score of so many steps; pupils with the same score share one number."""
    return Fraction(steps * numerator, denominator)


def ordered(exam: Exam, pupils: Mask) -> list[int]:
    """Positions of a mask in the order of school, class, then the order of the files: never by score over schools."""
    positions = np.flatnonzero(pupils)
    return [int(p) for p in positions[np.argsort(exam.units.classes.of_pupil[positions], kind="stable")]]


def bureau_lists(exam: Exam, groups: Groups, moved: Moved | None) -> list[Table]:
    """Near-line, struggling, top, uneven, single-digit and, with a prior exam, conversion and movement lists."""
    people = People(exam)
    made = [
        *_near_lines(exam, people),
        _by_total(exam, people, groups.struggling, "struggling", "学困生"),
        _by_total(exam, people, groups.top, "top", "尖子生"),
        _uneven(exam, people, groups),
        _single(exam, people, groups),
    ]
    if moved is not None:
        made += _moved(exam, people, groups, moved)
    return [table for table in made if table is not None and table.rows]


def _subject_columns(exam: Exam) -> list[TableColumn]:
    return [
        TableColumn(name, name, Kind.NUMBER, exam.digits(name), unit="分", group="各科成绩") for name in exam.subjects
    ]


def _table(
    exam: Exam,
    key: str,
    title: str,
    extra: Sequence[TableColumn],
    rows: Sequence[Sequence[Value]],
    note: str = "",
) -> Table:
    return Table(
        f"list.{key}",
        title,
        (*pupil_columns(exam), *extra),
        tuple(tuple(row) for row in rows),
        note=note,
        sheet=title,
        wide=True,
    )


def _near_lines(exam: Exam, people: People) -> list[Table]:
    tables = []
    chosen = exam.settings.lines
    for line in named_lines(exam):
        total = exam.papers[TOTAL]
        under, over = line.within(marks_of(total), chosen.near_below, chosen.near_above)
        digits = max(exam.digits(TOTAL), *(1 if (one.line.mark * 10).denominator == 1 else 2 for one in line.tracks))
        mark_of = np.full(total.values.size, np.nan, dtype=object)
        for one in line.tracks:
            mark_of[one.pupils] = one.line.mark
        extra = [
            cells.word("side", "位置"),
            TableColumn("total", "总分", Kind.NUMBER, digits, unit="分"),
            TableColumn("gap", "与线之差", Kind.SIGNED, digits, unit="分"),
            cells.word("weak", "低于有效分的学科", width=18),
            *_subject_columns(exam),
        ]
        rows: list[list[Value]] = []
        for pupil in ordered(exam, under | over):
            own = total.step * int(total.values[pupil])
            weak = [
                name
                for one in line.tracks
                if one.pupils[pupil]
                for name, effective in one.effective.items()
                if effective is not None and _below(exam.papers[name], pupil, effective)
            ]
            rows.append(
                [
                    *people.cells(pupil),
                    "线下" if under[pupil] else "线上",
                    own,
                    own - mark_of[pupil],
                    "、".join(weak),
                    *(score_cell(exam.papers[name], pupil) for name in exam.subjects),
                ]
            )
        tables.append(_table(exam, f"near.{line.name}", f"临界生-{line.name}", extra, rows))
    return tables


def _below(paper: Paper, pupil: int, mark: Fraction) -> bool:
    return int(paper.states[pupil]) == 0 and paper.step * int(paper.values[pupil]) < mark


def _by_total(exam: Exam, people: People, mask: Mask, key: str, title: str) -> Table:
    paper = exam.papers[exam.main]
    extra = [TableColumn("total", exam.main, Kind.NUMBER, exam.digits(exam.main), unit="分"), *_subject_columns(exam)]
    rows = [
        [
            *people.cells(pupil),
            score_cell(paper, pupil),
            *(score_cell(exam.papers[name], pupil) for name in exam.subjects),
        ]
        for pupil in ordered(exam, mask)
    ]
    note = "名单按学校、班级排列，不按分数排列；本名单锁定后用于计算转化，不得增删" if key == "struggling" else ""
    return _table(exam, key, title, extra, rows, note)


def _uneven(exam: Exam, people: People, groups: Groups) -> Table | None:
    """偏科; where lines were drawn only 拖腿科: uneven, below the subject's line, total at or near the line."""
    if groups.uneven is None:
        return None
    lines = named_lines(exam)
    chosen = groups.uneven.subjects
    note = "有几科偏弱的，成绩和差距列最弱的一科"
    if lines:
        chosen = np.logical_or.reduce([_drags(exam, groups.uneven, line) for line in lines])
        note += "；只列总分上线或临界、该科低于有效分的（拖腿科）"
    gaps = np.where(chosen, groups.uneven.behind, -np.inf)
    weakest = gaps.argmax(axis=1)
    extra = [
        cells.word("subject", "偏弱学科"),
        cells.marks("score", "该科成绩", digits=max(exam.digits(name) for name in exam.subjects)),
        cells.number("behind", "低于其余各科（标准分）", digits=2),
        TableColumn("total", exam.main, Kind.NUMBER, exam.digits(exam.main), unit="分"),
    ]
    rows: list[list[Value]] = []
    for pupil in ordered(exam, np.asarray(chosen.any(axis=1))):
        worst = int(weakest[pupil])
        weak = [name for j, name in enumerate(exam.subjects) if chosen[pupil, j]]
        rows.append(
            [
                *people.cells(pupil),
                "、".join(weak),
                score_cell(exam.papers[exam.subjects[worst]], pupil),
                float(groups.uneven.behind[pupil, worst]),
                score_cell(exam.papers[exam.main], pupil),
            ]
        )
    return _table(exam, "uneven", "偏科" if not lines else "拖腿科", extra, rows, note)


def _drags(exam: Exam, uneven: Uneven, line: NamedLine) -> Mask:
    """(pupils, subjects) that drag a pupil at this line."""
    total, chosen = marks_of(exam.papers[TOTAL]), exam.settings.lines
    under, over = line.within(total, chosen.near_below, chosen.near_above)
    reached = np.zeros(uneven.subjects.shape, np.bool_)
    for one in line.tracks:
        for j, name in enumerate(exam.subjects):
            effective = one.effective[name]
            if effective is not None:
                reached[:, j] |= marks_of(exam.papers[name]).reaches(effective) & one.pupils
    return drag_subjects(uneven, line.reached(total), reached, under | over)


def _single(exam: Exam, people: People, groups: Groups) -> Table:
    digits = max(exam.digits(name) for name in exam.subjects)
    extra = [cells.word("subject", "学科"), cells.marks("score", "成绩", digits=digits)]
    rows: list[list[Value]] = []
    for pupil in ordered(exam, np.asarray(groups.single_digit.any(axis=1))):
        for j, name in enumerate(exam.subjects):
            if groups.single_digit[pupil, j]:
                rows.append([*people.cells(pupil), name, score_cell(exam.papers[name], pupil)])
    return _table(exam, "single_digit", "单科个位数", extra, rows)


def _moved(exam: Exam, people: People, groups: Groups, moved: Moved) -> list[Table]:
    here = moved.pupils.now_counted
    points = [
        TableColumn("before", "前次标准分", Kind.SIGNED, 2),
        TableColumn("now", "本次标准分", Kind.SIGNED, 2),
        TableColumn("change", "百分等级变化", Kind.SIGNED, 1, unit="个百分点"),
    ]  # a percentile among all the county's pupils is a county rank: only its change is shown

    def row(pupil: int) -> list[Value]:
        before, now = moved.pupils.before.z[pupil], moved.pupils.now.z[pupil]
        change = moved.pupils.percentile_change[pupil]
        absent = Missing("本次没有成绩")
        return [
            float(before) if not np.isnan(before) else Missing("前次没有成绩"),
            float(now) if not np.isnan(now) else absent,
            float(change) if not np.isnan(change) else absent,
        ]

    def became(pupil: int) -> str:
        if not here[pupil]:
            return "本次没有成绩"
        return "仍是学困生" if groups.struggling[pupil] else "已转化"

    outcome = [[*people.cells(p), became(p), *row(p)] for p in ordered(exam, moved.was_struggling)]
    swings = [[*people.cells(p), *row(p)] for p in ordered(exam, moved.unsteady)]
    return [
        _table(exam, "conversion", "前次学困生去向", [cells.word("became", "本次"), *points], outcome),
        _table(exam, "unsteady", "起伏大", points, swings),
    ]
