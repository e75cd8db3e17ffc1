"""`jiaoheng exam check`: what the files hold, what is wrong, what must be answered; nothing is computed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jiaoheng.cli.console import BAD_INPUT, OK, Refusal, counted_progress, reading_limits, say
from jiaoheng.cli.exam_words import KINDS, column_words, problem_lines, question_lines, row_counts, sheet_lines
from jiaoheng.exams.pipeline import Prepared, prepare
from jiaoheng.exams.settings import ExamSettings
from jiaoheng.exams.settings_dump import dump_settings
from jiaoheng.sheets.annotate import AnnotateError, annotate_many
from jiaoheng.sheets.places import Place, Problem, Question, Severity
from jiaoheng.sheets.reading_model import SheetReading


def run_check(
    files: Sequence[Path],
    settings: Path | None,
    prior: Sequence[Path],
    annotate: Path | None,
    *,
    as_json: bool,
    yes: bool,
) -> int:
    """Print the preview (or JSON) and write the marked workbook where asked. 0: a report can be made; 2: not yet."""
    limits = reading_limits()
    with counted_progress() as progress:
        prepared = prepare(files, settings_path=settings, prior_paths=prior, yes=yes, limits=limits, progress=progress)
    written: list[str] = []
    if annotate is not None:
        written = _annotate(prepared, annotate)
    if as_json:
        say(json.dumps(preview(prepared), ensure_ascii=False, indent=1))
    else:
        _print(prepared)
    for line in written:
        say(line) if not as_json else None
    return OK if prepared.ready else BAD_INPUT


def _print(prepared: Prepared) -> None:
    for line in sheet_lines(prepared.readings):
        say(line)
    for severity in (Severity.ERROR, Severity.WARNING, Severity.NOTE):
        for line in problem_lines(prepared.problems, severity):
            say(line)
    if prepared.open:
        say(f"要先回答的问题 {len(prepared.open)} 个：")
        for line in question_lines(prepared.open):
            say(line)
    if prepared.taken:
        say(f"按默认处理的问题 {len(prepared.taken)} 个：")
        for question, answer in prepared.taken:
            say(f"  {question.text} → {answer}（{question.settings_key}）")
    pupils = prepared.roster.pupils.height
    if prepared.ready:
        say(f"检查完毕：{pupils} 名学生，{len(prepared.roster.subjects)} 个学科，可以出报告。")
    else:
        say(f"检查完毕：错误 {len(prepared.errors)} 条，待回答 {len(prepared.blocking)} 个，暂不能出报告。")


def _annotate(prepared: Prepared, out: Path) -> list[str]:
    headers = {
        (reading.sheet.file, reading.sheet.name): reading.header_rows[-1] + 1
        for reading in prepared.readings
        if reading.header_rows
    }
    declared = dump_settings(prepared.declared) if prepared.declared != ExamSettings() else ""
    try:
        result = annotate_many(
            prepared.files, prepared.problems, prepared.open, out,
            answered=prepared.answered, headers=headers, settings=declared,
        )  # fmt: skip
    except AnnotateError as error:
        raise Refusal(f"{error}。".replace("。。", "。")) from error
    lines = [
        f"已写出 {result.path}：标出 {result.marked} 格，列出问题 {result.questions} 个、错误和提醒 {result.listed} 条。"
    ]
    return [*lines, *(f"{remark}。".replace("。。", "。") for remark in result.remarks)]


def preview(prepared: Prepared) -> dict[str, Any]:
    """The preview as plain data."""
    return {
        "ready": prepared.ready,
        "pupils": prepared.roster.pupils.height,
        "subjects": [
            {"name": s.name, "full": float(s.full), "step": float(s.step), "in_total": s.in_total}
            for s in prepared.roster.subjects
        ],
        "files": [
            {"label": f.label, "format": f.true_format, "encoding": f.encoding, "size": f.size, "sha256": f.sha256}
            for f in prepared.files
        ],
        "sheets": [_sheet(reading) for reading in prepared.readings],
        "problems": [_problem(problem) for problem in prepared.problems],
        "questions": [_question(question) for question in prepared.open],
        "defaults_taken": [{**_question(question), "answer": answer} for question, answer in prepared.taken],
        "assumptions": [
            {"key": list(one.key), "value": one.value, "text": one.text, "source": one.source}
            for one in prepared.resolution.assumptions
        ],
    }


def _sheet(reading: SheetReading) -> dict[str, Any]:
    return {
        "file": reading.sheet.file,
        "sheet": reading.sheet.name,
        "hidden": reading.sheet.hidden,
        "kind": reading.kind.value,
        "kind_word": KINDS[reading.kind],
        "header_rows": [row + 1 for row in reading.header_rows],
        "rows": {kind.name.lower(): n for kind, n in row_counts(reading).items()},
        "columns": [
            {
                "column": column.index + 1,
                "header": list(column.header),
                "role": column.role.value,
                "subject": column.subject,
                "measure": column.measure.value if column.measure else None,
            }
            for column in reading.columns
        ],
        "column_words": column_words(reading),
    }


def _place(place: Place) -> dict[str, Any]:
    return {"file": place.file, "sheet": place.sheet, "row": place.row, "column": place.column, "cell": place.cell}


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code,
        "severity": problem.severity.value,
        "place": _place(problem.place),
        "message": problem.message,
        "remedy": problem.remedy,
    }


def _question(question: Question) -> dict[str, Any]:
    return {
        "code": question.code,
        "key": list(question.key),
        "place": _place(question.place),
        "places": [_place(place) for place in question.places],
        "text": question.text,
        "choices": [{"value": choice.value, "label": choice.label} for choice in question.choices],
        "default": question.default,
        "blocking": question.blocking,
    }
