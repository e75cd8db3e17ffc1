"""The total of the roster: what the files mean by it, what is asked about it, and where they are wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from jiaoheng import packs
from jiaoheng.exams import declared_totals as dt
from jiaoheng.exams.gathering import Gathered, Index
from jiaoheng.exams.joining import Joined
from jiaoheng.exams.repeats import listed
from jiaoheng.exams.roster_model import Subject, SubjectScores
from jiaoheng.exams.roster_subjects import Findings, Scores
from jiaoheng.exams.settings import ExamSettings, SubjectSettings
from jiaoheng.exams.steps import plain, smallest_step, to_steps
from jiaoheng.exams.totals import TOTAL, TotalPolicy, total_scores
from jiaoheng.sheets.places import Place, Problem, Question, Severity
from jiaoheng.sheets.reading_model import MILLI, Role, ScoreState


def settle_total(
    gathered: Gathered,
    joined: Joined,
    subjects: Sequence[Subject],
    scores: Mapping[str, Scores],
    settings: ExamSettings,
    found: Findings,
) -> tuple[list[Subject], bool]:
    """Subjects with `in_total` and `fold` as the total means them, and whether the files' own totals are taken.

    The answer in the settings holds; subjects that the settings put in or out of the total are not asked about.
    """
    declared = dt.declared_totals(gathered, joined.position)
    sums = _sums(scores)
    contradicted = joined.repeats.other[joined.repeats.differs]
    sums.comparable[joined.position[gathered.cells.row[contradicted]]] = False
    usual = {subject.name: subject.fold for subject in subjects if subject.in_total}
    answer = settings.accept.get(dt.ANSWER)
    if answer == dt.FILE:
        return list(subjects), True
    if answer is not None and answer != dt.ALL:
        return _answered(subjects, answer, found), False
    if not declared.value.size or not usual or gathered.doubled:  # which column counts must be known first
        return list(subjects), False
    own = dt.measure_of(declared, sums, usual)
    said = any(s.in_total is not None or s.fold is not None for s in settings.subjects.values())
    meaning = None
    if answer is None and not said and own.of and own.share < Fraction(packs.load("joining")["totals"]["meant_share"]):
        stated = {subject.name: subject.fold for subject in subjects}
        meaning = dt.find_meaning(declared, sums, stated) or _unfolded(declared, sums, stated)
        better = meaning is not None and meaning.matches > own.matches
        if better or 2 * own.matches < own.of:
            found.questions.append(dt.total_question(gathered, declared, own, meaning if better else None))
            if meaning is not None and better:
                return _with_folds(subjects, meaning.folds, found, gathered, declared, sums), False
            return list(subjects), False
    _warn_totals(gathered, declared, sums, usual, found)
    return list(subjects), False


def _unfolded(declared: dt.DeclaredTotals, sums: dt.Sums, folds: Mapping[str, Fraction]) -> dt.Meaning | None:
    """The search again with every score as it stands, where the files state folds that their totals do not use."""
    if all(fold == 1 for fold in folds.values()):
        return None
    return dt.find_meaning(declared, sums, dict.fromkeys(folds, Fraction(1)))


def _sums(scores: Mapping[str, Scores]) -> dt.Sums:
    bad = [np.isin(own.states, (ScoreState.UNRESOLVED, ScoreState.INVALID)) for own in scores.values()]
    size = len(next(iter(scores.values())).states) if scores else 0
    broken = np.any(bad, axis=0) if bad else np.zeros(size, np.bool_)
    return dt.Sums({name: own.values for name, own in scores.items()}, ~broken)


def _answered(subjects: Sequence[Subject], answer: str, found: Findings) -> list[Subject]:
    try:
        folds = dt.read_meaning(answer)
    except (ValueError, ZeroDivisionError):
        folds = {}
    if any(fold <= 0 for fold in folds.values()):
        folds = {}
    unknown = [name for name in folds if name not in {subject.name for subject in subjects}]
    if unknown or not folds:
        words = f"，没有{'、'.join(unknown)}这一科" if unknown else ""
        message = f"设置中总分的算法“{answer}”看不懂{words}"
        remedy = f"请写成“{'+'.join(subject.name for subject in subjects)}”的形式，或写“{dt.ALL}”“{dt.FILE}”"
        found.problems.append(Problem("total-answer", Severity.ERROR, Place("考试设置"), message, remedy))
        return list(subjects)
    return [replace(s, in_total=s.name in folds, fold=folds.get(s.name, s.fold)) for s in subjects]


def _with_folds(
    subjects: Sequence[Subject],
    folds: Mapping[str, Fraction],
    found: Findings,
    gathered: Gathered,
    declared: dt.DeclaredTotals,
    sums: dt.Sums,
) -> list[Subject]:
    _warn_totals(gathered, declared, sums, folds, found)
    return [replace(s, in_total=s.name in folds, fold=folds.get(s.name, s.fold)) for s in subjects]


def _warn_totals(
    gathered: Gathered, declared: dt.DeclaredTotals, sums: dt.Sums, folds: Mapping[str, Fraction], found: Findings
) -> None:
    problems = [
        Problem(
            "total-differs",
            Severity.WARNING,
            gathered.place(int(declared.row[i]), int(declared.column[i])),
            message,
            "报告采用各科之和；请核对是总分还是某科成绩有误",
        )
        for i, message in dt.mismatches(gathered, declared, sums, folds)
    ]
    found.problems += listed(problems, "总分与各科之和不一致")


def check_partial_totals(
    gathered: Gathered, position: Index, scores: Mapping[str, Scores], folds: Mapping[str, Fraction]
) -> list[Problem]:
    """Totals of some subjects (主三门总分): which subjects they add, and the cells where they do not."""
    sums = _sums(scores)
    names = dict.fromkeys(
        c.column.total_of for c in gathered.declared if c.column.role is Role.TOTAL and c.column.total_of is not None
    )
    problems: list[Problem] = []
    for name in names:
        declared = dt.declared_totals(gathered, position, name)
        meaning = dt.find_meaning(declared, sums, folds)
        if meaning is None or meaning.matches == meaning.of:
            continue
        wrong = [
            Problem(
                "partial-total-differs",
                Severity.WARNING,
                gathered.place(int(declared.row[i]), int(declared.column[i])),
                message.replace(TOTAL, f"“{name}”", 1),
                f"这一列一般等于 {meaning.text()}，请核对",
            )
            for i, message in dt.mismatches(gathered, declared, sums, meaning.folds)
        ]
        problems += listed(wrong, f"“{name}”与各科之和不一致")
    return problems


def roster_total(
    gathered: Gathered,
    position: Index,
    subjects: Sequence[Subject],
    scores: Mapping[str, SubjectScores],
    policy: TotalPolicy,
    from_file: bool,
    settings: ExamSettings,
    found: Findings,
) -> SubjectScores | None:
    """The computed total, or the files' own where that was answered or the files hold no subject scores."""
    declared = dt.declared_totals(gathered, position)
    computed = total_scores(subjects, scores, policy)
    if not (from_file or not subjects) or not declared.value.size:
        return computed
    full = computed.subject.full if computed is not None else _only_total_full(gathered, declared, settings, found)
    return file_total(gathered, position, computed, full)


