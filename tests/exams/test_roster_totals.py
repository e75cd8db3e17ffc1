"""Totals: who has one, what the files mean by it, and where they are wrong."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from readings import reading
from test_roster_joining import codes, message, question, roster_of

from jiaoheng.exams.roster_model import Roster, Subject, SubjectScores
from jiaoheng.exams.totals import TotalPolicy, total_scores
from jiaoheng.sheets.places import Severity
from jiaoheng.sheets.reading_model import ScoreState

STATES = list(ScoreState)


def totals(roster: Roster) -> list[str]:
    assert roster.total is not None
    own = roster.total
    return [
        str(own.values[i] * own.subject.step) if own.states[i] == 0 else ScoreState(own.states[i]).name
        for i in range(len(own.values))
    ]


def test_c08_ties_are_exact_and_the_absent_have_no_total() -> None:
    rows = [
        ["甲", 100, 100, 100],
        ["乙", 60.1, 70.2, 80.3],
        ["丙", 70.2, 80.3, 60.1],
        ["丁", 50, 50, 50],
        ["戊", *["缺考"] * 3],
    ]
    roster = roster_of(reading(["姓名", "语文", "数学", "英语"], rows))
    assert totals(roster) == ["300", "1053/5", "1053/5", "150", "ABSENT"]
    assert roster.total is not None
    assert roster.total.values[1] == roster.total.values[2]


def test_c30_folds() -> None:
    names = ["语文", "数学", "英语", "政治", "历史", "物理", "生物", "地理"]
    fulls = dict(zip(names, [120_000] * 3 + [100_000] * 5, strict=True))
    weights = dict(zip(names, ["1", "1", "1", "0.5", "0.4", "0.5", "0.3", "0.3"], strict=True))
    sheet = reading(["姓名", *names], [["学生甲", 100, 90, 110, 80, 70, 88, 90, 60]], full_marks=fulls, weights=weights)
    roster = roster_of(sheet, subjects={})
    assert totals(roster) == ["457"]
    assert roster.total is not None
    assert roster.total.subject.full == 560
    assert not roster.questions


def test_fold_row_that_gives_full_marks_is_asked() -> None:
    sheet = reading(
        ["姓名", "语文", "物理"], [["甲", 100, 80]], full_marks={"语文": 120000, "物理": 100000}, weights={"物理": "50"}
    )
    roster = roster_of(sheet, subjects={})
    asked = question(roster, "fold-as-full")
    assert (asked.key, asked.default) == (("subjects", "物理", "fold"), "0.5")
    assert totals(roster) == ["140"]


def _table(total: list[str], folds: dict[str, float] | None = None, wrong: int = 0, n: int = 60):  # type: ignore[no-untyped-def]
    names = ["语文", "数学", "英语", "道德与法治", "历史", "生物", "地理"]
    rng = np.random.default_rng(3)
    rows = []
    for i in range(n):
        marks = [int(v) for v in rng.integers(20, 90, len(names))]
        whole = sum(m * (folds or {}).get(name, 1) for name, m in zip(names, marks, strict=True) if name in total)
        rows.append([f"S{i}", f"生{i}", *marks, round(whole, 3) + (7 if i < wrong else 0)])
    fulls = dict.fromkeys(names, 100_000)
    return reading(["学号", "姓名", *names, "总分"], rows, full_marks=fulls)


def test_total_of_some_subjects_is_found_and_asked_once() -> None:
    five = ["语文", "数学", "英语", "道德与法治", "历史"]
    roster = roster_of(_table(five), subjects={})
    asked = question(roster, "total-subjects")
    assert asked.key == ("accept", "total-subjects")
    assert asked.default == "语文+数学+英语+道德与法治+历史"
    assert asked.text.startswith(
        "总分 = 语文+数学+英语+道德与法治+历史（不含生物、地理）与 60 人中的 60 人一致；全部科目之和只与 0 人一致"
    )
    assert len(roster.questions) == 1
    assert "total-differs" not in codes(roster)
    assert [s.name for s in roster.subjects if s.in_total] == five
    assert roster.total is not None
    assert roster.total.subject.full == 500
    everything = roster_of(_table(five), subjects={}, accept={"total-subjects": "全部科目"})
    assert all(subject.in_total for subject in everything.subjects)
    assert not everything.questions
    assert codes(everything).count("total-differs") == 60


def test_found_total_with_a_few_slips_names_their_cells() -> None:
    roster = roster_of(_table(["语文", "数学", "英语"], wrong=2), subjects={})
    assert question(roster, "total-subjects").default == "语文+数学+英语"
    assert "与 60 人中的 58 人一致" in question(roster, "total-subjects").text
    assert codes(roster, Severity.WARNING).count("total-differs") == 2
    assert "J2：总分" in message(roster, "total-differs")


def test_folded_total_is_found() -> None:
    folds = {"道德与法治": 0.5, "历史": 0.5, "生物": 0.3, "地理": 0.3}
    roster = roster_of(_table(["语文", "数学", "英语", *folds], folds), subjects={})
    assert question(roster, "total-subjects").default == "语文+数学+英语+道德与法治×0.5+历史×0.5+生物×0.3+地理×0.3"
    assert {s.name: s.fold for s in roster.subjects}["生物"] == Fraction(3, 10)


def test_unexplained_total_is_asked() -> None:
    rng = np.random.default_rng(5)
    rows = [
        [f"S{i}", int(a), int(b), int(a + b + rng.integers(1, 9))]
        for i, (a, b) in enumerate(rng.integers(20, 90, (40, 2)))
    ]
    sheet = reading(["学号", "语文", "数学", "总分"], rows)
    roster = roster_of(sheet)
    asked = question(roster, "total-unexplained")
    assert asked.default == "全部科目"
    assert "只在 40 人中的 0 人一致" in asked.text
    own = roster_of(sheet, accept={"total-subjects": "文件总分"})
    assert totals(own) == [str(row[3]) for row in rows]
    assert own.total is not None
    assert own.total.subject.full == 300


def test_c21_one_wrong_total_is_a_warning_at_its_cell() -> None:
    rows = [["丙", 101, 90, 191], ["丁", 99.111, 90, 189.111], ["戊", 100, 90, 195], ["己", 100, 90, 190]]
    roster = roster_of(reading(["姓名", "语文", "数学", "总分"], rows))
    assert "D4：总分 195 与各科之和 190 不一致" in message(roster, "total-differs")
    assert codes(roster, Severity.WARNING).count("total-differs") == 1
    assert not roster.questions
    assert totals(roster)[2] == "190"


def test_settings_that_name_the_total_are_not_asked_about() -> None:
    said = {
        name: {"in_total": name in ("语文", "数学")}
        for name in ("语文", "数学", "英语", "道德与法治", "历史", "生物", "地理")
    }
    roster = roster_of(_table(["语文", "数学"]), subjects=said)
    assert not [q for q in roster.questions if q.code.startswith("total")]
    assert "total-differs" not in codes(roster)


@pytest.mark.parametrize("answer", ["语文+数雪", "语文×0", "语文×1/0", "语文×多", "+"])
def test_answer_that_cannot_be_read_is_an_error(answer: str) -> None:
    roster = roster_of(_table(["语文", "数学"]), subjects={}, accept={"total-subjects": answer})
    assert f"设置中总分的算法“{answer}”看不懂" in message(roster, "total-answer")
    assert ("没有数雪这一科" in message(roster, "total-answer")) is (answer == "语文+数雪")
    assert roster.pupils.is_empty()


def test_file_with_totals_only() -> None:
    sheet = reading(["学号", "班级", "总分"], [["S1", "1班", 500], ["S2", "1班", "缺考"]])
    roster = roster_of(sheet, subjects={"总分": {"full": 750}})
    assert totals(roster) == ["500", "MISSING"]
    assert roster.subjects == ()


def test_partial_totals_are_checked() -> None:
    rows = [[f"S{i}", 60 + i, 50 + 2 * i, 70, 110 + 3 * i + (1 if i == 5 else 0)] for i in range(30)]
    roster = roster_of(reading(["学号", "语文", "数学", "英语", "语数总分"], rows))
    assert "E7：“语数总分” 126 与各科之和 125 不一致。这一列一般等于 语文+数学，请核对" in message(
        roster, "partial-total-differs"
    )


def test_elective_blanks_are_not_chosen_and_asked() -> None:
    rows = [
        [f"S{i}", 100, 90, 80 if i % 2 else None, None if i % 2 else 70, 60 if i % 3 else None, None if i % 3 else 50]
        for i in range(30)
    ]
    sheet = reading(
        ["学号", "语文", "数学", "物理", "历史", "化学", "地理"],
        rows,
        full_marks=dict.fromkeys(["历史", "地理"], 100000),
    )
    roster = roster_of(sheet)
    asked = question(roster, "blank-electives")
    assert (asked.key, asked.default) == (("marks", "空白"), "未选")
    assert set(totals(roster)) == {"330", "320", "310"}
    absent = roster_of(sheet, marks={"空白": "缺失"})
    assert set(totals(absent)) == {"MISSING"}
    assert not absent.questions


def test_combination_and_track_explain_blanks_without_a_question() -> None:
    rows = [
        ["S1", "物化生", 80, 70, None, None],
        ["S2", "史地政", None, None, 60, 50],
        ["S3", "物化地", 80, None, None, 40],
    ]
    sheet = reading(
        ["学号", "选科", "物理", "化学", "历史", "地理"], rows, full_marks=dict.fromkeys(["历史", "地理"], 100000)
    )
    roster = roster_of(sheet)
    assert roster.scores["历史"].states.tolist() == [ScoreState.NOT_CHOSEN, 0, ScoreState.NOT_CHOSEN]
    assert roster.scores["化学"].states.tolist() == [0, ScoreState.NOT_CHOSEN, ScoreState.MISSING]
    assert totals(roster) == ["150", "110", "MISSING"]


def test_status_explains_blanks() -> None:
    rows = [["S1", "在读", 80, 70], ["S2", "休学", None, None], ["S3", "随班就读", None, None]]
    roster = roster_of(reading(["学号", "状态", "语文", "数学"], rows))
    assert totals(roster) == ["150", "LEFT", "EXEMPT"]


def test_raw_and_scaled_are_asked() -> None:
    rows = [["S1", 62, 70], ["S2", 50, 61]]
    sheet = reading(["学号", "化学", "化学赋分"], rows)
    roster = roster_of(sheet)
    assert question(roster, "raw-or-scaled").key == ("subjects", "化学", "scaled")
    assert roster.scores["化学"].values.tolist() == [62, 50]
    scaled = roster_of(sheet, subjects={"化学": {"full": 100, "scaled": True}})
    assert scaled.scores["化学"].values.tolist() == [70, 61]
    assert scaled.scores["化学"].subject.scaled
    assert not scaled.questions


def test_two_columns_of_one_subject_are_asked() -> None:
    roster = roster_of(reading(["学号", "化学", "化学"], [["S1", 62, 70], ["S2", 50, 61]]))
    asked = question(roster, "double-column")
    assert asked.key == ("columns", "成绩.xlsx|Sheet1|C")
    assert asked.default is None
    assert "B列与 C列都是化学而成绩不同" in asked.text


def _slow_total(cells: list[tuple[int, int]], policy: TotalPolicy) -> int | ScoreState:
    """The rules of the total for one pupil, read from their description."""
    owed = [(v, ScoreState(s)) for v, s in cells if s not in (ScoreState.NOT_CHOSEN, ScoreState.EXEMPT)]
    if not owed:
        return ScoreState.EXEMPT if any(s == ScoreState.EXEMPT for _, s in cells) else ScoreState.NOT_CHOSEN
    order = [ScoreState.INVALID, ScoreState.UNRESOLVED, ScoreState.LEFT, ScoreState.DEFERRED, ScoreState.CHEATED]
    order += [ScoreState.ABSENT, ScoreState.MISSING]
    zero = {ScoreState.CHEATED} if policy.cheated == "计零" else set()
    sat = any(s == ScoreState.SCORED or s in zero for _, s in owed)
    if not sat:
        return next(s for s in order if any(own == s for _, own in owed))
    if policy.total == "缺科计零":
        zero |= set(order) - {ScoreState.INVALID, ScoreState.UNRESOLVED}
    if policy.absent == "计零":
        zero |= {ScoreState.ABSENT} | ({ScoreState.MISSING} if policy.blank == "按缺考" else set())
    void = [s for _, s in owed if s != ScoreState.SCORED and s not in zero]
    if void:
        return next(s for s in order if s in void)
    return sum(v for v, s in owed if s == ScoreState.SCORED)


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 100), st.sampled_from(STATES)), min_size=3, max_size=3),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from(["不计", "计零"]),
    st.sampled_from(["不计", "计零"]),
    st.sampled_from(["按缺考", "不计"]),
    st.sampled_from(["缺科不计总分", "缺科计零"]),
)
@settings(max_examples=200, deadline=None)
def test_totals_against_the_rules(table, absent, cheated, blank, total) -> None:  # type: ignore[no-untyped-def]
    policy = TotalPolicy(absent, cheated, blank, total)
    subjects = [Subject(f"科{i}", Fraction(100), Fraction(1)) for i in range(3)]
    scores = {
        s.name: SubjectScores(
            s,
            np.array([row[i][0] if row[i][1] == 0 else 0 for row in table], np.int32),
            np.array([row[i][1] for row in table], np.uint8),
        )
        for i, s in enumerate(subjects)
    }
    own = total_scores(subjects, scores, policy)
    assert own is not None
    for i, row in enumerate(table):
        expected = _slow_total(row, policy)
        if isinstance(expected, ScoreState):
            assert own.states[i] == expected
            assert own.values[i] == 0
        else:
            assert (own.states[i], own.values[i]) == (ScoreState.SCORED, expected)


@pytest.mark.parametrize(("fold", "step"), [("0.3", Fraction(1, 10)), ("1.5", Fraction(1, 2))])
def test_folded_totals_are_exact(fold: str, step: Fraction) -> None:
    roster = roster_of(
        reading(["学号", "语文", "生物"], [["S1", 100, 77]], full_marks={"生物": 100000}),
        subjects={"生物": {"fold": fold}, "语文": {"full": 150}},
    )
    assert roster.total is not None
    assert roster.total.subject.step == step
    assert roster.total.values[0] * step == 100 + 77 * Fraction(fold)
