"""A paper is a subject or the total with the exam's counting rule applied: the one place where pupils become counts."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from jiaoheng.exams.roster_model import SubjectScores
from jiaoheng.exams.units import Level, Units
from jiaoheng.methods.histogram import IntArray, Mask, ScoreHistogram
from jiaoheng.methods.participation import CountingRule, apply_rule, enrolled, participation
from jiaoheng.methods.ratios import Ratio

TOTAL = "总分"


@dataclass(frozen=True, slots=True)
class Base:
    """The denominator where it is not the number counted: B3 shares of enrolment, B4 cohorts of schools."""

    discount: Fraction | None = None  # B3
    cohorts: IntArray | None = None  # B4, per school; 0 where none was declared


@dataclass(frozen=True, slots=True)
class Paper:
    """One subject, or the total, of all pupils.

    `values` in steps with the counting rule applied (0 where a state counts as zero), `counted` who is in N,
    `states` as in the roster. `histogram`, `enrolled` and `sat` are per class and add up to every other level.
    """

    name: str
    full: Fraction
    step: Fraction
    values: npt.NDArray[np.int32]
    counted: Mask
    states: npt.NDArray[np.uint8]
    histogram: ScoreHistogram
    enrolled: IntArray
    sat: IntArray
    base: Base
    weight: Fraction = Fraction(1)

    def at(self, level: Level, units: Units) -> ScoreHistogram:
        """The histogram of every unit of a level."""
        return self.histogram.merge(units.class_to(level.key), len(level))

    def counts_at(self, level: Level, units: Units) -> tuple[IntArray, IntArray]:
        """(enrolled 应考, sat 参考) of every unit of a level."""
        parents = units.class_to(level.key)
        both = Ratio(self.sat, self.enrolled).merge(parents, len(level))
        return both.den, both.num

    def base_at(self, level: Level, units: Units) -> Ratio | None:
        """The denominator of a level's rates, None where it is the number counted.

        A cohort (B4) is declared for schools: classes have none and stay with the number counted.
        """
        if self.base.discount is not None:
            from jiaoheng.methods.participation import discounted_base

            return discounted_base(self.counts_at(level, units)[0], self.base.discount)
        if self.base.cohorts is None or level.key == "class":
            return None
        schools = Ratio(self.base.cohorts, np.ones_like(self.base.cohorts))
        if level.key == "school":
            return schools
        parents = units.schools.parents
        if level.key == "county":
            parents = np.zeros_like(parents)
        summed = np.zeros(len(level), dtype=np.int64)
        np.add.at(summed, parents, self.base.cohorts)
        return Ratio(summed, np.ones_like(summed))


def make_paper(
    scores: SubjectScores,
    units: Units,
    rule: CountingRule,
    base: Base,
    keep: Mask | None,
    weight: Fraction,
    attendance: npt.NDArray[np.uint8] | None = None,
) -> Paper:
    """Count one subject (or the total) under a rule; `keep` is who takes part under B5 (None: everybody).

    `attendance`: states from which 应考 and 参考 are counted where they are not the scores' own: who sat any subject
    took part in the exam, though a missing subject leaves no total.
    """
    counted = apply_rule(scores.values, scores.states, rule)
    mask = counted.mask if keep is None else counted.mask & keep
    classes = units.classes
    there = scores.states if attendance is None else attendance
    rate = participation(there, classes.of_pupil, len(classes))
    return Paper(
        scores.subject.name,
        scores.subject.full,
        scores.subject.step,
        counted.values,
        mask,
        scores.states,
        ScoreHistogram.build(counted.values, classes.of_pupil, len(classes), mask, scores.subject.step),
        enrolled(there, classes.of_pupil, len(classes)),
        rate.num,
        base,
        weight,
    )
