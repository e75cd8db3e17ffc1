"""Untrusted files → sheets of plain cells. Bad content never raises: it becomes a problem with its remedy."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from jiaoheng.sheets.labels import Wanted, expand, labels
from jiaoheng.sheets.limits import MB, Limits
from jiaoheng.sheets.places import Place, Problem, Severity
from jiaoheng.sheets.raw_sheets import Finding, RefusalError
from jiaoheng.sheets.reader_process import ReaderProcess
from jiaoheng.sheets.side_by_side import LARGE, read_side_by_side
from jiaoheng.sheets.taken_file import TakenFile
from jiaoheng.sheets.wire import WireError
from jiaoheng.sheets.workbook import SourceFile

Progress = Callable[[int, int, str], None]
_MOST_PROCESSES = 4
_FILES_A_PROCESS = 4  # starting one takes as long as reading about four small workbooks
_OTHER_DOCUMENTS = frozenset({"file-not-a-table", "format-unknown", "html-without-table"})
_KEEPS_SCORES = frozenset({"zip", "archive"})


def read_files(
    paths: Sequence[Path], *, limits: Limits | None = None, progress: Progress | None = None
) -> list[SourceFile]:
    """Read files and folders, each file once, in the order given (inside a folder in natural order).

    Every file found gives one SourceFile: with its sheets, or with an error that says why there are none; what was
    left out (lock files, hidden files) has a note. `limits` are those of the environment unless given; `progress` is
    called with (files done, files in all, label). Raises only for faults of our own and on Ctrl-C.
    """
    bounds = limits or Limits.from_environment()
    wanted = expand([Path(path) for path in paths])
    names = labels([one.path for one in wanted])
    empty = [
        Path(path) for path in paths if Path(path).is_dir() and not any(one.inside for one in expand([Path(path)]))
    ]
    found = _read_all(wanted, names, bounds, progress)
    return found + [_refused(path, path.name, 0, "empty-folder", "文件夹里没有文件", "请核对文件夹") for path in empty]


def read_file(path: Path, *, label: str | None = None, limits: Limits | None = None) -> SourceFile:
    """Read one file; a folder is refused with a message. See `read_files`."""
    path = Path(path)
    reader = ReaderProcess()
    try:
        return _read(reader, Wanted(path), label or path.name, limits or Limits.from_environment())
    finally:
        reader.kill()


def _read_all(
    wanted: Sequence[Wanted], names: Sequence[str], limits: Limits, progress: Progress | None
) -> list[SourceFile]:
    count = min(_MOST_PROCESSES, os.cpu_count() or 1, -(-len(wanted) // _FILES_A_PROCESS))
    readers = [ReaderProcess() for _ in range(max(1, count))]
    free: SimpleQueue[ReaderProcess] = SimpleQueue()
    for reader in readers:
        free.put(reader)

    def task(one: Wanted, name: str) -> SourceFile:
        reader = free.get()
        try:
            return _read(reader, one, name, limits)
        finally:
            free.put(reader)

    pool = ThreadPoolExecutor(len(readers), thread_name_prefix="read")
    found: list[SourceFile] = []
    try:
        waiting: list[Future[SourceFile]] = [pool.submit(task, *pair) for pair in zip(wanted, names, strict=True)]
        for done, future in enumerate(waiting, start=1):
            found.append(future.result())
            if progress is not None:
                progress(done, len(waiting), names[done - 1])
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for reader in readers:
            reader.kill()  # a thread that waits for it wakes up
        pool.shutdown(wait=True)
        for reader in readers:
            reader.kill()  # a thread may have started one more before it saw the end
    return found


def _read(reader: ReaderProcess, one: Wanted, label: str, limits: Limits) -> SourceFile:
    """One file, by the given process; whatever is wrong with it becomes a problem."""
    path = one.path
    if one.skipped:
        note = Problem("file-skipped", Severity.NOTE, Place(label), one.skipped, "")
        return SourceFile(str(path), label, "", 0, "", None, (), (note,))
    taken = TakenFile(label, limits)
    try:
        size = _check_before_opening(path, limits)
    except RefusalError as error:
        return taken.source(path, 0, [error.finding])
    try:
        if size >= LARGE and (sooner := read_side_by_side(reader, path, label, limits)) is not None:
            taken = sooner
        else:
            for head, body in reader.frames(path, limits):
                taken.take(head, body)
    except RefusalError as error:
        return taken.source(path, size, [error.finding])
    except (WireError, KeyError, TypeError, ValueError, IndexError):
        told = "解析程序返回的数据不合约定，已丢弃"
        finding = Finding("file-crashed", "error", told, "请用 Excel 或 WPS 另存为 xlsx 后再交")
        return taken.source(path, size, [finding])
    return taken.source(path, size, _softened(taken.refused, taken.format, one))


def _softened(findings: list[Finding], true_format: str, one: Wanted) -> list[Finding]:
    """A notice in Word or a photo among the tables of a folder stops nothing; an archive may hold scores and does."""
    if not one.inside or true_format in _KEEPS_SCORES:
        return findings
    return [
        Finding(f.code, "warning", f.message, f.remedy, f.sheet, f.row, f.column) if f.code in _OTHER_DOCUMENTS else f
        for f in findings
    ]


def _check_before_opening(path: Path, limits: Limits) -> int:
    """Size of a regular, not too large file; raises RefusalError otherwise. Nothing is opened or read."""
    try:
        found = path.stat()
    except FileNotFoundError:
        told = "链接所指的文件不存在" if path.is_symlink() else "文件不存在或已被移走"
        raise RefusalError("file-missing", told, "请核对文件名和路径") from None
    except PermissionError:
        raise RefusalError("file-no-permission", "没有读取该文件所在文件夹的权限", "请管理员授权后再试") from None
    except (OSError, ValueError) as error:
        raise RefusalError("file-unreadable", f"打不开该路径（{error}）", "请核对文件名和路径") from None
    if stat.S_ISDIR(found.st_mode):
        if not os.access(path, os.R_OK | os.X_OK):
            raise RefusalError("file-no-permission", "没有读取该文件夹的权限", "请管理员授权后再试")
        raise RefusalError("file-not-regular", "这是文件夹，不是文件", "请给出其中的文件")
    if not stat.S_ISREG(found.st_mode):
        raise RefusalError("file-not-regular", "这是设备或管道，不是普通文件", "请给出保存在磁盘上的文件")
    if found.st_size > limits.file_bytes:
        told = f"文件有 {found.st_size / MB:.0f} MB，超过上限 {limits.file_bytes / MB:.0f} MB"
        raise RefusalError("file-too-large", told, "请拆成几个文件，或删去图片等无关内容")
    if found.st_size == 0:
        raise RefusalError("file-empty", "文件是空的（0 字节）", "请重新取得该文件")
    return found.st_size


def _refused(path: Path, label: str, size: int, code: str, message: str, remedy: str) -> SourceFile:
    problem = Problem(code, Severity.ERROR, Place(label), message, remedy)
    return SourceFile(str(path), label, "", size, "", None, (), (problem,))
