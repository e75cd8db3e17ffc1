"""The headline page: what happened, in sentences with figures."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from jiaoheng.documents.model import (
    Block,
    Bullets,
    KeyFigure,
    KeyFigures,
    Kind,
    Note,
    Paragraph,
    Section,
    Table,
    TableColumn,
    Tone,
    Value,
)
from jiaoheng.exams.analysis import cells
from jiaoheng.exams.analysis.both_bases import both_bases
from jiaoheng.exams.analysis.distributions import bands_table, distribution_chart
from jiaoheng.exams.analysis.measure import Exam
from jiaoheng.exams.analysis.papers import TOTAL
from jiaoheng.exams.analysis.score_tables import base_columns, full_cells
from jiaoheng.exams.analysis.wording import highest, in_hundred, lowest, named, spread_sentence
from jiaoheng.methods.numbers import percent, text
from jiaoheng.methods.participation import REMIND_BELOW
from jiaoheng.methods.ratios import Ratio
from jiaoheng.methods.states import ScoreState
from jiaoheng.methods.verdicts import Standing


def overview(exam: Exam) -> Section:
    """Chapter one: headline figures, findings, and the county's table by subject."""
    blocks: list[Block] = [KeyFigures(_key_figures(exam)), Bullets(tuple(_findings(exam)))]
    blocks += _participation_notes(exam)
    blocks += [Paragraph(f"各学科{exam.whole}成绩如下。"), county_table(exam)]
    if exam.has_total:
        blocks += [distribution_chart(exam, exam.main), bands_table(exam, exam.main)]
    return Section("overview", "总体情况", tuple(blocks))


def _key_figures(exam: Exam) -> tuple[KeyFigure, ...]:
    paper, county = exam.main, exam.scores(exam.main, "county")
    rates = county.rates
    enrolled, sat = int(county.enrolled[0]), int(county.sat[0])
    mean, rate = rates.mean.fraction(0), rates.score_rate.fraction(0)
    figures = [
        KeyFigure("参考人数", cells.thousands(sat), "名", f"应考 {cells.thousands(enrolled)} 名", "participants"),
    ]
    if mean is not None and rate is not None:
        full = text(exam.papers[paper].full, 1).removesuffix(".0")
        context = f"满分 {full}，得分率 {percent(rate)}%"
        figures.append(KeyFigure(f"{paper}平均分", text(mean), "分", context, "mean"))
    for key, label, ratio in (
        ("excellent", "优秀率", rates.excellent),
        ("pass", "及格率", rates.passing),
        ("low", "低分率", rates.low),
    ):
        value = ratio.fraction(0)
        if value is not None:
            figures.append(KeyFigure(f"{paper}{label}", percent(value), "%", _people(ratio), key))
    return tuple(figures)


def _people(ratio: Ratio) -> str:
    """`3,120 名` where the numerator counts people."""
    return f"{cells.thousands(int(ratio.num[0]))} 名" if ratio.scale == 1 and ratio.den[0] else ""


def _findings(exam: Exam) -> list[str]:
    found = [_participation_sentence(exam)]
    if exam.roster.total is not None and not exam.has_total and len(exam.subjects) > 1:
        nobody = [name for name in exam.subjects if not exam.scores(name, "county").sat[0]]
        why = f"：{named(nobody, '门')}没有人参加" if nobody else ""
        found.append(f"没有学生有总分{why}。以下按学科统计，单位之间以{exam.main}比较。")
    if exam.subjects:
        found += _subject_sentences(exam)
    if len(exam.units.schools) > 1:
        found += _school_sentences(exam)
    return found


def _participation_sentence(exam: Exam) -> str:
    county = exam.scores(exam.main, "county")
    enrolled, sat = int(county.enrolled[0]), int(county.sat[0])
    schools, classes = len(exam.units.schools), len(exam.units.classes)
    where = []
    if "school" in exam.units.known:
        where.append(f"{schools} 所学校")
    if "class" in exam.units.known:
        where.append(f"{classes} 个班")
    rate = cells.pct(Fraction(sat, enrolled) if enrolled else None)
    inside = f"（{'、'.join(where)}）" if where else ""
    without = _without_total(exam)
    lacking = f"；缺一科以上、没有总分的 {cells.thousands(without)} 名" if without else ""
    return f"应考 {cells.thousands(enrolled)} 名{inside}，参考 {cells.thousands(sat)} 名，参考率 {rate}{lacking}。"


def _without_total(exam: Exam) -> int:
    """Pupils who sat something and have no total: a subject that they owed is lacking."""
    if not exam.has_total:
        return 0  # said in a sentence of its own
    sat = np.logical_or.reduce(
        [np.isin(exam.papers[name].states, (ScoreState.SCORED, ScoreState.CHEATED)) for name in exam.subjects]
    )
    return int((sat & (exam.papers[TOTAL].states != ScoreState.SCORED)).sum())


