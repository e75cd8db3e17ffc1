"""赋分: raw scores of the electives become scaled scores before anything is counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from jiaoheng.documents.model import Missing, Table, Value
from jiaoheng.exams.analysis import cells
from jiaoheng.exams.resolved import ResolvedSettings
from jiaoheng.exams.roster_model import Roster, SubjectScores
from jiaoheng.exams.totals import TotalPolicy, total_scores
from jiaoheng.methods.numbers import text
from jiaoheng.methods.scaling import Conversion, scale
from jiaoheng.methods.scaling_rules import find_rule
from jiaoheng.sheets.reading_model import ScoreState


@dataclass(frozen=True, slots=True)
class Scaled:
    """The roster with scaled scores and totals of them, and the conversion of each subject."""

    roster: Roster
    conversions: Mapping[str, Conversion]
    steps: Mapping[str, Fraction]  # of the raw scores


def apply_scaling(roster: Roster, settings: ResolvedSettings) -> Scaled:
    """Scale the subjects that the settings name and whose files hold raw scores; the pool is all who sat the subject.

    Cheated pupils are outside the pool and keep their state. Raises ScalingRuleError for a rule that the pack lacks.
    """
    chosen = settings.scaling
    names = [name for name in chosen.subjects if name in roster.scores and not roster.scores[name].subject.scaled]
    if not chosen.rule or not names:
        return Scaled(roster, {}, {})
    rule = find_rule(chosen.rule, settings.date)
    scores = dict(roster.scores)
    conversions: dict[str, Conversion] = {}
    steps: dict[str, Fraction] = {}
    for name in names:
        raw = scores[name]
        made = scale(raw.values, raw.states == ScoreState.SCORED, rule, chosen.ties)  # type: ignore[arg-type]
        full = Fraction(max(level.high for level in rule.levels))
        values = made.values.copy()
        values[raw.states != ScoreState.SCORED] = 0
        subject = replace(raw.subject, full=full, step=Fraction(1), scaled=True)
        scores[name] = SubjectScores(subject, values, raw.states)
        conversions[name], steps[name] = made.conversion, raw.subject.step
    subjects = tuple(scores[subject.name].subject for subject in roster.subjects)
    total = total_scores(subjects, scores, _policy(settings)) if roster.total is not None else None
    return Scaled(replace(roster, subjects=subjects, scores=scores, total=total), conversions, steps)


def _policy(settings: ResolvedSettings) -> TotalPolicy:
    missing = settings.missing
    return TotalPolicy(missing.absent, missing.cheated, missing.blank, missing.total)  # type: ignore[arg-type]


def scaling_table(scaled: Scaled) -> Table:
    """Per subject and level: planned and real share, raw range and scaled range."""
    columns = (
        cells.word("subject", "学科"),
        cells.word("level", "等级", "scaled"),
        cells.share("planned", "规定比例", "scaled"),
        cells.count("n", "人数"),
        cells.share("share", "实际比例", "scaled"),
        cells.word("raw", "原始分"),
        cells.word("scaled", "赋分"),
    )
    rows: list[tuple[Value, ...]] = []
    empty = Missing("该等级没有人")
    for name, made in scaled.conversions.items():
        step = scaled.steps[name]
        for row in made.table:
            raw: Value = empty
            to: Value = empty
            if row.raw_low is not None and row.raw_high is not None:
                raw = f"{_mark(row.raw_low * step)}–{_mark(row.raw_high * step)}"
                to = f"{row.scaled_low}–{row.scaled_high}"
            rows.append((name, row.name, row.planned, row.n, cells.cell(row.share), raw, to))
    few = [name for name, made in scaled.conversions.items() if made.few]
    note = f"{'、'.join(few)}人数过少，赋分仅供参考" if few else ""
    return Table("scaling", "赋分转换", columns, tuple(rows), note=note, sheet="赋分")


def _mark(value: Fraction) -> str:
    return text(value, 2).rstrip("0").rstrip(".")
