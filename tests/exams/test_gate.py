"""The permission gate: grade × date × nature × scope, what a refusal says, and how results print."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest

from jiaoheng.exams.defaults import ExamHints, resolve
from jiaoheng.exams.gate import GateDecision, check_permission, rule_in_force
from jiaoheng.exams.settings import ExamSettings
from jiaoheng.packs import load

BEFORE, RULE_2021, RULE_2025 = dt.date(2021, 8, 29), dt.date(2025, 12, 16), dt.date(2025, 12, 17)
TODAY = dt.date(2026, 4, 21)


def judge(
    grade: str | None,
    nature: str | None,
    schools: int,
    date: dt.date | None = RULE_2025,
    document: str | None = None,
    **more: object,
) -> GateDecision:
    raw = {"grade": grade, "nature": nature, "date": date, "approval_document": document, **more}
    settings = ExamSettings.model_validate({key: value for key, value in raw.items() if value is not None})
    resolved = resolve(settings, {}, ExamHints(schools=schools), today=TODAY).settings
    return check_permission(resolved, schools, TODAY)


@pytest.mark.parametrize(
    ("grade", "nature", "schools", "date", "allowed"),
    [
        # one school
        ("八年级", "校内考试", 1, RULE_2025, True),
        ("高一", "校内考试", 1, RULE_2025, True),
        ("三年级", "校内考试", 1, RULE_2025, True),
        ("二年级", "校内考试", 1, RULE_2025, False),
        ("二年级", "校内考试", 1, RULE_2021, False),
        ("二年级", "校内考试", 1, BEFORE, True),
        ("一年级", "历史数据", 1, RULE_2025, False),
        # several schools, graduating grades
        ("九年级", "毕业班模拟", 5, RULE_2025, True),
        ("高三", "毕业班模拟", 5, RULE_2025, True),
        ("九年级", "毕业班模拟", 5, RULE_2021, True),
        ("九年级", "校内考试", 5, RULE_2025, False),
        # several schools, other grades
        ("八年级", "校内考试", 5, RULE_2025, False),
        ("八年级", "校内考试", 5, RULE_2021, False),
        ("八年级", "校内考试", 5, BEFORE, True),
        ("八年级", "毕业班模拟", 5, RULE_2025, False),
        ("六年级", "毕业班模拟", 5, RULE_2025, False),
        ("高一", "校内考试", 5, RULE_2021, True),  # the rule of 2021 is about compulsory education
        ("高一", "校内考试", 5, RULE_2025, False),
        ("高二", "毕业班模拟", 5, RULE_2025, False),
        # imports of results from elsewhere
        ("八年级", "历史数据", 5, RULE_2025, True),
        ("高二", "学业水平", 5, RULE_2025, True),
        ("九年级", "中考高考", 5, RULE_2025, True),
        ("七年级", "中考高考", 5, RULE_2025, False),
        # grade unknown
        (None, "校内考试", 5, RULE_2025, False),
        (None, "校内考试", 1, RULE_2025, True),
    ],
)
def test_table_of_permissions(
    grade: str | None, nature: str | None, schools: int, date: dt.date, allowed: bool
) -> None:
    decision = judge(grade, nature, schools, date)
    assert decision.allowed is allowed, decision
    assert (decision.problem() is None) is allowed


def test_monitoring_needs_its_document() -> None:
    without = judge("八年级", "质量监测", 5)
    assert not without.allowed
    assert "没有填写批准文号" in without.reasons[0]
    assert without.remedy == "请在考试设置中填写“批准文号”"
    granted = judge("八年级", "质量监测", 5, document="省教督〔2026〕3号")
    assert granted.allowed
    assert granted.schools_by_level
    assert granted.level_only
    assert granted.rule_ids == ("2025日常考试/监测",)


def test_a_refusal_names_rule_date_and_what_to_declare() -> None:
    problem = judge("八年级", None, 5).problem()
    assert problem is not None
    shown = str(problem)
    for words in (
        "八年级跨校考试",
        "未声明",
        "2025-12-17",
        "严禁面向小学各年级、初中和高中非毕业年级",
        "质量监测（须填批准文号）",
        "历史数据",
    ):
        assert words in shown
    assert "毕业班模拟" not in shown.split("声明：")[1]
    assert problem.code == "exam-not-permitted"
    old = judge("八年级", None, 5, RULE_2021).problem()
    assert old is not None
    assert "2021-08-30" in str(old)


def test_the_date_of_the_exam_decides_and_today_stands_in() -> None:
    assert judge("高一", "校内考试", 5, RULE_2021).allowed
    assert not judge("高一", "校内考试", 5, None).allowed  # unknown: today's rule
    rules = [entry["id"] for entry in load("exam_rules")["rules"]]
    days = {dt.date(2021, 8, 29): None, dt.date(2021, 8, 30): 0, dt.date(2025, 12, 16): 0, dt.date(2025, 12, 17): 1}
    for day, index in days.items():
        rule = rule_in_force(day)
        assert (rule["id"] if rule else None) == (rules[index] if index is not None else None)


def test_two_schools_are_joint_whatever_was_declared() -> None:
    assert not judge("八年级", "校内考试", 2, scope="校内").allowed
    assert judge("八年级", "校内考试", 1, scope="校内").allowed


def test_release_needs_authority_and_document_and_never_for_the_lowest_grades() -> None:
    accept = {"exam-permission": "局长王某某"}
    assert not judge("八年级", "校内考试", 5, accept=accept).allowed
    released = judge("八年级", "校内考试", 5, document="清教〔2026〕8号", accept=accept)
    assert released.allowed
    assert released.released
    assert "经局长王某某授权（清教〔2026〕8号）放行" in released.reasons[0]
    assert not judge("一年级", "校内考试", 5, document="清教〔2026〕8号", accept=accept).allowed


def test_forms_of_results() -> None:
    junior = judge("九年级", "毕业班模拟", 5)
    assert junior.level_only
    assert junior.no_pupil_ranks_in_school
    assert not junior.schools_by_level
    assert junior.yearly == 2
    senior = judge("高三", "毕业班模拟", 5)
    assert not senior.level_only
    assert not senior.no_pupil_ranks_in_school


def test_no_exam_whatsoever_ranks_pupils_across_schools_and_every_one_gets_a_reason() -> None:
    grades = list(load("grades")["grades"])
    natures = ["毕业班模拟", "学业水平", "中考高考", "质量监测", "校内考试", "历史数据", None]
    for grade, nature, schools, date in itertools.product(grades, natures, (1, 3), (BEFORE, RULE_2021, RULE_2025)):
        decision = judge(grade, nature, schools, date)
        assert decision.no_pupil_ranks_across_schools
        assert decision.reasons
        assert decision.allowed or decision.remedy
        if grade in ("一年级", "二年级") and date != BEFORE:
            assert not decision.allowed
        if schools == 3 and date == RULE_2025 and nature in ("校内考试", None) and grade not in ("九年级", "高三"):
            assert not decision.allowed


def test_rules_follow_each_other_without_gap() -> None:
    rules = load("exam_rules")["rules"]
    for earlier, later in itertools.pairwise(rules):
        assert earlier["until"] == later["from"]
    assert rules[-1]["until"] is None
    assert all(rule["source"] and rule["name"] for rule in rules)
