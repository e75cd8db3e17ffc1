"""What every command shares: words on the terminal, counted progress, exit codes, outputs that appear whole or not at all.

Exit codes: 0 done, 2 bad input or open questions, 1 a fault (also interruption, full disk).
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jiaoheng.sheets.limits import Limits

OK, FAULT, BAD_INPUT = 0, 1, 2

Progress = Callable[[str, int, int], None]  # stage, done, total


class Refusal(Exception):  # noqa: N818 (not an error of the program)
    """The input cannot be used; the message is for the user."""


def say(text: str = "") -> None:
    """One line of result to standard output."""
    print(text, flush=True)


def tell(text: str) -> None:
    """One line of progress or complaint to standard error."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def counted_progress() -> Iterator[Progress]:
    """A bar with counts and time left on a terminal; a line a stage elsewhere."""
    if not sys.stderr.isatty():
        last: dict[str, int] = {}

        def plain(stage: str, done: int, total: int) -> None:
            if done >= total and last.get(stage) != total:
                tell(f"{stage}：{total}/{total}" if total > 1 else f"{stage}：完成")
                last[stage] = total

        yield plain
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, int] = {}

        def drawn(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)  # type: ignore[arg-type]

        yield drawn


def reading_limits() -> Limits:
    """The limits of reading that the environment sets. Raises Refusal where it says nonsense."""
    from jiaoheng.sheets.limits import Limits

    try:
        return Limits.from_environment()
    except ValueError as error:
        raise Refusal(f"{error}。请改正这个环境变量，或取消它而采用默认上限。") from error


def explain_os_error(error: OSError) -> str:
    """A file system error in plain Chinese with the place and the remedy."""
    place = error.filename or ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"磁盘空间不足，没有写出任何结果{f'（{place}）' if place else ''}。请清理磁盘或换一个位置（--out）后再运行。"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"没有权限读写“{place}”。请换一个位置，或请管理员授权；若文件正在 Excel 或 WPS 中打开，请先关闭。"
    if error.errno == errno.ENOENT:
        return f"找不到“{place}”。请检查路径；文件可能已被移走或改名。"
    if error.errno in (errno.ENOTDIR, errno.EISDIR, errno.EEXIST):
        return f"“{place}”的位置上已有同名的文件或文件夹。请换一个位置。"
    return f"读写“{place}”时出错：{error.strerror}。请检查磁盘和路径后再运行。"


def guarded(work: Callable[[], int]) -> int:
    """Runs a command's work; every way out ends in words and an exit code, never in a traceback.

    JIAOHENG_DEBUG=1 prints the traceback of a fault.
    """
    try:
        return work()
    except Refusal as refusal:
        tell(str(refusal))
        return BAD_INPUT
    except KeyboardInterrupt:
        tell("已中断，没有写出任何结果。")
        return FAULT
    except OSError as error:
        tell(explain_os_error(error))
        return FAULT
    except MemoryError:
        tell("内存不足，没有写出任何结果。请关闭其他程序，或把文件分批处理。")
        return FAULT
    except Exception as error:  # a fault of ours: no traceback at a clerk's screen
        if os.environ.get("JIAOHENG_DEBUG"):
            traceback.print_exc()
        frame = traceback.extract_tb(error.__traceback__)[-1]
        tell(f"程序内部出错（{type(error).__name__}，{Path(frame.filename).name}:{frame.lineno}），没有写出任何结果。")
        tell("请把这句话和所用的文件交给系统维护人员；设置环境变量 JIAOHENG_DEBUG=1 再运行可看到详情。")
        return FAULT
