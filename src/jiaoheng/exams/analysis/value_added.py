"""Value-added of schools and classes between the prior exam and this one: a chapter of the exam report.

The model is that of standards §1.8 (4): the pupil's own priors, the mean prior of the school, school and class effects.
The school's mean takes up what an imperfect prior leaves of the intake, which would otherwise pass for effect.
The outcome is the main paper; the priors are the same pupils' subjects of the prior exam (or its total), each pupil by
what is known of it. One mixed model with pupils in classes in schools (`methods/mixed`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jiaoheng.documents import charts
from jiaoheng.documents.chart_parts import Caption
from jiaoheng.documents.model import (
    Block,
    Bullets,
    Chart,
    Interval,
    Kind,
    Missing,
    Note,
    Paragraph,
    Section,
    Table,
    TableColumn,
    Tone,
    Value,
)
from jiaoheng.exams.analysis import cells
from jiaoheng.exams.analysis.measure import Exam
from jiaoheng.exams.analysis.score_tables import name_cells, name_columns, without
from jiaoheng.exams.units import Codes
from jiaoheng.growth.settings import limit
from jiaoheng.growth.wording import NOT_ONE_TEACHER
from jiaoheng.methods.effects_errors import EffectsDataError
from jiaoheng.methods.effects_model import Effects, FixedEffect, FloatArray, Reading
from jiaoheng.methods.histogram import Mask
from jiaoheng.methods.judging.pairs import differences, with_pairwise
from jiaoheng.methods.mixed.explained import PUPIL, r_squared
from jiaoheng.methods.mixed.nested import NestedFit, fit_nested
from jiaoheng.methods.mixed.sums import sums_of_arrays
from jiaoheng.sheets.reading_model import ScoreState

SCHOOL, CLASS = "学校", "班级"
INTAKE = "学校生源平均"
_LEAST_SCHOOLS = 10  # fewer schools cannot tell what the intake counts for
_LEAST_SHARE = 0.5  # of the matched pupils must have a prior subject for it to be used


@dataclass(frozen=True, slots=True)
class ValueAdded:
    """The fit, the priors it uses, and what the schools' intake counts for."""

    nested: NestedFit
    priors: tuple[str, ...]
    matched: int
    explained: float
    intake: FixedEffect | None  # coefficient of the school's mean prior, per standard deviation of the pupils

    def effects(self, level: str) -> Effects | None:
        """The effects of a level; None where it could not be estimated."""
        found = next((one for one in self.nested.fit.effects if one.level == level), None)
        return with_pairwise(found) if found is not None else None

    def sentence(self) -> str:
        """How many units read above and below, for the page and the terminal."""
        parts = []
        for level, unit in ((SCHOOL, "所学校"), (CLASS, "个班级")):
            effects = self.effects(level)
            if effects is not None:
                words = effects.words
                above, below = words.count(Reading.ABOVE), words.count(Reading.BELOW)
                parts.append(f"{len(effects)} {unit}中高于预期 {above}、低于预期 {below}，其余看不出差别或样本不足")
        return "；".join(parts)


def find_value_added(exam: Exam) -> ValueAdded | None:
    """The model; None without a usable prior exam, or where the data cannot carry it (one class, too few pupils)."""
    priors = prior_columns(exam)
    if not priors or len(exam.units.classes) < 2:
        return None
    paper = exam.papers[exam.main]
    outcome = np.where(exam.people(exam.main), paper.values * float(paper.step), np.nan)
    groups: dict[str, Codes] = {}
    if len(exam.units.schools) > 1:
        groups[SCHOOL] = exam.units.schools.of_pupil
    if "class" in exam.units.known and len(exam.units.classes) > len(exam.units.schools):
        groups[CLASS] = exam.units.classes.of_pupil
    if not groups:
        return None
    least = {SCHOOL: float(limit("least_school")), CLASS: float(limit("least_class"))}
    columns = dict(priors)
    if SCHOOL in groups and len(exam.units.schools) >= _LEAST_SCHOOLS:
        columns[INTAKE] = _intake_means(priors, exam.units.schools.of_pupil, np.isfinite(outcome))
    try:
        some = list(priors) if len(priors) > 1 else ()
        sums = sums_of_arrays(outcome, columns, groups, outcome_name=exam.main, priors=some)
        nested = fit_nested(sums, least=least)
        explained = r_squared(nested)[PUPIL]
    except EffectsDataError:
        return None
    intake = next((one for one in nested.fit.fixed if one.name == INTAKE), None)
    return ValueAdded(nested, tuple(priors), nested.fit.n, explained, intake)


def _intake_means(priors: dict[str, FloatArray], school: Codes, known: Mask) -> FloatArray:
    """Each pupil's school's mean prior, in standard deviations of the pupils: the mean of the known standard scores."""
    scores = []
    for values in priors.values():
        own = np.where(known, values, np.nan)
        scores.append((own - np.nanmean(own)) / (np.nanstd(own) or 1.0))
    stacked = np.array(scores)
    counted = np.isfinite(stacked)
    rated = counted.any(axis=0)
    score = np.where(counted, stacked, 0.0).sum(axis=0)[rated] / counted.sum(axis=0)[rated]
    size = int(school.max()) + 1
    count = np.bincount(school[rated], minlength=size)
    mean = np.bincount(school[rated], score, minlength=size) / np.maximum(count, 1)
    found: FloatArray = mean[school]
    return found


