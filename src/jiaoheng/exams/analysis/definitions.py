"""The definitions chapter: every statistic's formula with the parameters that this report used."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from jiaoheng import packs
from jiaoheng.documents.model import Definition, Report, Section, Table
from jiaoheng.exams.analysis.measure import Exam
from jiaoheng.methods.intervals import MIN_RANKED
from jiaoheng.methods.items import item_rules
from jiaoheng.methods.numbers import text
from jiaoheng.methods.participation import REMIND_BELOW
from jiaoheng.methods.pupil_rules import pupil_rules
from jiaoheng.methods.suppression import THRESHOLD

ITEM_WORDS = {"mean": "得分率", "excellent": "优秀率", "good": "良好率", "pass": "及格率", "low": "低分率"}
BASES = {
    "B1": ("参考人数口径：分母为有成绩的学生，缺考不计。", "通行"),
    "B2": ("学籍人数口径：分母为应考学生，缺考按 0 分计入并计入低分。", "通行"),
    "B3": ("学籍折扣口径：分母为应考人数×（1－{discount}%），分子为参考学生。", "辽宁某自治县教育质量考核办法"),
    "B4": (
        "起始年级追踪口径：分母为起始年级人数＋转入－转出。班级没有该数字，按统计人数。",
        "郧县、雁门口镇中学评价方案",
    ),
    "B5": ("截尾口径：每校按总分从高到低取前 {keep}% 的学生参加统计，同分按各科成绩再分先后。", "公开的成绩系统"),
}


def used_definitions(exam: Exam, sections: Sequence[Section], tables: Sequence[Table]) -> tuple[Definition, ...]:
    """The definitions of every statistic that a table of this report names, in the order of the pack."""
    keys = {column.definition for table in tables for column in table.columns if column.definition}
    shell = Report("", "", "", sections=tuple(sections))
    keys |= {column.definition for table in shell.tables() for column in table.columns if column.definition}
    keys |= {"base", "participation", "total"} if exam.has_total else {"base", "participation"}
    values = _parameters(exam)
    found = []
    for key, entry in packs.load("definitions").items():
        if key in keys:
            found.append(
                Definition(key, entry["name"], entry["text"].format(**values), entry["source"].format(**values))
            )
    return tuple(found)


def _parameters(exam: Exam) -> dict[str, str]:
    """What the braces of the pack stand for."""
    chosen = exam.settings
    cuts = chosen.thresholds
    base_text, base_source = BASES[chosen.denominator.rule]
    discount, keep = _percent(chosen.denominator.discount), _percent(chosen.denominator.keep)
    return {
        "cheated": chosen.missing.cheated,
        "participation_floor": _percent(REMIND_BELOW),
        "base_text": base_text.format(discount=discount, keep=keep) + _missing_words(exam),
        "base_source": base_source,
        "excellent": _share(cuts.excellent),
        "good": _share(cuts.good),
        "pass": _share(cuts.passing),
        "low": _share(cuts.low),
        "threshold_source": "考试设置" if chosen.declared.thresholds.excellent is not None else "本次采用的默认值",
        "total_text": _total_words(exam),
        "min_rank_n": str(MIN_RANKED),
        "composite_text": _composite_words(exam),
        "composite_source": "县域评价方案通行做法",
        "levels_text": _level_words(exam),
        "levels_source": "《关于加强义务教育学校考试管理的通知》（2021年）",
        "effective_text": _effective_words(exam),
        "near_above": _plain(chosen.lines.near_above),
        "near_below": _plain(chosen.lines.near_below),
        "min_d_n": str(item_rules().discrimination_from),
        "single_digit_below": _plain(chosen.pupils.single_digit_below),
        "uneven_z": _plain(chosen.pupils.uneven_z),
        "struggling_share": _percent(chosen.pupils.struggling_share),
        "top_share": _percent(chosen.pupils.top_share),
        "unsteady_points": text(pupil_rules().unsteady_points, 0),
        "scaled_text": _scaled_words(exam),
        "scaled_source": "各省选择性考试等级转换办法",
        "suppress_below": str(THRESHOLD),
    }


def _missing_words(exam: Exam) -> str:
    missing = exam.settings.missing
    return f"缺考{missing.absent}，违纪{missing.cheated}，空白{missing.blank}。免考、未选考、缓考、休学和转出的不在分子也不在分母。"


def _total_words(exam: Exam) -> str:
    inside = [
        name for name in exam.subjects if name not in exam.settings.subjects or exam.settings.subjects[name].in_total
    ]
    parts = []
    for name in inside:
        fold = exam.settings.subjects[name].fold if name in exam.settings.subjects else Fraction(1)
        parts.append(name if fold == 1 else f"{name}×{_share(fold)}")
    rule = (
        "缺任何应考学科的学生没有总分" if exam.settings.missing.total == "缺科不计总分" else "缺考学科按 0 分计入总分"
    )
    return f"{'＋'.join(parts)}。{rule}；未选考和免考的学科不算缺。"


def _composite_words(exam: Exam) -> str:
    chosen = exam.settings.composite
    weights = "、".join(
        f"{ITEM_WORDS.get(name, name)} {_share(weight)}" for name, weight in chosen.weights.items() if weight
    )
    joined = "各学科按权重加权平均（未声明权重的各科相等）。"
    if chosen.family == "名次":
        return f"名次法：各学科平均分第一名 {_plain(chosen.first)} 分，每低一名减 {_plain(chosen.minus)} 分，同名次同分；各学科得分相加。"
    if chosen.family == "比最高":
        return f"比最高法：各项÷全县最高的学校×权重（{weights}），相加。{joined}不足 {MIN_RANKED} 名的学校不作最高值。"
    if chosen.family == "比县均":
        return f"比县均法：100×Σ权重×（本校÷全县）（{weights}）。{joined}"
    return f"线性法：100×（{'＋'.join(f'{_share(w)}×{ITEM_WORDS.get(n, n)}' for n, w in chosen.weights.items() if w)}）。{joined}"


def _level_words(exam: Exam) -> str:
    levels = exam.settings.levels
    if levels.by_shares:
        cuts = "、".join(
            f"{name} 累计前 {_percent(bound)}%" for name, bound in zip(levels.names, levels.bounds, strict=True)
        )
        return f"按全县名次的累计比例：{cuts}；同分同等级。"
    cuts = "、".join(
        f"{name} 得分率 ≥ {_share(bound)}" for name, bound in zip(levels.names, levels.bounds, strict=False)
    )
    return (
        f"按得分率：{cuts}；其余为 {levels.names[-1]}。"
        if len(levels.bounds) < len(levels.names)
        else f"按得分率：{cuts}。"
    )


def _effective_words(exam: Exam) -> str:
    method = exam.settings.lines.effective
    if method == "B":
        return "名次法：K＝该科考生中总分上线的人数，有效分＝该科第 K 名的分数，同分全部计入。"
    if method == "C":
        return f"临界带法：总分在线上下 {_plain(exam.settings.lines.band)} 分以内的学生的该科平均分。"
    return "比例法：总分上线学生的该科平均分×线÷他们的总分平均分，四舍五入取整。"


def _scaled_words(exam: Exam) -> str:
    chosen = exam.settings.scaling
    if not chosen.rule:
        return "本次没有赋分。"
    return f"按“{chosen.rule}”规则，学科：{'、'.join(chosen.subjects)}；切点同分处理：{chosen.ties}。转换的人群是本次参加该科并有成绩的全体学生。"


def _share(value: Fraction) -> str:
    return text(value, 4).rstrip("0").rstrip(".")


def _plain(value: Fraction) -> str:
    return text(value, 2).rstrip("0").rstrip(".")


def _percent(value: Fraction) -> str:
    return _plain(value * 100)
