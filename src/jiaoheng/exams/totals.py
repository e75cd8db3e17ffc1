"""The total of each pupil by the exam's policy: who has one, and its exact value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
import numpy.typing as npt

from jiaoheng.exams.roster_model import Subject, SubjectScores
from jiaoheng.exams.settings import ExamSettings
from jiaoheng.exams.steps import common_step
from jiaoheng.sheets.reading_model import ScoreState

TOTAL = "总分"
_NOT_OWED = (ScoreState.NOT_CHOSEN, ScoreState.EXEMPT)
# where a pupil lacks several subjects for different reasons, the first of these names the state of the total
_REASONS = (
    ScoreState.INVALID,
    ScoreState.UNRESOLVED,
    ScoreState.LEFT,
    ScoreState.DEFERRED,
    ScoreState.CHEATED,
    ScoreState.ABSENT,
    ScoreState.MISSING,
)


@dataclass(frozen=True, slots=True)
class TotalPolicy:
    """What a missing subject does to the total (settings `missing`, standards §1.1)."""

    absent: Literal["不计", "计零"] = "不计"
    cheated: Literal["计零", "不计"] = "计零"
    blank: Literal["按缺考", "不计", "报错"] = "不计"
    total: Literal["缺科不计总分", "缺科计零"] = "缺科不计总分"

    @classmethod
    def of(cls, settings: ExamSettings) -> TotalPolicy:
        """The policy that the settings declare; what they leave open takes the values of base B1."""
        said = settings.missing
        own = cls()
        return cls(
            said.absent or own.absent, said.cheated or own.cheated, said.blank or own.blank, said.total or own.total
        )


def total_scores(
    subjects: Sequence[Subject], scores: Mapping[str, SubjectScores], policy: TotalPolicy
) -> SubjectScores | None:
    """Σ score × fold over the subjects in the total; None with fewer than two of them.

    A subject not chosen or exempt is not owed. A subject that is owed and lacking voids the total (缺科不计总分) or
    counts 0 (缺科计零); cheated subjects count 0 where the policy says so. A pupil who sat nothing has no total.
    """
    counted = [subject for subject in subjects if subject.in_total]
    if len(counted) < 2:
        return None
    step = counted[0].step * counted[0].fold
    for subject in counted[1:]:
        step = common_step(step, subject.step * subject.fold)
    states = np.stack([scores[subject.name].states for subject in counted])
    values = np.zeros(states.shape[1], np.int64)
    for subject in counted:
        factor = subject.step * subject.fold / step
        own = scores[subject.name]
        values += np.where(own.states == ScoreState.SCORED, own.values, 0).astype(np.int64) * factor.numerator
    state = _states(states, policy)
    values[state != ScoreState.SCORED] = 0
    total = Subject(TOTAL, _full(counted, states), step)
    return SubjectScores(total, values.astype(np.int32), state)


def _states(states: npt.NDArray[np.uint8], policy: TotalPolicy) -> npt.NDArray[np.uint8]:
    """The state of each pupil's total from the states of the subjects (subjects × pupils)."""
    owed = ~np.isin(states, _NOT_OWED)
    scored = states == ScoreState.SCORED
    settled = scored | ((states == ScoreState.CHEATED) & (policy.cheated == "计零"))
    lacking = owed & ~settled
    unsure = np.isin(states, (ScoreState.UNRESOLVED, ScoreState.INVALID))
    gone = np.isin(states, (ScoreState.DEFERRED, ScoreState.LEFT))
    zero = (states == ScoreState.ABSENT) & (policy.absent == "计零" or policy.total == "缺科计零")
    blank_zero = policy.total == "缺科计零" or (policy.blank == "按缺考" and policy.absent == "计零")
    zero |= (states == ScoreState.MISSING) & blank_zero
    zero |= (states == ScoreState.CHEATED) & (policy.total == "缺科计零")
    zero |= gone & (policy.total == "缺科计零")
    void = (lacking & ~zero) | unsure
    sat = settled.any(axis=0)
    result = np.full(states.shape[1], ScoreState.SCORED, np.uint8)
    for reason in reversed(_REASONS):
        result[(void & (states == reason)).any(axis=0)] = reason
    nothing = ~sat
    for reason in reversed(_REASONS):
        result[nothing & (owed & (states == reason)).any(axis=0)] = reason
    none_owed = ~owed.any(axis=0)
    result[none_owed] = np.where((states == ScoreState.EXEMPT).any(axis=0), ScoreState.EXEMPT, ScoreState.NOT_CHOSEN)[
        none_owed
    ]
    return result


def _full(counted: Sequence[Subject], states: npt.NDArray[np.uint8]) -> Fraction:
    """The full mark of the total: the sum over the subjects that the most pupils take."""
    chosen = states != ScoreState.NOT_CHOSEN
    if chosen.shape[1] == 0:
        return sum((subject.full * subject.fold for subject in counted), Fraction(0))
    patterns, numbers = np.unique(chosen, axis=1, return_counts=True)
    fulls: dict[Fraction, int] = {}
    for index, number in enumerate(numbers):
        full = sum(
            (s.full * s.fold for s, taken in zip(counted, patterns[:, index], strict=True) if taken), Fraction(0)
        )
        fulls[full] = fulls.get(full, 0) + int(number)
    return max(fulls, key=lambda full: (fulls[full], full))
