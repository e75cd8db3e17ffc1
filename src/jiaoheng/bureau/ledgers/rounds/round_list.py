"""The list of rounds: those that ask somebody in the reader's scope, running ones first."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Q

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import names_at
from jiaoheng.bureau.ledgers.models import Filing, Round
from jiaoheng.bureau.ledgers.rounds.board import rate_words
from jiaoheng.bureau.ledgers.rounds.deadlines import FILED, UNFILED, Light, Lights
from jiaoheng.bureau.ledgers.rounds.owing import still_owed
from jiaoheng.bureau.ledgers.rounds.telling import round_link
from jiaoheng.bureau.ledgers.rounds.words import due_words

MOST = 200  # rounds that one page lists


@dataclass(frozen=True, slots=True)
class RoundLine:
    """One round, counted inside the reader's scope."""

    round_id: int
    title: str
    register: str
    period: str
    office: str
    light: Light
    due: str
    owed: int
    filed: int
    approved: int
    late: int
    rate: str
    open: bool
    link: str


def rounds_of(account: Account) -> list[RoundLine]:
    """The rounds of a reader, running ones first, then by due date, newest first. Four queries."""
    scope = scope_of(account, Can.READ)
    lights = Lights(clock.now())
    counts = counts_by_round(scope.rows(), lights.at)
    rows = list(
        Round.objects.filter(pk__in=counts)
        .select_related("register", "period", "created_by")
        .order_by("-due_at", "-pk")[:MOST]
    )
    names = names_at([one.office_id for one in rows], lights.today)
    made = [_line(one, counts[one.pk], names, lights) for one in rows]
    return sorted(made, key=lambda one: not one.open)


@dataclass(frozen=True, slots=True)
class Counts:
    """Filings of one round: all that are owed, handed in, approved, past their limit without."""

    owed: int
    filed: int
    approved: int
    late: int


def counts_by_round(within: Q, at: dt.datetime) -> dict[int, Counts]:
    """Round id → counts of the owed filings on which a condition holds, of rounds that have opened; one query."""
    late = Q(state__in=UNFILED, round__due_at__lt=at) & (Q(extended_to__isnull=True) | Q(extended_to__lt=at))
    late |= Q(state=Filing.State.RETURNED, returned_due_at__lt=at)
    inside = Filing.objects.filter(within, still_owed(clock.local(at).date())).order_by()
    counted = inside.values_list("round_id").annotate(
        owed=Count("pk"),
        filed=Count("pk", filter=Q(state__in=FILED)),
        approved=Count("pk", filter=Q(state=Filing.State.APPROVED)),
        late=Count("pk", filter=late),
    )
    return {pk: Counts(*numbers) for pk, *numbers in counted}


def _line(one: Round, counts: Counts, names: dict[int, str], lights: Lights) -> RoundLine:
    return RoundLine(
        round_id=one.pk,
        title=one.title,
        register=one.register.title,
        period=one.period.name if one.period is not None else "",
        office=names.get(one.office_id or 0, ""),
        light=lights.of_round(one),
        due=due_words(one.due_at, lights.today),
        owed=counts.owed,
        filed=counts.filed,
        approved=counts.approved,
        late=counts.late,
        rate=rate_words(counts.filed, counts.owed),
        open=one.closed_at is None or one.closed_at > lights.at,
        link=round_link(one),
    )
