"""Which exam this is: name, date, grade, stage, scope and nature, declared or read from names."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, get_args

from jiaoheng.exams.defaults_ledger import Ledger
from jiaoheng.exams.grade_names import grade_entry, grades_in, nature_in, stages_in
from jiaoheng.exams.observations import SubjectObservation
from jiaoheng.exams.settings import ExamSettings, Nature, Stage
from jiaoheng.packs import load
from jiaoheng.sheets.places import Choice, Place
from jiaoheng.sheets.reading_model import MILLI

if TYPE_CHECKING:
    from jiaoheng.exams.defaults import ExamHints

Seen = Mapping[str, SubjectObservation]
_FROM_FILES = "文件中的名称"
_FILE_ENDING = re.compile(r"\.(xlsx|xlsm|xls|xlsb|et|ods|csv|tsv|txt|html?)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who sat what when, as far as known; "" unknown."""

    name: str
    date: dt.date
    date_known: bool
    stage: str
    grade: str
    compulsory: bool
    graduating: bool
    nature: str
    scope: str


def resolve_identity(settings: ExamSettings, seen: Seen, hints: ExamHints, today: dt.date, ledger: Ledger) -> Identity:
    """Identity of the exam; what decides a number or the permission is asked, the rest is listed."""
    name = _name(settings, hints, ledger)
    date, known = _date(settings, hints, today, ledger)
    texts = [name, *hints.grades, *hints.classes, *hints.names]
    grade = _grade(settings, texts, ledger)
    scope = _scope(settings, hints, ledger)
    if not grade and scope == "跨校" and settings.grade is None:
        _ask_grade(ledger)
    stage = _stage(settings, grade, texts, seen, ledger)
    graduating = bool(grade) and bool(grade_entry(grade).get("graduating", False))
    compulsory = bool(stage) and bool(load("grades")["stages"][stage]["compulsory"])
    nature = _nature(settings, [name, *hints.names], scope, graduating, ledger)
    return Identity(name, date, known, stage, grade, compulsory, graduating, nature, scope)


def _name(settings: ExamSettings, hints: ExamHints, ledger: Ledger) -> str:
    """The declared name; else the first text that names an exam, else the first file, without folder and ending."""
    if settings.name:
        return settings.name
    words = load("grades")["exam_words"]
    texts = [_without_ending(text.strip()) for text in hints.names if text.strip()]
    named = next((text for text in texts if any(word in text for word in words)), None)
    name = named or next(iter(texts), "未命名考试")
    source = _FROM_FILES if texts else "没有可用的名称"
    ledger.assume(("name",), name, f"考试名称取“{name}”", source)
    return name


def _without_ending(text: str) -> str:
    """`成绩/八年级期末.xlsx` → 八年级期末; a title stays as it is."""
    if not _FILE_ENDING.search(text):
        return text
    return _FILE_ENDING.sub("", PurePosixPath(text.replace("\\", "/")).name)


def _date(settings: ExamSettings, hints: ExamHints, today: dt.date, ledger: Ledger) -> tuple[dt.date, bool]:
    if settings.date:
        return settings.date, True
    dates = Counter(_iso(text) for text in hints.dates)
    del dates[None]
    if dates:
        most = max(dates.values())
        date = max(day for day, count in dates.items() if count == most and day is not None)
        others = "" if len(dates) == 1 else f"（另有 {len(dates) - 1} 个不同的日期）"
        ledger.assume(("date",), date.isoformat(), f"考试日期取 {date.isoformat()}{others}", "工作表中写的日期")
        return date, True
    ledger.assume(("date",), today.isoformat(), f"考试日期不明，按 {today.isoformat()} 适用规定", "运行当天")
    return today, False


def _iso(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text[:10])
    except ValueError:
        return None


def _grade(settings: ExamSettings, texts: list[str], ledger: Ledger) -> str:
    if settings.grade:
        return settings.grade
    found = grades_in(text for text in texts if text)
    if len(found) == 1:
        grade, text = next(iter(found.items()))
        ledger.assume(("grade",), grade, f"年级取{grade}", f"文件中写有“{text}”")
        return grade
    if len(found) > 1:
        shown = "、".join(f"{grade}（“{text}”）" for grade, text in found.items())
        choices = [Choice(grade, f"按{grade}") for grade in found]
        text = f"文件中出现了几个年级：{shown}。这次考试是哪个年级"
        ledger.ask("grade-many", ("grade",), text, default=None, choices=choices)
    return ""


