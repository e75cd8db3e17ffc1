"""The reading process: takes file paths on its standard input, sends sheets on its standard output, trusts nothing.

Started as `python -m jiaoheng.sheets.child` by `reader_process`. It limits itself before it opens the first file:
no memory beyond the bound, no processor time beyond the bound for a file, no core dump, no file written.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import hashlib
import json
import os
import re
import signal
import sys
from itertools import chain
from typing import Any, BinaryIO

from jiaoheng.sheets.limits import MB, Limits
from jiaoheng.sheets.open_file import FACTS, open_file
from jiaoheng.sheets.raw_sheets import Facts, Finding, RawFile, RawSheet, RefusalError
from jiaoheng.sheets.wire import SheetEncoder, pack_findings, write_frame

try:
    import resource
except ImportError:  # Windows: the parent watches memory and time instead
    resource = None  # type: ignore[assignment]

_SPENT = 400 * MB  # a process that once grew beyond this is replaced: it would keep the memory
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_MOST_PLACES = 1_000  # findings about single cells that one sheet may send


def main() -> None:
    """Serve requests until the input ends."""
    requests = sys.stdin.buffer
    answers = os.fdopen(os.dup(1), "wb")
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)  # whatever prints must not get between the frames
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's; it ends us by closing the pipe or killing
    gc.disable()  # cells hold no cycles; each collection would walk millions of them
    for line in requests:
        request = json.loads(line)
        limits = Limits(**request["limits"])
        _restrict(limits)
        try:
            _answer(request["path"], limits, request["want"], answers)
        except BrokenPipeError:
            return
        gc.collect()


def _restrict(limits: Limits) -> None:
    """Bounds of the operating system for this process, set anew before each file."""
    if resource is None:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    processor = int(used.ru_utime + used.ru_stime) + limits.seconds + 1
    wishes = (("RLIMIT_AS", limits.memory_bytes), ("RLIMIT_CPU", processor), ("RLIMIT_CORE", 0), ("RLIMIT_FSIZE", 0))
    for name, most in wishes:
        kind = getattr(resource, name, None)
        if kind is None:
            continue
        _, hard = resource.getrlimit(kind)
        if hard != resource.RLIM_INFINITY:
            most = min(most, hard)
        try:
            resource.setrlimit(kind, (most, hard))
        except (ValueError, OSError):
            continue  # some systems refuse one of them; the parent's watch remains


def _answer(path: str, limits: Limits, want: str, answers: BinaryIO) -> None:
    """Read one file and send it: a "file" frame, the sheets, an "end" frame; or an "end" frame with the refusal."""
    end: dict[str, Any] = {"t": "end", "findings": []}
    try:
        data = _bytes(path, limits)
        write_frame(answers, {"t": "bytes", "size": len(data), "sha256": hashlib.sha256(data).hexdigest()})
        found = open_file(data, limits, want)
        if want == FACTS:
            for sheet in found.sheets:
                facts = _pack_facts(sheet.facts, limits.rows, limits.columns)
                write_frame(answers, {"t": "facts", "name": sheet.name} | facts)
        else:
            _send(found, limits, answers)
        end["findings"] = pack_findings(found.findings)
    except RefusalError as error:
        end["refused"] = pack_findings([error.finding])
        end["format"] = error.true_format
    except (MemoryError, OverflowError):
        end["refused"] = pack_findings([_too_much_memory(limits)])
        end["spent"] = True
    except BrokenPipeError:
        raise
    except BaseException as error:  # a panic of the Rust reader derives from BaseException
        if isinstance(error, (KeyboardInterrupt, SystemExit, GeneratorExit)):
            raise
        told = f"文件内容不合规则，解析中止（{type(error).__name__}）"
        end["refused"] = pack_findings(
            [Finding("file-damaged", "error", told, "请用 Excel 或 WPS 打开，另存为 xlsx 后再交")]
        )
        end["spent"] = True
    end["spent"] = end.get("spent", False) or _peak() > _SPENT
    write_frame(answers, end)


def _too_much_memory(limits: Limits) -> Finding:
    told = f"读取它需要的内存超过上限 {limits.memory_bytes // MB} MB"
    return Finding("file-too-much-memory", "error", told, "请删去多余的工作表和空行空列，或拆成几个文件再交")


def _peak() -> int:
    """The most memory this process ever held, in bytes; 0 where the system does not tell.

    Linux counts the parent's memory at the moment of the start into ru_maxrss, so there the program's own high-water
    mark is asked for: a large parent must not make every reader look worn out.
    """
    with contextlib.suppress(OSError, ValueError, IndexError), open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    if resource is None:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _bytes(path: str, limits: Limits) -> bytes:
    """The file as it is now; it may have gone, grown or been locked since the parent looked."""
    try:
        with open(path, "rb") as file:
            data = file.read(limits.file_bytes + 1)
    except FileNotFoundError:
        raise RefusalError("file-missing", "文件不存在或已被移走", "请核对文件名和路径") from None
    except PermissionError:
        raise RefusalError(
            "file-no-permission", "没有读取该文件的权限，或它正被别的程序独占", "请关闭打开它的程序，或请管理员授权"
        ) from None
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "OSError")
        raise RefusalError("file-unreadable", f"读取时存储设备出错（{name}）", "请把文件复制到本机硬盘后再试") from None
    if len(data) > limits.file_bytes:
        told = f"文件超过上限 {limits.file_bytes / MB:.0f} MB"
        raise RefusalError("file-too-large", told, "请拆成几个文件，或删去图片等无关内容")
    if not data:
        raise RefusalError("file-empty", "文件是空的（0 字节）", "请重新取得该文件")
    return data


def _send(found: RawFile, limits: Limits, answers: BinaryIO) -> None:
    sheets = iter(found.sheets)
    first = next(sheets, None)  # a workbook that cannot be opened is refused before anything of it is sent
    write_frame(answers, {"t": "file", "format": found.true_format, "encoding": found.encoding})
    for sheet in chain([first] if first is not None else [], sheets):
        _send_sheet(sheet, found.true_format, limits, answers)


def _send_sheet(sheet: RawSheet, true_format: str, limits: Limits, answers: BinaryIO) -> None:
    write_frame(answers, {"t": "sheet", "name": sheet.name})
    encoder = SheetEncoder(limits.text, _unescape if true_format in ("xlsx", "xlsb") else None)
    for head, body in encoder.blocks(sheet.rows):
        write_frame(answers, head, body)
    facts = sheet.facts
    for position in encoder.not_finite:
        facts.errors[position] = "#NUM!"
    findings = sheet.findings + _cut_texts(sheet.name, encoder, limits)
    told = [*facts.errors, *facts.formulas]  # such a cell is empty here but not in the file
    rows = max(encoder.rows, max((row for row, _ in told), default=-1) + 1)
    columns = max(encoder.columns, max((column for _, column in told), default=-1) + 1)
    end = {"t": "end_sheet", "rows": rows, "columns": columns, "findings": pack_findings(findings)}
    write_frame(answers, end | _pack_facts(facts, rows, columns))


def _cut_texts(name: str, encoder: SheetEncoder, limits: Limits) -> list[Finding]:
    """One finding a cell whose text was longer than a cell may be."""
    return [
        Finding(
            "text-cut",
            "warning",
            f"单元格文字有 {length} 字，只读入前 {limits.text} 字",
            "请核对该单元格，多半是引号没有成对或粘贴错了内容",
            sheet=name,
            row=row + 1,
            column=column + 1,
        )
        for row, column, length in encoder.too_long[:_MOST_PLACES]
    ]


def _unescape(text: str) -> str:
    """`_x000D_` in a workbook's text stands for the character itself."""
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)


def _pack_facts(facts: Facts, rows: int, columns: int) -> dict[str, Any]:
    """The facts about cells inside the sheet, as JSON."""
    return {
        "hidden": facts.hidden,
        "filtered": facts.filtered,
        "hidden_rows": sorted(row for row in facts.hidden_rows if row < rows),
        "hidden_columns": sorted(column for column in facts.hidden_columns if column < columns),
        "merged": [
            (top, left, min(bottom, rows - 1), min(right, columns - 1))
            for top, left, bottom, right in facts.merged
            if 0 <= top <= min(bottom, rows - 1)
            and 0 <= left <= min(right, columns - 1)
            and (min(bottom, rows - 1), min(right, columns - 1)) != (top, left)
        ],
        "zeros": [
            (row, column, digits)
            for (row, column), digits in facts.zero_formats.items()
            if row < rows and column < columns
        ],
        "percents": sorted(at for at in facts.percents if at[0] < rows and at[1] < columns),
        "formulas": sorted(facts.formulas),
        "errors": [(row, column, text) for (row, column), text in facts.errors.items()],
    }


if __name__ == "__main__":
    main()