def file_total(
    gathered: Gathered, position: Index, computed: SubjectScores | None, full: Fraction | None = None
) -> SubjectScores | None:
    """The totals as the files state them; pupils without one keep the state of the computed total. None: no totals."""
    declared = dt.declared_totals(gathered, position)
    if not declared.value.size:
        return None
    size = int(position.max(initial=-1)) + 1
    values = np.zeros(size, np.int64)
    known = np.zeros(size, np.bool_)
    values[declared.pupil[::-1]], known[declared.pupil] = declared.value[::-1], True  # the first statement holds
    other = computed.states if computed is not None else np.full(size, ScoreState.MISSING, np.uint8)
    blank = np.where(other == ScoreState.SCORED, np.uint8(ScoreState.MISSING), other).astype(np.uint8)
    states = np.where(known, np.uint8(ScoreState.SCORED), blank).astype(np.uint8)
    step = smallest_step(values[known])
    own_full = full if full is not None else Fraction(int(values.max()), MILLI)
    return SubjectScores(Subject(TOTAL, own_full, step), to_steps(values, step), states)


def _only_total_full(
    gathered: Gathered, declared: dt.DeclaredTotals, settings: ExamSettings, found: Findings
) -> Fraction:
    said = settings.subjects.get(TOTAL, SubjectSettings()).full
    if said is not None:
        return Fraction(said)
    best = int(declared.value.max())
    place = gathered.place(int(declared.row[0]), int(declared.column[0]))
    text = f"文件中只有总分，没有写满分（最高 {plain(best)}），总分的满分是多少"
    found.questions.append(
        Question("full-mark-unknown", ("subjects", TOTAL, "full"), place, text, (), None, True, (place,))
    )
    return Fraction(max(best, MILLI), MILLI)
