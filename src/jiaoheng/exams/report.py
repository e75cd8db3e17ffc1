"""The exam report: every chapter in its order, the tables of the workbook, and the headline figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jiaoheng import __version__
from jiaoheng.documents.model import KeyFigure, KeyFigures, Paragraph, Report, Section, Table
from jiaoheng.exams.analysis.comparisons import class_section, school_section
from jiaoheng.exams.analysis.data_notes import data_section, problem_table
from jiaoheng.exams.analysis.definitions import used_definitions
from jiaoheng.exams.analysis.distributions import bands_table, school_bands_table
from jiaoheng.exams.analysis.groups import Groups, find_groups, group_section
from jiaoheng.exams.analysis.item_chapter import item_section, measure_items, school_mastery_table
from jiaoheng.exams.analysis.line_counts import named_lines
from jiaoheng.exams.analysis.lines import line_section, school_subject_table
from jiaoheng.exams.analysis.measure import Exam, measure
from jiaoheng.exams.analysis.movement_chapter import Moved, find_movement, movement_section
from jiaoheng.exams.analysis.overview import overview
from jiaoheng.exams.analysis.score_tables import comparison_table, rates_table
from jiaoheng.exams.analysis.subjects import level_section, rank_band_table, school_levels_table, subject_section
from jiaoheng.exams.analysis.value_added import ValueAdded, find_value_added, value_added_section
from jiaoheng.exams.lists import bureau_lists
from jiaoheng.exams.pipeline import Prepared
from jiaoheng.exams.scaled import Scaled, apply_scaling, scaling_table
from jiaoheng.sheets.places import Problem, Question, Severity

NOTICE = "内部资料，供教研和管理使用；学生成绩不排名、不公布，不得在家长群传播"
LIST_NOTICE = "含学生个人信息，只供局内使用，不得外传"


@dataclass(frozen=True, slots=True)
class ExamReport:
    """The report, the tables that only the workbook holds, the bureau's lists, and what they were made from."""

    report: Report
    more_tables: tuple[Table, ...]
    lists: tuple[Table, ...]
    exam: Exam
    groups: Groups
    moved: Moved | None
    added: ValueAdded | None

    def tables(self) -> list[Table]:
        """Every table: those of the report, then those of the workbook alone; a key occurs once."""
        found = {table.key: table for table in (*self.report.tables(), *self.more_tables)}
        return list(found.values())

    def headline(self) -> Sequence[KeyFigure]:
        """The headline figures."""
        for section in self.report.sections:
            for block in section.blocks:
                if isinstance(block, KeyFigures):
                    return block.figures
        return ()


def build_report(prepared: Prepared, told: Callable[[Section], None] = lambda _: None) -> ExamReport:
    """All chapters from a prepared exam; `told` is called with each as it is made, so that its charts can be drawn.

    Raises ValueError where the exam is not ready (errors, open questions).
    """
    if not prepared.ready:
        raise ValueError("the exam is not ready to be reported")
    chosen = prepared.resolution.settings
    scaled = apply_scaling(prepared.roster, chosen)
    exam = measure(scaled.roster, chosen, prepared.gate)
    groups = find_groups(exam)
    moved = find_movement(exam, groups)
    added = find_value_added(exam)
    problems = [problem for problem in prepared.problems if problem.severity is not Severity.ERROR]
    chapters: tuple[Callable[[], Section | None], ...] = (
        lambda: overview(exam),
        lambda: school_section(exam),
        lambda: class_section(exam),
        lambda: subject_section(exam),
        lambda: level_section(exam),
        lambda: _rank_band_section(exam),
        lambda: line_section(exam),
        lambda: _scaling_section(scaled),
        lambda: item_section(exam),
        lambda: group_section(exam, groups),
        lambda: movement_section(exam, moved),
        lambda: value_added_section(exam, added),
        lambda: _data(exam, prepared, problems),
    )
    made: tuple[Section, ...] = ()
    for chapter in chapters:
        section = chapter()
        if section is not None:
            made += (section,)
            told(section)
    more = (*_more_tables(exam), problem_table(problems))
    report = Report(
        title=f"{chosen.name or '考试'}质量分析报告",
        organisation=chosen.organisation or (f"{chosen.county}教育局" if chosen.county else ""),
        date=f"{chosen.date.year}年{chosen.date.month}月{chosen.date.day}日" if chosen.date_known else "",
        subtitle=_subtitle(exam),
        sections=made,
        definitions=used_definitions(exam, made, more),
        notice=NOTICE,
        meta=_meta(exam, prepared),
    )
    return ExamReport(report, more, tuple(bureau_lists(exam, groups, moved)), exam, groups, moved, added)


