"""`jiaoheng exam report`: from files to the folder of results, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jiaoheng.cli.console import BAD_INPUT, OK, Progress, counted_progress, reading_limits, say, tell
from jiaoheng.cli.outputs import whole_folder
from jiaoheng.cli.waking import wake_for_documents, wake_for_sheets
from jiaoheng.engine.helper import Helper

if TYPE_CHECKING:
    from jiaoheng.exams.pipeline import Prepared


def run_report(
    files: Sequence[Path],
    out: Path,
    settings: Path | None,
    prior: Sequence[Path],
    *,
    yes: bool,
    school_packs: bool,
) -> int:
    """Make all outputs in a folder beside `out`, then move them in. 0 done; 2 errors or open questions."""
    limits = reading_limits()
    with counted_progress() as progress, whole_folder(out) as work, Helper() as helper:
        for wake in (wake_for_sheets, wake_for_documents):
            helper.submit(wake)
        from jiaoheng.exams.pipeline import prepare  # takes as long as the helper's start: both at once

        prepared = prepare(
            files,
            settings_path=settings,
            prior_paths=prior,
            yes=yes,
            limits=limits,
            progress=progress,
            helper=helper,
        )
        if prepared.ready:
            headline = write_outputs(prepared, work, progress, school_packs=school_packs, helper=helper)
        else:
            raise _NotReadyError(prepared)
    say(f"报告已写入 {out}：")
    for line in headline:
        say(f"  {line}")
    if prepared.taken:
        tell(f"有 {len(prepared.taken)} 个问题按默认处理，见报告“采用的默认值”。")
    return OK


class _NotReadyError(Exception):
    """Leaves `whole_folder` without moving anything."""

    def __init__(self, prepared: Prepared) -> None:
        super().__init__()
        self.prepared = prepared


def run_report_safely(*arguments: object, **options: object) -> int:
    """`run_report`, with the reasons told where the exam is not ready."""
    try:
        return run_report(*arguments, **options)  # type: ignore[arg-type]
    except _NotReadyError as stop:
        from jiaoheng.cli.exam_words import tell_what_stops

        tell_what_stops(stop.prepared)
        return BAD_INPUT


def write_outputs(
    prepared: Prepared,
    folder: Path,
    progress: Progress,
    *,
    school_packs: bool = False,
    helper: Helper | None = None,
) -> list[str]:
    """Write the four outputs, the lists and, where asked, the school packs; returns the headline lines.

    A `helper` draws the charts of each chapter while the next is computed, and writes the lists beside the rest.
    """
    from jiaoheng.documents.excel import write_workbook
    from jiaoheng.documents.fonts import missing_glyph_message, uncovered
    from jiaoheng.documents.html import render_html
    from jiaoheng.documents.pictures import Pictures, chart_characters, report_charts, section_charts
    from jiaoheng.documents.word import write_word
    from jiaoheng.exams.report import LIST_NOTICE, build_report
    from jiaoheng.exams.summary_json import summary

    with Pictures(helper=helper) as pictures:
        made = build_report(prepared, lambda section: pictures.add(section_charts([section])))
        report = made.report
        progress("统计", 1, 1)
        stages = 5
        text = json.dumps(summary(made, prepared), ensure_ascii=False, separators=(",", ":"))
        (folder / "summary.json").write_text(text, encoding="utf-8")
        progress("写出报告", 1, stages)
        notice, definitions = report.notice, report.definitions
        write_workbook(
            made.tables(), folder / "tables.xlsx", title=report.title, notice=notice, definitions=definitions
        )
        progress("写出报告", 2, stages)
        (folder / "report.html").write_text(render_html(report, pictures), encoding="utf-8")
        progress("写出报告", 3, stages)
        title = f"{report.title}·学生名单"
        ask = (helper or Helper(start=False)).submit
        lists = ask(write_workbook, made.lists, folder / "lists.xlsx", title=title, notice=LIST_NOTICE)
        write_word(report, folder / "report.docx", pictures)
        progress("写出报告", 4, stages)
        lists.result()
        progress("写出报告", stages, stages)
    if missing := missing_glyph_message(uncovered(chart_characters(report_charts(report)))):
        tell(missing)
    if school_packs:
        from jiaoheng.exams.own_results import PACKS_FOLDER
        from jiaoheng.exams.school_packs import write_school_packs

        write_school_packs(made, folder / PACKS_FOLDER, progress)
    lines = [f"{f.label}：{f.value}{f.unit}{f'（{f.context}）' if f.context else ''}" for f in made.headline()]
    return lines + ([f"增值：{made.added.sentence()}"] if made.added is not None else [])
