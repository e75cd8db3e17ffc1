"""What is true of a sample, counted from the made-up scores themselves and not from the files written of them."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from jiaoheng.exams.sample_county import County
from jiaoheng.exams.sample_exam import SampleExam, SampleItems, SampleSubject
from jiaoheng.exams.sample_faults import FaultBook
from jiaoheng.methods.numbers import text
from jiaoheng.sheets.reading_model import ScoreState

Bools = npt.NDArray[np.bool_]
_RATES = {"excellent": Fraction(85, 100), "pass": Fraction(60, 100), "low": Fraction(40, 100)}


def truth(county: County, exam: SampleExam, book: FaultBook, options: Mapping[str, Any]) -> dict[str, Any]:
    """The content of truth.json. Marks are decimal texts; sums are exact; means have four decimals, half up."""
    return {
        "options": dict(options),
        "pupils": county.pupils,
        "schools": len(county.schools),
        "classes": county.classes,
        "subjects": {name: _subject(county, subject, book) for name, subject in exam.subjects.items()},
        "total": _total(county, exam),
        "items": {name: _items(items) for name, items in exam.items.items()},
        "prior": {
            "subjects": {name: _prior(exam, name) for name in exam.prior},
            "matched": int((~exam.joined).sum()),
            "joined": int(exam.joined.sum()),
            "left": len(exam.left_names),
        },
        "growth": {name: round(float(value), 3) for name, value in zip(county.schools, exam.growth, strict=True)},
        "faults": book.as_json(),
    }


def _subject(county: County, subject: SampleSubject, book: FaultBook) -> dict[str, Any]:
    states = {state.name.lower(): int((subject.states == state).sum()) for state in ScoreState}
    blanks = len(book.blanks.get(subject.name, ()))
    states["missing"] += blanks  # absences that a school left blank
    states["absent"] -= blanks
    scored = subject.states == ScoreState.SCORED
    by_school = {name: _sums(subject, scored & (county.school == at)) for at, name in enumerate(county.schools)}
    return {
        "full": subject.full,
        "step": _plain(subject.step),
        "states": {name: count for name, count in states.items() if count},
        **_sums(subject, scored),
        "rates": _rates(subject, scored),
        "schools": by_school,
    }


def _sums(subject: SampleSubject, mask: Bools) -> dict[str, Any]:
    values = subject.values[mask].astype(np.int64)
    count, total = int(mask.sum()), int(values.sum()) * subject.step
    return {
        "n": count,
        "sum": _plain(total),
        "mean": text(total / count, 4) if count else None,
        "max": _plain(int(values.max()) * subject.step) if count else None,
        "min": _plain(int(values.min()) * subject.step) if count else None,
    }


def _rates(subject: SampleSubject, mask: Bools) -> dict[str, int]:
    """Pupils at or above the excellent and the pass line, and below the low line (usual junior thresholds)."""
    values = subject.values[mask].astype(np.int64)
    found: dict[str, int] = {}
    for name, share in _RATES.items():
        line = share * subject.full / subject.step
        reached = values * line.denominator >= line.numerator
        found[name] = int((~reached).sum() if name == "low" else reached.sum())
    return found


def _total(county: County, exam: SampleExam) -> dict[str, Any]:
    """The total of pupils who have a score in every subject that they take."""
    complete = np.ones(county.pupils, np.bool_)
    for subject in exam.subjects.values():
        complete &= (subject.states == ScoreState.SCORED) | (subject.states == ScoreState.NOT_CHOSEN)
    milli = np.zeros(county.pupils, np.int64)
    for subject in exam.subjects.values():
        milli += subject.values.astype(np.int64) * int(subject.step * 1000)
    best = milli[complete]
    count = int(complete.sum())
    total = Fraction(int(best.sum()), 1000)
    return {
        "n": count,
        "sum": _plain(total),
        "mean": text(total / count, 4) if count else None,
        "max": _plain(Fraction(int(best.max()), 1000)) if count else None,
        "min": _plain(Fraction(int(best.min()), 1000)) if count else None,
    }


def _items(items: SampleItems) -> dict[str, Any]:
    present = items.values[:, 0] >= 0
    sums = items.values[present].sum(axis=0)
    return {
        "n": int(present.sum()),
        "items": {
            number: {"full": full, "sum": int(total), "knowledge": knowledge}
            for number, full, total, knowledge in zip(items.numbers, items.full, sums, items.knowledge, strict=True)
        },
    }


def _prior(exam: SampleExam, name: str) -> dict[str, Any]:
    subject, left = exam.prior[name], exam.left_prior[name]
    scored = (subject.states == ScoreState.SCORED) & ~exam.joined
    total = (int(subject.values[scored].sum()) + int(left.values.sum())) * subject.step
    return {"n": int(scored.sum()) + len(left.values), "sum": _plain(total)}


def _plain(value: Fraction | int) -> str:
    exact = Fraction(value)
    return str(exact.numerator) if exact.denominator == 1 else str(exact.numerator / exact.denominator)
