"""Which sheets are the exam, which the prior exam, which are not used, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

import numpy as np

from jiaoheng import packs
from jiaoheng.exams.settings import ExamSettings
from jiaoheng.exams.settings_places import unknown_places
from jiaoheng.sheets.places import Choice, Place, Problem, Question, Severity
from jiaoheng.sheets.reading_model import PupilBlock, Role, ScoreColumn, SheetKind, SheetReading
from jiaoheng.sheets.workbook import SourceFile

EXAM_ANSWER = "exam"  # settings accept › exam: the exam's name where a sheet holds several
USE, IGNORE, PRIOR = "采用", "忽略", "前次考试"
_USED = (SheetKind.SCORES, SheetKind.ITEMS, SheetKind.PUPILS, SheetKind.BLUEPRINT)
_KIND_WORDS = {SheetKind.AGGREGATE: "是统计结果，不是学生成绩", SheetKind.OTHER: "看不出学生成绩"}


@dataclass(frozen=True, slots=True)
class Selection:
    """The sheets of this exam and of the prior one (scores, items, lists, blueprints), in the order given."""

    main: tuple[SheetReading, ...]
    prior: tuple[SheetReading, ...]
    problems: tuple[Problem, ...]
    questions: tuple[Question, ...]


def sheet_answer(place: Place, answers: Mapping[str, str]) -> str | None:
    """The settings' word for a sheet: under its own key `file|sheet`, else under its file's key `file|`."""
    return answers.get(place.sheet_key, answers.get(Place(place.file).sheet_key, answers.get(place.file)))


def select(readings: Sequence[SheetReading], files: Sequence[SourceFile], settings: ExamSettings) -> Selection:
    """Sort the readings by use. A file given twice (same bytes) counts once; what is not used is listed."""
    problems = unknown_places(readings, files, settings)
    twice = _same_bytes(files, problems)
    main: list[SheetReading] = []
    prior: list[SheetReading] = []
    usable = any(reading.kind in (SheetKind.SCORES, SheetKind.ITEMS) for reading in readings)
    for reading in readings:
        place = Place(reading.sheet.file, reading.sheet.name)
        if place.file in twice:
            continue
        answer = sheet_answer(place, settings.sheets)
        if answer == IGNORE:
            problems.append(_note("sheet-ignored", place, "这张表按设置不采用"))
        elif reading.kind in _KIND_WORDS and answer != USE:
            problems += _not_used(reading, place, usable)
        elif reading.kind in _USED:
            (prior if answer == PRIOR or _is_prior(place, settings) else main).append(reading)
    chosen, questions = _one_grade(main, settings, problems)
    chosen, more = _one_exam(chosen, settings, problems)
    return Selection(tuple(chosen), tuple(prior), tuple(problems), (*questions, *more))


def _not_used(reading: SheetReading, place: Place, usable: bool) -> list[Problem]:
    """Why a sheet is not used: in its own words where it has some. Beside sheets of scores it is no more than a note."""
    if not reading.problems:
        return [_note("sheet-not-used", place, f"这张表{_KIND_WORDS[reading.kind]}，没有采用")]
    return [
        replace(problem, severity=Severity.NOTE, message=f"{problem.message}；这张表没有采用")
        if usable and problem.severity is Severity.WARNING
        else problem
        for problem in reading.problems
    ]


def _note(code: str, place: Place, message: str) -> Problem:
    return Problem(code, Severity.NOTE, place, message)


def _same_bytes(files: Sequence[SourceFile], problems: list[Problem]) -> set[str]:
    """Labels of files that were given before under another name."""
    first: dict[str, str] = {}
    twice: set[str] = set()
    for file in files:
        if not file.size or any(problem.code == "file-skipped" for problem in file.problems):
            continue
        known = first.setdefault(file.sha256, file.label)
        if known != file.label:
            twice.add(file.label)
            problems.append(_note("same-file", Place(file.label), f"“{file.label}”与“{known}”内容完全相同，只读入一次"))
    return twice


def _is_prior(place: Place, settings: ExamSettings) -> bool:
    if place.sheet_key in settings.prior.sheets:
        return True
    names = {name for given in settings.prior.files for name in (given, PurePath(given).name)}
    return place.file in names or PurePath(place.file).name in names


def _one_grade(
    readings: Sequence[SheetReading], settings: ExamSettings, problems: list[Problem]
) -> tuple[list[SheetReading], list[Question]]:
    """An exam is of one grade: other grades in the files are asked, and left out where the settings name the grade."""
    grades = {number: _grades(reading) for number, reading in enumerate(readings)}
    found = sorted({grade for names in grades.values() for grade in names}, key=_grade_number)
    if len(found) < 2:
        return list(readings), []
    if settings.grade is None:
        places = tuple(Place(r.sheet.file, r.sheet.name) for n, r in enumerate(readings) if grades[n])
        question = Question(
            "several-grades",
            ("grade",),
            places[0],
            f"文件中有{'、'.join(found)}的学生，而一份报告只分析一个年级的一次考试，请选择年级",
            tuple(Choice(grade, f"只分析{grade}") for grade in found),
            None,
            True,
            places,
        )
        return list(readings), [question]
    kept: list[SheetReading] = []
    for number, reading in enumerate(readings):
        names = grades[number]
        if not names or names == {settings.grade}:
            kept.append(reading)
            continue
        place = Place(reading.sheet.file, reading.sheet.name)
        if settings.grade in names and reading.pupils is not None:
            part = _only_rows(reading, reading.pupils, Role.GRADE, settings.grade)
            kept.append(part)
            left_out = len(reading.pupils.rows) - (len(part.pupils.rows) if part.pupils else 0)
            message = f"这张表中有 {left_out} 名学生不是{settings.grade}的，没有采用"
        else:
            message = f"这张表是{'、'.join(sorted(names))}的，不是{settings.grade}，没有采用"
        problems.append(Problem("other-grade", Severity.WARNING, place, message, "如果年级写错了，请改正"))
    return kept, []


def _one_exam(
    readings: Sequence[SheetReading], settings: ExamSettings, problems: list[Problem]
) -> tuple[list[SheetReading], list[Question]]:
    """A sheet whose exam column names several exams (an export of a database) holds only one that is reported."""
    chosen = settings.accept.get(EXAM_ANSWER)
    kept: list[SheetReading] = []
    questions: list[Question] = []
    for reading in readings:
        names = exam_names(reading)
        if len(names) < 2 or reading.pupils is None:
            kept.append(reading)
            continue
        place = Place(reading.sheet.file, reading.sheet.name)
        if chosen in names:
            part = _only_rows(reading, reading.pupils, Role.EXAM, chosen)
            kept.append(part)
            problems.append(_note("other-exam", place, f"这张表中只采用考试“{chosen}”的行"))
            continue
        kept.append(reading)
        questions.append(
            Question(
                "several-exams",
                ("accept", EXAM_ANSWER),
                place,
                f"这张表中有 {len(names)} 次考试的成绩：{'、'.join(names)}，请选择本次分析哪一次",
                tuple(Choice(name, f"只分析“{name}”") for name in names),
                None,
                True,
                (place,),
            )
        )
    return kept, questions


def exam_names(reading: SheetReading) -> tuple[str, ...]:
    """The different words of a score sheet's exam column, in order of appearance."""
    if reading.kind is not SheetKind.SCORES or reading.pupils is None:
        return ()
    return tuple(dict.fromkeys(text for text in reading.pupils.texts.get(Role.EXAM) or () if text))


