"""Chapters that compare units: districts, schools, classes; who is really different."""

from __future__ import annotations

from fractions import Fraction

from jiaoheng.documents import charts
from jiaoheng.documents.chart_parts import Caption
from jiaoheng.documents.model import Block, Chart, Note, Paragraph, Section, Table, Tone
from jiaoheng.exams.analysis.composites import composite_sentence, composite_table
from jiaoheng.exams.analysis.measure import Exam
from jiaoheng.exams.analysis.score_tables import standing_table, three_rates_table
from jiaoheng.exams.analysis.unit_scores import UnitScores
from jiaoheng.exams.analysis.wording import highest, lowest, named
from jiaoheng.methods.intervals import MIN_RANKED
from jiaoheng.methods.numbers import text
from jiaoheng.methods.states import ScoreState
from jiaoheng.methods.verdicts import Standing

EACH = {"district": "各学区", "school": "各校", "class": "各班"}
WORDS = {"district": ("学区", "个学区"), "school": ("学校", "所学校"), "class": ("班级", "个班")}
MOST_ROWS_IN_CHART = 40
MOST_DIFFERENT = 15  # classes listed above, and below


def school_section(exam: Exam) -> Section | None:
    """Schools compared; None where the files speak of one school only."""
    if len(exam.units.schools) < 2:
        return None
    children = [_level(exam, exam.main, "school", f"school.{exam.main}")]
    if "district" in exam.units.known and len(exam.units.districts) > 1:
        children.append(_level(exam, exam.main, "district", f"district.{exam.main}"))
    if len(exam.subjects) > 1 and exam.ranks_units:
        heat = [_heat(exam)] if len(_over(exam)[0]) > 1 else []
        children.append(Section("school.heat", "各校学科长短", (_heat_sentence(exam), *heat)))
    if exam.ranks_units:
        table = composite_table(exam)
        some = any(isinstance(row[-1], int) for row in table.rows)
        blocks: list[Block] = [Paragraph(composite_sentence(exam)), *([table] if some else [])]
        children.append(Section("school.composites", "综合指数", tuple(blocks)))
    mixed = [Note(words, Tone.WARN)] if (words := _mixed_words(exam)) else []
    return Section("schools", "学校比较", tuple(mixed), tuple(children))


def _mixed_words(exam: Exam) -> str:
    """What must be said where pupils' totals are made of different subjects whose scores were not scaled."""
    if not exam.has_total:
        return ""
    scores = exam.roster.scores
    chosen = [n for n in exam.subjects if bool((scores[n].states == ScoreState.NOT_CHOSEN).any())]
    raw = [n for n in chosen if scores[n].subject.in_total and not scores[n].subject.scaled]
    if not raw:
        return ""
    return (
        f"学生选考的学科不同，{named(raw, '门', 8)}是原始分，各科难易不一，不同选科组合的总分不完全可比；"
        "比较学校和班级时请同时看各学科。"
    )


def class_section(exam: Exam) -> Section | None:
    """Classes: sentence, those that differ; all of them stand in tables.xlsx. None where there is one class."""
    if len(exam.units.classes) < 2 or "class" not in exam.units.known:
        return None
    scores = exam.scores(exam.main, "class")
    blocks: list[Block] = [Paragraph(_verdict_sentence(scores, "class"), strong=True)]
    table = standing_table(exam, exam.main, "class", f"class.{exam.main}", f"各班{exam.main}")
    if len(scores.level) <= MOST_ROWS_IN_CHART:
        if any(verdict.interval is not None for verdict in scores.verdicts) and exam.ranks_units:
            blocks.append(_interval_chart(exam, exam.main, "class", table.key))
        blocks.append(table)
    else:
        different = _different_only(exam, table)
        shown = len(different.rows) - 1
        words = f"共 {len(scores.level)} 个班，这里只列出与其余班级确有差别的 {shown} 个"
        if exam.ranks_units and shown == 2 * MOST_DIFFERENT:
            words += "（高、低各取差别最大的一半）"
        words += "；全部班级见 tables.xlsx 的“班级”各表。"
        blocks += (
            [different, Note(words)] if shown else [Note(words.replace("这里只列出与其余班级确有差别的 0 个；", ""))]
        )
    return Section("classes", "班级比较", tuple(blocks))


def _different_only(exam: Exam, table: Table) -> Table:
    """The classes furthest above and below among those that really differ, and the county line.

    Where units may not be ranked the table is in natural order, and all that differ are listed.
    """
    place = [column.key for column in table.columns].index("verdict")
    most = MOST_DIFFERENT if exam.ranks_units else len(table.rows)
    above = [i for i, row in enumerate(table.rows) if row[place] == Standing.ABOVE][:most]
    below = [i for i, row in enumerate(table.rows) if row[place] == Standing.BELOW][-most:]
    rows = tuple(table.rows[i] for i in (*above, *below, len(table.rows) - 1))
    return Table(
        f"{table.key}.different",
        f"与其余班级确有差别的班级（{exam.main}）",
        table.columns,
        rows,
        emphasis=frozenset({len(rows) - 1}),
        sheet="班级差别",
    )


def _level(exam: Exam, paper: str, level: str, key: str) -> Section:
    scores = exam.scores(paper, level)
    table = standing_table(exam, paper, level, key, f"{EACH[level]}{paper}")
    blocks: list[Block] = [Paragraph(_verdict_sentence(scores, level), strong=True)]
    if any(verdict.interval is not None for verdict in scores.verdicts) and exam.ranks_units:
        words = "名次区间写明了名次可能落在的范围，两个单位的名次区间重叠时，先后不作数。一次考试的名次不单独用于奖惩。"
        blocks += [_interval_chart(exam, paper, level, table.key), Note(words, Tone.WARN)]
    blocks.append(table)
    if exam.ranks_units:
        blocks.append(three_rates_table(exam, paper, level, f"{key}.three", f"{EACH[level]}{paper}一分三率"))
    return Section(f"{level}s.{paper}", f"{paper}：{EACH[level]}", tuple(blocks))