def _data(exam: Exam, prepared: Prepared, problems: Sequence[Problem]) -> Section:
    open_notes = [
        Problem(
            question.code,
            Severity.NOTE,
            question.place,
            question.text,
            f"可在考试设置的 {question.settings_key} 中写明",
        )
        for question in prepared.open
    ]
    taken: Sequence[tuple[Question, str]] = prepared.taken
    return data_section(exam, prepared.resolution.assumptions, taken, [*problems, *open_notes])


def _subtitle(exam: Exam) -> str:
    parts = [exam.settings.county, exam.settings.grade, "、".join(exam.subjects)]
    return "　".join(part for part in parts if part)


def _rank_band_section(exam: Exam) -> Section | None:
    table = rank_band_table(exam)
    if table is None:
        return None
    text = f"各校进入全县{exam.main}前若干名的人数。只列人数，不列姓名；同分同名次的全部计入。"
    return Section("rank_bands", "名次段", (Paragraph(text), table))


def _scaling_section(scaled: Scaled) -> Section | None:
    if not scaled.conversions:
        return None
    text = "再选科目先在全体考生中赋分，再计总分；以下是各等级的原始分与赋分区间。"
    return Section("scaling", "赋分", (Paragraph(text), scaling_table(scaled)))


def _more_tables(exam: Exam) -> list[Table]:
    """Tables too long for a document: every class in every subject, bands and lines by school, mastery by school."""
    tables: list[Table] = []
    many_schools, many_classes = len(exam.units.schools) > 1, len(exam.units.classes) > 1
    for name in exam.papers:
        tables.append(bands_table(exam, name))
        if many_schools:
            tables += _both(exam, name, "school", "各校")
            tables.append(school_bands_table(exam, name) if exam.ranks_units else school_levels_table(exam, name))
        if many_classes and "class" in exam.units.known:
            tables += _both(exam, name, "class", "各班")
        if many_schools and "district" in exam.units.known:
            tables += _both(exam, name, "district", "各学区")
    if many_schools and exam.ranks_units:
        tables += [school_subject_table(exam, line) for line in named_lines(exam)]
        for items in exam.roster.items.values():
            made = measure_items(exam, items)
            both = (
                school_mastery_table(exam, made, of, word)
                for of, word in (("knowledge", "知识点"), ("abilities", "能力"))
            )
            tables += [table for table in both if table is not None]
    return tables


def _both(exam: Exam, name: str, level: str, words: str) -> list[Table]:
    """The full comparison and the rates of a level in a paper; under monitoring no rates."""
    tables = [comparison_table(exam, name, level, f"{level}.{name}.full", f"{name}：{words}比较")]
    if exam.ranks_units:
        tables.append(rates_table(exam, name, level, f"{level}.{name}.rates", f"{name}：{words}一分三率"))
    return tables


def _meta(exam: Exam, prepared: Prepared) -> dict[str, object]:
    chosen = exam.settings
    return {
        "version": __version__,
        "exam": {
            "name": chosen.name,
            "date": chosen.date.isoformat() if chosen.date_known else None,
            "county": chosen.county,
            "stage": chosen.stage,
            "grade": chosen.grade,
            "nature": chosen.nature,
            "scope": chosen.scope,
            "approval_document": chosen.approval_document,
            "denominator": chosen.denominator.rule,
        },
        "gate": {"rules": list(prepared.gate.rule_ids), "reasons": list(prepared.gate.reasons)},
        "files": [dict(one) for one in exam.roster.files],
    }
