"""The county by those who sat (B1) beside the county by those enrolled (B2): absence must not flatter."""

from __future__ import annotations

from jiaoheng.documents.model import Table, Value
from jiaoheng.exams.analysis import cells
from jiaoheng.exams.analysis.measure import Exam
from jiaoheng.exams.analysis.papers import TOTAL
from jiaoheng.exams.roster_model import SubjectScores
from jiaoheng.exams.totals import TotalPolicy, total_scores
from jiaoheng.methods.histogram import ScoreHistogram
from jiaoheng.methods.participation import CountingRule, apply_rule, counting_rule
from jiaoheng.methods.rates import score_rates

SAT = TotalPolicy("不计", "计零", "不计", "缺科不计总分")
ENROLLED = TotalPolicy("计零", "计零", "按缺考", "缺科计零")


def both_bases(exam: Exam) -> Table:
    """Every paper by B1 and B2, each with its own N: 缺科不计总分 under B1, a missing subject counts 0 under B2."""
    columns = [cells.word("paper", "科目")]
    for key, word in (("sat", "按参考人数"), ("enrolled", "按应考人数")):
        columns += [
            cells.count(key, "统计人数", "both_bases", group=word),
            cells.marks(f"mean_{key}", "平均分", "both_bases", group=word),
            cells.share(f"pass_{key}", "及格率", "both_bases", group=word),
        ]
    sat = counting_rule("B1", cheated_zero=True, blank_absent=False)
    enrolled = counting_rule("B2", cheated_zero=True, blank_absent=True)
    rows: list[tuple[Value, ...]] = []
    for name in exam.papers:
        by_sat, by_enrolled = _scores(exam, name, SAT), _scores(exam, name, ENROLLED)
        rows.append((name, *_cells(exam, name, by_sat, sat), *_cells(exam, name, by_enrolled, enrolled)))
    return Table("both_bases", "两种口径对照", tuple(columns), tuple(rows), sheet="全县")


def _scores(exam: Exam, name: str, policy: TotalPolicy) -> SubjectScores | None:
    roster = exam.roster
    return total_scores(roster.subjects, roster.scores, policy) if name == TOTAL else roster.scores[name]


def _cells(exam: Exam, name: str, scores: SubjectScores | None, rule: CountingRule) -> list[Value]:
    if scores is None:
        return [0, cells.NO_DATA, cells.NO_DATA]
    counted = apply_rule(scores.values, scores.states, rule)
    county = exam.units.county
    histogram = ScoreHistogram.build(counted.values, county.of_pupil, 1, counted.mask, scores.subject.step)
    rates = score_rates(histogram, exam.papers[name].full, exam.cuts(name))
    return [int(histogram.n[0]), cells.cell(rates.mean.fraction(0)), cells.cell(rates.passing.fraction(0))]
