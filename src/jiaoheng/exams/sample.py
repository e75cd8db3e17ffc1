"""A synthetic county exam for demonstrations and tests: the files, the settings, and what is true of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from jiaoheng.exams import sample_clean, sample_messy
from jiaoheng.exams.sample_county import County, make_county
from jiaoheng.exams.sample_exam import SampleExam, make_exam
from jiaoheng.exams.sample_faults import FaultBook
from jiaoheng.exams.sample_rows import school_rows
from jiaoheng.exams.sample_truth import truth
from jiaoheng.exams.settings import ExamSettings
from jiaoheng.exams.settings_dump import dump_settings
from jiaoheng.packs import load

SETTINGS, ANSWERED, TRUTH = "exam.yaml", "exam-answered.yaml", "truth.json"


@dataclass(frozen=True, slots=True)
class SampleTruth:
    """A written sample: its folder, every score file, the settings (complete ones in `answered`), and truth.json."""

    out: Path
    files: tuple[Path, ...]
    settings: Path
    answered: Path
    data: Mapping[str, Any]


def make_sample(
    out: Path,
    *,
    schools: int = 60,
    pupils: int = 20_000,
    seed: int = 7,
    messy: bool = False,
    errors: bool = False,
    stage: str = "初中",
    progress: Callable[[int, int], None] | None = None,
) -> SampleTruth:
    """Write a sample into the folder `out` (made where absent): score files, item scores, blueprint, prior exam.

    The same arguments give the same bytes. `messy` gives every school its own layout and slips, none of which stops
    the report; `errors` adds one workbook with hard errors. `exam.yaml` of a messy sample leaves some questions open,
    `exam-answered.yaml` answers them. `progress` is told (files written, files in all). Raises ValueError with a
    Chinese sentence for impossible numbers, OSError where the folder cannot be written.
    """
    rng = np.random.default_rng(seed)
    county = make_county(schools, pupils, stage, rng)
    exam = make_exam(county, rng)
    book = FaultBook()
    scores = out / sample_clean.SCORES
    folders = (scores, out / sample_clean.ITEMS, out / sample_clean.PRIOR)
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    tell = progress or (lambda done, count: None)
    count = schools + len(exam.items) + 2 + bool(errors)
    for index in range(schools):
        rows = school_rows(county, exam, index)
        if messy:
            files += sample_messy.write_school(scores, rows, book)
        else:
            files.append(sample_clean.write_school(scores, rows))
        tell(index + 1, count)
    if errors:
        files += sample_messy.write_errors(scores, school_rows(county, exam, 0), book)
    for items in exam.items.values():
        files.append(sample_clean.write_items(folders[1], county, items))
    files.append(sample_clean.write_blueprint(out, exam))
    files.append(sample_clean.write_prior(folders[2], county, exam))
    tell(count, count)
    answered = sample_settings(county, exam, answered=True)
    settings = sample_settings(county, exam, answered=not messy)
    (out / SETTINGS).write_text(dump_settings(settings), encoding="utf-8", newline="\n")
    (out / ANSWERED).write_text(dump_settings(answered), encoding="utf-8", newline="\n")
    options = {"schools": schools, "pupils": pupils, "seed": seed, "messy": messy, "errors": errors, "stage": stage}
    data = truth(county, exam, book, options)
    text = json.dumps(data, ensure_ascii=False, indent=1) + "\n"
    (out / TRUTH).write_text(text, encoding="utf-8", newline="\n")
    return SampleTruth(out, tuple(files), out / SETTINGS, out / ANSWERED, data)


def sample_settings(county: County, exam: SampleExam, *, answered: bool) -> ExamSettings:
    """The settings of a sample: a legal nature with its document; with `answered`, every full mark and mark too."""
    entry = county.exam
    subjects: dict[str, Any] = {}
    for name, subject in exam.subjects.items():
        stated = answered or name not in sample_messy.NOT_STATED
        subjects[name] = {"step": _decimal(subject.step)} | ({"full": Decimal(subject.full)} if stated else {})
    raw = {
        "name": entry["name"],
        "date": entry["date"],
        "county": county.name,
        "organisation": load("sample")["organisation"],
        "stage": county.stage,
        "grade": entry["grade"],
        "nature": entry["nature"],
        "scope": "跨校" if len(county.schools) > 1 else "校内",
        "approval_document": entry["document"],
        "subjects": subjects,
        "lines": {"lines": tuple(_lines(county))},
        "prior": {"name": entry["prior_name"], "files": (f"{sample_clean.PRIOR}/{entry['prior_file']}",)},
        "districts": dict(zip(county.schools, county.districts, strict=True)),
    }
    if answered:
        raw["marks"] = {"/": "未选" if county.stage == "高中" else "缺考"}
    return ExamSettings.model_validate(raw)


def _decimal(step: Fraction) -> Decimal:
    return Decimal(step.numerator) / Decimal(step.denominator)


def _lines(county: County) -> list[dict[str, Any]]:
    """Lines by places; where there are tracks, each has its own."""
    lines: list[dict[str, Any]] = []
    tracks = sorted(set(county.track), reverse=True)
    for line in county.exam["lines"]:
        for track in tracks:
            members = sum(1 for own in county.track if own == track)
            places = max(1, int(Fraction(line["places_share"]) * members))
            lines.append({"name": line["name"], "places": places} | ({"track": track} if track else {}))
    return lines
