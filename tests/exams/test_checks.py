"""What cannot be right or looks wrong is named with its cell; what is right is not."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from readings import reading
from test_roster_joining import codes, message, question, roster_of, scores

from jiaoheng.exams.declared_ranks import competition_ranks
from jiaoheng.exams.observations import observe
from jiaoheng.exams.steps import common_step, plain, plain_fraction, regrid, smallest_step, to_steps
from jiaoheng.sheets.places import Severity
from jiaoheng.sheets.reading_model import Measure, ScoreState


def test_c21_range() -> None:
    """C21: 155 of 150 is an error at its cell, −1 too, and nothing is released."""
    rows = [["甲", 155, 90], ["乙", -1, 90], ["丙", 101, 90]]
    roster = roster_of(reading(["姓名", "语文", "数学"], rows, sheet="九(2)班"))
    assert message(roster, "score-above-full") == (
        "成绩.xlsx 工作表“九(2)班” B2：语文成绩 155 超过满分 150。请改正，或在考试设置中修改满分。"
    )
    assert "B3：语文成绩 -1 是负数" in message(roster, "score-negative")
    assert roster.pupils.is_empty()
    assert not roster.scores
    assert roster.total is None


def test_full_mark_of_the_sheet_holds_where_settings_say_none() -> None:
    roster = roster_of(reading(["姓名", "生物"], [["甲", 61]], full_marks={"生物": 60000}))
    assert "生物成绩 61 超过满分 60" in message(roster, "score-above-full")


def test_unknown_full_mark_is_asked_and_contradicting_ones_too() -> None:
    roster = roster_of(reading(["姓名", "生物"], [["甲", 61]]))
    asked = question(roster, "full-mark-unknown")
    assert (asked.key, asked.default, asked.blocking) == (("subjects", "生物", "full"), None, True)
    two = roster_of(
        reading(["姓名", "生物"], [["甲", 61]], sheet="1", full_marks={"生物": 80000}),
        reading(["姓名", "生物"], [["乙", 61]], sheet="2", full_marks={"生物": 100000}),
    )
    assert [choice.value for choice in question(two, "full-mark-unknown").choices] == ["80", "100"]


def test_full_mark_zero_is_an_error() -> None:
    roster = roster_of(reading(["姓名", "生物"], [["甲", 0]], full_marks={"生物": 0}))
    assert "生物的满分是 0，满分必须大于 0" in message(roster, "full-mark-zero")


def test_hundreds_of_errors_are_counted() -> None:
    roster = roster_of(reading(["姓名", "语文"], [[f"生{i}", 151] for i in range(300)]))
    assert codes(roster).count("score-above-full") == 201
    assert any("另有 100 处成绩超过满分" in str(problem) for problem in roster.problems)


def test_odd_decimals_in_a_half_point_subject() -> None:
    rows = [[f"生{i}", 60 + i / 2] for i in range(99)] + [["末", 70.3]]
    roster = roster_of(reading(["姓名", "语文"], rows))
    assert "B101：语文成绩 70.3 不是 0.5 分的整数倍" in message(roster, "score-off-step")
    assert roster.scores["语文"].subject.step == Fraction(1, 10)
    tenths = roster_of(reading(["姓名", "语文"], [[f"生{i}", 60 + i / 10] for i in range(100)]))
    assert "score-off-step" not in codes(tenths)
    declared = roster_of(
        reading(["姓名", "语文"], [["甲", 70.5], ["乙", 60]]), subjects={"语文": {"full": 150, "step": 1}}
    )
    assert "70.5 不是 1 分的整数倍" in message(declared, "score-off-step")


def test_doubtful_subjects() -> None:
    rows = [[f"生{i}", 20 + i, 0, None, 3 if i < 2 else 90] for i in range(12)]
    roster = roster_of(reading(["姓名", "语文", "数学", "英语", "物理"], rows))
    assert "语文的最高分只有 31，远低于满分 150" in message(roster, "full-doubtful")
    assert "数学的 12 个成绩都是 0" in message(roster, "subject-zero")
    assert "英语没有一个成绩" in message(roster, "subject-empty")
    assert "物理有 2 个成绩不到 10 分" in message(roster, "single-digit")
    assert not codes(roster, Severity.ERROR)


def test_shifted_column() -> None:
    sheets = [
        reading(["学号", "语文", "数学"], [[f"S{c}{i}", 100 + i, 90 + i] for i in range(10)], sheet=f"{c}班")
        for c in (1, 2, 3)
    ]
    sheets.append(reading(["学号", "语文", "数学"], [[f"S4{i}", i, 100 + i] for i in range(10)], sheet="4班"))
    text = message(roster_of(*sheets), "column-shifted")
    assert "这张表的语文最高分只有 9，其他表一般有 109，可能是列错位" in text


def test_school_without_a_subject() -> None:
    roster = roster_of(
        reading(["学号", "语文", "数学"], [["S1", 90, 80]], file="东.xlsx", school="东镇中学"),
        reading(["学号", "语文"], [["S2", 90]], file="西.xlsx", school="西河中学"),
    )
    assert "西河中学没有数学的成绩" in message(roster, "school-without-subject")


def test_blank_is_an_error_where_the_policy_says_so() -> None:
    sheet = reading(["学号", "语文", "数学"], [["S1", 90, None], ["S2", 80, 70]])
    assert not codes(roster_of(sheet), Severity.ERROR)
    strict = roster_of(sheet, missing={"blank": "报错"})
    assert "C2：数学成绩是空白。请补上成绩，缺考请写“缺考”。" in message(strict, "score-blank")


def test_declared_ranks() -> None:
    rows = [["1班", "甲", 90, 1, 2], ["1班", "乙", 90, 2, 2], ["2班", "丙", 95, 1, 1]]
    roster = roster_of(reading(["班级", "姓名", "语文", "班名次", "级名次"], [[*row] for row in rows]), grade="九年级")
    assert "rank-differs" not in codes(roster)  # a lone subject has no total to rank
    ranks = roster_of(
        reading(
            ["班级", "姓名", "语文", "语文名次"], [["1班", "甲", 90, 2], ["1班", "乙", 90, 3], ["2班", "丙", 95, 1]]
        )
    )
    assert "“语文名次”中 3 个名次有 1 个与按全体计算的不同：D3 为 3，应为 2" in message(ranks, "rank-differs")


def test_ranks_of_a_wider_scope_are_not_wrong() -> None:
    rows = [[f"生{i}", 150 - i, 100, 40 * i + 3] for i in range(20)]
    roster = roster_of(reading(["姓名", "语文", "数学", "级名次"], rows))
    assert "可能是按更大的范围排的" in message(roster, "rank-unexplained")
    assert "rank-unexplained" in codes(roster, Severity.NOTE)


def test_c15_declared_mean() -> None:
    rows = [["甲", 80], ["乙", 90], ["丙", 80]]
    assert "表尾的语文平均分 83.33 与计算的一致" in message(
        roster_of(reading(["姓名", "语文"], rows, means={"语文": "83.33"})), "mean-agrees"
    )
    wrong = roster_of(reading(["姓名", "语文"], [*rows, ["丁", "缺考"]], means={"语文": "62.5"}))
    assert "平均分是 62.5，按 3 个成绩计算是 83.3（按全部 4 人、缺考计零分则为 62.5）" in message(wrong, "mean-differs")


def test_observations() -> None:
    seen = observe(
        [
            reading(["姓名", "语文", "数学赋分"], [["甲", 88.5, 70], ["乙", "缺考", 61]], full_marks={"语文": 120000}),
            reading(["姓名", "语文"], [["丙", 91]], sheet="2", full_marks={"语文": 150000}),
        ]
    )
    chinese = seen["语文"]
    assert (chinese.n, chinese.max, chinese.min, chinese.step) == (2, 91000, 88500, Fraction(1, 2))
    assert set(chinese.declared_full) == {120000, 150000}
    assert str(chinese.declared_full[150000][0]) == "成绩.xlsx 工作表“2”"
    assert chinese.max_place is not None
    assert chinese.max_place.cell == "B2"
    assert seen["数学"].measures == frozenset({Measure.SCALED})


@given(st.lists(st.integers(0, 300), min_size=1, max_size=40), st.data())
@settings(max_examples=80, deadline=None)
def test_competition_ranks_against_the_definition(values: list[int], data: st.DataObject) -> None:
    groups = data.draw(st.lists(st.integers(0, 3), min_size=len(values), max_size=len(values)))
    ranks = competition_ranks(np.array(values), np.array(groups))
    for i, value in enumerate(values):
        better = sum(1 for j, other in enumerate(values) if groups[j] == groups[i] and other > value)
        assert ranks[i] == better + 1


@given(st.lists(st.integers(0, 150_000), min_size=1, max_size=30))
@settings(max_examples=80, deadline=None)
def test_smallest_step_is_exact_and_the_largest_allowed(values: list[int]) -> None:
    array = np.array(values, np.int64)
    step = smallest_step(array)
    steps = to_steps(array, step)
    assert [int(s) * step * 1000 for s in steps] == values
    for larger in (Fraction(1), Fraction(1, 2), Fraction(1, 4), Fraction(1, 10), Fraction(1, 20), Fraction(1, 100)):
        if larger > step:
            assert any(Fraction(value, 1000) % larger for value in values)


@given(st.fractions(Fraction(1, 100), 3, max_denominator=100), st.fractions(Fraction(1, 100), 3, max_denominator=100))
def test_common_step_divides_both(one: Fraction, two: Fraction) -> None:
    step = common_step(one, two)
    assert (one / step).denominator == (two / step).denominator == 1


def test_steps_refuse_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="no multiple of 1/2"):
        to_steps(np.array([300]), Fraction(1, 2))
    assert regrid(np.array([3], np.int32), Fraction(1, 2), Fraction(1, 10)).tolist() == [15]
    with pytest.raises(ValueError, match="does not divide"):
        regrid(np.array([3], np.int32), Fraction(1, 2), Fraction(1, 3))


@given(st.integers(-200_000, 200_000))
def test_plain_marks(milli: int) -> None:
    assert Decimal(plain(milli)) * 1000 == milli
    assert plain_fraction(Fraction(milli, 1000)) == plain(milli)


def test_state_words_stay_apart() -> None:
    rows = [["甲", 0], ["乙", "缺考"], ["丙", None], ["丁", "免考"], ["戊", "作弊"], ["己", "未选"]]
    roster = roster_of(reading(["姓名", "物理"], rows))
    assert list(scores(roster, "物理").values()) == ["0", "ABSENT", "MISSING", "EXEMPT", "CHEATED", "NOT_CHOSEN"]
    assert roster.scores["物理"].states[0] == ScoreState.SCORED
