"""Periods as a plain list, by id."""

from __future__ import annotations

import datetime as dt

from jiaoheng.bureau.core.models import Period
from jiaoheng.bureau.core.tree import holds


def period_lines(
    *, kind: str = "", on: dt.date | None = None, code: str = "", after: int = 0, size: int = 100
) -> tuple[list[Period], int | None]:
    """One page of the periods that are in use, and the id of its last one, None on the last page."""
    rows = Period.objects.filter(pk__gt=after)
    if kind:
        rows = rows.filter(kind=kind)
    if on is not None:
        rows = rows.filter(holds(on))
    if code:
        rows = rows.filter(code=code)
    found = list(rows.order_by("pk")[: size + 1])
    return found[:size], found[size - 1].pk if len(found) > size else None
