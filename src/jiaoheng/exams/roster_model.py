"""The exam's pupils and scores after all files were joined and all questions answered: exact and complete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import polars as pl

from jiaoheng.sheets.places import Problem, Question
from jiaoheng.sheets.reading_model import BlueprintItem


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject: full mark and smallest step as exact numbers of marks."""

    name: str
    full: Fraction
    step: Fraction
    fold: Fraction = Fraction(1)  # 折分
    in_total: bool = True
    scaled: bool = False  # the files hold scaled scores


@dataclass(frozen=True, slots=True)
class SubjectScores:
    """One subject's scores of every pupil of the roster, in the subject's steps (score = values × step)."""

    subject: Subject
    values: npt.NDArray[np.int32]  # 0 unless SCORED
    states: npt.NDArray[np.uint8]  # ScoreState
    make_up: Mapping[int, int] = field(default_factory=dict)  # roster position → make-up score in steps


@dataclass(frozen=True, slots=True)
class ItemScores:
    """Item scores of one subject: rows are positions in the roster that have item scores."""

    subject: str
    items: tuple[str, ...]
    full: tuple[Fraction, ...]
    step: Fraction
    pupils: npt.NDArray[np.int64]  # positions in the roster
    values: npt.NDArray[np.int32]  # (pupils, items) in steps; −1 where an item has no score
    blueprint: tuple[BlueprintItem, ...] = ()


@dataclass(frozen=True, slots=True)
class PriorExam:
    """The same pupils' earlier exam, aligned with the roster."""

    name: str
    subjects: Mapping[str, SubjectScores]
    total: SubjectScores | None
    matched: npt.NDArray[np.bool_]  # per roster pupil
    prior_only: int  # pupils of the prior exam who are not in this one


@dataclass(frozen=True, slots=True)
class Roster:
    """All pupils with one row each.

    `pupils` columns: pupil_id, name, id_kind (how the pupil was identified), district, school, class, track,
    combination, status (null where unknown) and source file, sheet, row (1-based). Row order is stable: school,
    class, then order of appearance.
    """

    pupils: pl.DataFrame
    subjects: tuple[Subject, ...]
    scores: Mapping[str, SubjectScores]
    total: SubjectScores | None
    items: Mapping[str, ItemScores]
    prior: PriorExam | None
    problems: tuple[Problem, ...]
    questions: tuple[Question, ...]
    files: tuple[Mapping[str, str], ...] = field(default=())  # label, sha256, size, format of every file used
