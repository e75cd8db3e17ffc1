"""Distributions: the curve of a paper and its score bands."""

from __future__ import annotations

from fractions import Fraction

from jiaoheng.documents import charts
from jiaoheng.documents.chart_parts import Caption
from jiaoheng.documents.model import Chart, Table, Value
from jiaoheng.exams.analysis import cells
from jiaoheng.exams.analysis.measure import Exam
from jiaoheng.exams.analysis.papers import TOTAL
from jiaoheng.exams.analysis.score_tables import name_cells, name_columns
from jiaoheng.exams.analysis.unit_scores import UnitScores
from jiaoheng.methods.bands import band_edges, score_bands
from jiaoheng.methods.moments import skewness
from jiaoheng.methods.numbers import text

SUBJECT_BAND, TOTAL_BAND = Fraction(10), Fraction(50)


def _mark(value: Fraction) -> str:
    return text(value, 2).rstrip("0").rstrip(".")


def _band_width(exam: Exam, name: str) -> Fraction:
    return TOTAL_BAND if name == TOTAL and exam.papers[name].full > 300 else SUBJECT_BAND


def distribution_chart(exam: Exam, name: str) -> Chart:
    """Share of pupils per mark (per five marks of a total) with the pass and excellent lines."""
    paper, county = exam.papers[name], exam.scores(name, "county").county
    width = Fraction(1) if paper.full <= 200 else Fraction(5)
    n = int(county.n[0])
    points = []
    mark = Fraction(0)
    while mark <= paper.full and n:
        inside = int(county.at_least(mark)[0] - county.at_least(mark + width)[0])
        points.append((mark, Fraction(inside * 100, n)))
        mark += width
    cuts = exam.cuts(name)
    lines = [(paper.full * cuts.passing, "及格"), (paper.full * cuts.excellent, "优秀")]
    caption = Caption(
        f"distribution.{name}",
        _shape(exam, name),
        f"每 {_mark(width)} 分一段的人数占比；虚线是及格线和优秀线",
        f"{name}成绩分布，{n} 名",
        f"bands.{name}",
    )
    return charts.distribution(caption, {name: points}, x_title="分", y_title="占比 %", lines=lines)


SKEWED = 0.3  # moment skewness from which a curve visibly leans
FEWEST = 30  # pupils below which a curve has no shape to speak of
MIDDLE = Fraction(31, 100)  # share within half an SD of the mean from which the middle is full (normal 38 %, even 29 %)


def _shape(exam: Exam, name: str) -> str:
    """A finding about the distribution: crowded ends first, then the way it leans."""
    county = exam.scores(name, "county")
    skew, n = skewness(county.county)[0], int(county.n[0])
    if skew is None or n < FEWEST:
        return f"{name}成绩分布"
    paper, cuts = exam.papers[name], exam.cuts(name)
    # shares of those who stand in the picture, whatever the denominator of the rates
    top = Fraction(int(county.county.at_least(paper.full * cuts.excellent)[0]), n)
    low = Fraction(int(county.county.below(paper.full * cuts.low)[0]), n)
    if top >= Fraction(1, 2):
        return f"{name}成绩集中在高分段，半数以上优秀"
    if low >= Fraction(1, 4):
        return f"{name}低分学生多，每四名中至少有一名低分"
    if abs(skew) < SKEWED:
        return f"{name}成绩大致对称，中间多两头少" if _full_middle(county) else f"{name}成绩大致对称，各分数段较为均匀"
    return f"{name}成绩偏向高分一侧，低分一端拖得较长" if skew < 0 else f"{name}成绩偏向低分一侧，高分一端拖得较长"


def _full_middle(county: UnitScores) -> bool:
    histogram, sd = county.county, county.sds[0]
    mean = histogram.step * Fraction(int(histogram.sums[0]), int(histogram.n[0]))
    half = Fraction(sd or 0) / 2
    inside = int(histogram.at_least(mean - half)[0] - histogram.at_least(mean + half)[0])
    return Fraction(inside, int(histogram.n[0])) >= MIDDLE


def bands_table(exam: Exam, name: str) -> Table:
    """分数段 of the county: count, share, cumulative."""
    paper = exam.papers[name]
    bands = score_bands(exam.scores(name, "county").county, band_edges(paper.full, _band_width(exam, name)), paper.full)
    columns = (
        cells.word("band", "分数段", "bands"),
        cells.count("n", "人数"),
        cells.share("share", "占比"),
        cells.count("cumulative", "累计人数"),
        cells.share("cumulative_share", "累计占比"),
    )
    rows: list[tuple[Value, ...]] = [
        (
            label,
            int(bands.counts[0, i]),
            cells.cell(bands.share(i).fraction(0)),
            int(bands.cumulative[0, i]),
            cells.cell(bands.share(i, cumulative=True).fraction(0)),
        )
        for i, label in enumerate(bands.labels)
    ]
    return Table(f"bands.{name}", f"{name}分数段", columns, tuple(rows), sheet="分数段")


def school_bands_table(exam: Exam, name: str) -> Table:
    """分数段 by school (counts), for the workbook."""
    paper = exam.papers[name]
    bands = score_bands(
        exam.scores(name, "school").histogram, band_edges(paper.full, _band_width(exam, name)), paper.full
    )
    columns = (*name_columns("school", exam), *(cells.count(label, label) for label in bands.labels))
    rows = tuple(
        (*name_cells("school", exam, unit), *(int(value) for value in bands.counts[unit]))
        for unit in range(len(exam.units.schools))
        if exam.scores(name, "school").enrolled[unit]
    )
    return Table(f"school.bands.{name}", f"{name}：各校分数段人数", columns, rows, sheet=f"分数段-{name}", wide=True)
