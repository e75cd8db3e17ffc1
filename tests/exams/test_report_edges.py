"""Reports of unusual exams: monitoring, one school, one class, nobody in a subject, a handful of pupils, equal marks."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from reference import County, Pupil, Rules
from report_kit import FOLDS, FULLS, Made, hand_made, small_county

from jiaoheng.exams.school_packs import write_school_packs

MONITORING = {"nature": "质量监测", "grade": "八年级", "approval_document": "省教督〔2026〕3号"}
LINE = {"lines": {"lines": [{"name": "合格线", "score": 190}]}}


def one_school() -> list[Pupil]:
    return [one for one in hand_made() if one.school == "甲中学"]


def one_class() -> list[Pupil]:
    return [one for one in one_school() if one.class_ == "九(1)班"]


def nobody_in_english() -> list[Pupil]:
    people = hand_made()
    for one in people:
        one.scores["英语"] = ("absent", None)
    return people


def tiny() -> list[Pupil]:
    return hand_made(sizes={"甲中学": 5, "乙中学": 6, "丙中学": 4})


def one_pupil() -> list[Pupil]:
    return hand_made(seed=4, sizes={"甲中学": 1})


def equals() -> list[Pupil]:
    people = hand_made()
    for one in people:
        one.scores = {name: ("scored", full / 2) for name, full in FULLS.items()}
    return people


EDGES: dict[str, tuple[Callable[[], list[Pupil]], dict[str, Any]]] = {
    "one school": (one_school, LINE),
    "one class": (one_class, LINE),
    "nobody in a subject": (nobody_in_english, LINE),
    "tiny schools": (tiny, LINE),
    "one pupil": (one_pupil, LINE),
    "equal marks": (equals, LINE),
    "monitoring": (hand_made, {**LINE, **MONITORING}),
}


@pytest.fixture(scope="module", params=list(EDGES))
def edge(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[Pupil], Made]:
    people, settings = EDGES[request.param]
    pupils, made = small_county(tmp_path_factory.mktemp("edge"), people(), **settings)
    return request.param, pupils, made


def test_sentences_are_whole(edge: tuple[str, list[Pupil], Made]) -> None:
    """No empty list, None, nan or 0 of nothing in any sentence; no definition is left with a brace."""
    name, _, made = edge
    for text in [*made.texts(), *(one["text"] for one in made.data["definitions"].values())]:
        assert not re.search(r"[{}]|None|nan|（）|^0 |、。|，。|；。|约有? 0 名", text), (name, text)


def test_counts_are_right(edge: tuple[str, list[Pupil], Made]) -> None:
    """Means and N of every paper, whatever is odd about the exam."""
    name, pupils, made = edge
    reference = County(pupils, FULLS, Rules(), FOLDS)
    rows = made.rows("county.papers", "paper")
    for (paper,), row in rows.items():
        one = reference.figures(paper, "county", range(len(pupils)))
        assert row["n"]["value"] == one.n
        assert row["mean"]["value"] == (None if one.mean is None else float(one.mean)), (name, paper)
    assert (("总分",) in rows) == any(state == "scored" for state in reference.papers["总分"].state)


def test_one_school_is_not_a_county(edge: tuple[str, list[Pupil], Made]) -> None:
    """Where the files speak of one school, nothing is called 全县, and no table compares schools."""
    name, pupils, made = edge
    if len({one.school for one in pupils}) > 1:
        pytest.skip("this exam has several schools")
    said = "\n".join([*made.texts(), *(one["text"] for one in made.data["definitions"].values())])
    assert said.count("全县") == said.count("全县学生名次榜"), name
    assert not [key for key in made.table_keys() if key.startswith(("school.", "levels.school", "rank_bands"))]


def test_small_units_are_neither_ranked_nor_judged(edge: tuple[str, list[Pupil], Made]) -> None:
    """Schools of fewer than ten have grey figures, no rank and no verdict, and set no highest value."""
    _, pupils, made = edge
    if "school.总分.full" not in made.table_keys():
        pytest.skip("no comparison of schools")
    reference = County(pupils, FULLS, Rules(), FOLDS)
    for path, members in reference.units("school").items():
        one, row = reference.figures("总分", "school", members), made.rows("school.总分.full", "school")[path]
        if one.n < 10:
            assert isinstance(row["verdict"], dict)
            assert row.get("rank", {}).get("value") is None
            assert "mean" not in row or row["mean"]["few"] or row["mean"]["value"] is None


def test_monitoring_shows_levels_and_intervals_only(tmp_path: Path) -> None:
    """No mean, rate, rank, composite, band or line of any school or class; schools in the order of their names."""
    _, made = small_county(tmp_path, hand_made(), **LINE, **MONITORING)
    keys = made.table_keys()
    names = list(made.report.exam.units.schools.names)
    barred = re.compile(r"composite|rank_bands|school\.bands|\.rates|\.three|^line.*\.schools$|school_subjects")
    assert not [key for key in keys if barred.search(key)]
    for key in keys:
        if key.startswith(("school.", "class.", "district.")):
            columns = {column["key"] for column in made.table(key)["columns"]}
            assert not columns & {"mean", "excellent", "pass", "low", "rank", "rank_interval", "over_mean", "t"}, key
            places = [names.index(row["school"]) for row in made.table(key)["rows"][:-1] if "school" in row]
            assert places == sorted(places), key
    assert [row["school"] for row in made.table("groups.schools")["rows"]] == ["清河县"]
    assert "校均分" not in "\n".join(made.texts())
    for one in made.report.lists:
        assert not [column.label for column in one.columns if "名次" in column.label]


def test_monitoring_packs_hold_no_marks_of_units(tmp_path: Path) -> None:
    """A school's own papers under monitoring: levels and intervals, no mean, rate, mark or place of a pupil."""
    import openpyxl

    _, made = small_county(tmp_path, hand_made(), **MONITORING)
    write_school_packs(made.report, tmp_path / "packs", lambda *_: None)
    book = openpyxl.load_workbook(tmp_path / "packs" / "甲中学" / "成绩.xlsx")
    heads = {str(cell.value) for sheet in book for row in sheet.iter_rows(max_row=4) for cell in row if cell.value}
    assert not [head for head in heads if re.search(r"平均分$|及格率|优秀率|名次|分数$", head)]
    assert any("等级" in head for head in heads)