def _ask_grade(ledger: Ledger) -> None:
    if any(question.key == ("grade",) for question in ledger.questions):
        return
    choices = [Choice(name, name) for name in load("grades")["grades"]]
    text = "成绩来自多所学校，文件中没有写年级。跨校考试是否允许取决于年级，请写明年级"
    ledger.ask("grade-unknown", ("grade",), text, default=None, choices=choices)


def _stage(settings: ExamSettings, grade: str, texts: list[str], seen: Seen, ledger: Ledger) -> str:
    if settings.stage:
        if (
            grade
            and settings.stage not in (entry := grade_entry(grade)).get("also", ())
            and settings.stage != entry["stage"]
        ):
            message = f"学段写的是{settings.stage}，文件中的年级却是{grade}"
            ledger.error("grade-stage", Place(), message, "请在考试设置中改正学段，或写明年级")
        return settings.stage
    if grade:
        stage = str(grade_entry(grade)["stage"])
        ledger.assume(("stage",), stage, f"学段取{stage}", f"年级是{grade}")
        return stage
    asked = next((question for question in ledger.questions if question.key == ("grade",)), None)
    if asked is not None:  # its answer settles the stage; two questions could be answered against each other
        stages = {str(grade_entry(choice.value)["stage"]) for choice in asked.choices}
        return stages.pop() if len(stages) == 1 else _guess(seen) if seen else ""
    named = stages_in(text for text in texts if text)
    if len(named) == 1:
        stage, text = next(iter(named.items()))
        ledger.assume(("stage",), stage, f"学段取{stage}", f"文件中写有“{text}”")
        return stage
    guess = _guess(seen) if seen else ""
    if guess:
        choices = [Choice(stage, f"{stage}的等级线和满分") for stage in get_args(Stage)]
        shown = "、".join(seen)
        text = f"文件中没有写学段和年级（学科有{shown}）。学段决定优秀线、低分线和默认满分，是哪个学段"
        ledger.ask("stage-unknown", ("stage",), text, default=guess, choices=choices)
        ledger.assume(("stage",), guess, f"学段按{guess}处理", "由学科和最高分推测")
    return guess


def _guess(seen: Seen) -> str:
    """Stage by the first fitting entry of the pack; subjects it does not know give the last (小学)."""
    entries = load("exam_defaults")["stage_guess"]
    for entry in entries:
        subjects = [name for name in entry["any"] if name in seen]
        best = max((seen[name].max or 0 for name in subjects), default=0)
        if subjects and best > entry["max_above"] * MILLI:
            return str(entry["stage"])
    return str(entries[-1]["stage"])


def _scope(settings: ExamSettings, hints: ExamHints, ledger: Ledger) -> str:
    several = (hints.schools or 0) > 1
    if settings.scope == "校内" and several:
        message = f"考试范围写的是校内，文件中却有 {hints.schools} 所学校，按跨校处理"
        remedy = "请核对学校名称的写法，或改正考试范围"
        ledger.warn("scope-differs", Place(), message, remedy)
        return "跨校"
    if settings.scope:
        return settings.scope
    scope = "跨校" if several else "校内"
    source = f"文件中有 {hints.schools} 所学校" if hints.schools else "文件中没有写学校"
    ledger.assume(("scope",), scope, f"考试范围取{scope}", source)
    return scope


def _nature(settings: ExamSettings, texts: list[str], scope: str, graduating: bool, ledger: Ledger) -> str:
    if settings.nature:
        return settings.nature
    if scope == "校内":
        ledger.assume(("nature",), "校内考试", "考试性质取校内考试", "成绩只来自一所学校")
        return "校内考试"
    named = nature_in(text for text in texts if text)
    default = named[0] if named else ("毕业班模拟" if graduating else None)
    choices = [Choice(nature, nature) for nature in get_args(Nature) if nature != "校内考试"]
    why = f"（名称“{named[1]}”像是{named[0]}）" if named else ""
    text = f"成绩来自多所学校，没有声明考试性质{why}。跨校考试必须写明性质，质量监测还要写批准文号"
    ledger.ask("nature-unknown", ("nature",), text, default=default, choices=choices)
    if default:
        source = f"文件中写有“{named[1]}”" if named else "毕业年级的跨校考试"
        ledger.assume(("nature",), default, f"考试性质按{default}处理", source)
    return default or ""
