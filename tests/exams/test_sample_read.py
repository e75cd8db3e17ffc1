"""The sample read back by the product itself: the roster is exactly what the sample says is true."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from pathlib import Path

import pytest

from jiaoheng.exams.defaults import ExamHints, resolve
from jiaoheng.exams.observations import observe
from jiaoheng.exams.roster import assemble
from jiaoheng.exams.roster_model import Roster
from jiaoheng.exams.sample import SampleTruth, make_sample
from jiaoheng.exams.selection import select
from jiaoheng.exams.settings_file import load_settings
from jiaoheng.sheets.answers import Answers
from jiaoheng.sheets.places import Severity
from jiaoheng.sheets.reading import read_files
from jiaoheng.sheets.reading_model import ScoreState
from jiaoheng.sheets.understand import understand_file

SCHOOLS = 9  # every one of the nine messy ways once


def read_back(sample: SampleTruth) -> Roster:
    settings, problems = load_settings(sample.answered)
    assert problems == []
    fulls = {name: int(own.full * 1000) for name, own in settings.subjects.items() if own.full is not None}
    answers = Answers(marks=settings.marks, full_marks=fulls, grade=settings.grade)
    files = read_files(list(sample.files))
    readings = [reading for file in files for reading in understand_file(file, answers=answers)]
    seen = observe(select(readings, files, settings).main)
    resolution = resolve(settings, seen, ExamHints(schools=SCHOOLS), today=dt.date(2026, 4, 22))
    assert [question.key for question in resolution.questions] == []
    return assemble(readings, files, settings, resolved=resolution.settings)


@pytest.mark.parametrize("stage", ["初中", "高中"])
@pytest.mark.parametrize("messy", [False, True])
def test_the_roster_is_what_truth_says(tmp_path: Path, stage: str, messy: bool) -> None:
    sample = make_sample(tmp_path, schools=SCHOOLS, pupils=700, seed=21, messy=messy, stage=stage)
    roster = read_back(sample)
    assert len(roster.pupils) == sample.data["pupils"]
    assert roster.pupils["school"].n_unique() == SCHOOLS
    assert roster.pupils.select("school", "class").n_unique() == sample.data["classes"]
    for name, truth in sample.data["subjects"].items():
        own = roster.scores[name]
        scored = own.states == ScoreState.SCORED
        assert int(own.values[scored].sum()) * own.subject.step == Fraction(truth["sum"]), name
        states = {state.name.lower(): int((own.states == state).sum()) for state in ScoreState}
        assert {key: count for key, count in states.items() if count} == truth["states"], name
        assert own.subject.full == truth["full"]
    assert set(roster.items) == {"数学", "物理"}
    for name, items in roster.items.items():
        wanted = sample.data["items"][name]["items"].values()
        assert [int(total) for total in items.values.sum(axis=0)] == [item["sum"] for item in wanted]
    prior = sample.data["prior"]
    assert roster.prior is not None
    assert (int(roster.prior.matched.sum()), roster.prior.prior_only) == (prior["matched"], prior["left"])
    assert {question.key[0] for question in roster.questions} <= {"rows"}  # the hidden row, with its default
    codes = {problem.code for problem in roster.problems if problem.severity is not Severity.NOTE}
    assert codes <= {"total-differs"}
    wrong = sum(1 for fault in sample.data["faults"] if fault["kind"] == "wrong-total")
    assert sum(1 for problem in roster.problems if problem.code == "total-differs") == wrong
