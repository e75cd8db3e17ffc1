"""The user's own workbook with the wrong cells marked: corrected in that very file, it is read again as if it were new.

Marks are colours and notes and a first sheet 待确认; the sheets' values, formulas, widths and names stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jiaoheng.registers.judging import Judged
from jiaoheng.registers.template_marks import CHOICE_SHEET, META_SHEET
from jiaoheng.registers.workbook_reading_model import Key
from jiaoheng.sheets.annotate import AnnotateError, AnnotateResult, annotate
from jiaoheng.sheets.question_sheet import NextStep
from jiaoheng.sheets.workbook import SourceFile

__all__ = ["UPLOAD_AGAIN", "AnnotateError", "AnnotateResult", "mark_workbook"]

_NOTHING: Mapping[Key, str] = {}
UPLOAD_AGAIN = NextStep("改完后保存，再次上传本文件", "没有必须处理的事项，可以确认导入", "保存后把本文件再次上传")
_OWN = frozenset({META_SHEET, CHOICE_SHEET})


def mark_workbook(
    source_path: Path,
    source: SourceFile,
    judged: Judged,
    out: Path,
    *,
    answered: Mapping[Key, str] = _NOTHING,
) -> AnnotateResult:
    """Write the marked copy of an uploaded file to `out`.

    source: the file as it was read; judged: what was found. An xlsx is patched in place, another format becomes a new
    workbook. Raises AnnotateError (in Chinese) where that is not possible; `out` is then as it was before.
    """
    filled = judged.filled
    hidden = {sheet.name for sheet in source.sheets} & _OWN
    problems = [problem for problem in judged.problems if problem.place.sheet not in hidden]
    return annotate(
        source_path,
        source,
        problems,
        filled.questions,
        out,
        answered=answered,
        headers=filled.headers,
        step=UPLOAD_AGAIN,
    )
