"""From understood sheets to the exam's roster: selection, joining, checks, totals, items, prior exam."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import polars as pl

from jiaoheng import packs
from jiaoheng.exams import checks, item_scores
from jiaoheng.exams.declared_ranks import check_means, check_ranks
from jiaoheng.exams.electives import explain_blanks
from jiaoheng.exams.enrolment import check_enrolment
from jiaoheng.exams.gathering import Gathered, gather, only_grade
from jiaoheng.exams.identity import identify
from jiaoheng.exams.joining import Joined, join
from jiaoheng.exams.observations import observe, same_subjects, subject_names
from jiaoheng.exams.prior import prior_exam, pupil_keys
from jiaoheng.exams.question_merge import merged_questions
from jiaoheng.exams.repeats import different_exams, double_columns, places_asked, report_repeats
from jiaoheng.exams.resolved import ResolvedSettings
from jiaoheng.exams.roster_model import ItemScores, PriorExam, Roster, Subject, SubjectScores
from jiaoheng.exams.roster_subjects import (
    Findings,
    Scores,
    blank_errors,
    choose_measures,
    counts_in_total,
    folds,
    full_marks,
)
from jiaoheng.exams.roster_totals import check_partial_totals, file_total, roster_total, settle_total
from jiaoheng.exams.schools import canonical_schools
from jiaoheng.exams.selection import Selection, select
from jiaoheng.exams.settings import ExamSettings
from jiaoheng.exams.steps import smallest_step, to_steps
from jiaoheng.exams.totals import TotalPolicy
from jiaoheng.sheets.places import Place, Problem, Question, Severity
from jiaoheng.sheets.reading_model import MILLI, ScoreState, SheetKind, SheetReading
from jiaoheng.sheets.workbook import SourceFile

PUPIL_COLUMNS = {
    "pupil_id": pl.String,
    "name": pl.String,
    "id_kind": pl.String,
    "district": pl.String,
    "school": pl.String,
    "class": pl.String,
    "track": pl.String,
    "combination": pl.String,
    "status": pl.String,
    "sex": pl.String,
    "grade": pl.String,
    "exam_no": pl.String,
    "key": pl.String,  # the pupil's key in questions and settings
    "file": pl.String,
    "sheet": pl.String,
    "row": pl.Int64,
}


@dataclass(slots=True)
class _Joining:
    """One exam's sheets, gathered and joined."""

    gathered: Gathered
    joined: Joined


def assemble(
    readings: Sequence[SheetReading],
    files: Sequence[SourceFile],
    settings: ExamSettings,
    *,
    resolved: ResolvedSettings | None = None,
    policy: TotalPolicy | None = None,
) -> Roster:
    """Join all sheets to one row a pupil, check them, and compute the totals.

    `settings`: what people declared, with their answers. `resolved`: the same after defaults were taken; gives full
    marks, places in the total and policies that nobody declared. `policy` overrides the policy of totals.

    All or nothing: where any error was found, or it is not known which sheet is the exam, the roster carries the
    problems and questions but no pupil and no score. An open question with a default is treated as answered by it,
    so that the caller may go on where defaults are wanted. Problems and questions of the files and of the sheets that
    are used are included.
    """
    found = Findings()
    selection = select(readings, files, settings)
    _collect(selection, files, settings, found)
    used = _used_files(files, selection)
    if any(problem.code == "no-scores" for problem in found.problems):
        return _withheld(found, used)
    schools, school_questions = canonical_schools((*selection.main, *selection.prior), settings.schools)
    found.questions += school_questions
    grade = settings.grade or (resolved.grade if resolved is not None else None) or only_grade(selection.main)
    exam = _joining(selection.main, schools, grade, settings, found)
    if exam is None:
        return _withheld(found, used)
    exams = different_exams(exam.gathered, exam.joined, settings.sheets)
    if exams:
        found.questions += exams
        return _withheld(found, used)
    _check_joining(exam, settings, school_questions, found)
    roster = _roster(exam, selection, schools, grade, settings, resolved, policy, used, found)
    if any(problem.severity is Severity.ERROR for problem in found.problems):
        return _withheld(found, used)
    return roster


