"""The demo's clock: it runs on from the day of the demo's data, however long ago that is.

`demo.json` in the data folder says that it holds a demonstration, and how far its clock is from the system's.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path

from jiaoheng.bureau.core import clock

MARK = "demo.json"


def mark_demo(data: Path, now: dt.datetime) -> None:
    """Mark a data folder as a demonstration that stands at `now`; its clock goes on from there."""
    shift = now - dt.datetime.now(dt.UTC)
    body = {"now": now.isoformat(), "shift_seconds": round(shift.total_seconds())}
    (data / MARK).write_text(json.dumps(body, ensure_ascii=False), encoding="utf-8")


def is_demo(data: Path) -> bool:
    """Whether a data folder holds a demonstration."""
    return (data / MARK).is_file()


def start_demo_clock(data: Path) -> None:
    """Set this process's clock by the mark of a data folder; JIAOHENG_DEMO_NOW (ISO, with zone) goes before it."""
    given = os.environ.get("JIAOHENG_DEMO_NOW")
    if given:
        moment = dt.datetime.fromisoformat(given)
        clock.shift((moment if moment.tzinfo else moment.replace(tzinfo=clock.BEIJING)) - dt.datetime.now(dt.UTC))
    elif is_demo(data):
        body = json.loads((data / MARK).read_text(encoding="utf-8"))
        clock.shift(dt.timedelta(seconds=int(body["shift_seconds"])))
