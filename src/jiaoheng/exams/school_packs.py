"""各校资料: each school's own workbook, short report and slips. Nothing of another school may be in any of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jiaoheng.documents import charts
from jiaoheng.documents.chart_parts import Caption
from jiaoheng.documents.excel import write_workbook
from jiaoheng.documents.model import (
    Block,
    Chart,
    KeyFigure,
    KeyFigures,
    Kind,
    Note,
    Paragraph,
    Report,
    Section,
    Table,
    TableColumn,
    Tone,
    Value,
)
from jiaoheng.documents.pictures import Pictures, report_charts
from jiaoheng.documents.safe_text import file_name, unique_name
from jiaoheng.documents.slips import write_slips
from jiaoheng.documents.word import write_word
from jiaoheng.exams.analysis import cells
from jiaoheng.exams.analysis.definitions import used_definitions
from jiaoheng.exams.analysis.item_chapter import MeasuredItems, measure_items
from jiaoheng.exams.analysis.measure import Exam
from jiaoheng.exams.analysis.score_tables import base_columns, full_cells, rate_cells
from jiaoheng.exams.analysis.subjects import levels_of
from jiaoheng.exams.analysis.wording import highest, lowest, named
from jiaoheng.exams.report import ExamReport
from jiaoheng.exams.school_pupils import SchoolPupils
from jiaoheng.exams.school_weak import weak_points
from jiaoheng.methods.numbers import percent, text
from jiaoheng.methods.verdicts import Standing

FOOT = "成绩只告知本人和监护人，不公开、不传播"


def write_school_packs(made: ExamReport, folder: Path, progress: Callable[[str, int, int], None]) -> int:
    """Write `<school>/` with 成绩.xlsx, 简报.docx and 成绩条.xlsx for every school; returns how many.

    Raises OSError as it comes.
    """
    exam = made.exam
    schools = [unit for unit in range(len(exam.units.schools)) if exam.scores(exam.main, "school").enrolled[unit]]
    items = [measure_items(exam, one) for one in exam.roster.items.values()]
    reports = {school: school_report(exam, school, items, made.report.date) for school in schools}
    taken: set[str] = set()
    # one drawing process for all schools: its start costs more than a school's pictures
    with Pictures([chart for report in reports.values() for chart in report_charts(report)]) as pictures:
        for done, school in enumerate(schools, start=1):
            target = folder / unique_name(file_name(exam.units.schools.names[school]), taken)
            target.mkdir(parents=True)
            _write(exam, school, reports[school], target, pictures)
            progress("各校资料", done, len(schools))
    return len(schools)


def _write(exam: Exam, school: int, report: Report, target: Path, pictures: Pictures) -> None:
    pupils = SchoolPupils(exam, school)
    every = {table.key: table for table in (*report.tables(), *class_tables(exam, school))}
    tables = [*every.values(), *pupils.class_tables()]
    definitions = used_definitions(exam, (), tables)
    write_workbook(tables, target / "成绩.xlsx", title=report.title, notice=report.notice, definitions=definitions)
    write_word(report, target / "简报.docx", pictures)
    slips = pupils.slips()
    write_slips(target / "成绩条.xlsx", slips, title=exam.settings.name or "考试", foot=FOOT)


def school_report(exam: Exam, school: int, items: list[MeasuredItems], date: str) -> Report:
    """The short report of one school: itself beside the county, its classes, its weak points."""
    name = exam.units.schools.names[school]
    sections = [_overview(exam, school), _classes(exam, school)]
    weak = [section for one in items if (section := weak_points(exam, school, one)) is not None]
    if weak:
        sections.append(Section("items", "试题与知识点", (), tuple(weak)))
    made = tuple(section for section in sections if section is not None)
    return Report(
        title=f"{exam.settings.name or '考试'}质量简报",
        organisation=exam.settings.organisation,
        date=date,
        subtitle=name,
        sections=made,
        definitions=used_definitions(exam, made, ()),
        notice=f"{name}　只供本校使用，不公开、不传播",
    )


def _overview(exam: Exam, school: int) -> Section:
    scores, county = exam.scores(exam.main, "school"), exam.scores(exam.main, "county")
    figures = [
        KeyFigure(
            "参考人数",
            cells.thousands(int(scores.sat[school])),
            "名",
            f"应考 {int(scores.enrolled[school])} 名",
            "participants",
        )
    ]
    mean = scores.means[school]
    blocks: list[Block] = [_verdict(exam, school)]
    if not exam.ranks_units:
        # monitoring: levels and intervals only
        return Section(
            "overview",
            "总体情况",
            (KeyFigures(tuple(figures)), *blocks, interval_table(exam, school), level_table(exam, school)),
        )
    if mean is not None and county.means[0] is not None:
        figures.append(KeyFigure(f"{exam.main}平均分", text(mean), "分", f"全县 {text(county.means[0])}", "mean"))
    for label, own, whole, key in (
        ("及格率", scores.rates.passing, county.rates.passing, "pass"),
        ("低分率", scores.rates.low, county.rates.low, "low"),
    ):
        value, other = own.fraction(school), whole.fraction(0)
        if value is not None and other is not None:
            figures.append(KeyFigure(f"{exam.main}{label}", percent(value), "%", f"全县 {percent(other)}%", key))
    blocks.insert(0, KeyFigures(tuple(figures)))
    if int(scores.sat[school]) and len(exam.subjects) > 1:
        blocks.append(_profile(exam, school))
    blocks += [subject_table(exam, school), level_table(exam, school)]
    return Section("overview", "总体情况", tuple(blocks))


def _verdict(exam: Exam, school: int) -> Paragraph:
    standing = exam.scores(exam.main, "school").verdicts[school].standing
    enough = exam.scores(exam.main, "school").rankable[school]
    words = {
        Standing.ABOVE: "平均分高于全县其余学校",
        Standing.BELOW: "平均分低于全县其余学校",
        Standing.AS_EXPECTED: "平均分与全县其余学校看不出差别",
        Standing.NOT_JUDGED: "没有足够的其他学校可以比较" if enough else "人数不足，不与其他学校比较",
    }
    return Paragraph(f"本校{exam.main}{words[standing]}。", strong=True)


def interval_table(exam: Exam, school: int) -> Table:
    """Every paper: the interval of the school's mean and the verdict, without the mean itself."""
    columns = (
        cells.word("paper", "科目"),
        cells.count("participants", "参考", "participants"),
        TableColumn("mean_interval", "95% 区间", Kind.INTERVAL, 1, unit="分", definition="mean_interval"),
        cells.word("verdict", "判断", "verdict"),
    )
    rows: list[tuple[Value, ...]] = []
    for name in exam.papers:
        own = exam.scores(name, "school")
        verdict = cells.verdict_cell(own.verdicts[school], int(own.n[school]))
        rows.append((name, int(own.sat[school]), cells.interval_cell(own.intervals[school]), verdict))
    return Table("school.intervals", "各科平均分区间", columns, tuple(rows), sheet="区间")


