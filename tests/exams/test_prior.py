"""The prior exam is aligned pupil by pupil; a later import of the same exam replaces by cell and erases nothing."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from readings import reading
from test_roster_joining import codes, message, question, roster_of, scores

from jiaoheng.exams.prior import align
from jiaoheng.exams.reimport import Change, ImportRefusedError, compare_import, merge_import
from jiaoheng.exams.roster_model import Roster
from jiaoheng.exams.totals import TotalPolicy
from jiaoheng.sheets.reading_model import ScoreState

POLICY = TotalPolicy()
BEFORE = {"sheets": {"成绩.xlsx|上次": "前次考试"}}


def _two(now: list[list[object]], before: list[list[object]], heads: list[str], **more: object) -> Roster:
    return roster_of(reading(heads, now, sheet="本次"), reading(heads, before, sheet="上次"), **{**BEFORE, **more})


def test_prior_by_number_whatever_the_class() -> None:
    heads = ["学号", "姓名", "班级", "语文", "数学"]
    roster = _two(
        [["S1", "甲", "1班", 90, 80], ["S2", "乙", "1班", 70, 60], ["S4", "丁", "2班", 50, 40]],
        [["S2", "乙", "3班", 65.5, 55], ["S1", "甲", "1班", 85, "缺考"], ["S3", "丙", "1班", 10, 10]],
        heads,
    )
    prior = roster.prior
    assert prior is not None
    assert prior.matched.tolist() == [True, True, False]
    assert prior.prior_only == 1
    chinese = prior.subjects["语文"]
    assert [int(v) * chinese.subject.step for v in chinese.values] == [85, Fraction("65.5"), 0]
    assert chinese.states.tolist() == [0, 0, ScoreState.MISSING]
    assert prior.total is not None
    assert prior.total.states.tolist() == [ScoreState.ABSENT, 0, ScoreState.MISSING]
    assert roster.pupils.height == 3


def test_prior_by_school_class_and_name() -> None:
    heads = ["学校", "班级", "姓名", "语文", "数学"]
    roster = _two(
        [["东", "1班", "张伟", 90, 80], ["东", "2班", "张伟", 70, 60], ["西", "1班", "张伟", 50, 40]],
        [["西", "1班", "张伟", 51, 41], ["东", "1班", "张 伟", 91, 81], ["东", "2班", "张伟", 71, 61]],
        heads,
    )
    assert roster.prior is not None
    values = dict(
        zip(
            zip(roster.pupils["school"], roster.pupils["class"], strict=True),
            roster.prior.subjects["语文"].values,
            strict=True,
        )
    )
    assert values == {("东", "1班"): 91, ("东", "2班"): 71, ("西", "1班"): 51}


def test_prior_after_a_change_of_classes_is_asked() -> None:
    heads = ["班级", "姓名", "语文", "数学"]
    now = [["1班", f"生{i}", 60 + i, 50] for i in range(10)]
    before = [["5班", f"生{i}", 50 + i, 40] for i in range(10)]
    roster = _two(now, before, heads)
    assert roster.prior is not None
    assert not roster.prior.matched.any()
    asked = question(roster, "prior-class-change")
    assert (asked.key, asked.default) == (("accept", "prior-class-change"), "不对应")
    assert "有 10 名学生没有相同的号码" in asked.text
    assert "只有 0 名能与本次的 10 名学生对应" in message(roster, "prior-unmatched")
    answered = _two(now, before, heads, accept={"prior-class-change": "对应"})
    assert answered.prior is not None
    assert answered.prior.matched.all()
    assert answered.prior.subjects["语文"].values.tolist() == list(range(50, 60))


def test_prior_homonyms_are_never_matched() -> None:
    heads = ["班级", "姓名", "语文", "数学"]
    roster = _two(
        [["1班", "张伟", 90, 80]],
        [["1班", "张伟", 60, 50], ["1班", "张伟", 70, 60]],
        heads,
        people={"1班|张伟": "不同人"},
    )
    assert roster.prior is not None
    assert not roster.prior.matched.any()


def test_same_number_with_another_name_is_not_the_same_pupil() -> None:
    heads = ["考号", "姓名", "语文", "数学"]
    roster = _two([["01", "甲", 90, 80], ["02", "乙", 80, 70]], [["01", "乙", 60, 50], ["02", "甲", 70, 60]], heads)
    assert roster.prior is not None
    assert dict(zip(roster.pupils["name"], roster.prior.subjects["语文"].values, strict=True)) == {"甲": 70, "乙": 60}


def test_prior_by_file_and_other_word_for_english() -> None:
    roster = roster_of(
        reading(["学号", "外语", "数学"], [["S1", 90, 80]], file="期末.xlsx"),
        reading(["学号", "英语", "数学"], [["S1", 70, 60]], file="期中.xlsx"),
        prior={"files": ["上传/期中.xlsx"], "name": "期中考试"},
        subjects={"外语": {"full": 120}, "数学": {"full": 120}},
    )
    assert roster.prior is not None
    assert roster.prior.name == "期中考试"
    assert roster.prior.subjects["外语"].values.tolist() == [70]
    assert roster.prior.total is not None
    assert roster.prior.total.values.tolist() == [130]


def test_prior_with_totals_only() -> None:
    roster = roster_of(
        reading(["学号", "语文", "数学"], [["S1", 90, 80], ["S2", 70, 60]], sheet="本次"),
        reading(["学号", "总分"], [["S2", 500], ["S1", 480]], sheet="上次"),
        **BEFORE,
    )
    assert roster.prior is not None
    assert roster.prior.total is not None
    assert roster.prior.total.values.tolist() == [480, 500]


names = st.sampled_from(["甲", "乙", "丙", "丁"])
pupil = st.tuples(
    st.sampled_from([None, "S1", "S2", "S3"]),
    st.sampled_from([None, "东", "西"]),
    st.sampled_from([None, "1班", "2班"]),
    names,
)


def _frame(rows: list[tuple[str | None, str | None, str | None, str]]) -> pl.DataFrame:
    columns = ["pupil_id", "school", "class", "name_key"]
    table = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
    return table.with_columns(pl.lit(None, pl.String).alias("id_card"), pl.lit(None, pl.String).alias("exam_no"))


@given(st.lists(pupil, max_size=8), st.lists(pupil, max_size=8))
@settings(max_examples=80, deadline=None)
def test_alignment_is_one_to_one_and_never_against_a_name(now, before) -> None:  # type: ignore[no-untyped-def]
    match = align(_frame(now), _frame(before), across_classes=False)
    used = [int(m) for m in match if m >= 0]
    assert len(used) == len(set(used))
    for i, m in enumerate(match):
        if m >= 0:
            assert now[i][3] == before[m][3]
            known = [
                (a, b) for a, b in zip(now[i][1:3], before[m][1:3], strict=True) if a is not None and b is not None
            ]
            assert now[i][0] == before[m][0] or all(a == b for a, b in known)


def test_c12_second_version() -> None:
    """C12: S1 85, S2 70 kept, S3 ABSENT; 2 changed, 1 kept; history keeps 80 and 60; again: 0 changes."""
    first = roster_of(reading(["学号", "数学"], [["S1", 80], ["S2", 70], ["S3", 60]], file="v1.xlsx"))
    second = roster_of(reading(["学号", "数学"], [["S1", 85], ["S2", None], ["S3", "缺考"]], file="v2.xlsx"))
    merged = merge_import(first, second, POLICY)
    assert scores(merged.roster, "数学") == {"S1": "85", "S2": "70", "S3": "ABSENT"}
    assert {change: count for change, count in merged.preview.counts.items() if count} == {
        Change.CHANGED: 2,
        Change.KEPT: 1,
    }
    changes = {
        row["key"]: (row["kind"], row["before"], row["after"]) for row in merged.preview.changes.iter_rows(named=True)
    }
    assert changes == {"S1": ("改动", "80", "85"), "S2": ("保留", "70", "空白"), "S3": ("改动", "60", "缺考")}
    assert merged.preview.changes["file"].unique().to_list() == ["v2.xlsx"]
    assert merged.history["before"].to_list() == ["80", "60"]
    again = merge_import(merged.roster, second, POLICY, merged.history)
    assert again.preview.counts[Change.CHANGED] == again.preview.counts[Change.NEW] == 0
    assert again.preview.same_files
    assert scores(again.roster, "数学") == scores(merged.roster, "数学")
    assert again.history["before"].to_list() == ["80", "60"]


def test_import_of_other_pupils_and_subjects_adds() -> None:
    first = roster_of(reading(["学号", "姓名", "班级", "语文"], [["S1", "甲", "2班", 80.5], ["S2", "乙", "1班", 70]]))
    second = roster_of(
        reading(["学号", "姓名", "班级", "语文", "数学"], [["S3", "丙", "1班", 60, 50], ["S1", "甲", "2班", 80.5, 40]])
    )
    merged = merge_import(first, second, POLICY)
    assert merged.roster.pupils["key"].to_list() == ["S2", "S3", "S1"]
    assert merged.preview.new_pupils == 1
    assert merged.preview.untouched_pupils == 1
    assert scores(merged.roster, "语文") == {"乙": "70", "丙": "60", "甲": "161/2"}
    assert scores(merged.roster, "数学") == {"乙": "MISSING", "丙": "50", "甲": "40"}
    assert merged.preview.counts[Change.SAME] == 1
    assert merged.roster.total is not None
    assert merged.roster.total.states.tolist() == [ScoreState.MISSING, 0, 0]


def test_import_with_an_error_is_refused_whole() -> None:
    """C27: one bad cell and nothing is taken; the corrected file gives five rows, twice the same five."""
    good = [["S1", "甲", 80], ["S2", "乙", 70], ["S3", "丙", 60], ["S4", "丁", 80], ["S5", "戊", 50]]
    bad = roster_of(reading(["学号", "姓名", "数学"], [*good[:3], ["S4", "丁", 800], good[4]]))
    assert bad.pupils.is_empty()
    empty = roster_of(reading(["学号", "姓名", "数学"], good[:1]))
    with pytest.raises(ImportRefusedError, match=r"没有导入任何成绩：.*C5：数学成绩 800 超过满分 150"):
        merge_import(empty, bad, POLICY)
    fixed = roster_of(reading(["学号", "姓名", "数学"], good))
    once = merge_import(fixed, fixed, POLICY)
    assert once.roster.pupils.height == 5
    assert once.preview.counts[Change.SAME] == 5
    assert "scores-differ" not in codes(once.roster)


cell = st.one_of(st.none(), st.sampled_from(["缺考", "免考"]), st.integers(0, 200).map(lambda v: v / 2))


@given(st.lists(cell, min_size=4, max_size=4), st.lists(cell, min_size=4, max_size=4))
@settings(max_examples=30, deadline=None)
def test_merging_is_settled_and_counts_add_up(old: list[object], new: list[object]) -> None:
    first, second = (
        roster_of(reading(["学号", "数学"], [[f"S{i}", mark] for i, mark in enumerate(marks)]), accept={})
        for marks in (old, new)
    )
    preview = compare_import(first, second)
    assert sum(preview.counts.values()) == sum(
        1 for a, b in zip(old, new, strict=True) if a is not None or b is not None
    )
    merged = merge_import(first, second, POLICY)
    own = merged.roster.scores["数学"]
    for i, (a, b) in enumerate(zip(old, new, strict=True)):
        expected = b if b is not None else a
        if isinstance(expected, float):
            assert own.values[i] * own.subject.step == Fraction(expected)
        else:
            assert (
                own.states[i]
                == {None: ScoreState.MISSING, "缺考": ScoreState.ABSENT, "免考": ScoreState.EXEMPT}[expected]
            )
    again = compare_import(merged.roster, second)
    assert again.counts[Change.CHANGED] == again.counts[Change.NEW] == 0
    assert np.array_equal(merge_import(merged.roster, second, POLICY).roster.scores["数学"].values, own.values)
