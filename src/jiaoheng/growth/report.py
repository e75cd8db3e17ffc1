"""The value-added report: chapters in their order, and the tables that only the workbook holds."""

from __future__ import annotations

from dataclasses import dataclass

from jiaoheng import __version__
from jiaoheng.documents.model import (
    Block,
    Bullets,
    Definition,
    KeyFigure,
    KeyFigures,
    Note,
    Report,
    Section,
    Table,
    Tone,
)
from jiaoheng.growth.chapters.data import data_section
from jiaoheng.growth.chapters.effects import effect_sections, effect_table
from jiaoheng.growth.chapters.families import conversion_section, families_section
from jiaoheng.growth.chapters.judging import fairness_section, judging_section, missing_section, stability_section
from jiaoheng.growth.chapters.model import model_section
from jiaoheng.growth.results import GrowthResult
from jiaoheng.growth.wording import NOT_ONE_TEACHER, adjusted_for, count_sentence, counts_of, notice
from jiaoheng.methods.effects_model import Reading
from jiaoheng.packs import load


@dataclass(frozen=True, slots=True)
class GrowthReport:
    """The report and the complete tables of the workbook."""

    report: Report
    full_tables: tuple[Table, ...]

    def tables(self) -> list[Table]:
        """The workbook's tables: complete ones in place of the document's extracts."""
        found = {table.key: table for table in self.report.tables()}
        found.update({table.key: table for table in self.full_tables})
        return list(found.values())


def build_report(result: GrowthResult) -> GrowthReport:
    """All chapters of a result."""
    sections = [overview(result), *effect_sections(result), model_section(result)]
    for chapter in (
        judging_section,
        stability_section,
        fairness_section,
        missing_section,
        families_section,
        conversion_section,
    ):
        section = chapter(result)
        if section is not None:
            sections.append(section)
    sections.append(data_section(result))
    full = tuple(effect_table(result, effects, f"effects.{at}") for at, effects in result.shown)
    report = Report(
        title=result.settings.title or "增值评价报告",
        organisation=result.settings.organisation,
        date="",
        subtitle=f"{result.fit.n:,} 名学生，{len(result.main):,} 个“{result.main.level}”",
        sections=tuple(sections),
        definitions=definitions(result),
        notice=notice(result.settings),
        meta={"version": __version__, "files": result.files},
    )
    return GrowthReport(report, full)


def overview(result: GrowthResult) -> Section:
    """Chapter one: figures, findings, and what may not be concluded."""
    fit, main = result.fit, result.main
    counts = counts_of(main)
    figures = [
        KeyFigure(
            "用到的学生", f"{fit.n:,}", "名", f"读入 {result.prepared.counts.get('rows', fit.n):,} 行", "matched"
        ),
        KeyFigure(main.level, f"{len(main):,}", "个", "参加比较的单位"),
        KeyFigure("高于预期", str(counts[Reading.ABOVE]), "个", "整个 95% 区间在预期以上", "interval95"),
        KeyFigure("低于预期", str(counts[Reading.BELOW]), "个", "整个 95% 区间在预期以下", "interval95"),
    ]
    if main.level in fit.icc:
        share = f"{fit.icc[main.level] * 100:.1f}"
        figures.append(KeyFigure("单位间差异占比", share, "%", f"扣除起点等条件后在“{main.level}”之间", "icc"))
    lines = [f"{count_sentence(effects)}" for _, effects in result.shown]
    lines += [one.text for one in (*fit.warnings, *result.judging.warnings)]
    blocks: tuple[Block, ...] = (
        KeyFigures(tuple(figures)),
        Bullets(tuple(lines)),
        Note(f"{adjusted_for(result.settings)}。"),
        Note(f"{NOT_ONE_TEACHER}。", Tone.WARN),
    )
    return Section("overview", "总体情况", blocks)


def definitions(result: GrowthResult) -> tuple[Definition, ...]:
    """The pack's definitions with this run's numbers."""
    z84 = f"{result.main.z84:.3f}"
    return tuple(
        Definition(key, entry["name"], str(entry["text"]).format(z84=z84), entry["source"])
        for key, entry in load("growth")["definitions"].items()
    )
