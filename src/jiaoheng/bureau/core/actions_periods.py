"""Changing the border between the two terms of an academic year."""

from __future__ import annotations

import datetime as dt

from jiaoheng.bureau.core import audit
from jiaoheng.bureau.core.models import Account, Period
from jiaoheng.bureau.core.periods import MONTH, WEEK, YEAR_STARTS, ensure_periods
from jiaoheng.bureau.core.refusals import RefusedError


@audit.action
def do_set_term_border(year: int, border: dt.date, *, acting_user: Account | None, reason: str = "") -> None:
    """Put the first day of the spring term of academic year `year`. Weeks and months follow to the term they begin in.

    RefusedError where the day does not lie in the year.
    """
    first, last = dt.date(year, *YEAR_STARTS), dt.date(year + 1, *YEAR_STARTS)
    if not first < border < last:
        raise RefusedError(
            "term-outside-year",
            f"春季学期开始日 {border} 不在 {year}—{year + 1} 学年内，应在 {first} 之后、{last} 之前",
            places={"border": "请改为本学年内的一天"},
        )
    ensure_periods(year)
    autumn, spring = Period.objects.get(code=f"T{year}-1"), Period.objects.get(code=f"T{year}-2")
    old = spring.starts_on
    Period.objects.filter(pk=autumn.pk).update(ends_on=border)
    Period.objects.filter(pk=spring.pk).update(starts_on=border)
    parts = Period.objects.filter(kind__in=[MONTH, WEEK], starts_on__gte=first, starts_on__lt=last)
    parts.filter(starts_on__lt=border).update(parent=autumn)
    parts.filter(starts_on__gte=border).update(parent=spring)
    audit.note(
        "term-border",
        actor=acting_user,
        about=("period", spring.pk, spring.name),
        changes=[{"field": "starts_on", "title": "开始日期", "old": str(old), "new": str(border)}],
        reason=reason,
    )
