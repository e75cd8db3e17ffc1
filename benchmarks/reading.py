"""Reading one large score workbook: bare calamine, ours with all checks, ours with understanding, openpyxl.

One xlsx of 100,000 pupils × 20 columns (ids with leading zeros by number format, names, classes, nine subjects with
absences, totals, ranks). Every contender runs in a process of its own; memory is the peak of the process and of the
two reading processes that it starts. Checked: the same cells. Times are the best of `--repeats`; look at the ratios.

    python benchmarks/reading.py [--rows 100000] [--repeats 3] [--record]
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

SUBJECTS = ("语文", "数学", "英语", "物理", "化学", "生物", "政治", "历史", "地理")
HEADER = ("考号", "姓名", "性别", "学校", "班级", *SUBJECTS, "总分", "班名次", "校名次", "级名次", "序号", "备注")
ABSENT = 0.01
CONTENDERS = ("calamine", "ours", "ours+understanding", "openpyxl")
NAMES = {
    "calamine": "bare calamine, in the same process",
    "ours": "**ours**: own process, guards, zero formats, hidden and error cells",
    "ours+understanding": "**ours**, then headers, rows, columns and scores understood",
    "openpyxl": "openpyxl, read only",
}
SECTION = "## Reading"


def generate(path: Path, rows: int, seed: int = 7) -> None:
    """Write the workbook, with shared strings as Excel and WPS do."""
    import xlsxwriter

    chance = random.Random(seed)
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("成绩")
    ids = book.add_format({"num_format": "0000000000"})
    sheet.write_row(0, 0, HEADER)
    for row in range(1, rows + 1):
        sheet.write_number(row, 0, 118_000_000 + row, ids)
        place = (f"学生{row % 9_973}", "男" if row % 2 else "女", f"第{row % 60 + 1}中学", f"九({row % 12 + 1})班")
        sheet.write_row(row, 1, place)
        marks = [None if chance.random() < ABSENT else chance.randint(40, 300) / 2 for _ in SUBJECTS]
        sheet.write_row(row, 5, ["缺考" if mark is None else mark for mark in marks])
        total = sum(mark for mark in marks if mark is not None)
        sheet.write_row(row, 14, [total, row % 50 + 1, row % 1000 + 1, row, row])
        if row % 500 == 0:
            sheet.write_string(row, 19, "借读")
    book.close()


def digest(rows: Iterable[Sequence[Any]]) -> str:
    """One hash of all cells; blanks of every reader are the same, whole numbers too."""
    found = hashlib.sha256()
    for row in rows:
        cells = [None if cell == "" else float(cell) if isinstance(cell, int) else cell for cell in row]
        found.update(repr(cells).encode())
    return found.hexdigest()


def read_calamine(path: Path) -> Any:
    """The yardstick."""
    import python_calamine

    return python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python(skip_empty_area=False)


def read_ours(path: Path) -> Any:
    """Our reading with all checks."""
    from jiaoheng.sheets.reading import read_file

    source = read_file(path)
    assert [str(problem) for problem in source.problems] == []
    sheet = source.sheets[0]
    assert set(sheet.zero_formats.values()) == {10}
    assert len(sheet.zero_formats) == len(sheet.rows) - 1
    return sheet.rows


def read_and_understand(path: Path) -> Any:
    """Our reading, then the sheet understood: header, row classes, columns, typed scores."""
    from jiaoheng.sheets.reading import read_file
    from jiaoheng.sheets.understand import understand_file

    source = read_file(path)
    (reading,) = understand_file(source)
    assert reading.pupils is not None
    assert len(reading.pupils.rows) == len(source.sheets[0].rows) - 1
    return source.sheets[0].rows


def read_openpyxl(path: Path) -> Any:
    """The reader that most scripts use."""
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True)
    return list(book.worksheets[0].iter_rows(values_only=True))


READERS: dict[str, Callable[[Path], Any]] = {
    "calamine": read_calamine,
    "ours": read_ours,
    "ours+understanding": read_and_understand,
    "openpyxl": read_openpyxl,
}


def facts_peak(path: Path) -> int:
    """Peak memory of the second reading process, which takes the facts while the first takes the cells."""
    from jiaoheng.sheets.limits import Limits
    from jiaoheng.sheets.reader_process import ReaderProcess

    reader = ReaderProcess()
    try:
        for _ in reader.frames(path, Limits(), "facts"):
            pass
        status = Path(f"/proc/{reader._process.pid}/status") if reader._process else Path()
        lines = status.read_text().splitlines() if status.is_file() else []
        return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)
    finally:
        reader.kill()


def run_one(name: str, path: Path) -> None:
    """One contender in this process; prints seconds, peak memory and the digest as JSON."""
    import resource

    start = time.perf_counter()
    rows = READERS[name](path)
    seconds = time.perf_counter() - start
    scale = 1 if sys.platform == "darwin" else 1024
    own, child = (resource.getrusage(who).ru_maxrss * scale for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    if name.startswith("ours"):
        child += facts_peak(path)  # the system tells the larger of the two only
    print(json.dumps({"seconds": seconds, "own": own, "child": child, "digest": digest(rows)}))


def measure(path: Path, repeats: int) -> dict[str, dict[str, Any]]:
    """Best time of each contender; they take turns, so that other work on the machine hits all alike."""
    best: dict[str, dict[str, Any]] = {}
    for _ in range(repeats):
        for name in CONTENDERS:
            if name == "ours+understanding" and importlib.util.find_spec("jiaoheng.sheets.understand") is None:
                print("ours+understanding is left out: jiaoheng.sheets.understand is not here")
                continue
            command = [sys.executable, __file__, "--one", name, "--file", str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(f"{name} failed:\n{done.stderr}")
            found = json.loads(done.stdout.splitlines()[-1])
            if name not in best or found["seconds"] < best[name]["seconds"]:
                best[name] = found
    assert len({one["digest"] for one in best.values()}) == 1, "the readers do not agree on the cells"
    return best


def report(best: dict[str, dict[str, Any]], rows: int, size: int, repeats: int) -> str:
    """The section for docs/benchmarks.md."""
    bare = best["calamine"]["seconds"]
    lines = [
        SECTION,
        "",
        f"`python benchmarks/reading.py --rows {rows} --repeats {repeats}`:",
        f"one xlsx of {rows:,} pupils × {len(HEADER)} columns, {size / 1e6:.1f} MB on the disk. The cells are equal in all.",
        "",
        "| | seconds | × bare calamine | peak memory, MB (of it the reading processes) |",
        "|---|---:|---:|---:|",
    ]
    for name, one in best.items():
        both = (one["own"] + (one["child"] if name.startswith("ours") else 0)) / 1e6
        child = f" ({one['child'] / 1e6:.0f})" if name.startswith("ours") else ""
        lines.append(f"| {NAMES[name]} | {one['seconds']:.2f} | {one['seconds'] / bare:.2f} | {both:.0f}{child} |")
    packages = ", ".join(f"{name} {version(name)}" for name in ("python-calamine", "openpyxl", "xlsxwriter"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    lines += [
        "",
        f"Machine: {os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}; {packages}.",
        f"Best of {repeats} rounds in which the contenders take turns; take the ratios, other work ran on the machine.",
        "",
    ]
    return "\n".join(lines)


def record(section: str, path: Path) -> None:
    """Put the section into the document, in place of an older one."""
    text = path.read_text(encoding="utf-8") if path.exists() else "# Benchmarks\n"
    before, found, after = text.partition(SECTION + "\n")
    if found:
        rest = after.find("\n## ")
        tail = after[rest + 1 :] if rest >= 0 else ""
        text = before + section + ("\n" + tail if tail else "")
    else:
        text = text.rstrip("\n") + "\n\n" + section
    path.write_text(text, encoding="utf-8")


def main() -> None:
    """Generate, measure, print, and record where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--record", action="store_true", help="write the section of docs/benchmarks.md")
    parser.add_argument("--one", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        run_one(given.one, given.file)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "exam.xlsx"
        generate(path, given.rows)
        section = report(measure(path, given.repeats), given.rows, path.stat().st_size, given.repeats)
    print(section)
    if given.record:
        record(section, Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md")


if __name__ == "__main__":
    main()
