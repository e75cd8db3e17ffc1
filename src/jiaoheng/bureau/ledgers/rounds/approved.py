"""Approved and provisional figures of a round: whose records, of which moment; and how many changes wait (P16)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.ledgers.models import Filing, RecordVersion, Round
from jiaoheng.bureau.ledgers.rounds.content import rows_of
from jiaoheng.bureau.ledgers.rounds.owing import still_owed


class Basis(StrEnum):
    """Which content of each filing counts."""

    APPROVED = "approved"  # the last approved content, also while a change of it waits
    PROVISIONAL = "provisional"  # what stands there now

    @property
    def words(self) -> str:
        """已审定的数 or 当前数（含未审）."""
        return "已审定的数" if self is Basis.APPROVED else "当前数（含未审）"

    @property
    def short(self) -> str:
        """已审定 or 当前数, for the name of a file."""
        return "已审定" if self is Basis.APPROVED else "当前数"


@dataclass(frozen=True, slots=True)
class Pending:
    """Filings of a round by how far approved figures reach."""

    owed: int
    approved: int  # have approved figures
    changed: int  # of these: changed since and not approved again

    @property
    def words(self) -> str:
        """1 校有未审修改; "" where approved figures are whole."""
        parts = []
        if self.changed:
            parts.append(f"{self.changed} 校有未审修改")
        if self.owed > self.approved:
            parts.append(f"{self.owed - self.approved} 校的数还没有审定")
        return "，".join(parts)


def rows_on(round_: Round, basis: Basis) -> QuerySet[RecordVersion]:
    """The record versions of a round's units on one basis, in one query."""
    filings = Filing.objects.filter(round=round_, dropped_on__isnull=True)
    if basis is Basis.PROVISIONAL:
        return rows_of(round_).filter(unit_id__in=filings.values("unit_id"))
    moment = filings.filter(unit_id=OuterRef("unit_id")).values("approved_as_of")[:1]
    rows = RecordVersion.objects.filter(register_id=round_.register_id, period_id=round_.period_id, deleted=False)
    held = Q(valid_from__lte=F("moment")) & (Q(valid_to__isnull=True) | Q(valid_to__gt=F("moment")))
    return rows.annotate(moment=Subquery(moment)).filter(held, moment__isnull=False)


def pending_of(round_: Round, within: Q | None = None) -> Pending:
    """How many filings have approved figures, and how many of them wait for approval of a change."""
    filings = Filing.objects.filter(still_owed(clock.today()), round=round_)
    if within is not None:
        filings = filings.filter(within)
    approved = filings.filter(approved_as_of__isnull=False)
    return Pending(filings.count(), approved.count(), approved.exclude(state=Filing.State.APPROVED).count())