def _collect(selection: Selection, files: Sequence[SourceFile], settings: ExamSettings, found: Findings) -> None:
    for file in files:
        found.problems += file.problems
    for reading in (*selection.main, *selection.prior):
        found.problems += reading.problems
        found.questions += reading.questions
    found.problems += selection.problems
    found.questions += selection.questions
    unread = not selection.main and any(problem.severity is Severity.ERROR for problem in found.problems)
    if not unread and not any(reading.kind in (SheetKind.SCORES, SheetKind.ITEMS) for reading in selection.main):
        message = "没有找到学生成绩：没有一张工作表有姓名或号码列和成绩列"
        remedy = "请核对是否选错了文件，或把有成绩的表写成了“忽略”“前次考试”"
        first = Place(files[0].label if len(files) == 1 else "所选文件")
        found.problems.append(Problem("no-scores", Severity.ERROR, first, message, remedy))


def _used_files(files: Sequence[SourceFile], selection: Selection) -> tuple[Mapping[str, str], ...]:
    labels = {reading.sheet.file for reading in (*selection.main, *selection.prior)}
    return tuple(
        {"label": f.label, "sha256": f.sha256, "size": str(f.size), "format": f.true_format}
        for f in files
        if any(sheet.file in labels for sheet in f.sheets)  # sheets of an annotated copy keep their origin's name
    )


def _withheld(found: Findings, files: tuple[Mapping[str, str], ...]) -> Roster:
    """A roster that carries what was found and releases no number."""
    empty = pl.DataFrame(schema=PUPIL_COLUMNS)
    return Roster(empty, (), {}, None, {}, None, tuple(found.problems), merged_questions(found.questions), files)


def _joining(
    readings: Sequence[SheetReading],
    schools: Mapping[str, str],
    grade: str | None,
    settings: ExamSettings,
    found: Findings,
    renamed: Mapping[str, str] | None = None,
) -> _Joining | None:
    """Gather, identify and join one exam; None where no row is a pupil. `renamed`: subject names to replace."""
    alike = {**same_subjects(readings), **(renamed or {})}
    present = subject_names(readings)
    names = {name: kept for name, kept in alike.items() if name in present}
    gathered = gather(readings, schools, grade, names)
    for name, kept in names.items():
        sheet = next(r.sheet for r in readings if name in subject_names([r]))
        message = f"“{name}”与“{kept}”按同一科处理，统一为“{kept}”"
        found.problems.append(Problem("same-subject", Severity.NOTE, Place(sheet.file, sheet.name), message))
    identified = identify(gathered, settings.people, settings.accept)
    found.problems += identified.problems
    found.questions += identified.questions
    joined = join(gathered, identified, settings.people)
    if joined.pupils.height:
        return _Joining(gathered, joined)
    if not any(problem.severity is Severity.ERROR for problem in found.problems):
        place = gathered.sheet_place(0) if readings else Place()
        message = "没有一行是学生：表头下面没有成绩行"
        found.problems.append(Problem("no-pupils", Severity.ERROR, place, message, "请检查文件是否填写"))
    return None


def _check_joining(exam: _Joining, settings: ExamSettings, schools: Sequence[Question], found: Findings) -> None:
    held = frozenset(choice.value for question in schools for choice in question.choices)
    found.problems += report_repeats(exam.gathered, exam.joined)
    questions, problems = double_columns(exam.gathered, settings.columns)
    found.questions += questions
    found.problems += problems
    found.questions += places_asked(exam.gathered, exam.joined, settings.people, held)
    found.problems += check_enrolment(exam.gathered, exam.joined)


