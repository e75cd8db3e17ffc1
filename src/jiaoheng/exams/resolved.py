"""The settings of an exam after every default was taken: nothing is left open, everything exact."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from jiaoheng.exams.roster_model import Subject
from jiaoheng.exams.settings import ExamSettings
from jiaoheng.sheets.places import Problem, Question


@dataclass(frozen=True, slots=True)
class ResolvedThresholds:
    """Shares of full mark: excellent ≥, good ≥, pass ≥, low <."""

    excellent: Fraction
    good: Fraction
    passing: Fraction
    low: Fraction


@dataclass(frozen=True, slots=True)
class ResolvedSubject:
    """A subject with full mark, step, place in the total, weight in composites and its thresholds."""

    name: str
    full: Fraction
    step: Fraction
    weight: Fraction  # 1 for each where nobody declared weights
    fold: Fraction
    in_total: bool
    scaled: bool
    thresholds: ResolvedThresholds

    @property
    def subject(self) -> Subject:
        """The subject as the roster keeps it."""
        return Subject(self.name, self.full, self.step, self.fold, self.in_total, self.scaled)


@dataclass(frozen=True, slots=True)
class ResolvedDenominator:
    """Who counts (B1–B5). `cohort` is empty unless B4."""

    rule: str
    discount: Fraction
    keep: Fraction
    cohort: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ResolvedMissing:
    """不计 or 计零 for absent and cheated; 按缺考, 不计 or 报错 for blanks; the total where a subject is missing."""

    absent: str
    cheated: str
    blank: str
    total: str


@dataclass(frozen=True, slots=True)
class ResolvedComposite:
    """Family and weights as declared (they add to 1, or are points)."""

    family: str
    weights: Mapping[str, Fraction]
    first: Fraction
    minus: Fraction


@dataclass(frozen=True, slots=True)
class ResolvedLine:
    """A line of the total by score or by places: exactly one of the two is given. `track` "" is everybody."""

    name: str
    track: str
    score: Fraction | None
    places: int | None
    subject_lines: Mapping[str, Fraction]  # given effective scores; empty: computed


@dataclass(frozen=True, slots=True)
class ResolvedLines:
    """Lines of the exam (none: no such chapter), method of effective scores, widths of near-line bands in marks."""

    lines: tuple[ResolvedLine, ...]
    effective: str
    near_above: Fraction
    near_below: Fraction
    band: Fraction


@dataclass(frozen=True, slots=True)
class ResolvedScaling:
    """赋分: `rule` "" where scores are not scaled."""

    rule: str
    subjects: tuple[str, ...]
    ties: str


@dataclass(frozen=True, slots=True)
class ResolvedLevels:
    """Levels, best first. `bounds`: share of full mark where each level begins, or cumulative shares of pupils."""

    names: tuple[str, ...]
    by_shares: bool
    bounds: tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class ResolvedPupils:
    """Bounds of the lists of pupils."""

    struggling_share: Fraction
    top_share: Fraction
    uneven_z: Fraction
    rank_bands: tuple[int, ...]
    single_digit_below: Fraction


@dataclass(frozen=True, slots=True)
class ResolvedPrior:
    """The prior exam; name and files are empty where there is none."""

    name: str
    files: tuple[str, ...]
    sheets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResolvedSettings:
    """One exam with nothing left open. Texts that nobody gave are empty; `grade` and `stage` may be unknown ("")."""

    name: str
    date: dt.date
    date_known: bool
    county: str
    organisation: str
    stage: str
    grade: str
    compulsory: bool  # 义务教育阶段
    graduating: bool  # 毕业年级
    nature: str  # "" where a cross-school exam did not declare it: the gate refuses
    scope: str
    approval_document: str
    subjects: Mapping[str, ResolvedSubject]  # in the usual order of tables
    thresholds: ResolvedThresholds
    denominator: ResolvedDenominator
    missing: ResolvedMissing
    composite: ResolvedComposite
    lines: ResolvedLines
    scaling: ResolvedScaling
    levels: ResolvedLevels
    pupils: ResolvedPupils
    prior: ResolvedPrior
    class_bands: Mapping[str, str]
    districts: Mapping[str, str]
    declared: ExamSettings  # what people said, with their answers to questions


@dataclass(frozen=True, slots=True)
class Assumption:
    """A default that was taken: settings key path, value, the sentence for the report, and where it comes from."""

    key: tuple[str, ...]
    value: str
    text: str
    source: str

    @property
    def settings_key(self) -> str:
        """The key as a person writes it."""
        return " › ".join(self.key)


@dataclass(frozen=True, slots=True)
class Resolution:
    """The resolved settings (defaults taken also where a question is open), and what has to be told or asked."""

    settings: ResolvedSettings
    assumptions: tuple[Assumption, ...]
    questions: tuple[Question, ...]
    problems: tuple[Problem, ...]
