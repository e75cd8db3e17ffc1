"""各校资料: each school's own workbook, short report and slips. Nothing of another school may be in any of them."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
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
from jiaoheng.exams.analysis.score_tables import rate_cells
from jiaoheng.exams.report import ExamReport
from jiaoheng.exams.school_pupils import SchoolPupils
from jiaoheng.methods.items import item_rules
from jiaoheng.methods.mastery import weaknesses
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
    weak = [section for one in items if (section := _weak_points(exam, school, one)) is not None]
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
    if mean is not None and county.means[0] is not None:
        figures.append(KeyFigure(f"{exam.main}平均分", text(mean), "分", f"全县 {text(county.means[0])}", "mean"))
    for label, own, whole, key in (
        ("及格率", scores.rates.passing, county.rates.passing, "pass"),
        ("低分率", scores.rates.low, county.rates.low, "low"),
    ):
        value, other = own.fraction(school), whole.fraction(0)
        if value is not None and other is not None:
            figures.append(KeyFigure(f"{exam.main}{label}", percent(value), "%", f"全县 {percent(other)}%", key))
    verdict = scores.verdicts[school]
    words = {
        Standing.ABOVE: "高于全县其余学校",
        Standing.BELOW: "低于全县其余学校",
        Standing.AS_EXPECTED: "与全县其余学校看不出差别",
        Standing.NOT_JUDGED: "人数不足，不与其他学校比较",
    }
    blocks: list[Block] = [
        KeyFigures(tuple(figures)),
        Paragraph(f"本校{exam.main}平均分{words[verdict.standing]}。", strong=True),
    ]
    if int(scores.sat[school]) and len(exam.subjects) > 1:
        blocks.append(_profile(exam, school))
    blocks.append(subject_table(exam, school))
    return Section("overview", "总体情况", tuple(blocks))


def _profile(exam: Exam, school: int) -> Chart:
    rows = []
    for name in exam.subjects:
        own = exam.scores(name, "school").rates.score_rate.fraction(school)
        whole = exam.scores(name, "county").rates.score_rate.fraction(0)
        if own is not None and whole is not None:
            rows.append((name, own * 100, whole * 100))
    gaps = sorted((own - whole, name) for name, own, whole in rows)
    title = f"与全县相比，{gaps[-1][1]}最好，{gaps[0][1]}最弱" if len(gaps) > 1 else "各学科得分率"
    alt = "；".join(f"{name} 本校 {text(own, 1)}%，全县 {text(whole, 1)}%" for name, own, whole in rows)
    caption = Caption(f"school.profile.{school}", title, "得分率＝平均分÷满分；圈是全县", alt, "school.papers")
    return charts.subject_profile(caption, rows, unit_name="本校", county_name="全县")


def subject_table(exam: Exam, school: int) -> Table:
    """Every paper: this school and the county."""
    columns = (
        cells.word("paper", "科目"),
        cells.word("unit", "范围"),
        cells.count("n", "统计人数", "base"),
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
        n, mean, rate, excellent, _good, passed, low, *_ = rate_cells(own, school)
        rows.append(
            (name, "本校", n, mean, rate, excellent, passed, low, cells.cell(None if over is None else over * 100))
        )
        n, mean, rate, excellent, _good, passed, low, *_ = rate_cells(whole, 0)
        rows.append(("", "全县", n, mean, rate, excellent, passed, low, ""))
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
    if "class" not in exam.units.known:
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
    own_school = exam.scores(name, "school").means[school]
    over = scores.over([own_school] * len(scores.level))
    columns = (
        cells.word("class", "班级"),
        cells.count("n", "统计人数", "base"),
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
        n, mean, _rate, excellent, _good, passed, low, deviation, *_ = rate_cells(scores, unit)
        gap = over[unit]
        rows.append(
            (
                scores.level.names[unit],
                n,
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


def _weak_points(exam: Exam, school: int, made: MeasuredItems) -> Section | None:
    """Items and points in which the school lies well below the county."""
    name = made.scores.subject
    own, county = made.at(exam, "school"), made.at(exam, "county")
    rows: list[tuple[Value, ...]] = []
    gap = item_rules().weak_gap
    for i, item in enumerate(made.scores.items):
        n, whole = int(own.count[school, i]), int(county.count[0, i])
        full = int(made.full[i])
        if not n or not whole or not full:
            continue
        here = Fraction(int(own.sum[school, i]), n * full)
        there = Fraction(int(county.sum[0, i]), whole * full)
        if there - here >= gap:
            rows.append((item, "、".join(made.knowledge[i]), here, there, (here - there) * 100))
    if not int(own.pupils[school]):
        return None
    rows.sort(key=lambda row: row[4] if isinstance(row[4], Fraction) else 0)
    limit = text(gap * 100, 0)
    table = Table(
        f"school.items.{name}",
        f"{name}：得分率低于全县 {limit} 个百分点以上的题",
        (
            cells.word("item", "题号"),
            cells.word("knowledge", "知识点", width=20),
            cells.share("own", "本校得分率", "difficulty", digits=1),
            cells.share("county", "全县得分率", "difficulty", digits=1),
            TableColumn("gap", "差", Kind.SIGNED, 1, unit="个百分点"),
        ),
        tuple(rows),
        sheet=f"薄弱题-{name}",
    )
    blocks: list[Block] = []
    if any(made.knowledge):
        weak = weaknesses(
            made.mastery_at(exam, "school", "knowledge"), school, made.mastery_at(exam, "county", "knowledge"), gap
        )
        words = "、".join(
            f"{one.point}（{cells.pct(one.rate, 1)}，全县 {cells.pct(one.reference, 1)}）" for one in weak[:5]
        )
        sentence = (
            f"{name}需要补的知识点：{words}。" if weak else f"{name}各知识点掌握率与全县相差不到 {limit} 个百分点。"
        )
        blocks.append(Paragraph(sentence, strong=True))
    if rows:
        blocks.append(table)
    return Section(f"items.{name}", name, tuple(blocks)) if blocks else None
