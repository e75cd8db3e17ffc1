"""Annotated copies that are given beside the files they were made from: each sheet counts once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from jiaoheng.sheets.places import Place, Problem, Severity
from jiaoheng.sheets.workbook import SourceFile


def without_originals(sources: Sequence[SourceFile]) -> tuple[list[SourceFile], list[Problem]]:
    """The sources (sheets under their original names) without sheets of which an annotated copy is given too.

    The copy holds the answers and corrections, so it goes before its original; two copies of one sheet are an error.
    """
    copies: dict[tuple[str, str], list[str]] = {}
    for source in sources:
        for sheet in source.sheets:
            if sheet.file != source.label:
                copies.setdefault((sheet.file, sheet.name), []).append(source.label)
    problems: list[Problem] = []
    for (file, name), labels in copies.items():
        if len(labels) > 1:
            message = f"这张表有 {len(labels)} 份标注副本：{'、'.join(labels)}"
            problems.append(Problem("two-copies", Severity.ERROR, Place(file, name), message, "请只留一份"))
    kept: list[SourceFile] = []
    for source in sources:
        own = tuple(s for s in source.sheets if s.file != source.label or (s.file, s.name) not in copies)
        if len(own) < len(source.sheets):
            labels = sorted({copies[s.file, s.name][0] for s in source.sheets if s not in own})
            message = f"这个文件有标注副本“{'”“'.join(labels)}”，采用副本中的工作表和答复"
            problems.append(Problem("annotated-copy", Severity.NOTE, Place(source.label), message))
        kept.append(source if len(own) == len(source.sheets) else replace(source, sheets=own))
    return kept, problems
