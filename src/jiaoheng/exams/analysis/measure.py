"""The measured exam: every paper counted once, every level's statistics made from those counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from jiaoheng.exams.analysis.papers import TOTAL, Base, Paper, make_paper
from jiaoheng.exams.analysis.unit_scores import UnitScores
from jiaoheng.exams.gate import GateDecision
from jiaoheng.exams.resolved import ResolvedSettings, ResolvedThresholds
from jiaoheng.exams.roster_model import Roster, SubjectScores
from jiaoheng.exams.units import Units, index_units
from jiaoheng.methods.histogram import Mask
from jiaoheng.methods.participation import NOBODY_EXPECTED, Kept, apply_rule, counting_rule, keep_top
from jiaoheng.methods.rates import Cuts
from jiaoheng.methods.states import ScoreState


@dataclass(frozen=True)
class Exam:
    """Everything that the chapters read: settings, roster, units, papers (subjects in table order, then the total)."""

    settings: ResolvedSettings
    gate: GateDecision
    roster: Roster
    units: Units
    papers: Mapping[str, Paper]
    kept: Kept | None  # B5: who takes part
    _scores: dict[tuple[str, str], UnitScores] = field(default_factory=dict)

    @property
    def subjects(self) -> list[str]:
        """Subject names in table order, without the total."""
        return [name for name in self.papers if name != TOTAL]

    @property
    def has_total(self) -> bool:
        """Whether a total exists (two or more subjects that count in it)."""
        return TOTAL in self.papers

    @property
    def main(self) -> str:
        """The paper on which units are compared first: the total, or the only subject."""
        return TOTAL if self.has_total else self.subjects[0]

    def cuts(self, paper: str) -> Cuts:
        """The shares of the rates in a paper."""
        thresholds: ResolvedThresholds = self.settings.thresholds
        if paper in self.settings.subjects:
            thresholds = self.settings.subjects[paper].thresholds
        return Cuts(thresholds.excellent, thresholds.good, thresholds.passing, thresholds.low)

    def scores(self, paper: str, level: str) -> UnitScores:
        """Statistics of the units of a level (class, school, district, county) in a paper; computed once."""
        key = (paper, level)
        if key not in self._scores:
            self._scores[key] = UnitScores(self.papers[paper], self.units.level(level), self.units, self.cuts(paper))
        return self._scores[key]

    @property
    def ranks_units(self) -> bool:
        """Whether units may be shown by marks and ranked: monitoring gives levels and intervals only."""
        return not self.gate.schools_by_level

    @property
    def whole(self) -> str:
        """What all pupils together are called: 全县; 全年级 of one school, 全班 of one class."""
        if len(self.units.schools) > 1:
            return "全县"
        return "全年级" if len(self.units.classes) > 1 else "全班"

    def order(self, scores: UnitScores) -> list[int]:
        """Units in the order of print: best mean first, but natural order where they may not be ranked."""
        order = scores.order()
        return order if self.ranks_units else sorted(order)

    def digits(self, paper: str, least: int = 1) -> int:
        """Decimals that print a mark of this paper in full (step 0.25: two), at least `least`."""
        step = self.papers[paper].step
        return next((d for d in range(least, 4) if (step * 10**d).denominator == 1), 3)

    def people(self, paper: str) -> Mask:
        """Who has a real score that counts: zeros put for absence or cheating are nobody's achievement."""
        return scored(self.papers[paper]) & self.papers[paper].counted


def measure(roster: Roster, settings: ResolvedSettings, gate: GateDecision) -> Exam:
    """Count every paper under the exam's denominator rule.

    Raises ValueError where the roster holds no pupil.
    """
    if roster.pupils.height == 0:
        raise ValueError("没有任何学生的成绩")
    units = _named_units(roster, settings)
    missing = settings.missing
    rule = counting_rule(
        settings.denominator.rule,
        absent_zero=missing.absent == "计零",
        cheated_zero=missing.cheated == "计零",
        blank_absent=missing.blank == "按缺考",
    )
    base = _base(settings, units)
    kept = _kept(roster, settings, units)
    papers: dict[str, Paper] = {}
    for name in _order(roster, settings):
        weight = settings.subjects[name].weight if name in settings.subjects else Fraction(1)
        papers[name] = make_paper(roster.scores[name], units, rule, base, kept.mask if kept else None, weight)
    if roster.total is not None and len(papers) > 1 and bool((roster.total.states == ScoreState.SCORED).any()):
        keep = kept.mask if kept else None
        papers[TOTAL] = make_paper(
            _named(roster.total), units, rule, base, keep, Fraction(1), _attendance(list(papers.values()))
        )
    return Exam(settings, gate, roster, units, papers, kept)


def _named_units(roster: Roster, settings: ResolvedSettings) -> Units:
    """Units whose top is called by the county, or by the school where there is only one."""
    names = roster.pupils["school"].drop_nulls().unique().to_list()
    if roster.pupils["school"].n_unique() > 1:
        return index_units(roster.pupils, settings.county or "全县")
    return index_units(roster.pupils, names[0] if names else "全体")


def _attendance(papers: Sequence[Paper]) -> npt.NDArray[np.uint8]:
    """Per pupil: SCORED where any subject was sat, else a state that tells whether anything was owed."""
    states = np.stack([paper.states for paper in papers])
    sat = np.isin(states, (ScoreState.SCORED, ScoreState.CHEATED)).any(axis=0)
    owed = ~np.isin(states, NOBODY_EXPECTED).all(axis=0)
    return np.where(sat, ScoreState.SCORED, np.where(owed, ScoreState.ABSENT, states[0])).astype(np.uint8)


def _order(roster: Roster, settings: ResolvedSettings) -> list[str]:
    known = [name for name in settings.subjects if name in roster.scores]
    return known + [name for name in roster.scores if name not in known]


def _named(total: SubjectScores) -> SubjectScores:
    from dataclasses import replace

    return replace(total, subject=replace(total.subject, name=TOTAL))


def _base(settings: ResolvedSettings, units: Units) -> Base:
    if settings.denominator.rule == "B3":
        return Base(discount=settings.denominator.discount)
    if settings.denominator.rule == "B4":
        cohort = settings.denominator.cohort
        return Base(cohorts=np.array([cohort.get(name, 0) for name in units.schools.names], dtype=np.int64))
    return Base()


def _kept(roster: Roster, settings: ResolvedSettings, units: Units) -> Kept | None:
    """B5 cuts the tail of every school by total; ties are broken by the subjects, so row order has no say."""
    if settings.denominator.rule != "B5":
        return None
    order = _order(roster, settings)
    whole = roster.total if roster.total is not None and len(order) > 1 else roster.scores[order[0]]
    rule = counting_rule("B5", absent_zero=True, cheated_zero=True, blank_absent=True)
    counted = apply_rule(whole.values, whole.states, rule)
    breakers = [scores.values for scores in roster.scores.values()]
    schools = units.schools
    return keep_top(
        counted.values,
        counted.mask,
        schools.of_pupil,
        len(schools),
        settings.denominator.keep,
        tie_breakers=breakers,
    )


def scored(paper: Paper) -> Mask:
    """Who has a real score in this paper (zero included), whatever the counting rule makes of the others."""
    has: Mask = paper.states == ScoreState.SCORED
    return has