def _roster(
    exam: _Joining,
    selection: Selection,
    schools: Mapping[str, str],
    grade: str | None,
    settings: ExamSettings,
    resolved: ResolvedSettings | None,
    policy: TotalPolicy | None,
    files: tuple[Mapping[str, str], ...],
    found: Findings,
) -> Roster:
    gathered, joined = exam.gathered, exam.joined
    rules = policy or _policy(settings, resolved)
    raw = choose_measures(gathered, joined, settings, resolved, found)
    fulls = full_marks(raw, observe(selection.main), settings, resolved, found)
    items = _items(exam, selection, raw, fulls, settings, found)
    explained = explain_blanks(
        joined.pupils, {name: own.states for name, own in raw.items()}, settings.marks, gathered.sheet_place(0)
    )
    found.questions += explained.questions
    for name, states in explained.states.items():
        raw[name].states = states
    if rules.blank == "报错":
        found.problems += blank_errors(gathered, raw, joined.pupils["row"].to_numpy())
    asked = {question.key for question in found.questions}
    known = {name: full for name, full in fulls.items() if ("subjects", name, "full") not in asked}
    found.problems += checks.check_range(gathered, known)
    steps = {name: Fraction(s.step) for name, s in settings.subjects.items() if s.step is not None}
    found.problems += checks.check_steps(gathered, steps)
    found.problems += checks.check_shifted(gathered)
    factors = folds(selection.main, fulls, settings, found)
    subjects = [_subject(name, own, fulls[name], factors[name], settings, resolved) for name, own in raw.items()]
    subjects, from_file = settle_total(gathered, joined, subjects, raw, settings, found)
    scores = {s.name: _in_steps(gathered, joined, s, raw[s.name]) for s in subjects}
    total = roster_total(gathered, joined.position, subjects, scores, rules, from_file, settings, found)
    found.problems += check_partial_totals(gathered, joined.position, raw, {s.name: s.fold for s in subjects})
    stated = file_total(gathered, joined.position, total)
    found.problems += check_ranks(gathered, joined.position, joined.pupils, scores, total, stated)
    found.problems += check_means(selection.main)
    usual = packs.load("exam_defaults")["pupils"]["single_digit_below"]
    below = resolved.pupils.single_digit_below if resolved else settings.pupils.single_digit_below or usual
    found.problems += checks.check_subjects(gathered, joined.position, scores, Fraction(below))
    found.problems += checks.check_missing_subjects(
        gathered, joined.pupils, {name: own.states for name, own in scores.items()}
    )
    prior = _prior(exam, selection, schools, grade, settings, {s.name: s for s in subjects}, rules, found)
    pupils = _pupil_table(gathered, joined, settings)
    return Roster(
        pupils,
        tuple(subjects),
        scores,
        total,
        items,
        prior,
        tuple(found.problems),
        merged_questions(found.questions),
        files,
    )


def _policy(settings: ExamSettings, resolved: ResolvedSettings | None) -> TotalPolicy:
    if resolved is None:
        return TotalPolicy.of(settings)
    missing = resolved.missing
    return TotalPolicy(
        "计零" if missing.absent == "计零" else "不计",
        "不计" if missing.cheated == "不计" else "计零",
        "报错" if missing.blank == "报错" else "按缺考" if missing.blank == "按缺考" else "不计",
        "缺科计零" if missing.total == "缺科计零" else "缺科不计总分",
    )


def _items(
    exam: _Joining,
    selection: Selection,
    raw: dict[str, Scores],
    fulls: dict[str, int],
    settings: ExamSettings,
    found: Findings,
) -> Mapping[str, ItemScores]:
    """Item scores; a subject that has items and no score column takes the sum of its items as its score."""
    size = exam.joined.pupils.height
    blueprints = item_scores.only_blueprints(selection.main)
    known = {name: settings.subjects[name].full for name in settings.subjects}
    for name, full in known.items():
        if full is not None:
            fulls.setdefault(name, int(Fraction(full) * MILLI))
    result = item_scores.join_items(exam.gathered, exam.joined.position, size, blueprints, fulls, settings.accept)
    found.problems += result.problems
    found.questions += result.questions
    found.problems += item_scores.check_sums(
        result,
        {name: own.values for name, own in raw.items()},
        {name: own.states for name, own in raw.items()},
        exam.joined.pupils["name"].to_list(),
    )
    for name, sums in result.sums.items():
        if name not in raw:
            state = np.where(sums >= 0, ScoreState.SCORED, ScoreState.MISSING).astype(np.uint8)
            raw[name] = Scores(np.maximum(sums, 0), state, np.full(size, -1, np.int64))
            fulls.setdefault(name, int(sum(result.items[name].full, Fraction(0)) * MILLI))
            message = f"{name}没有成绩列，成绩取各小题得分之和，满分取各小题满分之和"
            found.problems.append(Problem("score-from-items", Severity.NOTE, result.places[name], message))
    return result.items


