"""From files to figures: a synthetic county whose truth is known, through the same doors as a user's."""

from __future__ import annotations

import datetime as dt
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jiaoheng.exams.pipeline import Prepared, prepare
from jiaoheng.exams.report import ExamReport, build_report
from jiaoheng.exams.sample import make_sample
from jiaoheng.exams.summary_json import summary

TODAY = dt.date(2026, 5, 1)


def table(data: dict[str, Any], key: str) -> dict[str, Any]:
    """One table of summary.json."""
    return next(one for one in data["tables"] if one["key"] == key)


@pytest.fixture(scope="module", params=[False, True], ids=["clean", "messy"])
def county(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("county")
    make_sample(folder, schools=12, pupils=1500, seed=11, messy=request.param)
    return folder, json.loads((folder / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def prepared(county: tuple[Path, dict[str, Any]]) -> Prepared:
    folder, _ = county
    answered = folder / "exam-answered.yaml"
    return prepare([folder], settings_path=answered if answered.exists() else None, yes=True, today=TODAY)


@pytest.fixture(scope="module")
def made(prepared: Prepared) -> ExamReport:
    assert prepared.ready, [str(problem) for problem in prepared.errors]
    return build_report(prepared)


@pytest.fixture(scope="module")
def data(made: ExamReport, prepared: Prepared) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(summary(made, prepared)))
    return found


def test_every_pupil_is_there_once(county: tuple[Path, dict[str, Any]], prepared: Prepared) -> None:
    """Doubles, summary sheets and enrolment lists do not make pupils."""
    assert prepared.roster.pupils.height == county[1]["pupils"]
    assert prepared.roster.pupils["school"].n_unique() == county[1]["schools"]


def test_no_school_lacks_its_scores(made: ExamReport) -> None:
    """Whatever a school's sheets look like, its pupils have scores."""
    schools = made.exam.scores(made.exam.main, "school")
    assert [name for name, sat in zip(schools.level.names, schools.sat, strict=True) if sat == 0] == []


def test_county_means_are_the_truth(county: tuple[Path, dict[str, Any]], data: dict[str, Any]) -> None:
    """Mean = sum ÷ (scored + cheated, who count 0), to the last digit of the print."""
    truth = county[1]["subjects"]
    rows = {row["paper"]: row for row in table(data, "county.papers")["rows"]}
    for name, one in truth.items():
        n = one["n"] + one["states"].get("cheated", 0)
        assert rows[name]["n"]["value"] == n, name
        assert rows[name]["mean"]["value"] == pytest.approx(float(Fraction(one["sum"]) / n), abs=1e-9), name


def test_total_is_the_truth(county: tuple[Path, dict[str, Any]], made: ExamReport) -> None:
    """Totals of pupils who have every subject: number and sum, exactly (a cheated subject counts 0 and is apart)."""
    truth = county[1]["total"]
    total = made.exam.roster.total
    assert total is not None
    scored = np.logical_and.reduce([scores.states == 0 for scores in made.exam.roster.scores.values()])
    assert (total.states[scored] == 0).all()
    assert int(scored.sum()) == truth["n"]
    assert total.subject.step * int(total.values[scored].sum()) == Fraction(str(truth["sum"]))


def test_injected_faults_are_found(county: tuple[Path, dict[str, Any]], prepared: Prepared) -> None:
    """Each injected wrong total is a warning at its cell; each hidden row was asked."""
    places = {(p.place.file, p.place.cell) for p in prepared.problems}
    asked = {question.key for question, _ in prepared.taken}
    for fault in county[1]["faults"]:
        if fault["kind"] == "wrong-total":
            assert (fault["file"], fault["cell"]) in places, fault
        if fault["kind"] == "hidden-row":
            assert any(key[0] == "rows" and fault["file"] in key[1] for key in asked), fault


def test_items_have_their_blueprint(prepared: Prepared) -> None:
    """Both item papers come with knowledge points."""
    assert set(prepared.roster.items) == {"数学", "物理"}
    for items in prepared.roster.items.values():
        assert len(items.blueprint) == len(items.items)
        assert all(line.knowledge for line in items.blueprint)


def test_prior_exam_is_matched(prepared: Prepared) -> None:
    """The earlier exam of the same pupils is aligned, joiners and leavers apart."""
    prior = prepared.roster.prior
    assert prior is not None
    assert prior.matched.mean() > 0.8


def test_no_list_ranks_pupils_over_schools(made: ExamReport) -> None:
    """No column of any list or table is a county rank of pupils."""
    for one in made.lists:
        assert not [c.label for c in one.columns if "名次" in c.label]
    assert not any(one.key.startswith("list.") for one in made.tables())


def test_every_column_with_a_definition_is_defined(data: dict[str, Any]) -> None:
    """Definition keys of columns and headline figures stand in the definitions."""
    keys = {c["definition"] for one in data["tables"] for c in one["columns"] if c["definition"]}
    keys |= {figure["definition"] for figure in data["headline"] if figure["definition"]}
    assert keys <= set(data["definitions"])
