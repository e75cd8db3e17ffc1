"""What an exam's settings leave open, taken from the dated defaults of the packs: listed, and asked where it must be.

A default never changes a number silently. What the files leave open and a number depends on (an unknown full mark,
a grade) becomes a blocking question that names its default; policies that the report prints as definitions
(thresholds, denominator, weights) are listed as assumptions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jiaoheng.exams import defaults_identity, defaults_policy, defaults_subjects
from jiaoheng.exams.defaults_ledger import Ledger
from jiaoheng.exams.observations import SubjectObservation
from jiaoheng.exams.resolved import Assumption, Resolution, ResolvedPrior, ResolvedSettings
from jiaoheng.exams.settings import ExamSettings

__all__ = ["Assumption", "ExamHints", "Resolution", "ResolvedSettings", "resolve"]


@dataclass(frozen=True, slots=True)
class ExamHints:
    """What the files say about the exam outside the scores; everything may be empty.

    `names`: titles, file and sheet names; `classes`: names of classes; `grades`: texts of grade columns;
    `dates`: exam dates that sheets declare (ISO); `schools`: number of schools, None where no school is named;
    `pupils`: number of pupils, None unknown.
    """

    names: Sequence[str] = field(default=())
    classes: Sequence[str] = field(default=())
    grades: Sequence[str] = field(default=())
    dates: Sequence[str] = field(default=())
    schools: int | None = None
    pupils: int | None = None


def resolve(
    settings: ExamSettings,
    seen_subjects: Mapping[str, SubjectObservation],
    hints: ExamHints | None = None,
    *,
    today: dt.date,
) -> Resolution:
    """Fill every gap of the settings for the subjects seen in the files.

    `seen_subjects`: from `observations.observe` over the sheets of this exam. `today` stands in for an unknown exam
    date. The result is complete even where questions are open: it then holds their defaults, so that `--yes` may
    use it as it is; without `--yes` blocking questions must be answered first.
    """
    ledger = Ledger()
    known = hints or ExamHints()
    identity = defaults_identity.resolve_identity(settings, seen_subjects, known, today, ledger)
    when = (identity.stage, identity.grade, identity.date)
    thresholds = defaults_policy.thresholds(settings, *when, ledger)
    subjects = defaults_subjects.resolve_subjects(settings, seen_subjects, thresholds, *when, ledger)
    denominator = defaults_policy.denominator(settings, ledger)
    resolved = ResolvedSettings(
        name=identity.name,
        date=identity.date,
        date_known=identity.date_known,
        county=settings.county or "",
        organisation=settings.organisation or "",
        stage=identity.stage,
        grade=identity.grade,
        compulsory=identity.compulsory,
        graduating=identity.graduating,
        nature=identity.nature,
        scope=identity.scope,
        approval_document=settings.approval_document or "",
        subjects=subjects,
        thresholds=thresholds,
        denominator=denominator,
        missing=defaults_policy.missing(settings, denominator.rule, ledger),
        composite=defaults_policy.composite(settings, ledger),
        lines=defaults_policy.lines(settings, ledger),
        scaling=defaults_policy.scaling(settings, identity.date, ledger),
        levels=defaults_policy.levels(settings, thresholds, ledger),
        pupils=defaults_policy.pupils(settings, known.pupils, ledger),
        prior=ResolvedPrior(settings.prior.name or "前次考试", settings.prior.files, settings.prior.sheets),
        class_bands=settings.class_bands,
        districts=settings.districts,
        declared=settings,
    )
    return Resolution(resolved, tuple(ledger.assumptions), tuple(ledger.questions), tuple(ledger.problems))