def _subject(
    name: str,
    own: Scores,
    full: int,
    fold: Fraction,
    settings: ExamSettings,
    resolved: ResolvedSettings | None,
) -> Subject:
    scored = own.values[own.states == ScoreState.SCORED]
    step = smallest_step(scored)
    in_total = counts_in_total(name, settings, resolved)
    return Subject(name, Fraction(full, MILLI), step, fold, in_total, own.scaled)


def _in_steps(gathered: Gathered, joined: Joined, subject: Subject, own: Scores) -> SubjectScores:
    make_up: dict[int, int] = {}
    if subject.name in gathered.subjects:
        number = gathered.subjects.index(subject.name)
        unit = subject.step * MILLI
        for (row, of), score in gathered.make_up.items():
            pupil = int(joined.position[row])
            if of == number and pupil >= 0 and (score / unit).denominator == 1:
                make_up[pupil] = int(score / unit)
    values = np.where(own.states == ScoreState.SCORED, own.values, 0)
    return SubjectScores(subject, to_steps(values, subject.step), own.states, make_up)


def _prior(
    exam: _Joining,
    selection: Selection,
    schools: Mapping[str, str],
    grade: str | None,
    settings: ExamSettings,
    subjects: Mapping[str, Subject],
    policy: TotalPolicy,
    found: Findings,
) -> PriorExam | None:
    if not selection.prior:
        return None
    before = _joining(selection.prior, schools, grade, settings, found, _names_of_now(subjects))
    if before is None:
        return None
    found.problems += report_repeats(before.gathered, before.joined)
    scores = choose_measures(before.gathered, before.joined, settings, None, found)
    explained = explain_blanks(
        before.joined.pupils,
        {name: own.states for name, own in scores.items()},
        settings.marks,
        before.gathered.sheet_place(0),
    )
    for name, states in explained.states.items():
        scores[name].states = states
    declared = next((r.declared.exam_name for r in selection.prior if r.declared.exam_name), None)
    now = pupil_keys(exam.gathered, exam.joined)
    return prior_exam(
        settings.prior.name or declared or "前次考试",
        now,
        before.gathered,
        before.joined,
        scores,
        subjects,
        policy,
        settings,
        found,
    )


def _names_of_now(subjects: Mapping[str, Subject]) -> dict[str, str]:
    """Names that the prior exam may use for a subject of this one (英语 for 外语), as name → name of now."""
    renamed = {}
    for name, entry in packs.load("subjects")["subjects"].items():
        other = entry.get("same_as")
        if other and (name in subjects) != (other in subjects):
            renamed.update({other: name} if name in subjects else {name: other})
    return renamed


def _pupil_table(gathered: Gathered, joined: Joined, settings: ExamSettings) -> pl.DataFrame:
    files = [reading.sheet.file for reading in gathered.readings]
    sheets = [reading.sheet.name for reading in gathered.readings]
    district = pl.col("district")
    if settings.districts:
        district = pl.col("school").replace_strict(
            settings.districts, default=pl.col("district"), return_dtype=pl.String
        )
    return joined.pupils.with_columns(
        district.alias("district"),
        pl.Series("file", [files[i] for i in joined.pupils["sheet"]], pl.String),
        pl.Series("sheet_name", [sheets[i] for i in joined.pupils["sheet"]], pl.String),
        (pl.col("line") + 1).alias("row"),
    ).select(*(pl.col("sheet_name").alias("sheet") if name == "sheet" else pl.col(name) for name in PUPIL_COLUMNS))


__all__ = ["PUPIL_COLUMNS", "assemble", "observe"]