def prior_columns(exam: Exam) -> dict[str, FloatArray]:
    """Marks of the prior exam by subject, NaN where unknown; its total where it has no subjects in common."""
    prior = exam.roster.prior
    if prior is None:
        return {}
    names = [name for name in exam.subjects if name in prior.subjects] if exam.has_total else [exam.main]
    found: dict[str, FloatArray] = {}
    whole = max(int(prior.matched.sum()), 1)
    for name in names:
        own = prior.subjects.get(name)
        if own is None:
            continue
        known = (own.states == ScoreState.SCORED) & prior.matched
        if known.sum() >= _LEAST_SHARE * whole:
            found[f"前次{name}"] = np.where(known, own.values * float(own.subject.step), np.nan)
    if not found and exam.has_total and prior.total is not None:
        known = (prior.total.states == ScoreState.SCORED) & prior.matched
        if known.any():
            found["前次总分"] = np.where(known, prior.total.values * float(prior.total.subject.step), np.nan)
    return found


def value_added_section(exam: Exam, found: ValueAdded | None) -> Section | None:
    """The chapter: what it adjusts for, schools and classes, what it cannot say."""
    if found is None or exam.roster.prior is None:
        return None
    blocks: list[Block] = [
        Paragraph(f"{found.sentence()}。", strong=True),
        Note(
            f"只考虑了“{exam.roster.prior.name}”的成绩（{'、'.join(found.priors)}），用到 {cells.thousands(found.matched)} 名"
            f"两次都有成绩的学生，解释了 {cells.pct(found.explained)} 的差异；家庭、编班等其他条件都没有考虑。"
        ),
    ]
    blocks += [Note(f"{one.text}。", Tone.WARN) for one in found.nested.fit.warnings]
    schools, classes = found.effects(SCHOOL), found.effects(CLASS)
    if schools is not None:
        blocks += [Bullets((_pairs(schools, "所学校"),))]
        blocks += (
            [_chart(exam, schools), effect_table(exam, schools, SCHOOL)]
            if exam.ranks_units
            else [effect_table(exam, schools, SCHOOL)]
        )
        blocks += _intake(found)
    if classes is not None:
        blocks.append(effect_table(exam, classes, CLASS))
    blocks.append(Note(f"{NOT_ONE_TEACHER}。", Tone.WARN))
    return Section("value_added", "增值", tuple(blocks))


def _pairs(effects: Effects, unit: str) -> str:
    share = differences(effects).share
    return f"两两比较，{cells.pct(share)} 的对看得出差别；其余各对的先后可能只是偶然（{len(effects)} {unit}）"


def _intake(found: ValueAdded) -> list[Block]:
    slope = found.intake
    if slope is None:
        return []
    half = 1.96 * slope.se
    text = (
        f"学校的预期还考虑了本校生源的平均水平（每高 1 个学生标准差，同样的学生平均相差 {slope.estimate:+.1f} 分，"
        f"95% 区间 {slope.estimate - half:+.1f} 至 {slope.estimate + half:+.1f}），所以增值是与生源相近的学校相比"
    )
    return [Note(f"{text}。")]


def _chart(exam: Exam, effects: Effects) -> Chart:
    names = exam.units.schools.names
    rows = [
        charts.Estimate(
            names[int(row.unit[-1])], row.estimate, row.low95, row.high95, row.word is not Reading.NOT_JUDGED
        )
        for row in effects.rows()
    ]
    words = (Reading.ABOVE.value, Reading.AS_EXPECTED.value, Reading.BELOW.value, Reading.NOT_JUDGED.value)
    caption = Caption(
        "value_added.schools.chart",
        f"高于预期 {effects.words.count(Reading.ABOVE)} 所，低于预期 {effects.words.count(Reading.BELOW)} 所",
        f"{exam.main}比按前次成绩的预期高出的分数和 95% 区间；区间不含 0 才说高于或低于",
        f"{len(rows)} 所学校的增值",
        "value_added.schools",
    )
    return charts.interval_plot(caption, rows, reference=0, reference_label="预期 0", unit="分", words=words)


def effect_table(exam: Exam, effects: Effects, level: str) -> Table:
    """Units with effect, intervals, reliability and word; under monitoring without marks."""
    key = "school" if level == SCHOOL else "class"
    columns = (
        *name_columns(key, exam),
        cells.count("n", "用到人数", "value_added"),
        TableColumn("effect", "增值", Kind.SIGNED, 1, definition="value_added", unit="分"),
        TableColumn("interval", "95% 区间", Kind.INTERVAL, 1, definition="value_added"),
        TableColumn("pairwise", "两两比较区间", Kind.INTERVAL, 1, definition="value_added_pairs"),
        TableColumn("reliability", "信度", Kind.NUMBER, 2, definition="value_added_reliability"),
        cells.word("verdict", "判断", "value_added"),
    )
    place = {int(unit[-1]): at for at, unit in enumerate(effects.units)}
    order = sorted(place, key=lambda u: (-float(effects.estimate[place[u]]), u)) if exam.ranks_units else sorted(place)
    words = effects.words
    rows: list[tuple[Value, ...]] = []
    for u in order:
        at = place[u]
        rows.append(
            (
                *name_cells(key, exam, u),
                int(effects.n[at]),
                float(effects.estimate[at]),
                Interval(float(effects.low95[at]), float(effects.high95[at]), difference=True),
                Interval(float(effects.low84[at]), float(effects.high84[at]), difference=True),
                float(effects.reliability[at]) if np.isfinite(effects.reliability[at]) else Missing("无法计算"),
                words[at].value,
            )
        )
    title = "各校增值" if level == SCHOOL else "各班增值（与本校其他班相比）"
    table = Table(
        "value_added.schools" if key == "school" else "value_added.classes", title, columns, tuple(rows), sheet="增值"
    )
    return table if exam.ranks_units else without(table, ("effect",))
