"""Give the user's own workbook back: bad cells marked with the reason, the open questions on a first sheet.

`jiaoheng exam check FILE… --annotate OUT.xlsx` writes it; `jiaoheng exam report OUT.xlsx` reads the answers and the
corrected cells through `restore` and sees the sheets under their original names.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from jiaoheng.sheets.annotate_memory import Key, Origin
from jiaoheng.sheets.annotate_plain import write_plain
from jiaoheng.sheets.annotate_xlsx import Patched, Remarks, has_annotation, patch_workbook
from jiaoheng.sheets.ooxml_package import PackageError, is_package
from jiaoheng.sheets.ooxml_xml import XmlError
from jiaoheng.sheets.places import Problem, Question
from jiaoheng.sheets.question_answers import Answered, read_answers, restore
from jiaoheng.sheets.question_sheet import EXAM, NextStep
from jiaoheng.sheets.workbook import Sheet, SourceFile

__all__ = ["AnnotateError", "AnnotateResult", "Answered", "annotate", "annotate_many", "read_answers", "restore"]

_ENDINGS = frozenset({".xlsx", ".xlsm", ".xltx", ".xltm", ".xls", ".et", ".csv", ".tsv", ".txt", ".html", ".htm"})
_NOTHING: Mapping[Key, str] = MappingProxyType({})
_NO_HEADERS: Mapping[Origin, int] = MappingProxyType({})


class AnnotateError(Exception):
    """The marked copy could not be written; the text says why and what to do, in Chinese."""


@dataclass(frozen=True, slots=True)
class AnnotateResult:
    """Where the copy is, how many cells were marked and noted, how many questions and problems it lists.

    `path` can end otherwise than asked: a workbook with macros must be called .xlsm, any other .xlsx.
    `unplaced` problems belong to no cell of the copy and stand in the list only. `remarks` are for the user.
    """

    path: Path
    marked: int
    notes: int
    questions: int
    listed: int
    unplaced: int
    remarks: tuple[str, ...] = ()


def annotate(
    source_path: Path,
    source: SourceFile | None,
    problems: Sequence[Problem],
    questions: Sequence[Question],
    out: Path,
    *,
    answered: Mapping[Key, str] = _NOTHING,
    headers: Mapping[Origin, int] = _NO_HEADERS,
    settings: str = "",
    step: NextStep = EXAM,
) -> AnnotateResult:
    """Write the marked copy of one file to `out`.

    An xlsx or xlsm package is patched: every part but the touched sheets stays as it is. Any other file needs
    `source` and becomes a new workbook. `answered`: settings key path → value, shown as already answered;
    `headers`: (file, sheet) → 1-based header row, for problems of whole columns; `settings`: text of an exam.yaml
    that the copy remembers, so that it can be reported alone; `step`: what its first sheet says to do afterwards.
    AnnotateError where the file cannot be read or `out` cannot be written; `out` is then as it was before.
    """
    remarks = Remarks(problems, questions, answered, headers, settings, step)
    label = source.label if source is not None else source_path.name
    with _refusals(out):
        if not is_package(source_path):
            if source is None:
                raise AnnotateError(f"{source_path.name} 不是 xlsx 工作簿，不能直接标注。请另存为 xlsx 后再试")
            return _plain(restore(source.sheets)[0], [source_path], label, remarks, out)
        if _same(source_path, out) and not has_annotation(source_path):
            raise AnnotateError(f"标注副本不能覆盖原文件 {source_path.name}。请换一个文件名")
        try:
            return _patched(source_path, label, remarks, out)
        except (PackageError, XmlError):
            if source is None or not source.sheets:
                raise
            said = ("原工作簿的内部结构特殊，另写了一份只含数据的副本，格式和图表请看原文件",)
            return _plain(restore(source.sheets)[0], [source_path], label, remarks, out, said)


def annotate_many(
    sources: Sequence[SourceFile],
    problems: Sequence[Problem],
    questions: Sequence[Question],
    out: Path,
    *,
    answered: Mapping[Key, str] = _NOTHING,
    headers: Mapping[Origin, int] = _NO_HEADERS,
    settings: str = "",
    step: NextStep = EXAM,
) -> AnnotateResult:
    """Write the marked copy of one file, or of several files' sheets together in one new workbook.

    Parameters and errors as in `annotate`. Sheets of several files are called 文件名-表名; the copy remembers
    where each came from, so that answers and places keep their keys.
    """
    if not sources:
        raise AnnotateError("没有可以标注的文件")
    if len(sources) == 1:
        path = Path(sources[0].path)
        return annotate(
            path, sources[0], problems, questions, out, answered=answered, headers=headers, settings=settings, step=step
        )
    sheets: list[Sheet] = []
    for source in sources:
        sheets += restore(source.sheets)[0]
    with _refusals(out):
        remarks = Remarks(problems, questions, answered, headers, settings, step)
        return _plain(sheets, [Path(source.path) for source in sources], out.name, remarks, out)


def _patched(source: Path, label: str, remarks: Remarks, out: Path) -> AnnotateResult:
    with _temporary(out) as temporary:
        done = patch_workbook(source, temporary, label, remarks)
        target = _named(out, done.has_macros)
        if target != out and _same(source, target) and not has_annotation(source):
            raise AnnotateError(f"标注副本不能覆盖原文件 {source.name}。请换一个文件名")
        os.replace(temporary, target)
    return _result(target, out, done, ())


def _plain(
    sheets: Sequence[Sheet],
    sources: Sequence[Path],
    label: str,
    remarks: Remarks,
    out: Path,
    said: tuple[str, ...] = (),
) -> AnnotateResult:
    target = _named(out, False)
    for source in sources:
        if _same(source, target):
            raise AnnotateError(f"标注副本不能覆盖原文件 {source.name}。请换一个文件名")
    with _temporary(out) as bare, _temporary(out) as temporary:
        origins, losses = write_plain(sheets, bare)
        more = replace(remarks, problems=[*remarks.problems, *losses])
        done = patch_workbook(bare, temporary, label, more, origins)
        os.replace(temporary, target)
    return _result(target, out, done, said)


def _result(target: Path, asked: Path, done: Patched, said: tuple[str, ...]) -> AnnotateResult:
    notes = [*said, *done.remarks]
    if target.name != asked.name:
        why = "工作簿含有宏" if done.has_macros else "标注副本是 xlsx 工作簿"
        notes.append(f"{why}，已存为 {target.name}")
    return AnnotateResult(target, done.marked, done.notes, done.questions, done.listed, done.unplaced, tuple(notes))


def _named(out: Path, macros: bool) -> Path:
    """Excel opens neither a workbook with macros called .xlsx nor one without called .xlsm."""
    ending = ".xlsm" if macros else ".xlsx"
    if out.suffix.lower() == ending:
        return out
    return out.with_suffix(ending) if out.suffix.lower() in _ENDINGS else out.with_name(out.name + ending)


def _same(one: Path, other: Path) -> bool:
    try:
        return other.exists() and os.path.samefile(one, other)
    except OSError:
        return False


@contextlib.contextmanager
def _temporary(out: Path) -> Iterator[Path]:
    """A file beside `out`, gone afterwards unless it was renamed."""
    path = out.with_name(f".{out.stem[:40]}-{secrets.token_hex(6)}.part")
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _refusals(out: Path) -> Iterator[None]:
    """Turn what the system or the package says into one sentence for the user."""
    try:
        yield
    except PackageError as error:
        raise AnnotateError(f"{error}。请用 Excel 或 WPS 打开后另存为 xlsx 再试") from error
    except XmlError as error:
        raise AnnotateError("工作簿的内部结构不合规范，不能标注。请用 Excel 或 WPS 打开后另存为 xlsx 再试") from error
    except PermissionError as error:
        raise AnnotateError(f"不能写入 {out}：文件正被打开，或没有写入权限。请关闭后再试，或换一个位置") from error
    except FileNotFoundError as error:
        raise AnnotateError(f"找不到 {error.filename or out}。请核对文件和文件夹是否还在") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise AnnotateError(f"磁盘空间不足，{out} 没有写出。请检查磁盘空间或换一个位置") from error
        raise AnnotateError(f"不能写入 {out}（系统报告：{error.strerror or error}）。请检查磁盘或换一个位置") from error
