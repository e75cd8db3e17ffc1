"""Counts of refused requests by day: status, route, account number, and nothing of what was sent."""

from __future__ import annotations

import datetime as dt
import os
from collections import Counter
from pathlib import Path

from django.conf import settings

from jiaoheng.bureau.core import clock

FOLDER = "refused"
_MOST_FILE = 5_000_000  # bytes of one day's counts: a flood fills no disk and the page of figures still opens


def count_refused(status: int, route: str, account: object) -> None:
    """Note one refusal of today. A full disk refuses no answer."""
    path = _file(clock.today())
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError:
        return
    try:
        if os.fstat(descriptor).st_size < _MOST_FILE:
            os.write(descriptor, f"{status} {route} {account}\n".encode("ascii", "replace"))
    except OSError:
        return
    finally:
        os.close(descriptor)


def refused_by_day(days: int = 7) -> dict[dt.date, Counter[tuple[int, str]]]:
    """Day → (status, route) → how often it was refused, of the last days, today first."""
    found = {}
    for back in range(days):
        day = clock.today() - dt.timedelta(days=back)
        counts: Counter[tuple[int, str]] = Counter()
        for line in _lines(_file(day)):
            status, _, rest = line.partition(" ")
            if status.isdigit():  # a line that a full disk cut off is no count
                counts[int(status), rest.rpartition(" ")[0]] += 1
        found[day] = counts
    return found


def _file(day: dt.date) -> Path:
    return Path(settings.DATA) / FOLDER / f"{day:%Y-%m-%d}.txt"


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []
