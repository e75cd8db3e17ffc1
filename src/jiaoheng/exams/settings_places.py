"""Answers of the settings about files and sheets that are not there: a key with a slip in it answers nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jiaoheng.exams.settings import ExamSettings
from jiaoheng.sheets.places import Place, Problem, Severity
from jiaoheng.sheets.reading_model import SheetReading
from jiaoheng.sheets.workbook import SourceFile

_SHOWN = 4


def unknown_places(
    readings: Sequence[SheetReading], files: Sequence[SourceFile], settings: ExamSettings
) -> list[Problem]:
    """A warning for each key under sheets, rows, cells, columns or prior that belongs to no file and sheet read."""
    sheets = {Place(reading.sheet.file, reading.sheet.name).sheet_key for reading in readings}
    names = {file.label for file in files} | {reading.sheet.file for reading in readings}
    files_too = sheets | names | {f"{name}|" for name in names}
    shown = "、".join(sorted(sheets)[:_SHOWN]) + (f" 等 {len(sheets)} 张" if len(sheets) > _SHOWN else "")
    return [
        Problem(
            "settings-place-unknown",
            Severity.WARNING,
            Place("考试设置"),
            f"“{field} › {key}”对不上任何一张工作表，没有起作用",
            f"请核对文件名和工作表名；现有 {shown}" if sheets else "请核对文件名和工作表名",
        )
        for field, key in _keys(settings)
        if key not in (files_too if field == "sheets" else sheets)
        and (field == "sheets" or key.rpartition("|")[0] not in sheets)
    ]


def _keys(settings: ExamSettings) -> Iterator[tuple[str, str]]:
    for field in ("sheets", "rows", "cells"):
        yield from ((field, key) for key in getattr(settings, field))
    yield from (("columns", key) for key in settings.columns if key.count("|") >= 2)
