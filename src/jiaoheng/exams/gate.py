"""The permission gate: may this exam be analysed, and in which form may its results be shown?

The rules are dated data (packs/exam_rules.yaml); the rule in force on the day of the exam decides.
Source: standards §1.9 and §10 (notices of 2021-08-30 and 2025-12-17; 未成年人学校保护规定).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jiaoheng.exams.resolved import ResolvedSettings
from jiaoheng.packs import load
from jiaoheng.sheets.places import Place, Problem, Severity

RELEASE_KEY = "exam-permission"  # accept › exam-permission: who authorised a refused exam
_NEEDS = {"approval_document": "批准文号"}


@dataclass(frozen=True, slots=True)
class GateDecision:
    """What the rules say about an exam.

    `level_only`: pupils' results are shown as levels. `no_pupil_ranks_across_schools` is true for every exam.
    `schools_by_level`: schools get levels and intervals only. `reasons` are sentences for the report, or for the
    refusal; `rule_ids` name rule and case as `rule/case`.
    """

    allowed: bool
    level_only: bool
    no_pupil_ranks_across_schools: bool
    no_pupil_ranks_in_school: bool
    schools_by_level: bool
    reasons: tuple[str, ...]
    rule_ids: tuple[str, ...]
    remedy: str = ""
    released: bool = False
    yearly: int | None = None  # exams of this kind that the rule allows per school year

    def problem(self) -> Problem | None:
        """The refusal as an error, or None."""
        if self.allowed:
            return None
        return Problem(
            "exam-not-permitted", Severity.ERROR, Place(file="考试设置"), "；".join(self.reasons), self.remedy
        )


def check_permission(settings: ResolvedSettings, n_schools: int, today: dt.date) -> GateDecision:
    """Judge an exam by grade, date, nature and scope.

    More than one school makes the exam 跨校 whatever was declared. An unknown exam date is judged as `today`.
    """
    day = settings.date if settings.date_known else today
    scope = "跨校" if n_schools > 1 else settings.scope
    rule = rule_in_force(day)
    results = _results(settings)
    if rule is None:
        reason = f"考试日期 {day.isoformat()} 早于现有考试管理规定，作为历史数据分析"
        return _decision(True, results, (reason,), ())
    case = _case(rule, settings, scope, settings.nature)
    ids = (f"{rule['id']}/{case['id']}",)
    who = f"{settings.grade or settings.stage or '年级不明'}{scope}考试，性质为{settings.nature or '未声明'}"
    basis = f"{who}，适用{rule['name']}：{case['text']}"
    if case["allow"]:
        lacking = [need for need in case.get("needs", ()) if not getattr(settings, need)]
        if lacking:
            names = "、".join(_NEEDS[need] for need in lacking)
            remedy = f"请在考试设置中填写“{names}”"
            return _decision(False, results, (f"{basis}，但没有填写{names}",), ids, remedy)
        return _decision(True, results, _granted(basis, case), ids, yearly=case.get("yearly"))
    authority = settings.declared.accept.get(RELEASE_KEY, "").strip()
    if case["release"] and authority and settings.approval_document:
        reason = f"{basis}。经{authority}授权（{settings.approval_document}）放行，已记录在报告中"
        return _decision(True, results, (reason,), ids, released=True)
    return _decision(False, results, (basis,), ids, _remedy(rule, case, settings, scope))


def rule_in_force(day: dt.date) -> Mapping[str, Any] | None:
    """The rule whose dates hold the day (from ≤ day < until), None before the first."""
    rules: Sequence[Mapping[str, Any]] = load("exam_rules")["rules"]
    for rule in rules:
        if rule["from"] <= day and (rule["until"] is None or day < rule["until"]):
            return rule
    return None


def _fits(case: Mapping[str, Any], settings: ResolvedSettings, scope: str, nature: str) -> bool:
    grades = case.get("grades")
    return (
        settings.stage in case["stages"]
        and (grades is None or settings.grade in grades)
        and scope in case["scopes"]
        and (not case["natures"] or nature in case["natures"])
    )


def _case(rule: Mapping[str, Any], settings: ResolvedSettings, scope: str, nature: str) -> Mapping[str, Any]:
    for case in rule["cases"]:
        if _fits(case, settings, scope, nature):
            found: Mapping[str, Any] = case
            return found
    # a bureau's own pack may leave a gap: what no case allows is refused
    return {"id": "无", "allow": False, "release": True, "text": "没有一条规定允许这样的考试"}


def _granted(basis: str, case: Mapping[str, Any]) -> tuple[str, ...]:
    if "yearly" not in case:
        return (basis,)
    return basis, f"同类考试每学年不超过 {case['yearly']} 次，请核对本学年已组织的次数"


def _remedy(rule: Mapping[str, Any], case: Mapping[str, Any], settings: ResolvedSettings, scope: str) -> str:
    """What to declare: the natures that this rule would allow for this grade and scope, with what each needs."""
    if "remedy" in case:
        return str(case["remedy"])
    if not settings.stage or not settings.grade:
        return "请在考试设置中填写“年级”和“考试性质”"
    options = []
    for nature in ("毕业班模拟", "质量监测", "学业水平", "中考高考", "历史数据"):
        other = _case(rule, settings, scope, nature)
        if other["allow"]:
            needs = "、".join(_NEEDS[need] for need in other.get("needs", ()))
            options.append(f"{nature}（须填{needs}）" if needs else nature)
    text = f"如果确属下列性质，请在考试设置的“考试性质”中声明：{'、'.join(options)}" if options else ""
    if case["release"]:
        text += f"；经局领导授权的，请填写“批准文号”，并在“其他确认”中写明 {RELEASE_KEY}: 授权人"
    return text.lstrip("；")


def _results(settings: ResolvedSettings) -> Mapping[str, Any]:
    entries: Sequence[Mapping[str, Any]] = load("exam_rules")["results"]
    for entry in entries:
        if settings.stage in entry["stages"] and (not entry["natures"] or settings.nature in entry["natures"]):
            return entry
    return entries[0]  # the strictest


def _decision(
    allowed: bool,
    results: Mapping[str, Any],
    reasons: tuple[str, ...],
    ids: tuple[str, ...],
    remedy: str = "",
    *,
    released: bool = False,
    yearly: int | None = None,
) -> GateDecision:
    ranks = load("exam_rules")["county_pupil_ranks"]
    told = (*reasons, f"{results['text']}（{results['source']}）", str(ranks["text"])) if allowed else reasons
    return GateDecision(
        allowed=allowed,
        level_only=results["pupils"] == "等级",
        no_pupil_ranks_across_schools=not ranks["allowed"],
        no_pupil_ranks_in_school=not results["ranks_in_school"],
        schools_by_level=results["schools"] == "等级与区间",
        reasons=told,
        rule_ids=ids,
        remedy=remedy,
        released=released,
        yearly=yearly,
    )
