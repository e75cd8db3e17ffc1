"""综合指数 of schools: the chosen family per subject, subjects joined by their weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from jiaoheng.documents.model import Kind, Missing, Table, TableColumn, Value
from jiaoheng.exams.analysis import cells
from jiaoheng.exams.analysis.measure import Exam
from jiaoheng.exams.analysis.score_tables import name_cells, name_columns
from jiaoheng.exams.analysis.unit_scores import UnitScores
from jiaoheng.exams.analysis.wording import named
from jiaoheng.methods.composite import Composite, against_county, against_highest, linear, rank_points
from jiaoheng.methods.ranks import competition_ranks
from jiaoheng.methods.rates import ScoreRates


@dataclass(frozen=True, slots=True)
class SchoolComposites:
    """Per subject the schools' composite, the joined value per school, its rank, and what had to be said."""

    subjects: Mapping[str, Composite]
    values: tuple[Fraction | None, ...]
    ranks: tuple[int | None, ...]
    reasons: tuple[str, ...]


def school_composites(exam: Exam) -> SchoolComposites:
    """The composite of every school over the subjects that count in the total.

    线性, 比最高, 比县均: weighted mean over subjects; 名次: weighted sum of points. A school without one of the subjects
    has none; a subject that nobody sat is left out. Raises WeightError where the declared weights do not fit the family.
    """
    names = [
        name for name in exam.subjects if name not in exam.settings.subjects or exam.settings.subjects[name].in_total
    ]
    names = [name for name in names or exam.subjects if exam.scores(name, "county").n[0]]
    by_subject = {name: _one(exam, exam.scores(name, "school"), exam.scores(name, "county")) for name in names}
    weights = {name: exam.papers[name].weight for name in names}
    total = sum(weights.values(), Fraction(0))
    schools = exam.scores(exam.main, "school")
    values: list[Fraction | None] = []
    for unit in range(len(schools.level)):
        parts = [(weights[name], composite.values[unit]) for name, composite in by_subject.items() if weights[name]]
        if not parts or not schools.rankable[unit] or any(value is None for _, value in parts):
            values.append(None)
            continue
        joined = sum((weight * value for weight, value in parts if value is not None), Fraction(0))
        values.append(joined if exam.settings.composite.family == "名次" else joined / total)
    reasons = tuple(f"{name}：{reason}" for name, composite in by_subject.items() for reason in composite.reasons)
    return SchoolComposites(by_subject, tuple(values), competition_ranks(values), reasons)


def _items(rates: ScoreRates) -> dict[str, tuple[Fraction | None, ...]]:
    return {
        "mean": rates.score_rate.fractions(),
        "excellent": rates.excellent.fractions(),
        "good": rates.good.fractions(),
        "pass": rates.passing.fractions(),
        "low": rates.low.fractions(),
    }


def _one(exam: Exam, schools: UnitScores, county: UnitScores) -> Composite:
    chosen = exam.settings.composite
    items = _items(schools.rates)
    if chosen.family == "名次":
        means = [mean if ok else None for mean, ok in zip(schools.means, schools.rankable, strict=True)]
        return rank_points(means, chosen.first, chosen.minus)
    if chosen.family == "比最高":
        rated = {name: _only(values, schools.rankable) for name, values in items.items()}
        return against_highest(rated, chosen.weights)
    if chosen.family == "比县均":
        return against_county(items, {name: values[0] for name, values in _items(county.rates).items()}, chosen.weights)
    return linear(items, chosen.weights)


def _only(values: tuple[Fraction | None, ...], keep: tuple[bool, ...]) -> tuple[Fraction | None, ...]:
    """A school of a handful of pupils must not set the highest value that all others are measured by."""
    return tuple(value if ok else None for value, ok in zip(values, keep, strict=True))


def composite_sentence(exam: Exam) -> str:
    """The schools of the first three ranks."""
    made = school_composites(exam)
    ranked = sorted(
        (rank, exam.units.schools.names[unit]) for unit, rank in enumerate(made.ranks) if rank is not None and rank <= 3
    )
    if not ranked:
        return "没有可计算综合指数的学校。"
    if len({rank for rank, _ in ranked}) == 1 and len(ranked) > 1:
        return f"{named([name for _, name in ranked], '所')}的综合指数同为第一。算法和权重见“口径与定义”。"
    words = "、".join(f"{name}（第 {rank}）" for rank, name in ranked[:6])
    return f"综合指数前列的学校：{words}。算法和权重见“口径与定义”。"


def composite_table(exam: Exam) -> Table:
    """Schools by composite, with every subject's share."""
    made = school_composites(exam)
    columns = [
        *name_columns("school", exam),
        *(TableColumn(name, name, Kind.NUMBER, 2, definition="composite", group="各学科") for name in made.subjects),
        TableColumn("composite", "综合指数", Kind.NUMBER, 2, definition="composite"),
        TableColumn("rank", "名次", Kind.RANK, 0, definition="rank"),
    ]
    schools = exam.units.schools
    order = sorted(
        (unit for unit in range(len(schools)) if exam.scores(exam.main, "school").enrolled[unit]),
        key=lambda unit: (made.ranks[unit] is None, made.ranks[unit] or 0, unit),
    )
    why = Missing("缺少某一学科的成绩，或人数不足 10")
    rows: list[tuple[Value, ...]] = [
        (
            *name_cells("school", exam, unit),
            *(cells.cell(composite.values[unit], why) for composite in made.subjects.values()),
            cells.cell(made.values[unit], why),
            cells.cell(made.ranks[unit], why),
        )
        for unit in order
    ]
    note = "；".join(made.reasons)
    return Table("school.composite", "各校综合指数", tuple(columns), tuple(rows), note=note, sheet="综合指数")
