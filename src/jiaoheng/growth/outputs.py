"""The files of a result: effects.parquet, effects.xlsx, summary.json, report.html, report.docx."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from jiaoheng.documents.excel import write_workbook
from jiaoheng.documents.html import render_html
from jiaoheng.documents.pictures import Pictures, report_charts
from jiaoheng.documents.word import write_word
from jiaoheng.growth.converting import LOCKED_FILE, locked_text
from jiaoheng.growth.report import GrowthReport, build_report
from jiaoheng.growth.results import GrowthResult
from jiaoheng.growth.summary_json import summary
from jiaoheng.growth.tables import Progress
from jiaoheng.methods.effects_model import Effects

FILES = ("effects.parquet", "effects.xlsx", "summary.json", "report.html", "report.docx")


def write_outputs(result: GrowthResult, folder: Path, progress: Progress = lambda *_: None) -> GrowthReport:
    """Write all five files into `folder`."""
    made = build_report(result)
    effects_frame(result).write_parquet(folder / "effects.parquet")
    text = json.dumps(summary(result, made), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    (folder / "summary.json").write_text(text, encoding="utf-8")
    if result.converting is not None and result.converting.locked:
        (folder / LOCKED_FILE).write_text(locked_text(result.converting), encoding="utf-8")
    if result.pupil_percentiles is not None:
        pupils, values = result.pupil_percentiles
        frame = pl.DataFrame({result.settings.pupil: pupils, "growth_percentile": values})
        frame.write_parquet(folder / "growth_percentiles.parquet")
    progress("写出报告", 1, 4)
    report = made.report
    write_workbook(
        made.tables(), folder / "effects.xlsx", title=report.title, notice=report.notice, definitions=report.definitions
    )
    progress("写出报告", 2, 4)
    with Pictures() as pictures:
        pictures.add(report_charts(report))
        (folder / "report.html").write_text(render_html(report, pictures), encoding="utf-8")
        progress("写出报告", 3, 4)
        write_word(report, folder / "report.docx", pictures)
    progress("写出报告", 4, 4)
    return made


def effects_frame(result: GrowthResult) -> pl.DataFrame:
    """All effects as one table, a row a unit and term; a column for each level's key."""
    frames = [_frame(effects, result.path_names(effects)) for effects in result.fit.effects if len(effects)]
    return pl.concat(frames, how="diagonal") if frames else pl.DataFrame()


def _frame(effects: Effects, names: tuple[str, ...]) -> pl.DataFrame:
    paths = list(effects.units)
    keys = {
        name: [path[at] if len(path) == len(names) else "·".join(path) for path in paths]
        for at, name in enumerate(names)
    }
    spare = effects.conditional_sd if effects.conditional_sd is not None else effects.se
    return pl.DataFrame(
        {
            "level": [effects.level] * len(paths),
            "term": [effects.term] * len(paths),
            **keys,
            "n": effects.n,
            "estimate": effects.estimate,
            "se": effects.se,
            "conditional_sd": spare,
            "reliability": effects.reliability,
            "low95": effects.low95,
            "high95": effects.high95,
            "low84": effects.low84,
            "high84": effects.high84,
            "word": [word.value for word in effects.words],
        }
    )
