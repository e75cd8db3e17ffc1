"""Every kind of page at the size of the whole county, as the server sees it: time, processor time, queries, weight.

The base is the demonstration (about 160,000 records with their history), built into a folder of its own unless `--data`
names one that is there; PostgreSQL where DATABASE_URL says so. Requests go through Django's test client: everything
but the network and the server's own socket work.

- first: the first request of the page, nothing kept in the process or on the disk
- after a write: the first request after a record of classes and one of teachers were written
- warm: the requests that follow (p95 and middle one), and the processor time of the middle one

    python benchmarks/pages.py [--data FOLDER] [--only PART] [--repeats 15] [--record]
"""

from __future__ import annotations

import argparse
import gzip
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SECTION = "## Pages"
LIMIT = 200  # ms


@dataclass(frozen=True)
class Asked:
    """One page: its kind in words, who opens it, its address."""

    kind: str
    role: str
    path: str


@dataclass
class Found:
    """The figures of one page; times in milliseconds."""

    asked: Asked
    first: float
    written: float
    written_cpu: float
    p95: float
    middle: float
    cpu: float
    queries: int
    size: int
    packed: int


def build(folder: Path) -> None:
    """The demonstration in a new folder, by its own command."""
    command = [sys.executable, "-m", "jiaoheng", "demo", "build", "--data", str(folder)]
    subprocess.run(command, check=True, env={**os.environ, "JIAOHENG_ENV": "demo", "PYTHONPATH": str(ROOT / "src")})


def pages() -> list[Asked]:
    """The pages of the table with the addresses that this base gives them."""
    from jiaoheng.bureau.core import clock
    from jiaoheng.bureau.core.demo_people import demo_account
    from jiaoheng.bureau.core.models import Account, Unit
    from jiaoheng.bureau.core.tree import line_at
    from jiaoheng.bureau.ledgers.models import Filing, RecordVersion, RegisterRow, Round
    from jiaoheng.bureau.ledgers.models.records import CURRENT

    school = Unit.objects.get(pk=demo_account("clerk").home_id)
    line = line_at(school, clock.today())
    county = Unit.objects.get(level=Unit.Level.COUNTY)
    widest = max(Round.objects.all(), key=lambda one: (one.filings.count() > 100, one.pk))
    longest = max(Filing.objects.filter(unit=school), key=_rows_behind)
    pupil = RecordVersion.objects.filter(CURRENT, register__name="pupils", unit=school).order_by("pk").first()
    largest = RegisterRow.objects.get(name="pupils")
    period = RecordVersion.objects.filter(CURRENT, register=largest).values_list("period_id", flat=True).first()
    someone = Account.objects.filter(home=school).order_by("pk").first()
    batch = _import_of(school)
    both = ("clerk", "department", "leader", "district", "principal", "admin")
    made = [Asked("home", role, "/") for role in both]
    made += [Asked("rounds", role, "/rounds/") for role in ("clerk", "department", "leader")]
    made += [
        Asked("board, all schools", role, f"/rounds/{widest.pk}/") for role in ("department", "leader", "district")
    ]
    made += [
        Asked("filing", "clerk", f"/filings/{longest.pk}/"),
        Asked("filing", "department", f"/filings/{longest.pk}/"),
    ]
    made += [Asked("ledgers", role, "/ledgers/") for role in ("clerk", "department", "leader")]
    county_list = "/ledgers/pupils/" + (f"?period={period}" if period else "?period=all")
    made += [
        Asked("pupils of a school", "clerk", "/ledgers/pupils/"),
        Asked("pupils", "leader", county_list),
        Asked("pupils, filtered and sorted", "leader", f"{county_list}&{_filter(largest)}&sort=-{_sort(largest)}"),
        Asked("pupils, by a word", "leader", f"{county_list}&q=王"),
        Asked("pupils, deep page", "leader", f"{county_list}&sort={_sort(largest)}&after={_deep(largest, period)}"),
        Asked("pupils, as of last year", "leader", "/ledgers/pupils/?period=all&as_of=2025-11-01"),
        Asked("teachers", "department", "/ledgers/teachers/"),
        Asked("classes", "leader", "/ledgers/classes/"),
        Asked("record", "clerk", f"/records/{pupil.record_id}/"),
        Asked("form, change", "clerk", f"/records/{pupil.record_id}/edit"),
        Asked("form, new", "clerk", "/ledgers/pupils/new"),
        Asked("about a register", "clerk", "/ledgers/pupils/about"),
        Asked("unit, school", "clerk", f"/units/{school.pk}/"),
        Asked("unit, school", "leader", f"/units/{school.pk}/"),
        Asked("unit, district", "district", f"/units/{line.district_id}/"),
        Asked("unit, county", "leader", f"/units/{county.pk}/"),
        Asked("unit, county", "admin", f"/units/{county.pk}/"),
        Asked("unit, school, a year ago", "leader", f"/units/{school.pk}/?as_of=2025-11-01"),
        Asked("units", "leader", "/units/"),
        Asked("people", "admin", "/people/"),
        Asked("person", "admin", f"/people/{someone.pk}/"),
        Asked("search, a school", "leader", "/search?q=实验小学"),
        Asked("search, a name", "leader", "/search?q=王"),
        Asked("search, a name", "clerk", "/search?q=王"),
        Asked("audit", "admin", "/audit/"),
        Asked("calendar", "leader", "/calendar/"),
        Asked("exams", "leader", "/exams/"),
        Asked("me", "clerk", "/me"),
    ]
    return [*made, Asked("import preview", "clerk", f"/imports/{batch.pk}/")]


