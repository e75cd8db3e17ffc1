"""The sample's files as a careful office would send them: one workbook per school, one sheet per class."""

from __future__ import annotations

import csv
from pathlib import Path

from jiaoheng.exams.sample_county import County
from jiaoheng.exams.sample_exam import SampleExam, SampleItems
from jiaoheng.exams.sample_grid import Cell, Grid, write_workbook
from jiaoheng.exams.sample_rows import PupilRow, SchoolRows, mark
from jiaoheng.sheets.reading_model import ScoreState

STATE_WORDS = {ScoreState.ABSENT: "缺考", ScoreState.CHEATED: "违纪", ScoreState.NOT_CHOSEN: "未选"}
SCORES, ITEMS, PRIOR = "成绩", "小题分", "前次考试"  # folders
BLUEPRINT = "双向细目表.xlsx"


def usual_class(grade: str, number: int) -> str:
    """九(1)班, 高三(1)班."""
    return f"{grade.removesuffix('年级')}({number})班"


def usual_cell(value: int | float | ScoreState) -> Cell:
    """A mark or the usual word for its absence."""
    return STATE_WORDS[value] if isinstance(value, ScoreState) else value


def write_school(folder: Path, school: SchoolRows) -> Path:
    """The workbook of one school: a sheet per class with a full-mark row under the header."""
    path = folder / f"{school.name}.xlsx"
    grids = []
    for number, pupils in school.classes.items():
        label = usual_class(school.grade, number)
        grid = Grid(label, freeze=1)
        tracks = ("选科类别", "选科组合") if pupils[0].track else ()
        grid.add("学号", "考号", "姓名", "性别", "学校", "班级", *tracks, *school.full, "总分")
        whole = sum(school.full.values()) if not tracks else 750
        grid.add("满分", None, None, None, None, None, *(None for _ in tracks), *school.full.values(), whole)
        for row in pupils:
            grid.add(*_usual_row(school, label, row))
        grids.append(grid)
    write_workbook(path, grids)
    return path


def _usual_row(school: SchoolRows, label: str, row: PupilRow) -> list[Cell]:
    tracks = [row.track, row.combination] if row.track else []
    marks = [usual_cell(row.marks[name]) for name in school.full]
    return [row.student_number, row.exam_number, row.name, row.sex, school.name, label, *tracks, *marks, row.total]


def write_items(folder: Path, county: County, items: SampleItems) -> Path:
    """The marking system's item scores of one subject for the whole county; pupils without the subject are left out."""
    path = folder / f"{items.subject}小题分.csv"
    labels = [usual_class(str(county.exam["grade"]), int(number)) for number in county.klass]
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\r\n")
        writer.writerow(["学号", "考号", "姓名", "学校", "班级", *(f"第{number}题" for number in items.numbers)])
        writer.writerow(["满分", "", "", "", "", *items.full])
        for pupil, values in enumerate(items.values.tolist()):
            if values[0] < 0:
                continue
            school = county.schools[county.school[pupil]]
            number, exam_number = county.student_numbers[pupil], county.exam_numbers[pupil]
            writer.writerow([number, exam_number, county.names[pupil], school, labels[pupil], *values])
    return path


def write_blueprint(folder: Path, exam: SampleExam) -> Path:
    """The item blueprints, one sheet per subject."""
    grids = []
    for subject, items in exam.items.items():
        grid = Grid(f"{subject}双向细目表", freeze=1)
        grid.add("学科", "题号", "题型", "分值", "知识点", "能力层次")
        for at, number in enumerate(items.numbers):
            line = (items.types[at], items.full[at], items.knowledge[at], items.ability[at])
            grid.add(subject, f"第{number}题", *line)
        grids.append(grid)
    path = folder / BLUEPRINT
    write_workbook(path, grids)
    return path


def write_prior(folder: Path, county: County, exam: SampleExam) -> Path:
    """The exam before, for the whole county in one text file; joined by the student number."""
    path = folder / str(county.exam["prior_file"])
    names = list(exam.prior)
    label = [usual_class(str(county.exam["grade"]), int(number)) for number in county.klass]
    columns = {name: subject.values.tolist() for name, subject in exam.prior.items()}
    states = {name: subject.states.tolist() for name, subject in exam.prior.items()}
    left = {name: subject.values.tolist() for name, subject in exam.left_prior.items()}
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\r\n")
        writer.writerow(["学号", "姓名", "学校", "班级", *names])
        writer.writerow(["满分", "", "", "", *(exam.prior[name].full for name in names)])
        for pupil in range(county.pupils):
            if exam.joined[pupil]:
                continue
            marks = [
                mark(columns[name][pupil], exam.prior[name].step)
                if states[name][pupil] == ScoreState.SCORED
                else STATE_WORDS[ScoreState(states[name][pupil])]
                for name in names
            ]
            school = county.schools[county.school[pupil]]
            writer.writerow([county.student_numbers[pupil], county.names[pupil], school, label[pupil], *marks])
        digits = len(county.student_numbers[0]) - 7
        seats = [10**digits] * len(county.schools)
        for at, name in enumerate(exam.left_names):
            school_at = int(exam.left_school[at])
            seats[school_at] -= 1  # counted down from the end: numbers that no pupil of today has
            number = f"2023{school_at + 1:03d}{seats[school_at]}"
            klass = usual_class(str(county.exam["grade"]), 1)
            row = [left[subject][at] for subject in names]
            writer.writerow([number, name, county.schools[school_at], klass, *row])
    return path
