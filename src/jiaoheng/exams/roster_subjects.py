"""Which scores of a subject count, its full mark, its fold: from settings, else from what the files state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from jiaoheng import packs
from jiaoheng.exams import declared_totals as dt
from jiaoheng.exams.gathering import Gathered, Index
from jiaoheng.exams.joining import Joined
from jiaoheng.exams.observations import SubjectObservation
from jiaoheng.exams.resolved import ResolvedSettings
from jiaoheng.exams.settings import ExamSettings, SubjectSettings
from jiaoheng.exams.steps import plain, plain_fraction
from jiaoheng.sheets.places import Choice, Place, Problem, Question, Severity
from jiaoheng.sheets.reading_model import MILLI, Measure, ScoreState, SheetReading

YES, NO = "是", "否"


@dataclass(slots=True)
class Scores:
    """One subject's scores of all pupils in thousandths, with states and the cells they come from (−1: none)."""

    values: Index
    states: npt.NDArray[np.uint8]
    cell: Index
    scaled: bool = False


@dataclass(slots=True)
class Findings:
    """Problems and questions while a roster is put together."""

    problems: list[Problem] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)


def choose_measures(
    gathered: Gathered, joined: Joined, settings: ExamSettings, resolved: ResolvedSettings | None, found: Findings
) -> dict[str, Scores]:
    """For each subject its raw or scaled scores; where the files give both and nobody said which, it is asked."""
    chosen: dict[str, Scores] = {}
    in_total = _scaled_in_total(gathered, joined)
    for number, name in enumerate(gathered.subjects):
        raw, scaled = (joined.scores.get((number, measure)) for measure in (Measure.RAW, Measure.SCALED))
        said = settings.subjects.get(name, SubjectSettings()).scaled
        if raw is not None and scaled is not None and said is None:
            _ask_measure(gathered, name, int(scaled.cell.max()), in_total, found)
        use_scaled = scaled is not None and (raw is None or (in_total if said is None else said))
        matrix = scaled if use_scaled else raw
        if matrix is None:
            continue
        declared_scaled = said if said is not None else use_scaled
        if resolved is not None and name in resolved.subjects and raw is None:
            declared_scaled = resolved.subjects[name].scaled
        chosen[name] = Scores(matrix.values.copy(), matrix.states.copy(), matrix.cell.copy(), bool(declared_scaled))
    return chosen


def _scaled_in_total(gathered: Gathered, joined: Joined) -> bool:
    """Whether the totals in the files are sums of the scaled scores and not of the raw ones."""
    declared = dt.declared_totals(gathered, joined.position)
    sums: dict[Measure, dict[str, Index]] = {Measure.RAW: {}, Measure.SCALED: {}}
    for measure, other in ((Measure.RAW, Measure.SCALED), (Measure.SCALED, Measure.RAW)):
        for number, name in enumerate(gathered.subjects):
            matrix = joined.scores.get((number, measure), joined.scores.get((number, other)))
            if matrix is not None:
                sums[measure][name] = matrix.values
    if not declared.value.size or not sums[Measure.RAW]:
        return False
    everybody = np.ones(joined.pupils.height, np.bool_)
    meant = Fraction(packs.load("joining")["totals"]["meant_share"])
    raw, scaled = (
        dt.measure_of(declared, dt.Sums(values, everybody), dict.fromkeys(values, Fraction(1))).share
        for values in sums.values()
    )
    return scaled >= meant > raw


def _ask_measure(gathered: Gathered, name: str, cell: int, in_total: bool, found: Findings) -> None:
    place = gathered.place(int(gathered.cells.row[cell]), int(gathered.cells.column[cell])) if cell >= 0 else Place()
    column = Place(place.file, place.sheet, 0, place.column)
    choices = (Choice(YES, "采用赋分"), Choice(NO, "采用原始分"))
    why = "；文件的总分加的是赋分" if in_total else ""
    text = f"{name}既有原始分又有赋分（赋分在 {column.cell}{why}），本次分析采用哪一种"
    default = YES if in_total else NO
    found.questions.append(
        Question("raw-or-scaled", ("subjects", name, "scaled"), column, text, choices, default, True, (column,))
    )


def full_marks(
    scores: Mapping[str, Scores],
    observed: Mapping[str, SubjectObservation],
    settings: ExamSettings,
    resolved: ResolvedSettings | None,
    found: Findings,
) -> dict[str, int]:
    """Full marks in thousandths. Without resolved settings, what neither settings nor files say is asked.

    An unknown full mark is provisionally the best score, so that the rest can still be checked.
    """
    fulls: dict[str, int] = {}
    for name, own in scores.items():
        said = settings.subjects.get(name, SubjectSettings()).full
        if said is not None:
            fulls[name] = int(Fraction(said) * MILLI)
        elif resolved is not None and name in resolved.subjects:
            fulls[name] = int(resolved.subjects[name].full * MILLI)
        else:
            fulls[name] = _full_from_files(name, own, observed.get(name), found)
        if fulls[name] <= 0:
            place = observed[name].places[0] if name in observed and observed[name].places else Place()
            message = f"{name}的满分是 {plain(fulls[name])}，满分必须大于 0"
            found.problems.append(Problem("full-mark-zero", Severity.ERROR, place, message, "请改正满分"))
            fulls[name] = max(_best(own), MILLI)
    return fulls


