"""A day of the bureau with many people at once: errors, waits, lost or doubled writes.

Starts the installed server with its worker on a copy of the whole demonstration, lets people of all roles sign in and
work as they do (lists, boards, units, forms, tables, workbooks, filings, exports, programs), and looks afterwards
whether every acknowledged write is in the base exactly once and the trail is whole. Exit code 1 where anything was wrong.

    python benchmarks/load.py --users 30 --minutes 10 --record
    python benchmarks/load.py --users 100 --minutes 10 --postgres --record

`--postgres` starts a server of its own and moves the demonstration into it by `jiaoheng move`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import load_report
from load_server import Meter, command, county, environment, postgresql, served

HERE = Path(__file__).resolve().parent


def asked(data: Path, database: str, *words: str) -> Any:
    """The answer of load_base.py, which runs in a process of its own."""
    call = [sys.executable, str(HERE / "load_base.py"), *words]
    done = subprocess.run(call, env=environment(data, database), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def measure(options: argparse.Namespace, folder: Path, data: Path, database: str, postmaster: int) -> dict[str, Any]:
    """The run itself: people, server, clicks, then the base."""
    people = asked(data, database, "people", str(options.users))
    plan, ledger, out = folder / "people.json", folder / "ledger.jsonl", folder / "samples.json"
    plan.write_text(json.dumps(people), encoding="utf-8")
    ledger.touch()
    seconds = options.minutes * 60
    rise = min(60.0, seconds / 4)
    with served(data, database, folder / "serve.log") as (port, server):
        meters = {"server": Meter(server)} | ({"database": Meter(postmaster)} if postmaster else {})
        before = {name: one.seconds for name, one in meters.items()}
        for one in meters.values():
            one.start()
        began = time.monotonic()
        clock = (str(seconds), str(rise), str(options.think[0]), str(options.think[1]))
        days = [sys.executable, str(HERE / "load_days.py"), str(port), str(plan), str(ledger), str(out), *clock]
        subprocess.run(days, check=True)
        took = time.monotonic() - began
        cpu = {name: one.seconds - before[name] for name, one in meters.items()}
        for one in meters.values():
            one.over.set()
    found = json.loads(out.read_text(encoding="utf-8"))
    return {
        **found,
        "users": options.users,
        "seconds": took,
        "cpu": cpu,
        "memory": meters["server"].peak,
        "sizes": people["sizes"],
        "checked": asked(data, database, "check", str(ledger), json.dumps(people["newest"])),
        "audit": command(data, database, "audit", "verify"),
        "doctor": command(data, database, "doctor", "--full"),
        "base": "PostgreSQL" if database else "SQLite",
        "version": _version(postmaster),
        "faults": _faults(data),
        "routes": _routes(data),
        "command": f"python benchmarks/load.py --users {options.users} --minutes {options.minutes:g}"
        + (" --postgres" if postmaster else ""),
    }


def _version(postmaster: int) -> str:
    import sqlite3

    import django

    if not postmaster:
        return f"Django {django.__version__}, SQLite {sqlite3.sqlite_version}"
    program = Path(f"/proc/{postmaster}/exe").resolve()
    told = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=False).stdout
    return f"Django {django.__version__}, {told.strip().replace(' (PostgreSQL)', '').replace('postgres', 'PostgreSQL')}"


def _faults(data: Path) -> list[str]:
    """What the server logged as faults during the run, shortened."""
    lines = [one for path in sorted((data / "logs").glob("faults-*.jsonl")) for one in path.read_text().splitlines()]
    return [one[:2000] for one in lines]


def _routes(data: Path) -> list[tuple[str, int, float, float]]:
    """Method and route, requests, processor milliseconds of all of them and of the dearest, from the server's own log."""
    found: dict[str, list[float]] = {}
    for path in (data / "logs").glob("requests-*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            one = json.loads(line)
            found.setdefault(f"{one['method']} {one['route']}", []).append(one["cpu"])
    made = [(name, len(times), sum(times), max(times)) for name, times in found.items()]
    return sorted(made, key=lambda one: -one[2])


def failed(run: dict[str, Any]) -> list[str]:
    """What is wrong with a run, in words; empty where nothing is."""
    wrong = [f"{one['kind']}: {one['wrong']}" for one in run["samples"] if one["wrong"]]
    wrong += run["checked"]["wrong"]
    if run["checked"]["doubt"]:
        wrong.append(f"{run['checked']['doubt']} writes in doubt")
    if run["audit"][0]:
        wrong.append(f"audit: {run['audit'][1]}")
    if run["doctor"][0] not in (0, 2):  # 2: something to mind, such as that no backup was made yet
        wrong.append(f"doctor: {run['doctor'][1]}")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=30)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL instead of SQLite")
    parser.add_argument("--data", type=Path, help="a demonstration that is there; it is copied, never written")
    parser.add_argument("--scale", type=float, default=1.0, help="size of the county where it is built")
    parser.add_argument("--think", type=float, nargs=2, default=(2.0, 8.0), metavar=("SHORTEST", "LONGEST"))
    parser.add_argument("--record", action="store_true", help="write the section of docs/assurance.md")
    parser.add_argument("--routes", action="store_true", help="tell the processor time of the server's routes")
    parser.add_argument("--out", type=Path, help="keep everything that was measured as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jiaoheng-load-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        data, database, postmaster = county(options.data, folder, options.scale), "", 0
        if options.postgres:
            database, postmaster = stack.enter_context(postgresql(folder))
            code, told = command(data, "", "move", database)
            if code:
                raise SystemExit(told)
        run = measure(options, folder, data, database, postmaster)
    if options.out:
        options.out.write_text(json.dumps(run, ensure_ascii=False), encoding="utf-8")
    print("\n".join(load_report.story(run)))
    for name, count, total, most in run["routes"][:25] if options.routes else ():
        print(f"{name:50} {count:6} × {total / count:7.1f} ms processor, at most {most:.0f}")
    wrong = failed(run)
    if options.record:
        load_report.record(run)
    for one in wrong[:40]:
        print(f"WRONG: {one}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
