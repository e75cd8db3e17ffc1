"""The definitions chapter: every statistic's formula with the parameters that this report used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jiaoheng import packs
from jiaoheng.documents.model import Block, Definition, KeyFigures, Section, Suppressed, Table
from jiaoheng.exams.analysis.definition_words import (
    base_words,
    composite_words,
    effective_words,
    level_words,
    own_thresholds,
    percent_of,
    scaled_words,
    share_of,
    total_words,
)
from jiaoheng.exams.analysis.measure import Exam
from jiaoheng.exams.analysis.wording import mark
from jiaoheng.growth.settings import limit
from jiaoheng.methods.intervals import MIN_RANKED
from jiaoheng.methods.items import item_rules
from jiaoheng.methods.numbers import text
from jiaoheng.methods.participation import REMIND_BELOW
from jiaoheng.methods.pupil_rules import pupil_rules
from jiaoheng.methods.suppression import THRESHOLD

# definitions that others lean on
LEANS = {
    "value_added": ("value_added_pairs",),
    "unsteady": ("percentile",),
    "struggling": ("people",),
    "top": ("people",),
    "matched": ("people",),
}


def used_definitions(exam: Exam, sections: Sequence[Section], tables: Sequence[Table]) -> tuple[Definition, ...]:
    """The definitions of every statistic that a table or a headline figure names, in the order of the pack."""
    blocks = [block for section in sections for block in _blocks(section)]
    every = [*tables, *(block for block in blocks if isinstance(block, Table))]
    keys = {column.definition for table in every for column in table.columns if column.definition}
    keys |= {one.definition for block in blocks if isinstance(block, KeyFigures) for one in block.figures}
    keys |= {"base", "participation", "counted"}
    if exam.has_total:
        keys.add("total")
    if any(isinstance(value, Suppressed) for table in every for row in table.rows for value in row):
        keys.add("suppressed")
    for key in tuple(keys):
        keys.update(LEANS.get(key, ()))
    values = _parameters(exam)
    found = []
    for key, entry in packs.load("definitions").items():
        if key in keys:
            words = entry["text"].format(**values).replace("全县", exam.whole)
            found.append(Definition(key, entry["name"], words, entry["source"].format(**values)))
    return tuple(found)


def _blocks(section: Section) -> Iterator[Block]:
    yield from section.blocks
    for child in section.children:
        yield from _blocks(child)


def _parameters(exam: Exam) -> dict[str, str]:
    """What the braces of the pack stand for."""
    chosen, rules = exam.settings, pupil_rules()
    base_text, base_source = base_words(exam)
    based = chosen.denominator.rule in ("B3", "B4")
    return {
        "main": exam.main,
        "cheated": "计零分" if chosen.missing.cheated == "计零" else "不计入统计",
        "participation_floor": percent_of(REMIND_BELOW),
        "base_text": base_text,
        "base_source": base_source,
        "kept_words": "；截去的学生不在内" if exam.kept is not None else "",
        "den": "分母（见“统计口径”）" if based else "统计人数",
        "interval_words": "本次的分母不是计分人数，区间按同样的比例（计分人数÷分母）折算，人数看作固定。"
        if based
        else "",
        "class_base": "本次班级没有起始年级人数，班级和与之比较的全县平均分都按计分人数计算。"
        if chosen.denominator.rule == "B4"
        else "",
        **_thresholds(exam),
        "total_text": total_words(exam),
        "min_rank_n": str(MIN_RANKED),
        "composite_text": composite_words(exam),
        "composite_source": "县域评价方案通行做法",
        "levels_text": level_words(exam),
        "levels_source": "《关于加强义务教育学校考试管理的通知》（2021年）"
        if chosen.compulsory
        else "考试设置或默认界限",
        "effective_text": effective_words(exam),
        "near_above": mark(chosen.lines.near_above),
        "near_below": mark(chosen.lines.near_below),
        "min_d_n": str(item_rules().discrimination_from),
        "group_share": percent_of(item_rules().group_share),
        "single_digit_below": mark(chosen.pupils.single_digit_below),
        "uneven_z": mark(chosen.pupils.uneven_z),
        "uneven_others": str(rules.uneven_others),
        "struggling_share": percent_of(chosen.pupils.struggling_share),
        "top_share": percent_of(chosen.pupils.top_share),
        "matched_rate": percent_of(rules.matched_rate),
        "matched_least": str(rules.school_pupils),
        "unsteady_points": text(rules.unsteady_points, 0),
        "scaled_text": scaled_words(exam),
        "scaled_source": "各省选择性考试等级转换办法",
        "suppress_below": str(THRESHOLD),
        "added_school": str(limit("least_school")),
        "added_class": str(limit("least_class")),
    }


def _thresholds(exam: Exam) -> dict[str, str]:
    cuts, said = exam.settings.thresholds, exam.settings.declared.thresholds
    declared = [value is not None for value in (said.excellent, said.good, said.pass_, said.low)]
    source = "考试设置" if all(declared) else "考试设置和本次采用的默认值" if any(declared) else "本次采用的默认值"
    found = {"threshold_source": source}
    for key, field in (("excellent", "excellent"), ("good", "good"), ("pass", "passing"), ("low", "low")):
        found[key] = share_of(getattr(cuts, field))
        found[f"{key}_own"] = own_thresholds(exam, field)
    return found
