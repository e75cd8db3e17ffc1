"""Results of an earlier run that lie among the score files: recognised and left out, so that no pupil counts twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from jiaoheng.documents.words import CONTENTS, CONTENTS_HEADS
from jiaoheng.sheets.places import Place, Problem, Severity
from jiaoheng.sheets.workbook import Sheet, SourceFile

SUMMARY = "summary.json"
RESULTS = frozenset({"report.html", "report.docx", "tables.xlsx", "lists.xlsx", SUMMARY})
PACKS_FOLDER = "学校"  # the schools' own folders in a folder of results
PACK_FILES = frozenset({"成绩.xlsx", "简报.docx", "成绩条.xlsx"})
_BEGINNING = b'{"schema_version":'
_SIGN = b'"jiaoheng":'
_LOOKED_AT = 200  # bytes of a summary


def without_results(sources: Sequence[SourceFile]) -> tuple[list[SourceFile], list[Problem]]:
    """The files that are no results of ours, and a note for each folder in which some were left out.

    Results are known by their names beside our summary.json, and workbooks of tables by their contents sheet.
    """
    folders: dict[Path, bool] = {}
    kept: list[SourceFile] = []
    left: dict[Path, list[SourceFile]] = {}
    for source in sources:
        path = Path(source.path)
        if _in_results(path, folders) or any(_is_contents(sheet) for sheet in source.sheets[:1]):
            left.setdefault(path.parent, []).append(source)
        else:
            kept.append(source)
    return kept, [_note(files) for files in left.values()]


def _in_results(path: Path, folders: dict[Path, bool]) -> bool:
    if path.name in RESULTS:
        return _is_results(path.parent, folders)
    return path.name in PACK_FILES and path.parent.parent.name == PACKS_FOLDER and _is_results(path.parents[2], folders)


def _is_results(folder: Path, known: dict[Path, bool]) -> bool:
    """Whether the folder holds a summary that we wrote."""
    if folder not in known:
        try:
            with (folder / SUMMARY).open("rb") as file:
                beginning = file.read(_LOOKED_AT)
        except OSError:
            beginning = b""
        known[folder] = beginning.startswith(_BEGINNING) and _SIGN in beginning
    return known[folder]


def _is_contents(sheet: Sheet) -> bool:
    """The first sheet of our workbooks: a list of tables under our heads."""
    return sheet.name == CONTENTS and any(
        tuple(row[: len(CONTENTS_HEADS)]) == CONTENTS_HEADS for row in sheet.rows[:12]
    )


def _note(files: Sequence[SourceFile]) -> Problem:
    names = "、".join(_unique(source.label for source in files))
    return Problem(
        "results-left-out", Severity.NOTE, Place(files[0].label),
        f"这里有以前生成的报告结果，没有当作成绩读入：{names}", "结果文件夹最好不要放在成绩文件夹里",
    )  # fmt: skip


def _unique(labels: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(labels))
