"""Scores that cannot be right or look wrong, each with its cell."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import polars as pl

from jiaoheng import packs
from jiaoheng.exams.gathering import MEASURES, Gathered, Index
from jiaoheng.exams.repeats import listed
from jiaoheng.exams.roster_model import SubjectScores
from jiaoheng.exams.steps import meant_step, plain, plain_fraction
from jiaoheng.sheets.places import Place, Problem, Severity
from jiaoheng.sheets.reading_model import MILLI, Measure, ScoreState

States = npt.NDArray[np.uint8]


def check_range(gathered: Gathered, fulls: Mapping[str, int]) -> list[Problem]:
    """An error for each score above its subject's full mark (thousandths; without one: skipped) or below 0."""
    cells = gathered.cells
    scored = cells.state == ScoreState.SCORED
    limit = np.array([fulls.get(name, np.iinfo(np.int64).max) for name in gathered.subjects] or [0], np.int64)
    above = np.flatnonzero(scored & (cells.value > limit[cells.subject]))
    below = np.flatnonzero(scored & (cells.value < 0))
    problems = [
        Problem(
            "score-above-full",
            Severity.ERROR,
            gathered.place(int(cells.row[i]), int(cells.column[i])),
            f"{_subject(gathered, i)}成绩 {plain(int(cells.value[i]))} 超过满分 {plain(int(limit[cells.subject[i]]))}",
            "请改正，或在考试设置中修改满分",
        )
        for i in above[: _most() + 1]
    ]
    problems = _counted(problems, int(above.size), "成绩超过满分")
    negative = [
        Problem(
            "score-negative",
            Severity.ERROR,
            gathered.place(int(cells.row[i]), int(cells.column[i])),
            f"{_subject(gathered, i)}成绩 {plain(int(cells.value[i]))} 是负数，成绩不能小于 0",
            "请改正；缺考请写“缺考”",
        )
        for i in below[: _most() + 1]
    ]
    return [*problems, *_counted(negative, int(below.size), "成绩是负数")]


def _subject(gathered: Gathered, cell: np.int64 | int) -> str:
    return gathered.subjects[int(gathered.cells.subject[cell])]


def _most() -> int:
    return int(packs.load("joining")["listing"]["most"])


def _counted(problems: list[Problem], number: int, what: str) -> list[Problem]:
    """Single entries up to the limit, then one with the number of the rest."""
    if number <= _most():
        return problems
    last = problems[_most()]
    place = Place(last.place.file, last.place.sheet)
    rest = Problem(last.code, last.severity, place, f"另有 {number - _most()} 处{what}", last.remedy)
    return [*problems[: _most()], rest]


def check_steps(gathered: Gathered, steps: Mapping[str, Fraction]) -> list[Problem]:
    """A warning for each score off its subject's step: the declared one, else the one that nearly all keep to."""
    cells = gathered.cells
    problems: list[Problem] = []
    for number, name in enumerate(gathered.subjects):
        own = np.flatnonzero(
            (cells.subject == number)
            & (cells.state == ScoreState.SCORED)
            & (cells.measure == MEASURES.index(Measure.RAW))
        )
        step = steps.get(name) or meant_step(cells.value[own])
        if step is None or (step * MILLI).denominator != 1:
            continue
        unit = int(step * MILLI)
        off = own[cells.value[own] % unit != 0]
        words = f"不是 {plain_fraction(step)} 分的整数倍"
        found = [
            Problem(
                "score-off-step",
                Severity.WARNING,
                gathered.place(int(cells.row[i]), int(cells.column[i])),
                f"{name}成绩 {plain(int(cells.value[i]))} {words}",
                "请核对是否录错；如无误，可在考试设置中写明该科的最小计分单位",
            )
            for i in off[: _most() + 1]
        ]
        problems += _counted(found, int(off.size), f"{name}成绩{words}")
    return problems


def check_subjects(
    gathered: Gathered, position: Index, scores: Mapping[str, SubjectScores], below: Fraction
) -> list[Problem]:
    """Doubtful subjects: no score at all, all zero, best score far below full; and how many scores are single digits.

    `below`: scores under so many marks are counted as 单科个位数 (a hint, not an error).
    """
    rules = packs.load("joining")["range"]
    problems: list[Problem] = []
    for number, name in enumerate(gathered.subjects):
        if name not in scores:
            continue
        own = scores[name]
        place = _subject_place(gathered, number)
        scored = own.values[own.states == ScoreState.SCORED]
        if not scored.size and (own.states == ScoreState.INVALID).any():
            continue  # each cell was told
        if not scored.size:
            problems.append(
                Problem("subject-empty", Severity.WARNING, place, f"{name}没有一个成绩", "如果没有考这一科，请删除该列")
            )
            continue
        best = int(scored.max()) * own.subject.step
        if best == 0:
            message = f"{name}的 {scored.size} 个成绩都是 0"
            problems.append(
                Problem("subject-zero", Severity.WARNING, place, message, "如果还没有录入，请补上成绩或清空该列")
            )
        elif scored.size >= int(rules["least"]) and best < Fraction(rules["low_top"]) * own.subject.full:
            message = f"{name}的最高分只有 {plain_fraction(best)}，远低于满分 {plain_fraction(own.subject.full)}"
            problems.append(
                Problem("full-doubtful", Severity.WARNING, place, message, "请核对该科满分，或成绩是否错列")
            )
        scaled = scored.astype(np.int64) * (own.subject.step.numerator * below.denominator)
        low = int((scaled < below.numerator * own.subject.step.denominator).sum())
        if low and best > below:
            message = f"{name}有 {low} 个成绩不到 {plain_fraction(below)} 分"
            problems.append(Problem("single-digit", Severity.NOTE, place, message))
    return problems


def _subject_place(gathered: Gathered, subject: int) -> Place:
    """The column that first gives a subject."""
    which = np.flatnonzero(gathered.cells.subject == subject)
    if not which.size:
        return Place()
    first = int(which[0])
    sheet = gathered.sheet_place(int(gathered.rows["sheet"][int(gathered.cells.row[first])]))
    return Place(sheet.file, sheet.sheet, 0, int(gathered.cells.column[first]) + 1)


def check_shifted(gathered: Gathered) -> list[Problem]:
    """A sheet's column whose best score is far below that of the same subject in the other sheets: shifted columns?"""
    rules = packs.load("joining")["range"]
    cells = gathered.cells
    scored = np.flatnonzero(cells.state == ScoreState.SCORED)
    if not scored.size:
        return []
    sheets = gathered.rows["sheet"].to_numpy()[cells.row[scored]].astype(np.int64)
    width = len(gathered.subjects)
    codes, where = np.unique(sheets * width + cells.subject[scored], return_inverse=True)
    best = np.zeros(codes.size, np.int64)
    np.maximum.at(best, where, cells.value[scored])
    sizes = np.bincount(where, minlength=codes.size)
    usual_of = np.array(
        [np.median(best[codes % width == n]) if (codes % width == n).any() else 0 for n in range(width)]
    )
    low = np.flatnonzero(best < usual_of[codes % width] * float(Fraction(rules["shifted"])))
    problems = []
    for i, code in zip(low, codes[low], strict=True):
        sheet, subject = divmod(int(code), width)
        others = best[(codes % width == subject) & (np.arange(codes.size) != i)]
        if others.size < 2 or sizes[i] < int(rules["shifted_least"]):
            continue
        usual = int(np.median(others))
        if Fraction(int(best[i])) >= Fraction(rules["shifted"]) * usual:
            continue
        place = gathered.sheet_place(sheet)
        message = (
            f"这张表的{gathered.subjects[subject]}最高分只有 {plain(int(best[i]))}，"
            f"其他表一般有 {plain(usual)}，可能是列错位"
        )
        problems.append(Problem("column-shifted", Severity.WARNING, place, message, "请核对这一列的表头与成绩是否对应"))
    return listed(problems, "列可能错位")


def check_missing_subjects(gathered: Gathered, pupils: pl.DataFrame, states: Mapping[str, States]) -> list[Problem]:
    """A warning for each school that has no score of a subject which other schools have."""
    kinds, first, where = np.unique(pupils["school"].fill_null("").to_list(), return_index=True, return_inverse=True)
    problems: list[Problem] = []
    if len(kinds) < 2:
        return []
    for subject, state in states.items():
        known = ~np.isin(state, (ScoreState.MISSING, ScoreState.NOT_CHOSEN))
        if not known.any():
            continue
        counts = np.bincount(where[known], minlength=len(kinds))
        lacking = [i for i in range(len(kinds)) if kinds[i] and not counts[i]]
        problems += [
            Problem(
                "school-without-subject",
                Severity.WARNING,
                gathered.sheet_place(int(pupils["sheet"][int(first[i])])),
                f"{kinds[i]}没有{subject}的成绩",
                "如果漏报，请补交；如果没有考，这些学生的该科按空白处理",
            )
            for i in lacking
        ]
    return listed(problems, "学校缺少学科成绩")
