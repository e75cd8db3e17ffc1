"""The whole job: 60 school workbooks (20,000 pupils × 9 subjects) to the report's four outputs, with each stage's share.

Beside it, in the same run: the bare read of the same workbooks (calamine in one process). Goal: 8 s on two cores.

    python benchmarks/whole_job.py [--schools 60] [--pupils 20000] [--repeats 3] [--record]
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

SECTION = "## Whole job"
STAGES: dict[str, float] = {}


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Adds the wall time of a block to a stage."""
    start = time.perf_counter()
    yield
    STAGES[name] = STAGES.get(name, 0.0) + time.perf_counter() - start


def job(folder: Path, out: Path) -> None:
    """The command's own steps, timed; runs in a process of its own and prints one line a stage."""
    started = time.perf_counter()
    with stage("start of the program (imports)"):
        from jiaoheng.cli.waking import wake_for_documents, wake_for_sheets
        from jiaoheng.engine.helper import Helper

        helper = Helper()
        for wake in (wake_for_sheets, wake_for_documents):
            helper.submit(wake)
        from jiaoheng.cli.exam_report import write_outputs
        from jiaoheng.exams import pipeline
        from jiaoheng.exams import report as report_room
    read, understand, assemble = pipeline.read_files, pipeline.understand_files, pipeline.assemble
    build = report_room.build_report

    def timed(name, function):  # type: ignore[no-untyped-def]
        def wrapper(*arguments, **options):  # type: ignore[no-untyped-def]
            with stage(name):
                return function(*arguments, **options)

        return wrapper

    pipeline.read_files = timed("reading (child processes)", read)
    pipeline.understand_files = timed("understanding the sheets (two processes)", understand)
    pipeline.assemble = timed("joining and checks", assemble)
    report_room.build_report = timed("statistics, tables, chart specs (charts are drawn beside)", build)
    with stage("prepare"):
        prepared = pipeline.prepare([folder], yes=True, helper=helper)
    if not prepared.ready:
        raise SystemExit("\n".join(str(problem) for problem in prepared.errors[:5]))
    out.mkdir()
    with stage("write"):
        write_outputs(prepared, out, lambda *_: None, helper=helper)
    inside = [name for name in STAGES if name.startswith(("reading", "understanding", "joining"))]
    STAGES["other preparation"] = STAGES.pop("prepare") - sum(STAGES[name] for name in inside)
    build_name = next(name for name in STAGES if name.startswith("statistics"))
    STAGES["documents and the rest of the pictures (two processes)"] = STAGES.pop("write") - STAGES[build_name]
    for name, seconds in STAGES.items():
        print(f"{seconds:.4f}\t{name}")
    print(f"{time.perf_counter() - started:.4f}\tTOTAL")
    helper.close()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = resource.getrusage(resource.RUSAGE_SELF)
    print(f"{own.ru_maxrss // 1024}\tPEAK")
    print(f"{children.ru_maxrss // 1024}\tPEAK_CHILD")
    print(f"{sum((use.ru_utime + use.ru_stime) for use in (own, children)):.4f}\tPROCESSOR")


def bare_read(folder: Path) -> float:
    """Reading the same workbooks with calamine in this process and nothing else."""
    from python_calamine import load_workbook

    start = time.perf_counter()
    for path in sorted(folder.rglob("*.xlsx")):
        book = load_workbook(str(path))
        for name in book.sheet_names:
            book.get_sheet_by_name(name).to_python()
    return time.perf_counter() - start


def main() -> None:
    """Make the county, run the job in fresh processes, print the best run with its shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schools", type=int, default=60)
    parser.add_argument("--pupils", type=int, default=20000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--record", action="store_true", help="write the section of docs/benchmarks.md")
    parser.add_argument("--job", nargs=2, metavar=("FOLDER", "OUT"))
    options = parser.parse_args()
    if options.job:
        job(Path(options.job[0]), Path(options.job[1]))
        return
    from jiaoheng.exams.sample import make_sample

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "county"
        folder.mkdir()
        make_sample(folder, schools=options.schools, pupils=options.pupils, seed=7)
        runs = []
        for number in range(options.repeats):
            words = [sys.executable, __file__, "--job", str(folder), str(Path(scratch) / f"out{number}")]
            lines = subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines()
            runs.append([(float(value), name) for value, _, name in (line.partition("\t") for line in lines)])
        best = min(runs, key=lambda run: next(value for value, name in run if name == "TOTAL"))
        floor = min(bare_read(folder) for _ in range(2))
    text = table(best, floor, options)
    print(text)
    if options.record:
        record(text)


def table(run: list[tuple[float, str]], floor: float, options: argparse.Namespace) -> str:
    """The result as Markdown."""
    values = {name: value for value, name in run}
    total = values.pop("TOTAL")
    peak, child, processor = int(values.pop("PEAK")), int(values.pop("PEAK_CHILD")), values.pop("PROCESSOR")
    rows = [f"| {name} | {seconds:.2f} | {100 * seconds / total:.0f} % |" for name, seconds in values.items()]
    packages = ", ".join(
        f"{name} {version(name)}" for name in ("polars", "python-calamine", "vl-convert-python", "xlsxwriter")
    )
    return "\n".join(
        [
            SECTION,
            "",
            f"`python benchmarks/whole_job.py --schools {options.schools} --pupils {options.pupils}`: {options.schools}",
            f"school workbooks with a sheet a class, {options.pupils:,} pupils × 9 subjects, item scores of two subjects and the",
            "prior exam → report.html, report.docx, tables.xlsx, summary.json (and lists.xlsx). Goal 8 s.",
            "",
            "| stage | seconds | share |",
            "|---|---:|---:|",
            *rows,
            f"| **all** | **{total:.2f}** | |",
            f"| for comparison: bare calamine read of the same workbooks | {floor:.2f} | |",
            "",
            f"Processor time {processor:.1f} s over all processes; peak {peak} MB (largest child {child} MB). Best of",
            f"{options.repeats} runs, each a fresh process. Machine: {os.cpu_count()} cores ({platform.machine()}), Python",
            f"{platform.python_version()}; {packages}.",
            "",
        ]
    )


def record(text: str) -> None:
    """Replace this section of docs/benchmarks.md."""
    path = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
    old = path.read_text(encoding="utf-8") if path.exists() else "# Benchmarks\n"
    before, found, after = old.partition(SECTION)
    rest = after.partition("\n## ")
    tail = f"\n## {rest[2]}" if found and rest[1] else ""
    path.write_text(f"{before.rstrip()}\n\n{text}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
