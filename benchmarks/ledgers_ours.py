"""Our side of `ledgers.py`, in a process of its own on a new SQLite base: one JSON line of figures."""

from __future__ import annotations

import io
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import ledgers_data as data


def main(folder: Path, what: str) -> None:
    (folder / f"data-{what}").mkdir(exist_ok=True)
    os.environ.update(JIAOHENG_DATA=str(folder / f"data-{what}"), JIAOHENG_ENV="demo", JIAOHENG_SECRET_KEY="bench")  # noqa: S106
    from jiaoheng.bureau.setup import start_django

    start_django()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    county, account = data.plant_county()
    register = data.load_register()
    figures = {"import": run_import, "merge": run_merge, "list": run_list}[what](folder, register, county, account)
    figures |= dict(zip(("peak", "peak_child"), _peaks(), strict=True))
    print(json.dumps(figures))


def start(register: Any, county: Any, account: Any, paths: list[Path]) -> Any:
    from jiaoheng.bureau.ledgers.imports.starting import do_start_import

    uploads = [(io.BytesIO(path.read_bytes()) if len(paths) > 1 else path.open("rb"), path.name) for path in paths]
    return do_start_import(register, county, uploads, at_once=True, acting_user=account)


def run_import(folder: Path, register: Any, county: Any, account: Any) -> dict[str, Any]:
    from jiaoheng.bureau.core.refusals import RefusedError
    from jiaoheng.bureau.ledgers.exports import do_export, everything
    from jiaoheng.bureau.ledgers.imports.confirming import do_confirm_import
    from jiaoheng.bureau.ledgers.imports.files import path_of
    from jiaoheng.bureau.ledgers.imports.starting import preview_of
    from jiaoheng.bureau.ledgers.models import RecordVersion

    began = time.perf_counter()
    batch = start(register, county, account, [folder / "bad.xlsx"])
    refused = time.perf_counter() - began
    wanted = {tuple(place) for place in json.loads((folder / "places.json").read_text())}
    found = {(one.place.row, one.place.column) for one in preview_of(batch).problems if one.place.row}
    try:
        do_confirm_import(batch, at_once=True, acting_user=account)
        raise AssertionError("a wrong file was stored")
    except RefusedError:
        pass
    assert not RecordVersion.objects.exists()
    began, busy = time.perf_counter(), sum(os.times()[:4])
    batch = start(register, county, account, [folder / "good.xlsx"])
    read = time.perf_counter()
    do_confirm_import(batch, at_once=True, acting_user=account)
    done, busy = time.perf_counter(), sum(os.times()[:4]) - busy
    peak, child_peak = _peaks()
    stored = RecordVersion.objects.count()
    exported, spent = time.perf_counter(), time.process_time()
    kept = do_export(register, everything(account, register), acting_user=account)
    exported, spent = time.perf_counter() - exported, time.process_time() - spent
    export_peak, _ = _peaks()
    again = start(register, county, account, [path_of(kept)])
    counts = preview_of(again).counts
    return {
        "refused": refused,
        "errors": len(wanted),
        "found": len(found),
        "exact": found == wanted,
        "read": read - began,
        "write": done - read,
        "total": done - began,
        "cpu": busy,
        "stored": stored,
        "import_peak": peak,
        "child_peak": child_peak,
        "export_peak": export_peak,
        "export": exported,
        "export_cpu": spent,
        "differences": counts["rows"] - counts["same"] + abs(counts["rows"] - stored),
    }


def _peaks() -> tuple[float, float]:
    """The most memory so far in MB: of this process, and of the largest that it started."""
    own, child = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_maxrss / 1024, child.ru_maxrss / 1024


def run_merge(folder: Path, register: Any, county: Any, account: Any) -> dict[str, Any]:
    from jiaoheng.bureau.ledgers.imports.confirming import do_confirm_import
    from jiaoheng.bureau.ledgers.imports.starting import preview_of

    paths = sorted((folder / "books").iterdir())
    began, busy = time.perf_counter(), sum(os.times()[:4])
    batch = start(register, county, account, paths)
    shown = preview_of(batch)
    read = time.perf_counter()
    do_confirm_import(batch, at_once=True, acting_user=account)
    return {
        "read": read - began,
        "total": time.perf_counter() - began,
        "cpu": sum(os.times()[:4]) - busy,
        "files": shown.counts["files"],
        "rows": shown.counts["new"],
    }


def run_list(folder: Path, register: Any, county: Any, account: Any) -> dict[str, Any]:
    """200,000 records, then first and deep pages, filtered and sorted."""
    from jiaoheng.bureau.core import audit
    from jiaoheng.bureau.core.models import Unit
    from jiaoheng.bureau.ledgers.changes import Change
    from jiaoheng.bureau.ledgers.registry import schema_of
    from jiaoheng.bureau.ledgers.writing import Batch, write

    ids = dict(Unit.objects.values_list("code", "pk"))
    schema = schema_of(register)
    codes = {"男": "1", "女": "2"}

    @audit.action
    def do_fill(first: int, count: int, *, acting_user: Any) -> None:
        changes = [
            Change(
                ids[row[0]],
                {"code": row[1], "name": row[2], "gender": codes[row[3]], "born": row[4], "class_name": row[5]}
                | {f"n{n}": row[9 + n] for n in range(1, 8)},
            )
            for row in data.rows(count, first)
        ]
        write(Batch(register, schema, None, acting_user, "load"), changes)
        audit.note("bench.fill", actor=acting_user, count=count)

    for first in range(0, 200_000, 50_000):
        do_fill(first, 50_000, acting_user=account)
    return list_pages(register, account)


def list_pages(register: Any, account: Any) -> dict[str, Any]:
    from jiaoheng.bureau.ledgers.list_shell import list_shell
    from jiaoheng.bureau.ledgers.listing import list_page
    from jiaoheng.bureau.ledgers.listing_query import from_parameters

    asked = [
        {"sort": ["name"]},
        {"sort": ["-class_name"]},
        {"sort": ["name"], "f.gender.is": ["1"]},
        {"sort": ["code"], "f.class_name.is": ["三（2）班"]},
        {"sort": ["name"], "f.gender.is": ["2"], "f.class_name.is": ["一（1）班"]},
        {},
    ]
    times, busy = [], []
    for _ in range(10):
        for parameters in asked:
            query = from_parameters(parameters)
            began, spent = time.perf_counter(), time.process_time()
            found = list_page(account, register.name, query)
            list_shell(account, register, query, found.columns)
            times.append(time.perf_counter() - began)
            busy.append(time.process_time() - spent)
    times.sort()
    busy.sort()
    half, most = len(times) // 2, int(len(times) * 0.95)
    return {"p50": times[half], "p95": times[most], "busy50": busy[half], "busy95": busy[most], "pages": len(times)}


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
