"""Chapter on lines: who reaches them, subjects' effective scores, near-line pupils (counts only)."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from jiaoheng.documents import charts
from jiaoheng.documents.chart_parts import Caption
from jiaoheng.documents.model import Block, Chart, Missing, Note, Paragraph, Section, Table, Tone, Value
from jiaoheng.exams.analysis import cells
from jiaoheng.exams.analysis.line_counts import NamedLine, marks_of, named_lines, subject_reach
from jiaoheng.exams.analysis.measure import Exam
from jiaoheng.exams.analysis.papers import TOTAL
from jiaoheng.exams.analysis.score_tables import county_names, name_cells, name_columns
from jiaoheng.exams.analysis.wording import highest, lowest, mark, named
from jiaoheng.methods.histogram import Mask
from jiaoheng.methods.intervals import MIN_RANKED
from jiaoheng.methods.lines import Reach
from jiaoheng.methods.ratios import Ratio


def line_section(exam: Exam) -> Section | None:
    """One part a line; None where no line was declared or no total exists."""
    lines = named_lines(exam)
    if not lines:
        return None
    return Section("lines", "划线与上线", (lines_table(lines),), tuple(_line(exam, line) for line in lines))


def lines_table(lines: tuple[NamedLine, ...]) -> Table:
    """The lines themselves: track, mark, plan, how many reach it, effective scores."""
    subjects = list(lines[0].tracks[0].effective)
    shown = [one.line.mark for line in lines for one in line.tracks]
    shown += [mark for line in lines for one in line.tracks for mark in one.effective.values() if mark is not None]
    digits = 1 if all((one * 10).denominator == 1 for one in shown) else 2
    columns = (
        cells.word("line", "线", "line"),
        cells.word("track", "类别"),
        cells.marks("mark", "总分线", "line", digits=digits),
        cells.count("planned", "计划数"),
        cells.count("reached", "上线人数", "reach"),
        *(cells.marks(name, name, "effective", digits=digits, group="学科有效分") for name in subjects),
    )
    no_plan = Missing("该线直接给出分数，没有计划数")
    nobody = Missing("没有人上线，无法计算有效分")
    rows: list[tuple[Value, ...]] = [
        (
            line.name,
            one.track or "全体",
            one.line.mark,
            cells.cell(one.line.planned, no_plan),
            one.line.reached,
            *(cells.cell(one.effective[name], nobody) for name in subjects),
        )
        for line in lines
        for one in line.tracks
    ]
    ties = [
        f"{line.name}{one.track}因同分多上线 {one.line.beyond_plan} 名"
        for line in lines
        for one in line.tracks
        if one.line.beyond_plan
    ]
    return Table("lines", "划线与学科有效分", columns, tuple(rows), note="；".join(ties), sheet="划线")


def _line(exam: Exam, line: NamedLine) -> Section:
    blocks: list[Block] = [Paragraph(_sentence(exam, line), strong=True)]
    outside = int((exam.papers[TOTAL].counted & ~line.pupils).sum())
    if outside:
        tracks = "、".join(one.track for one in line.tracks)
        blocks.append(Note(f"有总分的学生中 {outside} 名不属于{tracks}，不在本线的统计之内。", Tone.WARN))
    if len(exam.units.schools) > 1 and exam.ranks_units:
        table = reach_table(exam, line)
        some = any(one.line.reached for one in line.tracks)
        blocks += [*(_chart(exam, line, table.key) if some else []), table]
    subjects = subject_table(exam, line)
    blocks += (
        [Paragraph(_subject_sentence(subjects)), subjects]
        if subjects.rows
        else [Paragraph("没有人上线，各学科的有效分和上线人数不作统计。")]
    )
    blocks.append(Note("临界生名单在 lists.xlsx，只供局内使用。", Tone.INFO))
    return Section(f"line.{line.name}", line.name, tuple(blocks))


def _ratio(exam: Exam, line: NamedLine, level: str) -> Ratio:
    paper, units = exam.papers[TOTAL], exam.units.level(level)
    inside = paper.counted & line.pupils
    num = np.bincount(units.of_pupil[line.reached(marks_of(paper))], minlength=len(units)).astype(np.int64)
    return Ratio(num, np.bincount(units.of_pupil[inside], minlength=len(units)).astype(np.int64))


def _sentence(exam: Exam, line: NamedLine) -> str:
    ratio = _ratio(exam, line, "county")
    under, over = _near(exam, line)
    marks = "、".join(f"{one.track and one.track + ' '}{mark(one.line.mark)} 分" for one in line.tracks)
    return (
        f"{line.name}（{marks}）{exam.whole}上线 {cells.thousands(int(ratio.num[0]))} 名，上线率 {cells.pct(ratio.fraction(0))}；"
        f"线下 {mark(exam.settings.lines.near_below)} 分以内的临界生 {cells.thousands(int(under.sum()))} 名，"
        f"线上 {mark(exam.settings.lines.near_above)} 分以内的 {cells.thousands(int(over.sum()))} 名。"
    )


def _near(exam: Exam, line: NamedLine) -> tuple[Mask, Mask]:
    chosen = exam.settings.lines
    return line.within(marks_of(exam.papers[TOTAL]), chosen.near_below, chosen.near_above)


def _chart(exam: Exam, line: NamedLine, table: str) -> list[Chart]:
    """Schools' shares from high to low; no picture of fewer than two schools."""
    ratio, county = _ratio(exam, line, "school"), _ratio(exam, line, "county").fraction(0)
    rows = [
        (exam.units.schools.names[unit], value * 100)
        for unit, value in enumerate(ratio.fractions())
        if value is not None and int(ratio.den[unit]) >= MIN_RANKED
    ]
    if len(rows) < 2 or county is None:
        return []
    rows.sort(key=lambda row: -row[1])
    above = sum(value > county * 100 for _, value in rows)
    caption = Caption(
        f"{table}.chart",
        f"{len(rows)} 所学校中 {above} 所{line.name}上线率高于全县（{cells.pct(county, 1)}）",
        "上线率＝总分 ≥ 线的人数÷统计人数",
        f"{len(rows)} 所学校{line.name}上线率，从高到低",
        table,
    )
    return [charts.bars(caption, rows, unit="%", digits=1, reference=county * 100)]


