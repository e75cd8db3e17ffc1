"""One message for one person and day, however many schools and rounds it tells of."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import Notice
from jiaoheng.bureau.core.tree import names_at
from jiaoheng.bureau.ledgers.bulk import chunks
from jiaoheng.bureau.ledgers.models import Reminder
from jiaoheng.bureau.ledgers.rounds.deadlines import Lights, limit_of
from jiaoheng.bureau.ledgers.rounds.telling import filing_link, round_link


def tell_digests(account_ids: Iterable[int], today: dt.date) -> None:
    """Write (or write anew) today's digest of each person from all reminder rows made for him today.

    The text follows from the rows alone, so that it is the same whichever worker comes last.
    """
    midnight = clock.beijing(today.year, today.month, today.day)
    for part in chunks(sorted(set(account_ids))):
        rows = Reminder.objects.filter(receiver_id__in=part, outcome="sent", at__gte=midnight)
        found: dict[int, dict[int, Reminder]] = defaultdict(dict)
        for row in rows.select_related("filing", "filing__unit", "round").order_by("round_id", "filing_id", "pk"):
            found[row.receiver_id][row.filing_id] = row
        names = names_at([row.filing.unit_id for mine in found.values() for row in mine.values()], today)
        lights = Lights(clock.now())
        for account_id, mine in found.items():
            _write(account_id, list(mine.values()), names, lights)


def _write(account_id: int, rows: list[Reminder], names: dict[int, str], lights: Lights) -> None:
    lines = []
    for row in rows:
        light = lights.until(limit_of(row.round, row.filing))
        lines.append(f"{names.get(row.filing.unit_id, '')} {row.round.title}：{light.words}")
    title = f"催办：{row_words(rows)}"
    link = filing_link(rows[0].filing) if len(rows) == 1 else round_link(rows[0].round)
    Notice.objects.update_or_create(
        account_id=account_id,
        key=f"remind:{lights.today:%Y-%m-%d}",
        defaults={
            "at": lights.at,
            "title": title[:200],
            "text": "\n".join(lines),
            "link": link,
            "mood": "look",
            "seen_at": None,
        },
    )


def row_words(rows: list[Reminder]) -> str:
    """2025 年秋季师资概况, or 3 项 20 所 where there are several."""
    rounds = {row.round_id: row.round.title for row in rows}
    units = len({row.filing.unit_id for row in rows})
    if len(rounds) == 1:
        title = next(iter(rounds.values()))
        return title if units == 1 else f"{title}，{units} 所未交"
    return f"{len(rounds)} 项台账，{units} 个单位未交"