def level_table(exam: Exam, school: int) -> Table:
    """Every paper's levels: the school's counts and shares beside the county's shares."""
    names = exam.settings.levels.names
    columns = (
        cells.word("paper", "科目"),
        cells.word("unit", "范围"),
        *(cells.count(f"{name}.n", name, "levels", group="人数") for name in names),
        *(cells.share(f"{name}.share", name, "levels", group="占比") for name in names),
    )
    rows: list[tuple[Value, ...]] = []
    for name in exam.papers:
        schools = exam.scores(name, "school").histogram
        own = levels_of(exam, name, schools)
        whole = levels_of(exam, name, schools.whole())
        shares = range(len(names))
        counts = [int(n) for n in own.counts[school]]
        rows.append((name, "本校", *counts, *(cells.cell(own.share(i).fraction(school)) for i in shares)))
        rows.append(("", "全县", *[""] * len(names), *(cells.cell(whole.share(i).fraction(0)) for i in shares)))
    return Table("school.levels", "各科等级分布", columns, tuple(rows), sheet="等级")


def _profile(exam: Exam, school: int) -> Chart:
    rows = []
    for name in exam.subjects:
        own = exam.scores(name, "school").rates.score_rate.fraction(school)
        whole = exam.scores(name, "county").rates.score_rate.fraction(0)
        if own is not None and whole is not None:
            rows.append((name, own * 100, whole * 100))
    gaps = [(own - whole, name) for name, own, whole in rows]
    apart = len(gaps) > 1 and highest(gaps)[0] != lowest(gaps)[0]
    title = (
        f"与全县相比，{named(highest(gaps)[1], '门')}最好，{named(lowest(gaps)[1], '门')}最弱"
        if apart
        else "各学科得分率"
    )
    alt = "；".join(f"{name} 本校 {text(own, 1)}%，全县 {text(whole, 1)}%" for name, own, whole in rows)
    caption = Caption(f"school.profile.{school}", title, "得分率＝平均分÷满分；圈是全县", alt, "school.papers")
    return charts.subject_profile(caption, rows, unit_name="本校", county_name="全县")


