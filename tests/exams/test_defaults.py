"""Defaults by stage, grade and date; what is asked, what is only listed, and that nothing is silent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiaoheng.exams.defaults import ExamHints, resolve
from jiaoheng.exams.grade_names import grades_in, nature_in
from jiaoheng.exams.observations import SubjectObservation
from jiaoheng.exams.resolved import Resolution
from jiaoheng.exams.settings import ExamSettings
from jiaoheng.exams.settings_file import apply_answers
from jiaoheng.packs import load
from jiaoheng.sheets.places import Place, Severity
from jiaoheng.sheets.reading_model import Measure

TODAY = dt.date(2026, 4, 21)


def seen(
    name: str,
    best: float,
    declared: Mapping[float, int] | None = None,
    step: Fraction = Fraction(1),
    n: int = 100,
    scaled: bool = False,
) -> SubjectObservation:
    full = {
        int(mark * 1000): tuple(Place(f"{k}.xlsx") for k in range(places)) for mark, places in (declared or {}).items()
    }
    measure = Measure.SCALED if scaled else Measure.RAW
    return SubjectObservation(name, n, int(best * 1000), 0, step, full, frozenset({measure}), (Place("甲.xlsx"),))


def run(raw: Mapping[str, object], subjects: Mapping[str, float], **hints: object) -> Resolution:
    observed = {name: seen(name, best) for name, best in subjects.items()}
    return resolve(ExamSettings.model_validate(raw), observed, ExamHints(**hints), today=TODAY)  # type: ignore[arg-type]


def question(found: Resolution, *key: str) -> str | None:
    return next(item.default for item in found.questions if item.key == key)


@pytest.mark.parametrize(
    ("grade", "stage", "excellent", "low", "chinese", "physics"),
    [
        ("一年级", "小学", "0.90", "0.40", 100, 100),
        ("五年级", "小学", "0.85", "0.40", 100, 100),
        ("八年级", "初中", "0.85", "0.40", 120, 100),
        ("九年级", "初中", "0.85", "0.40", 120, 100),
        ("高一", "高中", "0.80", "0.40", 150, 100),
    ],
)
def test_defaults_of_a_stage(grade: str, stage: str, excellent: str, low: str, chinese: int, physics: int) -> None:
    found = run({"grade": grade}, {"语文": 60, "物理": 50})
    resolved = found.settings
    assert (resolved.stage, resolved.grade) == (stage, grade)
    assert resolved.compulsory == (stage != "高中")
    assert resolved.thresholds.excellent == Fraction(excellent)
    assert resolved.thresholds.passing == Fraction("0.60")
    assert resolved.thresholds.low == Fraction(low)
    assert resolved.subjects["语文"].full == chinese
    assert resolved.subjects["物理"].full == physics


def test_every_default_is_listed_with_its_source_and_nothing_declared_is() -> None:
    bare = run({}, {"语文": 90})
    listed = {item.key for item in bare.assumptions}
    for key in [
        ("date",), ("stage",), ("scope",), ("nature",), ("thresholds", "excellent"), ("denominator", "rule"),
        ("missing", "absent"), ("composite", "family"), ("levels", "score_rates"), ("subjects", "语文", "full"),
        ("subjects", "语文", "step"), ("pupils", "rank_bands"),
    ]:  # fmt: skip
        assert key in listed
    assert all(item.text and item.source and item.value for item in bare.assumptions)
    declared = {
        "name": "甲", "date": TODAY, "stage": "初中", "grade": "九年级", "nature": "校内考试", "scope": "校内",
        "subjects": {"语文": {"full": 120, "step": "0.5"}},
        "thresholds": {"excellent": "0.8", "good": "0.7", "pass": "0.6", "low": "0.3"},
        "denominator": {"rule": "B2"},
        "missing": {"absent": "计零", "cheated": "计零", "blank": "报错", "total": "缺科计零"},
        "composite": {"family": "比最高", "weights": {"mean": 60, "excellent": 70, "pass": 70}},
        "levels": {"names": ["甲", "乙"], "score_rates": ["0.6", "0"]},
        "pupils": {"struggling_share": "0.1", "top_share": "0.1", "uneven_z": 2, "single_digit_below": 5, "rank_bands": [10]},
    }  # fmt: skip
    full = run(declared, {"语文": 90})
    assert full.assumptions == ()
    assert full.questions == ()
    assert full.settings.composite.weights == {"mean": 60, "excellent": 70, "pass": 70}
    assert full.settings.subjects["语文"].step == Fraction(1, 2)
    assert full.settings.levels.bounds == (Fraction("0.6"), Fraction(0))


def test_an_unknown_full_mark_is_a_blocking_question_whose_answer_settles_it() -> None:
    found = run({"grade": "九年级"}, {"数学": 118})
    asked = next(item for item in found.questions if item.key == ("subjects", "数学", "full"))
    assert asked.blocking
    assert asked.default == "120"
    assert "最高分 118" in asked.text
    base = ExamSettings(grade="九年级")
    answered = apply_answers(base, {asked.key: "150"})
    again = resolve(answered, {"数学": seen("数学", 118)}, today=TODAY)
    assert again.questions == ()
    assert again.settings.subjects["数学"].full == 150


def test_scores_above_the_default_raise_it_for_the_whole_group() -> None:
    found = run({"grade": "九年级"}, {"语文": 112, "数学": 149, "物理": 104})
    assert question(found, "subjects", "数学", "full") == "150"
    assert question(found, "subjects", "语文", "full") == "150"  # 语数英 of one exam have one full mark
    assert question(found, "subjects", "物理", "full") == "110"


def test_many_pupils_who_reach_just_a_usual_full_mark_tell_it() -> None:
    for best, n, expected in ((60, 5000, 60), (60, 150, 100), (59, 5000, 100), (90, 5000, 100)):
        observed = {"生物": seen("生物", best, n=n)}
        found = resolve(ExamSettings(grade="九年级"), observed, today=TODAY)
        assert question(found, "subjects", "生物", "full") == str(expected)
    # 语数英 speak for each other
    group = {"语文": seen("语文", 92, n=900), "数学": seen("数学", 100, n=900)}
    found = resolve(ExamSettings(grade="九年级"), group, today=TODAY)
    assert {question(found, "subjects", name, "full") for name in group} == {"100"}


@given(st.integers(0, 2_000_000))
def test_a_proposed_full_mark_is_never_below_the_best_score(best: int) -> None:
    observed = {"语文": SubjectObservation("语文", 5, best, 0, Fraction(1), {}, frozenset({Measure.RAW}))}
    found = resolve(ExamSettings(stage="初中"), observed, today=TODAY)
    assert found.settings.subjects["语文"].full * 1000 >= best


def test_full_marks_of_the_files() -> None:
    one = resolve(ExamSettings(stage="初中"), {"数学": seen("数学", 90, {110: 3})}, today=TODAY)
    assert one.settings.subjects["数学"].full == 110
    assert one.questions == ()
    several = resolve(ExamSettings(stage="初中"), {"数学": seen("数学", 90, {100: 1, 120: 4})}, today=TODAY)
    assert question(several, "subjects", "数学", "full") == "120"
    assert "100 分" in several.questions[0].text
    assert len(several.questions[0].places) == 5
    settings = ExamSettings.model_validate({"stage": "初中", "subjects": {"数学": {"full": 150}}})
    against = resolve(settings, {"数学": seen("数学", 90, {120: 2})}, today=TODAY)
    assert against.settings.subjects["数学"].full == 150
    assert [item.code for item in against.problems] == ["full-mark-differs"]
    assert against.problems[0].message == "数学满分写的是 120，考试设置中是 150，按考试设置计算"


def test_stage_is_guessed_from_subjects_only_as_a_question() -> None:
    for subjects, stage in (
        ({"语文": 90, "道德与法治": 80}, "初中"),
        ({"语文": 130, "数学": 149}, "高中"),
        ({"语文": 98, "数学": 100}, "小学"),
        ({"语文": 110, "数学": 90}, "初中"),
    ):
        found = run({}, subjects)
        assert question(found, "stage") == stage
        assert found.settings.stage == stage


def test_grade_from_names_is_listed_and_two_grades_are_asked() -> None:
    found = run({}, {"语文": 90}, names=["2026年初三一模成绩"])
    assert found.settings.grade == "九年级"
    assert any(item.key == ("grade",) and "初三一模" in item.source for item in found.assumptions)
    two = run({}, {"语文": 90}, names=["七年级期末", "八年级期末"])
    asked = next(item for item in two.questions if item.key == ("grade",))
    assert asked.default is None
    assert {choice.value for choice in asked.choices} == {"七年级", "八年级"}
    wrong = run({"stage": "初中"}, {"语文": 90}, names=["高一期中"])
    assert [item.severity for item in wrong.problems] == [Severity.ERROR]
    assert "学段写的是初中，文件中的年级却是高一" in wrong.problems[0].message


@pytest.mark.parametrize(
    ("text", "grades"),
    [
        ("初三1班", {"九年级"}),
        ("高二12月月考", {"高二"}),
        ("九(1)班", {"九年级"}),
        ("801班", {"八年级"}),
        ("12班", set()),
        ("一(3)班", set()),
        ("高三（2）班", {"高三"}),
        ("十一年级", {"高二"}),
        ("初中三年级", {"九年级"}),
        ("2026年中考成绩", {"九年级"}),
        ("高二高考模拟", {"高二"}),
        ("第二中学期末成绩", set()),
        ("８年级期中", {"八年级"}),
        ("小升初测试", {"六年级"}),
        ("04高一上_期末", {"高一"}),
    ],
)
def test_grades_in_names(text: str, grades: set[str]) -> None:
    assert set(grades_in([text])) == grades


def test_nature_in_names() -> None:
    assert nature_in(["九年级成绩", "2026年中考模拟"]) == ("毕业班模拟", "2026年中考模拟")
    assert nature_in(["2025年中考成绩"]) == ("中考高考", "2025年中考成绩")
    assert nature_in(["期末"]) is None


def test_nature_and_scope() -> None:
    one = run({"grade": "八年级"}, {"语文": 90}, schools=1)
    assert (one.settings.scope, one.settings.nature) == ("校内", "校内考试")
    graduating = run({"grade": "九年级"}, {"语文": 90}, schools=3)
    assert question(graduating, "nature") == "毕业班模拟"
    barred = run({"grade": "八年级"}, {"语文": 90}, schools=3)
    assert question(barred, "nature") is None  # a permission is never assumed
    assert barred.settings.nature == ""
    unknown = run({}, {"语文": 90}, schools=3)
    assert question(unknown, "grade") is None
    differs = run({"grade": "九年级", "scope": "校内", "nature": "毕业班模拟"}, {"语文": 90}, schools=3)
    assert differs.settings.scope == "跨校"
    assert [item.code for item in differs.problems] == ["scope-differs"]


def test_missing_follows_the_denominator() -> None:
    expected = {"B1": ("不计", "缺科不计总分"), "B2": ("计零", "缺科计零"), "B5": ("计零", "缺科计零")}
    for rule, (absent, total) in expected.items():
        found = run({"denominator": {"rule": rule}}, {"语文": 90}).settings
        assert (found.missing.absent, found.missing.total) == (absent, total)
    own = run({"denominator": {"rule": "B2"}, "missing": {"absent": "不计"}}, {"语文": 90}).settings
    assert own.missing.absent == "不计"


def test_a_default_keeps_the_order_of_declared_thresholds() -> None:
    found = run({"stage": "初中", "thresholds": {"excellent": "0.70"}}, {"语文": 90}).settings.thresholds
    assert found.excellent == Fraction("0.70")
    assert found.excellent >= found.good >= found.passing >= found.low
    high = run({"stage": "初中", "thresholds": {"low": "0.65"}}, {"语文": 90}).settings.thresholds
    assert high.excellent >= high.good >= high.passing >= high.low == Fraction("0.65")


def test_own_thresholds_of_a_subject() -> None:
    raw = {"stage": "初中", "subject_thresholds": {"英语": {"excellent": "0.9"}}}
    found = run(raw, {"英语": 90, "语文": 90}).settings.subjects
    assert found["英语"].thresholds.excellent == Fraction("0.9")
    assert found["语文"].thresholds.excellent == Fraction("0.85")
    assert found["英语"].thresholds.passing == found["语文"].thresholds.passing


def test_levels_follow_the_thresholds() -> None:
    found = run({"stage": "初中"}, {"语文": 90}).settings.levels
    assert found.names == ("A", "B", "C", "D", "E")
    assert found.bounds == (Fraction("0.85"), Fraction("0.75"), Fraction("0.6"), Fraction("0.4"), Fraction(0))
    own = run({"stage": "初中", "levels": {"names": ["优", "良", "合格", "待合格"]}}, {"语文": 90}).settings.levels
    assert len(own.bounds) == 4
    assert own.bounds[-1] == 0
    assert list(own.bounds) == sorted(own.bounds, reverse=True)
    shares = run({"levels": {"shares": ["0.2", "0.5", "1"]}}, {"语文": 90}).settings.levels
    assert shares.by_shares
    assert shares.names == ("A", "B", "C")


def test_rank_bands_that_hold_most_pupils_are_left_out() -> None:
    assert run({}, {"语文": 90}, pupils=450).settings.pupils.rank_bands == (50, 100, 200)
    assert run({}, {"语文": 90}, pupils=60).settings.pupils.rank_bands == ()
    assert run({"pupils": {"rank_bands": [50]}}, {"语文": 90}, pupils=60).settings.pupils.rank_bands == (50,)


def test_steps_order_and_totals() -> None:
    observed = {
        "物理": seen("物理", 50, step=Fraction(1, 2)),
        "语文": seen("语文", 50, step=Fraction(1, 10)),
        "信息技术": seen("信息技术", 10),
        "书法": seen("书法", 10),
        "化学": seen("化学", 88, scaled=True),
    }
    found = resolve(ExamSettings(stage="高中"), observed, today=TODAY)
    assert list(found.settings.subjects) == ["语文", "物理", "化学", "信息技术", "书法"]
    assert found.settings.subjects["语文"].step == Fraction(1, 10)
    assert found.settings.subjects["化学"].scaled
    assert question(found, "subjects", "信息技术", "in_total") == "否"
    assert not found.settings.subjects["信息技术"].in_total
    assert found.settings.subjects["书法"].in_total


def test_weights_are_equal_or_declared() -> None:
    assert {s.weight for s in run({}, {"语文": 9, "数学": 9}).settings.subjects.values()} == {1}
    raw = {"subjects": {"语文": {"weight": "0.6"}, "数学": {"weight": "0.4"}}}
    found = run(raw, {"语文": 9, "数学": 9, "体育": 9}).settings.subjects
    assert [found[name].weight for name in ("语文", "数学", "体育")] == [Fraction("0.6"), Fraction("0.4"), 0]


def test_unseen_subject_unknown_scaling_rule_and_old_rule_are_told() -> None:
    found = run({"subjects": {"化学": {"full": 100}}, "scaling": {"rule": "月球"}}, {"语文": 9})
    assert {item.code for item in found.problems} == {"subject-unseen", "scaling-rule"}
    assert any("月球" in item.message for item in found.problems)
    ok = run({"date": dt.date(2025, 1, 5), "scaling": {"rule": "3+1+2"}}, {"化学": 9})
    assert ok.settings.scaling.rule == "3+1+2"
    assert "化学" in ok.settings.scaling.subjects


@pytest.mark.parametrize(
    ("names", "name"),
    [
        (["成绩/甲校.xlsx", "Sheet1", "清河县2026年一模成绩"], "清河县2026年一模成绩"),
        (["成绩/八年级期末.XLS"], "八年级期末"),
        (["甲校.csv", "九(1)班"], "甲校"),
        (["物理/化学期末"], "物理/化学期末"),
        (["", " "], "未命名考试"),
        ([], "未命名考试"),
    ],
)
def test_name_of_the_exam(names: list[str], name: str) -> None:
    assert run({}, {"语文": 9}, names=names).settings.name == name


def test_dates_of_sheets_are_offered() -> None:
    found = run({}, {"语文": 9}, dates=["2025-06-20", "2025-06-20", "2025-06-21"])
    assert found.settings.date == dt.date(2025, 6, 20)
    assert found.settings.date_known
    unknown = run({}, {"语文": 9}, dates=["昨天"])
    assert (unknown.settings.date, unknown.settings.date_known) == (TODAY, False)


def test_no_data_at_all_still_resolves() -> None:
    found = resolve(ExamSettings(), {}, today=TODAY)
    assert found.settings.subjects == {}
    assert found.settings.stage == ""


def test_every_pack_entry_is_dated_and_has_a_source() -> None:
    for entry in (*load("thresholds")["thresholds"], *load("exam_defaults")["full_marks"]):
        assert entry["source"]
        assert entry["from"] < (entry["until"] or dt.date.max)
    for part in ("denominator", "missing", "composite", "lines", "levels", "pupils", "steps"):
        assert load("exam_defaults")[part]["source"]
