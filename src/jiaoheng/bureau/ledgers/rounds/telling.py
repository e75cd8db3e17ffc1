"""Notices of rounds: one line for one person and event, whatever is pressed twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import Account, Notice
from jiaoheng.bureau.ledgers.models import Filing, FilingStep, Round
from jiaoheng.bureau.ledgers.rounds.deadlines import OWING, own_limit
from jiaoheng.bureau.ledgers.rounds.owing import holders
from jiaoheng.bureau.ledgers.rounds.people import staff_of
from jiaoheng.bureau.ledgers.rounds.words import due_words, spaced


def send(accounts: Iterable[Account], key: str, title: str, text: str, link: str, mood: str = "") -> int:
    """One notice for each account; the same key again tells nobody twice. Returns how many persons it is for."""
    people = {one.pk: one for one in accounts}
    at = clock.now()
    Notice.objects.bulk_create(
        [
            Notice(account=one, at=at, title=title[:200], text=text, link=link, mood=mood, key=key[:120])
            for one in people.values()
        ],
        ignore_conflicts=True,
        batch_size=100,
    )
    return len(people)


def filing_link(filing: Filing) -> str:
    """Where a filing is worked on."""
    return f"/filings/{filing.pk}/"


def round_link(round_: Round) -> str:
    """The board of a round."""
    return f"/rounds/{round_.pk}/"


def tell_unit(filing: Filing, step: FilingStep, title: str, text: str, mood: str = "") -> None:
    """Tell those who fill for the unit (or for it, its district) what a step did."""
    keeper = holders([filing], clock.today())[filing.pk].unit_id or filing.unit_id
    level = filing.unit.level if keeper == filing.unit_id else "district"
    staff = staff_of([keeper], clock.today())
    people = [*staff.fillers(keeper, level), *staff.heads(keeper, level)]
    send(people, f"step:{step.pk}", title, text, filing_link(filing), mood)


def tell_moved(round_: Round, old: dt.datetime, reason: str, by: Account) -> None:
    """Tell every unit that still owes that the round's date was moved; each reads its own limit only."""
    today = clock.today()
    open_filings = list(Filing.objects.filter(round=round_, state__in=OWING).select_related("unit"))
    staff = staff_of([one.unit_id for one in open_filings], today)
    key = f"move:{round_.pk}:{round_.due_at:%Y%m%d%H%M}"
    groups: dict[dt.datetime, list[Filing]] = {}
    for filing in open_filings:
        groups.setdefault(own_limit(round_, filing), []).append(filing)
    for limit, filings in groups.items():
        text = f"{by.name}：{due_words(old, today)}{spaced('改为', due_words(round_.due_at, today))}。原因：{reason}"
        if limit != round_.due_at:
            text += f"本单位已{spaced('延期到', due_words(limit, today))}，不变。"
        send(_fillers(staff.fillers(one.unit_id, one.unit.level) for one in filings), key,
             f"{round_.title}改了截止日期", text, round_link(round_))  # fmt: skip


def _fillers(groups: Iterable[Sequence[Account]]) -> list[Account]:
    return [one for group in groups for one in group]
