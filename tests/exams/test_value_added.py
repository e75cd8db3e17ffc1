"""The value-added chapter: the truth of the sample comes back, and what the chapter says of itself."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jiaoheng.documents.model import Note, Section, Table
from jiaoheng.exams.analysis.value_added import find_value_added, prior_columns
from jiaoheng.exams.pipeline import prepare
from jiaoheng.exams.report import ExamReport, build_report
from jiaoheng.exams.sample import make_sample


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("增值")
    made = make_sample(folder, schools=24, pupils=5000, seed=5)
    shutil.copy(made.answered, folder / "exam.yaml")
    return folder, json.loads((folder / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def made(sample: tuple[Path, dict[str, Any]]) -> ExamReport:
    prepared = prepare([sample[0]], yes=True, today=dt.date(2026, 5, 1))
    assert prepared.ready
    return build_report(prepared)


def chapter(made: ExamReport) -> Section:
    return next(section for section in made.report.sections if section.key == "value_added")


def table(made: ExamReport, key: str) -> Table:
    return next(one for one in made.tables() if one.key == key)


def test_the_sample_s_truth_comes_back(made: ExamReport, sample: tuple[Path, dict[str, Any]]) -> None:
    schools = table(made, "value_added.schools")
    place = {column.key: at for at, column in enumerate(schools.columns)}
    truth = np.array([sample[1]["growth"][row[place["school"]]] for row in schools.rows])
    found = np.array([row[place["effect"]] for row in schools.rows])
    assert np.corrcoef(truth, found)[0, 1] > 0.9
    intervals: list[Any] = [row[place["interval"]] for row in schools.rows]
    inside = [one.low <= own <= one.high for one, own in zip(intervals, truth, strict=True)]
    assert np.mean(inside) > 0.8
    for row, one in zip(schools.rows, intervals, strict=True):
        word = row[place["verdict"]]
        assert (word == "高于预期") == (one.low > 0) or word == "样本不足"


def test_the_chapter_says_what_it_is_and_is_not(made: ExamReport) -> None:
    notes = [block.text for block in chapter(made).blocks if isinstance(block, Note)]
    assert any("只考虑了" in text and "都没有考虑" in text for text in notes)
    assert any("一年的增值不能用来评判一名教师" in text for text in notes)
    assert any("学校生源" in text or "生源的平均水平" in text for text in notes)
    used = {one.key for one in made.report.definitions}
    assert {"value_added", "value_added_pairs", "value_added_reliability"} <= used


def test_classes_stand_against_their_own_school(made: ExamReport) -> None:
    classes = table(made, "value_added.classes")
    assert len(classes.rows) == len(made.exam.units.classes)


def test_priors_are_the_prior_exam_s_subjects(made: ExamReport) -> None:
    columns = prior_columns(made.exam)
    assert set(columns) == {f"前次{name}" for name in made.exam.subjects}
    assert made.added is not None
    assert made.added.matched > 4500
    assert 0.5 < made.added.explained < 1


def test_no_prior_exam_no_chapter(sample: tuple[Path, dict[str, Any]]) -> None:
    prepared = (
        prepare([sample[0] / "成绩"], yes=True, today=dt.date(2026, 5, 1)) if (sample[0] / "成绩").exists() else None
    )
    if prepared is None or not prepared.ready:
        scores = next(path for path in sample[0].iterdir() if path.is_dir())
        prepared = prepare([scores], yes=True, today=dt.date(2026, 5, 1))
    report = build_report(prepared)
    assert report.added is None
    assert all(section.key != "value_added" for section in report.report.sections)
    assert find_value_added(report.exam) is None
