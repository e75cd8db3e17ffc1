"""Ledgers at county size: one file of 100,000 × 20 checked and stored with history and audit, beside others' work.

In the same run, each in a process of its own on a new SQLite base:

- ours: upload, read, understand, check every cell, compare with the records, preview, store versions and index columns,
  audit entry. First a file with 1 % wrong rows (exactly those must be found, nothing stored), then the corrected one.
- django-import-export into a plain model with the same validation (bulk, no look-ups, no history).
- frictionless, validation alone.
- the floor: calamine reads, executemany stores; nothing checked.

Then: export → import without an edit, 114 workbooks in one import, list pages of 200,000 records.

    python benchmarks/ledgers.py [--rows 100000] [--bench-python PATH] [--record]

The others live in `requirements/bench.txt`; without `--bench-python` an environment is made below benchmarks/data.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent
SECTION = "## Ledgers"
sys.path.insert(0, str(HERE))
import ledgers_data as data  # noqa: E402


def bench_python(given: str | None) -> str:
    """A Python with the others' packages; made once where none is given."""
    if given:
        return given
    folder = HERE / "data" / "bench-venv"
    python = folder / "bin" / "python"
    if not python.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        wanted = ["install", "-q", "--require-hashes", "-r", str(ROOT / "requirements" / "bench.txt")]
        subprocess.run([str(python), "-m", "pip", *wanted], check=True)
    return str(python)


def run(python: str, script: str, folder: Path, what: str) -> dict[str, Any]:
    """Figures of one process."""
    made = subprocess.run(
        [python, str(HERE / script), str(folder), what],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    figures: dict[str, Any] = json.loads(made.stdout.strip().splitlines()[-1])
    print(f"{what}: {figures}", file=sys.stderr, flush=True)
    return figures


def table(rows: int, found: dict[str, dict[str, Any]]) -> list[str]:
    """The figures as Markdown."""
    ours, floor = found["import"], found["floor"]
    others, alone = found["import_export"], found["frictionless"]
    merge, pages = found["merge"], found["list"]
    total = ours["total"]
    cpu = ours["cpu"]
    return [
        f"Load of the machine while it ran: {os.getloadavg()[2]:.1f} (15 minutes). Processor seconds are of our process",
        "and the processes that it started; other work on the machine stretches the seconds of the clock alone, mostly.",
        "",
        f"| {rows:,} rows × 20 columns | processor seconds | against ours | seconds | peak MB |",
        "|---|---:|---:|---:|---:|",
        f"| ours: read, check, preview, store with history and audit | {cpu:.1f} | 1 | {total:.1f} |"
        f" {ours['import_peak']:.0f} |",
        f"| django-import-export, plain model | {others['cpu']:.1f} | ours {others['cpu'] / cpu:.1f} × faster |"
        f" {others['total']:.1f} | {others['peak']:.0f} |",
        f"| frictionless, validation alone | {alone['cpu']:.1f} | ours {alone['cpu'] / cpu:.1f} × faster |"
        f" {alone['total']:.1f} | {alone['peak']:.0f} |",
        f"| floor: calamine + executemany, nothing checked | {floor['cpu']:.1f} |"
        f" ours {cpu / floor['cpu']:.1f} × slower | {floor['total']:.1f} | {floor['peak']:.0f} |",
        "",
        "| what | measured | aim |",
        "|---|---:|---:|",
        f"| reading, checking, preview / storing, by the clock | {ours['read']:.1f} s / {ours['write']:.1f} s | |",
        f"| injected errors found exactly | {ours['found']} of {ours['errors']}"
        f"{'' if ours['exact'] else ' (others too)'} | all, none else |",
        f"| peak MB: import / its reading process / export / reading the export again, beside all records |"
        f" {ours['import_peak']:.0f} / {ours['child_peak']:.0f} / {ours['export_peak']:.0f} / {ours['peak']:.0f} |"
        f" 400 / – / 450 / – |",
        f"| export of {ours['stored']:,} rows: processor / clock | {ours['export_cpu']:.1f} s / {ours['export']:.1f} s | |",
        f"| differences after export → import | {ours['differences']} | 0 |",
        f"| {merge['files']} workbooks ({merge['rows']:,} rows) read, checked, stored: processor / clock |"
        f" {merge['cpu']:.1f} s / {merge['total']:.1f} s | 5 s |",
        f"| list page with its frame, 200,000 records, filtered and sorted, p95: processor / clock |"
        f" {pages['busy95'] * 1000:.0f} ms / {pages['p95'] * 1000:.0f} ms | 200 ms |",
    ]


def versions(python: str) -> str:
    """Versions of the others' packages."""
    names = ("Django", "django-import-export", "frictionless", "python-calamine")
    script = f"from importlib.metadata import version\nprint(', '.join(n + ' ' + version(n) for n in {names!r}))"
    return subprocess.run([python, "-c", script], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def record(lines: list[str], python: str) -> None:
    """Replace the section of docs/benchmarks.md."""
    path = ROOT / "docs" / "benchmarks.md"
    text = path.read_text(encoding="utf-8")
    head, _, rest = text.partition(SECTION)
    after = rest.partition("\n## ")
    tail = f"\n## {after[2]}" if after[1] else ""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
    command = f"`python benchmarks/ledgers.py --record`; {machine}SQLite {sqlite3.sqlite_version}, {versions(python)}."
    path.write_text(f"{head.rstrip()}\n\n{SECTION}\n\n{command}\n\n" + "\n".join(lines) + "\n" + tail, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--bench-python")
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    python = bench_python(options.bench_python)
    with tempfile.TemporaryDirectory(prefix="jiaoheng-bench-") as name:
        folder = Path(name)
        data.make_files(folder, options.rows)
        data.make_books(folder / "books", 30)
        found = {what: run(sys.executable, "ledgers_ours.py", folder, what) for what in ("import", "merge", "list")}
        for what in ("floor", "import_export", "frictionless"):
            found[what] = run(python, "ledgers_others.py", folder, what)
    lines = table(options.rows, found)
    print("\n".join(lines))
    if options.record:
        record(lines, python)


if __name__ == "__main__":
    main()