def _best(own: Scores) -> int:
    return int(own.values.max()) if own.values.size else 0


def _full_from_files(name: str, own: Scores, seen: SubjectObservation | None, found: Findings) -> int:
    declared = dict(seen.declared_full) if seen else {}
    if len(declared) == 1:
        return next(iter(declared))
    places = tuple(place for group in declared.values() for place in group) or (seen.places if seen else ())
    if declared:
        text = f"{name}的满分在文件中有 {'、'.join(plain(mark) for mark in sorted(declared))} 几种，满分是多少"
        default = plain(max(declared, key=lambda mark: (len(declared[mark]), mark)))
    else:
        text, default = f"{name}没有写满分（最高分 {plain(_best(own))}），满分是多少", None
    choices = tuple(Choice(plain(mark), f"满分 {plain(mark)}") for mark in sorted(declared))
    place = places[0] if places else Place()
    found.questions.append(
        Question("full-mark-unknown", ("subjects", name, "full"), place, text, choices, default, True, tuple(places))
    )
    return max(declared, key=lambda mark: (len(declared[mark]), mark)) if declared else max(_best(own), MILLI)


def folds(
    readings: Sequence[SheetReading], fulls: Mapping[str, int], settings: ExamSettings, found: Findings
) -> dict[str, Fraction]:
    """Factor of each subject in the total: declared in the settings, else in a 折分 row, else 1.

    A number above `largest_fold` of the pack is the full mark after folding; that reading is asked.
    """
    stated: dict[str, dict[Fraction, Place]] = {}
    for reading in readings:
        for name, text in reading.declared.weights.items():
            try:
                weight = Fraction(text)
            except (ValueError, ZeroDivisionError):
                continue
            place = Place(reading.sheet.file, reading.sheet.name)
            stated.setdefault(name, {}).setdefault(weight, place)
    result = {}
    for name in fulls:
        said = settings.subjects.get(name, SubjectSettings()).fold
        if said is not None:
            result[name] = Fraction(said)
        else:
            result[name] = _stated_fold(name, stated.get(name, {}), fulls[name], found)
    return result


def _stated_fold(name: str, stated: Mapping[Fraction, Place], full: int, found: Findings) -> Fraction:
    good = {weight: place for weight, place in stated.items() if weight > 0}
    if not good:
        return Fraction(1)
    first = next(iter(good))
    place, key = good[first], ("subjects", name, "fold")
    if len(good) > 1:
        text = f"{name}的折分在文件中有 {'、'.join(plain_fraction(weight) for weight in good)} 几种，按哪一种折算"
        choices = tuple(Choice(plain_fraction(weight), f"折分 {plain_fraction(weight)}") for weight in good)
        found.questions.append(
            Question("fold-contradiction", key, place, text, choices, None, True, tuple(good.values()))
        )
    if first <= Fraction(packs.load("joining")["totals"]["largest_fold"]):
        return first
    factor = first * MILLI / full
    text = (
        f"{name}的折分写的是 {plain_fraction(first)}，像是折算后的满分（满分 {plain(full)}，"
        f"即每分折 {plain_fraction(factor)} 分），对吗。如不对，请写每分折算成几分"
    )
    choice = Choice(plain_fraction(factor), f"每分折 {plain_fraction(factor)} 分")
    if not any(question.key == key for question in found.questions):
        found.questions.append(Question("fold-as-full", key, place, text, (choice,), choice.value, True, (place,)))
    return factor


def counts_in_total(name: str, settings: ExamSettings, resolved: ResolvedSettings | None) -> bool:
    """Whether the subject counts in the grand total: declared, resolved, or usual (packs/subjects.yaml)."""
    said = settings.subjects.get(name, SubjectSettings()).in_total
    if said is not None:
        return said
    if resolved is not None and name in resolved.subjects:
        return resolved.subjects[name].in_total
    return bool(packs.load("subjects")["subjects"].get(name, {}).get("counts", True))


def blank_errors(gathered: Gathered, scores: Mapping[str, Scores], rows: Index) -> list[Problem]:
    """An error for each score that is empty without a reason (policy 空白报错). `rows`: each pupil's source row."""
    problems = []
    for name, own in scores.items():
        for i in np.flatnonzero(own.states == ScoreState.MISSING):
            cell = int(own.cell[i])
            row = int(gathered.cells.row[cell]) if cell >= 0 else int(rows[i])
            place = gathered.place(row, int(gathered.cells.column[cell]) if cell >= 0 else -1)
            problems.append(
                Problem("score-blank", Severity.ERROR, place, f"{name}成绩是空白", "请补上成绩，缺考请写“缺考”")
            )
    return problems