def subject_table(exam: Exam, school: int) -> Table:
    """Every paper: this school and the county; not how many the county has, or little is left of one other school."""
    bases = base_columns(exam.scores(exam.main, "school"))
    columns = (
        cells.word("paper", "科目"),
        cells.word("unit", "范围"),
        *bases,
        cells.marks("mean", "平均分", "mean"),
        cells.share("score_rate", "得分率", "score_rate"),
        cells.share("excellent", "优秀率", "excellent"),
        cells.share("pass", "及格率", "pass"),
        cells.share("low", "低分率", "low"),
        TableColumn("over_mean", "超均率", Kind.SIGNED, 2, unit="%", definition="over_mean"),
    )
    rows: list[tuple[Value, ...]] = []
    for name in exam.papers:
        own, whole = exam.scores(name, "school"), exam.scores(name, "county")
        over = own.over()[school]
        _, mean, rate, excellent, _good, passed, low, *_ = rate_cells(own, school)
        counts = full_cells(own, school)[: len(bases)]
        gap = cells.cell(None if over is None else over * 100)
        rows.append((name, "本校", *counts, mean, rate, excellent, passed, low, gap))
        _, mean, rate, excellent, _good, passed, low, *_ = rate_cells(whole, 0)
        rows.append(("", "全县", *[""] * len(bases), mean, rate, excellent, passed, low, ""))
    return Table("school.papers", "各科成绩", columns, tuple(rows), sheet="本校与全县")


def _classes(exam: Exam, school: int) -> Section | None:
    """The report's part on classes: the main paper, then all papers' means side by side; details in the workbook."""
    classes = _class_codes(exam, school)
    if not classes:
        return None
    blocks: list[Block] = [_class_table(exam, school, exam.main, classes)]
    if len(exam.papers) > 1:
        blocks.append(_class_means(exam, classes))
    if len(classes) > 1:
        blocks.append(Note("班级之间的差别包含生源和分班的影响，不能只凭平均分评价教师。", Tone.WARN))
    return Section("classes", "各班情况", tuple(blocks))


def _class_codes(exam: Exam, school: int) -> list[int]:
    if "class" not in exam.units.known or not exam.ranks_units:
        return []
    return [u for u in range(len(exam.units.classes)) if exam.units.classes.parents[u] == school]


def class_tables(exam: Exam, school: int) -> list[Table]:
    """Every paper's table of the school's classes, for the workbook."""
    classes = _class_codes(exam, school)
    return [_class_table(exam, school, name, classes) for name in exam.papers if classes]


def _class_means(exam: Exam, classes: list[int]) -> Table:
    """Classes × papers: means."""
    columns = (
        cells.word("class", "班级"),
        *(TableColumn(name, name, Kind.NUMBER, 1, definition="mean") for name in exam.papers),
    )
    rows: list[tuple[Value, ...]] = [
        (
            exam.units.classes.names[unit],
            *(
                cells.small(cells.cell(exam.scores(name, "class").means[unit]), int(exam.scores(name, "class").n[unit]))
                for name in exam.papers
            ),
        )
        for unit in classes
    ]
    return Table("school.class.means", "各班各科平均分", columns, tuple(rows), sheet="各班均分")


def _class_table(exam: Exam, school: int, name: str, classes: list[int]) -> Table:
    scores = exam.scores(name, "class")
    own_school = scores.like(exam.units.schools).means[school]
    over = scores.over([own_school] * len(scores.level))
    columns = (
        cells.word("class", "班级"),
        *base_columns(scores),
        cells.marks("mean", "平均分", "mean"),
        TableColumn("mean_interval", "95% 区间", Kind.INTERVAL, 1, unit="分", definition="mean_interval"),
        cells.share("excellent", "优秀率", "excellent"),
        cells.share("pass", "及格率", "pass"),
        cells.share("low", "低分率", "low"),
        cells.marks("sd", "标准差", "sd"),
        TableColumn("over_school", "比本校（超均率）", Kind.SIGNED, 2, unit="%", definition="over_mean"),
    )
    rows: list[tuple[Value, ...]] = []
    for unit in classes:
        _, mean, _rate, excellent, _good, passed, low, deviation, *_ = rate_cells(scores, unit)
        gap = over[unit]
        rows.append(
            (
                scores.level.names[unit],
                *full_cells(scores, unit)[: len(base_columns(scores))],
                mean,
                cells.interval_cell(scores.intervals[unit]),
                excellent,
                passed,
                low,
                deviation,
                cells.cell(None if gap is None else gap * 100),
            )
        )
    return Table(f"school.class.{name}", f"{name}：各班", columns, tuple(rows), sheet=f"各班-{name}")
