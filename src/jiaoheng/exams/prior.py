"""The same pupils' earlier exam, aligned with the roster: by number, else by school, class and name."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import polars as pl

from jiaoheng.exams.declared_totals import declared_totals
from jiaoheng.exams.gathering import Gathered, Index
from jiaoheng.exams.joining import Joined
from jiaoheng.exams.roster_model import PriorExam, Subject, SubjectScores
from jiaoheng.exams.roster_subjects import Findings, Scores
from jiaoheng.exams.settings import ExamSettings
from jiaoheng.exams.steps import smallest_step, to_steps
from jiaoheng.exams.totals import TOTAL, TotalPolicy, total_scores
from jiaoheng.sheets.places import Choice, Place, Problem, Question, Severity
from jiaoheng.sheets.reading_model import MILLI, ScoreState

CLASS_CHANGE = "prior-class-change"  # settings accept › prior-class-change
MATCH, LEAVE = "对应", "不对应"
_NUMBERS = ("pupil_id", "id_card", "exam_no")


def align(now: pl.DataFrame, before: pl.DataFrame, across_classes: bool) -> Index:
    """For each pupil of `now` the row of `before` that is the same pupil, −1 where there is none.

    Columns: pupil_id, id_card, exam_no, school, class, name_key. Passes in order: each number (unique on both sides
    and not with another name), then school+class+name, then name where one side does not say the class, then —
    `across_classes` — school+name. Only unique matches count; a row is used once.
    """
    match = np.full(now.height, -1, np.int64)
    used = np.zeros(before.height, np.bool_)
    for number in _NUMBERS:
        _pass(now, before, [number], match, used, same_name=True)
    _pass(now, before, ["school", "class", "name_key"], match, used)
    for blank in (now, before):
        if blank["school"].null_count():
            _pass(now, before, ["class", "name_key"], match, used, unknown="school")
        if blank["class"].null_count():
            _pass(now, before, ["school", "name_key"], match, used, unknown="class")
    if across_classes:
        _pass(now, before, ["school", "name_key"], match, used)
    return match


def _pass(
    now: pl.DataFrame,
    before: pl.DataFrame,
    by: list[str],
    match: Index,
    used: npt.NDArray[np.bool_],
    same_name: bool = False,
    unknown: str | None = None,
) -> None:
    columns = list(dict.fromkeys([*by, "school", "class", "name_key"]))
    left = now.select(columns).with_row_index("now").with_columns(pl.Series("open", match < 0))
    right = before.select(columns).with_row_index("before").with_columns(pl.Series("open", ~used))
    need = [pl.col(c).is_not_null() for c in by if c != "school"]
    left = left.filter(*need).filter(pl.len().over(by) == 1).filter("open")
    right = right.filter(*need).filter(pl.len().over(by) == 1).filter("open")
    found = left.join(right, on=by, how="inner", nulls_equal=True, suffix="_before", coalesce=False)
    if unknown is not None:
        found = found.filter(pl.col(unknown).is_null() | pl.col(f"{unknown}_before").is_null())
    if same_name:
        first, second = pl.col("name_key"), pl.col("name_key_before")
        found = found.filter(first.is_null() | second.is_null() | (first == second))
    match[found["now"].to_numpy()] = found["before"].to_numpy()
    used[found["before"].to_numpy()] = True


def pupil_keys(gathered: Gathered, joined: Joined) -> pl.DataFrame:
    """One row a pupil in roster order with every number and text that can identify."""
    columns = ("pupil_id", "id_card", "exam_no", "school", "class", "name_key")
    table = gathered.rows.select(*columns).with_columns(pl.Series("pupil", joined.position))
    return (
        table.filter(pl.col("pupil") >= 0)
        .group_by("pupil")
        .agg(pl.col(c).drop_nulls().first() for c in columns)
        .sort("pupil")
        .drop("pupil")
        .with_columns(joined.pupils["school"], joined.pupils["class"])
    )


def prior_exam(
    name: str,
    now: pl.DataFrame,
    gathered: Gathered,
    joined: Joined,
    scores: Mapping[str, Scores],
    subjects: Mapping[str, Subject],
    policy: TotalPolicy,
    settings: ExamSettings,
    found: Findings,
) -> PriorExam:
    """Align the joined sheets of the prior exam with the roster's pupils (`now` from `pupil_keys`).

    `subjects`: the roster's subjects; full marks of the prior exam are its own where its sheets state them, else the
    roster's, raised to the best score where that is higher. The total follows the same policy; a prior file with
    totals only keeps those.
    """
    before = pupil_keys(gathered, joined)
    answer = settings.accept.get(CLASS_CHANGE)
    match = align(now, before, answer == MATCH)
    place = gathered.sheet_place(0)
    if answer is None:
        _ask_class_change(now, before, match, place, found)
    fulls = _fulls(gathered)
    aligned = {
        subject: _aligned(subject, own, match, subjects.get(subject), fulls.get(subject))
        for subject, own in scores.items()
    }
    own_subjects = [own.subject for own in aligned.values()]
    total = total_scores(own_subjects, aligned, policy)
    if total is None:
        total = _declared_total(gathered, joined, match)
    matched = match >= 0
    if 2 * int(matched.sum()) < min(now.height, before.height):
        message = f"前次考试的 {before.height} 名学生中只有 {int(matched.sum())} 名能与本次的 {now.height} 名学生对应"
        remedy = "请核对两次考试的学号或姓名、班级是否一致"
        found.problems.append(Problem("prior-unmatched", Severity.WARNING, place, message, remedy))
    return PriorExam(name, aligned, total, matched, before.height - int(matched.sum()))


def _ask_class_change(now: pl.DataFrame, before: pl.DataFrame, match: Index, place: Place, found: Findings) -> None:
    wider = align(now, before, True)
    more = int((wider >= 0).sum() - (match >= 0).sum())
    if not more:
        return
    text = f"有 {more} 名学生没有相同的号码，在两次考试中同校同名且没有重名，但班级不同（可能分过班）。是否按姓名对应"
    choices = (Choice(MATCH, "按学校和姓名对应"), Choice(LEAVE, "不对应，按没有前次成绩处理"))
    found.questions.append(
        Question("prior-class-change", ("accept", CLASS_CHANGE), place, text, choices, LEAVE, True, (place,))
    )


def _fulls(gathered: Gathered) -> dict[str, int]:
    fulls: dict[str, int] = {}
    for reading in gathered.readings:
        for name, full in reading.declared.full_marks.items():
            fulls.setdefault(name, full)
    return fulls


def _aligned(name: str, own: Scores, match: Index, now: Subject | None, declared: int | None) -> SubjectScores:
    known = match >= 0
    values = np.where(known, own.values[match], 0)
    states = np.where(known, own.states[match], np.uint8(ScoreState.MISSING)).astype(np.uint8)
    values[states != ScoreState.SCORED] = 0
    best = Fraction(int(own.values.max(initial=0)), MILLI)
    full = Fraction(declared, MILLI) if declared else max(now.full if now else Fraction(0), best)
    step = smallest_step(own.values)
    fold, in_total = (now.fold, now.in_total) if now else (Fraction(1), True)
    subject = Subject(name, full, step, fold, in_total, own.scaled)
    return SubjectScores(subject, to_steps(values, step), states)


def _declared_total(gathered: Gathered, joined: Joined, match: Index) -> SubjectScores | None:
    """The totals of a prior file that holds nothing else."""
    declared = declared_totals(gathered, joined.position)
    if not declared.value.size:
        return None
    values = np.zeros(joined.pupils.height, np.int64)
    known = np.zeros(joined.pupils.height, np.bool_)
    values[declared.pupil], known[declared.pupil] = declared.value, True
    states = np.where((match >= 0) & known[match], ScoreState.SCORED, ScoreState.MISSING).astype(np.uint8)
    step = smallest_step(values)
    steps = to_steps(np.where(states == ScoreState.SCORED, values[match], 0), step)
    full = Fraction(int(values.max(initial=0)), MILLI)
    return SubjectScores(Subject(TOTAL, full, step), steps, states)
