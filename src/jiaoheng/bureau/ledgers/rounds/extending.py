"""延期: more time for one unit, with its reason; seen by that unit, in the trail, never earlier than the round's date."""

from __future__ import annotations

import datetime as dt

from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.core.tree import name_of
from jiaoheng.bureau.ledgers.models import Extension, Filing
from jiaoheng.bureau.ledgers.rounds.chain import locked, require
from jiaoheng.bureau.ledgers.rounds.deadlines import OWING, own_limit
from jiaoheng.bureau.ledgers.rounds.people import staff_of
from jiaoheng.bureau.ledgers.rounds.telling import filing_link, send
from jiaoheng.bureau.ledgers.rounds.words import due_words, spaced, state_words


@audit.action
def do_extend(filing: Filing, until: dt.datetime, reason: str, *, acting_user: Account) -> Extension:
    """Give one unit until `until`. The limit is the later of it and the round's date (P07); a running correction moves too.

    Raises RefusedError (`reason-missing`, `extension-earlier`, `filing-filed`), ForbiddenError.
    """
    held = locked(filing.pk, None)
    require(acting_user, held, Can.ROUNDS)
    if not reason.strip():
        raise RefusedError("reason-missing", "请写明延期的原因", places={"reason": "请填写"})
    if held.state not in OWING:
        raise RefusedError("filing-filed", f"这份台账现在是“{state_words(held)}”，不用延期")
    limit, old = max(held.round.due_at, clock.now()), own_limit(held.round, held)
    if until <= limit:
        told = f"延期到 {_said(until)}，不晚于 {_said(limit)}（{_which(held, limit)}），请另选时间"
        raise RefusedError("extension-earlier", told, places={"until": told})
    made: Extension = Extension.objects.create(
        filing=held, until=until, reason=reason.strip()[:500], by=acting_user, at=clock.now()
    )
    held.extended_to = until
    if held.state == Filing.State.RETURNED and held.returned_due_at is not None:
        held.returned_due_at = max(until, held.returned_due_at)
    held.save(update_fields=["extended_to", "returned_due_at"])
    audit.note(
        "filing.extend",
        actor=acting_user,
        about=("filing", held.pk, f"{name_of(held.unit, held.round.reference_date)} {held.round.title}"),
        unit_id=held.unit_id,
        changes=audit.differences({"until": _said(old)}, {"until": _said(until)}, {"until": "截止"}),
        reason=reason.strip(),
    )
    people = staff_of([held.unit_id], clock.today()).fillers(held.unit_id, held.unit.level)
    text = f"{acting_user.name}：{spaced('延到', due_words(until, clock.today()))}。原因：{reason.strip()}"
    send(people, f"extend:{made.pk}", f"{held.round.title}延期", text, filing_link(held))
    return made


def _which(held: Filing, limit: dt.datetime) -> str:
    return "本轮截止时间" if limit == held.round.due_at else "现在"


def _said(moment: dt.datetime) -> str:
    return f"{clock.local(moment):%Y-%m-%d %H:%M}"