def _rows_behind(filing: Any) -> int:
    from jiaoheng.bureau.ledgers.models import Record

    of = Record.objects.filter(register=filing.round.register_id, unit=filing.unit_id, period=filing.round.period_id)
    return int(of.count())


def _sort(register: Any) -> str:
    from jiaoheng.bureau.ledgers.registry import schema_of

    return next((one.name for one in schema_of(register).fields if "name" in one.name), "unit")


def _filter(register: Any) -> str:
    """A condition on a coded column that can be filtered, so that it keeps about half."""
    from jiaoheng.bureau.core import clock
    from jiaoheng.bureau.ledgers.listing_columns import layout_of

    layout = layout_of(register, clock.today())
    coded = [name for name in layout.slots if name in layout.fields and layout.fields[name].codes]
    name = next((one for one in coded if one == "gender"), coded[0] if coded else "")
    table = layout.schema.tables[layout.fields[name].codes]
    return f"f.{name}.is={table.items[1].code}"  # the first one is 未知


def _deep(register: Any, period: int | None) -> str:
    """The cursor in the middle of the list that is sorted by the name."""
    from jiaoheng.bureau.ledgers.listing_query import cursor_text
    from jiaoheng.bureau.ledgers.models import RecordVersion
    from jiaoheng.bureau.ledgers.models.records import CURRENT
    from jiaoheng.bureau.ledgers.registry import newest_schema

    slot = f"s{list(newest_schema(register).slots).index(_sort(register))}"
    rows = RecordVersion.objects.filter(CURRENT, register=register, period=period).order_by(slot, "record_id")
    key, record_id = rows.values_list(slot, "record_id")[rows.count() // 2]
    return cursor_text(key, record_id)


def _import_of(school: Any) -> Any:
    """A file of the demonstration's clerk in preview: his own workbook with its slips."""
    import io

    from django.conf import settings

    from jiaoheng.bureau.core.demo_people import demo_account
    from jiaoheng.bureau.demo.words import FILES, SLIPS
    from jiaoheng.bureau.ledgers.imports.starting import do_start_import
    from jiaoheng.bureau.ledgers.models import RegisterRow, Round

    path = Path(settings.DATA) / FILES / SLIPS
    upload = [(io.BytesIO(path.read_bytes()), path.name)]
    register = RegisterRow.objects.get(name="school_conditions")
    period = Round.objects.filter(register=register).order_by("-due_at", "-pk")[0].period
    clerk = demo_account("clerk")
    return do_start_import(register, school, upload, period=period, at_once=True, acting_user=clerk)


def empty_caches() -> None:
    """As a server that has just begun on a base that nobody has read yet."""
    from django.conf import settings

    from jiaoheng.bureau.ledgers import registry, unit_numbers

    registry.forget()
    unit_numbers.forget()
    for name, module in list(sys.modules.items()):
        if name.startswith("jiaoheng.bureau"):
            for one in list(vars(module).values()):
                if callable(getattr(one, "cache_clear", None)):
                    one.cache_clear()
    shutil.rmtree(settings.SNAPSHOTS, ignore_errors=True)


def write_two(number: int) -> None:
    """A new version of one record of classes and of one of teachers, as a clerk somewhere saves them."""
    from jiaoheng.bureau.core import audit
    from jiaoheng.bureau.ledgers.changes import Change
    from jiaoheng.bureau.ledgers.models import RecordVersion, RegisterRow
    from jiaoheng.bureau.ledgers.models.records import CURRENT
    from jiaoheng.bureau.ledgers.registry import schema_of
    from jiaoheng.bureau.ledgers.writing import Batch, write

    @audit.action
    def do_touch(*, acting_user: Any) -> None:
        for name in ("classes", "teachers"):
            register = RegisterRow.objects.get(name=name)
            one = RecordVersion.objects.filter(CURRENT, register=register).order_by("-pk")[number % 50]
            data = {**one.data}
            batch = Batch(register, schema_of(register), one.period, acting_user, "form")
            write(batch, [Change(one.unit_id, data, one.record_id)])
            audit.note("bench.touch", actor=acting_user, count=1)

    do_touch(acting_user=None)


@contextmanager
def timed(into: list[tuple[float, float]]) -> Iterator[None]:
    """Add (milliseconds, milliseconds of processor) of a block."""
    began, busy = time.perf_counter(), time.process_time()
    yield
    into.append(((time.perf_counter() - began) * 1000, (time.process_time() - busy) * 1000))


def measure(asked: Asked, ask: Callable[[], Any], repeats: int, number: int) -> Found:
    """All figures of one page."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    first: list[tuple[float, float]] = []
    written: list[tuple[float, float]] = []
    warm: list[tuple[float, float]] = []
    empty_caches()
    with timed(first):
        response = ask()
    if response.status_code != 200:
        raise SystemExit(f"{asked.role} {asked.path}: {response.status_code}")
    for again in range(3):
        write_two(number * 3 + again)
        with timed(written):
            ask()
    for _ in range(repeats):
        with timed(warm):
            response = ask()
    with CaptureQueriesContext(connection) as seen:
        ask()
    times = sorted(one for one, _busy in warm)
    return Found(
        asked,
        first[0][0],
        median(one for one, _busy in written),
        median(busy for _one, busy in written),
        times[min(len(times) - 1, int(len(times) * 0.95))],
        median(times),
        median(busy for _one, busy in warm),
        len(seen),
        len(response.content),
        len(gzip.compress(response.content, 6)),
    )


def table(found: list[Found]) -> list[str]:
    """The figures as Markdown, the pages in the order of the list."""
    lines = [
        "| page | role | first, ms | after a write, ms (processor) | warm p95, ms | middle (processor) | queries | KB (gzip) |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {one.asked.kind} | {one.asked.role} | {one.first:.0f} | {one.written:.0f} ({one.written_cpu:.0f}) |"
        f" {one.p95:.0f} | {one.middle:.0f} ({one.cpu:.0f}) | {one.queries} |"
        f" {one.size / 1024:.0f} ({one.packed / 1024:.0f}) |"
        for one in found
    ]
    over = [one for one in found if max(one.cpu, one.written_cpu) > LIMIT]
    said = "; ".join(f"{one.asked.kind} ({one.asked.role})" for one in over)
    return [*lines, "", f"Above {LIMIT} ms of processor time, warm or after a write: {said or 'none'}."]


def record(lines: list[str]) -> None:
    """Replace the section of docs/benchmarks.md."""
    from django.db import connection

    path = ROOT / "docs" / "benchmarks.md"
    head, _, rest = path.read_text(encoding="utf-8").partition(SECTION)
    after = rest.partition("\n## ")
    tail = f"\n## {after[2]}" if after[1] else ""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {connection.vendor}"
    told = (
        f"`python benchmarks/pages.py --record`: {machine}. The whole demonstration, through Django's test client. "
        "“First”: nothing kept in the process or on the disk; “after a write”: a record of classes and one of "
        "teachers were written just before. Goal: 200 ms. Where other work ran on the machine the processor time is "
        "the measure."
    )
    path.write_text(f"{head.rstrip()}\n\n{SECTION}\n\n{told}\n\n" + "\n".join(lines) + "\n" + tail, encoding="utf-8")


def run(options: argparse.Namespace) -> None:
    """Measure the pages on the base of the settings."""
    from django.test import Client

    from jiaoheng.bureau.core.demo_people import demo_account

    clients: dict[str, Client] = {}
    found = []
    for number, asked in enumerate(pages()):
        if options.only not in f"{asked.kind} {asked.role} {asked.path}":
            continue
        if asked.role not in clients:
            clients[asked.role] = Client()
            clients[asked.role].force_login(demo_account(asked.role), "django.contrib.auth.backends.ModelBackend")
        found.append(measure(asked, partial(clients[asked.role].get, asked.path), options.repeats, number))
        print(table(found[-1:])[2], flush=True)
    lines = table(found)
    print("\n".join(["", *lines]))
    if options.record:
        record(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the folder of a demonstration that is there")
    parser.add_argument("--only", default="", help="only pages whose kind, role or address has this in it")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jiaoheng-bench-") as name:
        folder = options.data or Path(name) / "demo"
        if options.data is None:
            build(folder)
        os.environ.update(JIAOHENG_ENV="demo", JIAOHENG_DATA=str(folder))
        from jiaoheng.bureau.setup import start_django

        start_django()
        run(options)


if __name__ == "__main__":
    main()
