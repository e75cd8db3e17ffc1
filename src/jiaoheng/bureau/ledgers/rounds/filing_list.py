"""Filings of a reader as a plain list, by id: for programs that follow a collection."""

from __future__ import annotations

from dataclasses import dataclass

from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import names_at
from jiaoheng.bureau.ledgers.models import Filing
from jiaoheng.bureau.ledgers.rounds.words import state_words


@dataclass(frozen=True, slots=True)
class FilingLine:
    """One filing with the name of its unit on the round's reference date."""

    filing: Filing
    unit_name: str
    state: str


@dataclass(frozen=True, slots=True)
class FilingLines:
    """One page; `after`: id of its last line, None on the last page."""

    lines: tuple[FilingLine, ...]
    after: int | None


def filing_lines(
    account: Account,
    *,
    round_id: int | None = None,
    unit_id: int | None = None,
    state: str = "",
    after: int = 0,
    size: int = 100,
) -> FilingLines:
    """The filings inside the reader's scope, narrowed; a foreign round or unit narrows to nothing like an unknown one."""
    within = scope_of(account, Can.READ).rows()
    rows = Filing.objects.filter(within, pk__gt=after).select_related("round__register", "round__period", "unit")
    if round_id is not None:
        rows = rows.filter(round_id=round_id)
    if unit_id is not None:
        rows = rows.filter(unit_id=unit_id)
    if state:
        rows = rows.filter(state=state)
    found = list(rows.order_by("pk")[: size + 1])
    more, found = len(found) > size, found[:size]
    names: dict[tuple[int, object], str] = {}
    for day in {one.round.reference_date for one in found}:
        ids = [one.unit_id for one in found if one.round.reference_date == day]
        names |= {(pk, day): name for pk, name in names_at(ids, day).items()}
    lines = tuple(
        FilingLine(one, names.get((one.unit_id, one.round.reference_date), ""), state_words(one)) for one in found
    )
    return FilingLines(lines, found[-1].pk if more else None)