def _grade_number(grade: str) -> int:
    return int(packs.load("grades")["grades"][grade]["number"])


def _grades(reading: SheetReading) -> set[str]:
    """The canonical grades that a score sheet speaks of."""
    if reading.kind not in (SheetKind.SCORES, SheetKind.PUPILS):
        return set()
    known = packs.load("grades")["grades"]
    texts = reading.pupils.texts.get(Role.GRADE) if reading.pupils else None
    names = {text for text in texts or () if text}
    if not names and reading.declared.grade is not None:
        names = {reading.declared.grade}
    return {name for name in names if name in known}


def _only_rows(reading: SheetReading, block: PupilBlock, role: Role, value: str) -> SheetReading:
    """The sheet with the rows alone whose text of `role` is `value` or empty."""
    mask = np.array([text in (value, None) for text in block.texts[role]], np.bool_)
    where = [int(i) for i in np.flatnonzero(mask)]
    new_position = {old: new for new, old in enumerate(where)}

    def cut(column: ScoreColumn) -> ScoreColumn:
        return ScoreColumn(
            column.column,
            column.values[mask],
            column.states[mask],
            {new_position[i]: v for i, v in column.make_up.items() if i in new_position},
            {new_position[i]: v for i, v in column.marks.items() if i in new_position},
        )

    return replace(
        reading,
        pupils=PupilBlock(
            block.rows[mask],
            {role: [values[i] for i in where] for role, values in block.texts.items()},
            tuple(cut(column) for column in block.scores),
            tuple(cut(column) for column in block.declared),
            block.long,
        ),
    )
