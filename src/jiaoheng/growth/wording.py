"""Sentences that every page of value-added needs: what is adjusted for, what may not be concluded."""

from __future__ import annotations

from jiaoheng.growth.settings import METHOD_WORDS, GrowthSettings
from jiaoheng.methods.effects_model import Effects, Reading

NOT_ONE_TEACHER = (
    "一年的增值不能用来评判一名教师：区间之外还有未测到的差别（家庭、转班、作业和补课、由谁编班），"
    "同一教师各年的结果常有较大起落。只可与听课、作业、多年结果一起作为了解情况的线索"
)


def adjusted_for(settings: GrowthSettings) -> str:
    """What the model takes into account, in one sentence."""
    parts = [f"起点成绩（{'、'.join(settings.priors)}）"]
    if settings.covariates:
        parts.append(f"其他条件（{'、'.join(settings.covariates)}）")
    if settings.school_means:
        parts.append(f"各{settings.groups[0]}起点成绩的平均")
    if settings.reliability:
        named = "、".join(f"{name} {value:g}" for name, value in settings.reliability.items())
        parts.append(f"起点成绩的测量误差（信度 {named}）")
    return f"本模型（{METHOD_WORDS[settings.method]}）已考虑{'、'.join(parts)}；没有列出的都没有考虑"


def notice(settings: GrowthSettings) -> str:
    """What stands on every page."""
    return f"内部资料。{adjusted_for(settings)}。不得据此评判一名教师一年的工作，不排名、不公布"


def unit_name(path: tuple[str, ...]) -> str:
    """A unit as people read it: school and class."""
    return "·".join(path)


def counts_of(effects: Effects) -> dict[Reading, int]:
    """How many units read above, as expected, below, or are not judged."""
    words = effects.words
    return {word: words.count(word) for word in Reading}


def count_sentence(effects: Effects) -> str:
    """`60 个学校：高于预期 5，与预期相当 50，低于预期 3，样本不足 2`."""
    found = counts_of(effects)
    said = "，".join(f"{word.value} {count}" for word, count in found.items() if count)
    return f"{len(effects)} 个“{effects.level}”：{said}"
