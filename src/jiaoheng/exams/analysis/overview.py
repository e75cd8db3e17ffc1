"""The headline page: what happened, in sentences with figures."""

from __future__ import annotations

from fractions import Fraction

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
from jiaoheng.exams.analysis.distributions import bands_table, distribution_chart
from jiaoheng.exams.analysis.measure import Exam
from jiaoheng.exams.analysis.score_tables import rate_cells
from jiaoheng.methods.numbers import percent, text
from jiaoheng.methods.participation import REMIND_BELOW
from jiaoheng.methods.ratios import Ratio
from jiaoheng.methods.verdicts import Standing


def overview(exam: Exam) -> Section:
    """Chapter one: headline figures, findings, and the county's table by subject."""
    blocks: list[Block] = [KeyFigures(_key_figures(exam)), Bullets(tuple(_findings(exam)))]
    blocks += _participation_notes(exam)
    blocks += [Paragraph("各学科全县成绩如下。"), county_table(exam)]
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
    whole = int(county.n[0])
    lacking = f"；缺一科以上、没有总分的 {cells.thousands(sat - whole)} 名" if exam.has_total and whole < sat else ""
    return f"应考 {cells.thousands(enrolled)} 名{inside}，参考 {cells.thousands(sat)} 名，参考率 {rate}{lacking}。"


def _subject_sentences(exam: Exam) -> list[str]:
    rated = [
        (exam.scores(name, "county").rates.score_rate.fraction(0), name)
        for name in exam.subjects
        if exam.scores(name, "county").rates.score_rate.fraction(0) is not None
    ]
    if len(rated) < 2:
        return []
    ordered = sorted(rated, key=lambda pair: (-(pair[0] or 0), exam.subjects.index(pair[1])))
    best, worst = ordered[0], ordered[-1]
    lines = [f"各学科中，{best[1]}得分率最高（{cells.pct(best[0])}），{worst[1]}最低（{cells.pct(worst[0])}）。"]
    lows = [(exam.scores(name, "county").rates.low.fraction(0), name) for name in exam.subjects]
    heavy = sorted(((value, name) for value, name in lows if value is not None), reverse=True)
    if heavy and heavy[0][0] > 0:
        lines.append(f"低分率最高的学科是{heavy[0][1]}，每百名学生中约有 {text(heavy[0][0] * 100, 0)} 名低分。")
    return lines


def _school_sentences(exam: Exam) -> list[str]:
    scores = exam.scores(exam.main, "school")
    by = {standing: [u for u, v in enumerate(scores.verdicts) if v.standing is standing] for standing in Standing}
    above, same, below = (len(by[s]) for s in (Standing.ABOVE, Standing.AS_EXPECTED, Standing.BELOW))
    judged = above + same + below
    if not judged:
        return []
    lines = [
        f"{judged} 所可比较的学校中，{exam.main}平均分高于其余学校的 {above} 所，低于的 {below} 所，"
        f"与其余看不出差别的 {same} 所。"
    ]
    order = [unit for unit in scores.order() if scores.rankable[unit]]
    if exam.ranks_units and len(order) > 1:
        first, last = order[0], order[-1]
        names = scores.level.names
        gap = (scores.means[first] or 0) - (scores.means[last] or 0)
        lines.append(
            f"校均最高的是{names[first]}（{cells.pts(scores.means[first])}），"
            f"最低的是{names[last]}（{cells.pts(scores.means[last])}），相差 {cells.pts(Fraction(gap))}。"
        )
    return lines


def _participation_notes(exam: Exam) -> list[Block]:
    county = exam.scores(exam.main, "county")
    enrolled, sat = int(county.enrolled[0]), int(county.sat[0])
    notes: list[Block] = []
    if enrolled and Fraction(sat, enrolled) < REMIND_BELOW:
        words = f"参考率 {cells.pct(Fraction(sat, enrolled))}，低于 95%。下表同时给出按应考人数（缺考计零）计算的结果。"
        notes.append(Note(words, Tone.BAD))
        notes.append(_both_bases(exam))
    if len(exam.units.schools) > 1:
        schools = exam.scores(exam.main, "school")
        few = [
            exam.units.schools.names[u]
            for u in range(len(exam.units.schools))
            if schools.enrolled[u] and Fraction(int(schools.sat[u]), int(schools.enrolled[u])) < REMIND_BELOW
        ]
        if few:
            notes.append(Note(f"参考率低于 95% 的学校 {len(few)} 所：{cells.of(few, '所')}。比较时请留意。", Tone.WARN))
    return notes


def _both_bases(exam: Exam) -> Table:
    """The county by those who sat (B1) and by those enrolled (B2), so that absence cannot flatter."""
    columns = (
        cells.word("paper", "科目"),
        cells.count("sat", "参考", group="按参考人数"),
        cells.marks("mean_sat", "平均分", group="按参考人数"),
        cells.share("pass_sat", "及格率", group="按参考人数"),
        cells.count("enrolled", "应考", group="按应考人数"),
        cells.marks("mean_enrolled", "平均分", group="按应考人数"),
        cells.share("pass_enrolled", "及格率", group="按应考人数"),
    )
    rows: list[tuple[Value, ...]] = []
    for name in exam.papers:
        scores = exam.scores(name, "county")
        paper = exam.papers[name]
        sat, enrolled = int(scores.sat[0]), int(scores.enrolled[0])
        total = paper.step * int(paper.values[paper.states == 0].astype("int64").sum())
        pass_mark = exam.cuts(name).passing * paper.full
        steps = -(-pass_mark // paper.step)
        passed = int(((paper.states == 0) & (paper.values >= int(steps))).sum())
        rows.append(
            (
                name,
                sat,
                cells.cell(total / sat if sat else None),
                cells.cell(Fraction(passed, sat) if sat else None),
                enrolled,
                cells.cell(total / enrolled if enrolled else None),
                cells.cell(Fraction(passed, enrolled) if enrolled else None),
            )
        )
    return Table("both_bases", "两种口径对照", columns, tuple(rows), sheet="全县")


def county_table(exam: Exam) -> Table:
    """Every paper of the county: one score, three rates, spread."""
    columns = (
        cells.word("paper", "科目"),
        TableColumn("full", "满分", Kind.NUMBER, 0, unit="分"),
        cells.count("enrolled", "应考", "enrolled"),
        cells.count("participants", "参考", "participants"),
        cells.count("n", "统计人数", "base"),
        cells.marks("mean", "平均分", "mean"),
        cells.share("score_rate", "得分率", "score_rate"),
        cells.share("excellent", "优秀率", "excellent"),
        cells.share("good", "良好率", "good"),
        cells.share("pass", "及格率", "pass"),
        cells.share("low", "低分率", "low"),
        cells.marks("sd", "标准差", "sd"),
        cells.marks("median", "中位数", "median", digits=1),
        cells.marks("max", "最高", digits=1),
        cells.marks("min", "最低", digits=1),
    )
    rows: list[tuple[Value, ...]] = []
    for name in exam.papers:
        scores = exam.scores(name, "county")
        figures = rate_cells(scores, 0)
        rows.append(
            (name, exam.papers[name].full, int(scores.enrolled[0]), int(scores.sat[0]), figures[0], *figures[1:-1])
        )
    last = frozenset({len(rows) - 1}) if exam.has_total else frozenset()
    return Table("county.papers", "全县各科成绩", columns, tuple(rows), emphasis=last, sheet="全县")