def _subject_sentences(exam: Exam) -> list[str]:
    rated, low = [], []
    for name in exam.subjects:
        rates = exam.scores(name, "county").rates
        rate, share = rates.score_rate.fraction(0), rates.low.fraction(0)
        if rate is not None and share is not None:
            rated.append((rate, name))
            low.append((share, name))
    if len(rated) < 2:
        return []
    lines = [f"各学科中，{spread_sentence(rated, '得分率', '门', cells.pct)}。"]
    most, names = highest(low)
    if most > 0:
        lines.append(f"低分率最高的学科是{named(names, '门')}，每百名学生中{in_hundred(most)}低分。")
    return lines


def _school_sentences(exam: Exam) -> list[str]:
    scores = exam.scores(exam.main, "school")
    by = {standing: sum(v.standing is standing for v in scores.verdicts) for standing in Standing}
    above, same, below = by[Standing.ABOVE], by[Standing.AS_EXPECTED], by[Standing.BELOW]
    judged = above + same + below
    if not judged:
        return []
    lines = [
        f"{judged} 所可比较的学校中，{exam.main}平均分高于其余学校的 {above} 所，低于的 {below} 所，"
        f"与其余看不出差别的 {same} 所。"
    ]
    rated = [
        (mean, name)
        for mean, name, ok in zip(scores.means, scores.level.names, scores.rankable, strict=True)
        if mean is not None and ok
    ]
    if exam.ranks_units and len(rated) > 1:
        gap = highest(rated)[0] - lowest(rated)[0]
        apart = f"，相差 {cells.pts(gap)}" if gap else ""
        lines.append(f"校均分：{spread_sentence(rated, '', '所', cells.pts)}{apart}。")
    return lines


def _share_sat(exam: Exam, name: str) -> Fraction | None:
    county = exam.scores(name, "county")
    enrolled = int(county.enrolled[0])
    return Fraction(int(county.sat[0]), enrolled) if enrolled else None


def _participation_notes(exam: Exam) -> list[Block]:
    notes: list[Block] = []
    rates = [(share, name) for name in exam.papers if (share := _share_sat(exam, name)) is not None]
    lacking = [f"{name} {cells.pct(share)}" for share, name in rates if share < REMIND_BELOW]
    if lacking:
        floor = text(REMIND_BELOW * 100, 0)
        words = f"参考率低于 {floor}%：{'、'.join(lacking)}。下表同时给出按参考人数和按应考人数（缺考计零）计算的结果。"
        notes.append(Note(words, Tone.BAD))
        notes.append(both_bases(exam))
    if len(exam.units.schools) > 1:
        schools = exam.scores(exam.main, "school")
        few = [
            exam.units.schools.names[u]
            for u in range(len(exam.units.schools))
            if schools.enrolled[u] and Fraction(int(schools.sat[u]), int(schools.enrolled[u])) < REMIND_BELOW
        ]
        if few:
            notes.append(
                Note(
                    f"参考率低于 {text(REMIND_BELOW * 100, 0)}% 的学校 {len(few)} 所：{cells.of(few, '所')}。比较时请留意。",
                    Tone.WARN,
                )
            )
    return notes


def county_table(exam: Exam) -> Table:
    """Every paper of the county: one score, three rates, spread."""
    digits = max(exam.digits(name) for name in exam.papers)
    whole = all(paper.full.denominator == 1 for paper in exam.papers.values())
    columns = (
        cells.word("paper", "科目"),
        TableColumn("full", "满分", Kind.NUMBER, 0 if whole else 2, unit="分"),
        cells.count("enrolled", "应考", "enrolled"),
        cells.count("participants", "参考", "participants"),
        *base_columns(exam.scores(exam.main, "county")),
        cells.marks("mean", "平均分", "mean"),
        cells.share("score_rate", "得分率", "score_rate"),
        cells.share("excellent", "优秀率", "excellent"),
        cells.share("good", "良好率", "good"),
        cells.share("pass", "及格率", "pass"),
        cells.share("low", "低分率", "low"),
        cells.marks("sd", "标准差", "sd"),
        cells.marks("median", "中位数", "median", digits=max(digits, 2)),
        cells.marks("max", "最高", digits=digits),
        cells.marks("min", "最低", digits=digits),
    )
    rows: list[tuple[Value, ...]] = []
    for name in exam.papers:
        scores = exam.scores(name, "county")
        figures = full_cells(scores, 0)
        rows.append((name, exam.papers[name].full, int(scores.enrolled[0]), int(scores.sat[0]), *figures[:-1]))
    last = frozenset({len(rows) - 1}) if exam.has_total else frozenset()
    return Table("county.papers", f"{exam.whole}各科成绩", columns, tuple(rows), emphasis=last, sheet="全县")