def reach_table(exam: Exam, line: NamedLine) -> Table:
    """Schools: who reaches the line, and how many stand close to it."""
    ratio = _ratio(exam, line, "school")
    schools = exam.units.schools
    under, over = _near(exam, line)
    below = np.bincount(schools.of_pupil[under], minlength=len(schools))
    above = np.bincount(schools.of_pupil[over], minlength=len(schools))
    columns = (
        *name_columns("school", exam),
        cells.count("n", "统计人数", "reach"),
        cells.count("reached", "上线", "reach"),
        cells.share("rate", "上线率", "reach"),
        cells.share("part", "占全县上线", "reach"),
        cells.count("near_below", "线下临界", "near_line"),
        cells.count("near_above", "线上临界", "near_line"),
    )
    whole = int(ratio.num.sum())
    units = [
        unit for unit in range(len(schools)) if ratio.den[unit]
    ]  # a school without pupils of the tracks has no line
    units.sort(key=lambda unit: (-(ratio.fraction(unit) or 0), unit))
    rows: list[tuple[Value, ...]] = [
        (
            *name_cells("school", exam, unit),
            int(ratio.den[unit]),
            int(ratio.num[unit]),
            cells.small(cells.cell(ratio.fraction(unit)), int(ratio.den[unit])),
            cells.cell(Fraction(int(ratio.num[unit]), whole) if whole else None, Missing("全县没有人上线")),
            int(below[unit]),
            int(above[unit]),
        )
        for unit in units
    ]
    county = _ratio(exam, line, "county")
    rows.append(
        (
            *county_names("school", exam),
            int(county.den[0]),
            int(county.num[0]),
            cells.cell(county.fraction(0)),
            cells.cell(Fraction(1) if whole else None, Missing("全县没有人上线")),
            int(below.sum()),
            int(above.sum()),
        )
    )
    key = f"line.{line.name}.schools"
    return Table(
        key,
        f"{line.name}：各校上线",
        columns,
        tuple(rows),
        emphasis=frozenset({len(rows) - 1}),
        sheet=f"上线-{line.name}",
    )


