"""Chapters about subjects: profile, distributions, score bands, levels, rank bands."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from jiaoheng.documents import charts
from jiaoheng.documents.chart_parts import Caption
from jiaoheng.documents.model import Block, Chart, Kind, Note, Paragraph, Section, Table, TableColumn, Tone, Value
from jiaoheng.exams.analysis import cells
from jiaoheng.exams.analysis.distributions import distribution_chart
from jiaoheng.exams.analysis.measure import Exam
from jiaoheng.exams.analysis.score_tables import name_cells, name_columns, slim_table
from jiaoheng.exams.analysis.wording import highest, lowest, mark, named
from jiaoheng.methods.bands import Levels, levels_by_score_rate, levels_by_share
from jiaoheng.methods.histogram import ScoreHistogram
from jiaoheng.methods.numbers import text
from jiaoheng.methods.ranks import rank_bands
from jiaoheng.methods.suppression import THRESHOLD, suppress


def subject_section(exam: Exam) -> Section:
    """Profile of all subjects, then one part a subject: sentence, distribution, school table."""
    blocks: list[Block] = []
    if len(exam.subjects) > 1:
        blocks = [_profile(exam)]
    children = tuple(_subject(exam, name) for name in exam.subjects)
    return Section("subjects", "学科分析", tuple(blocks), children)


def _profile(exam: Exam) -> Chart:
    rated = [(name, exam.scores(name, "county").rates.score_rate.fraction(0)) for name in exam.subjects]
    rows = [(name, value * 100) for name, value in rated if value is not None]
    title = _profile_title([(value, name) for name, value in rows])
    alt = "；".join(f"{name} {text(value, 1)}%" for name, value in rows)
    caption = Caption("subjects.profile", title, "得分率＝平均分÷满分", alt, "county.papers")
    return charts.bars(caption, rows, unit="%", digits=1)


def _profile_title(rated: list[tuple[Fraction, str]]) -> str:
    if len(rated) < 2:
        return "各学科得分率"
    (top, best), (bottom, worst) = highest(rated), lowest(rated)
    if top == bottom:
        return "各学科得分率相同"
    return f"{named(best, '门')}得分率最高，{named(worst, '门')}最低，相差 {text(top - bottom, 1)} 个百分点"


def _subject(exam: Exam, name: str) -> Section:
    blocks: list[Block] = [Paragraph(_sentence(exam, name), strong=True)]
    if not exam.scores(name, "county").n[0]:
        return Section(f"subject.{name}", name, tuple(blocks))
    blocks.append(distribution_chart(exam, name))
    if len(exam.units.schools) > 1:
        blocks.append(slim_table(exam, name, "school", f"school.{name}", f"{name}：各校"))
    return Section(f"subject.{name}", name, tuple(blocks))


def _sentence(exam: Exam, name: str) -> str:
    county = exam.scores(name, "county")
    rates = county.rates
    if rates.mean.fraction(0) is None:
        return f"{name}没有可统计的成绩：应考 {cells.thousands(int(county.enrolled[0]))} 名，参考 {cells.thousands(int(county.sat[0]))} 名。"
    low = county.extremes[0]
    span = f"，最高 {mark(low[1])} 分，最低 {mark(low[0])} 分" if low else ""
    return (
        f"{name}参考 {cells.thousands(int(county.sat[0]))} 名，平均 {cells.pts(rates.mean.fraction(0))}，"
        f"优秀率 {cells.pct(rates.excellent.fraction(0))}，及格率 {cells.pct(rates.passing.fraction(0))}，"
        f"低分率 {cells.pct(rates.low.fraction(0))}{span}。"
    )


def levels_of(exam: Exam, name: str, histogram: ScoreHistogram) -> Levels:
    """The level distribution of the units of a histogram; bounds by share are set by all its units together."""
    chosen = exam.settings.levels
    if chosen.by_shares:
        return levels_by_share(histogram, chosen.names, chosen.bounds)
    return levels_by_score_rate(histogram, exam.papers[name].full, chosen.names, chosen.bounds)


def level_section(exam: Exam) -> Section:
    """等级: county by subject, then schools in the main paper, small cells withheld with complements."""
    names = exam.settings.levels.names
    rows: list[tuple[Value, ...]] = []
    shares: list[tuple[str, Sequence[Fraction]]] = []
    for name in exam.papers:
        levels = levels_of(exam, name, exam.scores(name, "county").county)
        values = [levels.share(i).fraction(0) for i in range(len(names))]
        rows.append((name, int(levels.counts[0].sum()), *(cells.cell(value) for value in values)))
        if all(value is not None for value in values):
            shares.append((name, [value * 100 for value in values if value is not None]))
    columns = (
        cells.word("paper", "科目"),
        cells.count("n", "人数", "counted"),
        *(cells.share(level, level, "levels", group="各等级占比") for level in names),
    )
    county = Table("levels.county", f"{exam.whole}各科等级分布", columns, tuple(rows), sheet="等级")
    title = _level_title([(row[1][0], row[0]) for row in shares if row[0] in exam.subjects], names[0])
    caption = Caption(
        "levels.chart", title, "各等级人数占比；等级界限见“口径与定义”", f"{len(shares)} 科等级分布", county.key
    )
    blocks: list[Block] = [charts.stacked_levels(caption, names, shares), county] if len(names) <= 7 else [county]
    if len(exam.units.schools) > 1:
        blocks.append(school_levels_table(exam, exam.main))
        blocks.append(Note(_hidden_words(exam), Tone.INFO))
    return Section("levels", "等级分布", tuple(blocks))


def _level_title(rated: list[tuple[Fraction, str]], level: str) -> str:
    word = level if level.endswith(("等", "级", "秀", "好", "格")) else f"{level} 等"
    if not rated or highest(rated)[0] == 0:
        return f"各学科都没有 {word}的学生" if rated else "等级分布"
    share, best = highest(rated)
    if len(rated) > 1 and len(best) == len(rated):
        return f"各学科{word}的比例相同，为 {text(share, 1)}%"
    return f"{named(best, '门')}{word}的比例最高，为 {text(share, 1)}%"


def _hidden_words(exam: Exam) -> str:
    words = f"不足 {THRESHOLD} 名的格以 * 代替，同行另隐去至少一格，以免由合计倒推到个人；本表可以单独摘出。"
    if exam.ranks_units:
        words += "一分三率、分数段等表的数字未作隐去，能算出这些格，只供局内使用，不得与本表一起外传。"
    return words


def school_levels_table(exam: Exam, name: str) -> Table:
    """Level counts and shares by school with small cells withheld."""
    from jiaoheng.documents.model import Suppressed

    scores = exam.scores(name, "school")
    levels = levels_of(exam, name, scores.histogram)
    hidden = suppress(levels.counts)
    columns = (
        *name_columns("school", exam),
        cells.count("n", "人数", "counted"),
        *(cells.count(f"{level}.n", level, "levels", group="人数") for level in levels.names),
        *(cells.share(f"{level}.share", level, "levels", group="占比") for level in levels.names),
    )
    rows: list[tuple[Value, ...]] = []
    for unit in range(len(scores.level)):
        if not scores.enrolled[unit]:
            continue
        n = int(levels.counts[unit].sum())
        masked = [bool(flag) for flag in hidden.cells[unit]]
        counts = [Suppressed() if mask else int(levels.counts[unit, i]) for i, mask in enumerate(masked)]
        shares = [Suppressed() if mask else cells.cell(levels.share(i).fraction(unit)) for i, mask in enumerate(masked)]
        total: Value = Suppressed() if hidden.row_totals[unit] else n
        rows.append((*name_cells("school", exam, unit), total, *counts, *shares))
    return Table(f"levels.school.{name}", f"{name}：各校等级", columns, tuple(rows), sheet="等级")


def rank_band_table(exam: Exam) -> Table | None:
    """How many of the county's best 50, 100 … each school has; None where no band is small enough to say anything."""
    tops = [top for top in exam.settings.pupils.rank_bands if top <= int(exam.scores(exam.main, "county").n[0])]
    if not tops or len(exam.units.schools) < 2 or not exam.ranks_units:
        return None
    scores = exam.scores(exam.main, "school")
    bands = rank_bands(scores.histogram, tops)
    columns = (
        *name_columns("school", exam),
        cells.count("n", "人数", "counted"),
        *(
            TableColumn(f"top{band.top}", f"前 {band.top} 名", Kind.COUNT, 0, unit="名", definition="rank_bands")
            for band in bands
        ),
    )
    units = [unit for unit in range(len(scores.level)) if scores.enrolled[unit]]
    units.sort(key=lambda unit: (*(-int(band.counts[unit]) for band in bands), unit))
    rows: list[tuple[Value, ...]] = [
        (*name_cells("school", exam, unit), int(scores.n[unit]), *(int(band.counts[unit]) for band in bands))
        for unit in units
    ]
    lead = [""] * (len(name_columns("school", exam)) - 1)
    rows.append((exam.units.county.names[0], *lead, int(scores.n.sum()), *(band.total for band in bands)))
    ties = "，".join(f"前 {band.top} 名因同分多 {band.tied} 名" for band in bands if band.tied)
    return Table(
        "rank_bands",
        f"{exam.main}名次段各校人数",
        columns,
        tuple(rows),
        note=ties,
        emphasis=frozenset({len(rows) - 1}),
        sheet="名次段",
    )