def _verdict_sentence(scores: UnitScores, level: str) -> str:
    measure = WORDS[level][1]
    standings = [v.standing for v in scores.verdicts]
    above, below = standings.count(Standing.ABOVE), standings.count(Standing.BELOW)
    same = standings.count(Standing.AS_EXPECTED)
    few = sum(one is Standing.NOT_JUDGED and scores.enrolled[u] > 0 for u, one in enumerate(standings))
    count = WORDS[level][1][0]
    if not above + below + same:
        return (
            f"{few} {measure}都不作比较：一个{WORDS[level][0]}和其余的合起来，各要有 {MIN_RANKED} 名以上有成绩的学生。"
        )
    if not above + below:
        parts = [f"{same} {measure}的{scores.paper.name}平均分与其余的都看不出差别"]
    else:
        parts = [
            f"{above + below + same} {measure}中，{scores.paper.name}平均分高于其余的 {above} {count}，"
            f"低于的 {below} {count}，看不出差别的 {same} {count}"
        ]
    if few:
        parts.append(f"另有 {few} {measure}人数不足 {MIN_RANKED}，不作比较")
    return "；".join(parts) + "。"


def _interval_chart(exam: Exam, paper: str, level: str, table: str) -> Chart:
    """Differences from all other units with their intervals: the picture says just what the table's verdicts say."""
    scores = exam.scores(paper, level)
    word, measure = WORDS[level]
    rows = []
    for unit, verdict in enumerate(scores.verdicts):
        label = scores.level.names[unit] if level != "class" else "".join(scores.level.paths[unit][1:])
        if verdict.difference is not None and verdict.interval is not None:
            rows.append(charts.Estimate(label, verdict.difference, verdict.interval.low, verdict.interval.high))
    above = sum(v.standing is Standing.ABOVE for v in scores.verdicts)
    below = sum(v.standing is Standing.BELOW for v in scores.verdicts)
    title = (
        f"{above + below} {measure}与其余{word}确有差别：{above} 高，{below} 低"
        if above + below
        else f"{EACH[level]}与其余{word}都看不出差别"
    )
    caption = Caption(
        f"{table}.chart",
        title,
        f"点是{paper}平均分与其余{word}之差，线是 95% 区间；区间不含 0 才说高于或低于",
        f"{len(rows)} {measure}{paper}平均分与其余之差及 95% 区间，从高到低",
        table,
    )
    words = (f"高于其余{word}", "看不出差别", f"低于其余{word}", "人数不足，不评")
    return charts.interval_plot(caption, rows, reference=0, reference_label="其余 0", unit="分", words=words)


def _over(exam: Exam) -> tuple[list[int], list[list[Fraction | None]]]:
    """Schools in order and their 超均率 (%) by subject; none where fewer than ten of a school sat the subject."""
    schools = exam.scores(exam.main, "school")
    units = [unit for unit in schools.order() if schools.rankable[unit]]
    papers = [exam.scores(name, "school") for name in exam.subjects]
    over = [paper.over() for paper in papers]
    grid = []
    for unit in units:
        row: list[Fraction | None] = []
        for paper, values in zip(papers, over, strict=True):
            value = values[unit] if paper.rankable[unit] else None
            row.append(None if value is None else value * 100)
        grid.append(row)
    return units, grid


def _heat(exam: Exam) -> Chart:
    units, grid = _over(exam)
    names = [exam.units.schools.names[unit] for unit in units]
    caption = Caption(
        "school.heat.chart",
        _heat_title(exam, grid),
        "格内是超均率（%）：学校平均分比全县平均分高（蓝）或低（赭）的百分比；学校按总体平均分从高到低",
        f"{len(names)} 所学校 {len(exam.subjects)} 门学科的超均率",
        f"school.{exam.main}",
    )
    return charts.heat_table(caption, names, exam.subjects, grid)


def _heat_title(exam: Exam, grid: list[list[Fraction | None]]) -> str:
    spans = []
    for j, name in enumerate(exam.subjects):
        known = [row[j] for row in grid if row[j] is not None]
        if len(known) > 1:
            spans.append((max(known) - min(known), name))  # type: ignore[type-var,operator]
    if not spans or highest(spans)[0] == 0:
        return "各校学科超均率"
    return f"校际差距最大的学科是{named(highest(spans)[1], '门')}"


def _heat_sentence(exam: Exam) -> Paragraph:
    units, grid = _over(exam)
    gaps: list[tuple[Fraction, str]] = []
    words: dict[str, str] = {}
    for unit, row in zip(units, grid, strict=True):
        known = [(value, name) for value, name in zip(row, exam.subjects, strict=True) if value is not None]
        if len(known) > 1:
            school = exam.units.schools.names[unit]
            (high, best), (low, worst) = highest(known), lowest(known)
            gaps.append((high - low, school))
            words[school] = f"{named(best, '门')}超均率 {_signed(high)}%，{named(worst, '门')}为 {_signed(low)}%"
    if not gaps or highest(gaps)[0] == 0:
        return Paragraph("可比较的学校和学科不足，或各校各学科与全县都没有差距。")
    schools = highest(gaps)[1]
    return Paragraph(
        f"学科之间最不均衡的是{schools[0]}：{words[schools[0]]}。"
        if len(schools) == 1
        else f"学科之间最不均衡的是{named(schools, '所')}，相差 {text(highest(gaps)[0], 1)} 个百分点。",
        strong=True,
    )


def _signed(value: Fraction) -> str:
    return text(value, 1, signed=True)