def test_places_in_school_do_not_depend_on_the_denominator(tmp_path: Path) -> None:
    """B5 cuts the tail of the statistics, not of the school's own list; B2's zeros take no place."""
    from jiaoheng.exams.school_pupils import SchoolPupils

    found = []
    for rule in ("B1", "B2", "B5"):
        folder = tmp_path / rule
        folder.mkdir()
        own = {"denominator": {"rule": rule}, "missing": {"total": "缺科不计总分", "absent": "不计"}}
        _, made = small_county(folder, hand_made(), **own)
        school = SchoolPupils(made.report.exam, 0)
        found.append((school.class_ranks.tolist(), school.school_ranks.tolist()))
    assert found[0] == found[1] == found[2]
    assert max(found[0][1]) > 30


def test_thresholds_of_a_subject_are_told(tmp_path: Path) -> None:
    """A subject with its own threshold is counted by it, and the definition names it."""
    pupils, made = small_county(tmp_path, subject_thresholds={"数学": {"excellent": 0.9}})
    marks = County(pupils, FULLS, Rules(), FOLDS).papers["数学"].counted.values()
    share = Fraction(sum(mark >= 90 for mark in marks), len(marks))
    assert made.rows("county.papers", "paper")["数学",]["excellent"]["value"] == float(share)
    assert "其中数学 0.9" in made.data["definitions"]["excellent"]["text"]


def test_equal_marks_make_no_groups(tmp_path: Path) -> None:
    """Nobody is struggling and top at once."""
    _, made = small_county(tmp_path, equals())
    assert any("总分没有拉开差距，不分学困生和尖子生" in text for text in made.texts())
    row = made.rows("groups.schools", "school")["清河县",]
    assert (row["struggling"]["value"], row["top"]["value"]) == (0, 0)


def test_names_that_the_roster_does_not_know(tmp_path: Path) -> None:
    """A school without its cohort, a line's track that nobody has: errors with the names there are, no wrong number."""
    from jiaoheng.exams.settings_names import check_names

    _, made = small_county(tmp_path, **LINE)
    chosen, roster = made.prepared.resolution.settings, made.prepared.roster
    cohort = replace(chosen.denominator, rule="B4", cohort={"甲中学": 40, "申中学": 3})
    line = replace(chosen.lines.lines[0], track="物理类", subject_lines={"化学": Fraction(60)})
    bad = replace(chosen, denominator=cohort, lines=replace(chosen.lines, lines=(line,)), districts={"酉中学": "东片"})
    found = {problem.code: problem for problem in check_names(bad, roster)}
    assert set(found) == {"settings-cohort", "settings-track", "settings-subject", "settings-district"}
    assert "没有丁中学、丙中学、乙中学的起始年级人数；填写的申中学不在名册中" in found["settings-cohort"].message
    assert "“合格线”的类别“物理类”没有一名学生，名册中没有科类" in found["settings-track"].message
    assert check_names(chosen, roster) == []