def subject_table(exam: Exam, line: NamedLine, level: str = "county", unit: int = 0) -> Table:
    """Subjects at a line: single, double, total reach, hit, contribution, mismatch, of one unit."""
    columns = (
        cells.word("subject", "学科"),
        cells.count("n", "选考人数", "takers"),
        cells.count("total", "总上线", "takers"),
        cells.count("single", "单上线", "single"),
        cells.count("double", "双上线", "double"),
        cells.count("total_only", "总上单不上", "mismatch"),
        cells.count("single_only", "单上总不上", "mismatch"),
        cells.share("hit", "命中率", "hit"),
        cells.share("contribution", "贡献率", "contribution"),
        cells.share("mismatch", "错位率", "mismatch"),
    )
    rows: list[tuple[Value, ...]] = []
    for name in exam.subjects:
        made = subject_reach(exam, line, name, level)
        if made is not None:
            rows.append((name, *_reach_cells(made, unit)))
    return Table(
        f"line.{line.name}.subjects",
        f"{line.name}：各学科单上线与双上线",
        columns,
        tuple(rows),
        sheet="学科上线",
    )


def _reach_cells(made: Reach, unit: int) -> list[Value]:
    nobody = Missing("没有人上线")
    return [
        int(made.n[unit]),
        int(made.total[unit]),
        int(made.single[unit]),
        int(made.double[unit]),
        int(made.total_only[unit]),
        int(made.single_only[unit]),
        cells.cell(made.hit.fraction(unit), nobody),
        cells.cell(made.contribution.fraction(unit), nobody),
        cells.cell(made.mismatch.fraction(unit), nobody),
    ]


def school_subject_table(exam: Exam, line: NamedLine) -> Table:
    """Schools × subjects: hit and contribution, for the workbook."""
    columns = (
        *name_columns("school", exam),
        *(
            column
            for name in exam.subjects
            for column in (
                cells.count(f"{name}.double", "双上线", "double", group=name),
                cells.share(f"{name}.hit", "命中率", "hit", group=name),
                cells.share(f"{name}.contribution", "贡献率", "contribution", group=name),
            )
        ),
    )
    made = {name: subject_reach(exam, line, name, "school") for name in exam.subjects}
    nobody = Missing("没有人上线")
    rows = []
    for unit in range(len(exam.units.schools)):
        if not exam.scores(TOTAL, "school").enrolled[unit]:
            continue
        row: list[Value] = [*name_cells("school", exam, unit)]
        for name in exam.subjects:
            one = made[name]
            if one is None:
                row += [nobody, nobody, nobody]
            else:
                row += [
                    int(one.double[unit]),
                    cells.cell(one.hit.fraction(unit), nobody),
                    cells.cell(one.contribution.fraction(unit), nobody),
                ]
        rows.append(tuple(row))
    key = f"line.{line.name}.school_subjects"
    return Table(key, f"{line.name}：各校各学科", columns, tuple(rows), sheet=f"学科上线-{line.name}")


def _subject_sentence(table: Table) -> str:
    place = [column.key for column in table.columns].index("contribution")
    rated = [(row[place], str(row[0])) for row in table.rows if isinstance(row[place], Fraction)]
    if len(rated) < 2:
        return "各学科与总分上线的关系如下。"
    (low, worst), (high, best) = lowest(rated), highest(rated)  # type: ignore[arg-type]
    if low == high:
        return f"各学科的贡献率相同，为 {cells.pct(high)}。"
    return (
        f"总分上线的学生中，该科也上线的比例（贡献率）最高的是{named(best, '门')}（{cells.pct(high)}），"
        f"最低的是{named(worst, '门')}（{cells.pct(low)}）。"
    )
